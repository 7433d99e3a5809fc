"""What the controller of DeploymentConfigs does to ReplicationControllers. The same on both clusters.

It is a stand-in of OpenShift's; each story is something that was tried with OpenShift's own.
"""

from __future__ import annotations

from testing.namespace import CONFIGS
from testing.openshift import names
from tests.contract.configs import (
    World,
    change,
    get,
    owner,
    phases,
    rolled_out,
    seen,
    set_image,
    sizes,
    status,
)
from tests.contract.story import HOLD, observed, owners, uids
from tests.contract.wire import Wire
from tests.support.openshift import config_of

_NOTHING = {"deployment": "none"}


def _two(cluster: Wire) -> None:
    """Two rollouts, of which the second has the pods."""
    cluster.create(config_of())
    rolled_out(cluster)
    set_image(cluster, "nginx:1.9.1")
    rolled_out(cluster, 2)
    assert sizes(cluster) == {"web-1": 0, "web-2": 2}


def test_sizes_that_somebody_sets_are_taken_back(openshift: World) -> None:
    """The controller of the last complete rollout has the config's size, all others none."""
    cluster = openshift.cluster
    _two(cluster)
    for name, size in (("web-2", 3), ("web-1", 1), ("web-2", 0)):
        cluster.scale(name, size)
        cluster.wait(lambda: sizes(cluster) == {"web-1": 0, "web-2": 2}, f"{name} has its size again")
    cluster.settle()
    assert status(cluster)["latestVersion"] == 2


def test_a_paused_config_leaves_sizes_alone(openshift: World) -> None:
    """Its own size is not passed on either, until it goes on."""
    cluster = openshift.cluster
    cluster.create(config_of())
    rolled_out(cluster)
    change(cluster, paused=True)
    cluster.wait(lambda: observed(cluster, "web", CONFIGS), "it is paused")
    cluster.scale("web-1", 3)
    cluster.wait_available("web-1", 3)
    change(cluster, replicas=1)
    set_image(cluster, "nginx:1.9.1")
    seen(cluster)
    assert sizes(cluster) == {"web-1": 3}
    assert status(cluster)["latestVersion"] == 1

    set_image(cluster, "nginx:1.7.9")
    change(cluster, paused=False)
    cluster.wait(lambda: sizes(cluster) == {"web-1": 1}, "it has the config's size")


def test_a_paused_config_forgets_old_rollouts_all_the_same(openshift: World) -> None:
    """Of those that have no pods, what is beyond its limit."""
    cluster = openshift.cluster
    _two(cluster)
    change(cluster, paused=True, revisionHistoryLimit=0)
    cluster.wait(lambda: sizes(cluster) == {"web-2": 2}, "the old one is deleted")


def test_an_edit_of_the_template_of_a_controller_means_nothing(openshift: World) -> None:
    """A change is found by comparing the config with the copy that the controller has in an annotation."""
    cluster = openshift.cluster
    cluster.create(config_of())
    rolled_out(cluster)
    before = uids(cluster)
    cluster.merge("web-1", {"spec": {"template": {"spec": {"priorityClassName": HOLD}}}})
    seen(cluster)
    assert (sizes(cluster), uids(cluster)) == ({"web-1": 2}, before)
    assert status(cluster)["latestVersion"] == 1
    assert cluster.controller("web-1")["spec"]["template"]["spec"]["priorityClassName"] == HOLD


def test_a_controller_that_loses_its_owner_is_adopted_again(openshift: World) -> None:
    """By the label with the config's name. One that loses the label is released."""
    cluster = openshift.cluster
    cluster.create(config_of())
    reference = rolled_out(cluster)["metadata"]["ownerReferences"]
    cluster.merge("web-1", {"metadata": {"ownerReferences": None}})
    cluster.wait(lambda: owner(cluster, "web-1") == "DeploymentConfig/web", "it has its owner again")
    assert cluster.controller("web-1")["metadata"]["ownerReferences"] == reference

    change(cluster, paused=True)
    cluster.merge("web-1", {"metadata": {"labels": {names.CONFIG: None}}})
    cluster.wait(lambda: not owner(cluster, "web-1"), "it is released")


def test_a_config_that_is_deleted_alone_leaves_its_controller(openshift: World) -> None:
    """With its size and its pods. The same config, made again, adopts it: nothing is rolled out."""
    cluster = openshift.cluster
    _two(cluster)
    before = uids(cluster)
    cluster.delete("web", CONFIGS, "Orphan")
    cluster.wait(lambda: not cluster.objects(CONFIGS), "the config is deleted")
    cluster.wait(lambda: not owner(cluster, "web-2"), "the controller has no owner")
    assert (sizes(cluster), uids(cluster)) == ({"web-1": 0, "web-2": 2}, before)

    cluster.create(config_of(image="nginx:1.9.1", replicas=3))
    cluster.wait(lambda: owner(cluster, "web-2") == "DeploymentConfig/web", "it is adopted")
    rolled_out(cluster, 2)
    assert sizes(cluster) == {"web-1": 0, "web-2": 3}
    assert before < uids(cluster)


def test_a_config_that_is_deleted_takes_its_controllers_along(openshift: World) -> None:
    """And not the pods that these have given away."""
    cluster = openshift.cluster
    _two(cluster)
    before = uids(cluster)
    change(cluster, paused=True, replicas=0)
    cluster.wait(lambda: observed(cluster, "web", CONFIGS), "it is paused")
    template = {"metadata": {"labels": _NOTHING}}
    cluster.merge("web-2", {"spec": {"replicas": 0, "selector": _NOTHING, "template": template}})
    cluster.wait(lambda: not owners(cluster), "the pods are of nobody")
    cluster.delete("web", CONFIGS)
    cluster.wait(lambda: not cluster.controllers(), "the controllers go")
    assert uids(cluster) == before
    cluster.call("DELETE", cluster.path("pods"))


def test_a_config_that_is_deleted_takes_its_pods_along(openshift: World) -> None:
    cluster = openshift.cluster
    cluster.create(config_of())
    rolled_out(cluster)
    cluster.delete("web", CONFIGS)
    cluster.wait(lambda: not cluster.pods() and not cluster.controllers(), "all of it goes")


def test_a_controller_that_is_held_does_what_is_left_later(openshift: World) -> None:
    """As one that lags behind."""
    cluster = openshift.cluster
    cluster.create(config_of())
    rolled_out(cluster)
    with openshift.held():
        change(cluster, replicas=3)
        set_image(cluster, "nginx:1.9.1")
        cluster.scale("web-1", 1)
        cluster.wait_available("web-1", 1)
        assert get(cluster)["status"]["observedGeneration"] < get(cluster)["metadata"]["generation"]
    rolled_out(cluster, 2)
    assert sizes(cluster) == {"web-1": 0, "web-2": 3}


def test_the_scale_of_a_config_is_its_size(openshift: World) -> None:
    cluster = openshift.cluster
    cluster.create(config_of())
    rolled_out(cluster)
    path = f"{cluster.path(CONFIGS, 'web')}/scale"
    assert cluster.client.get(path)["status"] == {"replicas": 2}
    cluster.client.patch(path, {"spec": {"replicas": 1}})
    cluster.wait(lambda: status(cluster)["replicas"] == 1, "one pod is left")
    assert phases(cluster) == {"web-1": names.COMPLETE}
