"""``--history``: what the finished updates of a controller have run. It only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rollupdate.commands.missing import explain
from rollupdate.commands.result import Result
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.history import Revision, numbered, running
from rollupdate.core.plan.aim import revision_of
from rollupdate.core.plan.refusals import not_found
from rollupdate.engine.running import with_history
from rollupdate.report.history import one, table
from rollupdate.report.printers import Objects
from rollupdate.report.running import not_seen, other_pods
from rollupdate.report.text import printable

if TYPE_CHECKING:
    from rollupdate.cluster.api import ApiCluster
    from rollupdate.commands.given import Given


@dataclass(frozen=True, kw_only=True)
class HistoryOptions:
    given: Given
    name: str
    revision: int
    """Only this one, with its template; 0: all of them."""
    as_objects: bool
    """For ``-o``."""
    verbosity: int = 0

    @classmethod
    def read(cls, given: Given) -> HistoryOptions:
        return cls(
            given=given,
            name=given.controller,
            revision=given.value("revision"),
            as_objects=given.has("output"),
            verbosity=given.value("v"),
        )


def run(options: HistoryOptions, cluster: ApiCluster) -> Result:
    name = options.name
    raw = cluster.get_controller(name)
    if raw is None:
        error = not_found(name)
        explain(error, options.given, cluster)
        raise error
    controller = Controller.parse(raw)
    problems: list[str] = []
    known, pods = with_history(cluster, controller, problems.append)
    wanted = revision_of(controller, options.revision, known) if options.revision else None
    if options.as_objects:
        return Result(output=[objects(known if wanted is None else wanted)])
    current = running(known, controller.template)
    if pods.mostly and pods.revision is not None:
        current = numbered(known, pods.revision)
    untold = f"The current pod template of {name} is not in the history: no completed update applied it."
    return Result(
        output=[printable(table(name, known, current) if wanted is None else one(name, wanted))],
        remarks=(
            *([untold] if known and current is None else []),
            *([f"{other_pods(name, pods)}."] if pods.others else []),
            *(not_seen(name, problem) for problem in problems if options.verbosity >= 2),
        ),
    )


def objects(found: Sequence[Revision] | Revision) -> Objects:
    """The ControllerRevisions themselves: a list of them, or the one that was asked for."""
    if isinstance(found, Revision):
        return Objects((_raw(found),))
    return Objects(tuple(map(_raw, found)), listed=True)


def _raw(revision: Revision) -> dict[str, Any]:
    assert revision.raw is not None, "it was read from a cluster"
    return revision.raw
