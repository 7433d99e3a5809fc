"""A typed reading of one ReplicationController or ReplicaSet as the API sends it. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rollupdate.core.model import hold
from rollupdate.core.model.belonging import Belongings
from rollupdate.core.model.record import MIGRATED_FROM, MIGRATED_TO, Record
from rollupdate.core.model.shape import mapping, number, strings
from rollupdate.core.model.template import template_hash
from rollupdate.errors import ClusterError
from rollupdate.objects import CONTROLLER, REPLICA_SET, Json, Kind


def checked_template(template: Json, what: str) -> Json:
    """A pod template, if all that is read of it has the shape it is read with. Raises ClusterError."""
    strings(mapping(template, "metadata", what), "labels", what)
    pod = mapping(template, "spec", what)
    for key in ("containers", "initContainers"):
        value = pod.get(key)
        if value is not None and not (
            isinstance(value, list) and all(isinstance(item, dict) for item in value)
        ):
            raise ClusterError(
                f"{what}: {key} is not a list of objects; the answer of the API server cannot be used"
            )
    return template


def _of_today(raw: Json) -> Json:
    """The object as API servers from 1.34 on send it.

    Older ones send ``creationTimestamp: null`` in every pod template. What was read from one of them is
    written through one of today when the server is upgraded during an update: a patch that takes off what is
    not there is refused.
    """
    match raw:
        case {"spec": {"template": {"metadata": {"creationTimestamp": None, **rest}, **others}, **more}}:
            return {**raw, "spec": {**more, "template": {**others, "metadata": rest}}}
    return raw


def _selector(spec: Json, kind: Kind, what: str) -> dict[str, str]:
    """Without the expressions that a ReplicaSet may have as well."""
    if kind is CONTROLLER:
        return strings(spec, "selector", what)
    return strings(mapping(spec, "selector", what), "matchLabels", what)


@dataclass(frozen=True)
class Controller:
    """One ReplicationController: identity, specification, status and the record of an update on it.

    A ReplicaSet is the same to its manager, and is read in the same way.
    """

    name: str
    uid: str
    resource_version: str
    generation: int
    replicas: int
    """``spec.replicas``: the size that was last asked for."""
    selector: dict[str, str]
    template: Json
    """Without a hold (:mod:`rollupdate.core.model.hold`)."""
    min_ready_seconds: int
    observed_generation: int
    current: int
    """``status.replicas``: pods it owns, those being deleted left out."""
    ready: int
    status_available: int
    deleting: bool
    record: Record
    raw: Json = field(repr=False, compare=False)
    """The whole object, as a server of today sends it. Never changed in place: writes are made of copies
    (``rollupdate.core.phases.writes``)."""
    held: bool = False
    """It creates no pods (:mod:`rollupdate.core.model.hold`)."""
    fully_labelled: int = 0
    """Those of its pods that the manager has seen with all labels of the template."""
    failure: str = ""
    """Why the manager cannot create or delete its pods, as its status says; empty where it can."""
    kind: Kind = CONTROLLER

    @classmethod
    def parse(cls, raw: Json) -> Controller:
        """Raises ClusterError where the object has not the shape of its kind."""
        if not isinstance(raw, dict):
            raise ClusterError("the answer of the API server is not a ReplicationController")
        raw = _of_today(raw)
        kind = REPLICA_SET if raw.get("kind") == REPLICA_SET.name else CONTROLLER
        meta = mapping(raw, "metadata", f"a {kind.name}")
        name = meta.get("name")
        if not isinstance(name, str) or not name:
            raise ClusterError(f"the API server sent a {kind.name} without a name")
        what = f'{kind.word} "{name}"'
        uid, version = meta.get("uid"), meta.get("resourceVersion")
        if not isinstance(uid, str) or not isinstance(version, str):
            raise ClusterError(f"{what}: the API server sent no uid or resourceVersion")
        spec, status = mapping(raw, "spec", what), mapping(raw, "status", what)
        template = checked_template(mapping(spec, "template", what), what)
        labels = (template.get("metadata") or {}).get("labels") or {}
        strings(meta, "labels", what)  # which the new controller gets, too
        known = Record.parse(name, strings(meta, "annotations", what))
        held = hold.is_held(template)
        return cls(
            name=name,
            uid=uid,
            resource_version=version,
            generation=number(meta, "generation", what),
            replicas=number(spec, "replicas", what, 1),
            selector=_selector(spec, kind, what) or labels,
            template=hold.with_class(template, known.hold or "") if held else template,
            min_ready_seconds=number(spec, "minReadySeconds", what),
            observed_generation=number(status, "observedGeneration", what),
            current=number(status, "replicas", what),
            ready=number(status, "readyReplicas", what),
            status_available=number(status, "availableReplicas", what),
            deleting=bool(meta.get("deletionTimestamp")),
            record=known,
            raw=raw,
            held=held,
            fully_labelled=number(status, "fullyLabeledReplicas", what),
            failure=hold.creation_failure(status),
            kind=kind,
        )

    @property
    def spec(self) -> Json:
        """Without a hold."""
        return {**self.raw["spec"], "template": self.template}

    @property
    def identity(self) -> str:
        """``name:uid``, the form in which the record names a controller."""
        return f"{self.name}:{self.uid}"

    @property
    def migrated_from(self) -> str:
        """``name:uid`` of the Deployment that it was made from; empty if it was made from none."""
        return (self.raw["metadata"].get("annotations") or {}).get(MIGRATED_FROM) or ""

    @property
    def migrated_to(self) -> str:
        """The name of the Deployment that has got its pods; empty if none has, or it has gone with them."""
        return (self.raw["metadata"].get("annotations") or {}).get(MIGRATED_TO) or ""

    @property
    def belongings(self) -> Belongings:
        """Its owners and finalizers."""
        return Belongings.of(self.raw["metadata"])

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the pod template."""
        labels: dict[str, str] = (self.template.get("metadata") or {}).get("labels") or {}
        return labels

    @property
    def fingerprint(self) -> str:
        """Hash of its template, without the label that an update gave it."""
        return template_hash(self.template, self.record.labelled or "")

    @property
    def observed(self) -> bool:
        """The manager has acted on this specification; its status speaks of it."""
        return self.observed_generation >= self.generation

    @property
    def max_pods(self) -> int:
        """Pods there are at the most: those still to be deleted, and those still to be created, count."""
        return max(self.replicas, self.current)

    @property
    def available(self) -> int:
        """Pods available once the manager has carried out ``replicas``.

        A status written before a scale-down was carried out still counts the pods that will go; the
        manager deletes the pods that are not ready first, so no more than this is lost.
        """
        if self.current <= self.replicas:
            return min(self.status_available, self.replicas)
        return max(0, min(self.status_available, self.replicas - self.ready_not_available))

    @property
    def ready_not_available(self) -> int:
        """Pods that are ready but not yet available (``minReadySeconds``): the manager does not prefer
        them when it deletes, so a scale-down has to reckon that an available pod goes instead."""
        return max(0, self.ready - self.status_available)

    @property
    def staying_ready(self) -> int:
        """Pods asked for that are ready, and have to stay so for ``minReadySeconds`` before they count."""
        return max(0, min(self.ready_not_available, self.replicas - self.available))

    @property
    def settled(self) -> bool:
        """The manager has seen the specification and owns as many pods as it says."""
        return self.observed and self.current == self.replicas

    @property
    def evicting(self) -> bool:
        """Held while pods of it are evicted."""
        return self.held and self.record.evicting is not None

    @property
    def moving(self) -> bool:
        """Held while its pods change owners."""
        return self.held and not self.evicting

    @property
    def proven(self) -> bool:
        """The manager has acted on the hold: a pod that it asked for was refused for that class."""
        return self.held and self.observed and hold.CLASS in self.failure


def label_selector(equal: Mapping[str, str], *further: str) -> str:
    """As the API takes it. ``further``: what else an object must meet (``!key``, ``key!=value``)."""
    return ",".join([*(f"{key}={value}" for key, value in sorted(equal.items())), *further])


def reference_to(owner: Controller, *, blocks: bool = True) -> Json:
    """An ownerReference that makes ``owner`` the controller of an object. ``blocks``: a deletion of the owner
    in the foreground waits for the object."""
    return owning(owner.kind, owner.name, owner.uid, blocks=blocks)


def owning(kind: Kind, name: str, uid: str, *, blocks: bool = True) -> Json:
    """The same for any object."""
    return {
        "apiVersion": kind.version,
        "kind": kind.name,
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": blocks,
    }


def owner_uid(pod: Json) -> str | None:
    """The uid of the controller that owns the pod."""
    references = pod["metadata"].get("ownerReferences") or []
    return next((str(reference["uid"]) for reference in references if reference.get("controller")), None)


def owner_reference(controller: Controller) -> Json | None:
    """The reference to the object that controls it, if it has one."""
    return controlling(controller.raw)


def controlling(obj: Json) -> Json | None:
    """The same of any object."""
    references = obj["metadata"].get("ownerReferences")
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, dict) and reference.get("controller") is True:
            return reference
    return None


def with_pods_of(source: Controller, controllers: Iterable[Controller]) -> Controller | None:
    """Of the ``controllers`` the one to which pods have gone on from the Deployment to which ``source`` has
    given them; None if they are still there."""
    for one in controllers:
        came_from = one.migrated_from.partition(":")[0]
        arrived = not one.migrated_to and one.record.migration is None
        if came_from and came_from == source.migrated_to and arrived:
            return one
    return None


def owner_of(controller: Controller) -> str | None:
    """Kind and name of the object that controls it."""
    reference = owner_reference(controller)
    return None if reference is None else f'{reference.get("kind")} "{reference.get("name")}"'
