"""Pod templates: a hash that never changes between machines, and the changes that --image makes."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.record import RESTART
from rollupdate.core.revision import (
    find_container,
    is_temporary_name,
    template_hash,
    temporary_name,
    with_image,
    with_label,
)
from rollupdate.errors import RefusedError
from tests.core.worlds import template

Json = dict[str, Any]

NGINX: Json = {
    "metadata": {"labels": {"app": "nginx"}},
    "spec": {"containers": [{"name": "nginx", "image": "nginx:1.7.9"}]},
}
EVERYTHING: Json = {
    "metadata": {"labels": {"app": "é\u2028😀"}, "annotations": {"a": "1"}},
    "spec": {
        "containers": [{"name": "n", "image": "i", "ports": [{"containerPort": 80}], "tty": True}],
        "terminationGracePeriodSeconds": 30,
        "x": None,
        "f": 0.5,
    },
}
PINNED = [
    ({}, "8b05318da1486078fe860184c4397a05"),
    (NGINX, "a133d1952e9cae751e32ed94a0866199"),
    (EVERYTHING, "2f3a567efa9705b52a73d05cc343c4a5"),
]
"""Computed once. Where one of these changes, updates in progress are no longer recognised: don't."""

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
templates = st.fixed_dictionaries(
    {"spec": st.dictionaries(st.text(max_size=5), values, max_size=3)},
    optional={
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "labels": st.none() | st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
                "annotations": st.none()
                | st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
                "creationTimestamp": st.none(),
            },
        )
    },
)


def shuffled(value: Any) -> Any:
    """The same value with the keys of every object the other way round."""
    if isinstance(value, dict):
        return {key: shuffled(each) for key, each in reversed(value.items())}
    return [shuffled(each) for each in value] if isinstance(value, list) else value


# --- the hash ---


@pytest.mark.parametrize(("value", "digits"), PINNED)
def test_the_hash_never_changes(value: Json, digits: str) -> None:
    """Pinned: the same on every machine, with every Python, in every release."""
    assert template_hash(value, "deployment") == digits


def test_the_hash_is_the_same_in_another_process() -> None:
    """Nothing of this process (the seed of its string hashes) goes into it."""
    code = (
        "import json, sys; from rollupdate.core.revision import template_hash;"
        "print(template_hash(json.loads(sys.argv[1]), 'deployment'))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, json.dumps(EVERYTHING)],
        env={"PYTHONHASHSEED": "12345", "PYTHONPATH": ":".join(sys.path), "PYTHONUTF8": "0", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == PINNED[2][1]


@given(templates)
def test_a_hash_is_32_digits_whatever_the_order_of_the_keys(value: Json) -> None:
    """Lowercase and hexadecimal, so that it fits into a label and a name."""
    digits = template_hash(value, "deployment")
    assert re.fullmatch("[0-9a-f]{32}", digits)
    assert template_hash(shuffled(value), "deployment") == digits


@given(templates, st.text(max_size=63))
def test_the_deployment_label_does_not_count(value: Json, label: str) -> None:
    """Labelling the old pods does not make another template of theirs."""
    plain = with_label(value, "deployment", label)
    assert template_hash(plain, "deployment") == template_hash(
        with_label(value, "deployment", ""), "deployment"
    )
    del plain["metadata"]["labels"]["deployment"]
    assert template_hash(plain, "deployment") == template_hash(
        with_label(plain, "deployment", label), "deployment"
    )


def test_the_label_key_is_the_users() -> None:
    """With another key, the label ``deployment`` is a label like any other."""
    labelled = with_label(NGINX, "deployment", "x")
    assert template_hash(labelled, "deployment") == template_hash(NGINX, "deployment")
    assert template_hash(labelled, "revision") != template_hash(NGINX, "revision")


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"creationTimestamp": None},
        {"labels": None},
        {"labels": {}},
        {"annotations": None},
        {"annotations": {}},
        {"labels": {"deployment": "abc"}, "annotations": None, "creationTimestamp": None},
        None,
    ],
)
def test_what_is_empty_is_the_same_as_what_is_missing(meta: Json | None) -> None:
    """The API server answers a template with ``creationTimestamp: null`` that was sent without."""
    spec = NGINX["spec"]
    assert template_hash({"metadata": meta, "spec": spec}, "deployment") == template_hash(
        {"spec": spec}, "deployment"
    )


@given(templates, templates)
def test_other_templates_have_other_hashes(first: Json, second: Json) -> None:
    """Two that differ in more than what is empty differ in their hash."""

    def plain(value: Json) -> Json:
        meta = dict(value.get("metadata") or {})
        meta["labels"] = {k: v for k, v in (meta.get("labels") or {}).items() if k != "deployment"}
        return {**value, "metadata": {key: each for key, each in meta.items() if each}}

    same = json.dumps(plain(first), sort_keys=True) == json.dumps(plain(second), sort_keys=True)
    assert (template_hash(first, "deployment") == template_hash(second, "deployment")) == same


def test_a_salt_makes_another_hash() -> None:
    """For a label value that no pod has."""
    assert template_hash(NGINX, "deployment", salt="x") != template_hash(NGINX, "deployment")


# --- names ---


def test_a_temporary_name_is_name_hyphen_hash() -> None:
    """As in the documented session."""
    digits = "0123456789abcdef" * 2
    assert temporary_name("my-nginx", digits) == f"my-nginx-{digits}"
    assert is_temporary_name(f"my-nginx-{digits}", "my-nginx")


@pytest.mark.parametrize(
    "name",
    [
        "foo",
        "foo-",
        "foo-v2",
        "foo-" + "a" * 31,
        "foo-" + "a" * 33,
        "foo-" + "A" * 32,
        "foobar-" + "a" * 32,
        "foo-bar-" + "a" * 32,
        "fo-" + "a" * 32,
        "foo-" + "a" * 32 + "\n",
    ],
)
def test_names_are_compared_whole(name: str) -> None:
    """None of these is the temporary name of an update of foo."""
    assert not is_temporary_name(name, "foo")


@given(st.text("ab.-", min_size=1, max_size=253).filter(lambda text: text.strip("-.") == text))
def test_a_temporary_name_is_a_name(of: str) -> None:
    """At most 253 characters, and no part of it ends in a hyphen or a dot (RFC 1123)."""
    name = temporary_name(of, "0" * 32)
    assert len(name) <= 253
    assert name[: -len("-" + "0" * 32)][-1] not in ".-"
    assert is_temporary_name(name, of)


# --- containers ---

TWO: Json = {
    "metadata": {"labels": {"app": "a"}},
    "spec": {"containers": [{"name": "web", "image": "web:1"}, {"name": "log", "image": "log:1"}]},
}


def test_the_only_container_needs_no_name() -> None:
    """``--container`` is for pods with several."""
    assert find_container(NGINX, None)["name"] == "nginx"
    assert find_container(NGINX, "nginx")["name"] == "nginx"


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
    changed = with_image(TWO, "log:2", "log", None, "deployment")
    assert [each["image"] for each in changed["spec"]["containers"]] == ["web:1", "log:2"]
    assert before == TWO
    assert "annotations" not in changed["metadata"]


def test_the_image_of_another_container_is_not_the_same_image() -> None:
    """Compared is the chosen container, not the first one."""
    changed = with_image(TWO, "web:1", "log", None, "deployment")
    assert [each["image"] for each in changed["spec"]["containers"]] == ["web:1", "web:1"]


def test_the_image_that_is_running_needs_a_pull_policy() -> None:
    """Refused in the documented words."""
    with pytest.raises(RefusedError) as caught:
        with_image(TWO, "log:1", "log", None, "deployment")
    assert caught.value.message == (
        "--image-pull-policy (Always|Never|IfNotPresent) must be provided when --image is the same as "
        "existing container image"
    )


def test_the_same_image_with_another_pull_policy_is_another_template() -> None:
    """It needs no mark to differ."""
    changed = with_image(template("nginx:1"), "nginx:1", None, "Always", "deployment")
    assert changed["spec"]["containers"][0]["imagePullPolicy"] == "Always"
    assert "annotations" not in changed["metadata"]


def test_the_same_image_with_the_same_pull_policy_is_marked() -> None:
    """New pods were asked for, so the template and its hash differ."""
    old = template("nginx:1")
    new = with_image(old, "nginx:1", None, "IfNotPresent", "deployment")
    assert new["metadata"]["annotations"] == {RESTART: template_hash(old, "deployment")}
    assert new["spec"] == old["spec"]
    assert template_hash(new, "deployment") != template_hash(old, "deployment")


def test_the_same_command_gives_the_same_template_again() -> None:
    """Also once the old pods are labelled: a client that continues finds the controller it made."""
    old = template("nginx:1")
    first = with_image(old, "nginx:1", None, "IfNotPresent", "deployment")
    again = with_image(old, "nginx:1", None, "IfNotPresent", "deployment")
    labelled = with_label(old, "deployment", template_hash(old, "deployment"))
    behind = with_image(labelled, "nginx:1", None, "IfNotPresent", "deployment")
    assert first == again
    assert template_hash(behind, "deployment") == template_hash(first, "deployment")


def test_restarting_twice_makes_two_new_templates() -> None:
    """The mark of the last restart goes into the next one; annotations of others stay."""
    old = template("nginx:1")
    old["metadata"]["annotations"] = {"example.com/owner": "x"}
    first = with_image(old, "nginx:1", None, "IfNotPresent", "deployment")
    second = with_image(first, "nginx:1", None, "IfNotPresent", "deployment")
    hashes = {template_hash(each, "deployment") for each in (old, first, second)}
    assert len(hashes) == 3
    assert second["metadata"]["annotations"]["example.com/owner"] == "x"
