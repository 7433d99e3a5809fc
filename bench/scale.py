"""``python -m bench.scale``: docs/scale.md, what lies beyond one machine, by simulation where it can be had.

The sandbox runs in this process on a fake clock: ten thousand pods and an API server that answers after
a second cost minutes. What is simulated are the cluster's delays; the engine and its decisions are the real
ones. The words around the figures are in ``scale.md`` beside this file.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.simulation import Account, Weather, update
from testing.command import ROOT
from testing.sandbox import Sandbox


def sizes(largest: int) -> str:
    rows = [
        "| pods | labelled first | seconds | writes of the controllers | labels |",
        "|---|---|---|---|---|",
    ]
    for size in (100, 1000, largest):
        for labelled in (True, False):
            account = update(size, surge="25%", unavailable="25%", labelled=labelled)
            labels = 0 if labelled else size
            rows.append(
                f"| {size:,} | {'no' if labelled else 'yes'} | {account.seconds:.1f} "
                f"| {account.writes - labels} | {labels:,} |"
            )
    return "\n".join(rows)


def neighbours(counts: tuple[int, ...]) -> str:
    """Of other controllers in the namespace."""
    rows = [
        "| other controllers | seconds | of the client, ms in all | first list, KiB |",
        "|---|---|---|---|",
    ]
    for count in counts:
        account = update(20, others=count)
        size = (count + 1) * _controller_bytes() / 1024
        rows.append(f"| {count:,} | {account.seconds:.1f} | {account.client * 1000:.0f} | {size:,.0f} |")
    return "\n".join(rows)


def weathers() -> str:
    rows = [
        "| the API server | seconds, 20 pods one by one | seconds, 100 pods by quarters |",
        "|---|---|---|",
    ]
    cases = [
        ("answers at once", Weather()),
        ("answers after 50 ms", Weather(latency=0.05)),
        ("answers after 200 ms", Weather(latency=0.2)),
        ("answers after 1 s", Weather(latency=1.0)),
        ("refuses each fifth write for 1 s (429)", Weather(throttle_every=5)),
        ("refuses each second write for 1 s (429)", Weather(throttle_every=2)),
        ("refuses each second write for 10 s (429)", Weather(throttle_every=2, retry_after=10.0)),
    ]
    for what, weather in cases:
        slow = update(20, weather=weather)
        wide = update(100, surge="25%", unavailable="25%", weather=weather)
        rows.append(f"| {what} | {_seconds(slow)} | {_seconds(wide)} |")
    return "\n".join(rows)


def _seconds(account: Account) -> str:
    refused = f", {account.refused} refused" if account.refused else ""
    return f"{account.seconds:.1f} ({account.requests} requests{refused})"


def _controller_bytes() -> int:
    """What a controller with one container is in JSON, server's fields included, about."""
    with Sandbox() as sandbox:
        labels = {"run": "other"}
        template = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "c", "image": "image:0"}]},
        }
        sandbox.create(
            {
                "apiVersion": "v1",
                "kind": "ReplicationController",
                "metadata": {"name": "other", "namespace": "default"},
                "spec": {"replicas": 0, "selector": labels, "template": template},
            }
        )
        sandbox.settle()
        path = "/api/v1/namespaces/default/replicationcontrollers/other"
        return len(json.dumps(sandbox.request("GET", path, {}, None).body))


def text(largest: int) -> str:
    return (
        (Path(__file__).parent / "scale.md")
        .read_text()
        .format(sizes=sizes(largest), neighbours=neighbours((0, 100, 1000)), weathers=weathers())
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--report", type=Path, default=ROOT / "docs" / "scale.md")
    parser.add_argument("--largest", type=int, default=10_000, help="pods of the largest update")
    given = parser.parse_args()
    given.report.write_text(text(given.largest))


if __name__ == "__main__":
    main()
