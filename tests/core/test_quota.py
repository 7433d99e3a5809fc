"""Which quota has refused a pod, and whether it has room by now."""

from __future__ import annotations

import pytest

from rollupdate.core.diagnosis.quota import Exceeded, exceeded, has_room
from testing.objects import Json

FULL = "exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2"


def quota(hard: dict[str, str], used: dict[str, str], name: str = "few") -> Json:
    return {"metadata": {"name": name}, "spec": {"hard": hard}, "status": {"hard": hard, "used": used}}


def test_read_from_the_words_of_the_server() -> None:
    """Name and amounts, of one resource or of several."""
    assert exceeded(f'pods "a" is forbidden: {FULL}') == Exceeded("few", {"pods": "1"})
    several = "exceeded quota: q, requested: cpu=500m,memory=1Gi, used: cpu=1,memory=2Gi, limited: cpu=1"
    assert exceeded(several) == Exceeded("q", {"cpu": "500m", "memory": "1Gi"})
    for other in ("", "failed quota: q: must specify limits.cpu", "maximum memory usage per Pod is 1Gi"):
        assert exceeded(other) is None


@pytest.mark.parametrize(
    ("hard", "used", "requested", "room"),
    [
        ("2", "2", "1", False),
        ("3", "2", "1", True),
        ("2", "1500m", "500m", True),
        ("2", "1501m", "500m", False),
        ("4Gi", "3Gi", "1024Mi", True),
        ("4Gi", "3Gi", "1.5G", False),
        ("1e3", "0", "1k", True),
        ("lots", "2", "1", True),
        ("2", "much", "1", False),
    ],
)
def test_amounts(hard: str, used: str, requested: str, room: bool) -> None:
    """In the units of the API; what can't be read is not counted on."""
    found = [quota({"memory": hard}, {"memory": used})]
    assert has_room(found, Exceeded("few", {"memory": requested})) is room


def test_what_has_changed_since() -> None:
    """The quota is gone, no longer limits that, or is another one's; the status is behind."""
    refused = Exceeded("few", {"pods": "1"})
    assert has_room([], refused)
    assert has_room([quota({"pods": "1"}, {"pods": "1"}, name="other"), {"metadata": None}], refused)
    assert has_room([quota({"cpu": "1"}, {"cpu": "1"})], refused)
    behind = quota({"pods": "5"}, {"pods": "2"})
    behind["status"]["hard"] = {"pods": "2"}
    assert not has_room([behind], refused)
    assert not has_room([{"metadata": {"name": "few"}, "spec": {"hard": {"pods": "5"}}}], refused)
