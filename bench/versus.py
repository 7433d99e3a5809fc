"""The command against a Deployment of the same strategy, in turn, on the same control plane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bench.figures import Goal, Row, Samples, Section, floor_seconds, ratios, rounds
from bench.site import Requests, Site, Strategy
from bench.steps import Step, client_share, steps, table

SLOW, WIDE = Strategy(20, "1", "0"), Strategy(100, "25%", "25%")
WHOLE, LOOP, STEP = Goal(1.00), Goal(0.97), Goal(30, " ms")


@dataclass
class Duel:
    """Repetitions of both, in turn; seconds."""

    strategy: Strategy
    ready: float
    theirs: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    start: list[float] = field(default_factory=list)
    """Until the new controller is there."""
    loop: list[float] = field(default_factory=list)
    """From there until all pods are new."""
    finish: list[float] = field(default_factory=list)
    namespaces: list[str] = field(default_factory=list)
    parts: list[Step] = field(default_factory=list)
    """Where the time of each step went, where one pod follows another."""

    @property
    def floor(self) -> float:
        return floor_seconds(self.strategy.size, *self.strategy.pods, self.ready)

    @property
    def steps(self) -> int:
        return rounds(self.strategy.size, *self.strategy.pods)

    @property
    def one_by_one(self) -> bool:
        return self.steps >= self.strategy.size

    @property
    def where(self) -> str:
        """What an update spends its time on."""
        return (
            f"{Samples.of(self.start).median:.2f} s until the new controller is there, "
            f"{Samples.of(self.loop).median:.2f} s in the loop, {Samples.of(self.finish).median:.2f} s in "
            f"the finish; the floor alone is {self.floor:.1f} s"
        )

    @property
    def overhead(self) -> Samples:
        """Milliseconds of a step over the floor."""
        return Samples.of([(each - self.floor) / self.steps * 1000 for each in self.loop])


def duel(site: Site, strategy: Strategy, ready: float, repetitions: int, say: Callable[[str], None]) -> Duel:
    found = Duel(strategy, ready)
    theirs = site.namespace()
    site.deployment(theirs, "web", strategy)
    for number in range(1, repetitions + 1):
        found.theirs.append(site.rollout(theirs, "web", f"image:{number}").seconds)
        ours = site.namespace()
        site.controller(ours, "web", strategy.size, labelled=True)
        ran = site.update(ours, "web", f"image:{number}", *strategy.flags)
        created, renaming = ran.at("Created "), ran.at("Update succeeded")
        found.ours.append(ran.seconds)
        found.start.append(created)
        found.loop.append(renaming - created)
        found.finish.append(ran.seconds - renaming)
        found.namespaces.append(ours)
        site.remove(ours)
        say(f"{strategy}: Deployment {found.theirs[-1]:.2f} s, rolling-update {found.ours[-1]:.2f} s")
    site.remove(theirs)
    if found.one_by_one:
        asked = site.log()
        for namespace in found.namespaces:
            found.parts += steps(asked.get(namespace, []), "web", ready)
    return found


def section(duels: list[Duel]) -> Section:
    rows: list[Row] = []
    for each in duels:
        whole, loop = ratios(each.ours, each.theirs), ratios(each.loop, each.theirs)
        where = each.where
        rows += [
            Row(f"{each.strategy}: Deployment", f"{Samples.of(each.theirs).show()} s"),
            Row(f"{each.strategy}: rolling-update", f"{Samples.of(each.ours).show()} s", explained=where),
            Row(f"{each.strategy}: ratio", whole.show(), whole.median, WHOLE, where),
            Row(f"{each.strategy}: the loop alone, ratio", loop.show(), loop.median, LOOP, where),
            Row(f"{each.strategy}: ratio to the floor", f"{Samples.of(each.ours).median / each.floor:.2f}"),
        ]
        shown = f"{each.overhead.show(0)} ms"
        waits = (
            "each step waits for the manager to see a size, make or delete pods, and write its status, "
            "twice: a Deployment's next pod does not wait for an old one to be going, and can be one too "
            "many for a moment"
        )
        if each.parts:
            waits += f"; {client_share(each.parts):.0f} ms of it are the client's own (the table below)"
        if each.one_by_one:
            rows.append(
                Row(f"{each.strategy}: a step, over the floor", shown, each.overhead.median, STEP, waits)
            )
        else:
            # So many pods at once keep the kubelet of this plane busy: that is no overhead of a step.
            rows.append(Row(f"{each.strategy}: a round of readiness, over the floor", shown))
    return Section(
        "Wall time against a Deployment",
        "`kubectl set image` and `kubectl rollout status` on the one side, `kubectl rolling-update` on the "
        "other: whole commands, start-up and finish included, in turn. The floor is the critical path of "
        "readiness: what remains if only readiness takes time.",
        rows,
        "\n\n".join(f"{each.strategy}:\n\n{table(each.parts)}" for each in duels if each.parts),
    )


def requests_section(duels: list[Duel], counted: dict[str, Requests], watched: Section) -> Section:
    """The requests of the same updates."""
    rows: list[Row] = []
    for each in duels:
        found = [counted[name] for name in each.namespaces if name in counted]
        if not found:
            continue
        totals = Samples.of([one.total for one in found])
        goal = Goal(4 * each.strategy.size + 32)
        typical = sorted(found, key=lambda one: one.total)[len(found) // 2]
        what = ", ".join(f"{count} {kind}" for kind, count in sorted(typical.kinds.items()))
        rows += [
            Row(f"{each.strategy}: requests", totals.show(0), totals.median, goal, what),
            Row(
                f"{each.strategy}: of these",
                f"{typical.reads} reads, {typical.watches} watches, {typical.writes} writes; "
                f"{typical.history} of them for the history, {typical.moves} writes to pods that "
                f"change owners, {typical.conflicts} conflicts",
            ),
        ]
    rows += watched.rows
    return Section(
        "Requests and bytes",
        "From the API server's audit log, for an update that keeps the name and needs no labelling. A dry "
        "run counts as a read. Bytes are those on the wire, TLS included.",
        rows,
    )
