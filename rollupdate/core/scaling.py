"""How far up, how far down: the arithmetic of an update, on two controllers and a budget.

The rules are those of the decision table (tests/core/decision_table.json), made strict: pods that are
still to be deleted count towards the ceiling, and pods that may still be lost do not count towards the
floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollupdate.core.budget import Bounds, Budget
from rollupdate.core.controller import Controller


@dataclass(frozen=True)
class Sizes:
    """The sizes an update works between, in pods, scaling by others included."""

    original: int
    """Of the old controller before the update."""
    desired: int
    """Of the new one after it."""

    def bounds(self, budget: Budget, *, rollback: bool) -> Bounds:
        if rollback:
            return budget.bounds(original=self.desired, desired=self.original)
        return budget.bounds(original=self.original, desired=self.desired)


def base_sizes(original: Controller, successor: Controller) -> Sizes:
    """The sizes recorded when the update began, before anybody else scaled."""
    before = original.record.original
    if before is None:
        before = successor.record.source_replicas
    desired = successor.record.desired
    if desired is None and successor.record.source_id is not None and before is not None:
        desired = before  # somebody took the annotation off; the service keeps the size it had
    if desired is None:
        # The finish has taken the record off: the size there is was reached, what others added included.
        desired = successor.replicas - _added_by_others(original, successor)
    return Sizes(original=original.replicas if before is None else before, desired=desired)


def sizes(original: Controller, successor: Controller) -> Sizes:
    """The sizes with what others have added (or taken) since."""
    base = base_sizes(original, successor)
    others = _added_by_others(original, successor)
    return Sizes(max(0, base.original + others), max(0, base.desired + others))


def _added_by_others(original: Controller, successor: Controller) -> int:
    return original.record.scaled_by + successor.record.scaled_by


def scaled_by_others(controller: Controller, reference: int | None, size: int) -> int | None:
    """What a change of ``spec.replicas`` that was not ours adds to the goal; None where there was none.

    ``reference`` is the size of our last write and ``size`` what the controller stands for in the update.
    A shrink counts for what it took away. A growth counts for what goes beyond ``size``: an autoscaler
    that holds a minimum writes the same number after each of our scale-downs, and must not drive the goal
    up with it.
    """
    if reference is None or controller.replicas == reference:
        return None
    if controller.replicas < reference:
        return controller.replicas - reference
    return max(0, controller.replicas - max(size, reference))


def scale_up_to(growing: Controller, others: Sequence[Controller], goal: int, bounds: Bounds) -> int:
    """The size the growing controller may have now (at least the size it has). ``others`` are all that
    shrink meanwhile."""
    if not all(each.observed for each in others):
        return growing.replicas  # one of them may own more pods than its status tells
    if growing.current > growing.replicas:
        # Its last scale-down (of the other direction) is not carried out yet: once it may grow again, its
        # status would pass for that of pods which are about to go.
        return growing.replicas
    most = sum(each.most for each in others)
    if most == 0:
        return max(growing.replicas, goal)
    return max(growing.replicas, min(goal, bounds.ceiling - most))


def scale_down_to(
    growing: Controller, shrinking: Controller, goal: int, bounds: Bounds, *, beside: int = 0
) -> int:
    """The size the shrinking controller may have now (at most the size it has). ``beside``: available pods
    of further controllers.

    Its pods that are not ready hold nothing back: the manager deletes them first.
    """
    if goal == 0 or (growing.replicas >= goal and growing.available >= goal):
        return 0
    needed = bounds.floor - growing.available - beside
    if needed <= 0:
        return 0
    return min(shrinking.replicas, needed + shrinking.ready_only)


def size_meant(original: Controller) -> int:
    """The old controller's size where there is no new one (yet, or any more): what an update has taken from
    it counts, unless somebody else has set another size since."""
    known = original.record
    before = max(0, (known.original or 0) + known.scaled_by)
    return before if known.scaled_to == original.replicas < before else original.replicas


def size_before(original: Controller, successors: Sequence[Controller]) -> int:
    """The old controller's size before an update that another one takes the place of, what others have
    added since included. ``successors``: the new controllers there are of it."""
    known = original.record
    for each in successors:
        if each.uid == known.next_uid or each.name == known.next_name or known.original is None:
            return sizes(original, each).original
    return max(0, (original.replicas if known.original is None else known.original) + known.scaled_by)
