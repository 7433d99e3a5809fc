"""From flags to a change of the pod template: what goes together, in which order, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollupdate.cli import pflag, usage
from rollupdate.cli.invocation import Invocation
from rollupdate.commands.connection import stdin_taken
from rollupdate.commands.wanted import read_intent
from rollupdate.core.changes.edits import MergePatch, SetEnv, SetImage
from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.plan.intent import Intent
from rollupdate.errors import UsageError
from rollupdate.patches import JsonPatch


def given(*argv: str) -> Invocation:
    return pflag.read(argv)


def intent(*argv: str) -> Intent:
    invocation = given(*argv)
    usage.check(invocation)
    return read_intent(invocation, "default")


def change(*argv: str) -> TemplateChange:
    found = intent("foo", *argv).change
    assert isinstance(found, TemplateChange)
    return found


def test_one_image() -> None:
    """In the old form, with and without --container."""
    assert change("--image=a:1") == TemplateChange((SetImage("a:1"),))
    assert change("--image=a:1", "--container=web", "--image-pull-policy=Always") == TemplateChange(
        (SetImage("a:1", "web", "Always"),)
    )


def test_images_by_container() -> None:
    """The last one for a container counts, as for any flag; a digest and a port are no container."""
    wanted = (SetImage("host:5000/b@sha256:1", "b"), SetImage("a:2", "a"))
    assert change("--image=a=a:1", "--image", "b=host:5000/b@sha256:1", "--image", "a=a:2").edits == wanted
    assert change("--image=a", "--image=b").edits == (SetImage("b"),)
    assert change("--image=a", "--container=c", "--image=c=b").edits == (SetImage("b", "c"),)


def test_environment() -> None:
    """Values may be empty and hold anything; --container chooses."""
    assert change("--set-env=A=b=c", "--set-env", "B=", "--set-env=C-").edits == (
        SetEnv("A", "b=c"),
        SetEnv("B", ""),
        SetEnv("C", None),
    )
    assert change("--set-env=A=1", "--container=log").edits == (SetEnv("A", "1", "log"),)
    assert change("--set-env=A=1", "--container=log", "--image=web=a").edits == (
        SetImage("a", "web"),
        SetEnv("A", "1", "log"),
    )


def test_everything_at_once_in_its_order(tmp_path: Path) -> None:
    """Images, environment, patches of files, patches, whatever the order on the line."""
    path = tmp_path / "p.json"
    path.write_text('[{"op": "remove", "path": "/spec/x"}]')
    found = change(
        "-p", "{a: 1}", f"--patch-file={path}", "--restart", "--set-env=A=1", "--image=i", "-pb: 2"
    )
    assert found == TemplateChange(
        (
            SetImage("i"),
            SetEnv("A", "1"),
            JsonPatch(({"op": "remove", "path": "/spec/x"},)),
            MergePatch({"a": 1}),
            MergePatch({"b": 2}),
        ),
        restart=True,
        validate=True,
    )
    assert not change("-p", "{a: 1}", "--validate=false").validate
    assert not change("--image=a").validate


def test_only_a_restart() -> None:
    """It is a change of its own."""
    assert change("--restart") == TemplateChange((), restart=True)
    assert intent("foo", "bar", "--restart").naming.new_name == "bar"


@pytest.mark.parametrize(
    "argv",
    [
        ["--patch-file=/no/such/file"],
        ["--patch-file=-"],
        ["--patch=["],
        ["--set-env=A=1", "--container=x"],
        ["--restart", "--image-pull-policy=Always"],
        ["--restart", "--container=x"],
        ["--image=a=b", "--diff", "--confirm"],
    ],
)
def test_back_with_the_flags_of_the_update(argv: list[str]) -> None:
    """--rollback may be appended to any of them: nothing that only the change needs is looked at."""
    found = intent("foo", *argv, "--rollback")
    assert found.rollback
    assert found.to_revision is None
    assert isinstance(found.change, TemplateChange)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["foo", "-f", "x", "--image=a"], "--filename and --image can not both be specified"),
        (["foo", "-f", "x", "--set-env=A=1"], "--filename and --set-env can not both be specified"),
        (["foo", "-f", "x", "--patch={}"], "--filename and --patch can not both be specified"),
        (["foo", "-f", "x", "--patch-file=p"], "--filename and --patch-file can not both be specified"),
        (["foo", "-f", "x", "--restart"], "--filename and --restart can not both be specified"),
        (["foo", "--restart=false"], "Must specify --filename or --image for new controller"),
        (["foo", "--image="], "Must specify --filename or --image for new controller"),
        (["foo", "--diff"], "Must specify --filename or --image for new controller"),
        (["foo", "--image-pull-policy=Always", "--restart"], "--image-pull-policy goes with --image"),
        (["foo", "--container=a", "--restart"], "--container goes with --image=IMAGE and --set-env"),
        (["foo", "--container=a", "--image=a=b"], "--container goes with --image=IMAGE and --set-env"),
        (["foo", "--patch-file=-", "--patch-file=-"], "standard input (-) can be read once only"),
        (["--restart"], "Must specify the controller to update"),
        (["", "--restart"], "Must specify the controller to update"),
        (["rc/", "--status"], "Must specify the controller to update"),
        (["foo", "", "--restart"], "NEW_NAME can not be empty"),
        ([".", "--history"], "invalid resource name \".\": [may not be '.']"),
        (["rc/..", "--rollback"], "invalid resource name \"..\": [may not be '..']"),
        (
            ["foo", "a/b%", "--restart"],
            "invalid resource name \"a/b%\": [may not contain '/' may not contain '%']",
        ),
        (["foo", "--image==a"], 'invalid argument "=a" for "--image" flag: must be IMAGE or CONTAINER=IMAGE'),
        (["foo", "--image=a="], 'invalid argument "a=" for "--image" flag: must be IMAGE or CONTAINER=IMAGE'),
        (
            ["foo", "--set-env=A"],
            'invalid argument "A" for "--set-env" flag: must be NAME=VALUE, or NAME- to remove it',
        ),
        (
            ["foo", "--set-env==1"],
            'invalid argument "=1" for "--set-env" flag: does not name an environment variable',
        ),
        (
            ["foo", "--set-env=-"],
            'invalid argument "-" for "--set-env" flag: does not name an environment variable',
        ),
    ],
)
def test_what_does_not_go_together(argv: list[str], says: str) -> None:
    """A usage error in one line, before anything is read or asked."""
    with pytest.raises(UsageError) as caught:
        intent(*argv)
    assert caught.value.message == says


def test_who_reads_standard_input() -> None:
    """No question can be asked there then."""
    assert stdin_taken(given("foo", "-f", "-"))
    assert stdin_taken(given("foo", "--patch-file=-"))
    assert not stdin_taken(given("foo", "--patch-file=p", "--patch=-"))


def test_the_revision_before_is_not_no_revision() -> None:
    """``--to-revision=0`` undoes a finished update, as for ``kubectl rollout undo``."""
    assert intent("foo", "--rollback").to_revision is None
    assert intent("foo", "--rollback", "--to-revision=0").to_revision == 0
    assert intent("foo", "--rollback", "--to-revision=3").to_revision == 3
