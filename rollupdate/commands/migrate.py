"""A migration to another kind of controller: what is asked for, and what is said at its end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rollupdate.commands.connection import SystemClock
from rollupdate.commands.ending import last_words, stopped
from rollupdate.commands.hints import connected
from rollupdate.commands.missing import explain
from rollupdate.commands.result import Result
from rollupdate.commands.review import lines_for, refuse_without_terminal, show
from rollupdate.engine.outcome import End
from rollupdate.errors import (
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_STOPPED,
    RollingUpdateError,
)
from rollupdate.events import Event, Stopped, Subject
from rollupdate.objects import CONTROLLER, DEPLOYMENT
from rollupdate.report.printers import Objects
from rollupdate.signals import Interruption

if TYPE_CHECKING:
    from rollupdate.cluster.api import ApiCluster
    from rollupdate.commands.given import Given
    from rollupdate.core.migration.scene import Goal
    from rollupdate.engine.migration import Migrating
    from rollupdate.engine.migration_plan import Arrived, Order
    from rollupdate.report.observers import Observers


@dataclass(frozen=True, kw_only=True)
class MigrationOptions:
    given: Given
    to_deployment: bool
    rollback: bool
    dry_run: str
    """none, client or server."""
    as_objects: bool
    progress: str
    verbosity: int
    diff: bool
    confirm: bool

    @classmethod
    def read(cls, given: Given) -> MigrationOptions:
        return cls(
            given=given,
            to_deployment=given.text("to").startswith("deploy"),
            rollback=given.on("rollback"),
            dry_run=given.value("dry-run"),
            as_objects=given.has("output"),
            progress=given.text("progress"),
            verbosity=given.value("v"),
            diff=given.on("diff"),
            confirm=given.on("confirm"),
        )

    @property
    def is_dry_run(self) -> bool:
        return self.dry_run != "none"

    @property
    def asks(self) -> bool:
        return self.confirm and not self.is_dry_run

    def order(self) -> Order:
        from rollupdate.engine.migration_plan import Order

        given = self.given
        name = given.controller
        spec: dict[str, Any] = {}
        rolling = {
            field: _amount(given.text(flag))
            for flag, field in (("max-surge", "maxSurge"), ("max-unavailable", "maxUnavailable"))
            if given.has(flag)
        }
        if rolling:
            spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
        if given.has("revision-history-limit"):
            spec["revisionHistoryLimit"] = given.value("revision-history-limit")
        if given.has("min-ready-seconds"):
            spec["minReadySeconds"] = given.value("min-ready-seconds")
        return Order(
            name=name,
            new_name=given.names[1] if len(given.names) > 1 else name,
            to_deployment=self.to_deployment,
            rollback=self.rollback,
            label_key=given.text("deployment-label-key"),
            spec=spec,
            keep=given.on("keep-old"),
            timeout=given.value("timeout"),
            back=self.way_back(),
            manifest_only=self.is_dry_run and self.as_objects,
        )

    def way_back(self) -> str:
        """The command of the other direction, from the end."""
        given = self.given
        name = given.controller
        new_name = given.names[1] if len(given.names) > 1 else name
        further = () if new_name == name else (name,)
        if self.to_deployment:
            return given.command(f"deployment/{new_name}", *further, "--to=replicationcontroller")
        return given.command(new_name, *further, "--to=deployment")


def _amount(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def observed(options: MigrationOptions) -> AbstractContextManager[Observers]:
    from rollupdate.report.observers import Wanted, observers

    progress = "plain" if options.progress in ("auto", "live") else options.progress
    return observers(
        Wanted(
            progress=progress,
            to_stderr=options.as_objects,
            verbosity=options.verbosity,
            dry_run=options.dry_run,
        )
    )


def run(
    options: MigrationOptions,
    connect: Callable[[], ApiCluster],
    interruption: Interruption,
    report: Observers,
) -> Result:
    """Whatever ends it is told to ``report`` as well."""
    subject = Subject(name=options.given.controller)
    cluster: ApiCluster | None = None
    try:
        if options.asks:
            refuse_without_terminal(taken=False)
        cluster = connect()
        subject = Subject(cluster.context, cluster.namespace, subject.name)
        return _on_cluster(options, cluster, interruption, report, subject)
    except RollingUpdateError as error:
        if cluster is not None:
            explain(error, options.given, cluster)
        connected(error, options.given)
        report.about(subject)(Stopped(error.message, error.hint or "", error.exit_status))
        raise


def _on_cluster(
    options: MigrationOptions,
    cluster: ApiCluster,
    interruption: Interruption,
    report: Observers,
    subject: Subject,
) -> Result:
    from rollupdate.core.plan.refusals import changed_meanwhile
    from rollupdate.engine.migration import MigrationRun
    from rollupdate.engine.migration_plan import Arrived, plan

    tell = report.about(subject)
    order = options.order()
    goal = plan(cluster, order, ask=options.dry_run != "client")
    if isinstance(goal, Arrived):
        return _arrived(goal, options)
    if options.diff or options.confirm:
        _review(options, cluster, goal)
        if options.asks and plan(cluster, order) != goal:
            source = CONTROLLER if options.to_deployment else DEPLOYMENT
            raise changed_meanwhile(options.given.controller, kind=source.word)
    if options.is_dry_run:
        return _planned(options, cluster, goal, report, tell)
    outcome = MigrationRun(cluster, SystemClock(), goal, tell, shield=interruption.shield).run()
    interruption.conclude()
    connected(outcome.error, options.given)
    told = Stopped(outcome.why, "", EXIT_ERROR) if outcome.gave_up else stopped(outcome.error)
    if told is not None:
        tell(told)
    return _result(outcome, options, cluster)


def _review(options: MigrationOptions, cluster: ApiCluster, goal: Goal) -> None:
    """The two manifests as a diff, and perhaps the question."""
    from rollupdate.engine.migration_dry_run import both_ends
    from rollupdate.report.diff import manifest_diff

    ends = both_ends(cluster, goal)
    show(
        lambda colour: manifest_diff(ends.before, ends.after, colour=colour),
        lines_for(as_objects=options.as_objects, progress=options.progress),
        asks=options.asks,
        resuming=goal.found,
    )


def _planned(
    options: MigrationOptions,
    cluster: ApiCluster,
    goal: Goal,
    report: Observers,
    tell: Callable[[Event], None],
) -> Result:
    """What a dry run ends with: the manifest, or the steps."""
    from rollupdate.engine.migration_dry_run import both_ends, rehearse

    if options.as_objects:
        return Result(output=[Objects((both_ends(cluster, goal).after,))])
    rehearse(cluster, goal, tell)
    if report.plain is not None:
        report.plain.release()
    return Result()


def _arrived(arrived: Arrived, options: MigrationOptions) -> Result:
    from rollupdate.core.migration.shown import fit
    from rollupdate.report.observers import SUFFIXES

    suffix = SUFFIXES[options.dry_run]
    obj, kind = arrived.obj, DEPLOYMENT if options.to_deployment else CONTROLLER
    if options.as_objects:
        return Result(output=[Objects((fit(obj, scaled=arrived.scaled) if options.is_dry_run else obj,))])
    source = CONTROLLER if options.to_deployment else DEPLOYMENT
    name = obj["metadata"]["name"]
    line = f"{kind.qualified}/{name} has the pods of {source.qualified}/{options.given.controller} already"
    return Result(output=[f"{line}{suffix}\n"], remarks=(f"To go back: {options.way_back()}",))


def _result(outcome: Migrating, options: MigrationOptions, cluster: ApiCluster) -> Result:
    given = options.given
    again = given.without("rollback")
    match outcome.end:
        case End.FINISHED:
            output = []
            if options.as_objects:
                kind = DEPLOYMENT if outcome.arrived_up else CONTROLLER
                name = outcome.goal.migration.name if outcome.arrived_up else outcome.goal.name
                found = cluster.find(kind, name)
                output = [] if found is None else [Objects((found,))]
            if outcome.gave_up:
                note = f"error: {outcome.why}; everything is as it was before, and no pod was restarted"
                return Result(status=EXIT_ERROR, notes=(note,), output=output)
            remarks = () if options.rollback else (f"To go back: {options.way_back()}",)
            return Result(status=EXIT_OK, output=output, remarks=remarks)
        case End.INTERRUPTED:
            status = EXIT_INTERRUPTED
        case _:
            status = EXIT_STOPPED
    notes = last_words(outcome.error, _standing(outcome))
    if not outcome.begun:
        return Result(status=status, notes=notes)
    resume, back = again.shown(), again.with_flag("rollback").shown()
    if options.rollback:
        resume, back = back, resume
    return Result(status=status, notes=(*notes, f"To resume:    {resume}", f"To roll back: {back}"))


def _standing(outcome: Migrating) -> str:
    if not outcome.begun:
        return "nothing was changed"
    scene = outcome.scene
    held = [
        f"{one.kind.word}/{one.name}"
        for one in (scene.controller, scene.replica_set)
        if one is not None and one.held and one.current
    ]
    if held:
        which = " and ".join(held)
        return f"no pod was restarted, but one that dies is not replaced before it goes on ({which} held)"
    return "no pod was restarted"
