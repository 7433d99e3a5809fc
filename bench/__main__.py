"""``python -m bench``: everything in one run, and the report of it in docs/performance.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench import limits, links, loads, moves, plot, readiness, report, simulation, startup, versus
from bench.command import BenchError
from bench.figures import Section
from bench.site import Site
from testing.command import ROOT
from testing.controlplane.acquire import acquire
from testing.controlplane.unavailable import Unavailable
from testing.kubelet.behaviour import KubeletConfig

READY = 0.5
"""Seconds until a pod of the plane is ready."""


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    duels: int
    starts: int
    sizes: tuple[int, ...]
    """Of whole updates; the last one is labelled as well."""
    bytes_at: tuple[int, int]
    simulated: tuple[int, ...]
    crowd: int
    """Pods of each of those that are updated at once."""
    limited: tuple[tuple[int, int], ...]
    """Pods, and repetitions, under the default limits of the controller manager."""
    evicted: tuple[tuple[int, int], ...]
    """The same with ``--evict``."""
    moved: tuple[tuple[int, int], ...]
    """The same of moves to a Deployment and back."""
    configs: tuple[tuple[int, int], ...]
    """The same of the pods of a DeploymentConfig."""
    linked: int
    """Pods of the update over a link."""
    round_trips: tuple[float, ...]
    ready: tuple[float, ...]
    """Seconds until a pod is ready."""
    repetitions: int
    """Over each link, and of each readiness."""


FULL = Extent(
    duels=5,
    starts=15,
    sizes=(10, 20, 100, 1000),
    bytes_at=(20, 500),
    simulated=(10, 100, 1000),
    crowd=5,
    limited=((100, 5), (500, 3)),
    evicted=((20, 5), (100, 5)),
    moved=((1, 5), (20, 5), (200, 5)),
    configs=((200, 3),),
    linked=20,
    round_trips=(0.02, 0.1, 0.2),
    ready=(0.5, 5.0, 20.0),
    repetitions=3,
)
QUICK = Extent(
    duels=1,
    starts=5,
    sizes=(10, 20, 100),
    bytes_at=(20, 100),
    simulated=(10, 100),
    crowd=2,
    limited=((100, 1),),
    evicted=((20, 1), (100, 1)),
    moved=((20, 1),),
    configs=((20, 1),),
    linked=5,
    round_trips=(0.02, 0.2),
    ready=(0.5, 5.0),
    repetitions=1,
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one repetition, small sizes: to try it out")
    parser.add_argument("--report", type=Path, default=ROOT / "docs" / "performance.md")
    parser.add_argument("--plot", type=Path, default=ROOT / "docs" / "performance.svg")
    given = parser.parse_args()
    if not startup.has_kubectl():
        print("bench: kubectl is needed for the Deployment's side; it is not on PATH", file=sys.stderr)
        return 1
    started, where = time.monotonic(), report.machine()

    def say(line: str) -> None:
        print(f"{time.monotonic() - started:5.0f} s  {line}", flush=True)

    try:
        sections, duels = measure(QUICK if given.quick else FULL, say)
    except Unavailable as error:
        print(f"bench: {error}; `make control-plane` gets one", file=sys.stderr)
        return 1
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    plot.draw(duels, given.plot)
    text = report.markdown(
        sections, where, picture=given.plot.name, seconds=time.monotonic() - started, quick=given.quick
    )
    given.report.write_text(text)
    missed = [row.what for section in sections for row in section.rows if row.missed]
    say(f"written to {given.report}; goals missed: {', '.join(missed) or 'none'}")
    return 0


def measure(extent: Extent, say: loads.Say) -> tuple[list[Section], list[versus.Duel]]:
    """All of it: the client first, while nothing else runs."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        client = startup.help_rows(extent.starts)
        first, profile = startup.first_request(folder, extent.starts)
        say(f"the client: first request after {first[0].shown}")
        decisions = simulation.decisions(extent.simulated)
        say(f"decisions: {decisions}")
        with acquire(kubelet=KubeletConfig(ready_after=READY), audit_log=folder / "audit") as plane:
            site = Site(plane, folder)
            try:
                duels = [
                    versus.duel(site, strategy, READY, extent.duels, say)
                    for strategy in (versus.SLOW, versus.WIDE)
                ]
                small, large = extent.bytes_at
                few = loads.bytes_a_step(site, small, say)
                many = loads.bytes_a_step(site, large, say)
                together = loads.crowd(site, extent.crowd, say)
                over = links.measured(site, extent.linked, extent.round_trips, extent.repetitions, say)
                late = readiness.measured(site, extent.ready, extent.repetitions, say)
                grown = loads.growth(site, extent.sizes, say)
                counted = site.requests()
            finally:
                site.close()
        limited = limits.measured(
            extent.limited, extent.evicted, extent.moved, extent.configs, READY, folder / "limited", say
        )
    memory = loads.memory_rows(grown, 20)
    return [
        versus.section(duels),
        limits.section(limited, duels),
        moves.section([] if isinstance(limited, str) else limited.moves),
        readiness.section(late),
        links.section(*over),
        versus.requests_section(duels, counted, loads.bytes_section(extent.bytes_at, few, many)),
        loads.labelling_section(grown[-1], counted),
        startup.section([*client, *first, *memory], profile),
        loads.crowd_section(together, counted),
        loads.growth_section(grown, counted, decisions),
    ], duels


if __name__ == "__main__":
    sys.exit(main())
