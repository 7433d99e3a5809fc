"""How many pods each rollout has once none is under way, and which of the old ones are forgotten."""

from __future__ import annotations

from testing.openshift import writes
from testing.openshift.seen import Config, Controller, active
from testing.openshift.steps import Delete, Replace


def step(config: Config, controllers: tuple[Controller, ...]) -> Replace | None:
    """The controller of the last complete rollout has the config's size, all others none. A config for tests
    has no pods between rollouts."""
    chosen = active(controllers)
    for controller in controllers:
        is_active = chosen is not None and controller.name == chosen.name
        size = config.replicas if is_active and not config.spec.get("test") else 0
        if controller.size != size:
            return Replace(writes.scaled(controller, size))
    return None


def forgotten(config: Config, controllers: tuple[Controller, ...]) -> Delete | None:
    """The oldest beyond the limit. One that has pods counts, but stays."""
    if config.history_limit is None:
        return None
    chosen = active(controllers)
    if chosen is None:
        old = [each for each in controllers if each.version != config.latest_version]
    else:
        old = [each for each in controllers if each.version < chosen.version]
    old.sort(key=lambda controller: controller.version)
    surplus = old[: max(len(old) - config.history_limit, 0)]
    empty = (each for each in surplus if not each.size and not each.is_being_deleted)
    return next((Delete(controller) for controller in empty), None)
