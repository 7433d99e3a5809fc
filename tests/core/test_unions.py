"""A patch that sets a second one of what only one may be set: refused, with the words to write instead."""

from __future__ import annotations

import pytest

from rollupdate.core.changes.edits import MergePatch, SetEnv
from rollupdate.core.changes.template import TemplateChange
from rollupdate.errors import RefusedError
from testing.objects import Json

FROM = {"secretKeyRef": {"name": "s", "key": "k"}}
TEMPLATE: Json = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {
        "volumes": [{"name": "data", "emptyDir": {}}],
        "containers": [
            {
                "name": "web",
                "image": "web:1",
                "env": [{"name": "PLAIN", "value": "1"}, {"name": "SECRET", "valueFrom": FROM}],
                "readinessProbe": {"httpGet": {"port": 80}},
                "lifecycle": {"preStop": {"exec": {"command": ["true"]}}},
            }
        ],
    },
}


def container(**more: object) -> Json:
    return {"spec": {"containers": [{"name": "web", **more}]}}


SECOND = [
    (container(env=[{"name": "SECRET", "value": "x"}]), "env[SECRET]", "valueFrom", "value"),
    (container(env=[{"name": "PLAIN", "valueFrom": FROM}]), "env[PLAIN]", "value", "valueFrom"),
    (
        container(env=[{"name": "SECRET", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
        "env[SECRET].valueFrom",
        "secretKeyRef",
        "fieldRef",
    ),
    (container(readinessProbe={"exec": {"command": ["true"]}}), "readinessProbe", "httpGet", "exec"),
    (container(lifecycle={"preStop": {"httpGet": {"port": 80}}}), "lifecycle.preStop", "exec", "httpGet"),
    (
        {"spec": {"volumes": [{"name": "data", "configMap": {"name": "c"}}]}},
        "spec.volumes[data]",
        "emptyDir",
        "configMap",
    ),
]


@pytest.mark.parametrize(("patch", "path", "kept", "added"), SECOND)
def test_refused_with_the_way_out(patch: Json, path: str, kept: str, added: str) -> None:
    with pytest.raises(RefusedError) as refused:
        TemplateChange((MergePatch(patch),)).applied(TEMPLATE, "deployment")
    assert path in refused.value.message
    assert f"has {kept} and would get {added} as well" in refused.value.message
    assert f'add "{kept}": null' in str(refused.value.hint)


def test_the_way_out_works() -> None:
    """null takes the other away."""
    patch = container(env=[{"name": "SECRET", "value": "x", "valueFrom": None}])
    result = TemplateChange((MergePatch(patch),)).applied(TEMPLATE, "deployment")
    assert result["spec"]["containers"][0]["env"][1] == {"name": "SECRET", "value": "x"}
    set_env = TemplateChange((SetEnv("SECRET", "x"),)).applied(TEMPLATE, "deployment")
    assert set_env["spec"]["containers"][0]["env"][1] == {"name": "SECRET", "value": "x"}


def test_what_is_new_or_was_there_is_left_to_the_server() -> None:
    """It has the words for that."""
    both = {"name": "NEW", "value": "1", "valueFrom": FROM}
    TemplateChange((MergePatch(container(env=[both])),)).applied(TEMPLATE, "deployment")
    TemplateChange((MergePatch(container(image="web:2")),)).applied(TEMPLATE, "deployment")
