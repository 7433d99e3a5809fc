"""Whole updates by the command itself, as a user runs it: the same stories on every kind of cluster."""

from __future__ import annotations

import json
import re
import signal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from tests.e2e.world import World, assert_says
from tests.support.manifests import my_nginx, my_nginx_v4

OURS = ("rolling-update/", "kubectl.kubernetes.io/")


def image_of(controller: dict[str, Any]) -> str:
    return str(controller["spec"]["template"]["spec"]["containers"][0]["image"])


def update_annotations(obj: dict[str, Any]) -> dict[str, str]:
    found = obj["metadata"].get("annotations") or {}
    return {key: value for key, value in found.items() if key.startswith(OURS)}


def assert_finished(world: World, name: str, image: str, replicas: int) -> dict[str, Any]:
    """One controller of the right name, template and size, owning exactly its pods, all available, and
    nothing left of the update."""
    world.api.wait_available(name, replicas)
    found = world.api.controllers()
    assert list(found) == [name]
    controller = found[name]
    assert image_of(controller) == image
    assert controller["spec"]["replicas"] == replicas
    assert update_annotations(controller) == {}
    world.api.wait(lambda: len(world.api.pods()) == replicas, f"{replicas} pods")
    for pod in world.api.pods():
        assert pod["spec"]["containers"][0]["image"] == image
        owners = pod["metadata"]["ownerReferences"]
        assert [owner["uid"] for owner in owners] == [controller["metadata"]["uid"]]
    return controller


# --- image updates ---


def test_image_update_keeps_the_name(world: World) -> None:
    """The documented session: three pods of another image, the controller still the same object."""
    before = world.have(my_nginx())
    ended = world.run("my-nginx", "--image=nginx:1.9.1")
    after = assert_finished(world, "my-nginx", "nginx:1.9.1", 3)
    digits = after["spec"]["selector"]["deployment"]
    assert re.fullmatch("[0-9a-f]{32}", digits)
    assert_says(ended, "image_update_keeping_the_name.txt", H=digits)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["template"]["metadata"]["labels"] == {"app": "nginx", "deployment": digits}
    assert {pod["metadata"]["labels"]["deployment"] for pod in world.api.pods()} == {digits}


def test_second_update_and_back_by_another(world: World) -> None:
    """A controller that has its label needs no labelling; an update to the first image is an update."""
    world.have(my_nginx())
    assert world.run("my-nginx", "--image=nginx:1.9.1").status == 0
    assert world.run("my-nginx", "--image=nginx:1.9.2").status == 0
    assert_finished(world, "my-nginx", "nginx:1.9.2", 3)
    assert world.run("my-nginx", "--image=nginx:1.9.1").status == 0
    assert_finished(world, "my-nginx", "nginx:1.9.1", 3)


def test_image_update_to_a_new_name(world: World) -> None:
    """With NEW_NAME the old controller goes and the new one stays."""
    world.have(my_nginx("frontend-v1"))
    ended = world.run("frontend-v1", "frontend-v2", "--image=image:v2")
    assert_finished(world, "frontend-v2", "image:v2", 3)
    assert_says(ended, "image_update_to_a_new_name.txt")


def test_one_container_of_several(world: World) -> None:
    """--container names which; the other one stays as it is."""
    manifest = my_nginx()
    manifest["spec"]["template"]["spec"]["containers"].append({"name": "log", "image": "fluent:1"})
    world.have(manifest)
    refused = world.run("my-nginx", "--image=fluent:2")
    assert refused.status == 1
    assert "must specify container to update when updating a multi-container pod" in refused.stderr
    refused = world.run("my-nginx", "--image=fluent:2", "--container=lgo")
    assert refused.stderr.startswith("error: container lgo not found in pod\n")
    assert world.run("my-nginx", "--image=fluent:2", "--container=log").status == 0
    images = [
        each["image"] for each in world.api.controller("my-nginx")["spec"]["template"]["spec"]["containers"]
    ]
    assert images == ["nginx:1.7.9", "fluent:2"]


def test_same_image_again_with_a_pull_policy(world: World) -> None:
    """New pods of the same image, each time they are asked for."""
    world.have(my_nginx())
    for _ in range(2):
        names = {pod["metadata"]["name"] for pod in world.api.pods()}
        ended = world.run("my-nginx", "--image=nginx:1.7.9", "--image-pull-policy=IfNotPresent")
        assert ended.status == 0, ended.stderr
        assert_finished(world, "my-nginx", "nginx:1.7.9", 3)
        assert not names & {pod["metadata"]["name"] for pod in world.api.pods()}


def test_a_label_key_of_ones_own(world: World) -> None:
    """--deployment-label-key takes the place of ``deployment``."""
    world.have(my_nginx())
    assert world.run("my-nginx", "--image=nginx:1.9.1", "--deployment-label-key=example.com/turn").status == 0
    controller = assert_finished(world, "my-nginx", "nginx:1.9.1", 3)
    assert set(controller["spec"]["selector"]) == {"app", "example.com/turn"}


def test_no_pods_at_all(world: World) -> None:
    """A controller of size 0 gets its template, and no pod."""
    world.have(my_nginx(replicas=0))
    ended = world.run("my-nginx", "--image=nginx:1.9.1")
    assert ended.status == 0
    assert "from 0 to 0" in ended.stdout
    assert_finished(world, "my-nginx", "nginx:1.9.1", 0)


def test_surge_and_unavailable_in_percent(world: World) -> None:
    """A wider budget makes larger steps; the bounds are told."""
    world.have(my_nginx(replicas=8))
    ended = world.run("my-nginx", "--image=nginx:1.9.1", "--max-surge=50%", "--max-unavailable=25%")
    assert ended.status == 0
    assert "(keep 6 pods available, don't exceed 12 pods)" in ended.stdout
    assert_finished(world, "my-nginx", "nginx:1.9.1", 8)


def test_pods_must_stay_ready_for_a_while(world: World) -> None:
    """--min-ready-seconds paces the update and is gone afterwards."""
    world.have(my_nginx(replicas=1))
    ended = world.run("my-nginx", "--image=nginx:1.9.1", "--min-ready-seconds=2")
    assert ended.status == 0
    assert ended.seconds >= 2
    assert "minReadySeconds" not in assert_finished(world, "my-nginx", "nginx:1.9.1", 1)["spec"]


def test_old_pods_that_are_not_ready_hold_nothing_back(world: World) -> None:
    """The fixing update of a broken controller goes through."""
    world.have(my_nginx(image="nginx:missing"), available=0)
    assert world.run("my-nginx", "--image=nginx:1.9.1").status == 0
    assert_finished(world, "my-nginx", "nginx:1.9.1", 3)


# --- updates from a file ---


def test_update_from_the_documented_file(world: World) -> None:
    """4 pods become 5 of another controller; the session is printed as documented."""
    world.have(my_nginx(replicas=4, labels={"deployment": "v1"}, selector=True))
    ended = world.run("my-nginx", "-f", world.file(my_nginx_v4()))
    assert_finished(world, "my-nginx-v4", "nginx:1.9.2", 5)
    assert_says(ended, "update_from_a_file.txt")


def test_file_on_standard_input_json_without_replicas(world: World) -> None:
    """``-f -``: where the file gives no size, the old controller's is used."""
    world.have(my_nginx(replicas=2, labels={"deployment": "v1"}))
    ended = world.run("my-nginx", "-f", "-", stdin=json.dumps(my_nginx_v4(replicas=None)))
    assert ended.status == 0, ended.stderr
    assert_finished(world, "my-nginx-v4", "nginx:1.9.2", 2)


def test_file_by_url_in_a_list(world: World) -> None:
    """A List of one, from a web server."""
    world.have(my_nginx(replicas=1, labels={"deployment": "v1"}))
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [my_nginx_v4(1)]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        ended = world.run("my-nginx", "-f", f"http://127.0.0.1:{server.server_port}/rc.yaml")
    finally:
        server.shutdown()
        server.server_close()
    assert ended.status == 0, ended.stderr
    assert_finished(world, "my-nginx-v4", "nginx:1.9.2", 1)


def test_file_with_a_generated_name(world: World) -> None:
    """generateName: a name is made, the same one for the same template."""
    world.have(my_nginx(replicas=1, labels={"deployment": "v1"}))
    manifest = my_nginx_v4(1)
    manifest["metadata"] = {"generateName": "my-nginx-"}
    ended = world.run("my-nginx", "-f", world.file(manifest))
    assert ended.status == 0, ended.stderr
    (name,) = world.api.controllers()
    assert re.fullmatch("my-nginx-[0-9a-f]{5}", name)
    assert_finished(world, name, "nginx:1.9.2", 1)


def test_file_that_keeps_the_name(world: World) -> None:
    """--keep-name: no new name and no new selector has to be invented; a second time is nothing to do."""
    before = world.have(my_nginx())
    manifest = my_nginx(image="nginx:1.9.1", replicas=4)
    manifest["metadata"]["labels"] = {"team": "web"}
    refused = world.run("my-nginx", "-f", world.file(manifest))
    assert refused.status == 1
    assert "cannot have the same name as the existing ReplicationController my-nginx" in refused.stderr
    ended = world.run("my-nginx", "-f", world.file(manifest), "--keep-name")
    assert ended.status == 0, ended.stderr
    after = assert_finished(world, "my-nginx", "nginx:1.9.1", 4)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"]["labels"] == {**before["metadata"]["labels"], "team": "web"}
    version = after["metadata"]["resourceVersion"]
    again = world.run("my-nginx", "-f", world.file(manifest), "--keep-name")
    assert (again.status, again.stdout) == (0, 'replicationcontroller "my-nginx" is up to date\n')
    assert world.api.controller("my-nginx")["metadata"]["resourceVersion"] == version


def test_file_of_another_name_that_ends_under_the_old_one(world: World) -> None:
    """--keep-name with a name in the file: that one is only used on the way."""
    before = world.have(my_nginx(labels={"deployment": "v1"}))
    ended = world.run("my-nginx", "-f", world.file(my_nginx_v4(3)), "--keep-name")
    assert "Created my-nginx-v4\n" in ended.stdout
    after = assert_finished(world, "my-nginx", "nginx:1.9.2", 3)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["selector"] == {"app": "nginx", "deployment": "v4"}


# --- stopped, resumed, rolled back ---


def test_timeout_then_rollback(world: World) -> None:
    """An image that cannot be pulled: the update stops, says how to go on, and a rollback reverts all."""
    before = world.have(my_nginx())
    ended = world.run("my-nginx", "--image=nginx:missing", "--timeout=2s")
    assert ended.status == 3
    assert ended.seconds >= 2
    assert "error: timed out waiting for any update progress to be made\n" in ended.stderr
    assert (
        "To resume:    kubectl rolling-update my-nginx --image=nginx:missing --timeout=2s\n" in ended.stderr
    )
    back = world.run("my-nginx", "--image=nginx:missing", "--rollback")
    assert back.status == 0, back.stderr
    assert 'Setting "my-nginx" replicas to 3\n' in back.stdout
    after = assert_finished(world, "my-nginx", "nginx:1.7.9", 3)
    assert after["spec"] == before["spec"]
    assert all("deployment" not in pod["metadata"]["labels"] for pod in world.api.pods())


def test_documented_rollback(world: World) -> None:
    """One old pod and one new one that never gets ready: back to what was, in the documented words."""
    world.have(my_nginx(replicas=1, labels={"deployment": "v1"}))
    assert world.run("my-nginx", "my-nginx-v2", "--image=nginx:missing", "--timeout=1s").status == 3
    ended = world.run("my-nginx", "--rollback")
    assert_says(ended, "rollback.txt")
    assert_finished(world, "my-nginx", "nginx:1.7.9", 1)


def test_rollback_with_all_names_and_with_the_file(world: World) -> None:
    """``NAME NEW_NAME --rollback`` and the original command with --rollback appended."""
    world.have(my_nginx(replicas=2, labels={"deployment": "v1"}))
    assert world.run("my-nginx", "next", "--image=nginx:missing", "--timeout=1s").status == 3
    assert world.run("my-nginx", "next", "--rollback=true").status == 0
    assert_finished(world, "my-nginx", "nginx:1.7.9", 2)
    manifest = my_nginx_v4(2)
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:missing"
    file = world.file(manifest)
    assert world.run("my-nginx", "-f", file, "--timeout=1s").status == 3
    assert world.run("my-nginx", "-f", file, "--rollback").status == 0
    assert_finished(world, "my-nginx", "nginx:1.7.9", 2)
    nothing = world.run("my-nginx", "--rollback")
    assert (nothing.status, nothing.stderr) == (1, "error: Could not find my-nginx to rollback.\n")


def test_killed_and_continued(world: World) -> None:
    """SIGKILL in the middle: the same command finds the update and finishes it."""
    world.have(my_nginx(replicas=4))
    running = world.start("my-nginx", "--image=nginx:1.9.1")
    running.until("Scaling my-nginx down to 2")
    running.send(signal.SIGKILL)
    ended = world.run("my-nginx", "--image=nginx:1.9.1")
    assert ended.status == 0, ended.stderr
    digits = world.api.controller("my-nginx")["spec"]["selector"]["deployment"]
    lines = ended.stdout.splitlines()
    assert lines[:2] == [
        f"Found existing update in progress (my-nginx-{digits}), resuming.",
        f"Continuing update with existing controller my-nginx-{digits}.",
    ]
    assert lines[2].startswith(f"Scaling up my-nginx-{digits} from ")
    assert_finished(world, "my-nginx", "nginx:1.9.1", 4)


@pytest.mark.interrupted
def test_interrupted_and_rolled_back(world: World) -> None:
    """SIGINT: status 130, where things stand, both commands; then back from the middle."""
    before = world.have(my_nginx(replicas=4))
    running = world.start("my-nginx", "--image=nginx:1.9.1")
    running.until("Scaling my-nginx down to 2")
    running.send(signal.SIGINT)
    ended = running.end()
    assert ended.status == 130
    assert "Interrupted by SIGINT; my-nginx has " in ended.stderr
    assert "To resume:    kubectl rolling-update my-nginx --image=nginx:1.9.1\n" in ended.stderr
    assert "To roll back: kubectl rolling-update my-nginx --image=nginx:1.9.1 --rollback\n" in ended.stderr
    assert world.run("my-nginx", "--image=nginx:1.9.1", "--rollback").status == 0
    assert assert_finished(world, "my-nginx", "nginx:1.7.9", 4)["spec"] == before["spec"]


def test_another_image_while_one_is_in_progress(world: World) -> None:
    """The documented refusal; nothing is changed."""
    world.have(my_nginx())
    assert world.run("my-nginx", "--image=nginx:missing", "--timeout=1s").status == 3
    before = world.versions()
    ended = world.run("my-nginx", "--image=nginx:1.9.2")
    assert ended.status == 1
    assert ended.stderr == (
        "error: Found existing in-progress update to image (nginx:missing).\n"
        "Either continue in-progress update with --image=nginx:missing or rollback with --rollback\n"
    )
    assert world.versions() == before


# --- others ---


def test_scaled_by_somebody_else(world: World) -> None:
    """``kubectl scale`` in the middle: the goal follows."""
    world.have(my_nginx(replicas=4))
    running = world.start("my-nginx", "--image=nginx:1.9.1")
    running.until("Scaling my-nginx down to 2")
    world.api.scale("my-nginx", 6)
    ended = running.end()
    assert ended.status == 0, ended.stderr
    assert "by another client; the update now targets 6 pods\n" in ended.stderr
    assert_finished(world, "my-nginx", "nginx:1.9.1", 6)


def test_new_controller_deleted_by_somebody_else(world: World) -> None:
    """The command stops with a message that says so; the same command begins again."""
    world.have(my_nginx())
    running = world.start("my-nginx", "--image=nginx:missing")
    running.until("Scaling my-nginx-")
    (name,) = set(world.api.controllers()) - {"my-nginx"}
    world.api.delete(name)
    ended = running.end()
    assert ended.status == 3
    assert f'replicationcontroller "{name}" was deleted by another client during the update' in ended.stderr
    assert world.run("my-nginx", "--image=nginx:1.9.1").status == 0
    assert_finished(world, "my-nginx", "nginx:1.9.1", 3)


def test_old_controller_deleted_by_somebody_else(world: World) -> None:
    """The command stops with a message; the same command gives the new pods the lasting name."""
    world.have(my_nginx())
    running = world.start("my-nginx", "--image=nginx:1.9.1", "--update-period=1s")
    running.until("up to 1")
    world.api.delete("my-nginx")
    ended = running.end()
    assert ended.status == 1
    assert 'replicationcontroller "my-nginx" was deleted by another client during the update' in ended.stderr
    again = world.run("my-nginx", "--image=nginx:1.9.1")
    assert again.status == 0, again.stderr
    assert_finished(world, "my-nginx", "nginx:1.9.1", 3)


def test_old_controller_deleted_in_an_update_to_a_new_name(world: World) -> None:
    """What there is is brought to its size by the same command."""
    world.have(my_nginx(replicas=3, labels={"deployment": "v1"}))
    running = world.start("my-nginx", "next", "--image=nginx:1.9.1", "--update-period=1s")
    running.until("up to 1")
    world.api.delete("my-nginx")
    ended = running.end()
    assert ended.status == 1
    assert ended.stderr.endswith("run the same command again to finish the update\n")
    again = world.run("my-nginx", "next", "--image=nginx:1.9.1")
    assert again.status == 0, again.stderr
    assert_finished(world, "next", "nginx:1.9.1", 3)


def test_template_edited_by_somebody_else(world: World) -> None:
    """The pods would no longer be all alike: it stops and offers the way back."""
    before = world.have(my_nginx(replicas=3))
    running = world.start("my-nginx", "--image=nginx:1.9.1", "--update-period=1s")
    running.until("up to 1")
    (name,) = set(world.api.controllers()) - {"my-nginx"}
    image = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "nginx:9"}]
    world.api.call(
        "PATCH", world.api.path("replicationcontrollers", name), image, "application/json-patch+json"
    )
    ended = running.end()
    assert ended.status == 3
    assert f'the pod template of replicationcontroller "{name}" was edited by another client' in ended.stderr
    assert world.run("my-nginx", "--rollback").status == 0
    assert assert_finished(world, "my-nginx", "nginx:1.7.9", 3)["spec"] == before["spec"]


# The sandbox keeps every field it is sent: there is nothing to find there.
@pytest.mark.parametrize("world", [pytest.param("real", marks=pytest.mark.realplane)], indirect=True)
def test_fields_that_the_server_does_not_know(world: World) -> None:
    """A typo anywhere in the file is found before anything is written (servers drop such fields)."""
    world.have(my_nginx(replicas=1, labels={"deployment": "v1"}))
    manifest = my_nginx_v4(1)
    manifest["spec"]["minReadySecond"] = 30
    manifest["metadata"]["annotatons"] = {"a": "b"}
    before = world.versions()
    ended = world.run("my-nginx", "-f", world.file(manifest))
    assert ended.status == 1
    assert 'unknown field "metadata.annotatons", "spec.minReadySecond"' in ended.stderr
    assert world.versions() == before
    assert world.run("my-nginx", "-f", world.file(manifest), "--validate=false").status == 0
    assert_finished(world, "my-nginx-v4", "nginx:1.9.2", 1)


def test_a_stranger_under_the_new_name(world: World) -> None:
    """A controller of NEW_NAME that is not this update's is not touched."""
    world.have(my_nginx(replicas=1, labels={"deployment": "v1"}))
    world.have(my_nginx("other", replicas=1, labels={"deployment": "v2"}))
    before = world.versions()
    ended = world.run("my-nginx", "other", "--image=nginx:1.9.1")
    assert ended.status == 1
    assert '"other" already exists and is not the new controller of an update of "my-nginx"' in ended.stderr
    assert world.versions() == before


def test_refused_by_the_server(world: World) -> None:
    """What the server does not accept is found before anything is written, and told in its words."""
    world.have(my_nginx(labels={"deployment": "v1"}))
    before = world.versions()
    manifest = my_nginx_v4()
    manifest["spec"]["template"]["metadata"]["labels"]["deployment"] = "v5"
    ended = world.run("my-nginx", "-f", world.file(manifest))
    assert ended.status == 1
    assert "spec.template.metadata.labels" in ended.stderr
    assert world.run("my-nginx", "Not_A_Name", "--image=nginx:1.9.1").status == 1
    assert world.versions() == before


def test_no_such_controller(world: World) -> None:
    """The message of kubectl."""
    ended = world.run("nobody", "--image=nginx:1.9.1")
    assert (ended.status, ended.stdout) == (1, "")
    assert ended.stderr == (
        'Error from server (NotFound): replicationcontrollers "nobody" not found\n'
        f'it was looked for in namespace "{world.namespace}"; what there is: kubectl get rc\n'
    )


# --- what is shown ---


def test_dry_runs_change_nothing(world: World) -> None:
    """Both kinds show from, to and the planned steps; the cluster stays as it is."""
    world.have(my_nginx())
    before = world.versions()
    for kind, suffix in (("client", "(dry run)"), ("server", "(server dry run)")):
        ended = world.run("my-nginx", "--image=nginx:1.9.1", f"--dry-run={kind}")
        assert ended.status == 0, ended.stderr
        digits = re.findall("Created my-nginx-([0-9a-f]{32})", ended.stdout)[0]
        assert_says(ended, "dry_run.txt", H=digits, SUFFIX=suffix)
        assert world.versions() == before
    bad = world.run("my-nginx", "Not_A_Name", "--image=nginx:1.9.1", "--dry-run=server")
    assert bad.status == 1
    assert "Invalid" in bad.stderr
    listed = json.loads(world.run("my-nginx", "--image=nginx:1.9.1", "--dry-run", "-o", "json").stdout)
    assert [image_of(each) for each in listed["items"]] == ["nginx:1.7.9", "nginx:1.9.1"]
    assert world.versions() == before


def test_output_is_the_object_alone(world: World) -> None:
    """-o name and -o json on standard output, the progress on standard error."""
    world.have(my_nginx(replicas=1))
    ended = world.run("my-nginx", "--image=nginx:1.9.1", "-oname")
    assert ended.stdout == "replicationcontroller/my-nginx\n"
    assert "Update succeeded. Deleting old controller: my-nginx\n" in ended.stderr
    ended = world.run("my-nginx", "--image=nginx:1.9.2", "-o=json")
    assert image_of(json.loads(ended.stdout)) == "nginx:1.9.2"
    ended = world.run("my-nginx", "--image=nginx:1.9.1", "--output", "yaml")
    assert image_of(yaml.safe_load(ended.stdout)) == "nginx:1.9.1"


# --- what kubectl 1.17 leaves ---


def old_command_state(world: World, *, stripped: bool, deleted: bool) -> tuple[str, str]:
    """An image update of the old command, all pods new, killed in the middle of its finish."""
    old_hash, new_hash = "0" * 32 + "-orig", "f" * 32
    world.have(my_nginx(labels={"deployment": old_hash}, replicas=0))
    new = my_nginx(f"my-nginx-{new_hash}", image="nginx:1.9.1", labels={"deployment": new_hash})
    uid = world.api.controller("my-nginx")["metadata"]["uid"]
    if not stripped:
        new["metadata"]["annotations"] = {
            "kubectl.kubernetes.io/update-source-id": f"my-nginx:{uid}",
            "kubectl.kubernetes.io/desired-replicas": "3",
        }
    world.have(new)
    marks = {
        "kubectl.kubernetes.io/original-replicas": "3",
        "kubectl.kubernetes.io/next-controller-id": f"my-nginx-{new_hash}",
    }
    world.api.merge("my-nginx", {"metadata": {"annotations": marks}})
    if deleted:
        world.api.delete("my-nginx")
        world.api.wait(lambda: "my-nginx" not in world.api.controllers(), "my-nginx is gone")
    return old_hash, new_hash


def test_continues_the_old_command(world: World) -> None:
    """Its annotations and its -orig label are understood."""
    old_command_state(world, stripped=False, deleted=False)
    ended = world.run("my-nginx", "--image=nginx:1.9.1")
    assert ended.status == 0, ended.stderr
    assert_finished(world, "my-nginx", "nginx:1.9.1", 3)


def test_continues_the_old_command_after_it_stripped_its_record(world: World) -> None:
    """The first write of its finish takes the new controller's record off; the rest is found all the same."""
    old_command_state(world, stripped=True, deleted=False)
    ended = world.run("my-nginx", "--image=nginx:1.9.1")
    assert ended.status == 0, ended.stderr
    assert_finished(world, "my-nginx", "nginx:1.9.1", 3)


def test_rolls_the_old_command_back_after_it_stripped_its_record(world: World) -> None:
    """And the other way: back to three pods of the old template."""
    old_command_state(world, stripped=True, deleted=False)
    ended = world.run("my-nginx", "--rollback")
    assert ended.status == 0, ended.stderr
    assert_finished(world, "my-nginx", "nginx:1.7.9", 3)


def test_continues_the_old_command_after_it_deleted_the_old_controller(world: World) -> None:
    """Only the temporary controller is left: its pods get a controller of the lasting name again."""
    old_command_state(world, stripped=True, deleted=True)
    names = {pod["metadata"]["name"] for pod in world.api.pods()}
    ended = world.run("my-nginx", "--image=nginx:1.9.1")
    assert ended.status == 0, ended.stderr
    assert_finished(world, "my-nginx", "nginx:1.9.1", 3)
    assert {pod["metadata"]["name"] for pod in world.api.pods()} == names


def test_pods_that_a_labelling_let_go_of_are_found_again(world: World) -> None:
    """A client was killed after the selector, and one pod had not got its label: it is not orphaned."""
    world.have(my_nginx(labels={"deployment": "v1"}, replicas=2))
    (pod, _) = world.api.pods()
    world.api.merge("my-nginx", {"metadata": {"annotations": {"rolling-update/labelled": "deployment"}}})
    name = pod["metadata"]["name"]
    world.api.merge(name, {"metadata": {"labels": {"deployment": None}}}, "pods")
    world.api.wait(lambda: len(world.api.pods()) == 3, "the manager has let it go and made another")
    ended = world.run("my-nginx", "--image=nginx:1.9.1")
    assert ended.status == 0, ended.stderr
    assert_finished(world, "my-nginx", "nginx:1.9.1", 2)


def test_path_of_a_missing_file(world: World, tmp_path: Path) -> None:
    """The documented message, before the cluster is asked anything."""
    missing = str(tmp_path / "missing.yaml")
    ended = world.run("my-nginx", "-f", missing)
    assert (ended.status, ended.stderr) == (1, f'error: the path "{missing}" does not exist\n')
