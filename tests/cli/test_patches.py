"""--patch and --patch-file: what is read from them, what JSON Patches do, and what is refused."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.changes.edits import MergePatch
from rollupdate.errors import ManifestError, RefusedError
from rollupdate.patches import JsonPatch, from_file, inline
from testing.objects import Json
from tests.core.worlds import template


def patched(*operations: Json) -> Json:
    """The template after a JSON Patch; the one handed in stays as it is."""
    before = template()
    after = inline(json.dumps(operations)).apply(before)
    assert before == template()
    return after


def test_an_object_is_a_strategic_merge_patch() -> None:
    """In JSON, and in YAML."""
    wanted = MergePatch({"spec": {"nodeName": "x"}})
    assert inline('{"spec": {"nodeName": "x"}}') == wanted
    assert inline("spec: {nodeName: x}") == wanted


def test_a_list_is_a_json_patch() -> None:
    """On the pod template, not on the controller."""
    after = patched(
        {"op": "test", "path": "/spec/containers/0/name", "value": "nginx"},
        {"op": "replace", "path": "/spec/containers/0/image", "value": "nginx:2"},
        {"op": "add", "path": "/metadata/annotations", "value": {"a/b": "1"}},
        {"op": "copy", "from": "/metadata/annotations/a~1b", "path": "/spec/nodeName"},
        {"op": "move", "from": "/spec/nodeName", "path": "/spec/hostname"},
        {"op": "remove", "path": "/spec/containers/0/imagePullPolicy"},
    )
    assert after["spec"] == {"containers": [{"name": "nginx", "image": "nginx:2"}], "hostname": "1"}
    assert inline("- {op: remove, path: /spec}") == JsonPatch(({"op": "remove", "path": "/spec"},))


def test_a_patch_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path, or - for standard input."""
    path = tmp_path / "patch.yaml"
    path.write_text("# why\nspec:\n  nodeName: x\n")
    wanted = MergePatch({"spec": {"nodeName": "x"}})
    assert from_file(str(path)) == wanted
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    assert from_file("-") == wanted


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the patch holds no patch; expected one"),
        ("a: 1\n---\nb: 2", "the patch holds several patches; expected one"),
        ("hello", "the patch is neither an object (a strategic merge patch) nor a list (a JSON Patch)"),
        ("{", "error parsing the patch: line "),
        ('{"spec": {"template": {}}}', "the patch is for a whole controller: spec.template"),
        ("[1]", "the patch: operation 1 is not an object"),
        ("[{}]", "the patch: operation 1: op must be one of add, remove, replace, move, copy, test"),
        ("[{op: remove, path: /a}, {op: [], path: /a}]", "the patch: operation 2: op must be one of"),
        ("[{op: remove}]", "the patch: operation 1 (remove): path must be a path that begins with /"),
        ("[{op: remove, path: spec}]", "the patch: operation 1 (remove): path must be a path that begins"),
        ("[{op: move, path: /a}]", "the patch: operation 1 (move): from must be a path that begins with /"),
        ("[{op: add, path: /a}]", "the patch: operation 1 (add /a) has no value"),
    ],
)
def test_what_is_no_patch(text: str, says: str) -> None:
    """Said before any cluster is asked."""
    with pytest.raises(ManifestError) as caught:
        inline(text)
    assert caught.value.message.startswith(says)


def test_a_patch_file_that_is_not_there() -> None:
    """As for -f."""
    with pytest.raises(ManifestError) as caught:
        from_file("/no/such/patch.yaml")
    assert caught.value.message == 'the path "/no/such/patch.yaml" does not exist'


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        (
            {"op": "test", "path": "/spec/containers/0/image", "value": "x"},
            "does not hold; nothing was changed",
        ),
        ({"op": "test", "path": "/spec/x", "value": 1}, "does not hold"),
        ({"op": "remove", "path": "/spec/x"}, "cannot be applied to the pod template: can't remove"),
        (
            {"op": "replace", "path": "/spec/x", "value": 1},
            "applied to the pod template: can't repl",
        ),
        ({"op": "add", "path": "/a/b/c", "value": 1}, "to the pod template: member 'a' not found; nothing"),
        (
            {"op": "add", "path": "/spec/containers/7", "value": 1},
            "the pod template: can't insert outside",
        ),
        ({"op": "remove", "path": "/spec/containers/x"}, "cannot be applied to the pod template: "),
        (
            {"op": "add", "path": "/spec/containers/0/image/x", "value": 1},
            "cannot be applied to the pod ",
        ),
        ({"op": "move", "from": "/x", "path": "/y"}, "cannot be applied to the pod template: "),
    ],
)
def test_operations_that_do_not_fit(operation: Json, says: str) -> None:
    """Refused with the number of the operation and its path; the template itself is not printed."""
    with pytest.raises(RefusedError) as caught:
        patched({"op": "test", "path": "/spec/containers/0/name", "value": "nginx"}, operation)
    start = f"operation 2 of the patch ({operation['op']} {operation['path']}) "
    assert caught.value.message.startswith(start)
    assert says in caught.value.message
    assert len(caught.value.message) < 200


def test_a_patch_of_the_whole_controller() -> None:
    """A hint says what a patch is of here."""
    with pytest.raises(RefusedError) as caught:
        patched({"op": "remove", "path": "/spec/template/spec/x"})
    assert caught.value.hint == "here a patch is for the pod template: write only what is in spec.template"


_pointers = st.lists(
    st.sampled_from(
        ["spec", "metadata", "containers", "0", "1", "-", "image", "labels", "~0", "~1", "~2", ""]
    ),
    max_size=4,
).map(lambda parts: "".join(f"/{each}" for each in parts))
_operations: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": _pointers},
    optional={
        "value": st.none() | st.integers() | st.text(max_size=2) | st.just({}) | st.just([]),
        "from": _pointers,
    },
)


@given(st.lists(_operations, max_size=4))
def test_every_patch_has_an_answer(operations: list[Json]) -> None:
    """A template, or a refusal in one line; never anything else."""
    before = template()
    try:
        after = inline(json.dumps(operations)).apply(before)
    except (ManifestError, RefusedError) as error:
        assert error.message
        assert "\n" not in error.message
    else:
        assert isinstance(after, dict)
    assert before == copy.deepcopy(template())
