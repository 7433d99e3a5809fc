"""Room and budgets before the first write. On the sandbox and on the real control plane, there as a user who
may create no pods unless a test says so."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from testing.namespace import BUDGETS
from testing.objects import Json
from tests.e2e.conftest import ROLE
from tests.e2e.test_references import refused
from tests.e2e.test_scenarios import assert_finished
from tests.e2e.world import World
from tests.support.manifests import asking_for, limit_range, my_nginx, other_pod, quota

pytestmark = pytest.mark.retold

HALF = {"memory": "512Mi"}
NO_ROOM = ("--max-surge=0", "--max-unavailable=1")
UPDATE = ("my-nginx", "--image=nginx:1.9.1")


def have(world: World, *, replicas: int = 2, **requests: str) -> None:
    """Pods of 512Mi each."""
    world.have(asking_for(my_nginx(replicas=replicas), requests=requests or HALF))


def full(world: World) -> None:
    """Of 1536Mi two pods have 1Gi, and somebody else the rest."""
    have(world)
    world.api.create(other_pod(requests=HALF))
    world.api.create(quota({"requests.memory": "1536Mi"}, "mem"))
    world.api.counted("mem", {"requests.memory": "1536Mi"})


SHORT = "Warning: surge 1 needs 512Mi of requests.memory, quota mem has 0 free of 1536Mi; "


def pasted(line: str) -> list[str]:
    """The arguments of the command at the end of a line."""
    words = shlex.split(line[line.rindex("kubectl ") :])
    assert words[:2] == ["kubectl", "rolling-update"]
    return words[2:]


# --- quotas ---


def test_a_quota_that_is_exactly_full_and_freed_half_way(world: World) -> None:
    """It is told with figures, before the first write; the update waits until somebody else makes room."""
    full(world)
    running = world.start(*UPDATE)
    running.until("exceeded quota: mem")
    world.api.delete("other", "pods")
    ended = running.end()
    assert ended.status == 0, ended
    assert ended.stderr.startswith(
        SHORT + "the update of my-nginx waits for room; to need no room, with 1 pod "
    )
    assert_finished(world, "my-nginx", "nginx:1.9.1", 2)


def test_the_command_that_needs_no_room(world: World) -> None:
    """A dry run says so as well, and changes nothing; what it advises works when pasted."""
    full(world)
    before = world.versions()
    dry = world.run(*UPDATE, "--dry-run=client")
    assert (dry.status, dry.stderr.count("\n")) == (0, 1), dry
    assert dry.stderr.startswith(SHORT)
    assert world.versions() == before
    words = [word for word in pasted(dry.stderr) if not word.startswith("--dry-run")]
    assert words[-2:] == [*NO_ROOM]
    ended = world.run(*words)
    assert (ended.status, ended.stderr) == (0, ""), ended
    world.api.delete("other", "pods")
    assert_finished(world, "my-nginx", "nginx:1.9.1", 2)


def test_room_for_one(world: World) -> None:
    """Nothing is told of a surge that fits; a surge of two goes on with the pod that fits."""
    have(world)
    world.api.create(quota({"pods": "3", "requests.memory": "4Gi"}))
    world.api.counted("few", {"pods": "2", "requests.memory": "1Gi"})
    ended = world.run(*UPDATE)
    assert (ended.status, ended.stderr) == (0, ""), ended
    world.api.counted("few", {"pods": "2", "requests.memory": "1Gi"})
    ended = world.run("my-nginx", "--image=nginx:1.9.2", "--max-surge=2")
    assert ended.status == 0, ended
    assert ended.stderr.startswith(
        "Warning: surge 2 needs 2 pods, quota few has 1 free of 3; the update of my-nginx goes on with "
    )
    assert_finished(world, "my-nginx", "nginx:1.9.2", 2)


@pytest.mark.parametrize(
    "dry", [(), ("--dry-run=client",), ("--dry-run=server",)], ids=["", "client", "server"]
)
def test_what_can_never_fit(world: World, dry: tuple[str, ...]) -> None:
    """Its own pods fill the quota; exit status 1, nothing is written, and what is advised works."""
    have(world)
    world.api.create(quota({"pods": "2"}))
    world.api.counted("few", {"pods": "2"})
    said, (command,) = refused(world, *UPDATE, *dry)
    assert said.startswith(
        'error: the update of my-nginx needs at least 3 pods, but ResourceQuota "few" allows 2; nothing'
    )
    words = [word for word in command[2:] if not word.startswith("--dry-run")]
    ended = world.run(*words)
    assert (ended.status, ended.stderr) == (0, ""), ended
    assert_finished(world, "my-nginx", "nginx:1.9.1", 2)


def test_a_pod_that_is_larger_than_the_quota(world: World) -> None:
    have(world)
    world.api.create(quota({"requests.memory": "1536Mi"}, "mem"))
    world.api.counted("mem", {"requests.memory": "1Gi"})
    patch = {"spec": {"containers": [{"name": "nginx", "resources": {"requests": {"memory": "2Gi"}}}]}}
    said, (command,) = refused(world, "my-nginx", f"--patch={json.dumps(patch)}")
    assert "a new pod of my-nginx needs 2Gi of requests.memory, but ResourceQuota" in said
    assert command[:4] == ["kubectl", "edit", "resourcequota", "mem"]


@pytest.mark.parametrize(
    ("scope", "short"),
    [
        ({"scopes": ["BestEffort"]}, False),
        ({"scopes": ["NotBestEffort", "NotTerminating"]}, True),
        ({"scopes": ["Terminating"]}, False),
    ],
    ids=["best effort", "not best effort", "terminating"],
)
def test_scoped_quotas(world: World, scope: Json, short: bool) -> None:
    """Only a quota for such pods is looked at; the others are just as full."""
    have(world)
    world.api.create(quota({"pods": "2"}, **scope))
    world.api.counted("few", {"pods": "2" if short else "0"})
    ended = world.run(*UPDATE, "--dry-run=client")
    assert ended.status == int(short), ended
    assert ("needs at least 3 pods" in ended.stderr) is short


def test_what_a_limit_range_adds(world: World) -> None:
    """The template says nothing of memory; each container is given 1Gi."""
    world.api.create(limit_range(default={"memory": "1Gi"}, defaultRequest={"memory": "1Gi"}))
    world.have(my_nginx(replicas=1))
    world.api.create(other_pod())
    world.api.create(quota({"limits.memory": "2Gi"}, "mem"))
    world.api.counted("mem", {"limits.memory": "2Gi"})
    ended = world.run(*UPDATE, "--dry-run=client")
    assert ended.stderr.startswith(
        "Warning: surge 1 needs 1Gi of limits.memory, quota mem has 0 free of 2Gi; "
    )


def test_a_namespace_whose_limit_range_gives_defaults(world: World) -> None:
    """It is newer than the old pods. What it adds to the new ones is no edit of the template: not in the
    middle, nor when the update is resumed or rolled back."""
    world.have(my_nginx(replicas=2))
    world.api.create(limit_range(default={"memory": "1Gi"}, defaultRequest={"memory": "512Mi"}))
    world.api.create(quota({"limits.memory": "3Gi"}, "mem"))
    world.api.counted("mem", {"limits.memory": "0"})
    assert world.run(*UPDATE, "--pause-at=1").status == 0
    ended = world.run(*UPDATE)
    assert (ended.status, ended.stderr) == (0, ""), ended
    assert_finished(world, "my-nginx", "nginx:1.9.1", 2)
    assert world.run("my-nginx", "--image=nginx:1.9.2", "--pause-at=1").status == 0
    ended = world.run("my-nginx", "--rollback")
    assert (ended.status, ended.stderr) == (0, ""), ended
    assert_finished(world, "my-nginx", "nginx:1.9.1", 2)


# --- rights ---


def rules(*, without: str = "", further: Json | None = None) -> Json:
    kept = [rule for rule in ROLE["rules"] if without not in rule["resources"]]
    return {**ROLE, "rules": [*kept, *([further] if further else [])]}


def test_without_the_right_to_list_quotas(world: World) -> None:
    """Nothing is told beforehand, as nothing is known; the update waits, and says why. (On the sandbox
    everybody may do everything.)"""
    full(world)
    world.limit_further(rules(without="limitranges"), verb="list", resource="resourcequotas", allowed=False)
    ended = world.run(*UPDATE, "--timeout=6s")
    assert ended.status == 3, ended
    assert ended.stderr.startswith("Waiting: " if world.is_real else SHORT)
    assert "exceeded quota: mem" in ended.stderr


def test_an_account_that_may_create_pods(world: World) -> None:
    """It is told before anything is written what the server has against the new pods."""
    further = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}
    world.limit_further(rules(further=further), verb="create", resource="pods", allowed=True)
    have(world)
    world.api.create(limit_range(max={"memory": "1Gi"}))
    patch = {"spec": {"containers": [{"name": "nginx", "resources": {"limits": {"memory": "2Gi"}}}]}}
    said, (command,) = refused(world, "my-nginx", f"--patch={json.dumps(patch)}")
    assert said.startswith(
        "error: a new pod of my-nginx is refused: maximum memory usage per Container is 1Gi, but limit is 2Gi"
    )
    assert command[:3] == ["kubectl", "describe", "limitrange"]
    assert world.run("my-nginx", f"--patch={json.dumps(patch)}", "--dry-run=client").status == 0
    patch["spec"]["containers"][0]["resources"] = {"limits": {"memory": "1Gi"}}
    ended = world.run("my-nginx", f"--patch={json.dumps(patch)}")
    assert (ended.status, ended.stderr) == (0, ""), ended


# --- disruption budgets ---


def guard(world: World, **asked: Any) -> None:
    path = world.api.path(BUDGETS)
    spec = {"selector": {"matchLabels": {"app": "nginx"}}, **asked}
    body = {"kind": "PodDisruptionBudget", "metadata": {"name": "guard"}, "spec": spec}
    version = path.removeprefix("/apis/").partition("/namespaces")[0]
    world.api.call("POST", path, {"apiVersion": version, **body})


@pytest.mark.parametrize(
    ("asked", "flags", "pods", "hint"),
    [
        ({"minAvailable": "75%"}, ("--max-unavailable=1",), (4, 3), ["--max-unavailable=0"]),
        ({"maxUnavailable": 1}, ("--max-surge=2",), (5, 4), ["--max-surge=1"]),
        ({"minAvailable": 5}, (), (5, 4), ["--max-surge=2"]),
        ({"minAvailable": "100%"}, ("--max-unavailable=1",), (5, 3), ["--max-unavailable=0"]),
    ],
    ids=["a percentage", "of both sizes", "more than it has", "all of them"],
)
def test_a_budget_that_an_update_falls_short_of(
    world: World, asked: Json, flags: tuple[str, ...], pods: tuple[int, int], hint: list[str]
) -> None:
    """Before anything is written, also by a dry run, with the flags that would do. They do when pasted."""
    have(world, replicas=4)
    guard(world, **asked)
    dry = world.run(*UPDATE, *flags, "--dry-run=client")
    assert dry.status == 0, dry
    told = f"requires {pods[0]} available pods, but this update keeps {pods[1]}"
    assert dry.stderr.startswith(f"Warning: PodDisruptionBudget guard {told}; their nodes cannot be drained ")
    assert dry.stderr.count("\n") == 1
    words = [word for word in pasted(dry.stderr) if not word.startswith("--dry-run")]
    assert words[-len(hint) :] == hint
    ended = world.run(*words)
    assert (ended.status, ended.stderr) == (0, ""), ended
    assert_finished(world, "my-nginx", "nginx:1.9.1", 4)


def test_a_budget_of_all_pods_counts_both_controllers(world: World) -> None:
    """So no update keeps it. The disruption controller itself says how many it requires."""
    have(world)
    guard(world, minAvailable="100%")
    ended = world.run(*UPDATE, "--pause-at=1")
    assert ended.status == 0, ended
    assert "PodDisruptionBudget" not in ended.stderr
    sizes = [found["spec"]["replicas"] for found in world.api.controllers().values()]
    assert len(sizes) == 2

    def counts_both() -> bool:
        status = world.api.controller("guard", BUDGETS)["status"]
        return (status["desiredHealthy"], status["disruptionsAllowed"]) == (sum(sizes), 0)

    world.api.wait(counts_both, "the budget requires the pods of both")


def test_a_program_is_told_as_well(world: World) -> None:
    """--progress=json: both, with the figures, before the new controller is created."""
    full(world)
    guard(world, minAvailable=3)
    running = world.start(*UPDATE, "--progress=json")
    running.until("exceeded quota: mem")
    world.api.delete("other", "pods")
    ended = running.end()
    assert ended.status == 0, ended
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    names = [line["event"] for line in lines]
    assert {"NoRoom", "BudgetBroken"} <= set(names[: names.index("Created")])
    (room,) = (line for line in lines if line["event"] == "NoRoom")
    short = {"quota": "mem", "resource": "requests.memory", "needed": "512Mi", "free": "0", "hard": "1536Mi"}
    assert (room["surge"], room["waits"], room["shortages"]) == (1, True, [short])
    assert pasted(room["hint"])[-2:] == [*NO_ROOM]
    (broken,) = (line for line in lines if line["event"] == "BudgetBroken")
    assert (broken["asked"], broken["floor"]) == (3, 2)
