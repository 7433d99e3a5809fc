"""Stories of Deployments: what they make, roll out, keep and leave. The same on both clusters."""

from __future__ import annotations

import time

from testing.namespace import DEPLOYMENTS, REPLICA_SETS
from tests.contract.apps import (
    A_WHILE,
    HASH,
    REVISION,
    deployment,
    images,
    owner_of,
    progress,
    replica_set,
    revisions,
    rolled_out,
    seen,
    set_image,
    sizes,
)
from tests.contract.story import (
    HOLD,
    condition,
    failure,
    observed,
    owner_uids,
    owners,
    reference,
    status,
    uids,
    version,
)
from tests.contract.wire import Wire

_OLD, _NEW = "nginx:1.7.9", "nginx:1.9.1"


def test_a_deployment_makes_a_replica_set_and_that_its_pods(cluster: Wire) -> None:
    """Each knows whose it is, and by the hash of the template what."""
    created = cluster.create(deployment())
    web = rolled_out(cluster)
    (found,) = cluster.objects(REPLICA_SETS).values()
    hashed = found["metadata"]["labels"][HASH]
    assert found["metadata"]["name"] == f"web-{hashed}"
    assert found["metadata"]["ownerReferences"] == [reference(created)]
    assert found["metadata"]["annotations"] == {
        REVISION: "1",
        "deployment.kubernetes.io/desired-replicas": "2",
        "deployment.kubernetes.io/max-replicas": "3",
    }
    assert found["spec"]["selector"] == {"matchLabels": {"app": "nginx", HASH: hashed}}
    assert owners(cluster) == [reference(cluster.controller(f"web-{hashed}", REPLICA_SETS))] * 2
    assert {pod["metadata"]["labels"][HASH] for pod in cluster.pods()} == {hashed}
    assert web["metadata"]["annotations"] == {REVISION: "1"}
    told = {key: value for key, value in web["status"].items() if key != "conditions"}
    assert told == {
        "observedGeneration": 1,
        "replicas": 2,
        "updatedReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
    }
    assert [
        (each["type"], each["status"], each["reason"], each["message"])
        for each in web["status"]["conditions"]
    ] == [
        ("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
        (
            "Progressing",
            "True",
            "NewReplicaSetAvailable",
            f'ReplicaSet "web-{hashed}" has successfully progressed.',
        ),
    ]


def test_another_template_is_rolled_out_and_back(cluster: Wire) -> None:
    """The old ReplicaSet stays, empty. With its template again, it is the new one, of another number."""
    cluster.create(deployment())
    rolled_out(cluster)
    before = uids(cluster)
    set_image(cluster, _NEW)
    rolled_out(cluster)
    assert not before & uids(cluster)
    assert (sizes(cluster), revisions(cluster)) == ({_OLD: 0, _NEW: 2}, {_OLD: "1", _NEW: "2"})
    assert images(cluster.pods()) == [_NEW] * 2

    set_image(cluster, _OLD)
    web = rolled_out(cluster)
    assert (sizes(cluster), revisions(cluster)) == ({_OLD: 2, _NEW: 0}, {_OLD: "3", _NEW: "2"})
    assert web["metadata"]["annotations"][REVISION] == "3"
    (old,) = (found for found in cluster.objects(REPLICA_SETS).values() if found["spec"]["replicas"])
    assert old["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"


def test_what_is_no_template_rolls_nothing_out(cluster: Wire) -> None:
    """A size, seconds, an annotation: the ReplicaSet gets them, the pods stay."""
    cluster.create(deployment())
    rolled_out(cluster)
    before = uids(cluster)
    annotations = {"kubernetes.io/change-cause": "because"}
    cluster.merge("web", {"metadata": {"annotations": annotations}}, DEPLOYMENTS)
    cluster.merge("web", {"spec": {"minReadySeconds": 1, "replicas": 3}}, DEPLOYMENTS)
    rolled_out(cluster)
    (found,) = cluster.objects(REPLICA_SETS).values()
    assert found["spec"]["minReadySeconds"] == 1
    assert found["metadata"]["annotations"]["kubernetes.io/change-cause"] == "because"
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/desired-replicas"] == "3"
    assert before < uids(cluster)


def test_pods_are_recreated_if_they_are_to_be(cluster: Wire) -> None:
    """No new pod is there as long as an old one is."""
    cluster.create(deployment(strategy={"type": "Recreate"}))
    rolled_out(cluster)
    start = version(cluster)
    set_image(cluster, _NEW)
    rolled_out(cluster)
    assert images(cluster.pods()) == [_NEW] * 2
    told = [event["type"] for event in cluster.past_events("pods", start)]
    assert told.index("ADDED") > max(index for index, kind in enumerate(told) if kind == "DELETED")


def test_a_paused_deployment_makes_nothing_but_is_scaled(cluster: Wire) -> None:
    """It is neither late nor done; resumed, it goes on."""
    cluster.create(deployment())
    rolled_out(cluster)
    before = uids(cluster)
    cluster.merge("web", {"spec": {"paused": True}}, DEPLOYMENTS)
    cluster.wait(lambda: progress(cluster) == "DeploymentPaused", "it is paused")
    set_image(cluster, _NEW)
    told = seen(cluster, "web")
    assert "updatedReplicas" not in told
    cluster.merge("web", {"spec": {"replicas": 3}}, DEPLOYMENTS)
    cluster.wait(lambda: sizes(cluster) == {_OLD: 3}, "the only ReplicaSet is scaled")
    cluster.wait(lambda: len(uids(cluster)) == 3, "and has a pod more")
    assert before < uids(cluster)

    cluster.merge("web", {"spec": {"paused": False}}, DEPLOYMENTS)
    rolled_out(cluster)
    assert sizes(cluster) == {_OLD: 0, _NEW: 3}


def test_scaled_half_way_each_replica_set_has_its_share(cluster: Wire) -> None:
    """Paused in the middle of a rollout, of which the new pods never come."""
    limits = {"rollingUpdate": {"maxSurge": 2, "maxUnavailable": 2}}
    cluster.create(deployment(replicas=6, strategy=limits))
    rolled_out(cluster)
    held = {"spec": {"priorityClassName": HOLD, "containers": [{"name": "nginx", "image": _NEW}]}}
    cluster.merge("web", {"spec": {"template": held}}, DEPLOYMENTS)
    cluster.wait(lambda: sizes(cluster) == {_OLD: 4, _NEW: 4}, "some old pods are gone, no new one came")
    cluster.merge("web", {"spec": {"paused": True}}, DEPLOYMENTS)
    cluster.wait(lambda: progress(cluster) == "DeploymentPaused", "it is paused")
    cluster.merge("web", {"spec": {"replicas": 10}}, DEPLOYMENTS)
    cluster.wait(lambda: sizes(cluster) == {_OLD: 6, _NEW: 6}, "both are scaled up")
    cluster.merge("web", {"spec": {"replicas": 1}}, DEPLOYMENTS)
    # Which has one more is a matter of what the manager's cache knew.
    cluster.wait(lambda: sorted(sizes(cluster).values()) == [1, 2], "both are scaled down")


def test_a_rollout_without_pods_is_late(cluster: Wire) -> None:
    """It says why; the old pods stay, as many as it takes."""
    cluster.create(deployment(progressDeadlineSeconds=2))
    rolled_out(cluster)
    before = uids(cluster)
    held = {"spec": {"priorityClassName": HOLD}}
    cluster.merge("web", {"spec": {"template": held}}, DEPLOYMENTS)
    cluster.wait(lambda: HOLD in failure(cluster, "web", DEPLOYMENTS), "it says that pods are refused")
    cluster.wait(lambda: progress(cluster) == "ProgressDeadlineExceeded", "it is late")
    web = cluster.controller("web", DEPLOYMENTS)
    late, available = (condition(web, kind) or {} for kind in ("Progressing", "Available"))
    assert (late["status"], available["status"]) == ("False", "True")
    assert late["message"].endswith("has timed out progressing.")
    assert web["status"]["unavailableReplicas"] == 1
    assert uids(cluster) == before


def test_history_is_kept_as_far_as_it_is_wanted(cluster: Wire) -> None:
    """The oldest empty ReplicaSets go, once a rollout is done."""
    cluster.create(deployment(replicas=1, revisionHistoryLimit=1))
    rolled_out(cluster)
    for image in (_NEW, "nginx:2", "nginx:3"):
        time.sleep(A_WHILE)  # of ReplicaSets of one second none is the older one
        set_image(cluster, image)
        rolled_out(cluster)
    cluster.wait(lambda: sizes(cluster) == {"nginx:2": 0, "nginx:3": 1}, "one old ReplicaSet is kept")
    assert revisions(cluster) == {"nginx:2": "3", "nginx:3": "4"}


def test_a_name_that_is_taken_is_not_used(cluster: Wire) -> None:
    """By a ReplicaSet of another template: the next name is another."""
    cluster.create(deployment(paused=True))
    seen(cluster, "web")
    cluster.create(deployment("other"))
    other = rolled_out(cluster, "other")
    (made,) = cluster.objects(REPLICA_SETS).values()
    taken = "web-" + made["metadata"]["labels"][HASH]
    squatter = replica_set(taken, image="nginx:2")
    squatter["metadata"]["labels"] = {"app": "squatter"}
    cluster.create(squatter)
    cluster.merge("web", {"spec": {"paused": False}}, DEPLOYMENTS)
    cluster.wait(lambda: status(cluster, "web", DEPLOYMENTS).get("collisionCount") == 1, "it is counted")
    rolled_out(cluster)
    assert len(cluster.objects(REPLICA_SETS)) == 3
    assert other["status"].get("collisionCount") is None


def test_an_orphaned_replica_set_keeps_its_pods(cluster: Wire) -> None:
    """And is adopted by another Deployment whose selector matches its labels."""
    cluster.create(deployment())
    rolled_out(cluster)
    before, (name,) = uids(cluster), cluster.objects(REPLICA_SETS)
    cluster.delete("web", DEPLOYMENTS, "Orphan")
    cluster.wait(lambda: not cluster.objects(DEPLOYMENTS), "the Deployment is gone")
    assert owner_of(cluster, name) == ""
    time.sleep(A_WHILE)
    assert uids(cluster) == before

    cluster.create(deployment("again"))
    rolled_out(cluster, "again")
    assert owner_of(cluster, name) == "Deployment/again"
    assert (uids(cluster), list(cluster.objects(REPLICA_SETS))) == (before, [name])


def test_a_deployment_goes_with_all_that_it_has(cluster: Wire) -> None:
    """In the background and in the foreground."""
    for name, policy in (("web", "Background"), ("again", "Foreground")):
        cluster.create(deployment(name))
        rolled_out(cluster, name)
        cluster.delete(name, DEPLOYMENTS, policy)
        cluster.wait(lambda: not cluster.pods(), "the pods are gone")
        cluster.wait(lambda: not cluster.objects(REPLICA_SETS), "the ReplicaSet is gone")
        cluster.wait(lambda: not cluster.objects(DEPLOYMENTS), "the Deployment is gone")


def test_a_replica_set_by_itself(cluster: Wire) -> None:
    """It makes pods, adopts what matches and releases what does not, as a ReplicationController does."""
    web = cluster.create(replica_set("web", 2))
    cluster.wait(lambda: status(cluster, "web", REPLICA_SETS).get("availableReplicas") == 2, "it has pods")
    assert status(cluster, "web", REPLICA_SETS) == {
        "replicas": 2,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "observedGeneration": 1,
    }
    stray = cluster.pods()[0]["metadata"]["name"]
    cluster.merge(stray, {"metadata": {"labels": {"app": None}}}, "pods")
    cluster.wait(lambda: len(uids(cluster)) == 3 and len(owners(cluster)) == 2, "another pod is made")
    cluster.merge(stray, {"metadata": {"labels": {"app": "nginx"}}}, "pods")
    cluster.wait(lambda: len(uids(cluster)) == 2, "one is deleted")
    cluster.wait(lambda: observed(cluster, "web", REPLICA_SETS), "it is seen")
    assert owner_uids(cluster) == {web["metadata"]["uid"]}
    cluster.delete("web", REPLICA_SETS)
    cluster.wait(lambda: not cluster.pods(), "the pods go with it")
