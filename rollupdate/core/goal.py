"""What a request means on this cluster: which two controllers, in which direction, with which finish.

:func:`aim` looks at the controllers of the namespace once and refuses what cannot be meant. It changes
nothing and promises nothing about what the cluster looks like later; ``decide`` looks again at each step.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from rollupdate.core import record
from rollupdate.core.controller import Controller
from rollupdate.core.edits import changed, images_only, refuse_another, refuse_unselected, runs
from rollupdate.core.formats import refuse_newer
from rollupdate.core.pair import belongs, find_successors, source_template, undo_in_progress, was_successor_of
from rollupdate.core.request import DEFAULT_LABEL_KEY, FileChange, Request, TemplateChange, UndoChange
from rollupdate.core.revision import is_temporary_name, template_hash, temporary_name, with_label
from rollupdate.core.scaling import size_before, size_meant
from rollupdate.errors import ApiError, InProgressError, NothingChangesError, RefusedError, UsageError

Json = dict[str, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""kubectl apply's memory of one object: it must not travel to an object of another name."""


_NOT_CARRIED = frozenset({*record.KEYS, LAST_APPLIED})


_SERVERS_OWN = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generateName",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
"""What a file exported from a cluster has in its metadata that is the server's to write."""


class Finish(Enum):
    """How an update ends once all new pods are available."""

    DELETE_OLD = "delete-old"
    """The old controller is deleted; the new one keeps its own name."""
    KEEP_NAME = "keep-name"
    """The pods are handed to the old controller, which becomes the new one; the temporary one is deleted."""


@dataclass(frozen=True)
class Goal:
    """One update or rollback between two controllers of one namespace."""

    original: str
    successor: str
    """May be the name of a controller that does not exist yet."""
    rollback: bool
    finish: Finish
    request: Request
    manifest: Json | None = field(default=None, repr=False)
    """The new controller to create where there is none; None for a rollback."""
    template_hash: str | None = None
    """Of the template asked for, without the deployment label."""
    resuming: bool = False
    """A new controller of this update was found on the cluster."""
    release_key: str = "deployment"
    """The label key by which the new controller lets go of its pods in the finish that keeps the name."""
    carry_metadata: bool = False
    """Labels and annotations of the new controller (from a file) are added to the old one's."""
    superseded: tuple[str, ...] = ()
    """New controllers of earlier updates that this one takes the place of: they go as well."""
    undo: record.Undo | None = None
    """The update goes to a revision of the history (and a rollback of it away from there)."""

    @property
    def undo_marks(self) -> dict[str, str | int | None]:
        return {} if self.undo is None else {**self.undo.marks}

    def size_before(self, original: Controller) -> int:
        """The old controller's size when this was aimed at: the record of an update that is still to be
        begun says the same everywhere, and what others scale from then on is noticed."""
        if self.manifest is None:
            return size_meant(original)
        return int(self.manifest["metadata"]["annotations"][record.SOURCE_REPLICAS])


def not_found(name: str) -> ApiError:
    return ApiError(404, "NotFound", f'replicationcontrollers "{name}" not found')


def aim(request: Request, controllers: Mapping[str, Controller]) -> Goal:
    """The goal of ``request`` among ``controllers`` (by name, all of the namespace).

    Raises RefusedError or UsageError in the documented words, ApiError (404) where there is no such
    controller; nothing has been written then.
    """
    refuse_newer(request.name, controllers)
    original = controllers.get(request.name)
    if original is None:
        return _aim_without_original(request, controllers)
    refuse_being_a_successor(original, controllers.values())
    linked = find_successors(original, controllers.values())
    partner = linked[0] if linked else None
    if request.rollback:
        goal = _aim_back(request, original, partner)
        return replace(goal, superseded=_all_but(goal.successor, linked))
    _refuse_another_label(request, original, partner)
    _refuse_a_label_in_use(request, original)
    if partner is not None and partner.record.superseded_by is not None:
        return _aim_anew(request, original, linked, controllers)
    try:
        goal = _aim_at_change(request, original, partner, controllers)
    except InProgressError:
        if not request.supersede:
            raise
        return _aim_anew(request, original, linked, controllers)
    return replace(goal, superseded=_all_but(goal.successor, linked))


def _aim_at_change(
    request: Request, original: Controller, partner: Controller | None, controllers: Mapping[str, Controller]
) -> Goal:
    if isinstance(request.change, UndoChange):
        return _aim_at_revision(request, request.change, original, partner, controllers)
    _refuse_during_an_undo(original, partner)
    if isinstance(request.change, FileChange):
        return _aim_at_file(request, request.change, original, partner, controllers)
    if isinstance(request.change, TemplateChange):
        return _aim_at_template(request, request.change, original, partner, controllers)
    raise UsageError("Must specify --filename or --image for new controller")


def _all_but(name: str, linked: Sequence[Controller]) -> tuple[str, ...]:
    return tuple(each.name for each in linked if each.name != name)


def _aim_anew(
    request: Request,
    original: Controller,
    linked: Sequence[Controller],
    controllers: Mapping[str, Controller],
) -> Goal:
    """Another target than that of the update in progress, which this one takes the place of. It may have
    begun to do so before there was a new controller of its own."""
    if any(each.record.handover is not None for each in linked):
        raise RefusedError(
            f'the update of "{original.name}" to {linked[0].name} is in its finish and cannot be superseded; '
            "nothing was changed",
            hint="continue it with the command that began it, then update to what is wanted now",
        )
    size = size_before(original, linked)
    meant = replace(original, replicas=size, record=replace(original.record, scaled_to=None))
    rest = {name: each for name, each in controllers.items() if each not in linked}
    try:
        goal = _aim_at_change(request, meant, None, rest)
    except NothingChangesError as error:
        raise NothingChangesError(
            error.message,
            hint=f"{original.name} was that before the update in progress: go back to it with: "
            f"kubectl rolling-update {original.name} --rollback",
        ) from error
    begun = linked[0].record.superseded_by
    if not request.supersede and begun != goal.successor:
        raise InProgressError(
            f"Found existing in-progress update of {original.name} to {begun}; nothing was changed",
            hint="continue it with the command that began it, take its place with --supersede, or go back "
            f"with: kubectl rolling-update {original.name} --rollback",
        )
    for each in linked:
        if each.name == goal.successor:
            # It had been superseded itself.
            goal = replace(goal, manifest=None, resuming=True)
        elif goal.manifest is not None:
            _refuse_the_same_pods(goal.manifest, each)
    return replace(goal, superseded=_all_but(goal.successor, linked))


def _refuse_the_same_pods(manifest: Json, other: Controller) -> None:
    labels = (manifest["spec"]["template"].get("metadata") or {}).get("labels") or {}
    selector = manifest["spec"]["selector"]
    if other.selector.items() <= labels.items() or selector.items() <= other.labels.items():
        raise RefusedError(
            f"the new controller must specify a matching key with non-equal value in Selector for "
            f"{other.name}, the one it takes the place of; nothing was changed",
            hint="change a label in its selector and template",
        )


def _refuse_another_label(request: Request, original: Controller, partner: Controller | None) -> None:
    """Half way through labelling with one key, another key would leave both on the pods."""
    key = original.record.labelled
    if partner is None and key is not None and key != request.label_key:
        raise RefusedError(
            f'ReplicationController "{original.name}" is being labelled with {key} by an update in progress; '
            "nothing was changed",
            hint=f"continue it with --deployment-label-key={key}, or go back with: "
            f"kubectl rolling-update {original.name} --rollback",
        )


def _refuse_a_label_in_use(request: Request, original: Controller) -> None:
    """A key of somebody's own may be what a Service selects by: its value must not become a hash."""
    key = request.label_key
    value = original.selector.get(key)
    if key != DEFAULT_LABEL_KEY and value is not None and not re.fullmatch(r"[0-9a-f]{32}(-orig)?", value):
        raise RefusedError(
            f'ReplicationController "{original.name}" selects its pods by {key}={value} already; nothing was '
            "changed",
            hint="choose another --deployment-label-key: what selects by this one would lose the new pods",
        )


def refuse_being_a_successor(original: Controller, controllers: Iterable[Controller]) -> None:
    """An update whose old controller is the new one of another update would leave that one without an end."""
    for source in controllers:
        if source.uid == original.uid or not belongs(source, original):
            continue
        if belongs(original, source) and original.record.original is not None:
            continue  # a rollback of ``original`` itself: then each of the two names the other
        raise RefusedError(
            f'ReplicationController "{original.name}" is the new controller of an update of "{source.name}" '
            "in progress; nothing was changed",
            hint=f"continue that update with the command that began it, or go back with: "
            f"kubectl rolling-update {source.name} --rollback",
        )


def _aim_back(request: Request, original: Controller, partner: Controller | None) -> Goal:
    wanted = request.new_name or (
        None if request.keep_name else _file_name(request.change, request, original)
    )
    known = original.record
    if (
        partner is None
        and (known.next_name or known.labelled or known.turn)
        and (wanted is None or known.next_name in (None, wanted))
    ):
        # An update that got no further than labels and its record: going back is to take them off.
        nobody = known.next_name or temporary_name(original.name, "0" * 32)
        return Goal(original.name, nobody, True, Finish.DELETE_OLD, request, undo=known.undo)
    # The second: it was to take the place of an update in progress, and had not come to be.
    if partner is None or wanted not in (None, partner.name, partner.record.superseded_by):
        raise nothing_to_roll_back(wanted or original.name)
    return Goal(
        original=original.name,
        successor=partner.name,
        rollback=True,
        finish=Finish.DELETE_OLD,
        request=request,
        resuming=True,
        undo=undo_in_progress(original, partner),
    )


def nothing_to_roll_back(name: str, hint: str | None = None) -> RefusedError:
    """In the words of kubectl 1.17."""
    return RefusedError(f"Could not find {name} to rollback.", hint=hint)


def refuse_beside_an_undo(original: Controller, undo: record.Undo) -> InProgressError:
    command = f"kubectl rolling-update {original.name} --rollback --to-revision="
    return InProgressError(
        f"Found existing in-progress rollback of {original.name} to revision {undo.revision}; nothing was "
        "changed",
        hint=f"continue it with: {command}{undo.revision}\nor go back with: {command}{undo.running}",
    )


def _refuse_during_an_undo(original: Controller, partner: Controller | None) -> None:
    undo = None if partner is None else undo_in_progress(original, partner)
    if undo is not None:
        raise refuse_beside_an_undo(original, undo)


def _aim_at_revision(
    request: Request,
    change: UndoChange,
    original: Controller,
    partner: Controller | None,
    controllers: Mapping[str, Controller],
) -> Goal:
    """Another template under the same name. Its selector is the old one's as far as the template has it."""
    key = request.label_key
    if partner is not None:
        return Goal(
            original=original.name,
            successor=partner.name,
            rollback=False,
            finish=Finish.KEEP_NAME,
            request=request,
            template_hash=partner.record.template_hash,
            resuming=True,
            release_key=key,
            undo=change.undo,
        )
    assert change.template is not None
    digits = template_hash(change.template, key)
    value = _label_value(digits, key, original)
    meta = original.raw["metadata"]
    annotations = meta.get("annotations") or {}
    labels = (change.template.get("metadata") or {}).get("labels") or {}
    manifest = _successor_manifest(
        name=temporary_name(original.name, digits),
        original=original,
        labels=meta.get("labels") or {},
        annotations={each: text for each, text in annotations.items() if each not in _NOT_CARRIED},
        selector={**{each: labels[each] for each in original.selector if each in labels}, key: value},
        template=with_label(change.template, key, value),
        desired=size_meant(original),
        digits=digits,
        min_ready_seconds=original.min_ready_seconds,
        request=request,
    )
    manifest["metadata"]["annotations"].update(change.undo.marks)
    goal = Goal(
        original=original.name,
        successor=manifest["metadata"]["name"],
        rollback=False,
        finish=Finish.KEEP_NAME,
        request=request,
        manifest=manifest,
        template_hash=digits,
        release_key=key,
        undo=change.undo,
    )
    return _unless_taken(goal, controllers)


def _file_name(change: object, request: Request, original: Controller) -> str | None:
    if not isinstance(change, FileChange):
        return None
    name = manifest_name(change, request.label_key)
    return None if name == original.name else name


def manifest_name(change: FileChange, label_key: str) -> str | None:
    """The name a file gives its controller. For ``generateName`` the hash of its template completes it,
    so that the same file always means the same object."""
    meta = change.manifest.get("metadata") or {}
    name = meta.get("name")
    if name:
        return str(name)
    prefix = meta.get("generateName")
    if prefix:
        digits = template_hash(change.manifest["spec"]["template"], label_key)
        return f"{str(prefix)[:247]}{digits[:5]}"
    return None


def _aim_at_template(
    request: Request,
    change: TemplateChange,
    original: Controller,
    partner: Controller | None,
    controllers: Mapping[str, Controller],
) -> Goal:
    key = request.label_key
    finish = Finish.DELETE_OLD if request.new_name else Finish.KEEP_NAME
    if partner is not None:
        refuse_another(change, original, source_template(original, partner), partner, key)
        _refuse_another_name(request, original, partner)
        return Goal(
            original=original.name,
            successor=partner.name,
            rollback=False,
            finish=finish,
            request=request,
            template_hash=partner.record.template_hash,
            resuming=True,
            release_key=key,
        )
    template = changed(change, original.template, key)
    refuse_unselected(original, template, key)
    digits = template_hash(template, key)
    name = request.new_name or temporary_name(original.name, digits)
    value = _label_value(digits, key, original)
    meta = original.raw["metadata"]
    annotations = {
        each: text for each, text in (meta.get("annotations") or {}).items() if each not in _NOT_CARRIED
    }
    manifest = _successor_manifest(
        name=name,
        original=original,
        labels=meta.get("labels") or {},
        annotations=annotations,
        selector={**original.selector, key: value},
        template=with_label(template, key, value),
        desired=size_meant(original),
        digits=digits,
        min_ready_seconds=original.min_ready_seconds,
        request=request,
    )
    goal = Goal(
        original=original.name,
        successor=name,
        rollback=False,
        finish=finish,
        request=request,
        manifest=manifest,
        template_hash=digits,
        release_key=key,
    )
    return _unless_taken(goal, controllers)


def _aim_at_file(
    request: Request,
    change: FileChange,
    original: Controller,
    partner: Controller | None,
    controllers: Mapping[str, Controller],
) -> Goal:
    key, source = request.label_key, change.source
    finish = Finish.KEEP_NAME if request.keep_name else Finish.DELETE_OLD
    spec = change.manifest["spec"]
    template = spec["template"]
    labels = dict((template.get("metadata") or {}).get("labels") or {})
    selector = dict(spec.get("selector") or labels)
    digits = template_hash(template, key)
    file_name = manifest_name(change, key)
    name = file_name
    if request.keep_name and file_name in (None, original.name):
        name = temporary_name(original.name, digits)
    if name is None:
        raise RefusedError(f"{source} gives its ReplicationController no name; add metadata.name")
    if name == original.name:
        raise RefusedError(
            f"{source} cannot have the same name as the existing ReplicationController {original.name}",
            hint="give it another name, or add --keep-name to end under the same name",
        )
    if partner is not None:
        replicas = spec.get("replicas")
        other_size = replicas is not None and partner.record.desired not in (None, replicas)
        if partner.name != name or partner.record.template_hash not in (None, digits) or other_size:
            raise InProgressError(
                f"Found existing in-progress update of {original.name} to {partner.name}, which is not what "
                f"{source} asks for.\n"
                "Either continue in-progress update with the command that began it or rollback with "
                "--rollback"
            )
        return Goal(
            original=original.name,
            successor=partner.name,
            rollback=False,
            finish=finish,
            request=request,
            template_hash=digits,
            resuming=True,
            release_key=key,
            carry_metadata=True,
        )
    differs = any(selector.get(each, value) != value for each, value in original.selector.items())
    if not differs:
        if not request.keep_name:
            raise RefusedError(
                f"{source} must specify a matching key with non-equal value in Selector for {original.name}",
                hint="change a label in its selector and template, or add --keep-name to have it added",
            )
        value = _label_value(digits, key, original)
        selector = {**selector, key: value}
        template = with_label(template, key, value)
    meta = change.manifest.get("metadata") or {}
    replicas = spec.get("replicas")
    manifest = _successor_manifest(
        name=name,
        original=original,
        labels=meta.get("labels") or labels,
        annotations={k: v for k, v in (meta.get("annotations") or {}).items() if k not in _NOT_CARRIED},
        selector=selector,
        template=template,
        desired=size_meant(original) if replicas is None else int(replicas),
        digits=digits,
        min_ready_seconds=int(spec.get("minReadySeconds") or 0),
        request=request,
        base=change.manifest,
    )
    goal = Goal(
        original=original.name,
        successor=name,
        rollback=False,
        finish=finish,
        request=request,
        manifest=manifest,
        template_hash=digits,
        release_key=key,
        carry_metadata=True,
    )
    return _unless_taken(goal, controllers)


def _unless_taken(goal: Goal, controllers: Mapping[str, Controller]) -> Goal:
    if goal.successor in controllers:
        raise taken_name(goal)
    return goal


def _aim_without_original(request: Request, controllers: Mapping[str, Controller]) -> Goal:
    """NAME is not there. The old command, killed between its last writes, leaves the new controller alone
    under its temporary name: for the image asked for, it is given its lasting name now."""
    change = request.change
    images = images_only(change) if isinstance(change, TemplateChange) else ()
    if images and not request.new_name and not request.rollback:
        for each in controllers.values():
            handover = each.record.handover  # a client of ours may have got on with it, and been killed
            value = (each.selector if handover is None else handover.selector).get(request.label_key)
            if (
                value
                and each.name == temporary_name(request.name, value)
                and is_temporary_name(each.name, request.name)
                and all(runs(each.template, image) for image in images)
            ):
                return Goal(
                    original=request.name,
                    successor=each.name,
                    rollback=False,
                    finish=Finish.KEEP_NAME,
                    request=request,
                    resuming=True,
                    release_key=request.label_key,
                )
    new_name = request.new_name
    if isinstance(change, FileChange) and not request.keep_name:
        new_name = manifest_name(change, request.label_key)
    alone = controllers.get(new_name or "")
    if alone is not None and not request.rollback and was_successor_of(request.name, alone):
        return Goal(
            original=request.name,
            successor=alone.name,
            rollback=False,
            finish=Finish.DELETE_OLD,
            request=request,
            resuming=True,
            release_key=request.label_key,
        )
    raise not_found(request.name)


def _refuse_another_name(request: Request, original: Controller, partner: Controller) -> None:
    temporary = is_temporary_name(partner.name, original.name)
    if partner.name == request.new_name or (request.new_name is None and temporary):
        return
    command = f"kubectl rolling-update {original.name}" + ("" if temporary else f" {partner.name}")
    raise InProgressError(
        f"Found existing in-progress update of {original.name} to {partner.name}; nothing was changed",
        hint=f"continue it with the command that began it ({command} ...), or go back with: "
        f"kubectl rolling-update {original.name} --rollback",
    )


def taken_name(goal: Goal) -> RefusedError:
    return RefusedError(
        f'ReplicationController "{goal.successor}" exists already and is not the new controller of an update '
        f'of "{goal.original}"; nothing was changed',
        hint=f"choose another name for the new controller, or delete it with: "
        f"kubectl delete rc {goal.successor}",
    )


def _label_value(digits: str, key: str, original: Controller) -> str:
    """The new controller's value: the hash, unless the old one selects by that very value already (its
    template was edited since), as two controllers must never select the same pods."""
    if digits not in (original.selector.get(key), original.labels.get(key)):
        return digits
    return template_hash(original.template, key, salt=digits)


def _successor_manifest(
    *,
    name: str,
    original: Controller,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    selector: Mapping[str, str],
    template: Json,
    desired: int,
    digits: str,
    min_ready_seconds: int,
    request: Request,
    base: Json | None = None,
) -> Json:
    """The new controller: no pods yet, and everything on it that another client needs to continue.

    ``base``: what else a file says of it, for the server to keep or to refuse.
    """
    base = base or {}
    ours = {
        record.SOURCE_ID: original.identity,
        record.DESIRED_REPLICAS: str(desired),
        record.SOURCE_REPLICAS: str(size_meant(original)),
        record.SCALED_TO: "0",
        record.TEMPLATE_HASH: digits,
    }
    if request.started_by is not None:
        ours[record.STARTED_BY] = request.started_by
    seconds = request.min_ready_seconds
    if seconds is not None and seconds != min_ready_seconds:
        ours[record.MIN_READY_SECONDS] = str(min_ready_seconds)
        min_ready_seconds = seconds
    spec: Json = {
        **(base.get("spec") or {}),
        "replicas": 0,
        "selector": dict(selector),
        "template": copy.deepcopy(template),
    }
    if min_ready_seconds:
        spec["minReadySeconds"] = min_ready_seconds
    further = {key: value for key, value in (base.get("metadata") or {}).items() if key not in _SERVERS_OWN}
    metadata: Json = {**further, "name": name, "annotations": {**annotations, **ours}}
    if labels:
        metadata["labels"] = dict(labels)
    namespace = original.raw["metadata"].get("namespace")
    if namespace:
        metadata["namespace"] = namespace
    rest = {key: value for key, value in base.items() if key != "status"}
    return {**rest, "apiVersion": "v1", "kind": "ReplicationController", "metadata": metadata, "spec": spec}
