"""Under the limits that a controller manager has unless it is told others: 20 requests a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import moves, pairs
from bench.figures import Goal, Row, Section, ratios
from bench.loads import QUARTER, Say
from bench.moves import Moves
from bench.pairs import Pairs
from bench.site import Site, Strategy
from bench.versus import SLOW, Duel
from testing.controlplane.acquire import acquire
from testing.controlplane.openshift import openshift
from testing.controlplane.private import PrivatePlane
from testing.controlplane.servers import DEFAULT_LIMITS, RAISED_LIMITS
from testing.controlplane.unavailable import Unavailable
from testing.kubelet.behaviour import KubeletConfig

GOALS = {100: Goal(1.10)}
"""Ratios of wall times, by the number of pods."""
EVICTED_GOALS = {20: Goal(1.02), 100: Goal(0.85)}
"""The same with ``--evict``, where the manager deletes no pod."""
RAISED = Goal(1.03)
"""At limits that no update reaches, one pod by one."""


@dataclass(frozen=True)
class Limited:
    """What was measured on one plane, with a manager of its own."""

    pairs: Sequence[Pairs]
    evicted: Sequence[Pairs]
    """With ``--evict``."""
    moves: Sequence[Moves]


def measured(
    sizes: Sequence[tuple[int, int]],
    evicted: Sequence[tuple[int, int]],
    moved: Sequence[tuple[int, int]],
    configs: Sequence[tuple[int, int]],
    ready: float,
    folder: Path,
    say: Say,
) -> Limited | str:
    """Sizes with their repetitions, of updates, of updates with ``--evict``, of moves to a Deployment and of
    those from DeploymentConfigs, on a plane of its own; or why there is none."""
    folder.mkdir()
    kubelet = KubeletConfig(ready_after=ready)
    try:
        plane = acquire(kubelet=kubelet, audit_log=folder / "audit", limits=DEFAULT_LIMITS)
    except Unavailable as error:
        return str(error)
    with plane:
        site = Site(plane, folder)
        say(f"a controller manager with {DEFAULT_LIMITS.qps} requests a second")
        try:

            def turns(of: Sequence[tuple[int, int]], *flags: str) -> list[Pairs]:
                pause = DEFAULT_LIMITS.refill
                return [
                    pairs.pairs(
                        site, Strategy(size, QUARTER, QUARTER), repetitions, say, flags=flags, pause=pause
                    )
                    for size, repetitions in of
                ]

            found = turns(sizes), turns(evicted, "--evict")
            ways = [moves.measured(site, *one, say) for one in moved]
            assert isinstance(plane, PrivatePlane), "only its manager has limits that are known"
            with openshift(plane):
                ways += [moves.measured(site, *one, say, moves.CONFIG) for one in configs]
            return Limited(*found, ways)
        finally:
            site.close()


def section(found: Limited | str, duels: Sequence[Duel]) -> Section:
    """``duels``: what was measured at raised limits, of which one row is repeated."""
    rows: list[Row] = []
    tables: list[str] = []
    for one in [] if isinstance(found, str) else found.pairs:
        name, goal = f"default limits, {one.strategy.size} pods", GOALS.get(one.strategy.size)
        rows += pairs.rows(one, name)
        available, without = one.ratio_available, one.ratio_without_finish
        ratio = one.ratio
        rows += [
            Row(f"{name}: ratio", ratio.show(), ratio.median, goal, pairs.made_of(one)),
            Row(f"{name}: ratio until the last new pod is available", available.show()),
            Row(f"{name}: ratio without the finish", without.show()),
        ]
        if goal is not None and (text := pairs.explained(one, name, goal.most)):
            tables.append(text)
        if table := pairs.finish_of(one):
            tables.append(f"The finish of one run ({name}), by the API server's clock:\n\n{table}")
    for one in [] if isinstance(found, str) else found.evicted:
        name, goal = f"default limits, {one.strategy.size} pods, --evict", EVICTED_GOALS[one.strategy.size]
        rows += pairs.rows(one, name)
        rows += [
            Row(f"{name}: ratio", one.ratio.show(), one.ratio.median, goal, pairs.made_of(one)),
            Row(f"{name}: ratio without the finish", one.ratio_without_finish.show()),
        ]
        if text := pairs.explained(one, name, goal.most):
            tables.append(text)
    for duel in duels:
        if duel.strategy == SLOW:
            ratio = ratios(duel.ours, duel.theirs)
            name = f"limits of {RAISED_LIMITS.qps} and {RAISED_LIMITS.burst}, {duel.strategy}: ratio"
            rows.append(Row(name, ratio.show(), ratio.median, RAISED, duel.where))
    said = (
        f"A controller manager that is told nothing sends {DEFAULT_LIMITS.qps} requests a second for each "
        f"of its controllers, after {DEFAULT_LIMITS.burst} at once (`--kube-api-qps`, `--kube-api-burst`); "
        f"all other figures are from one with {RAISED_LIMITS.qps} and {RAISED_LIMITS.burst}. On either side "
        "each pod that is created and each that is deleted is one of these requests. Surge and unavailable "
        f"are {QUARTER} each. Before each run the manager rests for {DEFAULT_LIMITS.refill:g} s, until it "
        "may send as many at once again. The times are those of the events of `--progress=json`, from the "
        "start of the command."
    )
    if isinstance(found, str):
        said = f"Not measured: {found}."
    return Section("With the default limits of the controller manager", said, rows, "\n\n".join(tables))
