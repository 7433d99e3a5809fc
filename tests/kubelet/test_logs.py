"""Which run of a container has a log, and what of it is read."""

from __future__ import annotations

import pytest

from testing.kubelet import logs
from testing.kubelet.behaviour import Behaviour, KubeletConfig, Rule
from testing.kubelet.logs import NoLogError
from testing.kubelet.pod_status import Container, State, pod_status
from testing.objects import Json

NOW = "2026-01-02T03:04:05Z"
CONFIG = KubeletConfig(rules=(Rule("crashing", Behaviour.CRASHES, log="a\nb\nc\n"),))


def pod(state: State, restarts: int = 0) -> Json:
    container = Container("main", "crashing", state, NOW, restarts)
    return {"metadata": {"name": "p"}, "status": pod_status({}, [container], "10.244.0.9", NOW)}


@pytest.mark.parametrize(
    ("state", "restarts", "previous"),
    [
        (State.READY, 0, False),
        (State.UNREADY, 1, True),
        (State.CRASH_BACK_OFF, 1, False),
        (State.CRASH_BACK_OFF, 1, True),
    ],
)
def test_a_run_that_has_a_log(state: State, restarts: int, previous: bool) -> None:
    """All of it, its last lines, its first bytes."""
    found = pod(state, restarts)
    assert logs.read(found, "main", CONFIG, previous=previous) == "a\nb\nc\n"
    assert logs.read(found, "main", CONFIG, previous=previous, lines=2) == "b\nc\n"
    assert logs.read(found, "main", CONFIG, previous=previous, lines=0) == ""
    assert logs.read(found, "main", CONFIG, previous=previous, lines=2, size=3) == "b\nc"


@pytest.mark.parametrize(
    ("state", "previous", "refused"),
    [
        (State.READY, True, 'previous terminated container "main" in pod "p" not found'),
        (State.CREATING, False, 'container "main" in pod "p" is waiting to start: ContainerCreating'),
        (State.PULL_FAILED, False, 'container "main" in pod "p" is waiting to start: image can\'t be pulled'),
    ],
)
def test_a_run_that_has_none(state: State, previous: bool, refused: str) -> None:
    """In the words of a kubelet."""
    with pytest.raises(NoLogError) as caught:
        logs.read(pod(state), "main", CONFIG, previous=previous)
    assert str(caught.value) == refused


def test_a_container_that_is_not_there() -> None:
    """Or not yet."""
    with pytest.raises(NoLogError, match='container "other" in pod "p" is not available'):
        logs.read(pod(State.READY), "other", CONFIG)
