"""One namespace of one cluster, and the command run against it as a user runs it: another process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import IO, Any

from testing.client import Client
from testing.kubeconfig import read, write
from testing.namespace import Namespace, new_name

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
LIMITED = "rolling-update-user"
"""Whom the command is run as on the real control plane."""
COMMAND = [sys.executable, str(ROOT / "kubectl-rolling_update")]


@dataclass(frozen=True)
class Ended:
    """What a run has left: its streams, its exit status, its duration."""

    status: int
    stdout: str
    stderr: str
    seconds: float

    def says(self, golden: str, **values: str) -> None:
        """Standard output is that file to the letter, standard error is empty, the status 0."""
        expected = (GOLDEN / golden).read_text()
        for key, value in values.items():
            expected = expected.replace("{" + key + "}", value)
        assert (self.stdout, self.stderr, self.status) == (expected, "", 0)


class Running:
    """A run that is still going on."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._started = time.monotonic()
        self._out: list[str] = []
        self._err: list[str] = []
        self._readers = [
            Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((process.stdout, self._out), (process.stderr, self._err))
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: IO[str] | None, lines: list[str]) -> None:
        assert stream is not None
        lines.extend(iter(stream.readline, ""))  # extend appends line by line as they come

    def until(self, text: str, seconds: float = 120.0) -> None:
        """Wait for a line that begins with (or contains) ``text`` on standard output."""
        limit = time.monotonic() + seconds
        while not any(text in line for line in self._out):
            assert self._process.poll() is None, f"ended before {text!r}: {self._out} {self._err}"
            assert time.monotonic() < limit, f"no {text!r} in {self._out} {self._err}"
            time.sleep(0.005)

    def send(self, number: int) -> None:
        self._process.send_signal(number)
        if number == 9:
            self._process.wait(10)

    def end(self, seconds: float = 600.0) -> Ended:
        status = self._process.wait(seconds)
        for reader in self._readers:
            reader.join(10)
        duration = time.monotonic() - self._started
        return Ended(status, "".join(self._out), "".join(self._err), duration)


class World:
    """A namespace to have things in and to run the command in."""

    def __init__(self, kubeconfig: Path, namespace: str, folder: Path) -> None:
        self._access = replace(read(kubeconfig), namespace=namespace)
        self.kubeconfig = write(folder / "kubeconfig", self._access)
        self.namespace = namespace
        self.api = Namespace(Client(self._access), namespace)
        self._folder = folder
        self._runs: list[subprocess.Popen[str]] = []

    def limit(self, role: dict[str, Any]) -> None:
        """From now on the command is run as a user who has just that Role; what is looked at and arranged
        here is as before."""
        self.api.grant(role, LIMITED)
        access = replace(self._access, impersonated=LIMITED)
        write(self.kubeconfig, access)
        # The authorizer learns of a binding a little later.
        limited = Namespace(Client(access), self.namespace)
        self.api.wait(lambda: limited.may("GET", limited.path()), "it may list")

    def have(self, manifest: dict[str, Any], *, available: int | None = None) -> dict[str, Any]:
        """Create a controller and wait for its pods."""
        return self.api.have(manifest, available=available)

    def file(self, manifest: dict[str, Any]) -> str:
        return self.text(json.dumps(manifest))  # JSON is YAML

    def text(self, content: str) -> str:
        path = self._folder / "rc.yaml"
        path.write_text(content)
        return str(path)

    def versions(self) -> dict[str, str]:
        """What a client has written, to compare: the generation and all metadata a client can change."""
        found = [*self.api.controllers().values(), *self.api.pods()]
        return {
            each["metadata"]["name"]: json.dumps(
                [
                    each["metadata"].get(key)
                    for key in ("uid", "generation", "labels", "annotations", "ownerReferences")
                ],
                sort_keys=True,
            )
            for each in found
        }

    def environment(self) -> dict[str, str]:
        keep = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV")
        found = {key: os.environ[key] for key in keep if key in os.environ}
        # The interpreter of the tests first, so that the checkout's entry point finds its packages.
        path = [str(ROOT), str(Path(sys.executable).parent), found.get("PATH", os.defpath)]
        return {**found, "KUBECONFIG": str(self.kubeconfig), "PATH": os.pathsep.join(path)}

    def start(
        self,
        *arguments: str,
        stdin: str | None = None,
        terminal: int | None = None,
        command: list[str] | None = None,
    ) -> Running:
        """``terminal``: a file descriptor to be standard input."""
        words = [*(command or COMMAND), *arguments]
        piped = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        process = subprocess.Popen(
            words,
            stdin=piped if terminal is None else terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
            cwd=self._folder,
        )
        self._runs.append(process)
        if stdin is not None:
            assert process.stdin is not None
            process.stdin.write(stdin)
            process.stdin.close()
        return Running(process)

    def run(self, *arguments: str, stdin: str | None = None, command: list[str] | None = None) -> Ended:
        return self.start(*arguments, stdin=stdin, command=command).end()

    def close(self) -> None:
        """End what runs, and leave nothing behind that keeps the cluster busy."""
        for process in self._runs:
            if process.poll() is None:
                process.kill()
                process.wait(10)
        self.api.remove()
        self.api.client.close()


@contextmanager
def opened(kubeconfig: Path, prefix: str, folder: Path) -> Iterator[World]:
    """An empty namespace of its own."""
    world = World(kubeconfig, new_name(prefix), folder)
    world.api.make()
    try:
        yield world
    finally:
        world.close()
