"""Stories of PodDisruptionBudgets: what they count, when, and whom they let go. The same on both clusters."""

from __future__ import annotations

import time
from typing import Any

import pytest

from testing.namespace import BUDGETS, REPLICA_SETS
from testing.objects import Json
from tests.contract.apps import A_WHILE, deployment, replica_set, rolled_out
from tests.contract.case import budget
from tests.contract.story import hold, observed, running, status, uids, version
from tests.contract.wire import Answer, Ask, Wire
from tests.support.manifests import my_nginx

_NGINX = {"matchLabels": {"app": "nginx"}}


def _guard(cluster: Wire, **spec: Any) -> None:
    """Over the pods of all controllers."""
    cluster.create(budget(selector=_NGINX, **spec))


def _status(cluster: Wire) -> Json:
    """Without what later releases have in it."""
    return {key: value for key, value in status(cluster, "guard", BUDGETS).items() if key != "conditions"}


def _wait_counted(cluster: Wire, *, healthy: int, expected: int) -> Json:
    """Until the budget counts so many, and misses none that is expected to go."""

    def is_counted() -> bool:
        found = _status(cluster)
        counts = (found["currentHealthy"], found["expectedPods"])
        return counts == (healthy, expected) and "disruptedPods" not in found

    cluster.wait(is_counted, f"{healthy} of {expected} are healthy")
    cluster.wait(lambda: observed(cluster, "guard", BUDGETS), "the budget is observed")
    return _status(cluster)


def _evict(cluster: Wire, name: str) -> Answer:
    return cluster.send(
        Ask("POST", f"pods/{name}/eviction", {"kind": "Eviction", "metadata": {"name": name}})
    )


def _names(cluster: Wire) -> list[str]:
    return [pod["metadata"]["name"] for pod in cluster.pods()]


def _touch(cluster: Wire, pod: str) -> None:
    cluster.merge(pod, {"metadata": {"annotations": {"touched": "yes"}}}, "pods")


def _let_it_look(cluster: Wire) -> None:
    """At what has happened so far, and once more at the statuses that it wrote: to see nothing new.

    It is told of pods and of budgets in the order of their changes, and looks at one budget after the other:
    when it has counted a pod and a budget that are made now, it has looked at the others.
    """
    pod = _lone("last")
    pod["metadata"]["labels"] = {"app": "last"}
    cluster.create(pod)
    cluster.create(budget("last", selector={"matchLabels": {"app": "last"}}, minAvailable=1))
    cluster.wait(lambda: status(cluster, "last", BUDGETS).get("currentHealthy") == 1, "the last is counted")


def test_the_sizes_of_all_controllers_are_counted(cluster: Wire) -> None:
    """Percentages are of the sum, rounded up, be it of pods that must be there or that need not."""
    running(cluster, replicas=4)
    alone = replica_set("alone", 3)
    alone["metadata"]["labels"] = {"app": "alone"}  # or the Deployment would adopt it
    cluster.create(alone)
    cluster.wait(lambda: status(cluster, "alone", REPLICA_SETS).get("readyReplicas") == 3, "it has pods")
    cluster.create(deployment("rolling", replicas=2))
    rolled_out(cluster, "rolling")
    _guard(cluster, minAvailable=1)
    amounts: tuple[tuple[str, int | str, int], ...] = (
        ("maxUnavailable", "10%", 8),
        ("maxUnavailable", "12%", 7),
        ("maxUnavailable", "100%", 0),
        ("maxUnavailable", 2, 7),
        ("maxUnavailable", 20, 0),
        ("minAvailable", "51%", 5),
        ("minAvailable", "100%", 9),
        ("minAvailable", 3, 3),
        ("minAvailable", 20, 20),
    )
    for number, (field, amount, desired) in enumerate(amounts, start=2):
        cluster.merge(
            "guard", {"spec": {"minAvailable": None, "maxUnavailable": None, field: amount}}, BUDGETS
        )
        assert _wait_counted(cluster, healthy=9, expected=9) == {
            "observedGeneration": number,
            "disruptionsAllowed": max(9 - desired, 0),
            "currentHealthy": 9,
            "desiredHealthy": desired,
            "expectedPods": 9,
        }, (field, amount)


def test_a_size_alone_is_not_looked_at(cluster: Wire) -> None:
    """An eviction from a held controller, whose size is lowered afterwards: the budget waits for the pod that
    it misses, until another one is touched."""
    running(cluster, replicas=4)
    _guard(cluster, maxUnavailable=1)
    _wait_counted(cluster, healthy=4, expected=4)
    hold(cluster, "web", 4)
    before, (chosen, other, *_) = uids(cluster), _names(cluster)
    assert _evict(cluster, chosen).status == 201
    missed = _wait_counted(cluster, healthy=3, expected=4)
    assert (missed["desiredHealthy"], missed["disruptionsAllowed"]) == (3, 0)
    assert _evict(cluster, other).status == 429

    cluster.wait(lambda: status(cluster)["replicas"] == 3, "the controller misses the pod as well")
    cluster.wait(lambda: chosen not in _names(cluster), "the pod is gone")
    _let_it_look(cluster)
    cluster.scale("web", 3)
    cluster.wait(lambda: observed(cluster, "web"), "its size is seen")
    time.sleep(A_WHILE)
    assert _status(cluster) == missed
    assert _evict(cluster, other).status == 429

    _touch(cluster, other)
    assert _wait_counted(cluster, healthy=3, expected=3)["disruptionsAllowed"] == 1
    assert chosen not in _names(cluster)
    of_web = {pod["metadata"]["uid"] for pod in cluster.pods() if pod["metadata"]["name"] != "last"}
    assert of_web < before, "nobody else went, and nobody came"


def test_an_evicted_pod_is_replaced(cluster: Wire) -> None:
    """Unless its controller is held. The one that is named goes, no other."""
    running(cluster, replicas=2)
    _guard(cluster, minAvailable=1)
    _wait_counted(cluster, healthy=2, expected=2)
    chosen, stays = cluster.pods()
    assert _evict(cluster, chosen["metadata"]["name"]).status == 201
    cluster.wait(lambda: len(uids(cluster) - {chosen["metadata"]["uid"]}) == 2, "another pod is there")
    assert stays["metadata"]["uid"] in uids(cluster)
    cluster.wait_available("web", 2)
    assert _wait_counted(cluster, healthy=2, expected=2)["disruptionsAllowed"] == 1


def test_an_eviction_is_counted_before_the_pod_goes(cluster: Wire) -> None:
    """In one write of its budget's status: one fewer is allowed, and one pod is expected to go. The healthy
    pods are counted later."""
    running(cluster, replicas=3)
    _guard(cluster, minAvailable=1)
    _wait_counted(cluster, healthy=3, expected=3)
    start, chosen = version(cluster, BUDGETS), _names(cluster)[0]
    assert _evict(cluster, chosen).status == 201
    cluster.wait(lambda: chosen not in _names(cluster), "the pod goes")
    _wait_counted(cluster, healthy=3, expected=3)
    first = cluster.past_events(BUDGETS, start)[0]["object"]["status"]
    assert list(first["disruptedPods"]) == [chosen]
    assert (first["disruptionsAllowed"], first["currentHealthy"]) == (1, 3)


def test_evictions_at_once_are_no_more_than_are_allowed(cluster: Wire) -> None:
    """Whether the pods are counted in between or not."""
    running(cluster, replicas=5)
    _guard(cluster, minAvailable=3)
    _wait_counted(cluster, healthy=5, expected=5)
    hold(cluster, "web", 5)
    assert [_evict(cluster, name).status for name in _names(cluster)] == [201, 201, 429, 429, 429]
    assert _wait_counted(cluster, healthy=3, expected=3)["disruptionsAllowed"] == 0


def test_pods_that_are_not_ready_may_go_if_the_others_suffice(cluster: Wire) -> None:
    """Where healthy ones are missing none may go, however broken it is."""
    running(cluster, replicas=2)
    broken = my_nginx("broken", image="never-ready", replicas=2, selector=True, labels={"version": "broken"})
    cluster.create(broken)
    cluster.wait(lambda: len(cluster.pods()) == 4, "there are four")
    _guard(cluster, minAvailable=3)
    _wait_counted(cluster, healthy=2, expected=4)
    hold(cluster, "broken", 2)
    chosen, _ = (name for name in _names(cluster) if name.startswith("broken"))
    cluster.wait(lambda: _phase(cluster, chosen) == "Running", "it runs")
    assert _evict(cluster, chosen).status == 429

    cluster.merge("guard", {"spec": {"minAvailable": 2}}, BUDGETS)
    cluster.wait(lambda: observed(cluster, "guard", BUDGETS), "the budget is observed")
    assert _evict(cluster, chosen).status == 201
    assert _wait_counted(cluster, healthy=2, expected=3)["disruptionsAllowed"] == 0


def _phase(cluster: Wire, name: str) -> str:
    return str(cluster.controller(name, "pods")["status"]["phase"])


@pytest.mark.parametrize("labels", [{"app": "other"}, {"app": None}])
def test_a_pod_that_leaves_by_its_labels_is_not_missed(cluster: Wire, labels: Json) -> None:
    """Not until something else of the budget changes: it is looked for by the labels that the pod has now."""
    for name in ("one", "two"):
        cluster.create(_lone(name))
    _guard(cluster, minAvailable=1)
    _wait_counted(cluster, healthy=2, expected=2)
    _let_it_look(cluster)
    cluster.merge("one", {"metadata": {"labels": labels}}, "pods")
    time.sleep(A_WHILE)
    assert _status(cluster)["expectedPods"] == 2
    _touch(cluster, "two")
    assert _wait_counted(cluster, healthy=1, expected=1)["disruptionsAllowed"] == 0


def _lone(name: str) -> Json:
    template = my_nginx()["spec"]["template"]
    return {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {**template["metadata"], "name": name}}


def test_discovery_names_an_eviction_that_is_accepted(cluster: Wire) -> None:
    """In which version is a matter of the release, for pods and budgets."""
    found = cluster.call("GET", "/api/v1")["resources"]
    (told,) = (entry for entry in found if entry["name"] == "pods/eviction")
    assert (told["kind"], told["group"], told["verbs"]) == ("Eviction", "policy", ["create"])
    cluster.create(_lone("lone"))
    body = {
        "apiVersion": f"{told['group']}/{told['version']}",
        "kind": told["kind"],
        "metadata": {"name": "lone"},
    }
    assert cluster.send(Ask("POST", "pods/lone/eviction", body)).status == 201
