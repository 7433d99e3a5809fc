"""``--status``: what is in progress for a controller. It only reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rollupdate.advice import Resume
from rollupdate.commands.connection import SystemClock
from rollupdate.commands.hints import written
from rollupdate.commands.missing import explain
from rollupdate.commands.result import Result
from rollupdate.console import print_note
from rollupdate.core.model.leaving import let_go
from rollupdate.core.plan.refusals import taken_back, way_of
from rollupdate.engine.config_plan import controller_with_pods
from rollupdate.engine.watch_status import follow, look
from rollupdate.errors import EXIT_OK, EXIT_STOPPED, ApiError
from rollupdate.report.printers import Document
from rollupdate.report.running import not_seen
from rollupdate.report.status import body, one_line, text

if TYPE_CHECKING:
    from rollupdate.cluster.api import ApiCluster
    from rollupdate.commands.given import Given
    from rollupdate.engine.watch_status import Look


@dataclass(frozen=True, kw_only=True)
class StatusOptions:
    given: Given
    name: str
    config: bool
    """NAME is that of a DeploymentConfig."""
    as_object: bool
    """For ``-o``."""
    watch: bool
    timeout: float
    poll_interval: float
    verbosity: int = 0

    @classmethod
    def read(cls, given: Given) -> StatusOptions:
        return cls(
            given=given,
            name=given.controller,
            config=given.is_config,
            as_object=given.has("output"),
            watch=given.on("watch"),
            timeout=given.value("timeout"),
            poll_interval=given.value("poll-interval"),
            verbosity=given.value("v"),
        )


def run(options: StatusOptions, cluster: ApiCluster) -> Result:
    if options.config:
        try:
            options = replace(options, name=controller_with_pods(cluster, options.name))
        except ApiError as error:
            explain(error, options.given, cluster)
            raise
    if options.watch:
        return Result(output=_changes(options, cluster), streams=True)
    problems: list[str] = []
    try:
        seen, why = look(cluster, options.name, unseen=problems.append)
    except ApiError as error:
        explain(error, options.given, cluster)
        raise
    remarks = [not_seen(options.name, problem) for problem in problems if options.verbosity >= 2]
    status = EXIT_STOPPED if seen.in_progress else EXIT_OK
    if options.as_object:
        document = Document(body(seen, why, datetime.now(UTC)))
        return Result(status=status, output=[document], remarks=tuple(remarks))
    onwards, back = "", written(seen.back, options.given) if seen.back else ""
    if seen.migration is not None:
        names = way_of(seen.migration, seen.name)
        onwards = written(Resume(names), options.given)
        back = written(taken_back(names), options.given)
        if seen.migration.undone:
            onwards, back = back, onwards
        if seen.leaving is not None:
            command = let_go(seen.leaving)
            back = "" if command is None else written(command, options.given)
    output = [text(seen, why, datetime.now(UTC), back, onwards)]
    return Result(status=status, output=output, remarks=tuple(remarks))


def _changes(options: StatusOptions, cluster: ApiCluster) -> Iterator[str | Document]:
    """One for each change, until nothing is in progress any more."""
    followed = follow(
        cluster,
        SystemClock(),
        options.name,
        timeout=options.timeout,
        poll_interval=options.poll_interval,
        unreachable=lambda problem: print_note(f"API server unreachable, retrying: {problem}"),
    )
    told: str | Document = ""
    for seen, why in _explained(followed, options, cluster):
        now = datetime.now(UTC)
        change: str | Document
        if options.as_object:
            change = Document(body(seen, why, now), more=True)
        else:
            change = one_line(seen, why, now) + "\n"
        if change != told:
            yield change
        told = change


def _explained(looks: Iterator[Look], options: StatusOptions, cluster: ApiCluster) -> Iterator[Look]:
    try:
        yield from looks
    except ApiError as error:
        explain(error, options.given, cluster)
        raise
