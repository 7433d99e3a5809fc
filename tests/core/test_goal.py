"""What a request means among the controllers of a namespace, and what is refused before any write."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.changes.edits import Edit, MergePatch, SetEnv, SetImage
from rollupdate.core.changes.file import FileChange
from rollupdate.core.changes.target import LAST_APPLIED, Ending
from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import Rollout, find_successors, is_successor_of
from rollupdate.core.model.template import template_hash, temporary_name, with_label
from rollupdate.core.phases import writes
from rollupdate.core.phases.writes import link
from rollupdate.core.plan.goal import Goal
from rollupdate.errors import ApiError, RefusedError, RollingUpdateError, UsageError
from testing.objects import Json
from tests.core.worlds import raw, template
from tests.support import changes
from tests.support.asking import Asking, aimed, asking

HASH = "0123456789abcdef" * 2
IMAGE = changes.image("nginx:1.9.1")


def namespace(*objects: Json) -> dict[str, Controller]:
    return {each["metadata"]["name"]: Controller.parse(each) for each in objects}


def manifest(name: str | None = "bar", *, app: str = "bar", image: str = "nginx:1.9.1", **spec: Any) -> Json:
    """The contents of a file, as ``rollupdate.manifest`` hands them over."""
    body = template(image)
    body["metadata"] = {"labels": {"app": app}}
    obj: Json = {
        "kind": "ReplicationController",
        "metadata": {"name": name} if name else {},
        "spec": {"selector": {"app": app}, "template": body, **spec},
    }
    return obj


def file(*args: Any, **kwargs: Any) -> FileChange:
    return FileChange(manifest(*args, **kwargs), "bar.yaml")


def refused(request: Asking, *objects: Json) -> RollingUpdateError:
    with pytest.raises(RollingUpdateError) as caught:
        aimed(request, namespace(*objects))
    return caught.value


def begun(goal: Goal, *, uid: str = "uid-new") -> Json:
    """The new controller as it is once it has been created."""
    assert goal.manifest is not None
    obj = copy.deepcopy(goal.manifest)
    obj["metadata"].update(uid=uid, resourceVersion="5", generation=1)
    return obj


# --- an image ---


def test_an_image_keeping_the_name() -> None:
    """The new controller has a temporary name: NAME, hyphen, hash of the new template; and the hash is its
    label value, in the selector and in the template."""
    old = raw("my-nginx", replicas=3)
    goal = aimed(asking("my-nginx", change=IMAGE), namespace(old))
    wanted = copy.deepcopy(old["spec"]["template"])
    wanted["spec"]["containers"][0]["image"] = "nginx:1.9.1"
    digits = template_hash(wanted, "deployment")
    assert goal.successor == f"my-nginx-{digits}"
    assert goal.finish is Ending.KEEP_NAME
    assert not goal.rollback
    assert not goal.resuming
    assert goal.manifest is not None
    assert goal.manifest["metadata"]["name"] == goal.successor
    assert goal.manifest["metadata"]["namespace"] == "default"
    assert goal.manifest["spec"] == {
        "replicas": 0,
        "selector": {"app": "nginx", "deployment": digits},
        "template": with_label(wanted, "deployment", digits),
    }


def test_the_new_controller_holds_what_another_client_needs() -> None:
    """Whole name and uid of its source, the size to reach, the size it started from."""
    goal = aimed(asking("foo", change=IMAGE), namespace(raw("foo", replicas=4)))
    known = Controller.parse(begun(goal)).record
    assert known.source_id == "foo:uid-foo"
    assert (known.desired, known.source_replicas, known.scaled_to) == (4, 4, 0)
    assert known.template_hash == goal.digest


def test_an_image_and_a_new_name() -> None:
    """The old one is deleted at the end."""
    goal = aimed(asking("foo", new_name="bar", change=IMAGE), namespace(raw("foo")))
    assert (goal.successor, goal.finish) == ("bar", Ending.DELETE_OLD)


def test_the_users_label_key() -> None:
    """It is used throughout, and ``deployment`` is then a label like any other."""
    goal = aimed(asking("foo", change=IMAGE, label_key="rev"), namespace(raw("foo", deployment="x")))
    assert goal.label_key == "rev"
    assert goal.manifest is not None
    assert goal.manifest["spec"]["selector"].keys() == {"app", "deployment", "rev"}
    assert goal.manifest["spec"]["selector"]["deployment"] == "x"


def test_annotations_and_labels_of_the_old_controller_go_along() -> None:
    """But not the record of an earlier update, nor what kubectl apply remembers of another object."""
    old = raw("foo", annotations={"team": "a", LAST_APPLIED: "{}", record.ORIGINAL_REPLICAS: "9"})
    goal = aimed(asking("foo", change=IMAGE), namespace(old))
    assert goal.manifest is not None
    meta = goal.manifest["metadata"]
    assert meta["labels"] == {"app": "nginx"}
    assert meta["annotations"]["team"] == "a"
    assert LAST_APPLIED not in meta["annotations"]
    assert record.ORIGINAL_REPLICAS not in meta["annotations"]


def test_the_hash_is_the_label_that_the_old_controller_has_already() -> None:
    """Its template was edited since: the new one takes another value, as two controllers must never select
    the same pods."""
    digits = aimed(asking("foo", change=IMAGE), namespace(raw("foo"))).digest
    assert digits is not None
    goal = aimed(asking("foo", change=IMAGE), namespace(raw("foo", deployment=digits)))
    assert goal.manifest is not None
    value = goal.manifest["spec"]["selector"]["deployment"]
    assert value != digits
    assert len(value) == 32
    assert goal.manifest["spec"]["template"]["metadata"]["labels"]["deployment"] == value


def test_the_seconds_a_new_pod_must_be_ready() -> None:
    """The new controller's own are kept in the record while --min-ready-seconds replaces them."""
    old = raw("foo")
    old["spec"]["minReadySeconds"] = 5
    goal = aimed(asking("foo", change=IMAGE, min_ready_seconds=30), namespace(old))
    made = Controller.parse(begun(goal))
    assert made.min_ready_seconds == 30
    assert made.record.min_ready_seconds == 5
    goal = aimed(asking("foo", change=IMAGE), namespace(old))
    made = Controller.parse(begun(goal))
    assert (made.min_ready_seconds, made.record.min_ready_seconds) == (5, None)


def test_the_image_that_is_running() -> None:
    """transcripts.md, section 6."""
    error = refused(asking("foo", change=changes.image("nginx:1.7.9")), raw("foo"))
    assert error.message == (
        "--image-pull-policy (Always|Never|IfNotPresent) must be provided when --image is the same as "
        "existing container image"
    )


def two_containers() -> Json:
    old = raw("foo")
    old["spec"]["template"]["spec"]["containers"].append({"name": "log", "image": "log:1"})
    return old


def test_several_containers() -> None:
    """One must be named, and it must be there (transcripts.md, section 6)."""
    error = refused(asking("foo", change=IMAGE), two_containers())
    assert error.message == "must specify container to update when updating a multi-container pod"
    error = refused(asking("foo", change=changes.image("x", "web")), two_containers())
    assert error.message == "container web not found in pod"
    goal = aimed(asking("foo", change=changes.image("log:2", "log")), namespace(two_containers()))
    assert goal.manifest is not None
    containers = goal.manifest["spec"]["template"]["spec"]["containers"]
    assert [each["image"] for each in containers] == ["nginx:1.7.9", "log:2"]


def test_the_new_name_is_taken() -> None:
    """By a controller of somebody else: says so, names both, and that nothing was changed."""
    error = refused(asking("foo", new_name="bar", change=IMAGE), raw("foo"), raw("bar"))
    assert error.message == (
        'ReplicationController "bar" already exists and is not the new controller of an update of "foo"; '
        "nothing was changed"
    )


def test_a_controller_that_another_object_controls() -> None:
    """The owner is named, and what to change instead."""
    old = raw("foo-1")
    reference = {"apiVersion": "apps.openshift.io/v1", "kind": "DeploymentConfig", "name": "foo", "uid": "u"}
    old["metadata"]["ownerReferences"] = [reference]
    aimed(asking("foo-1", change=IMAGE), namespace(old))
    old["metadata"]["ownerReferences"] = [{**reference, "controller": True}]
    error = refused(asking("foo-1", change=IMAGE), old)
    assert error.message == (
        'ReplicationController "foo-1" is controlled by DeploymentConfig "foo", which would undo the update; '
        "nothing was changed"
    )
    assert error.hint == (
        "change the pod template of that object instead: "
        "kubectl edit deploymentconfig.apps.openshift.io foo\n"
        "or have a Deployment, without a restart: kubectl rolling-update deploymentconfig/foo --to=deployment"
    )
    old["metadata"]["ownerReferences"] = [{**reference, "kind": "Operator", "controller": True}]
    assert "Deployment" not in str(refused(asking("foo-1", change=IMAGE), old).hint)


def test_nothing_was_asked_for() -> None:
    """transcripts.md, section 6."""
    error = refused(asking("foo"), raw("foo"))
    assert isinstance(error, UsageError)
    assert error.message == "Must specify --filename or --image for new controller"


def test_no_such_controller() -> None:
    """In the server's own words."""
    error = refused(asking("foo", change=IMAGE), raw("foobar"))
    assert isinstance(error, ApiError)
    assert error.message == 'Error from server (NotFound): replicationcontrollers "foo" not found'


# --- a file ---


def test_a_file() -> None:
    """Its template, selector, labels and annotations, no pods yet; the old one is deleted at the end."""
    asked = manifest(replicas=5, minReadySeconds=3)
    asked["metadata"].update(labels={"tier": "web"}, annotations={"a": "1", record.SCALED_TO: "9"})
    goal = aimed(asking("foo", change=FileChange(asked, "f")), namespace(raw("foo", replicas=4)))
    assert (goal.successor, goal.finish) == ("bar", Ending.DELETE_OLD)
    made = Controller.parse(begun(goal))
    assert made.replicas == 0
    assert made.min_ready_seconds == 3
    assert made.selector == {"app": "bar"}
    assert made.template == asked["spec"]["template"]
    assert made.raw["metadata"]["labels"] == {"tier": "web"}
    assert made.raw["metadata"]["annotations"]["a"] == "1"
    assert (made.record.desired, made.record.source_replicas, made.record.scaled_to) == (5, 4, 0)


def test_a_file_without_replicas() -> None:
    """The old controller's count is used; 0 is a count."""
    goal = aimed(asking("foo", change=file()), namespace(raw("foo", replicas=4)))
    assert Controller.parse(begun(goal)).record.desired == 4
    goal = aimed(asking("foo", change=file(replicas=0)), namespace(raw("foo", replicas=4)))
    assert Controller.parse(begun(goal)).record.desired == 0


def test_a_file_without_a_selector() -> None:
    """The template's labels are it, as for the API server."""
    asked = manifest()
    del asked["spec"]["selector"]
    goal = aimed(asking("foo", change=FileChange(asked, "f")), namespace(raw("foo")))
    assert Controller.parse(begun(goal)).selector == {"app": "bar"}


def test_a_file_with_the_old_ones_name() -> None:
    """transcripts.md, section 6."""
    error = refused(asking("foo", change=file("foo")), raw("foo"))
    assert error.message == "bar.yaml cannot have the same name as the existing ReplicationController foo"


@pytest.mark.parametrize("selector", [{"app": "nginx"}, {"other": "x"}, {"app": "nginx", "other": "x"}])
def test_a_file_whose_selector_does_not_differ(selector: dict[str, str]) -> None:
    """A common key with another value is needed (transcripts.md, section 6)."""
    error = refused(asking("foo", change=file(selector=selector)), raw("foo"))
    assert error.message == "bar.yaml must specify a matching key with non-equal value in Selector for foo"


def test_a_file_without_a_name() -> None:
    """There is nothing to call the new controller."""
    assert "no name" in refused(asking("foo", change=file(None)), raw("foo")).message


def test_a_file_with_generate_name() -> None:
    """The hash of its template completes it: the same file always means the same object."""
    asked = manifest(None)
    asked["metadata"]["generateName"] = "bar-"
    request = asking("foo", change=FileChange(asked, "f"))
    goal = aimed(request, namespace(raw("foo")))
    assert goal.successor == "bar-" + template_hash(asked["spec"]["template"], "deployment")[:5]
    again = aimed(request, namespace(raw("foo"), begun(goal)))
    assert (again.successor, again.resuming) == (goal.successor, True)


def test_keep_name_with_the_old_ones_name() -> None:
    """The new controller has a temporary name until the finish, and the label that tells the pods apart."""
    asked = manifest("foo", app="nginx")
    goal = aimed(asking("foo", change=FileChange(asked, "f"), keep_name=True), namespace(raw("foo")))
    digits = template_hash(asked["spec"]["template"], "deployment")
    assert goal.successor == temporary_name("foo", digits)
    assert goal.finish is Ending.KEEP_NAME
    assert goal.carry_metadata
    assert Controller.parse(begun(goal)).selector == {"app": "nginx", "deployment": digits}


def test_keep_name_with_another_name() -> None:
    """The file's name is used until the finish; a selector that differs needs no label."""
    goal = aimed(asking("foo", change=file(), keep_name=True), namespace(raw("foo")))
    assert (goal.successor, goal.finish) == ("bar", Ending.KEEP_NAME)
    assert Controller.parse(begun(goal)).selector == {"app": "bar"}


# --- an update in progress ---


def test_the_same_command_continues() -> None:
    """By image, with a new name and by file: the controller that was created is found again."""
    for request in (
        asking("foo", change=IMAGE),
        asking("foo", new_name="bar", change=IMAGE),
        asking("foo", change=file()),
        asking("foo", change=file("foo", app="nginx"), keep_name=True),
        asking("foo", change=changes.image("nginx:1.7.9", pull_policy="IfNotPresent")),
    ):
        first = aimed(request, namespace(raw("foo")))
        again = aimed(request, namespace(raw("foo"), begun(first)))
        assert again.resuming
        assert again.manifest is None
        assert (again.successor, again.finish, again.label_key, again.digest) == (
            first.successor,
            first.finish,
            first.label_key,
            first.digest,
        )


def test_another_image_while_one_is_in_progress() -> None:
    """transcripts.md, section 6, in two lines."""
    goal = aimed(asking("foo", change=IMAGE), namespace(raw("foo")))
    error = refused(asking("foo", change=changes.image("nginx:2")), raw("foo"), begun(goal))
    assert error.message == (
        "Found existing in-progress update to image (nginx:1.9.1).\n"
        "Either continue in-progress update with --image=nginx:1.9.1 or rollback with --rollback"
    )


def test_the_image_in_progress_is_that_of_the_chosen_container() -> None:
    """Not that of the first one."""
    goal = aimed(asking("foo", change=changes.image("log:2", "log")), namespace(two_containers()))
    objects = (two_containers(), begun(goal))
    assert aimed(asking("foo", change=changes.image("log:2", "log")), namespace(*objects)).resuming
    error = refused(asking("foo", change=changes.image("nginx:1.7.9", "log")), *objects)
    assert "in-progress update to image (log:2)" in error.message


def of(*edits: Edit, restart: bool = False) -> Asking:
    return asking("foo", change=TemplateChange(edits, restart))


ENV = of(SetEnv("A", "1"))
PATCH = of(MergePatch({"spec": {"nodeName": "x"}}))
RESTARTING = of(restart=True)
IMAGES = of(SetImage("nginx:2", "nginx"), SetImage("log:2", "log"))
ALL = (ENV, PATCH, RESTARTING, IMAGES, of(SetImage("nginx:2", "nginx"), SetEnv("A", "1")))


def taken(goal: Goal, old: Json) -> tuple[Json, Json]:
    """Both controllers once the old one has taken over the pods."""
    new = Controller.parse(begun(goal))
    previous = {**old["spec"], "replicas": 0}
    transfer = record.Transfer(new.selector, new.labels, 3, 3, previous)
    released = writes.released(new, Controller.parse(old), transfer, "deployment")
    after = writes.adopting(
        Controller.parse(old), Controller.parse(released), transfer, 3, carry_metadata=False
    )
    return after, released


@pytest.mark.parametrize("request_", ALL)
def test_the_same_change_continues(request_: Asking) -> None:
    """Whatever it is about: while both are there, and once the pods were handed over."""
    old = two_containers()
    goal = aimed(request_, namespace(old))
    assert goal.manifest is not None
    for objects in ((old, begun(goal)), taken(goal, old)):
        again = aimed(request_, namespace(*objects))
        assert (again.resuming, again.successor) == (True, goal.successor)


@pytest.mark.parametrize("request_", ALL)
def test_the_same_change_continues_in_the_last_state_of_an_update_to_another_name(request_: Asking) -> None:
    """The new controller carries no record any more; the old one knows what was asked for."""
    request_ = request_.but(new_name="bar")
    goal = aimed(request_, namespace(two_containers()))
    new = Controller.parse(begun(goal))
    old = writes.annotated(
        Controller.parse(two_containers()), link(Rollout(Controller.parse(two_containers()), new))
    )
    objects = (old, writes.without_record(new))
    assert aimed(request_, namespace(*objects)).resuming
    for other in ALL:
        if other.intent.change != request_.intent.change:
            assert "in-progress update" in refused(other.but(new_name="bar"), *objects).message


@pytest.mark.parametrize("request_", ALL)
def test_another_change_while_one_is_in_progress(request_: Asking) -> None:
    """Refused in the documented words, and what is in progress is named."""
    old = two_containers()
    goal = aimed(request_, namespace(old))
    for objects in ((old, begun(goal)), taken(goal, old)):
        for other in ALL:
            if other is request_:
                continue
            error = refused(other, *objects)
            if error.message.startswith("Found existing in-progress update to image ("):
                continue  # one of images only is known by its images
            assert error.message == (
                f"Found existing in-progress update of foo to {goal.successor}, which is not what this "
                "command asks for.\nEither continue in-progress update with the command that began it or "
                "rollback with --rollback"
            )
            assert error.hint is not None
            assert error.hint.startswith("it changes ")


def test_what_is_in_progress_is_named_by_what_it_changes() -> None:
    """By the paths of it, at most five; the label that this command puts on is none."""
    goal = aimed(ENV, namespace(two_containers()))
    error = refused(PATCH, two_containers(), begun(goal))
    assert error.hint == "it changes spec.containers[nginx].env, spec.containers[log].env"


def test_the_running_image_while_something_else_is_in_progress() -> None:
    """It is not what is in progress, though the new pods have that image, too."""
    goal = aimed(ENV, namespace(raw("foo")))
    error = refused(asking("foo", change=changes.image("nginx:1.7.9")), raw("foo"), begun(goal))
    assert "which is not what this command asks for" in error.message


def test_a_container_that_is_only_in_the_new_pods() -> None:
    """An image without a container is meant for the old ones' only one; what is in progress is not it."""
    goal = aimed(
        of(MergePatch({"spec": {"containers": [{"name": "log", "image": "l"}]}})), namespace(raw("foo"))
    )
    error = refused(asking("foo", change=IMAGE), raw("foo"), begun(goal))
    assert error.hint == "it changes spec.containers[log]"


def test_an_update_of_the_old_command_is_known_by_its_images_only() -> None:
    """There is no hash of a template in its record."""
    old, new = of_the_old_command()
    old = raw("foo", annotations={record.ORIGINAL_REPLICAS: "3"})
    objects = (old, new)
    assert aimed(asking("foo", change=IMAGE), namespace(*objects)).resuming
    assert "in-progress update of foo" in refused(ENV, *objects).message


def test_a_patch_may_not_take_the_pods_away() -> None:
    """Before anything is written."""
    error = refused(of(MergePatch({"metadata": {"labels": {"app": "x"}}})), raw("foo"))
    assert "selects its pods by app=nginx" in error.message


def test_another_name_while_an_update_is_in_progress() -> None:
    """Two updates of one controller at a time would take each other's pods."""
    goal = aimed(asking("foo", new_name="bar", change=IMAGE), namespace(raw("foo")))
    for request in (asking("foo", change=IMAGE), asking("foo", new_name="baz", change=IMAGE)):
        error = refused(request, raw("foo"), begun(goal))
        assert "in-progress update of foo to bar" in error.message
        assert "nothing was changed" in error.message
        assert error.hint is not None
        assert "kubectl rolling-update foo bar" in error.hint


def test_another_file_while_one_is_in_progress() -> None:
    """By its name, and by what its template is."""
    goal = aimed(asking("foo", change=file()), namespace(raw("foo")))
    for other in (file("baz"), file(image="nginx:2")):
        error = refused(asking("foo", change=other), raw("foo"), begun(goal))
        assert error.message.startswith(
            "Found existing in-progress update of foo to bar, which is not what bar.yaml asks for.\n"
        )


def test_the_new_controller_of_an_update_is_no_old_one() -> None:
    """An update of it would leave the first one without an end."""
    goal = aimed(asking("foo", new_name="bar", change=IMAGE), namespace(raw("foo")))
    error = refused(asking("bar", change=changes.image("nginx:2")), raw("foo"), begun(goal))
    assert 'the new controller of an update of "foo" in progress' in error.message


# --- who belongs to whom ---


def with_source(name: str, source: str, **state: Any) -> Controller:
    return Controller.parse(raw(name, annotations={record.SOURCE_ID: source}, **state))


@pytest.mark.parametrize(
    "source",
    [
        "foobar:uid-foo",
        "foo:uid-foobar",
        "foo:uid",
        "fo:uid-foo",
        "foo:",
        "foo",
        ":uid-foo",
        "foo:uid-foo:x",
        "",
    ],
)
def test_names_and_uids_are_compared_whole(source: str) -> None:
    """foo never finds foobar's update, nor that of an earlier foo."""
    old = Controller.parse(raw("foo"))
    assert not is_successor_of(with_source("new", source), old)
    assert is_successor_of(with_source("new", "foo:uid-foo"), old)


@given(st.text(max_size=4), st.text(max_size=4), st.text(max_size=4), st.text(max_size=4))
def test_only_the_same_name_and_uid_belong(name: str, uid: str, source: str, source_uid: str) -> None:
    """Whatever the names and uids are made of, as far as names have no colon (which they never have)."""
    obj = raw("foo", uid=uid or "u")
    obj["metadata"]["name"] = name.replace(":", "") or "n"
    old = Controller.parse(obj)
    new = with_source("new", f"{source.replace(':', '')}:{source_uid}")
    same = (source.replace(":", ""), source_uid) == (old.name, old.uid)
    assert is_successor_of(new, old) == same


def test_a_stripped_successor_is_known_by_its_uid() -> None:
    """The finish takes the record off the new controller first; the old one then names it, whole."""
    marks = {record.NEXT_CONTROLLER: "bar", record.NEXT_CONTROLLER_UID: "uid-bar"}
    old = Controller.parse(raw("foo", annotations=marks))
    assert is_successor_of(Controller.parse(raw("bar")), old)
    assert not is_successor_of(Controller.parse(raw("bar", uid="another")), old)
    assert not is_successor_of(Controller.parse(raw("baz")), old)


def test_the_named_one_of_several_is_the_successor() -> None:
    """And without a name the first in order, so that every client takes the same."""
    several = [with_source(name, "foo:uid-foo") for name in ("c", "b", "a")]
    old = Controller.parse(raw("foo", annotations={record.NEXT_CONTROLLER: "b"}))
    named, first = find_successors(old, several)[0], find_successors(Controller.parse(raw("foo")), several)[0]
    assert named is not None
    assert named.name == "b"
    assert first is not None
    assert first.name == "a"
    assert find_successors(old, [Controller.parse(raw("b"))]) == []


# --- states that the command of kubectl 1.17 leaves (record.md) ---


def of_the_old_command(**state: Any) -> list[Json]:
    """Half way: its four annotations, its hash with ``-orig`` behind it."""
    name = f"foo-{HASH}"
    old = raw(
        "foo",
        deployment=f"{'f' * 32}-orig",
        annotations={record.ORIGINAL_REPLICAS: "2", record.NEXT_CONTROLLER: name},
        **{"replicas": 1, **state},
    )
    marks = {record.SOURCE_ID: "foo:uid-foo", record.DESIRED_REPLICAS: "2"}
    return [old, raw(name, replicas=1, deployment=HASH, image="nginx:1.9.1", annotations=marks)]


def test_an_update_that_the_old_command_began() -> None:
    """It is found and continued, whatever hash of its own it used."""
    goal = aimed(asking("foo", change=IMAGE), namespace(*of_the_old_command()))
    assert (goal.successor, goal.resuming, goal.finish) == (f"foo-{HASH}", True, Ending.KEEP_NAME)
    assert aimed(asking("foo", rollback=True), namespace(*of_the_old_command())).successor == f"foo-{HASH}"


def test_the_old_command_killed_once_it_had_stripped_the_new_controller() -> None:
    """The old one, at 0, still names the new one, which is clean and selects by the same keys."""
    old, new = of_the_old_command(replicas=0)
    del new["metadata"]["annotations"]
    assert aimed(asking("foo", change=IMAGE), namespace(old, new)).successor == f"foo-{HASH}"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda old, new: old["spec"].update(replicas=1),
        lambda old, new: old["metadata"]["annotations"].pop(record.ORIGINAL_REPLICAS),
        lambda old, new: old["metadata"]["annotations"].update({record.NEXT_CONTROLLER: f"foo-{HASH}x"}),
        lambda old, new: new["spec"].update(selector={"app": "nginx"}),
        lambda old, new: new["spec"].update(selector=dict(old["spec"]["selector"])),
        lambda old, new: new["metadata"].update(annotations={record.SOURCE_ID: "another:uid"}),
    ],
)
def test_a_name_alone_proves_nothing(spoil: Any) -> None:
    """Old records are never cleaned up by the old command: where anything does not fit, it is not taken for
    an update in progress."""
    old, new = of_the_old_command(replicas=0)
    del new["metadata"]["annotations"]
    spoil(old, new)
    assert not is_successor_of(Controller.parse(new), Controller.parse(old))


def test_the_old_command_killed_once_it_had_deleted_the_old_controller() -> None:
    """The new one is alone under its temporary name: for the image asked for it gets its lasting name."""
    (_, new) = of_the_old_command()
    goal = aimed(asking("foo", change=IMAGE), namespace(new))
    assert (goal.original, goal.successor, goal.resuming) == ("foo", f"foo-{HASH}", True)
    assert goal.finish is Ending.KEEP_NAME
    for request in (
        asking("foo", change=changes.image("nginx:2")),
        asking("foo", new_name="bar", change=IMAGE),
        asking("fo", change=IMAGE),
        asking("foo", change=file()),
        asking("foo", change=IMAGE, label_key="rev"),
    ):
        error = refused(request, new)
        assert isinstance(error, ApiError)
        assert error.is_not_found
    error = refused(asking("foo", rollback=True), new)
    assert "there is nothing to go back to" in error.message


def test_the_same_after_a_client_of_ours_was_killed_on_it() -> None:
    """It has let go of its pods by then; what its selector was is in the record."""
    new = Controller.parse(of_the_old_command()[1])
    transfer = record.Transfer(new.selector, new.labels, 2, 2, None)
    released = writes.released(new, None, transfer, "deployment")
    goal = aimed(asking("foo", change=IMAGE), namespace(released))
    assert (goal.successor, goal.finish) == (f"foo-{HASH}", Ending.KEEP_NAME)


# --- back ---


def test_back() -> None:
    """With or without the flags of the original command."""
    first = aimed(asking("foo", new_name="bar", change=IMAGE), namespace(raw("foo")))
    objects = namespace(raw("foo"), begun(first))
    for request in (
        asking("foo", rollback=True),
        asking("foo", new_name="bar", rollback=True),
        asking("foo", new_name="bar", change=IMAGE, rollback=True),
        asking("foo", change=file(), rollback=True),
    ):
        goal = aimed(request, objects)
        assert (goal.original, goal.successor, goal.rollback) == ("foo", "bar", True)


def test_back_with_keep_name() -> None:
    """The file's name need not be that of the new controller."""
    request = asking("foo", change=file("foo", app="nginx"), keep_name=True)
    first = aimed(request, namespace(raw("foo")))
    goal = aimed(request.but(rollback=True), namespace(raw("foo"), begun(first)))
    assert goal.successor == first.successor


def test_nothing_to_roll_back() -> None:
    """Named is what was asked for: the new name, the file's, or else the old one (transcripts.md)."""
    for request, name in (
        (asking("foo", rollback=True), "foo"),
        (asking("foo", change=IMAGE, rollback=True), "foo"),
        (asking("foo", new_name="bar", rollback=True), "bar"),
        (asking("foo", change=file("baz"), rollback=True), "baz"),
    ):
        assert refused(request, raw("foo"), raw("bar")).message == f"Could not find {name} to rollback."


def test_back_from_another_update_than_the_one_in_progress() -> None:
    """The update in progress is not touched by a mistaken name."""
    first = aimed(asking("foo", new_name="bar", change=IMAGE), namespace(raw("foo")))
    error = refused(asking("foo", new_name="baz", rollback=True), raw("foo"), begun(first))
    assert isinstance(error, RefusedError)
    assert error.message == "Could not find baz to rollback."


@pytest.mark.parametrize("begins", [{"new_name": "bar"}, {}], ids=["new name", "temporary name"])
def test_back_from_another_change_than_the_one_in_progress(begins: dict[str, Any]) -> None:
    """The command of an update that was superseded meanwhile, or refused: it takes back no other."""
    first = aimed(asking("foo", change=IMAGE, **begins), namespace(raw("foo")))
    new = begun(first)
    another = file("foo", app="nginx")
    another.manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:9"
    others = (
        asking("foo", change=changes.image("nginx:9"), rollback=True, **begins),
        asking("foo", change=another, keep_name=True, rollback=True),
    )
    for request in others:
        error = refused(request, raw("foo"), new)
        assert isinstance(error, RefusedError)
        name = first.successor if begins and request.intent.naming.new_name else "foo"
        assert error.message == f"Could not find {name} to rollback."
        assert "--rollback" in str(error.hint)
    edited = copy.deepcopy(new)
    seen = {record.TEMPLATE_SEEN: template_hash(new["spec"]["template"], "")}
    edited["metadata"]["annotations"] = {**new["metadata"]["annotations"], **seen}
    edited["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:8"
    for request in others:  # then it may have been this one
        assert aimed(request, namespace(raw("foo"), edited)).successor == first.successor


@pytest.mark.parametrize(
    "annotations",
    [
        {record.LABELLED: "deployment"},
        {record.LABELLED: "deployment", record.NEXT_CONTROLLER: "bar", record.ORIGINAL_REPLICAS: "3"},
    ],
)
def test_back_from_an_update_that_got_no_further_than_labels(annotations: dict[str, str]) -> None:
    """There is no new controller yet, but labels and a record to take off."""
    for request in (asking("foo", rollback=True), asking("foo", new_name="bar", rollback=True)):
        goal = aimed(request, namespace(raw("foo", annotations=annotations)))
        assert goal.rollback
        assert goal.original == "foo"


# --- whatever there is ---


@given(
    st.sampled_from([IMAGE, changes.image("nginx:1.7.9", None, "Always"), file(), file("foo"), None]),
    st.sampled_from([None, "bar"]),
    st.booleans(),
    st.booleans(),
    st.lists(
        st.builds(
            lambda name, notes, labels: (name, notes, labels),
            st.sampled_from(["foo", "bar", "foobar", f"foo-{HASH}"]),
            st.dictionaries(
                st.sampled_from([record.SOURCE_ID, record.NEXT_CONTROLLER, record.NEXT_CONTROLLER_UID]),
                st.sampled_from(["foo:uid-foo", "bar:uid-bar", "bar", "uid-bar", "x"]),
            ),
            st.sampled_from([None, HASH, "v1"]),
        ),
        max_size=4,
    ),
)
def test_every_request_has_an_answer(
    change_: Any, new_name: str | None, rollback: bool, keep_name: bool, found: list[Any]
) -> None:
    """Whatever controllers and records there are: a goal, or a refusal with a message."""
    request = asking("foo", new_name=new_name, change=change_, rollback=rollback, keep_name=keep_name)
    objects = [raw(name, annotations=notes, deployment=label) for name, notes, label in found]
    try:
        goal = aimed(request, namespace(*objects))
    except RollingUpdateError as error:
        assert error.message
        return
    assert goal.original == "foo"
    assert goal.successor != "foo"
    assert (goal.manifest is None) or goal.successor not in namespace(*objects)
