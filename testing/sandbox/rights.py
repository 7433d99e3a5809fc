"""Who may do what: everybody everything, but for what a test forbids. Requests and reviews agree about it."""

from __future__ import annotations

from dataclasses import dataclass

from testing.objects import Json
from testing.sandbox import statuses
from testing.sandbox.messages import Request, Target

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_USER = "sandbox"
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class _Attributes:
    """What somebody wants to do. ``resource``: a plural, with the subresource behind a slash."""

    verb: str
    group: str
    resource: str
    namespace: str


@dataclass(frozen=True)
class _Rule:
    """``*`` for all; no namespace for every one."""

    verb: str
    resource: str
    namespace: str

    def fits(self, wanted: _Attributes) -> bool:
        return (
            self.verb in ("*", wanted.verb)
            and self.resource in ("*", wanted.resource)
            and self.namespace in ("", wanted.namespace)
        )


class Rights:
    def __init__(self) -> None:
        self._forbidden: list[_Rule] = []

    def forbid(self, verb: str, resource: str, namespace: str = "") -> None:
        """As RBAC names them: ``patch`` ``deployments``, ``update`` ``replicasets/scale``; ``*`` for all."""
        self._forbidden.append(_Rule(verb, resource, namespace))

    def clear(self) -> None:
        """Allow everything again."""
        self._forbidden.clear()

    def check(self, request: Request, target: Target) -> None:
        """Raises 403 in the server's words."""
        wanted = _wanted(request, target)
        if self._allows(wanted):
            return
        where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
        raise statuses.forbidden(
            target.resource,
            target.name,
            f'User "{_USER}" cannot {wanted.verb} resource "{wanted.resource}" in API group '
            f'"{wanted.group}" {where}',
        )

    def review(self, body: Json) -> Json:
        """The answer to a SelfSubjectAccessReview. What is no resource is always allowed."""
        spec = body.get("spec") or {}
        asked = spec.get("resourceAttributes")
        wanted = asked or {}
        resource, subresource = wanted.get("resource", ""), wanted.get("subresource", "")
        attributes = _Attributes(
            wanted.get("verb", ""),
            wanted.get("group", ""),
            f"{resource}/{subresource}" if subresource else resource,
            wanted.get("namespace", ""),
        )
        return {
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "metadata": {},
            **body,
            "spec": spec,
            "status": {"allowed": asked is None or self._allows(attributes)},
        }

    def _allows(self, wanted: _Attributes) -> bool:
        return not any(rule.fits(wanted) for rule in self._forbidden)


def _wanted(request: Request, target: Target) -> _Attributes:
    verb = _VERBS.get(request.method, "get")
    if not target.name and verb == "delete":
        verb = "deletecollection"
    if verb == "get" and (target.watch or request.query.get("watch") in ("1", "true")):
        verb = "watch"
    elif verb == "get" and not target.name:
        verb = "list"
    plural = target.resource.plural
    resource = f"{plural}/{target.subresource}" if target.subresource else plural
    return _Attributes(verb, target.resource.group, resource, target.namespace or "")
