"""Strategic merge patches: what they make of a pod template, in which order, and what does not fit."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.changes.strategic import merged
from rollupdate.errors import RefusedError
from testing.objects import Json
from testing.sandbox.patches import strategic
from testing.sandbox.world import TODAY

TEMPLATE: Json = {
    "metadata": {"labels": {"app": "web"}, "finalizers": ["a", "b"]},
    "spec": {
        "dnsPolicy": "ClusterFirst",
        "securityContext": {"runAsUser": 1},
        "tolerations": [{"key": "a"}],
        "containers": [
            {
                "name": "web",
                "image": "web:1",
                "args": ["x"],
                "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                "ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 80, "protocol": "UDP"}],
                "volumeMounts": [{"mountPath": "/a", "name": "a"}],
            },
            {"name": "log", "image": "log:1"},
        ],
        "volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": {}}],
    },
}


def made(patch: Json) -> Json:
    """What comes of it; neither the template nor the patch is changed."""
    template, kept = copy.deepcopy(TEMPLATE), copy.deepcopy(patch)
    after = merged(template, patch)
    assert (template, patch) == (TEMPLATE, kept)
    return after


def spec(patch: Json) -> Json:
    after = made({"spec": patch})
    assert after["metadata"] == TEMPLATE["metadata"]
    found: Json = after["spec"]
    return found


def web(patch: Json) -> Json:
    """The first container after a patch of it; the other one stays."""
    containers = spec({"containers": [{"name": "web", **patch}]})["containers"]
    assert containers[1] == TEMPLATE["spec"]["containers"][1]
    found: Json = containers[0]
    return found


def test_fields_are_set_and_null_takes_them_away() -> None:
    """What the patch does not name stays."""
    after = spec({"dnsPolicy": None, "nodeName": "x", "securityContext": {"runAsGroup": 2}})
    assert "dnsPolicy" not in after
    assert (after["nodeName"], after["securityContext"]) == ("x", {"runAsUser": 1, "runAsGroup": 2})
    assert after["containers"] == TEMPLATE["spec"]["containers"]


def test_named_things_are_merged_by_their_key() -> None:
    """Containers and variables by name, ports by number (of two the first), mounts by path."""
    after = web(
        {
            "env": [{"name": "B", "value": "3"}],
            "ports": [{"containerPort": 80, "name": "http"}],
            "volumeMounts": [{"mountPath": "/a", "readOnly": True}],
        }
    )
    assert after["image"] == "web:1"
    assert after["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}]
    assert [each.get("name") for each in after["ports"]] == ["http", None]
    assert after["volumeMounts"] == [{"mountPath": "/a", "name": "a", "readOnly": True}]


def test_other_lists_are_replaced() -> None:
    """Arguments, tolerations."""
    assert web({"args": ["y", "z"]})["args"] == ["y", "z"]
    assert spec({"tolerations": [{"key": "b"}]})["tolerations"] == [{"key": "b"}]


def test_a_new_one_comes_first() -> None:
    """As the API server does it: what the patch names in its order, the rest where it was."""
    names = [each["name"] for each in spec({"containers": [{"name": "side"}, {"name": "log"}]})["containers"]]
    assert names == ["side", "web", "log"]


def test_directives() -> None:
    """delete and replace, of an object, of a member and of a whole list; what is to be kept; sets."""
    assert spec({"securityContext": {"$patch": "delete"}})["securityContext"] == {}
    assert spec({"securityContext": {"$patch": "replace", "fsGroup": 1}})["securityContext"] == {"fsGroup": 1}
    assert spec({"securityContext": {"$patch": "merge", "fsGroup": 1}})["securityContext"]["runAsUser"] == 1
    assert [each["name"] for each in spec({"volumes": [{"name": "a", "$patch": "delete"}]})["volumes"]] == [
        "b"
    ]
    assert spec({"volumes": [{"name": "c"}, {"$patch": "replace"}]})["volumes"] == [{"name": "c"}]
    kept = {"name": "a", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/"}}
    assert spec({"volumes": [kept]})["volumes"][0] == {"name": "a", "hostPath": {"path": "/"}}
    ordered = {"$setElementOrder/volumes": [{"name": "b"}, {"name": "a"}], "volumes": [{"name": "a"}]}
    assert [each["name"] for each in spec(ordered)["volumes"]] == ["a", "b"]
    metadata = {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]}
    assert made({"metadata": metadata})["metadata"]["finalizers"] == ["c", "b"]


def test_no_directive_is_left_in_what_is_new() -> None:
    """Nor a null."""
    after = spec({"affinity": {"nodeAffinity": {"$patch": "replace", "x": None, "y": [{"z": None, "a": 1}]}}})
    assert after["affinity"] == {"nodeAffinity": {"y": [{"a": 1}]}}


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        ({"spec": []}, "spec must be an object, not a list"),
        ({"spec": {"containers": {}}}, "spec.containers is a list in the template"),
        ({"spec": {"volumes": 3}}, "spec.volumes must be a list, not a number"),
        ({"spec": {"dnsPolicy": {"a": 1}}}, "spec.dnsPolicy is text in the template"),
        ({"spec": {"tolerations": "x"}}, "spec.tolerations must be a list, not text"),
        ({"spec": {"containers": [{"image": "x"}]}}, "spec.containers[0] has no name, by which"),
        ({"spec": {"containers": ["x"]}}, "spec.containers[0] must be an object, not text"),
        ({"spec": {"containers": [{"name": "web", "env": [{}]}]}}, "spec.containers[web].env[0] has no name"),
        ({"spec": {"$patch": "remove"}}, "spec.$patch must be replace, merge or delete, not 'remove'"),
        ({"spec": {"$pach": "delete"}}, "spec.$pach is no directive of a strategic merge patch"),
        ({"metadata": {"$deleteFromPrimitiveList/labels": ["app"]}}, "/labels is an object in the template"),
        ({"spec": {"$retainKeys": "x"}}, "spec.$retainKeys must be a list, not text"),
    ],
)
def test_what_does_not_fit(patch: Json, says: str) -> None:
    """Refused, with the path in the patch."""
    with pytest.raises(RefusedError) as caught:
        made(patch)
    assert says in caught.value.message
    assert caught.value.message.startswith("the patch does not fit the pod template: ")
    assert caught.value.message.endswith("; nothing was changed")


# --- against others ---

_texts = st.sampled_from(["a", "b", "c"])
_environment = st.lists(
    st.fixed_dictionaries({"name": _texts}, optional={"value": _texts}),
    max_size=3,
    unique_by=lambda each: each["name"],
)
_containers = st.lists(
    st.fixed_dictionaries(
        {"name": _texts},
        optional={"image": _texts, "env": _environment, "args": st.lists(_texts, max_size=2)},
    ),
    max_size=3,
    unique_by=lambda each: each["name"],
)
_templates = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.fixed_dictionaries({}, optional={"labels": st.dictionaries(_texts, _texts)}),
        "spec": st.fixed_dictionaries(
            {}, optional={"containers": _containers, "nodeName": _texts, "securityContext": st.just({"a": 1})}
        ),
    },
)


@given(_templates, _templates)
def test_it_does_what_the_sandbox_does(template: Json, patch: Json) -> None:
    """Which is held against the real API server by the contract tests."""
    assert merged(template, patch) == strategic(template, patch, TODAY)


@given(_templates, _templates)
def test_twice_is_once(template: Json, patch: Json) -> None:
    """So the same command finds what it has made already."""
    once = merged(template, patch)
    assert merged(once, patch) == once


@given(_templates, _templates)
def test_what_the_patch_says_is_there(template: Json, patch: Json) -> None:
    """Every value of it, at its place; and all that it does not speak of."""
    after = merged(template, patch)
    labels = (patch.get("metadata") or {}).get("labels") or {}
    assert labels.items() <= (after.get("metadata") or {}).get("labels", {}).items()
    before = {each["name"]: each for each in (template.get("spec") or {}).get("containers") or []}
    asked = {each["name"]: each for each in (patch.get("spec") or {}).get("containers") or []}
    found = {each["name"]: each for each in (after.get("spec") or {}).get("containers") or []}
    assert found.keys() == before.keys() | asked.keys()
    for name, container in found.items():
        assert asked.get(name, {}).get("image", container.get("image")) == container.get("image")
        if name not in asked:
            assert container == before[name]
