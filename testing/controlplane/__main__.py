"""Runs a control plane until Ctrl-C, or gets the programs for one.

``python -m testing.controlplane --kubeconfig FILE`` prints one line when the plane is ready,
``python -m testing.controlplane binaries`` finds or builds the programs and prints the folder they are in.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from testing.controlplane import binaries
from testing.controlplane.acquire import KUBECONFIG
from testing.controlplane.openshift import openshift
from testing.controlplane.private import PrivatePlane
from testing.controlplane.processes import ServerExited
from testing.controlplane.unavailable import Unavailable
from testing.kubelet import behaviour


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1 when there is no control plane to be had, with the reason on standard error."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "run" and options.kubeconfig is None:
        parser.error("--kubeconfig FILE is needed")
    # Both in one way, so that builds and planes are cleaned up in one way only. In the background of a script
    # SIGINT is ignored, until it is asked for.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        if options.command == "binaries":
            if named := os.environ.get(KUBECONFIG):
                print(f"control plane: {KUBECONFIG}={named} is used, nothing to build", file=sys.stderr)
            else:
                print(binaries.obtain().folder)
        else:
            _serve(options)
    except KeyboardInterrupt:
        return 130
    except (Unavailable, ServerExited, TimeoutError) as error:
        print(f"control plane not available: {error}", file=sys.stderr)
        return 1
    return 0


def _serve(options: argparse.Namespace) -> None:
    config = behaviour.from_arguments(options)
    found = binaries.obtain()
    started = time.monotonic()
    with PrivatePlane.start(
        found, kubelet=config, hollow=not options.no_kubelet, audit_log=options.audit_log
    ) as plane:
        runner = contextlib.ExitStack()
        if options.deployment_configs:
            runner.enter_context(openshift(plane))
        plane.write_kubeconfig(options.kubeconfig)
        if options.limited_kubeconfig is not None:
            plane.write_kubeconfig(options.limited_kubeconfig, user="limited")
        try:
            print(
                f"control plane ready at {plane.url} after {time.monotonic() - started:.1f} s, "
                f"kubeconfig {options.kubeconfig}",
                flush=True,
            )
            while True:
                time.sleep(1)  # not signal.pause, which misses a signal that comes just before it
        except KeyboardInterrupt:
            pass  # the way to end it
        finally:
            runner.close()
            options.kubeconfig.unlink(missing_ok=True)
            if options.limited_kubeconfig is not None:
                options.limited_kubeconfig.unlink(missing_ok=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m testing.controlplane", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["run", "binaries"], default="run")
    parser.add_argument(
        "--kubeconfig", type=Path, metavar="FILE", help="where to write the admin's kubeconfig"
    )
    parser.add_argument(
        "--limited-kubeconfig", type=Path, metavar="FILE", help="the same for the limited user"
    )
    behaviour.add_arguments(parser)
    parser.add_argument(
        "--deployment-configs",
        action="store_true",
        help="serve OpenShift's DeploymentConfigs, and run a controller for them",
    )
    parser.add_argument("--no-kubelet", action="store_true", help="leave pods pending")
    parser.add_argument("--audit-log", type=Path, metavar="FILE", help="write every request as a JSON line")
    return parser


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
