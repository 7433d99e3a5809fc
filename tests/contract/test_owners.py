"""Stories of who owns pods: adopted, released, handed over. The same on both kinds of cluster."""

from __future__ import annotations

from tests.contract.case import REVS, revision
from tests.contract.story import (
    give,
    owner_uids,
    owners,
    plain,
    reference,
    relabel,
    running,
    status,
    uids,
    version,
)
from tests.contract.wire import Wire
from tests.support.manifests import my_nginx

_LET_GO = {
    "spec": {"replicas": 0, "selector": {"rest": "x"}, "template": {"metadata": {"labels": {"rest": "x"}}}}
}


def test_a_controller_adopts_pods_that_match(cluster: Wire) -> None:
    """Orphans count for a new controller: it makes none, and is their owner from then on."""
    running(cluster, "before")
    before = uids(cluster)
    cluster.delete("before", policy="Orphan")
    cluster.wait(lambda: not owners(cluster) and not cluster.controllers(), "the pods are orphans")

    web = running(cluster, "web")

    assert uids(cluster) == before
    assert owners(cluster) == [reference(web)] * 2


def test_a_controller_does_not_adopt_what_another_owns(cluster: Wire) -> None:
    """Not even where the selector matches."""
    running(cluster, "first", 1)
    running(cluster, "second", 1)
    assert len(uids(cluster)) == 2
    assert len(owner_uids(cluster)) == 2


def test_a_controller_adopts_pods_that_have_other_owners(cluster: Wire) -> None:
    """Owners that do not control them: the controller is one more. It is none if it is an owner already: then
    it controls them again."""
    other = cluster.create(my_nginx("other", replicas=0, labels={"deployment": "other"}, selector=True))
    web = running(cluster)
    before = uids(cluster)
    one, two = cluster.pods()
    give(cluster, one, {"$patch": "delete", "uid": web["metadata"]["uid"]}, plain(other))
    give(cluster, two, {"uid": web["metadata"]["uid"], "controller": None}, plain(other))
    cluster.wait(lambda: owners(cluster).count(reference(web)) == 2, "both are adopted")
    cluster.wait_available("web", 2)
    assert uids(cluster) == before
    assert len(owners(cluster)) == 4
    assert owners(cluster).count(plain(other)) == 2


def test_a_controller_releases_pods_that_have_other_owners(cluster: Wire) -> None:
    """From itself alone."""
    other = cluster.create(my_nginx("other", replicas=0, labels={"deployment": "other"}, selector=True))
    running(cluster)
    before = uids(cluster)
    for pod in cluster.pods():
        give(cluster, pod, plain(other))
    cluster.merge("web", _LET_GO)
    cluster.wait(lambda: owners(cluster) == [plain(other)] * 2, "the pods are released")
    cluster.settle()
    assert uids(cluster) == before


def test_a_selector_that_does_not_match_any_more_releases_pods(cluster: Wire) -> None:
    """They run on, without an owner; nothing is made for a controller of size 0."""
    running(cluster)
    before = uids(cluster)
    cluster.merge("web", _LET_GO)
    cluster.wait(lambda: not owners(cluster) and cluster.settled(), "the pods are released")
    assert uids(cluster) == before
    assert status(cluster) == {"replicas": 0, "observedGeneration": 2}


def test_pods_are_handed_over_without_a_gap(cluster: Wire) -> None:
    """One controller lets go, the other takes over: the watch of the pods tells of no birth and no death."""
    running(cluster, "new", 3, labels={"deployment": "b"}, image="nginx:1.9.1")
    cluster.create(my_nginx("old", replicas=0, labels={"deployment": "a"}, selector=True))
    cluster.settle()
    before, start = uids(cluster), version(cluster)

    cluster.merge("new", _LET_GO)
    cluster.wait(lambda: cluster.settled() and not owners(cluster), "new has let go")
    labels = {"app": "nginx", "deployment": "b"}
    cluster.merge(
        "old", {"spec": {"replicas": 3, "selector": labels, "template": {"metadata": {"labels": labels}}}}
    )
    cluster.wait_available("old", 3)
    cluster.delete("new")

    assert uids(cluster) == before
    assert owners(cluster) == [reference(cluster.controller("old"))] * 3
    events = cluster.past_events("pods", start)
    assert {event["type"] for event in events} == {"MODIFIED"}
    assert len(events) == 6, "each pod was released once and adopted once"


def test_a_pod_that_loses_its_label_is_replaced(cluster: Wire) -> None:
    """It is released and runs on; when it gets its label back there is one too many."""
    running(cluster)
    stray = cluster.pods()[0]
    relabel(cluster, stray, {"app": None})
    cluster.wait(lambda: len(uids(cluster)) == 3 and len(owners(cluster)) == 2, "another pod is made")
    assert stray["metadata"]["uid"] in uids(cluster)
    cluster.wait_available("web", 2)

    relabel(cluster, stray, {"app": "nginx"})
    cluster.wait(lambda: len(uids(cluster)) == 2, "one is deleted")
    cluster.wait_available("web", 2)


def test_a_changed_template_touches_no_pod(cluster: Wire) -> None:
    """A new label or image in the template is for pods to come. Those there are only not fully labelled."""
    running(cluster)
    start = version(cluster)
    container = {"name": "nginx", "image": "nginx:2"}
    template = {"metadata": {"labels": {"more": "x"}}, "spec": {"containers": [container]}}
    cluster.merge("web", {"spec": {"template": template}})
    cluster.wait(lambda: "fullyLabeledReplicas" not in status(cluster), "the status says so")

    assert cluster.past_events("pods", start) == []
    assert status(cluster) == {
        "replicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "observedGeneration": 2,
    }


def test_a_label_for_pods_is_counted(cluster: Wire) -> None:
    """Label the template, then the pods, then the selector, as a first update does."""
    running(cluster)
    before, label = uids(cluster), {"deployment": "a"}
    cluster.merge("web", {"spec": {"template": {"metadata": {"labels": label}}}})
    cluster.settle()
    for pod in cluster.pods():
        relabel(cluster, pod, {**label})
    cluster.wait(lambda: status(cluster).get("fullyLabeledReplicas") == 2, "both pods are labelled")
    cluster.merge("web", {"spec": {"selector": label}})
    cluster.settle()
    assert uids(cluster) == before
    assert status(cluster)["availableReplicas"] == 2
    assert len(owners(cluster)) == 2


def test_revisions_go_with_the_controller_that_owns_them(cluster: Wire) -> None:
    """Those of another one stay, and one whose owner is gone already goes at once."""
    for name in ("first", "second"):
        owner = reference(cluster.create(my_nginx(name, replicas=0)))
        cluster.call("POST", cluster.path(REVS), revision(f"{name}-1", metadata={"ownerReferences": [owner]}))
    gone = reference(cluster.controller("first"))
    cluster.delete("first")

    def names() -> list[str]:
        return [each["metadata"]["name"] for each in cluster.revisions()]

    cluster.wait(lambda: names() == ["second-1"], "the revision of first goes")
    cluster.call("POST", cluster.path(REVS), revision("first-2", metadata={"ownerReferences": [gone]}))
    cluster.wait(lambda: names() == ["second-1"], "one that comes too late goes as well")
