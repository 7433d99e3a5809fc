"""A migration to another kind of controller: what is asked for, and what is said at its end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rollupdate.advice import Kubectl, Resume, Setting
from rollupdate.commands.connection import SystemClock
from rollupdate.commands.ending import last_words, stopped
from rollupdate.commands.hints import connected, written
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
from rollupdate.events import Event, LeftBehind, Stopped, Subject
from rollupdate.objects import CONFIG, CONFIGS, CONTROLLER, DEPLOYMENT, Kind, kind_of
from rollupdate.report.printers import Objects
from rollupdate.signals import Interruption

if TYPE_CHECKING:
    from rollupdate.cluster.api import ApiCluster
    from rollupdate.commands.given import Given
    from rollupdate.core.migration.scene import Goal
    from rollupdate.engine.migration import Migrating
    from rollupdate.engine.order import Arrived, Order
    from rollupdate.report.observers import Observers


@dataclass(frozen=True, kw_only=True)
class MigrationOptions:
    given: Given
    to_deployment: bool
    config: bool
    """NAME, or what ``--to`` says, is a DeploymentConfig."""
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
            to_deployment=given.text("to") in ("deployment", "deploy"),
            config=given.is_config or given.text("to") in CONFIGS,
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
        from rollupdate.engine.order import Order

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
            new_name=given.names[1] if len(given.names) > 1 else "",
            to_deployment=self.to_deployment,
            config=self.config,
            rollback=self.rollback,
            label_key=given.text("deployment-label-key"),
            spec=spec,
            keep=given.on("keep-old") if given.has("keep-old") else None,
            timeout=given.value("timeout"),
            manifest_only=self.is_dry_run and self.as_objects,
        )


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
    from rollupdate.engine.migration_plan import plan
    from rollupdate.engine.order import Arrived, Kept

    tell = report.about(subject)
    order = options.order()
    goal = plan(cluster, order, ask=options.dry_run != "client")
    if isinstance(goal, Kept):
        return Result(output=[Objects((goal.manifest,))])
    if isinstance(goal, Arrived):
        return _arrived(goal, options)
    migration = goal.migration
    source = (migration.home, migration.home_of(goal.name)) if migration.to_deployment else _target(goal)
    for note in goal.left:
        tell(LeftBehind(f"{migration.home.word}/{migration.home_of(goal.name)}", note))
    if options.diff or options.confirm:
        _review(options, cluster, goal)
        if options.asks and plan(cluster, order) != goal:
            kind, name = source
            raise changed_meanwhile(name, kind=kind.word)
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
    obj, kind = arrived.obj, kind_of(arrived.obj)
    if options.as_objects:
        return Result(output=[Objects((fit(obj, scaled=arrived.scaled) if options.is_dry_run else obj,))])
    line = f"{kind.qualified}/{obj['metadata']['name']} has the pods of {arrived.source} already"
    kept = _kept(arrived.left, options.given) if arrived.left else ()
    return Result(output=[f"{line}{suffix}\n"], remarks=(*kept, _going_back(arrived.back, options.given)))


def _kept(config: str, given: Given) -> tuple[str, ...]:
    delete = written(Kubectl(("delete", f"{CONFIG.qualified}/{config}")), given)
    return (f"{CONFIG.word}/{config} is the way back, paused and without pods; to delete it: {delete}",)


def _going_back(words: tuple[str, ...], given: Given) -> str:
    return f"To go back: {written(Resume(words), given)}"


def _result(outcome: Migrating, options: MigrationOptions, cluster: ApiCluster) -> Result:
    given = options.given
    again = given.without("rollback")
    match outcome.end:
        case End.FINISHED:
            output = []
            if options.as_objects:
                migration = outcome.goal.migration
                home = migration.home, migration.home_of(outcome.goal.name)
                found = cluster.find(*(_target(outcome.goal) if outcome.arrived_up else home))
                output = [] if found is None else [Objects((found,))]
            if outcome.gave_up:
                note = f"error: {outcome.why}; everything is as it was before, and no pod was restarted"
                return Result(status=EXIT_ERROR, notes=(note,), output=output)
            return Result(status=EXIT_OK, output=output, remarks=_remarks(outcome, options))
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
    ways = [f"To resume:    {resume}", f"To roll back: {back}"]
    controller = outcome.scene.controller
    if controller is None and outcome.error is not None:
        ways.clear()  # the error says what is left, and what helps
    elif controller is not None and controller.deleting:
        ways.pop()  # it could not get the pods again
    return Result(status=status, notes=(*notes, *ways))


def _remarks(outcome: Migrating, options: MigrationOptions) -> tuple[str, ...]:
    """What is left, and the way back."""
    from rollupdate.core.plan.refusals import way_back

    migration, given = outcome.goal.migration, options.given
    lacking = _unavailable(outcome, given)
    if options.rollback:
        return lacking
    names, config = way_back(migration, outcome.goal.name), outcome.scene.config
    if config is not None and migration.to_deployment and migration.keep:
        return (*_kept(config.name, given), _going_back(names, given), *lacking)
    if migration.to_deployment and migration.config is not None:  # it is gone
        names = (names[0], f"{Setting.TO}={CONTROLLER.word}")
    return (_going_back(names, given), *lacking)


def _unavailable(outcome: Migrating, given: Given) -> tuple[str, ...]:
    """Pods that were not available before the move are not so after it."""
    target = outcome.scene.deployment
    if not outcome.arrived_up or target is None or target.paused or target.available >= target.replicas:
        return ()
    named = f"{DEPLOYMENT.word}/{target.name}"
    status = written(Kubectl(("rollout", "status", named)), given)
    counts = f"{target.available} of {target.replicas} pods of {named} are available"
    return (f"{counts}, as before the move; to wait for them: {status}",)


def _target(goal: Goal) -> tuple[Kind, str]:
    return DEPLOYMENT, goal.migration.name


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
