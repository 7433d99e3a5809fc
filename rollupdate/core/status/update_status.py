"""What is in progress for one controller, read from the cluster alone, by whoever may read. Pure.

Floor and ceiling are not part of it: they belong to the command that updates, and nothing of them is written
down. Nor can be seen whether that command still runs; when it has last written anything can.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rollupdate.advice import RollBack
from rollupdate.core.diagnosis.summary import NOTHING_KNOWN, Diagnosis
from rollupdate.core.model.controller import Controller, with_pods_of
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.formats import refuse_newer
from rollupdate.core.model.leaving import deleted
from rollupdate.core.model.migration import Migration
from rollupdate.core.model.rollout import (
    Rollout,
    Sizes,
    as_it_ran,
    find_successors,
    intended_size,
    is_successor_of,
    size_before,
)
from rollupdate.core.model.running import NOT_LOOKED, Running
from rollupdate.core.model.template import is_temporary_name
from rollupdate.core.model.written import last_write, written
from rollupdate.core.phases import finish, waiting
from rollupdate.core.plan.refusals import not_found
from rollupdate.core.status.progress import counts, phase, pods
from rollupdate.events import SCALING, TRANSFERRING, Pods
from rollupdate.objects import CONTROLLER, DEPLOYMENT, Json


@dataclass(frozen=True)
class UpdateStatus:
    """One controller and the update of it. Where nothing is in progress, only its pods are told."""

    name: str
    """The controller that is updated; the one asked for may be the new one of that update."""
    pods: tuple[Pods, ...]
    images: tuple[tuple[str, tuple[str, ...]], ...]
    """Of each controller: its name, and the images of its template."""
    in_progress: bool = False
    phase: str | None = None
    rollback: bool = False
    original: int = 0
    """Pods before the update."""
    target: int = 0
    """Pods in the end."""
    paused: int | None = None
    """The number of new pods at which it was paused."""
    started_by: str | None = None
    """Who began it, as that client has called its user; where it has not, the manager of the fields."""
    started_at: str | None = None
    """RFC 3339, as the server wrote it."""
    last_write: str | None = None
    """When one of these commands last wrote to one of the controllers; None where the server does not say."""
    waiting: str = ""
    waiting_for: Controller | None = None
    """The controller whose pods are waited for."""
    note: str = ""
    """What a user is to know of how the pods change owners."""
    not_moved: str | None = None
    """Why they are released and adopted."""
    migration: Migration | None = None
    """Its pods go to a Deployment, or come from one."""
    leaving: Controller | None = None
    """It is being deleted meanwhile, so nothing goes back to it."""
    moved_to: str = ""
    """KIND/NAME of what has its pods by now: a Deployment, or a controller to which they have gone on."""
    back: RollBack | None = None
    """What rolls it back; None if nothing can."""
    running: Running = NOT_LOOKED
    """What the pods run, if nothing is in progress and it is known."""


def update_status(
    name: str, controllers: Mapping[str, Controller], diagnosis: Diagnosis = NOTHING_KNOWN
) -> UpdateStatus:
    """``controllers``: all of the namespace, by name; ``diagnosis``: of :attr:`UpdateStatus.waiting_for`.

    Raises ApiError (404) if there is neither such a controller nor an update of one, RefusedError if that
    update is of a format that is not known: its sizes and its direction may be others than they seem.
    """
    refuse_newer(name, controllers)
    named = controllers.get(name)
    if named is None:
        return _without_original(name, controllers)
    if named.record.migration is not None:
        return _migrating(named, named.record.migration)
    original = _source(named, controllers)
    linked = find_successors(original, controllers.values())
    current = [new for new in linked if new.record.superseded_by is None]
    successor = current[0] if current else None
    earlier = [new for new in linked if new is not successor]
    if successor is None and not earlier and original.record.empty:
        return UpdateStatus(
            name=original.name,
            pods=counts(original, None, (), rollback=False, failing=0),
            images=_images(original),
            original=original.replicas,
            target=original.replicas,
            moved_to=_moved_to(original, controllers.values()),
        )
    back = successor is not None and Rollout(original, successor).rolling_back
    if successor is not None:
        sizes = Rollout(original, successor).sizes
    else:
        size = size_before(original, earlier) if earlier else intended_size(original)
        sizes = Sizes(size, size)
    awaited, waiting_for = _awaited(original, successor, earlier, back=back)
    begun = successor or (earlier[0] if earlier else None)
    by, at = (None, None) if begun is None else _begun(begun)
    return UpdateStatus(
        name=original.name,
        pods=counts(
            original,
            successor,
            earlier,
            rollback=back,
            failing=sum(count for _, count in diagnosis.causes),
        ),
        images=_images(original, *earlier, *([successor] if successor else [])),
        in_progress=True,
        phase=phase(original, successor),
        rollback=back,
        original=sizes.original,
        target=sizes.original if back else sizes.desired,
        paused=successor.record.paused if successor is not None and not back else None,
        started_by=by,
        started_at=at,
        last_write=last_write((original, *linked)),
        waiting=awaited,
        waiting_for=waiting_for,
        note=_note(original, successor) or _edited(original, successor),
        not_moved=None if successor is None else successor.record.not_moved,
        back=_back(original, successor),
    )


def _migrating(controller: Controller, migration: Migration) -> UpdateStatus:
    return UpdateStatus(
        name=controller.name,
        pods=counts(controller, None, (), rollback=False, failing=0),
        images=_images(controller),
        in_progress=True,
        phase=TRANSFERRING,
        rollback=migration.undone,
        original=controller.replicas,
        target=controller.replicas,
        last_write=last_write((controller,)),
        note=deleted(controller) if controller.deleting else unreplaced((controller,)),
        migration=migration,
        leaving=controller if controller.deleting else None,
    )


def migrated(seen: UpdateStatus, deployment: Deployment) -> UpdateStatus | None:
    """What there is to say of a controller that is gone, once it was ``seen`` on its way to ``deployment``;
    None if that one has not got its pods."""
    source = (deployment.migrated_from or "").rpartition(":")[0]
    if seen.migration is None or not seen.migration.upwards or source != seen.name:
        return None
    size, there = deployment.replicas, f"{DEPLOYMENT.word}/{deployment.name}"
    return UpdateStatus(seen.name, (), (), original=size, target=size, moved_to=there)


def _moved_to(original: Controller, controllers: Iterable[Controller]) -> str:
    there = with_pods_of(original, controllers)
    if there is not None:
        return f"{CONTROLLER.word}/{there.name}"
    return f"{DEPLOYMENT.word}/{original.migrated_to}" if original.migrated_to else ""


def _back(original: Controller, successor: Controller | None) -> RollBack | None:
    if not original.deleting:
        return RollBack(original.name)
    if successor is not None and successor.record.empty:
        return RollBack(successor.name, 0)  # it is complete but for that
    return None


def _note(*controllers: Controller | None) -> str:
    present = [controller for controller in controllers if controller is not None]
    note = unreplaced(present)
    why = next((found.record.not_moved for found in present if found.record.not_moved is not None), None)
    return (
        note if note or why is None else f"the pods are released and adopted, as they cannot be moved: {why}"
    )


def _edited(original: Controller, successor: Controller | None) -> str:
    if successor is None:
        return ""
    rollout = Rollout(original, successor)
    if rollout.old_edited:
        return f"the template of {original.name} was edited during the update; a rollback restores it"
    if rollout.new_edited:
        return f"the template of {successor.name} was edited during the update; roll back, then update again"
    return ""


def unreplaced(controllers: Iterable[Controller]) -> str:
    """What follows from a hold, if one of ``controllers`` is held; else empty."""
    if not any(controller.held and controller.current for controller in controllers):
        return ""
    return "a pod that dies is not replaced until the update is resumed or rolled back"


def _source(named: Controller, controllers: Mapping[str, Controller]) -> Controller:
    """The controller that an update is of, where ``named`` is the new one of it."""
    for controller in controllers.values():
        both = is_successor_of(controller, named) and named.record.original is not None
        if controller.uid != named.uid and is_successor_of(named, controller) and not both:
            return controller
    return named


def _without_original(name: str, controllers: Mapping[str, Controller]) -> UpdateStatus:
    """The controller is gone, and the new one of an update of it is not."""
    for controller in controllers.values():
        source = (controller.record.source_id or "").rpartition(":")[0]
        if source == name or (not source and is_temporary_name(controller.name, name)):
            desired = controller.record.desired
            by, at = _begun(controller)
            awaited, waiting_for = _awaited(None, controller, (), back=False)
            return UpdateStatus(
                name=name,
                pods=(pods(controller, "new"),),
                images=_images(controller),
                in_progress=True,
                phase=SCALING,
                target=controller.replicas
                if desired is None
                else max(0, desired + controller.record.scaled_by),
                started_by=by,
                started_at=at,
                last_write=last_write((controller,)),
                waiting=awaited,
                waiting_for=waiting_for,
                note=_note(controller),
                not_moved=controller.record.not_moved,
            )
    raise not_found(name)


def _awaited(
    original: Controller | None,
    successor: Controller | None,
    earlier: tuple[Controller, ...] | list[Controller],
    *,
    back: bool,
) -> tuple[str, Controller | None]:
    deletion = waiting.being_deleted(found for found in (original, successor, *earlier) if found is not None)
    if deletion is not None:
        return deletion.reason, None
    growing, shrinking = (original, successor) if back else (successor, original)
    if original is not None and successor is not None:
        rollout = Rollout(original, successor)
        awaited = finish.in_effect(rollout).awaited(rollout)
        if awaited:
            return awaited, None
    wait = waiting.pending(growing, (*earlier, *([] if shrinking is None else [shrinking])))
    return ("", None) if wait is None else (wait.reason, wait.waiting_for)


def _begun(successor: Controller) -> tuple[str | None, str | None]:
    meta = successor.raw["metadata"]
    first = min(written(successor), key=lambda write: write[1], default=(None, ""))
    created = meta.get("creationTimestamp")
    return successor.record.started_by or first[0], created if isinstance(created, str) else None


def _images(*controllers: Controller) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((controller.name, _images_of(_that_runs(controller))) for controller in controllers)


def _that_runs(controller: Controller) -> Json:
    """The template of its pods: of the old controller the one that they were found to run."""
    known = controller.record
    is_old = known.source_id is None and not controller.held
    return as_it_ran(controller.template, known.ran if is_old else None)


def _images_of(template: Mapping[str, Any]) -> tuple[str, ...]:
    containers = (template.get("spec") or {}).get("containers") or []
    return tuple(str(container.get("image", "")) for container in containers if isinstance(container, dict))
