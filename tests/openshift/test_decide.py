"""What the stand-in of the controller of DeploymentConfigs decides. tests/contract carries it out."""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest

from testing.objects import Json
from testing.openshift import names, status
from testing.openshift.decide import decide
from testing.openshift.seen import Config, Controller, Seen
from testing.openshift.steps import Create, Delete, Replace, Step, Tell
from tests.support.openshift import config_of

NOW, LATER = "2026-01-02T03:04:05Z", "2026-01-02T03:05:00Z"


@dataclass
class World:
    """A config and its controllers, as plain objects; steps are carried out without conditions."""

    config: Json
    controllers: dict[str, Json] = field(default_factory=dict)
    now: str = NOW
    steps: list[str] = field(default_factory=list)

    def decide(self) -> Step | None:
        controllers = tuple(Controller(copy.deepcopy(found)) for found in self.controllers.values())
        return decide(Seen(Config(copy.deepcopy(self.config)), controllers, self.now))

    def settle(self, *, available: bool = True) -> list[str]:
        """Carry out all there is to do; gives what that was. Pods are there, and available, at once."""
        self.steps = []
        self._count(available)
        while (step := self.decide()) is not None:
            self._carry_out(step)
            assert len(self.steps) < 100, self.steps
            self._count(available)
        return self.steps

    def _count(self, available: bool) -> None:
        for found in self.controllers.values():
            size = found["spec"]["replicas"]
            ready = {"readyReplicas": size, "availableReplicas": size} if available else {}
            found["status"] = {"replicas": size, **ready}

    def _carry_out(self, step: Step) -> None:
        match step:
            case Create(manifest, status):
                self.controllers[manifest["metadata"]["name"]] = copy.deepcopy(manifest)
                self.config["status"] = status
                self.steps.append(f"create {manifest['metadata']['name']}")
            case Replace(new):
                self.controllers[new["metadata"]["name"]] = new
                self.steps.append(f"replace {new['metadata']['name']}")
            case Delete(controller):
                del self.controllers[controller.name]
                self.steps.append(f"delete {controller.name}")
            case Tell(status):
                self.config["status"] = status
                self.steps.append("tell")

    def change(self, **spec: Any) -> None:
        self.config["spec"].update(spec)
        self.config["metadata"]["generation"] += 1

    def set_image(self, image: str) -> None:
        self.change(template=config_of(image=image)["spec"]["template"])

    def sizes(self) -> dict[str, int]:
        return {name: found["spec"]["replicas"] for name, found in self.controllers.items()}

    def phases(self) -> dict[str, str]:
        return {
            name: found["metadata"]["annotations"][names.PHASE] for name, found in self.controllers.items()
        }


def world(**spec: Any) -> World:
    """With what the API server fills in."""
    config = config_of(**{"triggers": [{"type": "ConfigChange"}], "revisionHistoryLimit": 10, **spec})
    config["metadata"] |= {"namespace": "ns", "uid": "u", "generation": 1, "resourceVersion": "1"}
    return World(config)


def rolled_out(*images: str, **spec: Any) -> World:
    """Through rollouts of those images."""
    found = world(image=images[0], **spec)
    found.settle()
    for image in images[1:]:
        found.set_image(image)
        found.settle()
    return found


def test_a_first_rollout_step_by_step() -> None:
    """The version is announced before its controller is made; the phases follow one by one."""
    found = world()
    first = found.decide()
    assert isinstance(first, Tell)
    assert (first.status["latestVersion"], first.status["observedGeneration"]) == (1, 0)
    steps = found.settle()
    assert steps[:2] == ["tell", "create web-1"]
    # Pending, Running, its size, Complete
    assert steps.count("replace web-1") == 4
    assert (found.sizes(), found.phases()) == ({"web-1": 2}, {"web-1": names.COMPLETE})
    assert found.config["status"]["observedGeneration"] == 1
    assert found.decide() is None


def test_what_is_settled_stays_so_whatever_the_time() -> None:
    """Conditions keep their times: nothing is told again."""
    found = rolled_out("a:1", "a:2")
    found.now = LATER
    assert found.decide() is None


@pytest.mark.parametrize("phase", [names.NEW, names.PENDING, names.RUNNING, names.FAILED, names.COMPLETE])
def test_a_rollout_stops_where_the_config_says(phase: str) -> None:
    found = world(comes_to=phase)
    found.settle()
    assert found.phases() == {"web-1": phase}
    assert found.sizes() == {"web-1": 2 if phase == names.COMPLETE else 0}


def test_a_rollout_waits_for_its_pods() -> None:
    """And is not observed meanwhile."""
    found = world()
    found.settle(available=False)
    assert (found.phases(), found.sizes()) == ({"web-1": names.RUNNING}, {"web-1": 2})
    found.change(replicas=3)
    found.settle(available=False)
    assert found.config["status"]["observedGeneration"] == 1
    assert found.sizes() == {"web-1": 2}
    found.settle()
    assert (found.config["status"]["observedGeneration"], found.sizes()) == (2, {"web-1": 3})


def test_every_write_of_a_controller_is_of_the_version_that_was_seen() -> None:
    """And changes nothing else than it means to."""
    found = rolled_out("a:1")
    seen = found.controllers["web-1"]
    seen["metadata"] |= {"resourceVersion": "7", "ownerReferences": []}
    step = found.decide()
    assert isinstance(step, Replace)
    assert step.new["metadata"]["resourceVersion"] == "7"
    assert {**step.new["metadata"], "ownerReferences": []} == seen["metadata"]
    assert step.new["spec"] == seen["spec"]


def test_owners_are_put_right_before_anything_else() -> None:
    """Beside other owners; one that somebody else controls is left to it."""
    found = rolled_out("a:1")
    web = found.controllers["web-1"]
    other = {"apiVersion": "v1", "kind": "ConfigMap", "name": "other", "uid": "o"}
    plain = {"apiVersion": names.VERSION, "kind": names.KIND, "name": "web", "uid": "u"}
    web["metadata"]["ownerReferences"] = [other, plain]
    web["spec"]["replicas"] = 9
    assert found.settle() == ["replace web-1", "replace web-1"]
    references = found.controllers["web-1"]["metadata"]["ownerReferences"]
    assert references == [other, {**plain, "controller": True, "blockOwnerDeletion": True}]

    found.controllers["web-1"]["metadata"]["ownerReferences"] = [{**other, "controller": True}]
    found.change(paused=True)
    assert found.settle() == ["tell"]
    assert found.config["status"]["replicas"] == 0


def test_one_that_is_being_deleted_claims_and_scales_nothing() -> None:
    """It only counts."""
    found = rolled_out("a:1")
    found.config["metadata"]["deletionTimestamp"] = NOW
    found.controllers["web-1"]["spec"]["replicas"] = 5
    stray = copy.deepcopy(found.controllers["web-1"])
    stray["metadata"] |= {"name": "stray", "ownerReferences": []}
    found.controllers["stray"] = stray
    assert found.settle() == ["tell"]
    assert found.sizes() == {"web-1": 5, "stray": 5}


@pytest.mark.parametrize("change", ["size", "version", "both"])
def test_a_paused_config_only_forgets(change: str) -> None:
    """Whatever else there would be to do."""
    found = rolled_out("a:1", "a:2", "a:3")
    found.change(paused=True, revisionHistoryLimit=1)
    if change != "version":
        found.change(replicas=5)
    if change != "size":
        found.set_image("a:4")
    assert found.settle() == ["delete web-1", "tell"]
    assert found.sizes() == {"web-2": 0, "web-3": 2}
    assert found.config["status"]["observedGeneration"] == found.config["metadata"]["generation"]


def test_old_ones_with_pods_count_and_stay() -> None:
    found = rolled_out("a:1", "a:2", "a:3")
    found.change(paused=True, revisionHistoryLimit=0)
    found.controllers["web-1"]["spec"]["replicas"] = 1
    assert found.settle() == ["delete web-2", "tell"]


def test_without_a_limit_nothing_is_forgotten() -> None:
    found = rolled_out(*(f"a:{number}" for number in range(14)), revisionHistoryLimit=None)
    assert len(found.sizes()) == 14


def test_the_one_of_the_last_complete_rollout_is_active() -> None:
    """Not the newest: that has failed. By number, not by name."""
    found = rolled_out(*(f"a:{number}" for number in range(10)))
    found.config["metadata"]["annotations"][names.COMES_TO] = names.FAILED
    found.set_image("a:10")
    found.settle()
    assert found.phases()["web-11"] == names.FAILED
    for size in found.controllers.values():
        size["spec"]["replicas"] = 1
    found.settle()
    assert {name for name, size in found.sizes().items() if size} == {"web-10"}


def test_a_config_for_tests_has_no_pods_between_rollouts() -> None:
    found = rolled_out("a:1", test=True)
    assert (found.sizes(), found.phases()) == ({"web-1": 0}, {"web-1": names.COMPLETE})


def test_the_version_comes_up_to_that_of_an_adopted_controller() -> None:
    """Step by step; nothing is rolled out."""
    before = rolled_out("a:1", "a:2", "a:3")
    found = world(image="a:3", replicas=4)
    found.config["metadata"]["uid"] = "another"
    for controller in before.controllers.values():
        controller["metadata"]["ownerReferences"] = []
    found.controllers = before.controllers
    steps = found.settle()
    assert not any(step.startswith(("create", "delete")) for step in steps)
    assert found.config["status"]["latestVersion"] == 3
    assert found.sizes() == {"web-1": 0, "web-2": 0, "web-3": 4}


@pytest.mark.parametrize(
    ("triggers", "begins"),
    [
        ([], False),
        ([{"type": "ConfigChange"}], True),
        ([{"type": "ImageChange", "imageChangeParams": {}}], False),
        ([{"type": "ImageChange", "imageChangeParams": {"lastTriggeredImage": "a:1"}}], True),
        (
            [
                {"type": "ImageChange", "imageChangeParams": {"lastTriggeredImage": "a:1"}},
                {"type": "ImageChange", "imageChangeParams": {}},
            ],
            False,
        ),
    ],
)
def test_what_begins_the_first_rollout(triggers: list[Json], begins: bool) -> None:
    found = world(triggers=triggers)
    found.settle()
    assert bool(found.controllers) is begins


def test_an_image_that_is_not_known_yet_is_waited_for() -> None:
    found = world(image=" ")
    assert found.settle() == ["tell"]


def test_a_config_that_nobody_can_compare_is_not_rolled_out() -> None:
    """The annotation is gone, or is no JSON."""
    found = rolled_out("a:1")
    for text in (None, "", "{}", "no JSON"):
        annotations = found.controllers["web-1"]["metadata"]["annotations"]
        annotations.pop(names.ENCODED, None)
        if text is not None:
            annotations[names.ENCODED] = text
        found.change(template=config_of(image="a:2")["spec"]["template"])
        found.settle()
        assert found.config["status"]["latestVersion"] == 1


def test_a_version_that_is_announced_cancels_what_is_under_way() -> None:
    """Its controller comes when the one before has ended."""
    found = world(comes_to=names.PENDING)
    found.settle()
    found.config["status"]["latestVersion"] = 2
    steps = found.settle()
    assert steps[:3] == ["replace web-1", "replace web-1", "create web-2"]
    assert found.phases() == {"web-1": names.FAILED, "web-2": names.PENDING}
    cancelled = found.controllers["web-1"]["metadata"]["annotations"]
    assert (cancelled[names.CANCELLED], cancelled[names.REASON]) == (
        "true",
        "newer deployment was found running",
    )


@pytest.mark.parametrize(
    ("strategy", "size", "available", "enough"),
    [
        ({"type": "Rolling", "rollingParams": {"maxUnavailable": "25%", "maxSurge": 0}}, 8, 6, True),
        ({"type": "Rolling", "rollingParams": {"maxUnavailable": "25%", "maxSurge": 0}}, 8, 5, False),
        ({"type": "Rolling", "rollingParams": {"maxUnavailable": 0, "maxSurge": 0}}, 2, 1, True),
        ({"type": "Rolling", "rollingParams": {"maxUnavailable": 0, "maxSurge": "25%"}}, 2, 1, False),
        ({"type": "Rolling"}, 4, 3, True),
        ({"type": "Recreate"}, 4, 3, False),
        ({"type": "Rolling", "rollingParams": {"maxUnavailable": 5}}, 2, 0, False),
    ],
)
def test_when_enough_pods_are_available(strategy: Json, size: int, available: int, enough: bool) -> None:
    found = rolled_out("a:1", replicas=size, strategy=strategy)
    found.controllers["web-1"]["status"] = {"replicas": size, "availableReplicas": available}
    step = found.decide()
    told = step.status if isinstance(step, Tell) else found.config["status"]
    (condition,) = (each for each in told["conditions"] if each["type"] == "Available")
    assert condition["status"] == str(enough)
    assert (told["availableReplicas"], told["unavailableReplicas"]) == (available, size - available)


def test_the_status_of_nothing_has_all_its_counts() -> None:
    found = world(triggers=[])
    found.settle()
    (condition,) = found.config["status"].pop("conditions")
    assert (condition["type"], condition["lastTransitionTime"]) == ("Available", NOW)
    counts = ("latestVersion", "replicas", "updatedReplicas", "availableReplicas", "unavailableReplicas")
    assert found.config["status"] == {**dict.fromkeys(counts, 0), "observedGeneration": 1}


def test_a_condition_that_turns_has_the_time_of_it() -> None:
    """One that only says something else has another time of update."""
    found = rolled_out("a:1")
    found.now = LATER
    found.set_image("a:2")
    found.settle()
    times = {each["type"]: each for each in found.config["status"]["conditions"]}
    assert times["Progressing"]["lastUpdateTime"] == LATER
    found.controllers["web-2"]["status"] = {}
    step = found.decide()
    assert isinstance(step, Tell)
    turned = {each["type"]: each["lastTransitionTime"] for each in step.status["conditions"]}
    assert turned["Available"] == LATER


def test_progress_is_told_as_new_pods_come() -> None:
    found = world(comes_to=names.RUNNING)
    found.settle()
    controller = copy.deepcopy(found.controllers["web-1"])
    controller["status"] = {"replicas": 1}
    told = status.counted(Config(found.config), (Controller(controller),), LATER, observes=False)
    (progress,) = (each for each in told["conditions"] if each["type"] == "Progressing")
    assert progress["reason"] == "ReplicationControllerUpdated"


def test_a_controller_of_another_version_than_a_number_is_none_of_the_rollouts() -> None:
    """It is the config's all the same, and has no pods."""
    found = rolled_out("a:1")
    odd = copy.deepcopy(found.controllers["web-1"])
    odd["metadata"]["name"] = "odd"
    odd["metadata"]["annotations"][names.LATEST_VERSION] = "x"
    for phase, size in itertools.product((names.COMPLETE, names.FAILED), (0, 2)):
        odd["metadata"]["annotations"][names.PHASE] = phase
        odd["spec"]["replicas"] = size
        found.controllers["odd"] = copy.deepcopy(odd)
        found.settle()
        assert found.sizes() == {"web-1": 2, "odd": 0}


def test_a_controller_that_loses_the_label_is_released() -> None:
    """From the config alone."""
    found = rolled_out("a:1")
    found.change(paused=True)
    metadata = found.controllers["web-1"]["metadata"]
    other = {"apiVersion": "v1", "kind": "ConfigMap", "name": "other", "uid": "o"}
    metadata["ownerReferences"].append(other)
    del metadata["labels"][names.CONFIG]
    assert found.settle() == ["replace web-1", "tell"]
    assert found.controllers["web-1"]["metadata"]["ownerReferences"] == [other]


def test_what_failed_after_the_active_one_is_not_counted_as_old() -> None:
    """It is not forgotten either, whatever the limit."""
    found = rolled_out("a:1", "a:2")
    found.config["metadata"]["annotations"][names.COMES_TO] = names.FAILED
    found.set_image("a:3")
    found.settle()
    found.change(revisionHistoryLimit=0)
    found.settle()
    assert found.phases() == {"web-2": names.COMPLETE, "web-3": names.FAILED}


def test_one_image_of_several_that_is_not_known_yet_is_waited_for() -> None:
    found = world()
    containers = found.config["spec"]["template"]["spec"]["containers"]
    containers.append({"name": "side", "image": ""})
    assert found.settle() == ["tell"]
    containers[1]["image"] = "side:1"
    found.settle()
    assert found.phases() == {"web-1": names.COMPLETE}
    selector = found.controllers["web-1"]["spec"]["selector"]
    assert selector == {"app": "nginx", names.DEPLOYMENT: "web-1", names.DEPLOYMENT_CONFIG: "web"}
