"""When pods that are ready are due: from counts that a client has seen, and by the pods' own conditions."""

from __future__ import annotations

from dataclasses import replace

from rollupdate.core.model.controller import Controller
from rollupdate.core.phases.readiness import Staying
from tests.core.test_diagnosis import controller


def ready(count: int, available: int = 0, *, size: int = 3) -> Controller:
    found = controller(size, current=size, available=available, readyReplicas=count)
    return replace(found, min_ready_seconds=60)


def look(staying: Staying, count: int, now: float, available: int = 0) -> Staying:
    growing = ready(count, available)
    return staying.observe(growing, (growing,), now)


def test_each_pod_more_counts_anew() -> None:
    """The one that got ready last is due last."""
    staying = look(look(Staying(), 1, 0.0), 2, 30.0)
    assert staying.until == 90.0
    assert staying.available_in(50.0) == 40.0
    assert staying.idle_since(0.0, 80.0) == 80.0
    assert staying.idle_since(0.0, 100.0) == 90.0


def test_the_same_pod_again_does_not() -> None:
    """It went away and came back."""
    staying = look(look(look(Staying(), 2, 0.0), 1, 20.0), 2, 30.0)
    assert staying.until == 60.0


def test_once_no_pod_has_to_stay_ready_the_time_runs_from_then() -> None:
    """Nothing of what is over is counted as a standstill."""
    staying = look(look(Staying(), 1, 0.0), 0, 40.0)
    assert staying.available_in(41.0) is None
    assert staying.idle_since(0.0, 50.0) == 40.0


def test_nothing_to_stay() -> None:
    """All are available, or none is ready."""
    for count, available in ((3, 3), (0, 0)):
        staying = look(Staying(), count, 5.0, available)
        assert staying.available_in(6.0) is None
        assert staying.idle_since(1.0, 6.0) == 1.0
