"""The history of a controller: the pod templates it has had, and what is to be written to keep it right.

Each finished update is a revision, an object of its own (apps/v1 ControllerRevision, as StatefulSets and
DaemonSets keep theirs) that the controller owns, so that it goes when the controller goes. The history is a
line of templates, the last of which is what runs. A template that comes back moves to the end of the line
under a new number, as it does for a Deployment, and answers to its former numbers still.

What is wanted is computed from what is there, so it does not matter how often, or from how far, it is done.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rollupdate.core.model.controller import Controller, checked_template
from rollupdate.core.model.template import containers, template_hash, without_label
from rollupdate.counts import wholes
from rollupdate.errors import ClusterError
from rollupdate.objects import Json

OWNER = "rolling-update/controller-uid"
"""A label of each revision, to find all of one controller: names may be longer than a label's value."""
LABEL_KEY = "rolling-update/label-key"
"""An annotation: the label that told the pods apart, which the template is kept without."""
FINISHED_AT = "rolling-update/finished-at"
"""An annotation: when the update to it was finished (RFC 3339)."""
FORMER = "rolling-update/former-revisions"
"""An annotation: the numbers it had before, with commas."""
CHANGE_CAUSE = "kubernetes.io/change-cause"
"""On a controller, if a client sets it, and on each revision."""

_MOST_FORMER = 20
_NAME_DIGITS = 10


@dataclass(frozen=True)
class Revision:
    """One template that ran."""

    number: int
    template: Json
    """Without the label that tells the pods of two controllers apart."""
    label_key: str
    owner_uid: str
    cause: str | None = None
    finished_at: str | None = None
    former: tuple[int, ...] = ()
    raw: Json | None = None
    """As it is on the cluster; None where it is not there yet."""

    @classmethod
    def parse(cls, raw: Json) -> Revision | None:
        """None if another client has made it unreadable."""
        meta, data = _object_in(raw, "metadata"), _object_in(raw, "data")
        labels, annotations = _object_in(meta, "labels"), _object_in(meta, "annotations")
        template, number = _object_in(_object_in(data, "spec"), "template"), raw.get("revision")
        if not template or not isinstance(number, int) or OWNER not in labels:
            return None
        if annotations != (meta.get("annotations") or {}):
            return None
        try:
            checked_template(template, "a revision")
        except ClusterError:
            return None
        return cls(
            number=number,
            template=template,
            label_key=str(annotations.get(LABEL_KEY) or ""),
            owner_uid=str(labels[OWNER]),
            cause=_text_in(annotations, CHANGE_CAUSE),
            finished_at=_text_in(annotations, FINISHED_AT) or _text_in(meta, "creationTimestamp"),
            former=wholes(annotations.get(FORMER)),
            raw=raw,
        )

    def is_of(self, template: Json) -> bool:
        """Whether it is that template, whatever the label that tells pods apart says there."""
        return self.digits == template_hash(template, self.label_key)

    @property
    def digits(self) -> str:
        return template_hash(self.template, self.label_key)

    @property
    def images(self) -> tuple[str, ...]:
        return tuple(str(container.get("image", "")) for container in containers(self.template))


@dataclass(frozen=True)
class Ran:
    """A template that was run to the end of an update (or before the first one), to be kept."""

    template: Json
    label_key: str
    annotation: str | None = None
    """What the controller says of the cause of its last change."""
    command: str | None = None
    """What to say where it says nothing new."""
    at: str | None = None
    """When. For the template before the update it counts only if no history exists yet."""


@dataclass(frozen=True)
class Write:
    """One object as it is (None: it is to be created) and as it is to be (None: it is to be deleted)."""

    before: Json | None
    after: Json | None


def _object_in(parent: Json, key: str) -> Json:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _text_in(parent: Json, key: str) -> str | None:
    value = parent.get(key)
    return value if isinstance(value, str) else None


def selector(uids: Sequence[str]) -> str:
    """By which the revisions of controllers are listed."""
    return f"{OWNER}={uids[0]}" if len(uids) == 1 else f"{OWNER} in ({','.join(uids)})"


def revisions(found: Iterable[Json]) -> tuple[Revision, ...]:
    """Those that can be read, the oldest first."""
    parsed = (Revision.parse(raw) for raw in found)
    return tuple(
        sorted(
            (revision for revision in parsed if revision is not None), key=lambda revision: revision.number
        )
    )


def running(history: Sequence[Revision], template: Json) -> Revision | None:
    """The revision of a controller's template; None where it is none, or none yet."""
    return next((revision for revision in reversed(history) if revision.is_of(template)), None)


def numbered(history: Sequence[Revision], number: int) -> Revision | None:
    """The revision of that number; if none has it, the one that had it before."""
    exact = (revision for revision in history if revision.number == number)
    return next(exact, None) or next((revision for revision in history if number in revision.former), None)


def previous(history: Sequence[Revision], template: Json) -> Revision | None:
    """What ran before ``template``: never what came after it."""
    now = running(history, template)
    before = [revision for revision in history if now is None or revision.number < now.number]
    return before[-1] if before else None


def next_number(history: Sequence[Revision]) -> int:
    return max((revision.number for revision in history), default=0) + 1


def plan(history: Sequence[Revision], owner: Controller, ran: Sequence[Ran], limit: int) -> tuple[Write, ...]:
    """What to write so that the history of ``owner`` ends in ``ran``, in that order, with ``limit`` more
    revisions than the last.

    ``history`` may hold revisions of another controller as well: what ``owner`` comes from. It gets copies of
    them. In the order returned every write leaves a history from which the next plan ends alike.
    """
    line = _of_one_owner(history, owner.uid)
    hashes = [template_hash(one.template, one.label_key) for one in ran]
    ran = ran if len(set(hashes)) == len(hashes) else ran[-1:]
    if not _ends_in(line, ran):
        done = 1 if line and line[-1].is_of(ran[0].template) else 0
        for one in ran[done:]:
            line = _appended(line, one, owner.uid, last=one is ran[-1])
    kept = line[-(limit + 1) :]
    writes = [
        Write(revision.raw, after) for revision in kept if (after := _object(revision, owner)) != revision.raw
    ]
    names = {_name(revision, owner) for revision in kept}
    surplus = [
        revision.raw for revision in history if revision.owner_uid == owner.uid and revision.raw is not None
    ]
    return (*writes, *(Write(raw, None) for raw in surplus if raw["metadata"]["name"] not in names))


def carried_over(
    history: Sequence[Revision], wanted: Sequence[Revision], owner: Controller
) -> tuple[Write, ...]:
    """What to write so that ``owner`` has ``wanted`` as well, each under its own number."""
    own = [revision for revision in history if revision.owner_uid == owner.uid]
    return tuple(
        Write(None, _object(revision, owner))
        for revision in wanted
        if not any(one.is_of(revision.template) for one in own)
    )


def plan_back(history: Sequence[Revision], owner: Controller, ran: Sequence[Ran]) -> tuple[Write, ...]:
    """What to write where :func:`plan` was carried out, but the last of ``ran`` is not to stay after all."""
    line = [revision for revision in history if revision.owner_uid == owner.uid]
    if len(ran) < 2 or not _ends_in(line, ran):
        return ()
    last = line[-1]
    if not last.former:
        return (Write(last.raw, None),)
    again = replace(last, number=last.former[-1], former=last.former[:-1])
    return (Write(last.raw, _object(again, owner)),)


def _ends_in(line: Sequence[Revision], ran: Sequence[Ran]) -> bool:
    end = line[max(0, len(line) - len(ran)) :]
    return len(end) == len(ran) and all(
        revision.is_of(one.template) for revision, one in zip(end, ran, strict=True)
    )


def _of_one_owner(history: Sequence[Revision], uid: str) -> list[Revision]:
    """One revision of each template: the owner's own, else a copy to be made."""
    own = [revision for revision in history if revision.owner_uid == uid]
    others = [revision for revision in history if revision.owner_uid != uid]
    copies = [
        replace(revision, owner_uid=uid, raw=None)
        for revision in others
        if not any(one.is_of(revision.template) for one in own)
    ]
    return sorted([*own, *copies], key=lambda revision: revision.number)


def _appended(line: list[Revision], one: Ran, uid: str, *, last: bool) -> list[Revision]:
    """The line with ``one`` at its end. What only gets its place again keeps what is said of it."""
    known = next((revision for revision in line if revision.is_of(one.template)), None)
    rest = [revision for revision in line if revision is not known]
    said = {revision.cause for revision in line}
    cause = one.annotation if one.annotation and one.annotation not in said else one.command
    number = next_number(line)
    at = one.at if last or not line else None
    if known is None:
        template = without_label(one.template, one.label_key)
        return [*rest, Revision(number, template, one.label_key, uid, cause, at)]
    former = (*known.former, known.number)[-_MOST_FORMER:]
    moved = replace(known, number=number, former=former)
    if last:
        moved = replace(moved, cause=cause or known.cause, finished_at=at)
    return [*rest, moved]


def _name(revision: Revision, owner: Controller) -> str:
    """The same for the same template of the same controller; one of the same name deleted and made again is
    another. (At most 253 characters.)"""
    if revision.raw is not None and revision.owner_uid == owner.uid:
        return str(revision.raw["metadata"]["name"])
    digits = hashlib.sha256(f"{owner.uid} {revision.digits}".encode()).hexdigest()[:_NAME_DIGITS]
    return f"{owner.name[: 252 - _NAME_DIGITS].rstrip('.-')}-{digits}"


def _object(revision: Revision, owner: Controller) -> Json:
    """The ControllerRevision: what is there already with what is to change."""
    if revision.raw is not None:
        obj = copy.deepcopy(revision.raw)
    else:
        meta: Json = {
            "name": _name(revision, owner),
            "labels": {OWNER: owner.uid},
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "ReplicationController",
                    "name": owner.name,
                    "uid": owner.uid,
                    "controller": True,
                }
            ],
        }
        if owner.raw["metadata"].get("namespace"):
            meta["namespace"] = owner.raw["metadata"]["namespace"]
        obj = {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": meta,
            "data": {"spec": {"template": revision.template}},
        }
    obj["revision"] = revision.number
    annotations = dict(obj["metadata"].pop("annotations", None) or {})
    said = {
        LABEL_KEY: revision.label_key,
        CHANGE_CAUSE: revision.cause,
        FORMER: ",".join(map(str, revision.former)),
    }
    if revision.finished_at != obj["metadata"].get("creationTimestamp"):
        said[FINISHED_AT] = revision.finished_at
    for key, text in said.items():
        if text:
            annotations[key] = text
        else:
            annotations.pop(key, None)
    if annotations:
        obj["metadata"]["annotations"] = annotations
    return obj
