"""Conditional writes, patches, deletions and dry runs: what takes effect, and what is said if not."""

from __future__ import annotations

from typing import Any

import pytest

from testing.sandbox import ApiError, Json, Sandbox
from tests.sandbox.worlds import (
    CONTROLLERS,
    JSON_PATCH,
    MERGE_PATCH,
    PODS,
    STRATEGIC_PATCH,
    controller,
    pod,
)

MODIFIED = (
    'Operation cannot be fulfilled on replicationcontrollers "web": the object has been modified; please '
    "apply your changes to the latest version and try again"
)
REJECTED = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "message": "the server rejected our request due to an error in our request",
    "reason": "Invalid",
    "details": {},
    "code": 422,
}


@pytest.fixture
def world() -> Sandbox:
    sandbox = Sandbox()
    sandbox.create(controller(replicas=0))
    return sandbox


def patch(world: Sandbox, body: Any, content_type: str = JSON_PATCH, **query: str) -> Any:
    return world.request("PATCH", f"{CONTROLLERS}/web", query, body, content_type=content_type)


def test_missing_and_existing_objects_are_told_in_the_servers_words(world: Sandbox) -> None:
    missing = world.request("GET", f"{CONTROLLERS}/nope")
    existing = world.request("POST", CONTROLLERS, body=controller())
    assert missing.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'replicationcontrollers "nope" not found',
        "reason": "NotFound",
        "details": {"name": "nope", "kind": "replicationcontrollers"},
        "code": 404,
    }
    assert (existing.status, existing.reason) == (409, "AlreadyExists")
    assert existing.body["message"] == 'replicationcontrollers "web" already exists'


def test_a_replacement_must_be_of_the_current_version(world: Sandbox) -> None:
    """The loser of two writers gets 409 and the object stays the winner's; without a version anybody wins."""
    seen = world.get("rc", "default", "web")
    world.patch("rc", "default", "web", {"metadata": {"annotations": {"winner": "other"}}})
    seen["spec"]["replicas"] = 5

    late = world.request("PUT", f"{CONTROLLERS}/web", body=seen)
    del seen["metadata"]["resourceVersion"]
    blind = world.request("PUT", f"{CONTROLLERS}/web", body=seen)

    assert (late.status, late.reason, late.body["message"]) == (409, "Conflict", MODIFIED)
    assert blind.status == 200


def test_a_replacement_must_bear_the_name_and_uid_of_what_is_there(world: Sandbox) -> None:
    seen = world.get("rc", "default", "web")
    other_name = {**seen, "metadata": {**seen["metadata"], "name": "q"}}
    other_uid = {**seen, "metadata": {**seen["metadata"], "uid": "q"}}

    by_name = world.request("PUT", f"{CONTROLLERS}/web", body=other_name)
    by_uid = world.request("PUT", f"{CONTROLLERS}/web", body=other_uid)

    assert by_name.status == 400
    assert by_name.body["message"] == "the name of the object (q) does not match the name on the URL (web)"
    assert by_uid.status == 409
    assert "Precondition failed: UID in precondition: q" in by_uid.body["message"]


def test_a_json_patch_whose_test_fails_changes_nothing(world: Sandbox) -> None:
    operations = [
        {"op": "replace", "path": "/spec/replicas", "value": 5},
        {"op": "test", "path": "/metadata/resourceVersion", "value": "1"},
    ]
    answer = patch(world, operations)
    assert (answer.status, answer.body) == (422, REJECTED)
    assert world.get("rc", "default", "web")["spec"]["replicas"] == 0


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/metadata/annotations/x"},
        {"op": "replace", "path": "/metadata/nothing/x", "value": 1},
        {"op": "add", "path": "/metadata/nothing/x", "value": 1},
        {"op": "test", "path": "/metadata/annotations/x", "value": None},
        {"op": "test", "path": "/spec/replicas", "value": False},
        {"op": "bogus", "path": "/x"},
    ],
)
def test_a_json_patch_that_can_not_be_applied_is_refused_without_a_word_why(
    world: Sandbox, operation: Json
) -> None:
    assert patch(world, [operation]).body == REJECTED


def test_a_json_patch_may_test_for_absence_where_the_parent_is_there(world: Sandbox) -> None:
    """The server's library takes a missing key for null."""
    assert patch(world, [{"op": "test", "path": "/metadata/annotations", "value": None}]).ok


def test_a_stale_version_set_by_a_patch_is_a_conflict(world: Sandbox) -> None:
    by_json = patch(world, [{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}])
    by_merge = patch(world, {"metadata": {"resourceVersion": "1"}}, MERGE_PATCH)
    assert by_json.body["message"] == by_merge.body["message"] == MODIFIED
    assert by_json.status == by_merge.status == 409


def test_a_patch_may_not_change_who_the_object_is(world: Sandbox) -> None:
    uid = patch(world, [{"op": "replace", "path": "/metadata/uid", "value": "q"}])
    name = patch(world, {"metadata": {"name": "q"}}, MERGE_PATCH)
    assert uid.status == 422
    assert 'metadata.uid: Invalid value: "q": field is immutable' in uid.body["message"]
    assert name.status == 400


def test_kinds_of_patches_go_by_content_type(world: Sandbox) -> None:
    unknown = patch(world, {}, "application/json")
    applied = patch(world, {}, "application/apply-patch+yaml")
    not_a_list = patch(world, {"a": 1}, JSON_PATCH)
    assert unknown.status == applied.status == 415
    assert unknown.reason == "UnsupportedMediaType"
    assert not_a_list.status == 400


def test_a_merge_patch_replaces_lists_and_a_strategic_one_merges_them(world: Sandbox) -> None:
    """Containers and variables are merged by name, ports by number."""
    added = {"name": "main", "env": [{"name": "B", "value": "2"}], "ports": [{"containerPort": 80}]}
    template = {"spec": {"containers": [added]}}
    first = patch(world, {"spec": {"template": template}}, STRATEGIC_PATCH).body
    removed = {"name": "main", "env": [{"name": "B", "$patch": "delete"}, {"name": "C", "value": "3"}]}
    second = patch(world, {"spec": {"template": {"spec": {"containers": [removed]}}}}, STRATEGIC_PATCH).body
    third = patch(world, {"spec": {"template": template}}, MERGE_PATCH)

    container = first["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "nginx:1.7"
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert second["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "C", "value": "3"}]
    assert third.status == 422, "the merged list has lost the image"


def test_scale_is_a_small_object_that_leaves_out_a_zero(world: Sandbox) -> None:
    """Not spec.replicas 0 but no spec.replicas: the type says omitempty."""
    before = world.request("GET", f"{CONTROLLERS}/web/scale").body
    after = world.request(
        "PATCH", f"{CONTROLLERS}/web/scale", body={"spec": {"replicas": 3}}, content_type=MERGE_PATCH
    ).body

    assert before["kind"] == "Scale"
    assert before["spec"] == {}
    assert before["status"] == {"replicas": 0, "selector": "app=web"}
    assert after["spec"] == {"replicas": 3}
    assert world.get("rc", "default", "web")["metadata"]["generation"] == 2


def test_scale_is_conditional_and_validated(world: Sandbox) -> None:
    path, metadata = f"{CONTROLLERS}/web/scale", {"name": "web", "namespace": "default"}
    stale = {"metadata": {**metadata, "resourceVersion": "1"}, "spec": {"replicas": 3}}
    negative = {"metadata": metadata, "spec": {"replicas": -4}}
    assert world.request("PUT", path, body=stale).body["message"] == MODIFIED
    assert world.request("PUT", path, body=negative).body["message"] == (
        'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -4: '
        "must be greater than or equal to 0"
    )


@pytest.mark.parametrize(
    ("preconditions", "told"),
    [
        ({"uid": "zz"}, "the UID in the precondition (zz) does not match the UID in record"),
        ({"resourceVersion": "1"}, "the ResourceVersion in the precondition (1) does not match"),
    ],
)
def test_a_deletion_with_a_wrong_precondition_is_a_conflict(
    world: Sandbox, preconditions: Json, told: str
) -> None:
    answer = world.request("DELETE", f"{CONTROLLERS}/web", body={"preconditions": preconditions})
    assert (answer.status, answer.reason) == (409, "Conflict")
    assert f'on ReplicationController "web": {told}' in answer.body["message"]
    assert world.find("rc", "default", "web")


def test_a_deletion_with_right_preconditions_answers_with_a_status(world: Sandbox) -> None:
    uid = world.get("rc", "default", "web")["metadata"]["uid"]
    body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
    answer = world.request("DELETE", f"{CONTROLLERS}/web", body=body)
    assert answer.body["status"] == "Success"
    assert answer.body["details"] == {"name": "web", "kind": "replicationcontrollers", "uid": uid}


def test_dry_runs_are_answered_in_full_and_store_nothing(world: Sandbox) -> None:
    writes: list[object] = []
    world.on_write(writes.append)
    query = {"dryRun": "All"}

    created = world.request("POST", CONTROLLERS, query, controller("other"))
    refused = world.request("POST", CONTROLLERS, query, controller("other", replicas=-1))
    exists = world.request("POST", CONTROLLERS, query, controller("web"))
    patched = patch(world, {"spec": {"replicas": 9}}, MERGE_PATCH, dryRun="All")
    replaced = world.request("PUT", f"{CONTROLLERS}/web", query, world.get("rc", "default", "web"))
    deleted = world.request("DELETE", f"{CONTROLLERS}/web", body={"dryRun": ["All"]})

    assert created.status == 201
    assert created.body["metadata"]["uid"]
    assert "resourceVersion" not in created.body["metadata"]
    assert (refused.status, exists.status) == (422, 409)
    assert (patched.body["spec"]["replicas"], patched.body["metadata"]["generation"]) == (9, 2)
    assert replaced.ok
    assert deleted.ok
    assert not writes


def test_an_unknown_dry_run_is_refused(world: Sandbox) -> None:
    answer = world.request("POST", CONTROLLERS, {"dryRun": "Some"}, controller("other"))
    assert answer.body["message"] == (
        'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: []string{"Some"}: '
        'supported values: "All"'
    )


def test_a_deletion_with_a_body_does_not_heed_dry_run_in_the_query(world: Sandbox) -> None:
    """A trap of the real server: with a body, the query's options are not read, and the object goes."""
    body = {"propagationPolicy": "Background"}
    answer = world.request("DELETE", f"{CONTROLLERS}/web", {"dryRun": "All"}, body)
    assert answer.ok
    assert world.find("rc", "default", "web") is None


def test_a_collection_is_deleted_by_selector(world: Sandbox) -> None:
    for name, tier in (("a", "x"), ("b", "x"), ("c", "y")):
        world.create(pod(name, tier=tier))
    answer = world.request("DELETE", PODS, {"labelSelector": "tier=x"})
    assert [item["metadata"]["name"] for item in answer.body["items"]] == ["a", "b"]
    assert [item["metadata"]["name"] for item in world.pods()] == ["c"]


def test_finalizers_keep_an_object_until_they_are_gone(world: Sandbox) -> None:
    """Meanwhile it is being deleted: nobody creates it again, and no finalizer is added."""
    world.patch("rc", "default", "web", {"metadata": {"finalizers": ["example.com/wait"]}})
    ending = world.delete("rc", "default", "web", "Background")
    assert ending["metadata"]["deletionTimestamp"]
    assert ending["metadata"]["generation"] == 2
    with pytest.raises(ApiError, match="object is being deleted"):
        world.create(controller())
    with pytest.raises(ApiError, match="no new finalizers can be added"):
        world.patch("rc", "default", "web", {"metadata": {"finalizers": ["a.b/c", "example.com/wait"]}})

    world.patch("rc", "default", "web", {"metadata": {"finalizers": None}})

    assert world.find("rc", "default", "web") is None


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", f"{CONTROLLERS}/web", 405),
        ("PUT", CONTROLLERS, 405),
        ("DELETE", f"{CONTROLLERS}/web/scale", 405),
        ("GET", "/api/v1/namespaces/default/widgets", 404),
        ("GET", "/apis/apps/v1/deployments", 404),
        ("GET", f"{CONTROLLERS}/web/bogus", 404),
    ],
)
def test_what_there_is_not_is_not_there(world: Sandbox, method: str, path: str, status: int) -> None:
    assert world.request(method, path, body={} if method != "GET" else None).status == status


def test_a_body_of_an_unknown_type_is_refused(world: Sandbox) -> None:
    answer = world.request("POST", CONTROLLERS, body=controller("x"), content_type="text/plain")
    assert (answer.status, answer.reason) == (415, "UnsupportedMediaType")


def test_a_json_patch_may_replace_what_is_not_there(world: Sandbox) -> None:
    """A key of a map, that is: the real server adds it. Removing it is refused."""
    patched = world.patch(
        "rc", "default", "web", [{"op": "replace", "path": "/metadata/labels/x", "value": "y"}]
    )
    assert patched["metadata"]["labels"]["x"] == "y"
    removal = [{"op": "remove", "path": "/metadata/labels/z"}]
    path = f"{CONTROLLERS}/web"
    assert world.request("PATCH", path, body=removal, content_type=JSON_PATCH).status == 422


def test_version_0_is_no_condition(world: Sandbox) -> None:
    """A PUT with it replaces whatever there is, as one without a version."""
    found = world.get("rc", "default", "web")
    found["metadata"]["resourceVersion"] = "0"
    assert world.request("PUT", f"{CONTROLLERS}/web", body=found).status == 200


def test_owners_must_be_complete(world: Sandbox) -> None:
    """Apart from that, the garbage collector could make nothing of them."""
    manifest = controller("noted", 0)
    manifest["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "Pod"}]
    refused = world.request("POST", CONTROLLERS, body=manifest)
    assert refused.status == 422
    assert [cause["message"].partition(": ")[2] for cause in refused.body["details"]["causes"]] == [
        '"": name must not be empty',
        '"": uid must not be empty',
    ]


def test_annotations_have_a_limit(world: Sandbox) -> None:
    """256 KiB, keys and values together."""
    manifest = controller("noted", 0)
    manifest["metadata"]["annotations"] = {"a": "b" * (256 * 1024 - 1)}
    assert world.request("POST", CONTROLLERS, {"dryRun": "All"}, manifest).status == 201
    manifest["metadata"]["annotations"]["a"] += "b"
    assert world.request("POST", CONTROLLERS, {"dryRun": "All"}, manifest).status == 422
