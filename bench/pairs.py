"""Updates and Deployments in turn, with what the time of an update is made of; and its finish, request by
request, from the audit log.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.figures import Row, Samples, ratios
from bench.moments import Moments, moments
from bench.site import AGENT, Site, Strategy
from testing.controlplane.audit import Request


@dataclass
class Pairs:
    """Repetitions of both, in turn; seconds."""

    strategy: Strategy
    theirs: list[float] = field(default_factory=list)
    ours: list[Moments] = field(default_factory=list)
    finishes: list[list[Request]] = field(default_factory=list)
    """The requests of the client in each finish, as they came in."""

    @property
    def ratio(self) -> Samples:
        return ratios([update.ended for update in self.ours], self.theirs)

    @property
    def ratio_available(self) -> Samples:
        """Of the time until the last new pod is available, to the whole of the Deployment."""
        return ratios([update.available for update in self.ours], self.theirs)

    @property
    def ratio_without_finish(self) -> Samples:
        return ratios([update.ended - update.finish for update in self.ours], self.theirs)

    @property
    def more(self) -> Samples:
        """Seconds that an update takes more than the Deployment."""
        return Samples.of([one.ended - other for one, other in zip(self.ours, self.theirs, strict=True)])

    def median(self, part: Callable[[Moments], float]) -> float:
        return Samples.of([part(update) for update in self.ours]).median


def pairs(
    site: Site,
    strategy: Strategy,
    repetitions: int,
    say: Callable[[str], None],
    *,
    flags: Sequence[str] = (),
    pause: float = 0.0,
    meanwhile: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
) -> Pairs:
    """``flags``: of the update, besides its pace. ``pause``: seconds of rest before each run. ``meanwhile``
    holds during the runs, and not while their controllers are made and removed."""
    found = Pairs(strategy)
    theirs = site.namespace()
    namespaces = []
    site.deployment(theirs, "web", strategy)
    for number in range(1, repetitions + 1):
        time.sleep(pause)
        with meanwhile():
            found.theirs.append(site.rollout(theirs, "web", f"image:{number}").seconds)
        ours = site.namespace()
        site.controller(ours, "web", strategy.size, labelled=True)
        time.sleep(pause)
        with meanwhile():
            ran = site.update(ours, "web", f"image:{number}", *strategy.flags, *flags, "--progress=json")
        found.ours.append(moments(ran))
        namespaces.append(ours)
        site.remove(ours)
        update = found.ours[-1]
        say(
            f"{strategy}: Deployment {found.theirs[-1]:.2f} s, rolling-update {update.ended:.2f} s "
            f"({update.finish:.2f} s of it the finish)"
        )
    site.remove(theirs)
    asked = site.log(AGENT)
    for namespace, update in zip(namespaces, found.ours, strict=True):
        found.finishes.append(within(asked.get(namespace, []), update.window))
    return found


def rows(found: Pairs, name: str) -> list[Row]:
    """Both times in seconds, and what the update's is made of."""
    parts = (
        ("until the new controller is created", lambda update: update.created),
        ("until the last new pod is available", lambda update: update.available),
        ("until the last old pod is gone", lambda update: update.replaced),
        ("the finish: the pods change owners", lambda update: update.finish),
    )  # type: tuple[tuple[str, Callable[[Moments], float]], ...]
    shown = [
        Row(f"{name}: Deployment", f"{Samples.of(found.theirs).show()} s"),
        Row(f"{name}: rolling-update", f"{Samples.of([update.ended for update in found.ours]).show()} s"),
    ]
    for what, part in parts:
        samples = Samples.of([part(update) for update in found.ours])
        shown.append(Row(f"{name}: {what}", f"{samples.show()} s"))
    return shown


def made_of(found: Pairs) -> str:
    """What a miss comes from: which of the parts would have to be shorter."""
    theirs = Samples.of(found.theirs).median
    text = (
        f"the last new pod is available after {found.median(lambda update: update.available):.2f} s, and "
        f"the last old one gone after {found.median(lambda update: update.replaced):.2f} s, where the "
        f"Deployment takes {theirs:.2f} s in all; the finish, which a Deployment does not have, takes "
        f"{found.median(lambda update: update.finish):.2f} s"
    )
    if busy := [share for requests in found.finishes if (share := in_flight(requests))]:
        text += f", {Samples.of(busy).median:.2f} s of it with a request of the client under way"
    return f"{text}. Without the finish the ratio is {found.ratio_without_finish.median:.2f}"


def explained(found: Pairs, name: str, most: float) -> str:
    """A sentence on whether the ratio is above its goal, and by which part."""
    if found.ratio.median <= most:
        return ""
    by = "the finish" if found.ratio_without_finish.median <= most else "more than the finish"
    return f"{name} misses its goal by {by}: {made_of(found)}."


# --- the finish, request by request ---


def within(requests: Sequence[Request], window: tuple[float, float]) -> list[Request]:
    """Those that came in meanwhile. A watch runs beside them all, and is none of them."""
    first, last = window
    return [one for one in requests if first <= one.received <= last and one.verb != "watch"]


def in_flight(requests: Sequence[Request]) -> float:
    """Seconds in which at least one of them was under way."""
    total, until = 0.0, 0.0
    for one in sorted(requests, key=lambda request: request.received):
        total += max(0.0, one.answered - max(one.received, until))
        until = max(until, one.answered)
    return total


def finish_table(requests: Sequence[Request], name: str, begun: float) -> str:
    """In Markdown: its requests in order, those of a kind in a row together, with the time before each: what
    the client waited for then, and its own share."""
    lines = ["| in the finish | requests | before, ms | under way, ms |", "|---|---|---|---|"]
    groups: list[tuple[str, list[Request]]] = []
    for one in requests:
        what = _kind(one, name)
        if not groups or groups[-1][0] != what:
            groups.append((what, []))
        groups[-1][1].append(one)
    until = begun
    for what, group in groups:
        ended = max(one.answered for one in group)
        before = max(0.0, group[0].received - until)
        lines.append(
            f"| {what} | {len(group)} | {before * 1000:.0f} | {(ended - group[0].received) * 1000:.0f} |"
        )
        until = max(until, ended)
    return "\n".join(lines)


def _kind(one: Request, name: str) -> str:
    if one.resource != "replicationcontrollers":
        return f"{one.verb} {one.resource}"
    if one.verb == "get":
        return "get both controllers"  # at once, in any order
    return f"{one.verb} the {'old' if one.name == name else 'new'} controller"


def typical(found: Pairs) -> int:
    """The repetition whose finish is the median one."""
    order = sorted(range(len(found.ours)), key=lambda number: found.ours[number].finish)
    return order[len(order) // 2]


def finish_of(found: Pairs, name: str = "web") -> str:
    """The table of the typical finish; empty without an audit log."""
    number = typical(found)
    requests = found.finishes[number]
    return finish_table(requests, name, found.ours[number].window[0]) if requests else ""
