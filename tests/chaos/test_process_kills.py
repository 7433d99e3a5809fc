"""Killed as a process: some kill points of updates and moves on the real control plane, and on the sandbox.

Every one of them is in ``make chaos`` as processes, and in ``tests/engine`` in process.
"""

from __future__ import annotations

import itertools
import random
import re
import shlex
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from testing.chaos.arena import Arena, Site
from testing.chaos.configs import CONFIG_MOVES
from testing.chaos.evicting import EVICTIONS
from testing.chaos.kills import Case, Kill, Result, carry_out_all, carry_out_twice, kills_of
from testing.chaos.migrating import MOVES
from testing.chaos.stories import BARE, FIRST, NAME, NEW, STORIES
from testing.client import JSON_PATCH
from testing.namespace import DEPLOYMENTS, REPLICA_SETS
from testing.sandbox.objects import uid_of
from tests.support.openshift import OpenShift

pytestmark = pytest.mark.sweep

WORKERS = 4
AS_PODS_CHANGE_OWNERS = (13, 14, 15, 16, 17)
"""Writes of a first update."""


def assert_some_end_well(site: Site, cases: Sequence[Case], many: int, seed: int) -> None:
    """``many`` of the kill points of those, by a seed."""
    kills = random.Random(seed).sample(kills_of(site, cases, WORKERS), many)
    assert_none_failed(carry_out_all(site, kills, WORKERS))


def assert_none_failed(results: Sequence[Result]) -> None:
    failed = [f"{each.what}\n{each.problem}" for each in results if each.problem]
    assert not failed, f"{len(failed)} of {len(results)} failed:\n" + "\n\n".join(failed)


def assert_every_write_is_killed(kills: Sequence[Kill]) -> None:
    """From the first to the last, before and after, and followed by both directions."""
    writes = {each.write for each in kills}
    assert writes == set(range(1, max(writes) + 1))
    assert {(each.write, each.before, each.turned) for each in kills} == set(
        itertools.product(writes, (True, False), (True, False))
    )
    # Three to label, the creation, four to scale with its record, let go, hand over, delete.
    assert len(writes) >= 11


@pytest.mark.realplane
def test_the_first_update_on_the_real_control_plane(real_site: Site) -> None:
    """Killed before or after a write, then the same command or the rollback: nothing is ever lost."""
    kills = kills_of(real_site, [FIRST], WORKERS)
    assert_every_write_is_killed(kills)
    assert_none_failed(carry_out_all(real_site, random.Random(7).sample(kills, 6), WORKERS))


@pytest.mark.realplane
def test_a_move_on_the_real_control_plane(real_site: Site, openshift_real: OpenShift) -> None:
    """To a Deployment and back, from a controller and from a DeploymentConfig: killed before or after a
    write, then the same command or the other direction; the same pods all the way."""
    with openshift_real.control(""):
        assert_some_end_well(real_site, (MOVES[1], MOVES[3], *CONFIG_MOVES), 6, seed=5)


@pytest.mark.realplane
def test_evictions_on_the_real_control_plane(real_site: Site) -> None:
    """Under a budget, forwards and back: floor and ceiling hold, and no pod of the version that goes comes
    again."""
    assert_some_end_well(real_site, EVICTIONS[1:], 3, seed=4)


def test_a_sample_of_all_stories_on_the_sandbox(sandbox_site: Site) -> None:
    """Some kill points of every second story, by a seed."""
    cases: tuple[Case, ...] = (*STORIES, *EVICTIONS, *MOVES, *CONFIG_MOVES)
    assert_some_end_well(sandbox_site, cases[::2], 12, seed=3)


def replaced_as_pods_change_owners(site: Site, write: int, *, turned: bool) -> int:
    """Killed after that write, then `kubectl replace -f` of the old controller as it was. How many pods that
    one had got by then: they stay if the update goes on."""
    with site.arena() as arena:
        FIRST.prepare(arena)
        owner = arena.controller(NAME)["metadata"]["uid"]
        arena.run(*FIRST.command(arena), trap=(write, False))
        assert arena.proxy.sprung, write
        time.sleep(1.1)  # of pods that are equally old, to the second, the manager deletes any
        arena.client.request("PUT", arena.path("replicationcontrollers", NAME), BARE)
        moved = {
            uid_of(pod)
            for pod in arena.pods()
            if pod["spec"]["containers"][0]["image"] == NEW
            and any(
                one["uid"] == owner and one.get("controller") for one in pod["metadata"]["ownerReferences"]
            )
        }
        ended = arena.run(*(FIRST.turned(arena) if turned else FIRST.command(arena)))
        assert ended.status == 0, f"write {write}: {ended}"
        FIRST.assert_ended(arena, turned=turned)
        assert turned or moved <= {uid_of(pod) for pod in arena.pods()}, f"write {write}: pods are gone"
        return len(moved)


@pytest.mark.realplane
def test_replaced_by_a_file_on_the_real_control_plane(real_site: Site) -> None:
    """Its pods stay, and it ends as it must, whichever direction is taken."""
    cases = list(itertools.product(AS_PODS_CHANGE_OWNERS, (False, True)))
    with ThreadPoolExecutor(WORKERS) as pool:
        moved = pool.map(
            lambda case: replaced_as_pods_change_owners(real_site, case[0], turned=case[1]), cases
        )
        assert max(moved) == FIRST.size


def resumed_by_hand(site: Site, write: int, *, turned: bool) -> int:
    """Killed after that write of a move, with the Deployment there and paused, which another client then
    resumes, as one would that sees 0 of 3. How many pods there were by then."""
    move = MOVES[0]
    with site.arena() as arena:
        move.prepare(arena)
        arena.run(*move.command(arena), trap=(write, False))
        assert arena.proxy.sprung, write
        assert arena.objects(DEPLOYMENTS)[NAME]["spec"]["paused"]
        time.sleep(1.1)  # of two ReplicaSets of one second and one template either may be the newest
        owned = _has_owner(arena)
        arena.merge(NAME, {"spec": {"paused": None}}, DEPLOYMENTS)
        arena.wait(lambda: owned or len(arena.pods()) == 2 * move.size, "it makes pods of its own")
        made = len(arena.pods())
        ended = arena.run(*(move.turned(arena) if turned else move.command(arena)))
        assert ended.status == 0, f"write {write}: {ended}"
        move.assert_ended(arena, turned=turned)
        return made


def _has_owner(arena: Arena) -> bool:
    """Whether the ReplicaSet with the pods, the only one, is the Deployment's."""
    (found,) = arena.objects(REPLICA_SETS).values()
    return any(owner["kind"] == "Deployment" for owner in found["metadata"]["ownerReferences"])


@pytest.mark.realplane
def test_resumed_by_hand_on_the_real_control_plane(real_site: Site) -> None:
    """Before the Deployment owns the ReplicaSet with the pods it makes its own, which go
    again; the pods stay."""
    cases = list(itertools.product((10, 11), (False, True)))
    with ThreadPoolExecutor(WORKERS) as pool:
        made = pool.map(lambda case: resumed_by_hand(real_site, case[0], turned=case[1]), cases)
        assert max(made) == 2 * MOVES[0].size


@pytest.mark.realplane
def test_rolled_out_by_hand_on_the_real_control_plane(real_site: Site) -> None:
    """Killed once the Deployment is live, which another client then gives another image: a rollback lets that
    be and says what to do, which works."""
    move = MOVES[0]
    with real_site.arena() as arena:
        move.prepare(arena)
        arena.run(*move.command(arena), trap=(13, False))
        image = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": NEW}]
        arena.client.request("PATCH", arena.path(DEPLOYMENTS, NAME), image, content_type=JSON_PATCH)
        ended = arena.run(*move.turned(arena))
        assert ended.status == 3, ended
        assert f"deployment/{NAME} was rolled out by another client meanwhile" in ended.stderr
        assert not arena.objects(DEPLOYMENTS)[NAME]["spec"].get("paused")
        on, back = re.findall(r": kubectl rolling-update (.*)", ended.stderr.partition("to go on")[2])[:2]
        ended = arena.run(*shlex.split(on))
        assert ended.status == 0, ended
        assert {pod["spec"]["containers"][0]["image"] for pod in arena.pods()} == {NEW}
        arena.served = {uid_of(pod) for pod in arena.pods()}
        ended = arena.run(*shlex.split(back))
        assert ended.status == 0, ended
        MOVES[2].assert_ended(arena)


def test_killed_twice(sandbox_site: Site) -> None:
    """With the pods let go, and then the next run at each of its own writes."""
    results = carry_out_twice(sandbox_site, FIRST, 10)
    assert results, "the second run was never killed"
    assert_none_failed(results)
