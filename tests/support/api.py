"""A small client of a Kubernetes API for tests: what the tool under test does not share any code with."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import urllib3
import yaml

Json = dict[str, Any]
REVISIONS = "controllerrevisions"


class RefusedError(Exception):
    """The API server answered with something else than a success."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(f"{status}: {body.get('message')}")
        self.status = status
        self.body = body


class Api:
    """One namespace, by a kubeconfig with a token, a client certificate or nothing to show."""

    def __init__(self, kubeconfig: Path, namespace: str = "default") -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        context = next(
            each["context"] for each in config["contexts"] if each["name"] == config["current-context"]
        )
        cluster = next(each["cluster"] for each in config["clusters"] if each["name"] == context["cluster"])
        user: Json | None = next(
            (each["user"] for each in config.get("users") or [] if each["name"] == context.get("user")), {}
        )
        options: Json = {}
        if cluster["server"].startswith("https:"):
            options["ssl_context"] = _tls(cluster, user or {})
        self.server = cluster["server"].rstrip("/")
        self.namespace = namespace
        self._headers = {"User-Agent": "tests"}
        token = (user or {}).get("token")
        if token:
            self._headers["Authorization"] = "Bearer " + token
        if (user or {}).get("as"):
            self._headers["Impersonate-User"] = (user or {})["as"]
        self._pool = urllib3.PoolManager(retries=False, maxsize=8, **options)

    def call(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Json:
        answer = self._pool.request(
            method,
            self.server + path,
            body=None if body is None else json.dumps(body),
            headers={**self._headers, "Content-Type": content_type, "Accept": "application/json"},
            timeout=120,
        )
        data: Json = json.loads(answer.data) if answer.data else {}
        if answer.status >= 300:
            raise RefusedError(answer.status, data)
        return data

    def may(self, method: str, path: str) -> bool:
        """Whether that is not forbidden; it is done, to find out."""
        try:
            self.call(method, path)
        except RefusedError as error:
            if error.status != 403:
                raise
            return False
        return True

    def path(self, plural: str, name: str = "") -> str:
        root = "/apis/apps/v1" if plural == REVISIONS else "/api/v1"
        return f"{root}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def create_namespace(self) -> None:
        meta = {"name": self.namespace}
        self.call("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})

    def create(self, manifest: Json) -> Json:
        plural = {"ReplicationController": "replicationcontrollers", "ResourceQuota": "resourcequotas"}
        return self.call("POST", self.path(plural[manifest["kind"]]), manifest)

    def controllers(self) -> dict[str, Json]:
        items = self.call("GET", self.path("replicationcontrollers"))["items"]
        return {each["metadata"]["name"]: each for each in items}

    def controller(self, name: str) -> Json:
        return self.call("GET", self.path("replicationcontrollers", name))

    def revisions(self) -> list[Json]:
        """By their numbers."""
        items: list[Json] = self.call("GET", self.path(REVISIONS))["items"]
        return sorted(items, key=lambda each: int(each["revision"]))

    def pods(self) -> list[Json]:
        """Those that are not being deleted."""
        items = self.call("GET", self.path("pods"))["items"]
        return [each for each in items if not each["metadata"].get("deletionTimestamp")]

    def merge(self, name: str, patch: Json, plural: str = "replicationcontrollers") -> Json:
        return self.call("PATCH", self.path(plural, name), patch, "application/merge-patch+json")

    def scale(self, name: str, replicas: int) -> None:
        self.merge(name, {"spec": {"replicas": replicas}})

    def delete(self, name: str, plural: str = "replicationcontrollers", policy: str = "Background") -> None:
        self.call("DELETE", self.path(plural, name), {"propagationPolicy": policy})

    def wait(self, reached: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
        """Look until it is so; fail the test with ``what`` where it never is."""
        limit = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < limit, f"not within {seconds} s: {what}"
            time.sleep(0.02)

    def wait_available(self, name: str, count: int) -> None:
        def reached() -> bool:
            status = self.controller(name).get("status") or {}
            return status.get("availableReplicas", 0) == count and status.get("replicas") == count

        self.wait(reached, f"{name} has {count} available pods")


def _tls(cluster: Json, user: Json) -> ssl.SSLContext:
    with tempfile.TemporaryDirectory() as folder:

        def file(section: Json, key: str) -> str | None:
            if inline := section.get(f"{key}-data"):
                (Path(folder) / key).write_bytes(base64.b64decode(inline))
                return str(Path(folder) / key)
            path: str | None = section.get(key)
            return path

        context = ssl.create_default_context(cafile=file(cluster, "certificate-authority"))
        if certificate := file(user, "client-certificate"):
            context.load_cert_chain(certificate, file(user, "client-key"))
        return context
