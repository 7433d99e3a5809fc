"""Somebody else's program, which test_types runs outside of the checkout: what would an update do first?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_type

from rollupdate.cli.main import main
from rollupdate.core.changes.base import Naming
from rollupdate.core.changes.edits import SetImage
from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.decide import decide
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.history import Revision
from rollupdate.core.phases.session import Session
from rollupdate.core.phases.steps import Create, Snapshot, Step
from rollupdate.core.plan.aim import aim
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.intent import Intent
from rollupdate.core.plan.policy import Policy

WEB = {
    "metadata": {"name": "web", "uid": "1", "resourceVersion": "1"},
    "spec": {
        "replicas": 1,
        "selector": {"app": "web", "deployment": "1"},
        "template": {
            "metadata": {"labels": {"app": "web", "deployment": "1"}},
            "spec": {"containers": [{"name": "web", "image": "nginx:1.7.9"}]},
        },
    },
    "status": {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1},
}


def no_history(controller: Controller, *, for_a_hint: bool = False) -> Sequence[Revision]:
    return ()


def first_step(raw: dict[str, Any], image: str, now: float) -> Step:
    controller = assert_type(Controller.parse(raw), Controller)
    intent = Intent(
        name=controller.name, change=TemplateChange((SetImage(image),)), naming=Naming(new_name="next")
    )
    goal = assert_type(aim(intent, Policy(), {controller.name: controller}, no_history), Goal)
    assert goal.target is not None
    assert goal.target.replicas == controller.replicas
    snapshot = Snapshot(old=controller, new=None)
    return assert_type(decide(snapshot, goal, Session(now), now), Step)


if __name__ == "__main__":
    step = first_step(WEB, "nginx:1.9.1", 0.0)
    assert isinstance(step, Create)
    print("create", step.manifest["metadata"]["name"], step.manifest["spec"]["replicas"])
    raise SystemExit(assert_type(main(["--version"]), int))
