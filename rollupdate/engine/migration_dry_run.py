"""A dry run of a migration: the same loop and the same decision on a copy of its objects in memory.

Whatever the controller manager would do with them is done at once, so what comes out is the plan.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from threading import Lock

from jsonpatch import apply_patch

from rollupdate.core.migration.scene import Goal
from rollupdate.core.migration.shown import fit
from rollupdate.core.migration.writes import without_hash
from rollupdate.core.model.controller import Controller, label_selector, owner_uid, reference_to
from rollupdate.core.model.hold import CLASS
from rollupdate.core.model.migration import REVISION as NUMBER
from rollupdate.core.model.template import template_hash
from rollupdate.engine.dry_run import DryRunClock
from rollupdate.engine.migration import Migrating, MigrationRun
from rollupdate.engine.ports import JsonPatch, Objects
from rollupdate.errors import ApiError, RefusedError, StoppedError
from rollupdate.events import Event
from rollupdate.objects import CONFIG, CONTROLLER, DEPLOYMENT, REPLICA_SET, Json, Kind
from rollupdate.rights import Right

_LONGEST = 300.0
"""Seconds of its own clock: what cannot come is not waited for for ever."""


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """Where the pods are, and where they will be: both fit to be kept in a repository."""

    before: Json
    after: Json


def rehearse(real: Objects, goal: Goal, tell: Callable[[Event], None]) -> Migrating:
    """What would be done is told in the order in which it would be. Raises what would stop it."""
    outcome = MigrationRun(
        DryRunObjects(real, goal),
        DryRunClock(),
        replace(goal, timeout=goal.timeout or _LONGEST),
        tell,
        jitter=lambda: 0.5,
    ).run()
    if isinstance(outcome.error, StoppedError):
        raise RefusedError(f"it would stop: {outcome.error.message}", hint=outcome.error.advice)
    if outcome.error is not None:
        raise outcome.error
    if outcome.why and not goal.found:
        raise RefusedError(f"it would be taken back: {outcome.why}")
    return outcome


def both_ends(real: Objects, goal: Goal) -> Rehearsed:
    """Of one in progress the end of the other direction is what there was before."""
    before = _source(real, goal)
    if before is None:
        before = _target(rehearse(real, replace(goal, rollback=not goal.rollback), _silent))
    after = _target(rehearse(real, goal, _silent))
    scaled = bool(goal.migration.autoscalers)
    return Rehearsed(before=fit(before, scaled=scaled), after=fit(after, scaled=scaled))


def _source(real: Objects, goal: Goal) -> Json | None:
    if goal.found:
        return None
    if goal.upwards:
        return real.find(goal.migration.home, goal.migration.home_of(goal.name))
    return real.find(DEPLOYMENT, goal.migration.name)


def _target(outcome: Migrating) -> Json:
    scene = outcome.scene
    home = scene.controller if outcome.goal.migration.config is None else scene.config
    end = scene.deployment if outcome.goal.upwards else home
    assert end is not None, "it has come to its end"
    return end.raw


def _silent(event: Event) -> None:
    """Nobody is told."""


class DryRunObjects:
    """:class:`rollupdate.engine.ports.Objects` that reads the real ones once, and keeps what is written."""

    def __init__(self, real: Objects, goal: Goal) -> None:
        self._real = real
        self._lock = Lock()
        self._numbers = count(1)
        self._objects: dict[tuple[str, str], Json | None] = {}
        """By kind and name; None for what is known to be none."""
        self._listed: dict[tuple[str, str], list[str]] = {}
        self._pods: dict[str, Json] = {}
        wanted = goal.migration.deployment["spec"]["selector"].get("matchLabels") or {}
        selecting = label_selector(wanted)
        for pod in real.list_pods(selecting, identity_only=True, active_only=True):
            if not pod["metadata"].get("deletionTimestamp"):
                self._pods[pod["metadata"]["name"]] = pod
        self.list_all(REPLICA_SET, selecting)  # a Deployment counts the pods of its own

    @property
    def namespace(self) -> str:
        return self._real.namespace

    def find(self, kind: Kind, name: str) -> Json | None:
        with self._lock:
            if (kind.name, name) not in self._objects:
                self._objects[kind.name, name] = self._real.find(kind, name)
            raw = self._objects[kind.name, name]
            return None if raw is None else self._settled(raw)

    def list_all(self, kind: Kind, label_selector: str = "") -> list[Json]:
        with self._lock:
            if (kind.name, label_selector) not in self._listed:
                found = self._real.list_all(kind, label_selector)
                for raw in found:
                    self._objects.setdefault((kind.name, raw["metadata"]["name"]), raw)
                self._listed[kind.name, label_selector] = [raw["metadata"]["name"] for raw in found]
            names = self._listed[kind.name, label_selector]
            known = ((name, raw) for (of, name), raw in self._objects.items() if of == kind.name)
            return [
                self._settled(raw)
                for name, raw in known
                if raw is not None and (name in names or _is_ours(raw))
            ]

    def list_referring(self, kind: str) -> list[Json]:
        return self._real.list_referring(kind)

    def allows(self, right: Right) -> bool:
        return self._real.allows(right)

    def create(self, kind: Kind, manifest: Json, *, dry_run: bool = False) -> Json:
        name = manifest["metadata"]["name"]
        obj = copy.deepcopy(manifest)
        with self._lock:
            obj["metadata"]["uid"] = f"dry-run-{next(self._numbers)}"
            return self._keep(kind, name, obj)

    def patch(self, kind: Kind, name: str, patch: JsonPatch, *, dry_run: bool = False) -> Json:
        with self._lock:
            raw = self._objects.get((kind.name, name))
            if raw is None:
                raise _not_found(kind.plural, name)
            return self._keep(kind, name, apply_patch(self._settled(raw), json.dumps(patch)))

    def delete(
        self,
        kind: Kind,
        name: str,
        *,
        uid: str,
        resource_version: str | None = None,
        dry_run: bool = False,
    ) -> None:
        with self._lock:
            if self._objects.get((kind.name, name)) is None:
                raise _not_found(kind.plural, name)
            self._objects[kind.name, name] = None
            if kind is CONFIG:  # and what it owns
                for key, raw in self._objects.items():
                    if raw is not None and owner_uid(raw) == uid:
                        self._objects[key] = None

    def list_pods(
        self,
        label_selector: str,
        *,
        limit: int | None = None,
        identity_only: bool = False,
        active_only: bool = False,
    ) -> list[Json]:
        with self._lock:
            return copy.deepcopy(list(self._pods.values())[:limit])

    def patch_pod(self, name: str, patch: JsonPatch | Json, *, dry_run: bool = False) -> Json:
        """A merge patch of its metadata, which is all that a migration writes."""
        assert isinstance(patch, dict)
        with self._lock:
            if name not in self._pods:  # it was one too many
                raise _not_found("pods", name)
            meta = self._pods[name]["metadata"]
            meta |= {
                key: _merged(meta.get(key), part) if isinstance(part, dict) else part
                for key, part in patch["metadata"].items()
            }
            meta["resourceVersion"] = f"dry-run-{next(self._numbers)}"
            return copy.deepcopy(self._pods[name])

    # --- what the manager would do ---

    def _keep(self, kind: Kind, name: str, obj: Json) -> Json:
        number = next(self._numbers)
        obj["metadata"]["resourceVersion"] = f"dry-run-{number}"
        obj["metadata"]["generation"] = obj["metadata"].get("generation", 0) + 1
        self._objects[kind.name, name] = obj
        return self._settled(obj)

    def _settled(self, raw: Json) -> Json:
        """A copy, as it would be a moment later."""
        obj = copy.deepcopy(raw)
        if obj["kind"] == DEPLOYMENT.name:
            return self._rolled_out(obj)
        if obj["kind"] == CONFIG.name:
            obj["status"] = {
                **(obj.get("status") or {}),
                "observedGeneration": obj["metadata"].get("generation", 0),
            }
            return obj
        if obj["kind"] not in (CONTROLLER.name, REPLICA_SET.name):
            return obj
        controller = Controller.parse(obj)
        owned = [pod for pod in self._pods.values() if owner_uid(pod) == controller.uid]
        missing = controller.replicas - len(owned)
        if missing > 0 and not controller.held:
            for _ in range(missing):
                name = f"dry-run-{next(self._numbers)}"
                meta = {"name": name, "uid": name, "ownerReferences": [reference_to(controller)]}
                self._pods[name] = {"metadata": {**meta, "resourceVersion": name}}
        for pod in owned[controller.replicas :] if not controller.held else ():
            del self._pods[pod["metadata"]["name"]]
        number = len(owned) if controller.held else controller.replicas
        obj["status"] = {
            "replicas": number,
            "fullyLabeledReplicas": number,
            "readyReplicas": number,
            "availableReplicas": number,
            "observedGeneration": controller.generation,
        }
        if missing > 0 and controller.held:
            refused = f"no PriorityClass with name {CLASS} was found"
            obj["status"]["conditions"] = [{"type": "ReplicaFailure", "status": "True", "message": refused}]
        return obj

    def _rolled_out(self, obj: Json) -> Json:
        uid, wanted = obj["metadata"]["uid"], template_hash(obj["spec"]["template"], "")
        current = updated = 0
        for (kind, _), raw in list(self._objects.items()):
            if kind != REPLICA_SET.name or raw is None or owner_uid(raw) != uid:
                continue
            one = Controller.parse(self._settled(raw))
            current += one.current
            if template_hash(without_hash(one.template), "") == wanted:
                updated += one.current
                number = (raw["metadata"].get("annotations") or {}).get(NUMBER)
                if number is not None:
                    obj["metadata"].setdefault("annotations", {})[NUMBER] = number
        obj["status"] = {
            "replicas": current,
            "updatedReplicas": updated,
            "readyReplicas": current,
            "availableReplicas": current,
            "observedGeneration": obj["metadata"].get("generation", 0),
        }
        return obj


def _is_ours(raw: Json) -> bool:
    """Made in this dry run."""
    return str(raw["metadata"].get("uid", "")).startswith("dry-run-")


def _merged(before: Json | None, patch: Json) -> Json:
    merged = {**(before or {}), **patch}
    return {key: part for key, part in merged.items() if part is not None}


def _not_found(plural: str, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{plural} "{name}" not found')
