"""The commands of a refusal, carried out on the sandbox as kubectl would."""

from __future__ import annotations

import json
import shlex

from rollupdate.core.model.migration import HASH_LABEL
from rollupdate.errors import RollingUpdateError
from testing.objects import Json
from tests.engine.migrations import Migrations

_PLURALS = {"rc": "replicationcontrollers", "hpa": "horizontalpodautoscalers"}


def commands_of(error: RollingUpdateError) -> list[str]:
    """Those after each line's last colon."""
    found = (line.rpartition(": ")[2] for line in str(error.advice).splitlines())
    return [line for line in found if line.startswith("kubectl")]


def pasted(world: Migrations, error: RollingUpdateError) -> list[str]:
    """Carry out each of them, and tell them."""
    told = commands_of(error)
    for command in told:
        _carry_out(world, command)
        world.sandbox.settle()
        world.sandbox.advance(60)
    return told


def _carry_out(world: Migrations, command: str) -> None:
    sandbox = world.sandbox
    body: Json
    match shlex.split(command):
        case ["kubectl", "delete", "scaledobject.keda.sh/web"]:  # and with it what it has made
            sandbox.delete("HorizontalPodAutoscaler", "default", "web")
        case ["kubectl", "delete", named] if named.startswith("replicaset/"):
            sandbox.delete("ReplicaSet", "default", named.partition("/")[2], "Background")
        case ["kubectl", "edit", "service", name]:
            sandbox.patch("services", "default", name, {"spec": {"selector": {HASH_LABEL: None}}})
        case ["kubectl", "edit", "poddisruptionbudget", name]:
            body = {"spec": {"selector": {"matchLabels": {HASH_LABEL: None}}}}
            sandbox.patch("poddisruptionbudgets", "default", name, body)
        case ["kubectl", "edit", "rc", name]:
            body = {"spec": {"selector": {HASH_LABEL: None}}}
            sandbox.patch("replicationcontrollers", "default", name, body)
        case ["kubectl", "rollout", "status", named]:
            status = _found(world, named)["status"]
            assert status["updatedReplicas"] == status["replicas"] == status["availableReplicas"]
        case ["kubectl", "patch", kind, name, "--type=merge", "-p", _]:
            _patch(world, f"{kind}/{name}", json.loads(command.rpartition(" -p ")[2]))
        case ["kubectl", "rollout", "resume", named]:
            _patch(world, named, {"spec": {"paused": None}})
        case ["kubectl", "label" | "annotate" as verb, named, *keys]:
            assert all(key.endswith("-") for key in keys)
            field = {"label": "labels", "annotate": "annotations"}[verb]
            _patch(world, named, {"metadata": {field: {key[:-1]: None for key in keys}}})
        case ["kubectl", "edit", "pod", name]:
            sandbox.patch("pods", "default", name, {"metadata": {"labels": {"app": None}}})
        case _:
            raise AssertionError(command)


def _patch(world: Migrations, named: str, body: Json) -> None:
    """``named``: KIND/NAME."""
    kind, _, name = named.partition("/")
    world.sandbox.patch(_PLURALS.get(kind, f"{kind}s"), "default", name, body)


def _found(world: Migrations, named: str) -> Json:
    kind, _, name = named.partition("/")
    objects = world.sandbox.objects(f"{kind}s", "default")
    return next(one for one in objects if one["metadata"]["name"] == name)
