"""A namespace with a proxy of its own, and the command run in it as a user runs it: another process.

What must be true at the end of every story is asserted here, with a client that shares nothing with the
command.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testing.chaos.proxy import Proxy, Trap
from testing.client import ApiError, Client
from testing.kubeconfig import Access, Json, read, write
from testing.namespace import Namespace, new_name

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


class Site:
    """A cluster, by its kubeconfig: where it is and as whom it is looked at."""

    def __init__(self, name: str, kubeconfig: Path, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.access = read(kubeconfig)
        self.client = Client(self.access, connections=16)

    @contextlib.contextmanager
    def arena(self) -> Iterator[Arena]:
        """An empty namespace, emptied again at the end."""
        name = new_name("chaos")
        folder = self.folder / name
        folder.mkdir()
        arena = Arena(self, name, folder)
        arena.make()
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


class Arena(Namespace):
    """A namespace with a proxy before it; one run at a time unless told otherwise."""

    def __init__(self, site: Site, name: str, folder: Path) -> None:
        super().__init__(site.client, name)
        self.site = site
        self.folder = folder
        self.proxy = Proxy(site.access)
        self.user: Json = {}
        """The user of the kubeconfigs."""
        self.authority = ""
        """What the proxy's certificate is signed by, in PEM, where it has one."""
        self.before: Json = {}
        """The controller as ``have`` left it."""
        self._runs: list[Running] = []

    def have(self, manifest: Json, *, available: int | None = None) -> Json:
        self.before = super().have(manifest, available=available)
        return self.before

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
        self.proxy = Proxy(self.site.access, context)
        self.authority = authority.read_text()

    def kubeconfig(self, server: str) -> Path:
        access = Access(server=server, authority=self.authority, namespace=self.name)
        return write(self.folder / f"kubeconfig-{len(self._runs)}", access, user=self.user)

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
            self.remove()

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
