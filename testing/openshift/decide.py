"""The one decision: what the controller of DeploymentConfigs, and the deployer of a rollout, do next.

No I/O and no clock. Steps come one at a time: after each, whoever carries them out looks again.
"""

from __future__ import annotations

from testing.objects import Json
from testing.openshift import claiming, deploying, rollouts, sizes, status, writes
from testing.openshift.seen import Config, Controller, Seen, latest, newest
from testing.openshift.steps import Create, Step, Tell


def decide(seen: Seen) -> Step | None:
    """The next step; None when there is nothing to do until something else happens."""
    config = seen.config
    if config.is_initial and not deploying.has_trigger(config):
        return _tell(config, status.counted(config, (), seen.now))
    if (claim := claiming.step(seen)) is not None:
        return claim
    controllers = claiming.claimed(seen)
    # Whoever carries out rollouts does not ask whether the config is paused.
    if not config.is_being_deleted and (played := rollouts.step(config, controllers)) is not None:
        return played
    if config.is_being_deleted:
        return _counted(seen, controllers)
    if config.is_paused:
        return sizes.forgotten(config, controllers) or _counted(seen, controllers)
    return _act(seen, controllers)


def _act(seen: Seen, controllers: tuple[Controller, ...]) -> Step | None:
    """Of a config that is neither paused nor being deleted."""
    config = seen.config
    last, current = newest(controllers), latest(config, controllers)
    if last is not None and last.version > config.latest_version:
        return Tell(status.announcing(config, config.latest_version + 1))
    if current is None and rollouts.is_under_way(controllers):
        return rollouts.cancelling(controllers)
    if deploying.waits_for_images(config):
        return _counted(seen, controllers)
    cause = deploying.cause(config, current)
    if cause is not None:
        return Tell(status.announcing(config, config.latest_version + 1, cause))
    if current is None:
        return Create(writes.new_controller(config), status.created(config, controllers, seen.now))
    if not current.is_terminated:
        return _counted(seen, controllers, observes=False)
    return (
        sizes.step(config, controllers) or sizes.forgotten(config, controllers) or _counted(seen, controllers)
    )


def _counted(seen: Seen, controllers: tuple[Controller, ...], *, observes: bool = True) -> Tell | None:
    return _tell(seen.config, status.counted(seen.config, controllers, seen.now, observes=observes))


def _tell(config: Config, found: Json) -> Tell | None:
    return None if found == config.status else Tell(found)
