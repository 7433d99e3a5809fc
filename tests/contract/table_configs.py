"""Requests for DeploymentConfigs, while no controller does anything for them.

They are a custom resource: the server has no types of them, only a schema.
"""

from __future__ import annotations

from typing import Any

from testing.objects import Json
from testing.openshift import names
from tests.contract.case import (
    CONFIGS,
    NOTHING,
    Case,
    at,
    case,
    controller,
    delete,
    get,
    json_patch,
    merge,
    op,
    post,
    put,
    strategic,
)
from tests.contract.wire import Ask

_WEB, _STATUS, _SCALE = f"{CONFIGS}/web", f"{CONFIGS}/web/status", f"{CONFIGS}/web/scale"
_NOBODY = "00000000-0000-0000-0000-000000000000"


def _config(name: str = "web", *, metadata: Json | None = None, **spec: Any) -> Json:
    template = controller()["spec"]["template"]
    return {
        "apiVersion": names.VERSION,
        "kind": names.KIND,
        "metadata": {"name": name, **(metadata or {})},
        "spec": {"replicas": 2, "selector": {"app": "web"}, "template": template, **spec},
    }


def _created(name: str, body: Any) -> Case:
    return case(f"create a config: {name}", NOTHING, post(CONFIGS, body), get(_WEB))


def _merged(name: str, body: Any) -> Case:
    return case(f"patch a config: {name}", _config(), merge(_WEB, body), get(_WEB))


def _put(name: str, path: str, value: Any) -> Case:
    return case(f"put a config: {name}", _config(), put(_WEB, at(path, value)), get(_WEB))


def _as_seen(config: Json) -> list[Json]:
    version = config["metadata"]["resourceVersion"]
    return [op("test", "/metadata/resourceVersion", version), op("add", "/spec/paused", True)]


CASES = (
    # Creating, with what is filled in
    _created("as it is", _config()),
    _created("without triggers", _config(triggers=None)),
    _created("with no triggers", _config(triggers=[])),
    _created("without a size", {**_config(), "spec": {"template": {}}}),
    _created("without a spec", {field: value for field, value in _config().items() if field != "spec"}),
    _created("with a status", {**_config(), "status": {"latestVersion": 7}}),
    _created("a strategy", _config(strategy={"type": "Rolling", "rollingParams": {"maxSurge": 1}})),
    _created("Recreate", _config(strategy={"type": "Recreate", "recreateParams": {}})),
    _created("a null strategy", _config(strategy=None)),
    _created("null in it", _config(strategy={"type": None, "rollingParams": None}, paused=None)),
    _created("a size below 0", _config(replicas=-1)),
    _created("a size of text", _config(replicas="2")),
    _created("paused, in text", _config(paused="true")),
    _created("triggers of an object", _config(triggers={})),
    _created("unknown fields", _config(unknown={"a": [1]})),
    _created("labels and annotations", _config(metadata={"labels": {"a": "b"}, "annotations": {"c": "d"}})),
    _created("without a name", _config("")),
    _created("a bad name", _config("Web")),
    _created("a bad label", _config(metadata={"labels": {"a": "b c"}})),
    _created("of another version", {**_config(), "apiVersion": "v1"}),
    case("create a config twice", _config(), post(CONFIGS, _config())),
    case("create a config: dry run", NOTHING, post(CONFIGS, _config(), dryRun="All"), get(_WEB)),
    # Reading
    case("get a config that is not there", NOTHING, get(_WEB)),
    case("list configs", (_config(), _config("other")), get(CONFIGS)),
    case("list configs: none", NOTHING, get(CONFIGS)),
    case(
        "list configs: by a label",
        (_config(metadata={"labels": {"a": "b"}}), _config("other")),
        get(CONFIGS, labelSelector="a=b"),
    ),
    case("get a config from the core", NOTHING, get(f"/api/v1/namespaces/default/{_WEB}")),
    # Changing
    _merged("paused", {"spec": {"paused": True}}),
    _merged("a size", {"spec": {"replicas": 0}}),
    _merged("nothing", {}),
    _merged("an annotation", {"metadata": {"annotations": {"a": "b"}}}),
    _merged("a status", {"status": {"latestVersion": 7}}),
    _merged("no triggers", {"spec": {"triggers": []}}),
    _merged("null triggers", {"spec": {"triggers": None}}),
    _merged("a size below 0", {"spec": {"replicas": -1}}),
    _merged("of another uid", {"metadata": {"uid": _NOBODY}, "spec": {"replicas": 0}}),
    _merged("of an old version", {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 0}}),
    _merged("another name", {"metadata": {"name": "other"}}),
    case("patch a config that is not there", NOTHING, merge(_WEB, {"spec": {"paused": True}})),
    case("patch a config: strategically", _config(), strategic(_WEB, {"spec": {"paused": True}})),
    case(
        "patch a config: as it was seen",
        _config(),
        Ask("PATCH", _WEB, _as_seen, None, "application/json-patch+json"),
        get(_WEB),
    ),
    case(
        "patch a config: as it was not",
        _config(),
        json_patch(_WEB, op("test", "/metadata/resourceVersion", "1"), op("add", "/spec/paused", True)),
        get(_WEB),
    ),
    case(
        "patch a config: operations",
        _config(metadata={"annotations": {"a/b": "c"}}),
        json_patch(
            _WEB,
            op("test", "/spec/replicas", 2),
            op("replace", "/spec/replicas", 0),
            op("add", "/spec/paused", True),
            op("remove", "/metadata/annotations/a~1b"),
        ),
        get(_WEB),
    ),
    case(
        "patch a config: dry run",
        _config(),
        merge(_WEB, {"spec": {"paused": True}}, dryRun="All"),
        get(_WEB),
    ),
    _put("a size", "spec.replicas", 3),
    _put("no version", "metadata.resourceVersion", None),
    _put("an old version", "metadata.resourceVersion", "1"),
    _put("another uid", "metadata.uid", _NOBODY),
    _put("a status", "status", {"latestVersion": 7}),
    # The status, and the scale
    case(
        "status of a config: put",
        _config(),
        put(_STATUS, at("status", {"latestVersion": 1, "replicas": 2})),
        get(_WEB),
    ),
    case(
        "status of a config: patch",
        _config(),
        merge(_STATUS, {"status": {"latestVersion": 1}, "spec": {"replicas": 0}}),
        get(_WEB),
    ),
    case(
        "status of a config: labels with it",
        _config(),
        merge(_STATUS, {"status": {"latestVersion": 1}, "metadata": {"labels": {"a": "b"}}}),
        get(_STATUS),
    ),
    case("scale of a config: get", _config(), get(_SCALE)),
    case("scale of a config: of none", NOTHING, get(_SCALE)),
    case("scale of a config: patch", _config(), merge(_SCALE, {"spec": {"replicas": 5}}), get(_WEB)),
    case("scale of a config: to 0", _config(), merge(_SCALE, {"spec": {"replicas": 0}}), get(_SCALE)),
    case("scale of a config: below 0", _config(), merge(_SCALE, {"spec": {"replicas": -1}}), get(_WEB)),
    case(
        "scale of a config: counted",
        _config(),
        merge(_STATUS, {"status": {"replicas": 2}}),
        get(_SCALE),
    ),
    case("scale of a config: that is not there", NOTHING, merge(_SCALE, {"spec": {"replicas": 5}})),
    # Deleting
    case("delete a config", _config(), delete(_WEB), get(_WEB)),
    case("delete a config that is not there", NOTHING, delete(_WEB)),
    case(
        "delete a config: of another uid",
        _config(),
        delete(_WEB, {"preconditions": {"uid": _NOBODY}}),
        get(_WEB),
    ),
    case(
        "delete a config: with a finalizer",
        _config(metadata={"finalizers": ["a.b/c"]}),
        delete(_WEB),
        get(_WEB),
        merge(_WEB, {"metadata": {"finalizers": None}}),
        get(_WEB),
    ),
    case("delete a config: dry run", _config(), delete(_WEB, {"dryRun": ["All"]}), get(_WEB)),
    # Watching
    case(
        "watch configs",
        NOTHING,
        get(CONFIGS),
        post(CONFIGS, _config()),
        merge(_WEB, {"spec": {"paused": True}}),
        delete(_WEB),
        Ask(
            "GET",
            CONFIGS,
            None,
            lambda before: {
                "watch": "1",
                "timeoutSeconds": "1",
                "resourceVersion": before[0].body["metadata"]["resourceVersion"],
            },
        ),
    ),
)
