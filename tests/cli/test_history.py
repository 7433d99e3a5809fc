"""``--history``: what is shown, and what it goes with."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from rollupdate.cli.main import main
from rollupdate.commands.history import objects
from rollupdate.core.model.history import Revision
from rollupdate.report.history import one, table
from rollupdate.report.printers import printed
from tests.e2e.world import GOLDEN

SEE = "See 'kubectl rolling-update -h' for help and examples.\n"


def revision(number: int, *images: str, **more: Any) -> Revision:
    template = {
        "metadata": {"labels": {"app": "nginx"}},
        "spec": {"containers": [{"name": f"c{at}", "image": image} for at, image in enumerate(images)]},
    }
    raw = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": f"my-nginx-{number}", "managedFields": []},
        "data": {"spec": {"template": template}},
        "revision": number,
    }
    return Revision(number, template, "deployment", "uid", raw=raw, **more)


HISTORY = (
    revision(1, "nginx:1.7.9", finished_at="2026-01-02T03:04:05Z"),
    revision(
        3,
        "nginx:1.9.2",
        "fluent:1",
        cause="kubectl rolling-update my-nginx -f rc.yaml --keep-name",
        finished_at="2026-01-04T03:04:05Z",
    ),
    revision(12, "nginx:1.9.1", cause="ticket 7\n  fixed", finished_at=None, former=(2, 5)),
)


def test_a_table_of_revisions() -> None:
    """Aligned, the oldest first, a star at what runs; no line ends in blanks."""
    assert table("my-nginx", HISTORY, HISTORY[2]) == (GOLDEN / "history_of_several.txt").read_text()


def test_no_history() -> None:
    """It is said; the status is that of success."""
    assert table("my-nginx", (), None) == 'No history of replicationcontroller "my-nginx" found.\n'


def test_one_revision_with_its_template() -> None:
    """As YAML, beneath what is known of it."""
    assert one("my-nginx", HISTORY[2]) == (GOLDEN / "history_of_one.txt").read_text()


def test_as_objects() -> None:
    """The ControllerRevisions as they are; a list of one is a list, but for what was asked for by number."""
    found = json.loads(printed(objects(HISTORY), "json"))
    assert [each["revision"] for each in found["items"]] == [1, 3, 12]
    assert found["items"][0]["kind"] == "ControllerRevision"
    assert "managedFields" not in found["items"][0]["metadata"]
    assert yaml.safe_load(printed(objects(HISTORY[:1]), "yaml"))["kind"] == "List"
    assert json.loads(printed(objects(()), "json"))["items"] == []
    assert yaml.safe_load(printed(objects(HISTORY[1]), "yaml"))["revision"] == 3
    assert printed(objects(HISTORY[:2]), "name") == (
        "controllerrevision.apps/my-nginx-1\ncontrollerrevision.apps/my-nginx-3\n"
    )


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["a", "--history", "--image=b"], "--history and --image can not both be specified"),
        (["a", "--history", "-f", "x"], "--history and --filename can not both be specified"),
        (["a", "--history", "--rollback"], "--history and --rollback can not both be specified"),
        (["a", "--history", "--to-revision=1"], "--history and --to-revision can not both be specified"),
        (["a", "--history", "--keep-name"], "--history and --keep-name can not both be specified"),
        (["a", "--history", "--timeout=5s"], "--history and --timeout can not both be specified"),
        (["a", "--history", "--dry-run"], "--history and --dry-run can not both be specified"),
        (["a", "b", "--history"], "--history is of one controller: give its NAME alone"),
        (["--history"], "Must specify the controller to update"),
        (
            ["a", "--revision=2"],
            "--revision goes with --history\nto go to a revision: --rollback --to-revision=N",
        ),
        (["a", "--revision=2", "--history=false", "--image=b"], "--revision goes with --history"),
        (["a", "--to-revision=2"], "--to-revision goes with --rollback"),
        (["a", "--to-revision=2", "--image=b"], "--to-revision goes with --rollback"),
        (
            ["a", "--rollback", "--to-revision=2", "--image=b"],
            "--to-revision and --image can not both be specified",
        ),
        (
            ["a", "--rollback", "--to-revision=2", "-f", "x"],
            "--to-revision and --filename can not both be specified",
        ),
        (
            ["a", "b", "--rollback", "--to-revision=2"],
            "NEW_NAME and --to-revision can not both be specified: NAME stays",
        ),
        (
            ["a", "--history", "--revision=0"],
            'invalid argument "0" for "--revision" flag: the first is 1',
        ),
        (
            ["a", "--history", "--revision=x"],
            'invalid argument "x" for "--revision" flag: strconv.ParseInt: parsing "x": invalid syntax',
        ),
        (
            ["a", "--image=b", "--revision-history-limit=-1"],
            'invalid argument "-1" for "--revision-history-limit" flag: must not be negative',
        ),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_refused(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is asked of a cluster."""
    assert main(argv) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"error: {message}")
    assert said.err.endswith(SEE)
