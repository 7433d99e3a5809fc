"""From a request to its answer: routing, verbs by HTTP method, faults on demand, and how answers are encoded.

What the verbs do is in ``verbs`` and ``reading``; what is fixed (discovery and the like) in ``discovery``.
"""

from __future__ import annotations

from collections.abc import Callable

from testing.sandbox import bodies, discovery, logs, options, rights, statuses, subresources, tables
from testing.sandbox.eviction import Evictions
from testing.sandbox.faults import Faults
from testing.sandbox.messages import Request, Response, Target, target_of
from testing.sandbox.reading import Reading
from testing.sandbox.rights import Rights
from testing.sandbox.statuses import ApiError
from testing.sandbox.verbs import Verbs, check_identity


class Api:
    """Answers requests. The caller holds the clock's lock."""

    def __init__(
        self,
        verbs: Verbs,
        reading: Reading,
        evictions: Evictions,
        wall: Callable[[], float],
        read_log: logs.Read,
    ) -> None:
        self.faults = Faults()
        self.rights = Rights()
        self._verbs = verbs
        self._reading = reading
        self._evictions = evictions
        self._wall = wall
        self._read_log = read_log

    def handle(self, request: Request) -> Response:
        """Never raises for what a client may send; a lost connection is ``DroppedError``."""
        return self.faults.around(request, self._answer)

    def _answer(self, request: Request) -> Response:
        try:
            return self._dispatch(request)
        except ApiError as error:
            return Response(error.code, error.body, error.headers)

    def _dispatch(self, request: Request) -> Response:
        path = request.path.rstrip("/") or "/"
        if request.method in ("GET", "HEAD"):
            fixed = discovery.answer(path, self._verbs.minor, self._verbs.custom.resources)
            if fixed is not None:
                return Response(200, fixed)
        if path == rights.REVIEWS and request.method == "POST":
            return Response(201, self.rights.review(request.body if isinstance(request.body, dict) else {}))
        target = target_of(path, self._verbs.served)
        self.rights.check(request, target)
        if not tables.is_acceptable(request.headers.get("accept", "")):
            raise statuses.not_acceptable()
        response = self._on_object(request, target) if target.name else self._on_collection(request, target)
        return tables.encode(response, target.resource, request, self._wall())

    # Collections

    def _on_collection(self, request: Request, target: Target) -> Response:
        resource, namespace = target.resource, target.namespace
        match request.method:
            case "GET" | "HEAD":
                if target.watch or request.query.get("watch") in ("1", "true"):
                    return self._watch(request, target)
                return Response(200, self._reading.page(resource, namespace, request.query))
            case "POST" if namespace is not None:
                obj = bodies.obj(request, target)
                dry_run = bodies.dry_run(request, "CreateOptions")
                return Response(201, self._verbs.create(resource, namespace, obj, dry_run=dry_run))
            case "DELETE" if namespace is not None and resource.namespaced:
                return self._delete_collection(request, target)
            case _:
                raise statuses.method_not_allowed()

    def _watch(self, request: Request, target: Target) -> Response:
        query = dict(request.query)
        if target.name:
            query["fieldSelector"] = f"metadata.name={target.name}"
        predicate = self._reading.select(target.resource, query)
        minor = self._verbs.minor
        watch = self._reading.watch(target.resource, target.namespace, predicate, query, minor)
        return Response(200, watch=watch)

    def _delete_collection(self, request: Request, target: Target) -> Response:
        found = self._reading.page(target.resource, target.namespace, request.query)
        wanted = options.delete_options(request.body, request.query)
        for item in found["items"]:
            self._verbs.delete(target.resource, target.namespace or "", item["metadata"]["name"], wanted)
        return Response(200, found)

    # Single objects

    def _on_object(self, request: Request, target: Target) -> Response:
        if target.watch:
            return self._watch(request, target)
        if target.subresource == "log" and request.method in ("GET", "HEAD"):
            pod = self._verbs.get(target.resource, target.namespace or "", target.name)
            return Response(200, logs.answer(pod, request.query, self._read_log, self._verbs.is_node))
        if target.subresource == "eviction":
            return self._evictions.answer(request, target)
        if target.subresource in ("scale", "binding"):
            return subresources.answer(self._verbs, request, target)
        resource, namespace, name = target.resource, target.namespace or "", target.name
        match request.method:
            case "GET" | "HEAD":
                return Response(200, self._verbs.get(resource, namespace, name))
            case "PUT":
                new = bodies.obj(request, target)
                check_identity(new, namespace, name)
                dry_run = bodies.dry_run(request, "UpdateOptions")
                body = self._verbs.update(
                    resource, namespace, name, new, subresource=target.subresource, dry_run=dry_run
                )
            case "PATCH":
                body = self._verbs.patch(
                    resource,
                    namespace,
                    name,
                    request.content_type,
                    request.body,
                    subresource=target.subresource,
                    dry_run=bodies.dry_run(request, "PatchOptions"),
                )
            case "DELETE" if not target.subresource:
                wanted = options.delete_options(request.body, request.query)
                body = self._verbs.delete(resource, namespace, name, wanted)
            case _:
                raise statuses.method_not_allowed()
        return Response(200, body)
