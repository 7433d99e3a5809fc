"""``--status``: observing an update that another client runs, once or until it ends. It only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol

from rollupdate.core.diagnosis.summary import NOTHING_KNOWN, Diagnosis
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.status.update_status import UpdateStatus, migrated, update_status
from rollupdate.engine.inspection import Inspector
from rollupdate.engine.ports import Clock, Cluster, Mirror
from rollupdate.engine.running import if_changed
from rollupdate.errors import ApiError, ClusterError
from rollupdate.objects import DEPLOYMENT, Json, Kind

REFRESH_EVERY = 5.0
"""Seconds between two looks where no watch tells of a change: pods fail without any."""
AGAIN_AFTER = 1.0
"""Seconds after which a server that does not answer is asked again."""

Look = tuple[UpdateStatus, Diagnosis]


def look(
    cluster: Cluster,
    name: str,
    inspector: Inspector | None = None,
    *,
    ends_as: str = "",
    unseen: Callable[[str], None] | None = None,
) -> Look:
    """``ends_as``: what is looked at once there is no controller ``name`` any more; ``unseen`` is told why it
    cannot be said what the pods run.

    Raises ClusterError, of status 404 if nothing of that name exists.
    """
    parsed = (Controller.parse(raw) for raw in cluster.list_controllers())
    controllers = {controller.name: controller for controller in parsed}
    # By this one list: between two requests the old controller may go.
    if ends_as and name not in controllers:
        name = ends_as
    seen = update_status(name, controllers)
    if not seen.in_progress:
        return replace(
            seen, running=if_changed(cluster, controllers[seen.name], unseen or (lambda _: None))
        ), NOTHING_KNOWN
    if seen.waiting_for is None:
        return seen, NOTHING_KNOWN
    diagnosis = (inspector or Inspector(cluster)).look(seen.waiting_for, seen.last_write)
    return update_status(name, controllers, diagnosis), diagnosis


class Watched(Cluster, Protocol):
    """That of an update, or of a migration, whose pods end with an object of another kind."""

    def find(self, kind: Kind, name: str) -> Json | None:
        """None if it does not exist (404)."""
        ...


def _migrated(cluster: Watched, seen: UpdateStatus) -> UpdateStatus | None:
    """Where its pods are, if they were on their way when it was ``seen`` last. Raises nothing: it is only
    looked for why there is no controller any more."""
    if seen.migration is None:
        return None
    try:
        found = cluster.find(DEPLOYMENT, seen.migration.name)
        return None if found is None else migrated(seen, Deployment.parse(found))
    except ClusterError:
        return None


def follow(
    cluster: Watched,
    clock: Clock,
    name: str,
    *,
    timeout: float,
    poll_interval: float,
    unreachable: Callable[[str], None],
) -> Iterator[Look]:
    """Each status that differs from the one before, until no update is in progress.

    ``timeout``: seconds without any answer after which it gives up, 0 for never; ``unreachable`` gets the
    first problem of such a period.
    """
    inspector = Inspector(cluster)
    here: Look | None = None
    told: Look | None = None
    mirror: Mirror | None = None
    watched: list[str] = []
    answered, silent = clock.now(), False
    try:
        while True:
            try:
                # An update to another name ends as the new controller.
                ends_as = here[0].pods[-1].controller if here is not None else ""
                here = look(cluster, name, inspector, ends_as=ends_as)
                answered = clock.now()
                names = [pods.controller for pods in here[0].pods]
                if names != watched and here[0].in_progress:
                    if mirror is not None:
                        mirror.close()
                    mirror, watched = cluster.mirror(names, poll_interval=poll_interval), names
                    continue  # what has happened before the watch began is not missed
            except ClusterError as error:
                gone = here is not None and isinstance(error, ApiError) and error.is_not_found
                arrived = _migrated(cluster, here[0]) if here is not None and gone else None
                if arrived is not None:
                    yield arrived, NOTHING_KNOWN
                    return
                lasting = isinstance(error, ApiError) and not error.is_transient
                # Without any answer so far it may be the address that is wrong.
                if here is None or lasting or (timeout and clock.now() - answered >= timeout):
                    raise
                if not silent:
                    unreachable(error.message)
                silent = True
                clock.sleep(AGAIN_AFTER)
                continue
            silent = False
            if here != told:
                told = here
                yield here
            if not here[0].in_progress:
                return
            if mirror is not None:
                mirror.wait(REFRESH_EVERY)
    finally:
        if mirror is not None:
            mirror.close()
