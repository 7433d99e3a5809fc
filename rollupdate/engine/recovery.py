"""A step has failed: whether it was carried out all the same is found out by looking at the cluster."""

from __future__ import annotations

from typing import Any

from rollupdate.advice import Advice
from rollupdate.core.phases.steps import Create, Effect, Evict, Patch, Step, TouchPods
from rollupdate.core.plan.guarded import WAY_OUT
from rollupdate.engine.backoff import Backoff, unreachable
from rollupdate.engine.moving import NotAllowed, refused_for_good, why
from rollupdate.engine.ports import Mirror
from rollupdate.errors import ApiError, ClusterError
from rollupdate.objects import Json


def took_effect(step: Step, error: ClusterError, names: list[str], mirror: Mirror, backoff: Backoff) -> bool:
    """True if the step turns out to have been carried out. ``names``: the controllers of the rollout.

    Raises what will not pass by itself, and what has lasted for --timeout; NotAllowed where it is a hold that
    the server refuses.
    """
    try:
        return _found(step, error, names, mirror, backoff)
    except ApiError as final:
        if isinstance(step, Patch) and Effect.HOLD in step.effect and refused_for_good(final):
            raise NotAllowed(why(final)) from final
        evicts = isinstance(step, Evict) or (isinstance(step, Patch) and Effect.EVICT in step.effect)
        if evicts and refused_for_good(final):
            if isinstance(step, Evict) and final.advice:  # of a right that is not needed without it
                final.advice = Advice(f"{final.advice}; ", *WAY_OUT.parts)
            final.advice = final.advice or WAY_OUT
        raise


def _found(step: Step, error: ClusterError, names: list[str], mirror: Mirror, backoff: Backoff) -> bool:
    backoff.handle(error)
    known = isinstance(error, ApiError) and not error.is_transient
    if isinstance(step, Patch) and not known:
        # The other one is watched as before. But if another client was quicker, what we have seen
        # of one must not be older than what we see of the other.
        names = [step.controller.name]
    present = _looked(names, mirror, backoff)
    unknown = unreachable(error)  # only then may it have taken effect
    refused = isinstance(error, ApiError) and error.is_invalid
    match step:
        case Patch(controller=controller, desired=desired):
            found = present.get(controller.uid)
            if found is None:
                return False
            if refused and found["metadata"].get("resourceVersion") == controller.resource_version:
                raise error  # no other client was there: it is the write itself that is refused
            return unknown and _holds(found, desired, controller.raw)
        case Create(manifest=manifest):
            if refused:
                raise error
            return unknown and any(_holds(found, manifest, {}) for found in present.values())
        case Evict() | TouchPods() if refused:
            raise error
    return False  # of a Delete the decision itself finds out what has become of it


def _looked(names: list[str], mirror: Mirror, backoff: Backoff) -> dict[str, Json]:
    """The controllers of those names that exist, by uid."""
    while True:
        try:
            looked = [mirror.refresh(name) for name in names]
        except ClusterError as error:
            if isinstance(error, ApiError) and not error.is_transient:
                raise
            backoff.handle(error)
        else:
            return {raw["metadata"]["uid"]: raw for raw in looked if raw is not None}


_SERVERS = {"status", "resourceVersion", "generation", "managedFields", "creationTimestamp"}


def _holds(present: Any, wanted: Any, before: Any) -> bool:
    """Whether everything that was to be written is there, and nothing that was there ``before`` and was to go
    (what the server adds may be there as well)."""
    if isinstance(wanted, dict):
        before = before if isinstance(before, dict) else {}
        return (
            isinstance(present, dict)
            and all(
                key in present and _holds(present[key], value, before.get(key))
                for key, value in wanted.items()
                if key not in _SERVERS
            )
            and not any(key in present for key in before.keys() - wanted.keys() - _SERVERS)
        )
    if isinstance(wanted, list):
        earlier = before if isinstance(before, list) and len(before) == len(wanted) else [None] * len(wanted)
        return (
            isinstance(present, list)
            and len(present) == len(wanted)
            and all(_holds(*parts) for parts in zip(present, wanted, earlier, strict=True))
        )
    return bool(present == wanted)
