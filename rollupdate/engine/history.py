"""The history of a controller on the cluster: looking it up, and writing what is missing of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from rollupdate.core.model.controller import Controller
from rollupdate.core.model.history import Revision, plan, plan_back, revisions, selector
from rollupdate.core.phases.steps import DropRevision, RecordRevision
from rollupdate.engine.ports import Cluster
from rollupdate.errors import ApiError
from rollupdate.objects import Json


def history_of(cluster: Cluster, controller: Controller) -> tuple[Revision, ...]:
    """The oldest first. A server that has no such objects has no history."""
    try:
        return revisions(cluster.list_revisions(selector([controller.uid])))
    except ApiError as error:
        if error.is_not_found:
            return ()
        raise


def write_history(cluster: Cluster, step: RecordRevision, now: float) -> None:
    """``now``: seconds since 1970. Raises ClusterError; done again, it does the rest."""
    assert step.owner is not None
    found = revisions(cluster.list_revisions(selector(step.sources)))
    at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ran = [*step.ran[:-1], replace(step.ran[-1], at=at)]
    if isinstance(step, DropRevision):
        writes = plan_back(found, step.owner, ran)
    else:
        writes = plan(found, step.owner, ran, step.limit)
    for write in writes:
        if write.after is None:
            assert write.before is not None
            meta = write.before["metadata"]
            cluster.delete_revision(meta["name"], uid=meta["uid"])
        elif write.before is None:
            cluster.create_revision(write.after)
        else:
            _replace(cluster, write.after)


def _replace(cluster: Cluster, revision: Json) -> None:
    """A revision that is gone meanwhile is a conflict, as old servers say it; those of today say 404."""
    try:
        cluster.replace_revision(revision)
    except ApiError as error:
        if error.is_not_found:
            raise ApiError(409, "Conflict", error.text, error.details) from error
        raise
