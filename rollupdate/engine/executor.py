"""Carrying out one step: every write of an update, and the search for the pods that it labels.

What a step leads to is not decided here; what became of it if its answer was lost is found out in
``recovery``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from jsonpatch import make_patch

from rollupdate.core.model.controller import owner_uid
from rollupdate.core.phases.steps import (
    Create,
    Delete,
    Label,
    ListPods,
    Move,
    Patch,
    PodList,
    PodSearch,
    RecordRevision,
    Search,
    Step,
)
from rollupdate.engine.backoff import passing
from rollupdate.engine.evicting import Evictor
from rollupdate.engine.history import write_history
from rollupdate.engine.moving import list_owned, move, stands
from rollupdate.engine.ports import Cluster, JsonPatch, Mirror
from rollupdate.errors import ApiError, ClusterError
from rollupdate.events import Event, HistoryNotKept
from rollupdate.objects import Json

LABELLING_THREADS = 16
"""Pods labelled at once; the server's own flow control (429) is honoured on top of it."""
HISTORY_TRIES = 8
"""How often the history is tried to be written if the trouble may pass."""


class Executor:
    """Of one run. Errors are ClusterErrors; what has been found is kept until it is labelled or in doubt."""

    def __init__(
        self,
        cluster: Cluster,
        tell: Callable[[Event], None],
        *,
        shield: Callable[[], AbstractContextManager[None]],
        wall: Callable[[], float],
    ) -> None:
        """``shield``: entered around each write. ``wall``: seconds since 1970, for the history."""
        self._cluster, self._tell = cluster, tell
        self._shield, self._wall = shield, wall
        self._history_tries = 0
        self.wrote = False
        """Whether the cluster was changed, or may have been."""
        self.searched: PodSearch | None = None
        self.found: dict[str, Json] = {}
        """Pods that ``searched`` found and that have not been labelled since, by name."""
        self.owned: PodList | None = None
        """Pods that change owners, as last listed, with what has been written to them since."""
        self.evictor = Evictor(cluster, self._writing, tell)

    def execute(self, step: Step, mirror: Mirror, now: float) -> None:
        """Steps that neither write nor search are nothing to it. ``now``: clock seconds."""
        match step:
            case Create(manifest=manifest):
                with self._writing():
                    mirror.put(self._cluster.create_controller(manifest))
            case Patch(controller=controller, desired=desired):
                operations = conditional(controller.raw, desired)
                with self._writing():
                    mirror.put(self._cluster.patch_controller(controller.name, operations))
            case Delete(controller=controller):
                with self._writing():
                    self._cluster.delete_controller(
                        controller.name,
                        uid=controller.uid,
                        resource_version=controller.resource_version,
                    )
                if controller.belongings.finalizers:
                    mirror.refresh(controller.name)  # it stays until they are gone
                else:
                    mirror.forget(controller.name, controller.uid)
            case RecordRevision():
                self._keep(step)
            case Search(search=search):
                self._search(search)
            case Label(controller=controller, key=key, value=value):
                if not stands(controller, lambda claim: mirror.refresh(claim.name)):
                    text = f'replicationcontrollers "{controller.name}" was changed meanwhile'
                    raise ApiError(409, "Conflict", text)
                with self._writing():
                    self._label(key, value)
            case ListPods():
                self.owned = list_owned(self._cluster, step, now)
            case Move():
                owned, self.owned = self.owned, None
                assert owned is not None, "the decision was made on it"
                with self._writing():
                    self.owned = move(self._cluster, step, lambda claim: mirror.refresh(claim.name), owned)

    def interruptible(self) -> None:
        """An interruption, of which there was one perhaps, waits for no write any more."""
        self._shield = nullcontext

    def doubt(self) -> None:
        """Something failed: what was found may be so no more."""
        self.searched, self.found, self.owned = None, {}, None
        self.evictor.looks.clear()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._shield():  # where it does not let in, nothing has been written
            self.wrote = True
            yield

    def _keep(self, step: RecordRevision) -> None:
        """The history is worth a few tries, but no update fails for it."""
        try:
            with self._writing():
                write_history(self._cluster, step, self._wall())
        except ClusterError as error:
            self._history_tries += 1
            if passing(error) and self._history_tries < HISTORY_TRIES:
                raise
            self._tell(HistoryNotKept(step.owner.name, error.message, error.hint))

    def _search(self, search: PodSearch) -> None:
        pods = self._cluster.list_pods(search.selector, identity_only=True)
        self.found = {
            pod["metadata"]["name"]: pod
            for pod in pods
            if not pod["metadata"].get("deletionTimestamp") and owner_uid(pod) == search.owner_uid
        }
        self.searched = search

    def _label(self, key: str, value: str | None) -> None:
        """All pods found, in parallel. A pod that is gone meanwhile needs no label; that all of them are is
        to be seen first."""

        def label(pod: Json) -> ClusterError | None:
            try:
                self._cluster.patch_pod(pod["metadata"]["name"], label_patch(pod, key, value))
            except ClusterError as error:
                return error
            return None

        pods = list(self.found.values())
        with ThreadPoolExecutor(max_workers=min(LABELLING_THREADS, len(pods))) as pool:
            errors = [error for error in pool.map(label, pods) if error is not None]
        problems = [error for error in errors if not (isinstance(error, ApiError) and error.is_not_found)]
        if len(errors) == len(pods):
            problems = problems or errors
        self.found = {}
        if problems:
            self.searched = None  # some have it, some have not: look which
            raise problems[0]


def conditional(before: Json, after: Json) -> JsonPatch:
    """The JSON Patch (RFC 6902) from an object as decided on, valid for just that version of it."""
    operations: JsonPatch = list(make_patch(before, after))
    version = before["metadata"]["resourceVersion"]
    return [{"op": "test", "path": "/metadata/resourceVersion", "value": version}, *operations]


def label_patch(pod: Json, key: str, value: str | None) -> JsonPatch:
    """One label of one pod, set or (None) taken off; valid for that very pod, not for one of its name."""
    path = "/metadata/labels/" + key.replace("~", "~0").replace("/", "~1")
    operation: dict[str, Any] = {"op": "remove", "path": path}
    if value is not None:
        operation = {"op": "add", "path": path, "value": value}
    return [{"op": "test", "path": "/metadata/uid", "value": pod["metadata"]["uid"]}, operation]
