"""Which ReplicationControllers are the config's: owners are put right before anything else is done."""

from __future__ import annotations

from testing.openshift import names, writes
from testing.openshift.seen import Config, Controller, Seen
from testing.openshift.steps import Replace


def claimed(seen: Seen) -> tuple[Controller, ...]:
    """Those that it owns and selects, by version."""
    config = seen.config
    found = (each for each in seen.controllers if each.owner == config.uid and _selects(config, each))
    return tuple(sorted(found, key=lambda controller: controller.version))


def step(seen: Seen) -> Replace | None:
    """Adopt one that has the label and no controller; release one that lost the label. Of a config that is
    being deleted neither is done."""
    config = seen.config
    if config.is_being_deleted:
        return None
    for controller in seen.controllers:
        fits = _selects(config, controller)
        if fits and not controller.owner and not controller.is_being_deleted:
            return Replace(writes.adopted(controller, config))
        if not fits and controller.owner == config.uid:
            return Replace(writes.released(controller, config))
    return None


def _selects(config: Config, controller: Controller) -> bool:
    return controller.labels.get(names.CONFIG) == config.name
