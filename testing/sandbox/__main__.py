"""Runs a sandbox until Ctrl-C or SIGTERM, and prints one line when ready.

``python -m testing.sandbox --kubeconfig FILE``
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from testing.kubelet import behaviour
from testing.sandbox.server import Server
from testing.sandbox.world import Sandbox


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    config = behaviour.from_arguments(options, normal_events=True)
    with Sandbox(
        real_time=True, seed=options.seed, kubelet=config, deployment_configs=options.deployment_configs
    ) as sandbox:
        try:
            server = Server(sandbox, options.port)
        except OSError as error:
            print(f"sandbox: can't listen on port {options.port}: {error}", file=sys.stderr)
            return 1
        with server:
            server.write_kubeconfig(options.kubeconfig)
            try:
                print(f"sandbox ready at {server.url}, kubeconfig {options.kubeconfig}", flush=True)
                stop.wait()
            finally:
                options.kubeconfig.unlink(missing_ok=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m testing.sandbox", description=__doc__)
    parser.add_argument(
        "--kubeconfig", type=Path, required=True, metavar="FILE", help="where to write the kubeconfig"
    )
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="port on loopback (default: a free one)"
    )
    behaviour.add_arguments(parser)
    parser.add_argument(
        "--deployment-configs",
        action="store_true",
        help="know OpenShift's DeploymentConfigs, and have a controller for them",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="for names and latencies")
    return parser


if __name__ == "__main__":
    sys.exit(main())
