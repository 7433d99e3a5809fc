"""What a change makes of a pod template: images, settings, restarts; and what is no change."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.changes.base import Naming
from rollupdate.core.changes.edits import Edit, MergePatch, SetEnv, SetImage
from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.record import RESTART
from rollupdate.core.model.template import find_container, template_hash, with_label
from rollupdate.errors import RefusedError
from testing.objects import Json
from tests.core.worlds import raw, template
from tests.support import changes


def made(before: Json, change: TemplateChange) -> Json:
    """What comes of it; what was handed in stays as it is."""
    kept = copy.deepcopy(before)
    after = change.applied(before, "deployment")
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


# --- several images ---


def test_images_of_several_containers() -> None:
    """Each by its name, init containers as well; one that is there already does no harm."""
    before = copy.deepcopy(TWO)
    before["spec"]["initContainers"] = [{"name": "init", "image": "init:1"}]
    edits = (SetImage("web:2", "web"), SetImage("log:1", "log"), SetImage("init:2", "init"))
    after = made(before, TemplateChange(edits))
    assert [each["image"] for each in after["spec"]["containers"]] == ["web:2", "log:1"]
    assert after["spec"]["initContainers"][0]["image"] == "init:2"


def test_several_images_that_are_all_there_already() -> None:
    """It is as for one: the documented words."""
    with pytest.raises(RefusedError) as caught:
        made(TWO, TemplateChange((SetImage("web:1", "web"), SetImage("log:1", "log"))))
    assert caught.value.message.startswith("--image-pull-policy (Always|Never|IfNotPresent) must be provided")


# --- environment ---


def with_env(*env: Json) -> Json:
    before = copy.deepcopy(TWO)
    before["spec"]["containers"][0]["env"] = list(env)
    before["spec"]["initContainers"] = [{"name": "init", "image": "init:1"}]
    return before


def env_of(template: Json) -> list[Any]:
    spec = template["spec"]
    return [each.get("env") for each in [*spec["containers"], *spec["initContainers"]]]


def test_a_variable_is_set_where_it_was() -> None:
    """Whatever it came from before; a new one comes last. All containers get it."""
    before = with_env(
        {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}, {"name": "B", "value": "2"}
    )
    after = made(before, TemplateChange((SetEnv("A", "1"), SetEnv("C", ""))))
    new = [{"name": "A", "value": "1"}, {"name": "C"}]
    assert env_of(after) == [[new[0], {"name": "B", "value": "2"}, new[1]], new, new]


def test_a_variable_of_one_container() -> None:
    """``--container`` names it; it may be an init container."""
    after = made(with_env(), TemplateChange((SetEnv("A", "1", "init"),)))
    assert env_of(after) == [[], None, [{"name": "A", "value": "1"}]]
    with pytest.raises(RefusedError) as caught:
        made(with_env(), TemplateChange((SetEnv("A", "1", "x"),)))
    assert caught.value.message == "container x not found in pod"


def test_a_variable_is_taken_away() -> None:
    """And with the last one the list."""
    after = made(with_env({"name": "A", "value": "1"}), TemplateChange((SetEnv("A", None),)))
    assert env_of(after) == [None, None, None]
    with pytest.raises(RefusedError, match="is already in use"):
        made(with_env(), TemplateChange((SetEnv("A", None),)))


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.none() | st.text(max_size=3)), min_size=1, max_size=5),
    st.lists(st.sampled_from("ABCD"), max_size=4),
)
def test_every_variable_has_the_value_it_was_given_last(
    settings: list[tuple[str, str | None]], present: list[str]
) -> None:
    """The others stay, in their order, and none is there twice."""
    before = with_env(*({"name": each, "value": "old"} for each in present))
    after = before
    for name, value in settings:
        after = SetEnv(name, value).apply(after)
    wanted = dict.fromkeys(present, "old") | dict(settings)
    for env in env_of(after):
        found = {each["name"]: each.get("value", "") for each in env or []}
        assert len(found) == len(env or []) or len(set(present)) < len(present)
        asked = dict(settings)
        for name, value in found.items():
            assert value == wanted[name]
        assert {name for name, value in asked.items() if value is not None} <= found.keys()
        assert not {name for name, value in asked.items() if value is None} & found.keys()


# --- restarts ---


def test_a_restart_is_the_same_template_with_a_mark() -> None:
    """It goes with other edits, and a second one is another template."""
    first = made(TWO, TemplateChange((), restart=True))
    assert first["spec"] == TWO["spec"]
    assert first["metadata"]["annotations"] == {RESTART: template_hash(TWO, "deployment")}
    assert made(first, TemplateChange((), restart=True)) != first
    both = made(TWO, TemplateChange((SetImage("web:2", "web"),), restart=True))
    assert (both["spec"]["containers"][0]["image"], RESTART in both["metadata"]["annotations"]) == (
        "web:2",
        True,
    )


# --- what is no change, and what may not change ---


@pytest.mark.parametrize(
    "edit", [SetEnv("A", None), MergePatch({"spec": {"containers": [{"name": "log", "image": "log:1"}]}})]
)
def test_what_changes_nothing(edit: Edit) -> None:
    """Refused, with a hint how there would be new pods all the same."""
    with pytest.raises(RefusedError) as caught:
        made(TWO, TemplateChange((edit,)))
    assert caught.value.message == (
        "the pod template that this command asks for is already in use; nothing was changed"
    )
    assert caught.value.hint == "to replace the pods all the same, add --restart"


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        ({"metadata": {"labels": {"a": 1}}}, "metadata.labels.a must be text; put it in quotes"),
        ({"metadata": {"annotations": "x"}}, "metadata.annotations must be an object"),
        ({"spec": {"$patch": "replace", "containers": None, "initContainers": "x"}}, "must be a list"),
    ],
)
def test_what_is_no_pod_template(patch: Json, says: str) -> None:
    """Said here, as an update reads these parts itself; the rest is the server's to judge."""
    with pytest.raises(RefusedError) as caught:
        made(TWO, TemplateChange((MergePatch(patch),)))
    assert says in caught.value.message
    assert caught.value.message.endswith("; nothing was changed")


def relabelled(**labels: Any) -> TemplateChange:
    return TemplateChange((MergePatch({"metadata": {"labels": labels}}),))


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (
            {"app": "x"},
            'ReplicationController "foo" selects its pods by app=nginx, which the new pods would not',
        ),
        (
            {"app": None},
            'ReplicationController "foo" selects its pods by app=nginx, which the new pods would not',
        ),
        (
            {"deployment": "x"},
            "the label deployment is the one by which this command tells old and new pods apart",
        ),
    ],
)
def test_labels_that_are_needed(labels: Json, says: str) -> None:
    """A patch may set any label but those."""
    old = Controller.parse(raw("foo", deployment="v1"))
    relabelled(tier="x").target(old, Naming())
    with pytest.raises(RefusedError) as caught:
        relabelled(**labels).target(old, Naming())
    assert caught.value.message.startswith(says)
    assert caught.value.hint
