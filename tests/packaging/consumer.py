"""Somebody else's program, which test_types runs outside of the checkout: what would an update do first?"""

from __future__ import annotations

from typing import Any, assert_type

from rollupdate import cli
from rollupdate.core.controller import Controller
from rollupdate.core.decide import decide
from rollupdate.core.edits import SetImage
from rollupdate.core.goal import Goal, aim
from rollupdate.core.request import Request, TemplateChange
from rollupdate.core.session import Session
from rollupdate.core.steps import Create, Snapshot, Step

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


def first_step(raw: dict[str, Any], image: str, now: float) -> Step:
    controller = assert_type(Controller.parse(raw), Controller)
    request = Request(controller.name, "next", TemplateChange((SetImage(image),)))
    goal = assert_type(aim(request, {controller.name: controller}), Goal)
    snapshot = Snapshot(original=controller, successor=None)
    return assert_type(decide(snapshot, goal, Session(now), now), Step)


if __name__ == "__main__":
    step = first_step(WEB, "nginx:1.9.1", 0.0)
    assert isinstance(step, Create)
    print("create", step.manifest["metadata"]["name"], step.manifest["spec"]["replicas"])
    raise SystemExit(assert_type(cli.main(["--version"]), int))
