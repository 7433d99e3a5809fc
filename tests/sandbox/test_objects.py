"""What the API makes of an object: metadata, defaults, and what it refuses."""

from __future__ import annotations

import re

import pytest

from testing.sandbox import ApiError, Json, Sandbox
from tests.sandbox.worlds import CONTROLLERS, MERGE_PATCH, PODS, controller, pod


@pytest.fixture
def world() -> Sandbox:
    return Sandbox()


def test_a_new_controller_gets_the_metadata_and_defaults_of_the_real_server(world: Sandbox) -> None:
    """The filled-in object is, field by field, what a real API server stores."""
    made = world.create(
        {
            "apiVersion": "v1",
            "kind": "ReplicationController",
            "metadata": {"name": "web"},
            "spec": {
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {
                        "containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}]
                    },
                }
            },
        }
    )

    metadata = made.pop("metadata")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata["uid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"])
    assert metadata["generation"] == 1
    assert metadata["labels"] == {"app": "web"}
    assert made == {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "spec": {
            "replicas": 1,
            "selector": {"app": "web"},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [
                        {
                            "name": "c",
                            "image": "nginx",
                            "imagePullPolicy": "Always",
                            "ports": [{"containerPort": 80, "protocol": "TCP"}],
                            "resources": {},
                            "terminationMessagePath": "/dev/termination-log",
                            "terminationMessagePolicy": "File",
                        }
                    ],
                    "dnsPolicy": "ClusterFirst",
                    "restartPolicy": "Always",
                    "schedulerName": "default-scheduler",
                    "securityContext": {},
                    "terminationGracePeriodSeconds": 30,
                },
            },
        },
        "status": {"replicas": 0},
    }


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("registry:5000/nginx", "Always"),
        ("nginx:1.7", "IfNotPresent"),
        ("nginx@sha256:" + "0" * 64, "IfNotPresent"),
    ],
)
def test_images_without_a_fixed_tag_are_pulled_always(world: Sandbox, image: str, policy: str) -> None:
    made = world.create(controller(image=image))
    assert made["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_generated_names_end_in_five_characters_of_the_servers_alphabet(world: Sandbox) -> None:
    manifest = controller()
    manifest["metadata"] = {"generateName": "web-"}
    name = world.create(manifest)["metadata"]["name"]
    assert re.fullmatch(r"web-[bcdfghjklmnpqrstvwxz2456789]{5}", name)


def test_an_upgraded_server_sends_the_same_objects_in_the_same_version_as_it_writes_them() -> None:
    """Until 1.33 a template says that it was never created; from 1.34 on not, and pods count their specs."""
    world = Sandbox(minor=20, kubelet=None)
    old = world.create(controller())
    assert old["spec"]["template"]["metadata"]["creationTimestamp"] is None
    assert "generation" not in world.create(pod("first"))["metadata"]

    world.upgrade(36)
    new = world.get("rc", "default", "web")
    assert new["metadata"] == old["metadata"]
    assert "creationTimestamp" not in new["spec"]["template"]["metadata"]
    assert world.create(pod("second"))["metadata"]["generation"] == 1

    world.upgrade(33)
    assert world.get("rc", "default", "web") == old


def test_generation_counts_changes_of_the_spec_and_nothing_else(world: Sandbox) -> None:
    """Labels and status leave it alone; the version rises with every change."""
    first = world.create(controller(replicas=0))
    labelled = world.patch("rc", "default", "web", {"metadata": {"labels": {"x": "y"}}})
    world.settle()
    scaled = world.scale("default", "web", 1)

    assert [obj["metadata"]["generation"] for obj in (first, labelled, scaled)] == [1, 1, 2]
    versions = [int(obj["metadata"]["resourceVersion"]) for obj in (first, labelled, scaled)]
    assert versions == sorted(set(versions))


def test_a_write_that_changes_nothing_spends_no_version(world: Sandbox) -> None:
    made = world.create(controller())
    again = world.patch("rc", "default", "web", {"spec": {"replicas": 2}})
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_what_a_client_says_of_status_and_generation_is_not_heeded(world: Sandbox) -> None:
    manifest = controller(replicas=0)
    manifest["metadata"] |= {"generation": 7, "uid": "mine", "creationTimestamp": "2001-01-01T00:00:00Z"}
    manifest["status"] = {"replicas": 5}

    made = world.create(manifest)
    patched = world.patch("rc", "default", "web", {"status": {"replicas": 5}})

    assert made["metadata"]["generation"] == 1
    assert made["metadata"]["uid"] != "mine"
    assert made["status"] == patched["status"] == {"replicas": 0}


def test_the_status_subresource_changes_the_status_only(world: Sandbox) -> None:
    world.create(controller())
    body = {"status": {"replicas": 7}, "spec": {"replicas": 9}}
    answer = world.request("PATCH", f"{CONTROLLERS}/web/status", body=body, content_type=MERGE_PATCH)
    assert answer.body["status"]["replicas"] == 7
    assert answer.body["spec"]["replicas"] == 2
    assert answer.body["metadata"]["generation"] == 1


_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"selector": {"x": "y"}},
            'spec.template.metadata.labels: Invalid value: map[string]string{"app":"web"}: '
            "`selector` does not match template `labels`",
        ),
        ({"replicas": -1}, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        ({"template": None}, "[spec.selector: Required value, spec.template: Required value]"),
        (
            {"template": {"spec": {"containers": [{"name": "c", "image": "x"}]}}},
            "spec.selector: Required value",
        ),
        (
            {"template": {"metadata": {"labels": {"a": "b"}}}},
            "spec.template.spec.containers: Required value",
        ),
        (
            {"template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c"}]}}},
            "spec.template.spec.containers[0].image: Required value",
        ),
    ],
)
def test_a_controller_that_breaks_a_rule_is_refused_in_the_servers_words(
    world: Sandbox, spec: Json, message: str
) -> None:
    manifest = controller()
    manifest["spec"] |= spec
    with pytest.raises(ApiError) as refused:
        world.create(manifest)
    assert refused.value.code == 422
    assert refused.value.reason == "Invalid"
    assert refused.value.body["message"] == f'ReplicationController "web" is invalid: {message}'
    details = refused.value.body["details"]
    assert details["name"] == "web"
    assert details["kind"] == "ReplicationController"
    assert all(cause["reason"].startswith("FieldValue") for cause in details["causes"])


def test_names_are_dns_subdomains(world: Sandbox) -> None:
    with pytest.raises(ApiError) as refused:
        world.create(controller("A_b", app="web"))
    assert str(refused.value) == (
        f'ReplicationController "A_b" is invalid: metadata.name: Invalid value: "A_b": {_SUBDOMAIN}'
    )


def test_a_value_of_the_wrong_type_is_no_object_at_all(world: Sandbox) -> None:
    """A label that is a number, the commonest mistake in YAML: 400 when sent, 422 when patched in."""
    manifest = controller()
    manifest["metadata"]["labels"] = {"version": 2}
    sent = world.request("POST", CONTROLLERS, body=manifest)
    world.create(controller())
    patch = {"metadata": {"annotations": {"a": 1}}}
    patched = world.request("PATCH", f"{CONTROLLERS}/web", body=patch, content_type=MERGE_PATCH)

    assert (sent.status, sent.reason) == (400, "BadRequest")
    assert (patched.status, patched.reason) == (422, "Invalid")
    assert patched.body["message"].startswith(' "" is invalid: patch: Invalid value: ')


def test_the_kind_and_namespace_of_a_body_must_be_those_of_the_path(world: Sandbox) -> None:
    manifest = controller()
    wrong_kind = world.request("POST", PODS, body=manifest)
    manifest["metadata"]["namespace"] = "other"
    wrong_namespace = world.request("POST", CONTROLLERS, body=manifest)

    assert wrong_kind.body["message"].startswith(
        'ReplicationController in version "v1" cannot be handled as a Pod'
    )
    assert wrong_namespace.body["message"] == (
        "the namespace of the provided object does not match the namespace sent on the request"
    )
    assert wrong_kind.status == wrong_namespace.status == 400


def test_of_a_pods_spec_only_the_image_may_change(world: Sandbox) -> None:
    world.create(pod())
    with pytest.raises(ApiError, match="pod updates may not change fields other than"):
        world.patch("pods", "default", "lone", {"spec": {"restartPolicy": "Never"}})
    patch = [{"op": "replace", "path": "/spec/containers/0/image", "value": "nginx:1.8"}]
    assert world.patch("pods", "default", "lone", patch)["spec"]["containers"][0]["image"] == "nginx:1.8"


def test_nothing_is_created_in_a_namespace_that_is_not_there(world: Sandbox) -> None:
    with pytest.raises(ApiError) as refused:
        world.create(controller(), namespace="nowhere")
    assert refused.value.body["message"] == 'namespaces "nowhere" not found'
    assert refused.value.body["details"] == {"name": "nowhere", "kind": "namespaces"}


def test_what_a_test_does_to_an_answer_does_not_reach_the_store(world: Sandbox) -> None:
    made = world.create(controller())
    made["spec"]["selector"]["app"] = "changed"
    found = world.get("rc", "default", "web")
    assert found["spec"]["selector"] == {"app": "web"}
    assert found["metadata"]["labels"] == {"app": "web"}
