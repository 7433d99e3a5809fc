"""Why a migration from or to a DeploymentConfig is not begun: each with the way out. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rollupdate.advice import Advice, Again, Kubectl, Oc, PatchObject, Resume, Setting
from rollupdate.core.model import record
from rollupdate.core.model.config import COMPLETE, FAILED, Config, Origin, active, phase_of, version_of
from rollupdate.core.model.controller import Controller, owner_reference
from rollupdate.counts import whole
from rollupdate.errors import ApiError, RefusedError
from rollupdate.objects import CONFIG, DEPLOYMENT, Json

_NOTHING = "nothing was changed"
_HOOKS = ("pre", "mid", "post")


def not_found(name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{CONFIG.plural}.{CONFIG.group} "{name}" not found')


def no_such_kind() -> RefusedError:
    return RefusedError(f"the cluster knows no DeploymentConfigs, so it is no OpenShift; {_NOTHING}")


def refuse_strategy(config: Config) -> None:
    """Hooks and custom strategies run pods of their own, which a Deployment does not."""
    kind = config.strategy.get("type")
    if kind == "Custom":
        raise _without_counterpart(
            config, "a custom strategy", {"strategy": {"type": "Rolling", "customParams": None}}
        )
    hooks = [hook for hook in _HOOKS if config.parameters.get(hook)]
    if hooks:
        listed = " and ".join(f"a {hook} hook" for hook in hooks)
        field = "recreateParams" if kind == "Recreate" else "rollingParams"
        raise _without_counterpart(config, listed, {"strategy": {field: dict.fromkeys(hooks)}})
    if config.raw["spec"].get("test"):
        raise _without_counterpart(config, "test: true", {"test": False})


def _without_counterpart(config: Config, what: str, spec: Json) -> RefusedError:
    patch = json.dumps({"spec": spec}, separators=(",", ":"))
    return RefusedError(
        f'{CONFIG.word} "{config.name}" has {what}, and a Deployment has nothing like it; {_NOTHING}',
        hint=Advice(
            "take it off, then run the command again: ", PatchObject(CONFIG.word, config.name, patch)
        ),
    )


def refuse_rolling_out(config: Config, rollouts: Sequence[Controller]) -> None:
    """``rollouts``: its controllers, by version."""
    version, unfinished = _in_progress(config, rollouts)
    if not version:
        return
    wait, cancel = (Oc(("rollout", verb, f"dc/{config.name}")) for verb in ("status", "cancel"))
    on = _let_go_on(config)
    advice = Advice("wait for it, then run the command again: ", wait, "\nor cancel it: ", cancel)
    if config.paused and unfinished:  # one that is paused is not cancelled
        advice = Advice("wait for it, then run the command again: ", wait, "\nor: ", on, "\nand: ", cancel)
    elif config.paused:  # and nobody makes the controller of this rollout
        advice = Advice("it is paused; let it go on: ", on, "\nthen wait, and run the command again: ", wait)
    raise RefusedError(
        f'rollout {version} of {CONFIG.word} "{config.name}" is in progress; {_NOTHING}', hint=advice
    )


def _in_progress(config: Config, rollouts: Sequence[Controller]) -> tuple[int, bool]:
    """The version of the rollout in progress, 0 if none is; and whether it has a controller already."""
    last = rollouts[-1] if rollouts else None
    known = -1 if last is None else version_of(last)
    unfinished = last is not None and phase_of(last) not in (COMPLETE, FAILED)
    if not unfinished and (config.latest_version <= known or not config.latest_version):
        return 0, False
    return max(config.latest_version, known), unfinished


def seen_of(config: Config, rollouts: Sequence[Controller]) -> Controller:
    """The controller with the pods, for those who only look. Raises RefusedError if no rollout was ever
    complete."""
    found = active(one for one in rollouts if _is_of(one, config))
    if found is not None:
        return found
    version, _ = _in_progress(config, rollouts)
    if version:
        raise RefusedError(
            f'rollout {version} of {CONFIG.word} "{config.name}" is in progress, none was complete before',
            hint=Advice("to wait for it: ", Oc(("rollout", "status", f"dc/{config.name}"))),
        )
    raise RefusedError(
        f'no rollout of {CONFIG.word} "{config.name}" is complete, so it has no pods',
        hint=Advice("its rollouts: ", Oc(("rollout", "history", f"dc/{config.name}"))),
    )


def active_of(config: Config, rollouts: Sequence[Controller], *, back: bool = False) -> Controller:
    """The controller with the pods; on the way ``back`` the one that gets them. Raises RefusedError if no
    rollout was ever complete."""
    found = active(one for one in rollouts if _is_of(one, config))
    if found is not None:
        return found
    text = f'no rollout of {CONFIG.word} "{config.name}" is complete'
    begin = Oc(("rollout", "latest", f"dc/{config.name}"))
    if not (config.paused or back):
        raise RefusedError(
            f"{text}, so it has no pods to move; {_NOTHING}",
            hint=Advice("begin one, and wait for it: ", begin),
        )
    # While it is paused none is begun. The first one begins of itself, if it is to follow changes.
    begins = config.triggers("ConfigChange") and not config.latest_version
    then = () if begins else ("\nthen begin a rollout, and wait for it: ", begin)
    if back:
        on = _let_go_on(config, 0)
        raise RefusedError(
            f"{text}, so it has no controller that could get the pods; {_NOTHING}",
            hint=Advice("let it roll out without pods, then run the command again: ", on, *then),
        )
    raise RefusedError(
        f"{text}, so it has no pods to move; {_NOTHING}",
        hint=Advice(
            "it is paused; let it go on, and wait for its rollout: ",
            _let_go_on(config),
            *then,
        ),
    )


def refuse_lost(config: Config, controller: Controller, gone: str) -> None:
    """The Deployment ``gone`` had the pods, and was deleted with them. Raises RefusedError."""
    size = (controller.raw["metadata"].get("annotations") or {}).get(record.DESIRED_REPLICAS)
    again: tuple[str | PatchObject, ...] = ()
    if config.paused or not config.replicas:
        again = ("to have some again: ", _let_go_on(config, whole(size) or 1), "\n")
    raise RefusedError(
        f'{DEPLOYMENT.word} "{gone}" had the pods of {CONFIG.word} "{config.name}", and is gone; {_NOTHING}',
        hint=Advice(
            *again,
            "before another move, begin a rollout, and wait for it: ",
            Oc(("rollout", "latest", f"dc/{config.name}")),
        ),
    )


def _let_go_on(config: Config, replicas: int | None = None) -> PatchObject:
    """It is no longer paused, and has that size, if one is given."""
    spec = {"paused": False, **({} if replicas is None else {"replicas": replicas})}
    return PatchObject(CONFIG.word, config.name, json.dumps({"spec": spec}, separators=(",", ":")))


def _is_of(controller: Controller, config: Config) -> bool:
    """It owns it, or will adopt it."""
    reference = owner_reference(controller)
    return reference is None or reference.get("uid") == config.uid


def from_no_config(deployment: str) -> RefusedError:
    return RefusedError(
        f'the pods of {DEPLOYMENT.word} "{deployment}" have come from no DeploymentConfig; {_NOTHING}',
        hint=Advice("to move them to a ReplicationController: ", Again(Setting.TO, "replicationcontroller")),
    )


def from_config(deployment: str, config: str) -> RefusedError:
    """The inverse."""
    back = (f"{DEPLOYMENT.word}/{deployment}", f"{Setting.TO}={CONFIG.word}")
    return RefusedError(
        f'the pods of {DEPLOYMENT.word} "{deployment}" have come from {CONFIG.word} "{config}", which could '
        f"not get them back from another controller; {_NOTHING}",
        hint=Advice(
            "to move them back to it: ",
            Resume(back),
            "\nor, if it is not wanted any more, delete it and run the command again: ",
            Kubectl(("delete", f"{CONFIG.qualified}/{config}")),
        ),
    )


def gone(origin: Origin) -> RefusedError:
    """There is nothing that the pods could go back to."""
    text = f'{CONFIG.word} "{origin.name}" is gone; {_NOTHING}'
    if origin.manifest is None:
        return RefusedError(
            text, hint="create it again, paused, from its file; its manifest was too long to be kept"
        )
    return RefusedError(
        text,
        hint=Advice(
            "its manifest as it was, to be created again (paused, so that it makes no pods): ",
            Again(Setting.DRY_RUN, "client", ((Setting.OUTPUT, "yaml"),)),
        ),
    )
