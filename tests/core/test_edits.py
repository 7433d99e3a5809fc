"""What a change makes of a pod template: images, settings, restarts; and what is no change."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from rollupdate.core.edits import changed, find_container
from rollupdate.core.record import RESTART
from rollupdate.core.request import TemplateChange
from rollupdate.core.revision import template_hash, with_label
from rollupdate.errors import RefusedError
from tests.core.worlds import template
from tests.support import changes

Json = dict[str, Any]


def made(before: Json, change: TemplateChange) -> Json:
    """What comes of it; what was handed in stays as it is."""
    kept = copy.deepcopy(before)
    after = changed(change, before, "deployment")
    assert before == kept
    return after


# --- containers ---

TWO: Json = {
    "metadata": {"labels": {"app": "a"}},
    "spec": {"containers": [{"name": "web", "image": "web:1"}, {"name": "log", "image": "log:1"}]},
}


def test_the_only_container_needs_no_name() -> None:
    """``--container`` is for pods with several."""
    assert find_container(template(), None)["name"] == "nginx"
    assert find_container(template(), "nginx")["name"] == "nginx"


def test_several_containers_and_none_chosen() -> None:
    """The documented message, and a hint that names them."""
    with pytest.raises(RefusedError) as caught:
        find_container(TWO, None)
    assert caught.value.message == "must specify container to update when updating a multi-container pod"
    assert caught.value.hint == "choose one with --container: web, log"


def test_a_container_that_is_not_there() -> None:
    """The documented message, and a hint that names those that are."""
    with pytest.raises(RefusedError) as caught:
        find_container(TWO, "we")
    assert caught.value.message == "container we not found in pod"
    assert caught.value.hint == "the pod has: web, log"


# --- another image ---


def test_another_image_in_the_chosen_container() -> None:
    """The other container, and the template that was handed in, stay as they are."""
    before = copy.deepcopy(TWO)
    after = made(TWO, changes.image("log:2", "log"))
    assert [each["image"] for each in after["spec"]["containers"]] == ["web:1", "log:2"]
    assert before == TWO
    assert "annotations" not in after["metadata"]


def test_the_image_of_another_container_is_not_the_same_image() -> None:
    """Compared is the chosen container, not the first one."""
    after = made(TWO, changes.image("web:1", "log"))
    assert [each["image"] for each in after["spec"]["containers"]] == ["web:1", "web:1"]


def test_the_image_that_is_running_needs_a_pull_policy() -> None:
    """Refused in the documented words."""
    with pytest.raises(RefusedError) as caught:
        made(TWO, changes.image("log:1", "log"))
    assert caught.value.message == (
        "--image-pull-policy (Always|Never|IfNotPresent) must be provided when --image is the same as "
        "existing container image"
    )


def test_the_same_image_with_another_pull_policy_is_another_template() -> None:
    """It needs no mark to differ."""
    after = made(template("nginx:1"), changes.image("nginx:1", None, "Always"))
    assert after["spec"]["containers"][0]["imagePullPolicy"] == "Always"
    assert "annotations" not in after["metadata"]


def test_the_same_image_with_the_same_pull_policy_is_marked() -> None:
    """New pods were asked for, so the template and its hash differ."""
    old = template("nginx:1")
    new = made(old, changes.image("nginx:1", None, "IfNotPresent"))
    assert new["metadata"]["annotations"] == {RESTART: template_hash(old, "deployment")}
    assert new["spec"] == old["spec"]
    assert template_hash(new, "deployment") != template_hash(old, "deployment")


def test_the_same_command_gives_the_same_template_again() -> None:
    """Also once the old pods are labelled: a client that continues finds the controller it made."""
    old = template("nginx:1")
    first = made(old, changes.image("nginx:1", None, "IfNotPresent"))
    again = made(old, changes.image("nginx:1", None, "IfNotPresent"))
    labelled = with_label(old, "deployment", template_hash(old, "deployment"))
    behind = made(labelled, changes.image("nginx:1", None, "IfNotPresent"))
    assert first == again
    assert template_hash(behind, "deployment") == template_hash(first, "deployment")


def test_restarting_twice_makes_two_new_templates() -> None:
    """The mark of the last restart goes into the next one; annotations of others stay."""
    old = template("nginx:1")
    old["metadata"]["annotations"] = {"example.com/owner": "x"}
    first = made(old, changes.image("nginx:1", None, "IfNotPresent"))
    second = made(first, changes.image("nginx:1", None, "IfNotPresent"))
    hashes = {template_hash(each, "deployment") for each in (old, first, second)}
    assert len(hashes) == 3
    assert second["metadata"]["annotations"]["example.com/owner"] == "x"
