"""A namespace with a proxy of its own, and the command run in it as a user runs it: another process.

What must be true at the end of every story is asserted here, with a client that shares nothing with the
command.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from testing.chaos.proxy import Proxy, Trap, Upstream
from testing.controlplane.client import MERGE_PATCH, ApiError, Client, Credentials

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, str(ROOT / "kubectl-rolling_update")]
OURS = (
    "kubectl.kubernetes.io/update-source-id",
    "kubectl.kubernetes.io/desired-replicas",
    "kubectl.kubernetes.io/original-replicas",
    "kubectl.kubernetes.io/next-controller-id",
    "rolling-update/",
)
"""Beginnings of the annotations that an update leaves only while it lasts."""
_numbers = itertools.count(1)


class Site:
    """A cluster, by its kubeconfig: where it is and as whom it is looked at."""

    def __init__(self, name: str, kubeconfig: Path, folder: Path) -> None:
        content = yaml.safe_load(kubeconfig.read_text())
        cluster, user = content["clusters"][0]["cluster"], content["users"][0].get("user") or {}
        authority = base64.b64decode(cluster.get("certificate-authority-data", "")).decode()
        self.name = name
        self.folder = folder
        self.upstream = Upstream(cluster["server"], user.get("token", ""), authority)
        path = None
        if authority:
            path = folder / f"{name}-ca.pem"
            path.write_text(authority)
        self.client = Client(cluster["server"], path, Credentials(user.get("token")), connections=16)

    @contextlib.contextmanager
    def arena(self) -> Iterator[Arena]:
        """An empty namespace, emptied again at the end."""
        number = next(_numbers)
        namespace = f"chaos-{os.getpid()}-{number}"
        folder = self.folder / namespace
        folder.mkdir()
        arena = Arena(self, namespace, folder)
        self.client.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
        try:
            yield arena
        finally:
            arena.close()


@dataclass(frozen=True)
class Ended:
    """What a run has left."""

    status: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"exit status {self.status}\n{self.stdout}{self.stderr}"


class Running:
    """A process of the command. Its streams go to files: a full pipe would stop it."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.process, self._out, self._err = process, out, err

    def kill(self, number: int = signal.SIGKILL) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def said(self) -> str:
        return self._out.read_text() + self._err.read_text()

    def until(self, text: str, seconds: float = 120.0) -> None:
        """Wait until it has said that."""
        limit = time.monotonic() + seconds
        while text not in self.said():
            assert self.process.poll() is None, f"ended before {text!r}: {self.said()}"
            assert time.monotonic() < limit, f"no {text!r} in {self.said()}"
            time.sleep(0.01)

    def end(self, seconds: float = 600.0) -> Ended:
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise AssertionError(f"still running after {seconds} s: {self.said()}") from None
        return Ended(status, self._out.read_text(), self._err.read_text())


@dataclass
class Arena:
    """One namespace; one run at a time unless told otherwise."""

    site: Site
    namespace: str
    folder: Path
    proxy: Proxy = field(init=False)
    user: Json = field(default_factory=dict)
    """The user of the kubeconfigs."""
    authority: str = ""
    """What the proxy's certificate is signed by, as base64 of PEM, where it has one."""
    before: Json = field(default_factory=dict)
    """The controller as ``have`` left it."""

    def __post_init__(self) -> None:
        self.proxy = Proxy(self.site.upstream)
        self._runs: list[Running] = []

    # --- the namespace ---

    def path(self, plural: str = "replicationcontrollers", name: str = "") -> str:
        return f"/api/v1/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def have(self, manifest: Json) -> None:
        """Create a controller and wait for its pods."""
        name, replicas = manifest["metadata"]["name"], manifest["spec"]["replicas"]
        self.site.client.create(self.path(), manifest)
        self.wait(lambda: self.has_available(name, replicas), f"{name} has {replicas} pods")
        self.before = self.controller(name)

    def controller(self, name: str) -> Json:
        return self.site.client.get(self.path(name=name))

    def controllers(self) -> dict[str, Json]:
        return {each["metadata"]["name"]: each for each in self.site.client.get(self.path())["items"]}

    def pods(self) -> list[Json]:
        """Those that are not being deleted."""
        items = self.site.client.get(self.path("pods"))["items"]
        return [each for each in items if not each["metadata"].get("deletionTimestamp")]

    def scale(self, name: str, replicas: int) -> None:
        self.site.client.patch(self.path(name=name), {"spec": {"replicas": replicas}}, MERGE_PATCH)

    def has_available(self, name: str, replicas: int) -> bool:
        status = self.controller(name).get("status") or {}
        return (status.get("replicas", 0), status.get("availableReplicas", 0)) == (replicas, replicas)

    def wait(self, reached: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
        limit = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > limit:
                raise AssertionError(f"not within {seconds:g} s: {what}")
            time.sleep(0.01)

    # --- runs ---

    def file(self, manifest: Json) -> str:
        path = self.folder / "rc.yaml"
        path.write_text(json.dumps(manifest))  # JSON is YAML
        return str(path)

    def start(
        self, *arguments: str, trap: tuple[int, bool] | None = None, beside: bool = False, **streams: Any
    ) -> Running:
        """``trap``: kill it at that write, before or after; ``beside``: another run goes on meanwhile."""
        server = self.proxy.join_run() if beside else self.proxy.new_run()
        number = len(self._runs)
        out, err = self.folder / f"out-{number}", self.folder / f"err-{number}"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": stdout, "stderr": stderr}
            running = Running(
                subprocess.Popen(
                    [*COMMAND, *arguments],
                    env=self.environment(self.kubeconfig(server)),
                    cwd=self.folder,
                    **{**options, **streams},
                ),
                out,
                err,
            )
        self._runs.append(running)
        if trap is not None:
            self.proxy.trap = Trap(*trap, running.kill)
        return running

    def run(self, *arguments: str, trap: tuple[int, bool] | None = None) -> Ended:
        ended = self.start(*arguments, trap=trap).end()
        self.proxy.end_connections()
        return ended

    def speak_tls(self, certificate: Path, key: Path, authority: Path) -> None:
        """From now on by a proxy of that certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.proxy.close()
        self.proxy = Proxy(self.site.upstream, context)
        self.authority = base64.b64encode(authority.read_bytes()).decode()

    def kubeconfig(self, server: str) -> Path:
        path = self.folder / f"kubeconfig-{len(self._runs)}"
        name = "chaos"
        cluster = {"server": server}
        if self.authority:
            cluster["certificate-authority-data"] = self.authority
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": self.user}],
            "contexts": [
                {"name": name, "context": {"cluster": name, "user": name, "namespace": self.namespace}}
            ],
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(content))
        return path

    def environment(self, kubeconfig: Path) -> dict[str, str]:
        keep = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        found = {key: os.environ[key] for key in keep if key in os.environ}
        return {**found, "KUBECONFIG": str(kubeconfig), "TMPDIR": str(temporary)}

    def close(self) -> None:
        for running in self._runs:
            if running.process.poll() is None:
                running.process.kill()
                running.process.wait(10)
        self.proxy.close()
        with contextlib.suppress(ApiError):
            for name in self.controllers():
                self.site.client.delete(self.path(name=name), {"propagationPolicy": "Background"})
            self.site.client.delete(f"/api/v1/namespaces/{self.namespace}")

    # --- the end of every story ---

    def assert_clean(self, name: str, image: str, replicas: int, *, as_before: bool = False) -> None:
        """Exactly one controller of the right name, template and size, owning exactly its pods, all
        available, and nothing left of the update. ``as_before``: also its uid, spec and pods' labels."""
        found = self.controllers()
        assert list(found) == [name], f"controllers: {list(found)}"
        self.wait(
            lambda: self._settled(name, replicas), f"{name} owns {replicas} available pods, and all there are"
        )
        controller = self.controller(name)
        annotations = controller["metadata"].get("annotations") or {}
        left = [each for each in annotations if each.startswith(OURS)]
        assert not left, f"annotations left: {left}"
        spec = controller["spec"]
        assert spec["replicas"] == replicas, f"{spec['replicas']} replicas, not {replicas}"
        assert spec["template"]["spec"]["containers"][0]["image"] == image
        for pod in self.pods():
            assert pod["spec"]["containers"][0]["image"] == image
            owners = [each["uid"] for each in pod["metadata"]["ownerReferences"]]
            assert owners == [controller["metadata"]["uid"]]
        if as_before:
            assert spec == self.before["spec"], "the spec is not the one before"
            assert controller["metadata"]["uid"] == self.before["metadata"]["uid"], "another controller"
            labels = spec["template"]["metadata"]["labels"]
            assert all(pod["metadata"]["labels"] == labels for pod in self.pods()), "labels of pods"

    def assert_history(self, name: str, image: str, *, at_least: int) -> None:
        """The revisions that there are belong to the controller, and the last of them is of that image."""
        uid = self.controller(name)["metadata"]["uid"]

        def owners() -> set[str]:
            return {each["metadata"]["ownerReferences"][0]["uid"] for each in self.revisions()}

        self.wait(lambda: owners() <= {uid}, f"no revision of another controller than {name} is left")
        found = [
            (each["revision"], each["data"]["spec"]["template"]["spec"]["containers"][0]["image"])
            for each in self.revisions()
        ]
        assert len(found) >= at_least, f"the history has {found}"
        assert not found or found[-1][1] == image, f"{image} is not the last of {found}"

    def revisions(self) -> list[Json]:
        path = f"/apis/apps/v1/namespaces/{self.namespace}/controllerrevisions"
        items: list[Json] = self.site.client.get(path)["items"]
        return sorted(items, key=lambda each: int(each["revision"]))

    def _settled(self, name: str, replicas: int) -> bool:
        uid = self.controller(name)["metadata"]["uid"]
        pods = self.pods()
        ready = [
            pod
            for pod in pods
            if any(
                c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ())
            )
            and [each["uid"] for each in pod["metadata"].get("ownerReferences", ())] == [uid]
        ]
        return len(pods) == len(ready) == replicas and self.has_available(name, replicas)
