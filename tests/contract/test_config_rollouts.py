"""Rollouts of DeploymentConfigs: what begins one, its phases, what is done meanwhile. The same on both."""

from __future__ import annotations

import json
from typing import Any

import pytest

from testing.namespace import CONFIGS
from testing.objects import Json
from testing.openshift import names
from tests.contract.apps import images, template
from tests.contract.configs import (
    World,
    annotate,
    change,
    get,
    phases,
    rolled_out,
    seen,
    set_image,
    set_phase,
    sizes,
    status,
)
from tests.contract.story import condition, observed
from tests.contract.wire import Wire
from tests.support.openshift import config_of

_TAG = {"kind": "ImageStreamTag", "name": "web:latest", "namespace": "default"}


def _by_image(**parameters: Any) -> Json:
    trigger = {"automatic": True, "containerNames": ["nginx"], "from": _TAG, **parameters}
    return {"type": "ImageChange", "imageChangeParams": trigger}


def _reached(cluster: Wire, phase: str, controller: str = "web-1") -> None:
    cluster.wait(lambda: phases(cluster).get(controller) == phase, f"{controller} is {phase}")


def _progress(cluster: Wire) -> Json:
    return condition(get(cluster), "Progressing") or {}


def test_a_rollout_is_a_controller_that_says_what_it_is_of(openshift: World) -> None:
    cluster = openshift.cluster
    manifest = config_of()
    manifest["metadata"]["labels"] = {"team": "a"}
    cluster.create(manifest)
    made = rolled_out(cluster)

    metadata, pods = made["metadata"], made["spec"]["template"]["metadata"]
    marked = {"app": "nginx", "deployment": "web-1", "deploymentconfig": "web"}
    assert metadata["labels"] == {"team": "a", names.CONFIG: "web"}
    assert (made["spec"]["selector"], pods["labels"]) == (marked, marked)
    assert pods["annotations"] == {
        names.CONFIG: "web",
        names.LATEST_VERSION: "1",
        names.DEPLOYMENT_NAME: "web-1",
    }
    encoded = json.loads(metadata["annotations"].pop(names.ENCODED))
    assert (encoded["kind"], encoded["spec"]["template"]) == (names.KIND, get(cluster)["spec"]["template"])
    assert metadata["annotations"] == {
        names.CONFIG: "web",
        names.LATEST_VERSION: "1",
        names.PHASE: names.COMPLETE,
        names.REASON: "config change",
        names.REPLICAS: "2",
        names.DESIRED: "2",
        names.DEPLOYER_POD: "web-1-deploy",
    }
    (reference,) = metadata["ownerReferences"]
    assert (reference["apiVersion"], reference["kind"]) == (names.VERSION, names.KIND)
    assert (reference["controller"], reference["blockOwnerDeletion"]) == (True, True)
    assert status(cluster)["details"] == {"message": "config change", "causes": [{"type": "ConfigChange"}]}


def test_a_rollout_goes_through_its_phases(openshift: World) -> None:
    """Nothing is observed meanwhile, and sizes are left to the rollout."""
    cluster = openshift.cluster
    cluster.create(config_of(comes_to=names.NEW))
    _reached(cluster, names.NEW)
    cluster.wait(lambda: observed(cluster, "web", CONFIGS), "it was observed when the controller was made")
    change(cluster, replicas=1)
    annotate(cluster, "web", names.COMES_TO, names.RUNNING, CONFIGS)
    _reached(cluster, names.RUNNING)
    told = get(cluster)
    assert (sizes(cluster), told["status"]["latestVersion"]) == ({"web-1": 0}, 1)
    assert told["status"]["observedGeneration"] == told["metadata"]["generation"] - 1
    set_phase(cluster, "web-1", names.COMPLETE)
    rolled_out(cluster)
    assert sizes(cluster) == {"web-1": 1}


@pytest.mark.parametrize("triggers", [None, [{"type": "ConfigChange"}]], ids=["null", "ConfigChange"])
def test_a_changed_template_begins_a_rollout(openshift: World, triggers: list[Json] | None) -> None:
    """Without triggers that is what a config has; another change of it does not."""
    cluster = openshift.cluster
    cluster.create(config_of(triggers=triggers))
    rolled_out(cluster)
    assert get(cluster)["spec"]["triggers"] == [{"type": "ConfigChange"}]
    change(cluster, strategy={"type": "Recreate"}, replicas=1)
    rolled_out(cluster)
    set_image(cluster, "nginx:1.9.1")
    rolled_out(cluster, 2)
    assert images(cluster.pods()) == ["nginx:1.9.1"]


def test_no_triggers_begin_nothing(openshift: World) -> None:
    """Not even the first rollout, unless somebody asks for it by a version."""
    cluster = openshift.cluster
    cluster.create(config_of(triggers=[]))
    cluster.wait(lambda: observed(cluster, "web", CONFIGS), "it is seen")
    assert (status(cluster)["latestVersion"], sizes(cluster)) == (0, {})
    cluster.client.patch(f"{cluster.path(CONFIGS, 'web')}/status", {"status": {"latestVersion": 1}})
    rolled_out(cluster)
    set_image(cluster, "nginx:1.9.1")
    seen(cluster)
    assert sizes(cluster) == {"web-1": 2}


def test_a_new_image_begins_a_rollout(openshift: World) -> None:
    """The first one waits for the image to be known."""
    cluster = openshift.cluster
    cluster.create(config_of(triggers=[_by_image()]))
    cluster.wait(lambda: observed(cluster, "web", CONFIGS), "it is seen")
    assert sizes(cluster) == {}
    change(cluster, triggers=[_by_image(lastTriggeredImage="nginx:1.7.9")])
    rolled_out(cluster)
    change(cluster, template=template("nginx:1.9.1"), triggers=[_by_image(lastTriggeredImage="nginx:1.9.1")])
    made = rolled_out(cluster, 2)
    assert made["metadata"]["annotations"][names.REASON] == "image change"


def test_a_rollout_that_failed_leaves_the_pods_as_they_are(openshift: World) -> None:
    """The one before stays the one that has them; the next one is a version further."""
    cluster = openshift.cluster
    cluster.create(config_of())
    rolled_out(cluster)
    annotate(cluster, "web", names.COMES_TO, names.FAILED, CONFIGS)
    set_image(cluster, "nginx:1.9.1")
    _reached(cluster, names.FAILED, "web-2")
    cluster.wait(lambda: _progress(cluster).get("reason") == "ProgressDeadlineExceeded", "it says so")
    assert observed(cluster, "web", CONFIGS)
    assert sizes(cluster) == {"web-1": 2, "web-2": 0}
    cluster.scale("web-1", 1)
    cluster.wait(lambda: sizes(cluster) == {"web-1": 2, "web-2": 0}, "the complete one is active")

    annotate(cluster, "web", names.COMES_TO, None, CONFIGS)
    set_image(cluster, "nginx:1.9.2")
    rolled_out(cluster, 3)
    assert sizes(cluster) == {"web-1": 0, "web-2": 0, "web-3": 2}


def test_a_rollout_that_is_cancelled_fails(openshift: World) -> None:
    cluster = openshift.cluster
    cluster.create(config_of(comes_to=names.PENDING))
    _reached(cluster, names.PENDING)
    annotate(cluster, "web-1", names.CANCELLED, "true")
    _reached(cluster, names.FAILED)
    told = 'rollout of replication controller "web-1" was cancelled'
    cluster.wait(lambda: _progress(cluster).get("message") == told, "it says so")


def test_a_newer_rollout_cancels_the_one_under_way(openshift: World) -> None:
    """And begins when that has ended."""
    cluster = openshift.cluster
    cluster.create(config_of(comes_to=names.PENDING))
    _reached(cluster, names.PENDING)
    with openshift.held():
        set_phase(cluster, "web-1", names.RUNNING)
        set_image(cluster, "nginx:1.9.1")
        status_path = f"{cluster.path(CONFIGS, 'web')}/status"
        cluster.client.patch(status_path, {"status": {"latestVersion": 2}})
        annotate(cluster, "web", names.COMES_TO, names.RUNNING, CONFIGS)
    _reached(cluster, names.FAILED, "web-1")
    _reached(cluster, names.RUNNING, "web-2")
    annotate(cluster, "web", names.COMES_TO, None, CONFIGS)
    rolled_out(cluster, 2)


def test_old_rollouts_are_forgotten_beyond_the_limit(openshift: World) -> None:
    cluster = openshift.cluster
    cluster.create(config_of(revisionHistoryLimit=1, replicas=1))
    for version, image in enumerate(("nginx:1.7.9", "nginx:1.9.1", "nginx:1.9.2"), start=1):
        set_image(cluster, image)
        rolled_out(cluster, version)
    cluster.wait(lambda: sizes(cluster) == {"web-2": 0, "web-3": 1}, "the oldest is deleted")
