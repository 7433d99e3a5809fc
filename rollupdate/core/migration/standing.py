"""What a migration does to the DeploymentConfig around the controller: it stands still, and is given back.

These rules are part of both ladders (``climbing``, ``descending``). Paused, its controller leaves all sizes
alone; told to have no pods as well, it makes none even if another client unpauses it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rollupdate.advice import ORPHANING, Advice, Kubectl
from rollupdate.core.migration import writes
from rollupdate.core.migration.common import arranged, epoch_of, give_up, held_again, write
from rollupdate.core.migration.scene import Place, size_of
from rollupdate.core.model import record
from rollupdate.core.model.belonging import OWNERS
from rollupdate.core.model.config import LABEL, LABEL_OF_CONFIG, Config, encoded_template
from rollupdate.core.model.template import template_hash, with_label, without_label
from rollupdate.core.phases.holding import MOST_HOLDS
from rollupdate.core.phases.steps import Step, Stop, Wait
from rollupdate.errors import StoppedError
from rollupdate.objects import CONFIG, Json


def pause_config(place: Place) -> Step | None:
    """The first write that changes what anybody does, and again where another client takes the pause off.
    None once its controller has observed it: from then on that begins no rollout and scales nothing."""
    known, config = place.migration.config, place.config
    if known is None or (_is_home(place) and not place.migration.upwards):
        return None
    if config is None:  # deleted by another client: the controller is nobody's
        return None if place.scene.config is None else _another(place)
    if place.session.closing and not config.stopped:
        return None
    if not config.paused or not config.stopped:
        if place.session.holds >= MOST_HOLDS:
            return give_up(place, f"{CONFIG.word}/{config.name} is unpaused again and again")
        after = writes.stopped(config, place.marks)
        if place.emptied and not config.stopped:  # it has no pods by now: a size is for what has them
            after = writes.marked(after, {record.SCALED_TO: config.replicas})
        return write(config.raw, after, arranged("paused", config.raw))
    if not config.observed:
        return Wait(reason=f"{config.name} is to observe that it is paused")
    began = config.latest_version > known.version and not (config.emptied or place.emptied)
    if began and place.migration.upwards:
        return give_up(place, f"another client began a rollout of {CONFIG.word}/{config.name} meanwhile")
    return None


def empty_config(place: Place) -> Step | None:
    """Its size is the last that counts: it is paused, so one that another client has set meanwhile has not
    come to the controller. It goes along."""
    config, replica_set = place.config, place.replica_set
    if config is None or config.emptied or place.emptied:
        return None
    assert replica_set is not None, "it has the pods"
    if replica_set.replicas != config.replicas:
        return write(replica_set.raw, writes.resized(replica_set.raw, config.replicas))
    return write(config.raw, writes.told_no_pods(config), arranged("stopped", config.raw))


def fill_config(place: Place) -> Step | None:
    """Before its controller gets pods again it has its size, or whoever unpauses it would have them deleted.
    The controller follows it."""
    config, controller, replica_set = place.config, place.controller, place.replica_set
    if config is None or place.emptied or not controller.held:
        return None
    if config.emptied:
        size = controller.replicas if replica_set is None else size_of(replica_set)
        return write(config.raw, writes.told_pods(config, config.replicas or size))
    if controller.replicas != config.replicas:
        return held_again(place, controller, config.replicas)
    return None


def restore_config(place: Place) -> Step | None:
    """It scales and rolls out again. No rollout of its own begins: what it is compared with has the pod
    template that the pods run."""
    known, config = place.migration.config, place.config
    if known is None or config is None:
        return None
    if config.stopped:
        step = _retemplated(place, config) if known.edited else None
        if step is not None:
            return step
        size = place.controller.replicas if config.emptied and not config.replicas else config.replicas
        origin = None if place.migration.to_deployment else place.migration.name
        after = writes.restored(config, size=size, paused=known.was_paused, origin=origin)
        return replace(write(config.raw, after, arranged("restored", config.raw)), closing=True)
    if epoch_of(config.raw):
        return replace(write(config.raw, writes.unmarked(config.raw)), closing=True)
    if not config.observed and config.latest_version == known.version:
        return Wait(reason=f"{config.name} is to observe its size")
    return None


def _retemplated(place: Place, config: Config) -> Step | None:
    """None once it has the controller's pod template, and the copies of it are that one: of the controller
    with the pods, and of the last, which may have failed. Without a copy nothing is compared: so they go
    first."""
    own = (config.template.get("metadata") or {}).get("labels") or {}
    template = place.template
    for key in (LABEL, LABEL_OF_CONFIG):  # its deployer sets both, also over labels that it has itself
        template = with_label(template, key, own[key]) if key in own else without_label(template, key)
    digest = template_hash(template, "")
    last = [one for one in place.scene.rollouts[-1:] if one.uid != place.controller.uid]
    compared = [place.controller, *last]
    if config.annotations.get(record.TEMPLATE_HASH) != digest:
        for one in compared:
            if encoded_template(one) is not None:
                return write(one.raw, writes.uncompared(one, template, config.name))
        after = writes.retemplated(config, template, digest)
        return write(config.raw, after, arranged("updated", config.raw))
    # What another client has edited since is to be rolled out.
    known = config.template if _contains(config.template, template) else template
    for one in compared:
        if encoded_template(one) != known:
            return write(one.raw, writes.compared(one, config, known))
    return None


def _contains(found: Any, wanted: Any) -> bool:
    """Whether ``found`` says all that ``wanted`` does; a server adds defaults."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            _contains(found.get(key), part) for key, part in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(_contains, found, wanted))
    return bool(found == wanted)


def _is_home(place: Place) -> bool:
    """The controller has its pods, and nothing is left of the Deployment: only the last writes remain."""
    target = place.deployment
    gone = place.replica_set is None and (target is None or not place.is_ours(target))
    return gone and not place.emptied and not place.controller.held


def _another(place: Place) -> Stop:
    known = place.migration.config
    assert known is not None
    return Stop(
        error=StoppedError(
            f'{CONFIG.word} "{known.name}" was deleted and made again by another client',
            hint=Advice(
                "once that one is gone, leaving its controllers, run the command again: ",
                Kubectl(("delete", f"{CONFIG.word}/{known.name}", *ORPHANING)),
            ),
        )
    )


def gone_with(place: Place) -> bool:
    """Whether the controller is about to go, as what it belongs to was deleted."""
    known = place.migration.config
    owners: list[Json] = place.controller.raw["metadata"].get(OWNERS) or []
    return (
        known is not None
        and place.scene.config is None
        and any(owner.get("uid") == known.uid for owner in owners)
    )
