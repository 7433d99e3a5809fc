"""A client far from its API server: what an update, ``--status`` and a dry run take in round trips."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import pairs
from bench.figures import Goal, Row, Samples, Section
from bench.loads import Say
from bench.moments import Moments, moments
from bench.site import AGENT, Site, Strategy

JUDGED = 0.1
"""Seconds of a round trip from which on a goal is held against the figure: below, the runs differ by more
among themselves than a few round trips are."""
PER_STEP, BESIDE = 2, 6
"""Round trips: a step is one pod up and one old pod down, each a write that waits for the status before it;
beside them the start (connection, list, create) and what the finish needs without pods to move."""
STOPPED_AT = 3
"""New pods of the update that ``--status`` looks at."""
STATUS, DRY_RUN = "`--status`", "a dry run"
LOOKS = 5
"""Runs of both in each repetition: they are short, and the start of a command varies by more than a link."""
IN_PROGRESS = 3
"""The exit status of ``--status`` then."""


@dataclass
class Link:
    """Runs over one link, in the order of the repetitions. ``round_trip``: seconds; 0 is the relay alone."""

    round_trip: float
    updates: list[Moments] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    """Of what looks and changes nothing."""
    requests: dict[str, list[int]] = field(default_factory=dict)
    """Of each kind of command, and of updates."""
    finishes: list[str] = field(default_factory=list)
    """Their requests, as a table."""

    @property
    def name(self) -> str:
        return f"{self.round_trip * 1000:g} ms" if self.round_trip else "no link"


UPDATE = "an update"


def measured(
    site: Site, size: int, round_trips: Sequence[float], repetitions: int, say: Say
) -> tuple[Strategy, list[Link]]:
    """The relay without a link comes first in each repetition, then each link."""
    strategy = Strategy(size, "1", "0")
    links = [Link(0.0), *(Link(seconds) for seconds in round_trips)]
    windows: list[tuple[Link, str, tuple[float, float]]] = []
    looked_at = site.namespace()
    for name in ("stopped", "web"):
        site.controller(looked_at, name, size, labelled=True)
    site.update(looked_at, "stopped", "image:1", until=f" up to {STOPPED_AT}")
    for _ in range(repetitions):
        for link in links:
            with far(site, link.round_trip) as kubeconfig:
                namespace = site.namespace()
                site.controller(namespace, "web", size, labelled=True)
                flags = [*strategy.flags, "--progress=json"]
                begun = time.time()
                ran = site.update(namespace, "web", "image:1", *flags, kubeconfig=kubeconfig)
                windows.append((link, UPDATE, (begun, time.time())))
                link.updates.append(moments(ran))
            site.remove(namespace)
            say(f"{strategy}, {link.name}: {link.updates[-1].ended:.2f} s")
        for link in links * LOOKS:
            with far(site, link.round_trip) as kubeconfig:
                for what, words, status in (
                    (STATUS, ["stopped", "--status"], IN_PROGRESS),
                    (DRY_RUN, ["web", "--image=image:1", "--dry-run=client"], 0),
                ):
                    begun = time.time()
                    ran = site.command(looked_at, *words, kubeconfig=kubeconfig, status=status)
                    windows.append((link, what, (begun, time.time())))
                    link.seconds.setdefault(what, []).append(ran.seconds)
    site.remove(looked_at)
    asked = [one for requests in site.log(AGENT).values() for one in requests]
    asked.sort(key=lambda one: one.received)
    for link, what, (first, last) in windows:
        found = [one for one in asked if first <= one.received <= last]
        link.requests.setdefault(what, []).append(len(found))
    for link in links:
        for update in link.updates:
            finish = pairs.within(asked, update.window)
            link.finishes.append(pairs.finish_table(finish, "web", update.window[0]) if finish else "")
    return strategy, links


@contextlib.contextmanager
def far(site: Site, round_trip: float) -> Iterator[Path]:
    """The kubeconfig of the way to the API server over such a link."""
    site.relay.round_trip = round_trip
    try:
        yield site.relayed
    finally:
        site.relay.round_trip = 0.0


def trips(link: Link, near: Link, part: Callable[[Moments], float]) -> Samples:
    """Round trips in that part of the update: what it takes more than without a link, by one of them."""
    return _trips(link, [part(one) for one in link.updates], [part(one) for one in near.updates])


def _trips(link: Link, far_away: Sequence[float], near: Sequence[float]) -> Samples:
    pairs_of = zip(far_away, near, strict=True)
    return Samples.of([(one - other) / link.round_trip for one, other in pairs_of])


def section(strategy: Strategy, links: list[Link]) -> Section:
    near, *others = links
    size = strategy.size
    goal = Goal(PER_STEP * size + BESIDE)
    spread = max(one.ended for one in near.updates) - min(one.ended for one in near.updates)
    rows = [
        Row(f"{strategy}, no link", f"{Samples.of([one.ended for one in near.updates]).show()} s"),
        *(
            Row(f"{what}, no link", f"{Samples.of(seconds).show()} s")
            for what, seconds in near.seconds.items()
        ),
    ]
    budgets = []
    for link in others:
        whole = trips(link, near, lambda one: one.ended)
        start = trips(link, near, lambda one: one.created)
        loop = trips(link, near, lambda one: one.loop)
        finish = trips(link, near, lambda one: one.finish)
        beside = trips(link, near, lambda one: one.ended - one.finish)
        where = (
            f"{start.median:.1f} until the new controller is created, {loop.median / size:.2f} in each of "
            f"the {size} steps, {finish.median:.1f} in the finish; runs without a link differ by "
            f"{spread / link.round_trip:.1f} among themselves"
        )
        rows += [
            Row(f"{link.name}: {UPDATE}", f"{Samples.of([one.ended for one in link.updates]).show()} s"),
            Row(f"{link.name}: requests", _count(link, UPDATE)),
            Row(f"{link.name}: round trips", whole.show(1)),
        ]
        if link.round_trip >= JUDGED:
            name = f"{link.name}: round trips without the finish"
            rows += [
                Row(f"{link.name}: until the new controller is created", start.show(1)),
                Row(f"{link.name}: in a step", Samples.of([one / size for one in loop.values]).show(2)),
                Row(f"{link.name}: in the finish, which moves the pods", finish.show(1)),
                Row(name, beside.show(1), beside.median, goal, where),
            ]
        for what, seconds in link.seconds.items():
            found = _trips(link, seconds, near.seconds[what])
            rows.append(
                Row(
                    f"{link.name}: {what}",
                    f"{Samples.of(seconds).show()} s, {found.show(1)} round trips, "
                    f"requests: {_count(link, what)}",
                )
            )
        if beside.median > goal.most and link.round_trip >= JUDGED:
            budgets.append(
                f"Over a link of {link.name} an update needs {beside.median - goal.most:.1f} round trips "
                f"more than the budget: {where}."
            )
    furthest = others[-1]
    order = sorted(range(len(furthest.updates)), key=lambda number: furthest.updates[number].finish)
    table = furthest.finishes[order[len(order) // 2]]
    if table:
        budgets.append(f"The finish of one run over {furthest.name}, by the API server's clock:\n\n{table}")
    return Section(
        "Far from the API server",
        "The client reaches the API server through a relay that holds back each byte for half a round trip, "
        "and a new connection for a whole one. Round trips are the seconds that a command takes more than "
        "through the relay alone, by the length of one. The budget of an update is "
        f"{PER_STEP} a step (one pod up, one old pod down) and {BESIDE} beside, without those in which the "
        f"pods change owners. It is judged, and the update taken apart, from {JUDGED * 1000:g} ms on: "
        "below, a round trip is shorter than what else makes runs differ. "
        f"`--status` is that of an update with {STOPPED_AT} of {size} new pods, stopped; the dry run "
        f"(`--dry-run=client`) is one of {size} pods.",
        rows,
        "\n\n".join(budgets),
    )


def _count(link: Link, what: str) -> str:
    return Samples.of(link.requests[what]).show(0)
