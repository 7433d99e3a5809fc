"""One namespace of one cluster, and the command run against it as a user runs it: another process."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from testing.client import Client
from testing.command import COMMAND, ROOT, Ended, Running, environment
from testing.kubeconfig import read, write
from testing.namespace import Namespace, new_name

GOLDEN = ROOT / "tests" / "golden"
LIMITED = "rolling-update-user"
"""Whom the command is run as on the real control plane."""


def assert_says(ended: Ended, golden: str, **values: str) -> None:
    """Standard output is that file to the letter, standard error is empty, the status 0."""
    expected = (GOLDEN / golden).read_text()
    for key, value in values.items():
        expected = expected.replace("{" + key + "}", value)
    assert (ended.stdout, ended.stderr, ended.status) == (expected, "", 0)


class World:
    """A namespace to have things in and to run the command in."""

    def __init__(self, kubeconfig: Path, namespace: str, folder: Path) -> None:
        self._access = replace(read(kubeconfig), namespace=namespace)
        self.kubeconfig = write(folder / "kubeconfig", self._access)
        self.namespace = namespace
        self.api = Namespace(Client(self._access), namespace)
        self.is_real = False
        """On the real control plane."""
        self._folder = folder
        self._runs: list[Running] = []

    def limit(self, role: dict[str, Any]) -> None:
        """From now on the command is run as a user who has just that Role; what is looked at and arranged
        here is as before."""
        self.api.grant(role, LIMITED)
        access = replace(self._access, impersonated=LIMITED)
        write(self.kubeconfig, access)
        # The authorizer learns of a binding a little later.
        limited = Namespace(Client(access), self.namespace)
        self.api.wait(lambda: limited.may("GET", limited.path()), "it may list")

    def limit_further(self, role: dict[str, Any], *, verb: str, resource: str, allowed: bool) -> None:
        """On the real control plane: from now on the rights are those of ``role``, by which that verb is
        ``allowed`` or not."""
        if not self.is_real:
            return
        self.api.change_role(role["metadata"]["name"], role["rules"])
        limited = Client(replace(self._access, impersonated=LIMITED))
        attributes = {"namespace": self.namespace, "verb": verb, "resource": resource}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        self.api.wait(
            lambda: limited.create(path, review)["status"]["allowed"] is allowed,
            f"to {verb} {resource} is {'' if allowed else 'not '}allowed",
        )

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
        # The interpreter of the tests first, so that the checkout's entry point finds its packages.
        path = [str(ROOT), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
        return environment(KUBECONFIG=str(self.kubeconfig), PATH=os.pathsep.join(path))

    def start(
        self, *arguments: str, stdin: str | int | None = None, command: list[str] | None = None
    ) -> Running:
        """``stdin``: a text, or a descriptor."""
        words = [*(command or COMMAND), *arguments]
        self._runs.append(Running(words, self.environment(), self._folder, stdin=stdin))
        return self._runs[-1]

    def run(self, *arguments: str, stdin: str | None = None, command: list[str] | None = None) -> Ended:
        return self.start(*arguments, stdin=stdin, command=command).end()

    def kubectl(self, *words: str) -> Ended:
        """With all rights, whoever the command is run as."""
        kubeconfig = write(self._folder / "all-rights", self._access)
        return self.run(*words, command=["kubectl", f"--kubeconfig={kubeconfig}"])

    def close(self) -> None:
        """End what runs, and leave nothing behind that keeps the cluster busy."""
        for running in self._runs:
            running.close()
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
