"""What the API server fills in, and what it makes of an object before it is stored. Nothing is refused here.

All functions change the object they get: it is the request's own copy.
"""

from __future__ import annotations

import random
from typing import Any

from testing.objects import Json
from testing.sandbox.objects import name_suffix, new_uid
from testing.sandbox.resources import DEPLOYMENTS, PODS, Resource

_TOLERATED = ("not-ready", "unreachable")
_TOLERATION_SECONDS = 300


MODERN = 34
"""The minor version of Kubernetes from which on templates have no empty time of creation, and pods have a
generation. (That the answer to a deletion has the version of the deletion came before it.)"""


def counts_generations(resource: Resource, minor: int) -> bool:
    """Whether the objects of a server 1.``minor`` have ``metadata.generation``."""
    return resource.generation or (resource is PODS and minor >= MODERN)


def prepare_create(resource: Resource, obj: Json, rng: random.Random, now: str, minor: int) -> None:
    """Metadata that only the server gives, and a status as at the beginning."""
    obj["apiVersion"] = resource.version
    obj["kind"] = resource.kind
    metadata = obj["metadata"]
    for field in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"):
        metadata.pop(field, None)
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + name_suffix(rng)
    metadata["uid"] = new_uid(rng)
    metadata["creationTimestamp"] = now
    if counts_generations(resource, minor):
        metadata["generation"] = 1
    if resource.has_status and resource.kind != "Node":
        obj["status"] = _first_status(resource, obj)
    if resource.custom:
        obj.pop("status", None)
    if resource.kind == "Namespace":
        obj.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
        metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata.get("name", "")


def _first_status(resource: Resource, obj: Json) -> Json:
    match resource.kind:
        case "ReplicationController" | "ReplicaSet":
            return {"replicas": 0}
        case "Pod":
            return {"phase": "Pending", "qosClass": _quality_of_service(obj)}
        case "Namespace":
            return {"phase": "Active"}
        case "HorizontalPodAutoscaler":
            return {"currentReplicas": 0, "desiredReplicas": 0}
        case "PodDisruptionBudget":
            return dict.fromkeys(BUDGET_COUNTS, 0)
        case _:
            return {}


def _quality_of_service(pod: Json) -> str:
    found = [each.get("resources") or {} for each in (pod.get("spec") or {}).get("containers") or ()]
    if not any(each.get("limits") or each.get("requests") for each in found):
        return "BestEffort"
    whole = all(set(each.get("limits") or {}) >= {"cpu", "memory"} for each in found)
    alike = all((each.get("requests") or each["limits"]) == each["limits"] for each in found if whole)
    return "Guaranteed" if whole and alike else "Burstable"


def apply(resource: Resource, obj: Json, minor: int) -> None:
    """Fill in what may be left out, as a server 1.``minor`` does."""
    _tidy(obj["metadata"])
    match resource.kind:
        case "ReplicationController":
            _controller(obj)
            _empty_time(obj, minor)
        case "ReplicaSet" | "Deployment":
            _app(resource, obj)
            _empty_time(obj, minor)
        case "Pod":
            _pod(obj)
        case "ControllerRevision":
            obj["revision"] = obj.get("revision") or 0
        case "PriorityClass":
            _priority_class(obj)
        case "HorizontalPodAutoscaler":
            _autoscaler(obj)
        case "PodDisruptionBudget":
            _budget(obj)
        case _:
            pass


def _tidy(metadata: Json) -> None:
    for field in ("labels", "annotations"):
        entries = metadata.get(field)
        if entries and None in entries.values():
            metadata[field] = {key: value or "" for key, value in entries.items()}
    # Empty maps and lists are not stored: they are "omitempty" in the API's types.
    for field in ("labels", "annotations", "ownerReferences", "finalizers"):
        if field in metadata and not metadata[field]:
            del metadata[field]
    if not metadata.get("generateName", "x"):
        del metadata["generateName"]


_COUNTS = (
    "fullyLabeledReplicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "observedGeneration",
)
_OMITTED = ("nodeName", "hostNetwork", "hostPID", "hostIPC", "serviceAccountName", "priorityClassName")
"""What of a pod's spec is not stored when it is false or empty."""


def _controller(obj: Json) -> None:
    spec = _counted(obj)
    template = spec.get("template")
    if template is None:
        spec.pop("template", None)
        return
    _template(template)
    labels = template["metadata"].get("labels") or {}
    if labels:
        if not spec.get("selector"):
            spec["selector"] = dict(labels)
        if not obj["metadata"].get("labels"):
            obj["metadata"]["labels"] = dict(labels)
    if not spec.get("selector", True):
        del spec["selector"]


def _counted(obj: Json) -> Json:
    """The spec of something with replicas. Counts that are 0 are not stored, but for a few."""
    status = obj.get("status") or {}
    if any(status.get(field, 1) == 0 for field in _COUNTS):
        obj["status"] = {key: value for key, value in status.items() if value or key not in _COUNTS}
    spec: Json = obj.get("spec") or {}
    obj["spec"] = spec
    if spec.get("replicas") is None:
        spec["replicas"] = 1
    if not spec.get("minReadySeconds", 1):
        del spec["minReadySeconds"]
    return spec


def _template(template: Json) -> None:
    metadata = template["metadata"] = template.get("metadata") or {}
    _tidy(metadata)
    template["spec"] = template.get("spec") or {}
    _pod_spec(template["spec"])


def _app(resource: Resource, obj: Json) -> None:
    """A ReplicaSet or a Deployment: unlike a ReplicationController, its selector and labels are given."""
    spec = _counted(obj)
    spec["template"] = spec.get("template") or {}
    _template(spec["template"])
    if spec.get("selector", True) is None:
        del spec["selector"]
    if resource is not DEPLOYMENTS:
        return
    if not spec.get("paused", True):
        del spec["paused"]
    if not obj["status"].get("replicas", 1):
        obj["status"] = {key: value for key, value in obj["status"].items() if key != "replicas"}
    for field, value in (("revisionHistoryLimit", 10), ("progressDeadlineSeconds", 600)):
        _default(spec, field, value)
    strategy = spec["strategy"] = spec.get("strategy") or {}
    _default(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy["rollingUpdate"] = strategy.get("rollingUpdate") or {}
        for field in ("maxUnavailable", "maxSurge"):
            _default(rolling, field, "25%")
    elif strategy.get("rollingUpdate", True) is None:
        del strategy["rollingUpdate"]


def _empty_time(controller: Json, minor: int) -> None:
    """A time of creation that there is not, in the template: null, or from MODERN on nothing."""
    template = controller["spec"].get("template")
    if template is not None and template["metadata"].get("creationTimestamp") is None:
        template["metadata"].pop("creationTimestamp", None)
        if minor < MODERN:
            template["metadata"]["creationTimestamp"] = None


def as_sent(resource: Resource, obj: Json, minor: int) -> Json:
    """The same object as a server 1.``minor`` sends it. ``resource``: as that server has it."""
    obj = {**obj, "apiVersion": resource.version}
    template = (obj.get("spec") or {}).get("template")
    if template is None:
        return obj
    metadata = dict(template["metadata"])
    new = {**obj, "spec": {**obj["spec"], "template": {**template, "metadata": metadata}}}
    _empty_time(new, minor)
    return new


def _autoscaler(obj: Json) -> None:
    spec = obj["spec"] = obj.get("spec") or {}
    spec["scaleTargetRef"] = spec.get("scaleTargetRef") or {}
    for field in ("kind", "name"):
        _default(spec["scaleTargetRef"], field, "")
    _default(spec, "minReplicas", 1)
    _default(spec, "maxReplicas", 0)
    _default(spec, "targetCPUUtilizationPercentage", 80)


BUDGET_COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
"""In the status of a PodDisruptionBudget, also if they are 0."""


def _budget(obj: Json) -> None:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    obj["spec"] = {field: value for field, value in spec.items() if value is not None}
    kept = {field: value for field, value in status.items() if value}
    obj["status"] = {**dict.fromkeys(BUDGET_COUNTS, 0), **kept}


def _priority_class(obj: Json) -> None:
    obj["value"] = obj.get("value") or 0
    _default(obj, "preemptionPolicy", "PreemptLowerPriority")
    for field in ("globalDefault", "description"):
        if not obj.get(field, True):
            del obj[field]


def _pod(obj: Json) -> None:
    spec = obj["spec"] = obj.get("spec") or {}
    _pod_spec(spec)
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        if limits := container["resources"].get("limits"):  # of a template they are left as they are
            container["resources"]["requests"] = {**limits, **(container["resources"].get("requests") or {})}
    if conditions := (obj.get("status") or {}).get("conditions"):
        times = {"lastProbeTime": None, "lastTransitionTime": None}
        obj["status"] = {**obj["status"], "conditions": [{**times, **entry} for entry in conditions]}
    spec.setdefault("enableServiceLinks", True)
    if "tolerations" not in spec:
        spec["tolerations"] = [
            {
                "key": f"node.kubernetes.io/{reason}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": _TOLERATION_SECONDS,
            }
            for reason in _TOLERATED
        ]


def _pod_spec(spec: Json) -> None:
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        _container(container)
    for field in _OMITTED:
        if not spec.get(field, True):
            del spec[field]
    _default(spec, "restartPolicy", "Always")
    _default(spec, "terminationGracePeriodSeconds", 30)
    _default(spec, "dnsPolicy", "ClusterFirst")
    _default(spec, "schedulerName", "default-scheduler")
    if spec.get("securityContext") is None:
        spec["securityContext"] = {}


def _container(container: Json) -> None:
    if container.get("resources") is None:
        container["resources"] = {}
    _default(container, "terminationMessagePath", "/dev/termination-log")
    _default(container, "terminationMessagePolicy", "File")
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = pull_policy(str(container.get("image") or ""))
    for port in container.get("ports") or ():
        _default(port, "protocol", "TCP")
    for variable in container.get("env") or ():
        field = (variable.get("valueFrom") or {}).get("fieldRef")
        if field is not None:
            _default(field, "apiVersion", "v1")
    for kind in ("readinessProbe", "livenessProbe", "startupProbe"):
        if container.get(kind):
            _probe(container[kind])


def _probe(probe: Json) -> None:
    for field, value in (
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ):
        _default(probe, field, value)
    if probe.get("httpGet"):
        _default(probe["httpGet"], "path", "/")
        _default(probe["httpGet"], "scheme", "HTTP")


def _default(obj: Json, field: str, value: Any) -> None:
    if not obj.get(field) and obj.get(field) != 0:
        obj[field] = value


def pull_policy(image: str) -> str:
    """Images without a tag, or tagged latest, are pulled every time."""
    if image != image.strip():
        return "IfNotPresent"  # no image at all, as far as the server can tell
    repository, _, digest = image.partition("@")
    tag = repository.rpartition("/")[2].partition(":")[2]
    return "Always" if not digest and tag in ("", "latest") else "IfNotPresent"
