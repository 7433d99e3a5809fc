"""A look at the ready addresses of a Service, again and again until SIGTERM, from a process of its own
(``python -m testing.chaos.addresses KUBECONFIG SERVICE``). Then what it has seen, as JSON.
"""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from testing.client import TROUBLE, Client
from testing.kubeconfig import read
from testing.namespace import Namespace


@dataclass
class Seen:
    """``least`` of all looks; -1 before the first one."""

    looks: int = 0
    failed: int = 0
    least: int = -1


def main(kubeconfig: str, service: str) -> None:
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    access = read(Path(kubeconfig))
    namespace = Namespace(Client(access), access.namespace)
    seen = Seen()
    print("looking", flush=True)
    while not ended or not seen.looks:
        try:
            subsets = namespace.controller(service, "endpoints").get("subsets") or ()
        except TROUBLE:
            seen.failed += 1
            continue
        ready = sum(len(each.get("addresses") or ()) for each in subsets)
        seen.looks += 1
        seen.least = ready if seen.least < 0 else min(seen.least, ready)
    print(json.dumps(asdict(seen)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
