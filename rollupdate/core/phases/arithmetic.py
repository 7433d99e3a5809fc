"""How far up, how far down: the arithmetic of an update, on controllers and a budget.

The rules are those of the decision table (tests/core/decision_table.json), made strict: pods that are
still to be deleted count towards the ceiling, and pods that may still be lost do not count towards the
floor.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollupdate.core.model.budget import Bounds
from rollupdate.core.model.controller import Controller


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
    if not all(other.observed for other in others):
        return growing.replicas  # one of them may own more pods than its status tells
    if growing.current > growing.replicas:
        # Its last scale-down (of the other direction) is not carried out yet: once it may grow again, its
        # status would pass for that of pods which are about to go.
        return growing.replicas
    most = sum(other.max_pods for other in others)
    if most == 0:
        return max(growing.replicas, goal)
    return max(growing.replicas, min(goal, bounds.ceiling - most))


def reached(others: Sequence[Controller], goal: int, bounds: Bounds) -> int:
    """The most pods that there will be from now on: once no pod of ``others`` is left nothing bounds the size
    to reach."""
    return bounds.ceiling if any(other.max_pods for other in others) else max(bounds.ceiling, goal)


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
    return min(shrinking.replicas, needed + shrinking.ready_not_available)
