"""The disruption controller and evictions: time, a manager that lags, releases, and who is forbidden what."""

from __future__ import annotations

from typing import Any

import pytest

from testing.sandbox import Json, Response, Sandbox
from tests.sandbox.worlds import PODS, controller, pod, reasons, rolled_out, running

_OTHER_UID = {"preconditions": {"uid": "nobody"}}
_CONDITION = "DisruptionAllowed"


def _guard(world: Sandbox, **spec: Any) -> None:
    selector = {"matchLabels": {"app": "web"}}
    manifest = {"kind": "PodDisruptionBudget", "metadata": {"name": "guard"}}
    world.create({**manifest, "spec": {"selector": selector, **spec}})
    world.settle()


def _guarded(replicas: int = 2, *, minor: int = 36, image: str = "nginx:1.7", **spec: Any) -> Sandbox:
    """A controller with pods that run, and a budget that has counted them."""
    world = Sandbox(minor=minor)
    world.create(controller(replicas=replicas, image=image))
    world.settle()
    _guard(world, **(spec or {"minAvailable": 1}))
    return world


def _status(world: Sandbox) -> Json:
    found: Json = world.get("pdb", "default", "guard")["status"]
    return found


def _allowed(world: Sandbox) -> int:
    return int(_status(world)["disruptionsAllowed"])


def _condition(world: Sandbox) -> Json:
    (found,) = _status(world)["conditions"]
    assert found["type"] == _CONDITION
    return {key: found[key] for key in ("status", "reason", "message")}


def _set(world: Sandbox, **status: Any) -> None:
    path = "/apis/policy/v1/namespaces/default/poddisruptionbudgets/guard/status"
    answer = world.request(
        "PATCH", path, body={"status": status}, content_type="application/merge-patch+json"
    )
    assert answer.ok


def _names(world: Sandbox) -> list[str]:
    return [found["metadata"]["name"] for found in world.pods()]


def _evict(world: Sandbox, name: str = "", options: Any = None, version: str = "") -> Response:
    """One of the pods, if none is named."""
    name = name or _names(world)[0]
    body = {"kind": "Eviction", "metadata": {"name": name}, "deleteOptions": options}
    if version:
        body["apiVersion"] = version
    return world.request("POST", f"{PODS}/{name}/eviction", body=body)


def _cause(answer: Response) -> str:
    (cause,) = answer.body["details"]["causes"]
    assert cause["reason"] == "DisruptionBudget"
    return str(cause["message"])


# Time


def test_a_pod_that_was_to_go_and_did_not_counts_again() -> None:
    """After two minutes, and an event tells. Until then it is missed."""
    world = _guarded()
    name = _names(world)[0]
    assert _evict(world, name, _OTHER_UID).status == 409
    world.advance(115)
    assert (list(_status(world)["disruptedPods"]), _status(world)["currentHealthy"]) == ([name], 1)
    assert "NotDeleted" not in reasons(world, name)
    world.advance(6)
    assert ("disruptedPods" in _status(world), _allowed(world)) == (False, 1)
    assert "NotDeleted" in reasons(world, name)


def test_an_eviction_is_forgotten_with_its_pod() -> None:
    world = _guarded(3)
    assert _evict(world).status == 201
    assert len(_status(world)["disruptedPods"]) == 1
    world.settle()
    assert ("disruptedPods" in _status(world), _allowed(world)) == (False, 2)


# A manager that lags


def test_while_it_is_held_evictions_take_what_it_allowed_before() -> None:
    """And not one more. It counts when it goes on."""
    world = _guarded(4, minAvailable=2)
    world.manager.disruption.pause()
    names = _names(world)
    assert [_evict(world, name).status for name in names] == [201, 201, 429, 429]
    world.settle()
    status = _status(world)
    assert (status["disruptionsAllowed"], status["currentHealthy"], len(world.pods())) == (0, 4, 4)
    assert sorted(status["disruptedPods"]) == names[:2]
    world.manager.disruption.resume()
    world.settle()
    assert _allowed(world) == 2


@pytest.mark.parametrize(("minor", "later"), [(20, None), (36, "10")])
def test_a_budget_that_is_behind_lets_nobody_go(minor: int, later: str | None) -> None:
    """The servers of today say when to try again."""
    world = _guarded(minor=minor)
    world.manager.pause()
    world.patch("pdb", "default", "guard", {"spec": {"minAvailable": 0}})
    answer = _evict(world)
    assert (answer.status, answer.reason) == (429, "TooManyRequests")
    assert _cause(answer) == "The disruption budget guard is still being processed by the server."
    assert answer.headers.get("Retry-After") == later
    world.manager.resume()
    world.settle()
    assert _evict(world).status == 201


def test_a_status_that_others_wrote_is_corrected() -> None:
    """Until then it is what counts. Below zero, or with too many to wait for, it lets nobody go."""
    world = _guarded()
    world.manager.disruption.pause()
    for status, detail in (
        ({"disruptionsAllowed": -1}, "pdb disruptions allowed is negative"),
        (
            {
                "disruptionsAllowed": 1,
                "disruptedPods": {f"pod-{n}": "2026-01-01T00:00:00Z" for n in range(2001)},
            },
            "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
        ),
    ):
        _set(world, **status)
        answer = _evict(world)
        assert answer.status == 403
        assert answer.body["message"] == f'poddisruptionbudget.policy "guard" is forbidden: {detail}'
    world.manager.disruption.resume()
    world.settle()
    assert (_allowed(world), "disruptedPods" in _status(world)) == (1, False)


# What can't be counted


def test_a_controller_that_is_not_there_has_no_size() -> None:
    """So nothing is allowed, and what the status said before stays in it."""
    world = _guarded(maxUnavailable=1)
    world.garbage.pause()
    world.delete("rc", "default", "web", "Background")
    world.patch("pods", "default", _names(world)[0], {"metadata": {"annotations": {"touched": "yes"}}})
    world.settle()
    assert (_allowed(world), _status(world)["expectedPods"]) == (0, 2)
    problem = f'found no controllers for pod "{_names(world)[0]}"'
    assert _condition(world) == {"status": "False", "reason": "SyncFailed", "message": problem}
    assert "CalculateExpectedPodCountFailed" in reasons(world, "guard")


def test_nobody_knows_the_size_of_what_is_no_controller() -> None:
    world = Sandbox()
    world.garbage.pause()
    owner = {"apiVersion": "example.com/v1", "kind": "Widget", "name": "w", "uid": "u", "controller": True}
    lone = pod(app="web")
    lone["metadata"]["ownerReferences"] = [owner]
    world.create(lone)
    _guard(world, maxUnavailable=1)
    assert _condition(world)["message"] == 'no matches for kind "Widget" in version "example.com/v1"'


@pytest.mark.parametrize("gone", [False, True])
def test_of_a_replica_set_its_deployment_is_counted(gone: bool) -> None:
    """Or itself, if that is not there any more."""
    world = Sandbox()
    rolled_out(world, replicas=3)
    world.manager.deployments.pause()
    world.garbage.pause()
    world.patch("deploy", "default", "web", {"spec": {"replicas": 5}})
    if gone:
        world.delete("deploy", "default", "web", "Background")
    _guard(world, maxUnavailable="50%")
    assert _status(world)["expectedPods"] == (3 if gone else 5)


@pytest.mark.parametrize(("minor", "counted"), [(20, False), (21, False), (22, True)])
def test_a_pod_without_a_controller_was_an_error_once(minor: int, counted: bool) -> None:
    world = Sandbox(minor=minor)
    running(world, replicas=2)
    world.manager.replication.pause()  # or it would adopt the pod
    world.create(pod(app="web"))
    world.settle()
    _guard(world, maxUnavailable=1)
    assert _status(world).get("observedGeneration", 0) == int(counted)
    assert ("NoControllerRef" in reasons(world, "guard")) != counted


# Releases


@pytest.mark.parametrize(("minor", "served", "other"), [(20, "v1beta1", "v1"), (21, "v1", "v1beta1")])
def test_a_release_has_budgets_in_its_version(minor: int, served: str, other: str) -> None:
    world = _guarded(minor=minor)
    path = "namespaces/default/poddisruptionbudgets"
    assert world.get("pdb", "default", "guard")["apiVersion"] == f"policy/{served}"
    assert world.request("GET", f"/apis/policy/{served}/{path}").body["apiVersion"] == f"policy/{served}"
    assert world.request("GET", f"/apis/policy/{other}/{path}").status == 404
    group = world.request("GET", "/apis/policy").body
    assert group["preferredVersion"]["groupVersion"] == f"policy/{served}"
    listed = world.request("GET", f"/apis/policy/{served}").body["resources"]
    assert [entry["name"] for entry in listed] == ["poddisruptionbudgets", "poddisruptionbudgets/status"]
    assert world.request("GET", f"/apis/policy/{other}").status == 404


def test_an_upgrade_shows_what_is_stored_in_the_version_of_today() -> None:
    """Whoever watches goes on, and the next count has a condition."""
    world = _guarded(minor=20)
    watch = world.subscribe("pdb", "default")
    world.upgrade(36)
    found = world.get("pdb", "default", "guard")
    assert (found["apiVersion"], "conditions" in found["status"]) == ("policy/v1", False)
    world.scale("default", "web", 3)
    world.settle()
    assert _condition(world) == {"status": "True", "reason": "SufficientPods", "message": ""}
    assert {event["object"]["apiVersion"] for event in watch.pending()} == {"policy/v1"}


@pytest.mark.parametrize(
    ("minor", "version", "status"),
    [(20, "policy/v1", 400), (21, "policy/v1", 400), (22, "policy/v1", 201), (36, "policy/v1beta1", 201)],
)
def test_an_eviction_is_accepted_in_the_versions_of_the_release(
    minor: int, version: str, status: int
) -> None:
    assert _evict(_guarded(minor=minor), version=version).status == status


def test_the_condition_says_whether_any_may_go() -> None:
    """An eviction writes it at once. Its time is that of the last change."""
    world = _guarded(3, minAvailable=2)
    assert _condition(world) == {"status": "True", "reason": "SufficientPods", "message": ""}
    (before,) = _status(world)["conditions"]
    world.advance(5)
    world.patch("pdb", "default", "guard", {"spec": {"minAvailable": 1}})
    world.settle()
    (after,) = _status(world)["conditions"]
    assert after == {**before, "observedGeneration": 2}
    world.patch("pdb", "default", "guard", {"spec": {"minAvailable": 2}})
    world.settle()
    world.manager.disruption.pause()
    assert _evict(world).status == 201
    assert _condition(world) == {"status": "False", "reason": "InsufficientPods", "message": ""}
    assert _status(world)["conditions"][0]["lastTransitionTime"] > before["lastTransitionTime"]


@pytest.mark.parametrize(("minor", "covered"), [(20, False), (36, True)])
def test_an_empty_selector_covers_all_pods_today(minor: int, covered: bool) -> None:
    world = _guarded(minor=minor, selector={}, minAvailable=2)
    assert _status(world)["expectedPods"] == 2 * covered
    assert _evict(world).status == (429 if covered else 201)


@pytest.mark.parametrize(("minor", "policy"), [(26, "AlwaysAllow"), (36, "IfHealthyBudget"), (36, None)])
def test_broken_pods_stay_if_too_few_are_healthy(minor: int, policy: str | None) -> None:
    world = _guarded(minor=minor, image="never-ready", minAvailable=1, unhealthyPodEvictionPolicy=policy)
    assert _status(world)["currentHealthy"] == 0
    assert _cause(_evict(world)) == "The disruption budget guard needs 1 healthy pods and has 0 currently"


def test_broken_pods_may_go_if_the_budget_says_always() -> None:
    world = _guarded(image="never-ready", minAvailable=1, unhealthyPodEvictionPolicy="AlwaysAllow")
    assert _evict(world).status == 201
    assert "disruptedPods" not in _status(world)


# Rights, and what is left of a pod


def test_the_right_to_evict_is_one_of_its_own() -> None:
    """It is the creation of a subresource; that of the deletion does not matter."""
    world = _guarded(3)
    world.forbid("delete", "pods")
    assert _evict(world).status == 201
    world.forbid("create", "pods/eviction")
    answer = _evict(world, _names(world)[1])
    assert answer.status == 403
    assert 'cannot create resource "pods/eviction" in API group ""' in answer.body["message"]


def test_of_two_budgets_one_hears_of_a_pod() -> None:
    """And no eviction is answered, whatever they allow."""
    world = _guarded()
    twin = world.get("pdb", "default", "guard")["spec"]
    world.create({"kind": "PodDisruptionBudget", "metadata": {"name": "other"}, "spec": twin})
    world.settle()
    answer = _evict(world)
    assert (answer.status, answer.reason) == (500, "")
    world.manager.replication.pause()
    world.delete("pods", "default", _names(world)[0], grace_seconds=0)
    world.settle()
    assert sorted(found["status"]["currentHealthy"] for found in world.objects("pdb", "default")) == [1, 2]


def test_what_goes_is_deleted_as_it_was_asked_for() -> None:
    world = _guarded()
    name = _names(world)[0]
    assert _evict(world, name, ["what is this?"]).status == 400
    assert _evict(world, name, {"gracePeriodSeconds": 7}).status == 201
    assert world.get("pods", "default", name)["metadata"]["deletionGracePeriodSeconds"] == 7
