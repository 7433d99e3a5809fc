"""A dry run: the same loop and the same decision on a copy of the cluster that only lives in memory.

Its controllers get their pods at once, so what comes out is the plan. With ``server=True`` each write that
the real server can judge is also sent to it with ``dryRun=All``.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence

from jsonpatch import apply_patch, make_patch

from rollupdate.core.model.controller import Controller
from rollupdate.core.phases import writes
from rollupdate.engine.ports import Cluster, JsonPatch
from rollupdate.errors import ApiError
from rollupdate.objects import Json
from rollupdate.rights import CREATE_PODS, Right

_REQUIRED = ("selector", "template")


class DryRunClock:
    """Time that passes only while the update waits."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds


class DryRunCluster:
    """A :class:`Cluster` that reads from the real one and keeps what is written to itself."""

    def __init__(self, real: Cluster, clock: DryRunClock, *, server: bool) -> None:
        self._real = real
        self._clock = clock
        self._server = server
        self._live: dict[str, Json] = {}
        self._objects: dict[str, Json] = {}
        self._version = 0

    @property
    def namespace(self) -> str:
        return self._real.namespace

    def list_controllers(self) -> list[Json]:
        found = self._real.list_controllers()
        parsed = [Controller.parse(raw) for raw in found]  # what follows relies on its shape
        self._live = {raw["metadata"]["name"]: raw for raw in found}
        self._objects = {one.name: _settled(_unheld(one, self._live[one.name])) for one in parsed}
        return list(self._objects.values())

    def get_controller(self, name: str) -> Json | None:
        return self._objects.get(name)

    def create_controller(self, manifest: Json, *, dry_run: bool = False) -> Json:
        if dry_run and self._server:
            return self._real.create_controller(manifest, dry_run=True)
        _refuse_incomplete(manifest)
        obj = copy.deepcopy(manifest)
        obj["metadata"]["uid"] = f"dry-run-{len(self._objects)}"
        obj["metadata"]["resourceVersion"] = "dry-run"
        return obj if dry_run else self._keep(obj)

    def patch_controller(self, name: str, patch: JsonPatch, *, dry_run: bool = False) -> Json:
        if dry_run and self._server:
            return self._real.patch_controller(name, patch, dry_run=True)
        before = self._objects[name]
        obj: Json = apply_patch(before, json.dumps(patch))
        if dry_run:
            return obj
        live = self._live.get(name)
        if self._server and live is not None and _resized(before) != _resized(obj):
            # The live object has none of the earlier writes, so all of them are sent together.
            operations = list(make_patch(_written(live), _written(obj)))
            test = {"op": "test", "path": "/metadata/uid", "value": live["metadata"]["uid"]}
            self._real.patch_controller(name, [test, *operations], dry_run=True)
        return self._keep(obj)

    def delete_controller(
        self, name: str, *, uid: str, resource_version: str | None = None, dry_run: bool = False
    ) -> None:
        if self._objects.pop(name, None) is None:
            raise ApiError(404, "NotFound", f'replicationcontrollers "{name}" not found')
        live = self._live.get(name)
        if self._server and live is not None:
            self._real.delete_controller(name, uid=live["metadata"]["uid"], dry_run=True)

    def list_pods(
        self,
        label_selector: str,
        *,
        limit: int | None = None,
        identity_only: bool = False,
        active_only: bool = False,
    ) -> list[Json]:
        return []  # nothing to label or to move: a dry run has no pods

    def running_pods(self, label_selector: str, *, limit: int) -> list[Json]:
        return self._real.running_pods(label_selector, limit=limit)

    def list_replica_sets(self) -> list[Json]:
        return []  # nor has it any that could be adopted

    def patch_pod(self, name: str, patch: JsonPatch | Json, *, dry_run: bool = False) -> Json:
        raise AssertionError(f"no pod was listed, but {name} is to be patched")

    def list_events(self, field_selector: str, *, limit: int | None = None) -> list[Json]:
        return []

    def list_revisions(self, label_selector: str) -> list[Json]:
        return self._real.list_revisions(label_selector)

    def create_revision(self, manifest: Json) -> Json:
        return manifest  # a dry run adds nothing to the history

    def replace_revision(self, obj: Json) -> Json:
        return obj

    def delete_revision(self, name: str, *, uid: str) -> None:
        """Nor does it take anything away."""

    def read_log(self, pod: str, container: str, *, previous: bool, lines: int) -> str:
        return ""  # its pods are always well

    def list_referring(self, kind: str) -> list[Json]:
        return self._real.list_referring(kind)

    def allows(self, right: Right) -> bool:
        """A dry run of the client alone has no pod judged."""
        return (self._server or right != CREATE_PODS) and self._real.allows(right)

    def admit_pod(self, manifest: Json) -> Json:
        return self._real.admit_pod(manifest)

    def evict_pod(self, name: str, *, uid: str, resource_version: str) -> None:
        raise AssertionError(f"no pod was listed, but {name} is to be evicted")

    def cordoned_nodes(self) -> list[str]:
        return []

    def mirror(self, names: Sequence[str], *, poll_interval: float) -> DryRunMirror:
        return DryRunMirror(self._objects, self._clock)

    def _keep(self, obj: Json) -> Json:
        self._version += 1
        obj["metadata"]["resourceVersion"] = f"dry-run-{self._version}"
        obj["metadata"]["generation"] = self._version
        kept = _settled(obj)
        self._objects[obj["metadata"]["name"]] = kept
        return kept


class DryRunMirror:
    """The same objects: there is nothing to wait for but the clock."""

    def __init__(self, objects: dict[str, Json], clock: DryRunClock) -> None:
        self._objects = objects
        self._clock = clock

    def get(self, name: str) -> Json | None:
        return self._objects.get(name)

    def put(self, obj: Json) -> None:
        self._objects[obj["metadata"]["name"]] = obj

    def forget(self, name: str, uid: str) -> None:
        if name in self._objects and self._objects[name]["metadata"]["uid"] == uid:
            del self._objects[name]

    def refresh(self, name: str) -> Json | None:
        return self.get(name)

    def wait(self, seconds: float) -> bool:
        self._clock.sleep(max(seconds, 0.001))
        return True

    def close(self) -> None:
        """There is nothing to close."""


def _refuse_incomplete(manifest: Json) -> None:
    """As the server does: there is no plan for a controller that selects nothing, or has no pods to make."""
    missing = [f"spec.{field}: Required value" for field in _REQUIRED if not manifest["spec"].get(field)]
    if missing:
        causes = missing[0] if len(missing) == 1 else f"[{', '.join(missing)}]"
        name = manifest["metadata"]["name"]
        raise ApiError(422, "Invalid", f'ReplicationController "{name}" is invalid: {causes}')


def _unheld(controller: Controller, raw: Json) -> Json:
    """There are no pods whose eviction another run could have left half done."""
    return writes.evicted(controller, controller.replicas) if controller.evicting else raw


def _settled(obj: Json) -> Json:
    """As the replication manager would leave it once all pods are available."""
    count = (obj.get("spec") or {}).get("replicas", 1)
    status = {
        "replicas": count,
        "fullyLabeledReplicas": count,
        "readyReplicas": count,
        "availableReplicas": count,
        "observedGeneration": obj["metadata"].get("generation", 0),
    }
    return {**obj, "status": status}


def _written(obj: Json) -> Json:
    """The parts that a client writes."""
    meta = obj["metadata"]
    own = {key: meta[key] for key in ("labels", "annotations") if meta.get(key)}
    return {"metadata": own, "spec": obj["spec"]}


def _resized(obj: Json) -> Json:
    """What the server has an opinion on: a size alone is always right."""
    return {"selector": obj["spec"].get("selector"), "template": obj["spec"].get("template")}
