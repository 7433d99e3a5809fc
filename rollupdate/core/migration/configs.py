"""What of a DeploymentConfig goes along to a Deployment, and what has no counterpart there. Pure.

The pod template, the selector and the history are the controllers' (``core.model.config``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rollupdate.core.changes.target import LAST_APPLIED
from rollupdate.core.migration import manifests
from rollupdate.core.model import record
from rollupdate.core.model.config import Config, encoded_template
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.template import containers, init_containers
from rollupdate.counts import counted
from rollupdate.objects import CONFIG, Json

TRIGGERS = "image.openshift.io/triggers"
"""On a Deployment: which images follow which image streams, for OpenShift's image trigger controller."""
KEEPS_ALL = 2**31 - 1
"""``revisionHistoryLimit`` where no revision is ever to go."""
_AMOUNT, _DEADLINE, _PERIOD, _ACTIVE = "25%", 600, 1, 21600
"""What a DeploymentConfig has where nothing is said."""
_OF_DEPLOYER = ("resources", "labels", "annotations")


def spec_of(config: Config, asked: Mapping[str, Any]) -> Json:
    """Fields of the Deployment: strategy, deadline, limit, ``minReadySeconds``. ``asked``: those of them that
    take the place of what the DeploymentConfig says."""
    spec, parameters = config.raw["spec"], config.parameters
    seconds = asked.get("minReadySeconds", spec.get("minReadySeconds")) or 0
    deadline = _said(parameters.get("timeoutSeconds"), _DEADLINE)
    limit = spec.get("revisionHistoryLimit")
    return {
        "progressDeadlineSeconds": max(deadline, seconds + 1),
        "revisionHistoryLimit": KEEPS_ALL if limit is None else limit,
        **({"minReadySeconds": seconds} if seconds else {}),
        **asked,
        "strategy": _strategy(config, asked.get("strategy")),
    }


def _strategy(config: Config, asked: Json | None) -> Json:
    """One amount may be asked for alone: the other one is still that of the DeploymentConfig."""
    if config.strategy.get("type") == "Recreate":
        return {"type": "Recreate"} if asked is None else asked
    given = {} if asked is None else asked["rollingUpdate"]
    found = {
        key: _said(given.get(key), _said(config.parameters.get(key), _AMOUNT))
        for key in ("maxSurge", "maxUnavailable")
    }
    if all(map(_is_none, found.values())):  # a Deployment could not roll
        found["maxSurge" if "maxUnavailable" in given else "maxUnavailable"] = 1
    return {"type": "RollingUpdate", "rollingUpdate": found}


def metadata_of(config: Config, controller: Controller) -> Json:
    """Labels, annotations, owners and finalizers of the Deployment, with the image triggers. ``controller``:
    the one with the pods."""
    found = manifests.carried(config.raw["metadata"], but="")
    triggers = list(_triggers(config, controller))
    if triggers:
        text = json.dumps(triggers, separators=(",", ":"))
        found["annotations"] = {**(found.get("annotations") or {}), TRIGGERS: text}
    return found


def manifest_of(config: Config) -> Json:
    """As it is, less what is the server's and ours."""
    meta = config.raw["metadata"]
    kept = {key: meta[key] for key in ("name", "namespace", "labels", "annotations") if meta.get(key)}
    left_out = {*record.KEYS, *record.LASTING, LAST_APPLIED}
    if "annotations" in kept:
        annotations = {key: text for key, text in kept.pop("annotations").items() if key not in left_out}
        kept |= {"annotations": annotations} if annotations else {}
    return {
        "apiVersion": CONFIG.version,
        "kind": CONFIG.name,
        "metadata": kept,
        "spec": dict(config.raw["spec"]),
    }


def left_behind(config: Config, controller: Controller) -> tuple[str, ...]:
    """What has no counterpart, or comes to be otherwise: a sentence each. ``controller``: with the pods."""
    return tuple(_left(config, controller))


def edited_since(config: Config, last: Controller) -> bool:
    """Whether it will roll out a change once it is not paused. ``last``: of its last rollout."""
    if config.triggers("ConfigChange") and encoded_template(last) not in (None, config.template):
        return True
    return any(
        parameters.get("automatic")
        and parameters.get("lastTriggeredImage")
        and not _runs(last, container, parameters)
        for container, parameters in _followed(config)
    )


def _left(config: Config, controller: Controller) -> Iterator[str]:
    nothing = [
        *(
            key
            for key in ("intervalSeconds", "updatePeriodSeconds")
            if _said(config.parameters.get(key), _PERIOD) != _PERIOD
        ),
        *(
            ["activeDeadlineSeconds"]
            if _said(config.strategy.get("activeDeadlineSeconds"), _ACTIVE) != _ACTIVE
            else []
        ),
        *(f"the deployer's {key}" for key in _OF_DEPLOYER if config.strategy.get(key)),
    ]
    if nothing:
        yield f"a Deployment has nothing like {', '.join(nothing)}"
    if not config.triggers("ConfigChange"):
        yield "it has no ConfigChange trigger, but a Deployment rolls out each change of its pod template"
    for container, parameters in _followed(config):
        if parameters.get("automatic") and not _runs(controller, container, parameters):
            name = parameters["from"].get("name")
            yield (
                f"container {container} does not run the image that its trigger has seen last in {name}: "
                "the trigger of the Deployment is paused, or it would roll out at once"
            )
    if encoded_template(controller) not in (None, config.template):
        yield "its pod template is not the one that its pods run: the Deployment gets theirs"
    if config.paused:
        yield "it is paused, and the Deployment will not be"
        if config.replicas != controller.replicas:
            yield (
                f"it wants {counted(config.replicas, 'pod')}, and has {controller.replicas} as it is paused: "
                "the Deployment gets the size that it wants"
            )


def _triggers(config: Config, controller: Controller) -> Iterator[Json]:
    started = {str(one.get("name")) for one in init_containers(controller.template)}
    for container, parameters in _followed(config):
        source = parameters["from"]
        field = "initContainers" if container in started else "containers"
        paused = not parameters.get("automatic") or not _runs(controller, container, parameters)
        yield {
            "from": {key: source[key] for key in ("kind", "name", "namespace") if source.get(key)},
            "fieldPath": f'spec.template.spec.{field}[?(@.name=="{container}")].image',
            **({"paused": True} if paused else {}),
        }


def _followed(config: Config) -> Iterator[tuple[str, Json]]:
    """Each container with a trigger that sets its image, and what that says; ``from`` is there."""
    for trigger in config.triggers("ImageChange"):
        parameters = trigger.get("imageChangeParams")
        if isinstance(parameters, dict) and isinstance(parameters.get("from"), dict):
            for container in parameters.get("containerNames") or ():
                yield str(container), parameters


def _runs(controller: Controller, container: str, parameters: Json) -> bool:
    """Whether the container runs what the trigger has seen last."""
    last = parameters.get("lastTriggeredImage")
    every = [*containers(controller.template), *init_containers(controller.template)]
    return any(one.get("name") == container and one.get("image") == last for one in every)


def _said(value: Any, default: Any) -> Any:
    return default if value is None else value


def _is_none(amount: Any) -> bool:
    return str(amount).rstrip("%") == "0"
