"""Pod templates: a hash that never changes between machines, names and labels, what differs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.model.template import (
    differences,
    is_temporary_name,
    template_hash,
    temporary_name,
    with_label,
)
from testing.objects import Json

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
        "import json, sys; from rollupdate.core.model.template import template_hash;"
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


# --- what differs ---


def test_what_differs_is_told_by_its_path() -> None:
    """Named things by their names, whatever their order; other lists as a whole."""
    one = {"a": 1, "containers": [{"name": "x", "image": "1"}, {"name": "y"}], "args": ["a"], "gone": {}}
    other = {"a": 1, "containers": [{"name": "y"}, {"name": "x", "image": "2"}, {"name": "z"}], "args": ["b"]}
    assert differences(one, other) == ["args", "containers[x].image", "containers[z]", "gone"]


@given(templates, templates)
def test_the_same_does_not_differ(one: Json, other: Json) -> None:
    """What differs does so from either side."""
    assert differences(one, shuffled(one)) == []
    assert sorted(differences(one, other)) == sorted(differences(other, one))
