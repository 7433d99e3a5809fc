"""What an update writes onto the two controllers so that any client can continue it.

The four ``kubectl.kubernetes.io`` keys are those of the command in kubectl 1.17 and keep its meaning: an
update that one of the two began can be continued by the other. The keys of our own make the record exact
where the old one is not (whole uids, what the last size of ours was, how far the finish is).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard, TypeVar

from rollupdate.advice import Advice, Annotate
from rollupdate.core.model.belonging import Belongings, Former
from rollupdate.core.model.chosen import Evictions
from rollupdate.core.model.difference import Difference
from rollupdate.core.model.migration import Migration
from rollupdate.core.model.packing import PACKED_FROM, compact, packed, unpacked
from rollupdate.counts import LARGEST
from rollupdate.errors import UnreadableError

SOURCE_ID = "kubectl.kubernetes.io/update-source-id"
"""On the growing controller: ``<name>:<uid>`` of the one it replaces. On both: a rollback is under way."""
DESIRED_REPLICAS = "kubectl.kubernetes.io/desired-replicas"
"""On the growing controller: the size it is to reach."""
ORIGINAL_REPLICAS = "kubectl.kubernetes.io/original-replicas"
"""On the old controller: its size before the update."""
NEXT_CONTROLLER = "kubectl.kubernetes.io/next-controller-id"
"""On the old controller: the name of the new one."""

NEXT_CONTROLLER_UID = "rolling-update/next-controller-uid"
"""On the old controller: the uid of the new one, which by then may carry no record any more."""
SOURCE_REPLICAS = "rolling-update/source-replicas"
"""On the new controller: the old one's size when the new one was created."""
SCALED_TO = "rolling-update/scaled-to"
"""On both: the size of our last write. If ``spec.replicas`` differs, another client scaled."""
SCALED_BY = "rolling-update/scaled-by"
"""On both: pods that scaling by others has added to the goal (or taken from it) so far."""
TEMPLATE_HASH = "rolling-update/template-hash"
"""On the new controller, and on the old one, as a finish takes it off the new one first: the hash of the
template the update was asked for."""
MIN_READY_SECONDS = "rolling-update/min-ready-seconds"
"""On the new controller: its own ``minReadySeconds``, if the policy of a run replaced it meanwhile."""
TEMPLATE_SEEN = "rolling-update/template-seen"
"""On both: the hash of its template, as the server completed it, from before the new one had pods. If the
template is another, another client has edited it."""
TEMPLATE_BEFORE = "rolling-update/template-before"
"""On the new controller: what makes the old one's template of its own (``difference``), so that a rollback
can put it back after an edit."""
RESTORED = "rolling-update/template-restored"
"""On the old controller: a rollback has put its template back after an edit. At its end it looks for pods
that were made of the edited one meanwhile."""
LABELLED = "rolling-update/labelled"
"""On the old controller: the label key that this update put into its template, selector and pods."""
EPOCH = "rolling-update/turn"
"""On both, once the direction has changed: which change of direction this is (see ``phases.fencing``). On a
pod while it changes owners: of which direction the client was that wrote to it last."""
RETURNING = "rolling-update/handing-back"
"""On the new controller: the generation of the old one from which a rollback takes the pods back; until it
has them again nobody may delete it."""
UNDO_TO = "rolling-update/undo-to"
"""On the new controller (on the old one while there is none): the update is an undo, to that revision."""
UNDO_FROM = "rolling-update/undo-from"
"""Beside it: the revision that the old controller runs."""
TRANSFER = "rolling-update/handover"
"""On the new controller: its pods are on their way to the old one (see :class:`Transfer`)."""
HOLD = "rolling-update/hold"
"""On a controller that is held (see ``hold``), in the same write: the priority class that its template names
otherwise; empty where it names none."""
EVICTING = "rolling-update/evicting"
"""On a controller that is held while pods of it are evicted, in the same write: which of them may be (see
``chosen``)."""
NOT_MOVED = "rolling-update/not-moved"
"""On the new controller: why its pods are released and adopted, as they could not be moved."""
PAUSED = "rolling-update/paused"
"""On the new controller while the update is paused: the number of new pods at which it was."""
PASSED = "rolling-update/passed"
"""On the new controller once a paused update is continued: the pause it was at is behind it."""
SUPERSEDED_BY = "rolling-update/superseded-by"
"""On the new controller of an update that another one has taken the place of: the name of the newer one.
Its pods go together with those of the old controller."""

RAN = "rolling-update/ran"
"""On the new controller, and on the old one as TEMPLATE_HASH is: from the template of the old one to what its
pods ran (see ``running``). It is not there if that was the template."""
BELONGINGS = "rolling-update/owners-and-finalizers"
"""On the new controller, and on the old one as TEMPLATE_HASH is: the owners and finalizers of the file that
it comes from (see ``belonging``)."""
TOUCHED = "rolling-update/touched"
"""On a controller that lacked pods: how often it was touched, so that the manager tries again to create them.
It says nothing of the update, and is no part of :class:`Record`."""

MIGRATION = "rolling-update/migration"
"""On a controller whose pods go to a Deployment, or come from one (see ``migration``). A label of that
Deployment meanwhile: ``<uid of the controller>.<turn>``; annotations would be copied to its ReplicaSets."""
MIGRATED_FROM = "rolling-update/migrated-from"
"""On a Deployment, and there to stay: ``<name>:<uid>`` of the controller whose pods it has got; on a
controller the same of a Deployment."""
MIGRATED_TO = "rolling-update/migrated-to"
"""On a controller that was kept without pods: the name of the Deployment that has got them."""
MIGRATED_CONFIG = "rolling-update/deploymentconfig"
"""On a Deployment, and there to stay: the DeploymentConfig whose pods it has got (see ``config.Origin``)."""
LASTING = (MIGRATED_FROM, MIGRATED_TO, MIGRATED_CONFIG)
"""What says where pods have come from or gone to, and is no part of :class:`Record`."""

STARTED_BY = "rolling-update/started-by"
"""On the new controller: who began the update, ``user@host``, as that client has called itself."""

FORMAT = "rolling-update/format"
"""On both: the format of these annotations. A state that a client of a lower number would misread carries it:
on both controllers, and before anything else of that state, as a write is conditional on one of them only.
Without it the format is 1. A state with held controllers is of format 2, a migration of format 3, a state in
which pods are evicted of format 4, a migration with a DeploymentConfig of format 5."""
HELD_FORMAT = 2
MIGRATION_FORMAT = 3
EVICTION_FORMAT = 4
CONFIG_FORMAT = 5
KNOWN_FORMAT = 5
"""The highest format that this version reads. It writes nothing to a state of a higher one (``formats``)."""

_DEPLOYED = "openshift.io/deployment.phase"
_DEPLOYERS = frozenset((DESIRED_REPLICAS, ORIGINAL_REPLICAS))
"""OpenShift's deployer has two of kubectl's keys on the controllers that it has rolled out."""

KEYS = (
    SOURCE_ID,
    DESIRED_REPLICAS,
    ORIGINAL_REPLICAS,
    NEXT_CONTROLLER,
    NEXT_CONTROLLER_UID,
    SOURCE_REPLICAS,
    SCALED_TO,
    SCALED_BY,
    TEMPLATE_HASH,
    MIN_READY_SECONDS,
    TEMPLATE_SEEN,
    TEMPLATE_BEFORE,
    RESTORED,
    LABELLED,
    EPOCH,
    RETURNING,
    UNDO_TO,
    UNDO_FROM,
    TRANSFER,
    HOLD,
    EVICTING,
    NOT_MOVED,
    PAUSED,
    PASSED,
    SUPERSEDED_BY,
    RAN,
    BELONGINGS,
    TOUCHED,
    MIGRATION,
    STARTED_BY,
    FORMAT,
)


def deployers(annotations: Mapping[str, object]) -> frozenset[str]:
    """The keys of ``KEYS`` that OpenShift's deployer has written to a controller, and no update: that would
    link it to another one."""
    linked = SOURCE_ID in annotations or NEXT_CONTROLLER in annotations
    return _DEPLOYERS if _DEPLOYED in annotations and not linked else frozenset()


_T = TypeVar("_T")
_NUMBER = re.compile(r"[+-]?[0-9]{1,10}")
LARGEST_ANNOTATIONS = 256 * 1024
"""Bytes: keys and values of all annotations of one object, as the API server allows."""
RESTART = "rolling-update/restart"
"""On a pod template, and there to stay: new pods of the same template were asked for."""


def _is_labels(value: object) -> TypeGuard[dict[str, str]]:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _is_size(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST


@dataclass(frozen=True)
class Transfer:
    """How to go on, and how to roll back, once the pods are on their way from the new controller to the old.

    ``selector`` and ``labels`` are those that the pods match; ``replicas`` is how many pods there are and
    ``original`` the old controller's size before the update, both without what its ``SCALED_BY`` adds.
    ``previous`` is the old controller's ``spec`` before it took the pods over, so that a rollback can
    return to it even after that write. None where there was no old controller any more.
    """

    selector: dict[str, str]
    labels: dict[str, str]
    replicas: int
    original: int
    previous: dict[str, Any] | None
    moved: bool = False
    """Between held controllers (``phases.ownership``); else the pods are released and adopted."""
    former: Former | None = None
    """What the old controller's metadata said before the new one's was added to it; None if nothing was."""

    def size(self, scaled_by: int) -> int:
        """Pods that their owner is to have; ``scaled_by``: what others have added to the old one since."""
        return max(0, self.replicas + scaled_by)

    def encode(self) -> str:
        body: dict[str, Any] = {
            "selector": self.selector,
            "labels": self.labels,
            "replicas": self.replicas,
            "original": self.original,
            "previous": self.previous,
        }
        if self.former is not None:
            body["former"] = self.former.body()
        text = compact(body)
        if len(text) > PACKED_FROM:
            # The server stores no more than LARGEST_ANNOTATIONS, and quotes in a template double it. Versions
            # that do not know this find nothing that they can read, and write nothing; so below.
            body = {"packed": packed(text)}
        if self.moved:
            # Neither do versions that know no hold.
            body = {"move": body}
        return compact(body)

    @classmethod
    def decode(cls, text: str) -> Transfer:
        """Raises ValueError if another client has made something else of it."""
        body = json.loads(text)
        moved = isinstance(body, dict) and body.keys() == {"move"}
        if moved:
            body = body["move"]
        if isinstance(body, dict) and body.keys() == {"packed"}:
            body = json.loads(unpacked(str(body["packed"])))
        if not isinstance(body, dict):
            raise ValueError("not an object")
        selector, labels, previous = body.get("selector"), body.get("labels"), body.get("previous")
        replicas, original = body.get("replicas"), body.get("original")
        if not (selector and _is_labels(selector) and _is_labels(labels)):
            raise ValueError("no selector or labels")
        if not (_is_size(replicas) and _is_size(original)):
            raise ValueError("no sizes")
        if not (previous is None or isinstance(previous, dict)):
            raise ValueError("no previous specification")
        former = Former.parse(body["former"]) if body.get("former") is not None else None
        return cls(selector, labels, replicas, original, previous, moved, former)


@dataclass(frozen=True)
class Undo:
    """An update that goes to a revision of the history, by numbers."""

    revision: int
    running: int
    """What the old controller runs: going to that one is going back."""

    @property
    def marks(self) -> dict[str, str]:
        """The annotations that say so."""
        return {UNDO_TO: str(self.revision), UNDO_FROM: str(self.running)}


@dataclass(frozen=True)
class Record:
    """The record as read from one controller; None (or 0 for ``scaled_by``) where it says nothing."""

    source_id: str | None = None
    desired: int | None = None
    original: int | None = None
    next_name: str | None = None
    next_uid: str | None = None
    source_replicas: int | None = None
    scaled_to: int | None = None
    scaled_by: int = 0
    template_hash: str | None = None
    min_ready_seconds: int | None = None
    template_seen: str | None = None
    template_before: str | None = None
    restored: str | None = None
    labelled: str | None = None
    epoch: int = 0
    returning: int | None = None
    undo_to: int | None = None
    undo_from: int | None = None
    transfer: Transfer | None = None
    hold: str | None = None
    evicting: Evictions | None = None
    not_moved: str | None = None
    paused: int | None = None
    passed: int | None = None
    superseded_by: str | None = None
    ran: Difference | None = None
    belongings: Belongings | None = None
    migration: Migration | None = None
    started_by: str | None = None
    format: int | None = None

    @classmethod
    def parse(cls, controller: str, annotations: dict[str, str]) -> Record:
        """Raises UnreadableError naming the annotation that cannot be read.

        If the format is higher than this version knows, only the names and uids that link controllers are
        read: the other annotations may have another syntax or meaning.
        """

        def fail(key: str) -> UnreadableError:
            return UnreadableError(
                f'replicationcontroller "{controller}": the annotation {key} cannot be read: '
                f"{annotations[key][:80]!r}",
                hint=Advice("set it right with: ", Annotate(controller, key)),
            )

        def number(key: str) -> int | None:
            text = annotations.get(key)
            if text is None:
                return None
            if not _NUMBER.fullmatch(text) or (text.startswith("-") and key != SCALED_BY):
                raise fail(key)
            value = int(text)
            if abs(value) > LARGEST:
                raise fail(key)
            return value

        others = deployers(annotations)
        annotations = {key: text for key, text in annotations.items() if key not in others}
        format_ = number(FORMAT)
        if format_ is not None and format_ > KNOWN_FORMAT:
            return cls(
                source_id=annotations.get(SOURCE_ID),
                next_name=annotations.get(NEXT_CONTROLLER),
                next_uid=annotations.get(NEXT_CONTROLLER_UID),
                superseded_by=annotations.get(SUPERSEDED_BY),
                format=format_,
            )

        def value(key: str, decode: Callable[[str], _T]) -> _T | None:
            try:
                return decode(annotations[key]) if key in annotations else None
            except (ValueError, RecursionError):
                raise fail(key) from None

        return cls(
            source_id=annotations.get(SOURCE_ID),
            desired=number(DESIRED_REPLICAS),
            original=number(ORIGINAL_REPLICAS),
            next_name=annotations.get(NEXT_CONTROLLER),
            next_uid=annotations.get(NEXT_CONTROLLER_UID),
            source_replicas=number(SOURCE_REPLICAS),
            scaled_to=number(SCALED_TO),
            scaled_by=number(SCALED_BY) or 0,
            template_hash=annotations.get(TEMPLATE_HASH),
            min_ready_seconds=number(MIN_READY_SECONDS),
            template_seen=annotations.get(TEMPLATE_SEEN),
            template_before=annotations.get(TEMPLATE_BEFORE),
            restored=annotations.get(RESTORED),
            labelled=annotations.get(LABELLED),
            epoch=number(EPOCH) or 0,
            returning=number(RETURNING),
            undo_to=number(UNDO_TO),
            undo_from=number(UNDO_FROM),
            transfer=value(TRANSFER, Transfer.decode),
            hold=annotations.get(HOLD),
            evicting=value(EVICTING, Evictions.decode),
            not_moved=annotations.get(NOT_MOVED),
            paused=number(PAUSED),
            passed=number(PASSED),
            superseded_by=annotations.get(SUPERSEDED_BY),
            ran=value(RAN, Difference.decode),
            belongings=value(BELONGINGS, Belongings.decode),
            migration=value(MIGRATION, Migration.decode),
            started_by=annotations.get(STARTED_BY),
            format=format_,
        )

    @property
    def newer(self) -> bool:
        """Whether a newer version has written the annotations, in a format that this one does not know."""
        return self.format is not None and self.format > KNOWN_FORMAT

    @property
    def undo(self) -> Undo | None:
        if self.undo_to is None or self.undo_from is None:
            return None
        return Undo(self.undo_to, self.undo_from)

    @property
    def empty(self) -> bool:
        """Nothing on it belongs to an update. ``template_before`` alone is what a version has left that
        does not know that key."""
        return replace(self, template_before=None) == Record()
