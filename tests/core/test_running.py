"""What pods run, told by the pods: what counts as another template, and what others have only added."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from rollupdate.core.model.controller import Controller
from rollupdate.core.model.history import Revision
from rollupdate.core.model.running import Running, as_run, difference, label_key_of, running
from rollupdate.core.model.template import template_hash, with_label, without_label
from testing.objects import Json
from tests.core.worlds import raw

KEY = "deployment"


def template(image: str = "shop/web:2.0", **container: Any) -> Json:
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "resources": {},
                    "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                    "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                    **container,
                }
            ],
            "volumes": [{"name": "data", "emptyDir": {}}],
            "tolerations": [{"key": "spot", "operator": "Exists"}],
        },
    }


def pod(of: Json, *, injected: bool = True) -> Json:
    """As a server makes it of the template: completed by admission, scheduled. ``injected``: a variable."""
    made = copy.deepcopy(of)
    spec = made["spec"]
    spec.update(nodeName="node-1", serviceAccountName="default", priority=0)
    spec["tolerations"].append({"key": "node.kubernetes.io/not-ready", "operator": "Exists"})
    spec["volumes"].append({"name": "kube-api-access-x", "projected": {}})
    for container in spec["containers"]:
        container.setdefault("volumeMounts", []).append(
            {"name": "kube-api-access-x", "mountPath": "/var/run"}
        )
        container["imagePullPolicy"] = "Always"
        if injected:
            container["env"].append({"name": "INJECTED", "value": "x"})
    spec["containers"].append({"name": "sidecar", "image": "mesh:9"})
    made["metadata"]["annotations"] = {"cni.example/ip": "10.0.0.1"}
    return made


def controller(of: Json, *, label: str | None = None) -> Controller:
    obj = raw("web")
    obj["spec"]["template"] = with_label(of, KEY, label) if label else of
    obj["spec"]["selector"] = {"app": "web", **({KEY: label} if label else {})}
    return Controller.parse(obj)


def updated(of: Json) -> Controller:
    """As an update has left it."""
    return controller(of, label=template_hash(of, KEY))


def revision(number: int, of: Json) -> Revision:
    return Revision(number, without_label(of, KEY), KEY, "uid-web")


def test_what_admission_adds_is_no_difference() -> None:
    """Defaults, a sidecar, a token, tolerations, a pull policy, an injected variable."""
    of = template()
    assert as_run(of, pod(of)) is of
    assert running(controller(of), [pod(of)] * 3, (), KEY) == Running(3)


def test_no_pods_say_nothing() -> None:
    assert running(controller(template()), [], (), KEY) == Running()


CHANGES: dict[str, Json] = {
    "image": template("shop/web:1.0"),
    "variable": template(env=[{"name": "A", "value": "0"}, {"name": "B", "value": "2"}]),
    "added variable": template(env=[{"name": "A", "value": "1"}]),
    "command": template(command=["/bin/old"]),
    "port": template(ports=[{"containerPort": 80, "protocol": "TCP"}]),
    "resources": template(resources={"limits": {"cpu": "1"}}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_template_was_changed_and_no_pod_restarted(name: str) -> None:
    """What they run can be told by the pods alone where the template says something that they do not."""
    ran = CHANGES[name]
    now = {
        "command": template(command=["/bin/new"]),
        "resources": template(resources={"limits": {"cpu": "2"}}),
    }.get(name, template())
    found = running(controller(now), [pod(ran, injected=False)] * 2, (), KEY)
    assert (found.looked, found.others, found.revision) == (2, 2, None)
    assert found.mostly
    assert found.template is not None
    differs = difference(controller(now), found, KEY)
    assert differs is not None
    assert differs.applied(without_label(now, KEY)) == without_label(ran, KEY)


def test_what_was_taken_away_is_told_by_the_history() -> None:
    """A pod may say more than its template, so the template before is needed to tell what is missing."""
    before = template()
    now = template(env=[{"name": "A", "value": "1"}])
    edited = controller(now, label=template_hash(before, KEY))
    assert running(edited, [pod(before)], (), KEY).others == 0
    found = running(edited, [pod(before)], [revision(1, template("x:0")), revision(2, before)], KEY)
    assert (found.others, found.revision, found.differs) == (1, 2, ("spec.containers[app].env[B]",))


def test_a_revision_is_found_whole() -> None:
    """What differs from the template elsewhere as well is as the history has it."""
    ran = template("shop/web:1.0", command=["serve"])
    known = [revision(1, template("shop/web:0.9")), revision(2, ran)]
    found = running(controller(template()), [pod(ran)] * 3, known, KEY)
    assert found.revision == 2
    assert found.template == without_label(ran, KEY)


def test_some_pods_died_since() -> None:
    """The new ones are of the template; most of the others say what ran."""
    now = template()
    pods = [
        pod(now),
        pod(template("shop/web:1.0")),
        pod(template("shop/web:0.9")),
        pod(template("shop/web:1.0")),
    ]
    found = running(controller(now), pods, (), KEY)
    assert (found.looked, found.others, found.mostly) == (4, 3, True)
    assert found.template is not None
    assert found.template["spec"]["containers"][0]["image"] == "shop/web:1.0"
    few = running(controller(now), [*[pod(now)] * 3, pods[1]], (), KEY)
    assert (few.others, few.mostly) == (1, False)


@pytest.mark.parametrize(
    "image", ["mirror.example/shop/web:2.0", "shop/web@sha256:" + "a" * 64, "shop/web:2.0@sha256:" + "a" * 64]
)
def test_images_rewritten_by_admission(image: str) -> None:
    """After an update the label says that the template was not changed since, so it is no difference. Nor
    where the history says so."""
    rewritten = pod(template(image))
    assert running(updated(template()), [rewritten] * 3, (), KEY) == Running(3)
    known = [revision(1, template())]
    assert running(controller(template()), [rewritten] * 3, known, KEY) == Running(3)
    assert running(controller(template()), [rewritten] * 3, (), KEY).others == 3
    # Where pods differ among each other it was not admission alone.
    assert running(updated(template()), [rewritten, pod(template())], (), KEY).others == 1


def test_pods_that_were_changed_by_hand() -> None:
    """The image of a running pod can be set: another version counts whatever the label says."""
    assert running(updated(template()), [pod(template("shop/web:hotfix"))] * 2, (), KEY).others == 2


def test_labels_of_single_pods_do_not_count() -> None:
    """People label pods to find them again; if all pods have another one, the template was changed."""
    now = template()
    marked = pod(now)
    marked["metadata"]["labels"] = {"app": "web-debug"}
    assert running(controller(now), [pod(now), marked], (), KEY).others == 0
    assert running(controller(now), [marked, marked], (), KEY).others == 2


def test_the_label_that_tells_pods_apart_does_not_count() -> None:
    """The first update puts it onto pods and into the template."""
    now = template()
    assert running(updated(now), [pod(now)], (), KEY).others == 0
    assert label_key_of(updated(now), "x") == KEY
    assert label_key_of(controller(now), "x") == "x"


@pytest.mark.parametrize(
    "spec", [{}, None, "x", {"containers": "x"}, {"containers": [1]}, {"containers": [{}]}]
)
def test_what_no_server_sends(spec: Any) -> None:
    """It is another template, and no traceback."""
    assert running(controller(template()), [{"metadata": None, "spec": spec}], (), KEY).others == 1
