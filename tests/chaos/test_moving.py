"""Pods that change owners on the real control plane, watched by a bystander: the manager stops for moments,
the command is killed among the pods, another client goes the other way.

The same is tried in process, with more of everything, in ``tests/engine/test_ownership.py``.
"""

from __future__ import annotations

import os
import random
import time

import pytest

from testing.chaos.arena import Arena, Site
from testing.chaos.owners import Owners, watched
from testing.chaos.stories import NAME, NEW, OLD, controller
from testing.command import Ended
from testing.controlplane.plane import ControlPlane
from testing.controlplane.private import PrivatePlane

pytestmark = pytest.mark.realplane
LONG = os.environ.get("ROLLUPDATE_LONG_TESTS") == "1"
PODS = 12
UPDATE = (NAME, f"--image={NEW}", "--max-surge=100%", "--timeout=120s")
FINISH = 4 + PODS
"""About the number of the first write of the finish: the create, and sizes, as many as there are moments."""


def begun(arena: Arena) -> None:
    arena.have(controller(NAME, OLD, PODS, {"deployment": "v1"}))


def private(plane: ControlPlane) -> PrivatePlane:
    if not isinstance(plane, PrivatePlane):
        pytest.skip("the controller manager of somebody else's cluster is not to be stopped")
    return plane


def assert_kept(owners: Owners, updates: int) -> None:
    """Each of the ``updates`` made its pods, and nothing else did; floor and ceiling hold."""
    assert owners.unowned == set()
    assert (len(owners.made), len(owners.gone)) == (updates * PODS, updates * PODS)
    assert (owners.least, owners.most <= 2 * PODS) == (PODS, True)


@pytest.mark.parametrize("seed", range(9 if LONG else 2))
def test_under_a_manager_that_stops_for_moments(
    seed: int, real_site: Site, control_plane: ControlPlane
) -> None:
    """It is behind all the time: no pod is made or deleted but those of the update."""
    plane = private(control_plane)
    with real_site.arena() as arena:
        begun(arena)
        with watched(arena) as owners, plane.pausing_manager(random.Random(seed)):
            ended = arena.run(*UPDATE)
        assert ended.status == 0, ended
        arena.assert_clean(NAME, NEW, PODS)
        assert_kept(owners, 1)
        assert len(owners.moved) == PODS


@pytest.mark.parametrize("seed", range(40 if LONG else 4))
def test_killed_among_the_pods(seed: int, real_site: Site, control_plane: ControlPlane) -> None:
    """Under such a manager, too; then the same command, or the rollback and the same command."""
    plane, random_ = private(control_plane), random.Random(seed)
    with real_site.arena() as arena:
        begun(arena)
        said: list[Ended] = []
        with watched(arena) as owners, plane.pausing_manager(random_):
            trap = random_.randint(FINISH - 8, FINISH + 2 * PODS), random_.random() < 0.5
            said.append(arena.run(*UPDATE, trap=trap))
            if random_.random() < 0.5:
                said.append(arena.run(*UPDATE, "--rollback"))
            said.append(arena.run(*UPDATE))
        arena.assert_clean(NAME, NEW, PODS)
        assert owners.unowned == set(), said
        assert owners.least == PODS, said
        assert owners.most <= 2 * PODS, said


@pytest.mark.parametrize("seed", range(20 if LONG else 2))
def test_two_clients_in_both_directions(seed: int, real_site: Site, control_plane: ControlPlane) -> None:
    """The update, and the rollback from some moment on; then the update again, which comes to its end."""
    plane, random_ = private(control_plane), random.Random(seed)
    with real_site.arena() as arena:
        begun(arena)
        with watched(arena) as owners, plane.pausing_manager(random_):
            one = arena.start(*UPDATE)
            time.sleep(random_.uniform(0.5, 2.0))
            two = arena.start(*UPDATE, "--rollback", beside=True)
            said = [one.end(), two.end(), arena.run(*UPDATE)]
        arena.assert_clean(NAME, NEW, PODS)
        assert owners.unowned == set(), said
        assert owners.least == PODS, said
        assert owners.most <= 2 * PODS, said
        assert all(ended.status in (0, 1, 3) for ended in said)


def test_a_controller_that_selects_the_pods_too(real_site: Site) -> None:
    """``web`` selects the pods of ``web-canary`` as well: it adopts none of them, and deletes none."""
    wide, narrow = controller("web", OLD, 2), controller("web-canary", OLD, 3, {"track": "canary"})
    wide["spec"]["selector"] = {"app": "nginx"}
    wide["spec"]["template"]["metadata"]["labels"] = {"app": "nginx", "track": "stable"}
    with real_site.arena() as arena:
        arena.have(wide)
        arena.have(narrow)
        # The first update labels what is selected, so web has its own two pods and no more to take.
        with watched(arena) as owners:
            ended = arena.run("web-canary", f"--image={NEW}", "--timeout=60s")
        assert ended.status == 0, ended
        assert owners.unowned == set()
        assert (len(owners.made), len(owners.gone)) == (3, 3)
        owned = [owner["name"] for pod in arena.pods() for owner in pod["metadata"]["ownerReferences"]]
        assert sorted(owned) == ["web", "web", "web-canary", "web-canary", "web-canary"]
