"""The promises, over random clusters, latencies, budgets, and clients that are killed and turned round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollupdate.core.model.budget import Amount, Budget
from rollupdate.core.model.history import revisions
from rollupdate.errors import ApiError, RefusedError
from testing.sandbox import KubeletConfig, ManagerConfig
from tests.engine.inprocess import Killed, killed
from tests.engine.world import NAME, World, to_file, to_image
from tests.support.asking import Asking, asking
from tests.support.effort import examples
from tests.support.manifests import my_nginx, my_nginx_v4

pytestmark = pytest.mark.sweep

EXAMPLES = examples(gate=150, long=2000)
OLD, NEW = "nginx:1.7.9", "nginx:1.9.1"
amounts = st.one_of(
    st.integers(0, 3).map(Amount), st.integers(0, 100).map(lambda percent: Amount(percent, percent=True))
)
latencies = st.tuples(st.floats(0.001, 0.5), st.floats(0.0, 1.0)).map(lambda pair: (pair[0], sum(pair)))


@dataclass(frozen=True)
class Interruption:
    """A client is killed at that write, before or after it took effect; the next may go the other way."""

    write: int
    before: bool
    turns: bool


@dataclass(frozen=True)
class Case:
    kind: str
    labelled: bool
    original: int
    desired: int
    budget: Budget
    min_ready_seconds: int | None
    kubelet: KubeletConfig
    manager: ManagerConfig
    seed: int
    interruptions: tuple[Interruption, ...]

    def request(self, *, back: bool) -> Asking:
        """The update, or (``back``) the rollback of it. An undo goes to the first of two revisions."""
        if self.kind == "undo":
            return asking(NAME, rollback=True, to_revision=2 if back else 1, **self.more)
        return self.update().but(rollback=back)

    @property
    def more(self) -> dict[str, Any]:
        return {
            "budget": self.budget,
            "min_ready_seconds": self.min_ready_seconds,
            "timeout": 3600.0,
            "history_limit": 2,
        }

    def update(self) -> Asking:
        more = self.more
        match self.kind:
            case "keep":
                return to_image(**more)
            case "new name":
                return to_image(new_name="next", **more)
            case "file":
                manifest = my_nginx_v4(self.desired)
                manifest["spec"]["template"]["spec"]["containers"][0]["image"] = NEW
                return to_file(manifest, **more)
            case _:
                return to_file(my_nginx(image=NEW, replicas=self.desired), keep_name=True, **more)

    @property
    def target(self) -> int:
        return self.original if self.kind in ("keep", "new name", "undo") else self.desired

    @property
    def ends_as(self) -> str:
        return {"new name": "next", "file": "my-nginx-v4"}.get(self.kind, NAME)


interruptions = st.builds(Interruption, st.integers(1, 20), st.booleans(), st.booleans())
cases = st.builds(
    Case,
    kind=st.sampled_from(["keep", "new name", "file", "keep file", "undo"]),
    labelled=st.booleans(),
    original=st.integers(0, 8),
    desired=st.integers(0, 8),
    budget=st.builds(Budget, amounts, amounts),
    min_ready_seconds=st.sampled_from([None, None, 0, 3]),
    kubelet=st.builds(KubeletConfig, ready_after=latencies, terminate_after=latencies),
    manager=st.builds(ManagerConfig, latency=latencies, status_latency=latencies),
    seed=st.integers(0, 2**16),
    interruptions=st.lists(interruptions, max_size=4).map(tuple),
)


@settings(max_examples=EXAMPLES)
@given(cases)
def test_promises_hold_and_it_ends_clean(case: Case) -> None:
    """Floor and ceiling at every moment, whoever is killed; at the end, as asked for last."""
    labels = {"deployment": "v1"} if case.labelled or case.kind == "file" else {}
    world = World(
        my_nginx(image=NEW if case.kind == "undo" else OLD, replicas=case.original, labels=labels),
        seed=case.seed,
        kubelet=case.kubelet,
        manager=case.manager,
    )
    if case.kind == "undo":
        world.update(to_image(OLD))
        world.settled_anew()
    forwards = True
    for each in case.interruptions:
        if not run_killed(world, case.request(back=not forwards), each):
            break  # it came to its end before that write
        forwards ^= each.turns
    else:
        run_to_the_end(world, case.request(back=not forwards))
    assert_ended(world, case)
    both = [
        case.budget.bounds(original=case.original, desired=case.target),
        case.budget.bounds(original=case.target, desired=case.original),
    ]
    assert world.least_available >= min(bounds.floor for bounds in both)
    ceiling = max(bounds.ceiling for bounds in both)
    assert world.most_pods <= max(case.original, case.target, ceiling)


def run_killed(world: World, request: Asking, each: Interruption) -> bool:
    try:
        if each.before:
            world.update(request, before=killed(each.write))
        else:
            world.update(request, after=killed(each.write))
    except Killed:
        return True
    except (RefusedError, ApiError):
        return False  # nothing to continue or to roll back any more
    return False


def run_to_the_end(world: World, request: Asking) -> None:
    try:
        world.update(request)
    except RefusedError as error:
        assert "to rollback" in error.message or "must be provided when --image is the same" in error.message
    except ApiError as error:
        assert error.is_not_found


def assert_ended(world: World, case: Case) -> None:
    """All new, or all as it was: whichever controller there is tells which."""
    world.sandbox.settle()
    (controller,) = world.controllers().values()
    image = controller["spec"]["template"]["spec"]["containers"][0]["image"]
    if image == NEW:
        world.assert_clean(case.ends_as, NEW, case.target)
    else:
        after = world.assert_clean(NAME, OLD, case.original)
        assert after["spec"] == world.before["spec"]
        assert after["metadata"]["uid"] == world.before["metadata"]["uid"]
    known = revisions(world.sandbox.objects("controllerrevisions", "default"))
    assert {each.owner_uid for each in known} <= {controller["metadata"]["uid"]}
    assert len(known) == 2 if image == NEW or case.kind == "undo" else len(known) <= 1
    assert not known or known[-1].images == (image,)
