"""The two tuples of rules as data: their order, and what each of them may write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.decide import BACK, FORWARD
from rollupdate.core.model.controller import Controller
from rollupdate.core.phases.session import Context, Rule, Session
from rollupdate.core.phases.steps import Delete, Effect, Patch, Snapshot
from rollupdate.core.plan.goal import Goal
from tests.core.test_decide import controllers, goals, sessions

NOTHING = Effect(0)
SIZES = Effect.SCALE_UP | Effect.SCALE_DOWN
FINISH = Effect.RELEASE | Effect.ADOPT | Effect.STRIP
TOP = Effect.RETURN | Effect.HOLD | Effect.EMPTY
"""From the top of the ladder that moves pods."""
BETWEEN = Effect.HOLD | Effect.NOTE | Effect.NOTE_SCALING | Effect.RESTORE | Effect.EMPTY
"""Between its rungs, in either direction."""
MAY_WRITE = {
    "withdraw": NOTHING,
    "supersede_earlier": Effect.FENCE,
    "require_successor": NOTHING,
    "delete_latecomer": NOTHING,
    "stop_if_preempted": NOTHING,
    "end_stripped": NOTHING,
    "fence_forwards": Effect.FENCE | TOP,
    "fence_back": Effect.FENCE | TOP,
    "resume": FINISH | BETWEEN | Effect.SCALE_DOWN,
    "undo": Effect.ADOPT | BETWEEN | Effect.SCALE_DOWN | Effect.RETURN,
    "refuse_edited_old": NOTHING,
    "refuse_edited": NOTHING,
    "remember_new": Effect.NOTE,
    "end_others": Effect.EVICTED,
    "claim_old": Effect.NOTE,
    "restore_old": Effect.UNEDIT,
    "set_min_ready_seconds": Effect.CORRECT,
    "label_old": Effect.LABEL,
    "note_scaling_by_others": Effect.NOTE_SCALING,
    "resume_paused": Effect.RESUME,
    "announce": NOTHING,
    "restore_what_ran": Effect.CORRECT,
    "scale": SIZES | Effect.PAUSE | Effect.NOTE | Effect.EVICT | Effect.EVICTED,
    "finish": FINISH | Effect.NOTE | Effect.HOLD,
    "unlabel_old": Effect.LABEL,
    "strip_old": Effect.END_ROLLBACK,
}
MAY_DELETE = {"withdraw", "delete_latecomer", "end_stripped", "resume", "scale", "finish"}


def names(rules: tuple[Rule, ...]) -> list[str]:
    return [rule.__name__ for rule in rules]


def test_forwards() -> None:
    """Whose update it is, which direction, a finish that has begun; then what changes pods, down to the
    end."""
    assert names(FORWARD) == [
        "withdraw",
        "supersede_earlier",
        "require_successor",
        "delete_latecomer",
        "fence_forwards",
        "remember_new",
        "end_others",
        "refuse_edited_old",
        "resume",
        "refuse_edited",
        "set_min_ready_seconds",
        "label_old",
        "note_scaling_by_others",
        "resume_paused",
        "claim_old",
        "announce",
        "scale",
        "finish",
    ]


def test_back() -> None:
    """The same, with pods as they were; the labels and annotations go last."""
    assert names(BACK) == [
        "require_successor",
        "stop_if_preempted",
        "end_stripped",
        "fence_back",
        "remember_new",
        "end_others",
        "undo",
        "restore_old",
        "restore_what_ran",
        "note_scaling_by_others",
        "announce",
        "scale",
        "unlabel_old",
        "strip_old",
    ]


@pytest.mark.parametrize(("rules", "fence"), [(FORWARD, "fence_forwards"), (BACK, "fence_back")])
def test_no_pod_changes_before_the_fence(rules: tuple[Rule, ...], fence: str) -> None:
    """What comes before it writes nothing but fences; every size is changed behind it."""
    order = names(rules)
    for name in order[: order.index(fence)]:
        assert not MAY_WRITE[name] & ~Effect.FENCE
    assert order.index(fence) < order.index("scale")
    assert order.index("announce") < order.index("scale")


@given(controllers("foo"), controllers("bar"), goals, sessions, st.floats(0, 40))
def test_each_rule_writes_what_it_may(
    old: Controller | None, new: Controller | None, goal: Goal, session: Session, now: float
) -> None:
    """Whatever is there, and whatever the rules before it would have done."""
    snapshot = Snapshot(old, new)
    rollout = snapshot.rollout
    if rollout is None:
        return
    context = Context(goal, session, now, snapshot)
    for rule in dict.fromkeys(FORWARD + BACK):
        step = rule(rollout, context)
        if isinstance(step, Patch):
            assert step.effect in MAY_WRITE[rule.__name__], rule.__name__
        assert not isinstance(step, Delete) or rule.__name__ in MAY_DELETE, rule.__name__


def test_every_rule_is_in_the_table() -> None:
    assert {*MAY_WRITE} == {*names(FORWARD), *names(BACK)}
