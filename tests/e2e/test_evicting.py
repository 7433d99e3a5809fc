"""``--evict``, on the sandbox and on the real control plane, there as a user who has no more rights than
docs/rbac-evict.yaml gives."""

from __future__ import annotations

import json
import shlex
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from testing.client import ApiError
from testing.namespace import BUDGETS
from testing.objects import Json
from tests.e2e.conftest import PLANES
from tests.e2e.test_scenarios import assert_finished
from tests.e2e.world import World
from tests.support.manifests import my_nginx

OLD, NEW = "nginx:1.7.9", "nginx:1.9.1"
UPDATE = ("my-nginx", f"--image={NEW}", "--evict")
CLASS = "system-rolling-update-is-moving-these-pods"


def guard(world: World, name: str = "guard", **spec: Any) -> None:
    """A budget of all pods of ``my-nginx``, counted."""
    version = world.api.call("GET", "/apis/policy")["preferredVersion"]["groupVersion"]
    spec = {**spec, "selector": {"matchLabels": {"app": "nginx"}}}
    body = {"apiVersion": version, "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec}
    world.api.call("POST", f"/apis/{version}/namespaces/{world.namespace}/{BUDGETS}", body)
    world.api.wait(lambda: counted(world, name), "it is counted")


def counted(world: World, name: str = "guard") -> bool:
    budget = budgets(world)[name]
    status = budget.get("status") or {}
    return bool(status.get("observedGeneration", 0) >= budget["metadata"]["generation"])


def budgets(world: World) -> dict[str, Json]:
    return world.api.objects(BUDGETS)


def held(world: World) -> list[str]:
    found = world.api.controllers()
    return [
        name
        for name, obj in found.items()
        if obj["spec"]["template"]["spec"].get("priorityClassName") == CLASS
    ]


def deletions(world: World) -> list[str]:
    """By the controller manager: of what."""
    path = f"/api/v1/namespaces/{world.namespace}/events"
    events = world.api.call("GET", path)["items"]
    return [event["involvedObject"]["name"] for event in events if event["reason"] == "SuccessfulDelete"]


@pytest.mark.parametrize(
    "spec", [{"minAvailable": 3}, {"maxUnavailable": 1}, {"minAvailable": "50%"}], ids=["all", "one", "half"]
)
def test_the_manager_deletes_none(evicting: World, spec: Json) -> None:
    evicting.have(my_nginx(replicas=3))
    guard(evicting, **spec)
    ended = evicting.run(*UPDATE)
    assert (ended.status, ended.stderr) == (0, ""), ended
    lines = ended.stdout.splitlines()
    assert [line.rpartition(", ")[2] for line in lines if line.startswith("Evicted my-nginx-")] == [
        "2 left",
        "1 left",
        "0 left",
    ]
    assert deletions(evicting) == []
    assert_finished(evicting, "my-nginx", NEW, 3)


def test_a_budget_that_opens_later(evicting: World) -> None:
    """It is named, with its figures; nothing is held meanwhile."""
    evicting.have(my_nginx(replicas=2))
    guard(evicting, minAvailable=3)
    running = evicting.start(*UPDATE)
    running.until("Waiting: guard allows 0: 3 of 3 healthy")
    assert held(evicting) == []
    evicting.api.merge("guard", {"spec": {"minAvailable": 2}}, BUDGETS)
    ended = running.end()
    assert ended.status == 0, ended
    assert deletions(evicting) == []
    assert_finished(evicting, "my-nginx", NEW, 2)


def test_a_budget_that_never_opens(evicting: World) -> None:
    """--timeout, then the rollback."""
    evicting.have(my_nginx(replicas=2))
    guard(evicting, minAvailable=3)
    ended = evicting.run(*UPDATE, "--timeout=3s")
    assert ended.status == 3, ended
    without = "kubectl rolling-update my-nginx --image=nginx:1.9.1 --timeout=3s"
    assert (
        f"guard allows 0: 3 of 3 healthy; to delete pods whatever a budget says: {without}\n" in ended.stderr
    )
    assert held(evicting) == []
    ended = evicting.run("my-nginx", "--rollback")
    assert ended.status == 0, ended
    assert_finished(evicting, "my-nginx", OLD, 2)


def test_an_automatic_rollback_says_how_to_go_on_with_it(evicting: World) -> None:
    """The budget lets no pod go in either direction: what is named is the rollback, not the update."""
    evicting.have(my_nginx(replicas=2))
    guard(evicting, minAvailable=3)
    ended = evicting.run(*UPDATE, "--timeout=2s", "--on-failure=rollback")
    assert ended.status == 3, ended
    before, _, after = ended.stderr.partition("Rolling back because of --on-failure=rollback.\n")
    told = "to delete pods whatever a budget says: "
    command = "kubectl rolling-update my-nginx --image=nginx:1.9.1 --timeout=2s --on-failure=rollback"
    assert f"{told}{command}\n" in before
    assert f"{told}{command} --rollback\n" in after
    ended = evicting.run(*shlex.split(f"{command} --rollback")[2:])
    assert ended.status == 0, ended
    assert_finished(evicting, "my-nginx", OLD, 2)


def test_two_budgets(evicting: World) -> None:
    """Refused before the first write."""
    evicting.have(my_nginx(replicas=2))
    guard(evicting, "one", minAvailable=1)
    guard(evicting, "two", minAvailable=1)
    before = evicting.versions()
    ended = evicting.run(*UPDATE)
    assert ended.status == 1, ended
    assert "covered by more than one PodDisruptionBudget (one, two)" in ended.stderr
    assert evicting.versions() == before


def test_a_broken_old_version(evicting: World) -> None:
    """Its pods may not go: that is said, with the way out."""
    evicting.have(my_nginx(image="never-ready", replicas=2), available=0)
    guard(evicting, minAvailable=2)
    ended = evicting.run(*UPDATE, "--timeout=3s")
    assert ended.status == 3, ended
    assert (
        "a pod that is not ready may not go before there are 2, but is deleted without --evict"
        in ended.stderr
    )
    ended = evicting.run("my-nginx", f"--image={NEW}")
    assert ended.status == 0, ended
    assert_finished(evicting, "my-nginx", NEW, 2)


@pytest.mark.parametrize("world", PLANES[1:], indirect=True)
def test_the_right_is_missing(world: World) -> None:
    """As a user with the Role of an update without --evict. (The sandbox knows no users.)"""
    world.have(my_nginx(replicas=2))
    before = world.versions()
    ended = world.run(*UPDATE)
    assert ended.status == 1, ended
    missing = (
        f'rights are missing in namespace "{world.namespace}": create pods/eviction; nothing was changed'
    )
    assert f"error: {missing}\n" in ended.stderr
    assert world.versions() == before


@pytest.mark.parametrize("then", ["--evict", "", "--rollback"])
def test_killed_and_continued(evicting: World, then: str) -> None:
    """By the same command, by the one without --evict, or back."""
    evicting.have(my_nginx(replicas=3))
    running = evicting.start(*UPDATE)
    running.until("Evicted ")
    running.send()
    running.end()
    words = ["my-nginx", "--rollback"] if then == "--rollback" else ["my-nginx", f"--image={NEW}", then]
    ended = evicting.run(*filter(None, words))
    assert ended.status == 0, ended
    assert_finished(evicting, "my-nginx", OLD if then == "--rollback" else NEW, 3)
    assert held(evicting) == []


@pytest.mark.interrupted
def test_interrupted(evicting: World) -> None:
    """Ctrl-C: the size is what is left, and nothing is held."""
    evicting.have(my_nginx(replicas=4))
    running = evicting.start(*UPDATE, "--progress=json")
    running.until('"event": "Evicted"')
    running.send(signal.SIGINT)
    ended = running.end()
    assert ended.status == 130, ended
    assert held(evicting) == []
    told = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    gone = sum(len(event["pods"]) for event in told if event["event"] == "Evicted")
    assert evicting.api.controller("my-nginx")["spec"]["replicas"] == 4 - gone
    ended = evicting.run(*UPDATE)
    assert ended.status == 0, ended
    assert_finished(evicting, "my-nginx", NEW, 4)


# --- what could serve nothing ---


@contextmanager
def undoing(world: World) -> Iterator[list[int]]:
    """Another client, as one that keeps a controller like its repository: it sets the priority class of
    ``my-nginx`` back whenever it sees it. The list grows by the size of the service each time."""
    stop, undone = threading.Event(), list[int]()

    def undo() -> None:
        while not stop.wait(0.01):
            with suppress(ApiError):  # a conflict, or one that is gone: it looks again
                if "my-nginx" in held(world):
                    patch = {"spec": {"template": {"spec": {"priorityClassName": None}}}}
                    world.api.merge("my-nginx", patch)
                    undone.append(len(world.api.pods()))

    thread = threading.Thread(target=undo)
    thread.start()
    try:
        yield undone
    finally:
        stop.set()
        thread.join()


def test_another_client_takes_the_hold_off(evicting: World) -> None:
    """It is named after a few turns, unless it was too slow to be in the way (tests/engine has every moment);
    without --evict the update comes to its end."""
    evicting.have(my_nginx(replicas=3))
    guard(evicting, minAvailable=2)
    with undoing(evicting) as undone:
        ended = evicting.run(*UPDATE, "--timeout=60s")
    if ended.status:
        assert ended.status == 3, ended
        told = "error: another client changes the priority class of my-nginx back again and again"
        assert told in ended.stderr
        assert "\nto delete pods instead: kubectl rolling-update my-nginx" in ended.stderr
        assert len(undone) >= 3
        ended = evicting.run("my-nginx", f"--image={NEW}")
    assert max(undone, default=0) <= 5  # one is made anew before anybody can know of it
    assert held(evicting) == []
    assert ended.status == 0, ended
    assert_finished(evicting, "my-nginx", NEW, 3)
