"""The subresources that are objects of their own: ``scale`` of controllers and ``binding`` of pods.

``status`` is the object itself seen from another side: see ``verbs``. ``eviction`` is a module of its own.
"""

from __future__ import annotations

from testing.objects import Json
from testing.sandbox import label_selectors, options, patches, statuses
from testing.sandbox.messages import Request, Response, Target
from testing.sandbox.resources import Resource
from testing.sandbox.verbs import CLIENT, Verbs, check_identity


def answer(verbs: Verbs, request: Request, target: Target) -> Response:
    """Raises 405 for methods they do not have."""
    if target.subresource == "binding":
        return _bind(verbs, request, target)
    namespace, name = target.namespace or "", target.name
    try:
        controller = verbs.get(target.resource, namespace, name)
    except statuses.ApiError as error:
        if request.method not in ("GET", "HEAD") or target.resource.custom:
            raise
        raise statuses.no_scale(target.resource, name) from error
    scale = scale_of(target.resource, controller)
    match request.method:
        case "GET" | "HEAD":
            return Response(200, scale)
        case "PUT" if isinstance(request.body, dict):
            wanted = request.body
            kind = wanted.get("kind") or "Scale"
            if kind != "Scale":
                raise statuses.bad_request(
                    f'{kind} in version "v1" cannot be handled as a Scale: converting (v1.{kind}) to '
                    "(autoscaling.Scale): unknown conversion"
                )
        case "PATCH":
            wanted = patches.apply(request.content_type, scale, request.body, verbs.minor)
        case _:
            raise statuses.method_not_allowed()
    check_identity(wanted, namespace, name)
    metadata = wanted.get("metadata") or {}
    replicas = (wanted.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int):
        detail = "json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32"
        if request.method == "PUT":
            raise statuses.bad_request(f'Scale in version "v1" cannot be handled as a Scale: {detail}')
        raise statuses.undecodable_patch(wanted, detail)
    uid = metadata.get("uid") or controller["metadata"]["uid"]
    if uid != controller["metadata"]["uid"]:
        raise statuses.other_uid(target.resource, namespace, name, uid, controller["metadata"]["uid"])
    causes = []
    if not metadata.get("namespace"):
        causes.append(statuses.required("metadata.namespace"))
    if replicas < 0 and not target.resource.custom:  # there it is the object that is refused
        causes.append(statuses.invalid_value("spec.replicas", replicas, "must be greater than or equal to 0"))
    if causes:
        raise statuses.invalid("Scale", name, causes, group="autoscaling")
    version = metadata.get("resourceVersion")
    if version and version != controller["metadata"]["resourceVersion"]:
        raise statuses.conflict(target.resource, name)
    dry_run = options.dry_run([request.query["dryRun"]] if "dryRun" in request.query else [], "UpdateOptions")
    new = {**controller, "spec": {**controller["spec"], "replicas": replicas}}
    stored = verbs.update(target.resource, namespace, name, new, dry_run=dry_run)
    return Response(200, scale_of(target.resource, stored))


def scale_of(resource: Resource, controller: Json) -> Json:
    """Of a custom kind it has no selector: where that is, its definition does not say."""
    metadata, replicas = controller["metadata"], controller["spec"]["replicas"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {field: metadata[field] for field in kept if field in metadata},
        # The type leaves out a zero here, though not in the status.
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": controller.get("status", {}).get("replicas", 0),
            **({} if resource.custom else {"selector": label_selectors.formatted(controller)}),
        },
    }


def _bind(verbs: Verbs, request: Request, target: Target) -> Response:
    if request.method != "POST" or not isinstance(request.body, dict):
        raise statuses.method_not_allowed()
    pod = verbs.get(target.resource, target.namespace or "", target.name)
    node = (request.body.get("target") or {}).get("name", "")
    bound = pod["spec"].get("nodeName")
    if bound:
        raise statuses.conflict(
            target.resource, target.name, f"pod {target.name} is already assigned to node {bound!r}"
        )
    verbs.bind(pod, node, actor=CLIENT)
    return Response(201, statuses.created())
