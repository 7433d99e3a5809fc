"""Writing: create, update, patch and delete with the API server's semantics. Clients and controllers both
come through here; requests are taken apart in ``api``, reading is in ``reading``.

A method copies the object it is given before it fills that in, as it may share parts with stored ones. What
it returns is stored: not to be changed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from testing.objects import Json
from testing.sandbox import decoding, defaults, limits, patches, priority, quota, statuses, validation
from testing.sandbox.clock import Clock
from testing.sandbox.custom import CustomKinds
from testing.sandbox.objects import copied, is_being_deleted, name_of, namespace_of, timestamp, with_metadata
from testing.sandbox.options import DeleteOptions, parse_version
from testing.sandbox.resources import DEPLOYMENTS, NAMESPACES, NODES, PODS, Resource, served
from testing.sandbox.store import Store

CLIENT = "client"
_DEFAULT_GRACE = 30
_ORPHAN, _FOREGROUND = "orphan", "foregroundDeletion"


class Verbs:
    """``actor`` is who writes, for those who listen to the store. ``minor``: of which release, 1.minor, the
    objects are; ``custom``: the kinds beside its own."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        rng: random.Random,
        minor: int,
        custom: CustomKinds = CustomKinds(),  # noqa: B008 - frozen
    ) -> None:
        self.minor = minor
        self.custom = custom
        self._store = store
        self._clock = clock
        self._rng = rng
        self.admission: list[Callable[[Resource, Json], None]] = []
        """Asked of everything that is to be created; each may raise."""

    @property
    def served(self) -> Mapping[str, Resource]:
        """All kinds, by plural."""
        return served(self.minor, self.custom.resources)

    def now(self) -> str:
        return timestamp(self._clock.wall())

    # Create

    def create(
        self, resource: Resource, namespace: str, obj: Json, *, actor: str = CLIENT, dry_run: bool = False
    ) -> Json:
        """Admit, default, validate and store; with ``dry_run`` all but the last."""
        obj = copied(obj)
        metadata = obj["metadata"]
        if resource.namespaced:
            metadata["namespace"] = namespace
            self._admit_namespace(resource, namespace, metadata.get("name") or "")
        else:
            metadata.pop("namespace", None)
        priority.admit_pod(self._store, resource, obj)
        if metadata.pop("resourceVersion", None) and not dry_run:
            raise statuses.internal("resourceVersion should not be set on objects to be created")
        named = bool(metadata.get("name"))
        defaults.prepare_create(resource, obj, self._rng, self.now(), self.minor)
        while not named and self._generated_name_is_taken(resource, namespace, metadata):
            defaults.prepare_create(resource, obj, self._rng, self.now(), self.minor)
        defaults.apply(resource, obj, self.minor)
        self.custom.complete(resource, obj)
        causes = [*validation.on_create(resource, obj), *self.custom.causes(resource, obj)]
        if causes:
            raise statuses.invalid(resource.kind, metadata.get("name") or "", causes, resource.group)
        priority.admit_class(self._store, resource, obj)
        limits.admit(self._store, resource, obj)
        for admit in self.admission:
            admit(resource, obj)
        quota.admit(self._store, resource, obj)
        existing = self._store.get(resource, metadata.get("namespace", ""), metadata["name"])
        if existing is not None:
            being_deleted = is_being_deleted(existing)
            raise statuses.already_exists(resource, metadata["name"], being_deleted=being_deleted)
        return obj if dry_run else self._store.create(resource, obj, actor)

    def _admit_namespace(self, resource: Resource, namespace: str, name: str) -> None:
        found = self._store.get(NAMESPACES, "", namespace)
        if found is None:
            raise statuses.not_found(NAMESPACES, namespace)
        if is_being_deleted(found):
            detail = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise statuses.forbidden(resource, name, detail)

    def _generated_name_is_taken(self, resource: Resource, namespace: str, metadata: Json) -> bool:
        if not metadata.get("name") or self._store.get(resource, namespace, metadata["name"]) is None:
            return False
        metadata.pop("name")
        return True

    # Update and patch

    def get(self, resource: Resource, namespace: str, name: str) -> Json:
        """Raises 404."""
        found = self._store.get(resource, namespace, name)
        if found is None:
            raise statuses.not_found(resource, name)
        return found

    def is_node(self, name: str) -> bool:
        return self._store.get(NODES, "", name) is not None

    def update(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        new: Json,
        *,
        subresource: str = "",
        actor: str = CLIENT,
        dry_run: bool = False,
    ) -> Json:
        """Replace the whole object, or its ``status``. A resourceVersion in it must be the current one."""
        old = self._store.get(resource, namespace, name)
        uid = new["metadata"].get("uid")
        old_uid = "" if old is None else old["metadata"]["uid"]
        if uid and uid != old_uid:
            raise statuses.other_uid(resource, namespace, name, uid, old_uid)
        if old is None:
            raise statuses.not_found(resource, name)
        return self._replace(resource, old, new, subresource, actor, dry_run)

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        content_type: str,
        patch: Any,
        *,
        subresource: str = "",
        actor: str = CLIENT,
        dry_run: bool = False,
    ) -> Json:
        """Apply a patch to the current object, or to its ``status``."""
        old = self.get(resource, namespace, name)
        if resource.custom and content_type == patches.STRATEGIC_PATCH:
            raise statuses.no_strategic_patch()
        new = patches.apply(content_type, old, patch, self.minor)
        if detail := decoding.problem(resource, new):
            raise statuses.undecodable_patch(new, detail)
        check_identity(new, namespace, name)
        return self._replace(resource, old, new, subresource, actor, dry_run)

    def _replace(
        self, resource: Resource, old: Json, new: Json, subresource: str, actor: str, dry_run: bool
    ) -> Json:
        new = copied(new)
        metadata, before = new["metadata"], old["metadata"]
        name = before["name"]
        version = parse_version(metadata.get("resourceVersion") or "")
        if not version and resource.conditional:
            raise statuses.no_version(resource, name)
        if version not in (None, 0, int(before["resourceVersion"])):
            raise statuses.conflict(resource, name)
        # What only the server says; where the client left it out it is put back.
        metadata["resourceVersion"] = before["resourceVersion"]
        for field in ("uid", "deletionTimestamp"):
            if not metadata.get(field) and field in before:
                metadata[field] = before[field]
        for field in ("namespace", "generation", "creationTimestamp", "deletionGracePeriodSeconds"):
            metadata.pop(field, None)
            if field in before:
                metadata[field] = before[field]
        new["apiVersion"], new["kind"] = resource.version, resource.kind
        if subresource == "status" and resource.custom:
            new = {**old, "status": new["status"]} if "status" in new else {**old}
            new["metadata"] = metadata = dict(before)
        elif subresource == "status":
            _keep(new, old, "spec")
            if resource is DEPLOYMENTS:
                _keep(metadata, before, "labels")
        elif resource.has_status:
            _keep(new, old, "status")
        priority.keep(resource, new, old)
        defaults.apply(resource, new, self.minor)
        self.custom.complete(resource, new)
        causes = [*validation.on_update(resource, new, old), *self.custom.causes(resource, new)]
        if causes:
            raise statuses.invalid(resource.kind, name, causes, resource.group)
        priority.admit_class(self._store, resource, new)
        if defaults.counts_generations(resource, self.minor) and _is_another(resource, subresource, new, old):
            metadata["generation"] = before.get("generation", 0) + 1
        return new if dry_run else self._commit(resource, old, new, actor)

    def write(self, resource: Resource, old: Json, new: Json, actor: str) -> Json:
        """For controllers: store what they made of ``old``, if that is still what is stored (404, 409).

        Not validated or defaulted, as it would be for nothing: they only make what is right.
        """
        current = self.get(resource, namespace_of(old), name_of(old))
        if current["metadata"]["resourceVersion"] != old["metadata"]["resourceVersion"]:
            raise statuses.conflict(resource, name_of(old))
        return self._commit(resource, old, new, actor)

    def bind(self, pod: Json, node: str, actor: str) -> Json:
        """What the scheduler does: put a pod on a node."""
        others = [c for c in pod["status"].get("conditions") or () if c["type"] != "PodScheduled"]
        scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": self.now()}
        new = {
            **pod,
            "spec": {**pod["spec"], "nodeName": node},
            "status": {**pod["status"], "conditions": [*others, scheduled]},
        }
        return self.write(PODS, pod, new, actor)

    def _commit(self, resource: Resource, old: Json, new: Json, actor: str) -> Json:
        if new == old:
            return old  # nothing is written, no version is spent, no watch hears of it
        if is_being_deleted(new) and not new["metadata"].get("finalizers") and not _is_graceful(old):
            self._store.remove(resource, old, actor, new)
            return new
        return self._store.replace(resource, old, new, actor)

    # Delete

    def delete(
        self, resource: Resource, namespace: str, name: str, options: DeleteOptions, *, actor: str = CLIENT
    ) -> Json:
        """Delete, or mark as being deleted. Returns what the server answers: an object or a Status."""
        old = self.get(resource, namespace, name)
        priority.check_deletion(resource, name)
        self._check_preconditions(resource, old, options)
        if resource.kind == "Namespace":
            return self._delete_namespace(old, actor, options.dry_run)
        if resource.kind == "Pod" and (grace := _grace(old, options)) > 0:
            return self._delete_gracefully(resource, old, grace, actor, options.dry_run)
        finalizers = _finalizers(resource, old, options)
        if finalizers:
            return self._mark(resource, old, finalizers, actor, options.dry_run)
        if resource.kind == "Pod" and not options.dry_run:
            # Seen by those who watch, before it goes.
            now = (is_being_deleted(old) and old["metadata"]["deletionTimestamp"]) or self.now()
            marked = self._being_deleted(old, now, 0)
            old = self._store.replace(resource, old, marked, actor)
        final = old if options.dry_run else self._store.remove(resource, old, actor)
        if resource.returns_deleted:
            return final if self.minor >= defaults.MODERN else old
        return statuses.success(resource, name, old["metadata"]["uid"])

    def _check_preconditions(self, resource: Resource, old: Json, options: DeleteOptions) -> None:
        name, metadata = old["metadata"]["name"], old["metadata"]
        if options.uid is not None and options.uid != metadata["uid"]:
            raise statuses.precondition_conflict(
                resource,
                name,
                f"the UID in the precondition ({options.uid}) does not match the UID in record "
                f"({metadata['uid']}). The object might have been deleted and then recreated",
            )
        version = options.resource_version
        if version is not None and version != metadata["resourceVersion"]:
            raise statuses.precondition_conflict(
                resource,
                name,
                f"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in "
                f"record ({metadata['resourceVersion']}). The object might have been modified",
            )

    def _delete_gracefully(
        self, resource: Resource, old: Json, grace: int, actor: str, dry_run: bool
    ) -> Json:
        current = old["metadata"].get("deletionGracePeriodSeconds")
        if is_being_deleted(old) and current is not None and current <= grace:
            return old
        due = timestamp(self._clock.wall() + grace)
        new = self._being_deleted(old, due, grace)
        return new if dry_run else self._store.replace(resource, old, new, actor)

    @staticmethod
    def _being_deleted(old: Json, due: str, grace: int) -> Json:
        """Of what counts its generations, that is one more."""
        new = with_metadata(old, deletionTimestamp=due, deletionGracePeriodSeconds=grace)
        if not is_being_deleted(old) and "generation" in old["metadata"]:
            new["metadata"]["generation"] += 1
        return new

    def _mark(self, resource: Resource, old: Json, finalizers: list[str], actor: str, dry_run: bool) -> Json:
        new = with_metadata(old, finalizers=finalizers)
        if not is_being_deleted(old):
            new = self._being_deleted(new, self.now(), 0)
        if new == old:
            return old
        return new if dry_run else self._store.replace(resource, old, new, actor)

    def _delete_namespace(self, old: Json, actor: str, dry_run: bool) -> Json:
        name = old["metadata"]["name"]
        if name in ("default", "kube-system", "kube-public"):
            raise statuses.forbidden(NAMESPACES, name, "this namespace may not be deleted")
        if is_being_deleted(old):
            return old
        new = {**with_metadata(old, deletionTimestamp=self.now()), "status": {"phase": "Terminating"}}
        return new if dry_run else self._store.replace(NAMESPACES, old, new, actor)


def check_identity(obj: Json, namespace: str, name: str) -> None:
    """What is sent for an object must bear its name, and its namespace if any. Raises 400."""
    metadata = obj.get("metadata") or {}
    found, space = metadata.get("name"), metadata.get("namespace")
    if not found:
        raise statuses.bad_request(
            f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )
    if found != name:
        raise statuses.bad_request(
            f"the name of the object ({found}) does not match the name on the URL ({name})"
        )
    if space and space != namespace:
        raise statuses.bad_request(
            f"the namespace of the object ({space}) does not match the namespace on the request ({namespace})"
        )


def _keep(new: Json, old: Json, field: str) -> None:
    if field in old:
        new[field] = old[field]
    else:
        new.pop(field, None)


def _is_another(resource: Resource, subresource: str, new: Json, old: Json) -> bool:
    """Whether a write makes another generation: of a Deployment, annotations are a part of what it is."""
    if resource is DEPLOYMENTS and subresource != "status":
        annotations = [obj["metadata"].get("annotations") for obj in (new, old)]
        if annotations[0] != annotations[1]:
            return True
    return bool(new.get("spec") != old.get("spec"))


def _is_graceful(obj: Json) -> bool:
    return bool(obj["metadata"].get("deletionGracePeriodSeconds"))


def _grace(pod: Json, options: DeleteOptions) -> int:
    """Seconds a pod is given to end; none for one that never started or has ended."""
    if not pod["spec"].get("nodeName") or pod["status"].get("phase") in ("Succeeded", "Failed"):
        return 0
    if options.grace_seconds is not None:
        return max(options.grace_seconds, 0)
    return int(pod["spec"].get("terminationGracePeriodSeconds", _DEFAULT_GRACE))


def _finalizers(resource: Resource, old: Json, options: DeleteOptions) -> list[str]:
    """The finalizers a deletion leaves: those of others, and the garbage collector's own by policy."""
    current = old["metadata"].get("finalizers") or []
    policy = options.policy
    if policy is None:
        if _ORPHAN in current or _FOREGROUND in current:
            return list(current)
        policy = resource.default_policy
    kept = [finalizer for finalizer in current if finalizer not in (_ORPHAN, _FOREGROUND)]
    if resource.kind == "Pod":
        return kept  # nothing depends on pods
    if policy == "Orphan":
        kept.append(_ORPHAN)
    elif policy == "Foreground":
        kept.append(_FOREGROUND)
    return kept
