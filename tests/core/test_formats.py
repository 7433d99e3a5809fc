"""Annotations in a format that this version does not know are refused, not misread."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollupdate.core.decide import decide
from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.core.phases.session import Session
from rollupdate.core.phases.steps import Snapshot, Stop
from rollupdate.core.status.update_status import update_status
from rollupdate.errors import RefusedError, StoppedError
from rollupdate.version import __version__
from tests.support import changes
from tests.support.asking import Asking, aimed, asking
from tests.support.manifests import my_nginx

KNOWN = record.KNOWN_FORMAT
NEWER = str(KNOWN + 1)
SAID = f"the annotation rolling-update/format is {NEWER}, and the highest that this version knows is {KNOWN}"
OLD, NEW, OTHER = "my-nginx", "my-nginx-next", "other"
UPDATE = asking(OLD, change=changes.image("nginx:1.9.1"))
BACK = asking(OLD, rollback=True)
UNDO = asking(OLD, rollback=True, to_revision=1)


def controller(name: str, **annotations: str) -> Controller:
    raw = my_nginx(name, labels={"controller": name}, selector=True)
    raw["metadata"] |= {"uid": f"uid-{name}", "resourceVersion": "1", "annotations": dict(annotations)}
    return Controller.parse(raw)


def namespace(number: str | None, marked: str) -> dict[str, Controller]:
    """An update of ``my-nginx`` in progress, and another controller; ``marked`` has the format ``number``."""
    annotations: dict[str, dict[str, str]] = {
        OLD: {record.NEXT_CONTROLLER: NEW, record.ORIGINAL_REPLICAS: "3"},
        NEW: {record.SOURCE_ID: f"{OLD}:uid-{OLD}", record.DESIRED_REPLICAS: "3"},
        OTHER: {},
    }
    if number is not None:
        annotations[marked][record.FORMAT] = number
    return {name: controller(name, **found) for name, found in annotations.items()}


def annotations_of(controller: Controller) -> dict[str, str]:
    return dict(controller.raw["metadata"]["annotations"])


@pytest.mark.parametrize("request_", [UPDATE, BACK, UNDO], ids=["update", "rollback", "undo"])
@pytest.mark.parametrize("marked", [OLD, NEW])
def test_it_is_refused_before_anything_is_written(marked: str, request_: Asking) -> None:
    """One line: the controller, the number found and the highest known; the hint says what to do."""
    controllers = namespace(NEWER, marked)
    with pytest.raises(RefusedError) as refused:
        aimed(request_, controllers, None)
    assert refused.value.message == f'replicationcontroller "{marked}": {SAID}; nothing was changed'
    assert f"than this one ({__version__})" in str(refused.value.hint)
    assert "kubectl krew upgrade rolling-update" in str(refused.value.hint)


@pytest.mark.parametrize("asked", [OLD, NEW])
@pytest.mark.parametrize("marked", [OLD, NEW])
def test_its_status_is_refused_in_the_same_words(marked: str, asked: str) -> None:
    """Sizes and direction may not be what they seem; the user learns that a newer version is updating it."""
    with pytest.raises(RefusedError) as refused:
        update_status(asked, namespace(NEWER, marked))
    assert refused.value.message == f'replicationcontroller "{marked}": {SAID}; nothing was changed'


def test_the_old_controller_was_deleted() -> None:
    """The new controller still names it."""
    controllers = namespace(NEWER, NEW)
    del controllers[OLD]
    for refuses in (lambda: aimed(UPDATE, controllers), lambda: update_status(OLD, controllers)):
        with pytest.raises(RefusedError, match=SAID):
            refuses()


def test_another_controller_of_the_namespace_is_updated_as_usual() -> None:
    """A newer version that updates one controller does not stop this one from updating another."""
    controllers = namespace(NEWER, NEW)
    goal = aimed(UPDATE.but(name=OTHER), controllers)
    assert goal.original == OTHER
    assert not update_status(OTHER, controllers).in_progress


def test_a_known_format_changes_nothing() -> None:
    """This version reads format 2."""

    def seen(number: str | None) -> Any:
        return replace(update_status(OLD, namespace(number, OLD)), waiting_for=None)

    assert seen("2") == seen("1") == seen(None)
    assert aimed(BACK, namespace("2", NEW)) == aimed(BACK, namespace(None, NEW))


@pytest.mark.parametrize("marked", [OLD, NEW, OTHER])
def test_a_run_stops_half_way(marked: str) -> None:
    """For any of its controllers, superseded ones included."""
    goal = aimed(BACK, namespace(None, OLD))
    found = namespace(NEWER, marked)
    earlier = controller(OTHER, **{**annotations_of(found[OTHER]), record.SOURCE_ID: found[OLD].identity})
    step = decide(Snapshot(found[OLD], found[NEW], superseded=(earlier,)), goal, Session(0.0), 0.0)
    assert isinstance(step, Stop)
    assert isinstance(step.error, StoppedError)
    assert step.error.message == f'replicationcontroller "{marked}": {SAID}; stopping'
