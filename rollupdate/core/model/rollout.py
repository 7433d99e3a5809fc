"""The controllers of one update, as last observed: which belong together, which way it goes, which sizes.

All of it from what stands on them, so that any client, at any time, comes to the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rollupdate.core.model.budget import Bounds, Budget
from rollupdate.core.model.controller import Controller, checked_template
from rollupdate.core.model.difference import Difference
from rollupdate.core.model.record import Transfer, Undo
from rollupdate.core.model.template import is_temporary_name, template_hash, with_labels
from rollupdate.errors import ClusterError
from rollupdate.objects import Json


@dataclass(frozen=True)
class Sizes:
    """The sizes an update works between, in pods."""

    original: int
    """Of the old controller before the update."""
    desired: int
    """Of the new one after it."""

    def bounds(self, budget: Budget, *, rollback: bool) -> Bounds:
        if rollback:
            return budget.bounds(original=self.desired, desired=self.original)
        return budget.bounds(original=self.original, desired=self.desired)


@dataclass(frozen=True)
class Rollout:
    """An old and a new controller, and the new ones of earlier updates that this one supersedes."""

    old: Controller
    new: Controller
    superseded: tuple[Controller, ...] = ()

    # --- which way it goes ---

    @property
    def rolling_back(self) -> bool:
        """The direction that was written last (see ``phases.fencing``). The mark of a rollback is that the
        old controller is itself to grow out of the new one; it goes first when the rollback is finished."""
        if self.adopted:
            return self.new.record.returning is not None
        return self.old.record.source_id == self.new.identity or self.old.record.epoch < self.new.record.epoch

    @property
    def epoch(self) -> int:
        """The number of the last change of direction."""
        return max(self.old.record.epoch, self.new.record.epoch)

    @property
    def undo(self) -> Undo | None:
        """Which undo this is, if it is one."""
        return undo_in_progress(self.old, self.new)

    # --- the finish that keeps the name ---

    @property
    def transfer(self) -> Transfer | None:
        """The pods are on their way to the old controller, or have come to it."""
        return self.new.record.transfer

    @property
    def respecified(self) -> bool:
        """The old controller has the specification of the new one."""
        return self.transfer is not None and self.old.selector == self.transfer.selector

    @property
    def adopted(self) -> bool:
        """The old controller has the pods of the new one, which only waits to be deleted."""
        return self.respecified and not self.old.held

    @property
    def moving(self) -> bool:
        """One of the two is held for it: pods that die are not replaced until that ends."""
        return self.old.moving or self.new.moving

    @property
    def stripped(self) -> bool:
        """The finish has taken our annotations off the new controller."""
        return self._unmarked and self.old.replicas == 0

    @property
    def new_forgotten(self) -> bool:
        """Another client has (`kubectl replace`): the old controller is still to have pods."""
        return self._unmarked and self.old.replicas > 0

    @property
    def old_forgotten(self) -> bool:
        """The same of the old controller: the new one had grown, which nothing does before the claim."""
        return self.old.record.next_uid is None and self.new.record.template_seen is not None

    @property
    def _unmarked(self) -> bool:
        return self.new.record.source_id is None and self.new.record.desired is None

    # --- templates ---

    @property
    def template_before(self) -> Json | None:
        """The old controller's before it got the new one's pods; None if it is lost."""
        if not self.respecified:
            return self.old.template
        return (self.transfer.previous or {}).get("template") if self.transfer else None

    @property
    def old_edited(self) -> bool:
        """Another client has edited the old controller's template since the update claimed it."""
        seen = self.old.record.template_seen
        return seen not in (None, self.old.fingerprint) and not (self.respecified or self.old.moving)

    @property
    def new_edited(self) -> bool:
        """The same of the new controller's template, since the update scaled it for the first time."""
        seen = self.new.record.template_seen
        moved = self.transfer is not None or self.new.moving
        return seen not in (None, template_hash(self.new.template, "")) and not moved

    @property
    def template_to_restore(self) -> Json | None:
        """The old controller's before it was edited; None if it is lost."""
        known = self.old.record
        claimed = (
            one
            for one in self._templates_before
            if template_hash(one, known.labelled or "") == known.template_seen
        )
        return next(claimed, None)

    def fingerprint_claimed(self, label_key: str) -> str:
        """What ``template_seen`` of the old controller is, or was before another client took all of our
        annotations off, perhaps with an edit (`kubectl replace`): the new one knows it from when it first
        grew. If only ``template_seen`` was taken off, the edit was accepted."""
        old = self.old
        if old.record.template_seen is not None:
            return old.record.template_seen
        before = self._templates_before if self.old_forgotten else ()
        now = template_hash(old.template, label_key)
        if not before or now in (template_hash(one, label_key) for one in before):
            return old.fingerprint
        return template_hash(before[0], old.record.labelled or "")

    @property
    def _templates_before(self) -> tuple[Json, ...]:
        """By what the new controller has kept: the old one's, and that with which a rollback grows it; none
        if that is lost."""
        try:
            before = Difference.decode(self.new.record.template_before or "")
        except (ValueError, RecursionError):
            return ()
        template = before.applied(self.template_after)
        return template, as_it_ran(template, self.ran)

    @property
    def ran(self) -> Difference | None:
        """From the old controller's template to what its pods ran; None if they ran it."""
        return self.new.record.ran or self.old.record.ran

    @property
    def template_that_ran(self) -> Json | None:
        """What the old controller's pods ran before the update; None if it is lost."""
        template = self.template_before
        return None if template is None else as_it_ran(template, self.ran)

    @property
    def template_after(self) -> Json:
        return template_asked_for(self.new)

    # --- sizes ---

    @property
    def recorded(self) -> Sizes:
        """The sizes recorded when the update began, before anybody else scaled."""
        before = self.old.record.original
        if before is None and self.transfer is not None:
            before = self.transfer.original
        if before is None:
            before = self.new.record.source_replicas
        desired = self.new.record.desired
        if desired is None and not self.stripped and before is not None:
            desired = before  # the annotation was taken off; the service keeps the size it had
        if desired is None:
            # The finish has stripped it: the size there is was reached, what others added included.
            desired = self.new.replicas - self._added_by_others
        return Sizes(original=self.old.replicas if before is None else before, desired=desired)

    @property
    def sizes(self) -> Sizes:
        """The sizes with what others have added (or taken) since."""
        recorded, others = self.recorded, self._added_by_others
        return Sizes(max(0, recorded.original + others), max(0, recorded.desired + others))

    @property
    def old_size_set(self) -> int | None:
        """The size of the old controller as an update has set it last, or found it; None if nobody knows. If
        another client has taken that off as well, a smaller one than before is that of the update."""
        old, before = self.old, self.new.record.source_replicas
        if old.record.scaled_to is not None or before is None:
            return old.record.scaled_to
        return min(before, old.replicas) if self.old_forgotten else before

    @property
    def _added_by_others(self) -> int:
        return self.old.record.scaled_by + self.new.record.scaled_by


def as_it_ran(template: Json, ran: Difference | None) -> Json:
    """The template that pods of a controller ran. If another client has spoilt what says so, the template."""
    try:
        return template if ran is None else checked_template(ran.applied(template), "a template that ran")
    except ClusterError:
        return template


def template_asked_for(new: Controller) -> Json:
    """The new controller's template, also once no pod matches it any more."""
    transfer = new.record.transfer
    return new.template if transfer is None else with_labels(new.template, transfer.labels)


# --- who belongs together ---


def find_successors(old: Controller, controllers: Iterable[Controller]) -> list[Controller]:
    """The new controllers of updates of ``old``, by the record: first the one in progress, then those that it
    has superseded. Names and uids are compared whole."""

    def rank(new: Controller) -> tuple[bool, bool, str]:
        return new.record.superseded_by is not None, new.name != old.record.next_name, new.name

    others = (controller for controller in controllers if controller.uid != old.uid)
    return sorted((other for other in others if is_successor_of(other, old)), key=rank)


def is_successor_of(new: Controller, old: Controller) -> bool:
    """Whether the record says that ``new`` is the new controller of an update of ``old``."""
    if new.record.source_id == old.identity:
        return True
    if old.record.next_uid is not None:
        return old.record.next_uid == new.uid
    transfer = new.record.transfer
    if transfer is not None and new.record.source_id is None:
        # Its pods went to a controller that was created for them, after this one had lost its source.
        return transfer.selector == old.selector and is_temporary_name(new.name, old.name)
    return _left_by_the_old_command(old, new)


def _left_by_the_old_command(old: Controller, new: Controller) -> bool:
    """The command of kubectl 1.17 strips the new controller before it deletes the old one, which then names
    it but cannot prove it. It is taken for the one where nothing else fits either: the old one is at 0 by
    that record, the new one is clean, and the two select by the same keys."""
    return (
        old.record.next_name == new.name
        and old.record.original is not None
        and old.replicas == 0
        and new.record.empty
        and old.selector.keys() == new.selector.keys()
        and old.selector != new.selector
    )


def was_successor_of(name: str, new: Controller) -> bool:
    """Whether ``new`` names a controller of that name as the one it replaces."""
    source_id = new.record.source_id
    return source_id is not None and source_id.rpartition(":")[0] == name


def undo_in_progress(old: Controller, new: Controller | None) -> Undo | None:
    """Whether what is in progress is an undo (or was to become one), and which."""
    if new is None:
        return old.record.undo
    return new.record.undo if new.record.superseded_by is None else None


# --- sizes without a new controller ---


def intended_size(old: Controller) -> int:
    """The old controller's size if there is no new one (yet, or any more): what an update has taken from it
    counts, unless another client has set another size since."""
    known = old.record
    before = max(0, (known.original or 0) + known.scaled_by)
    return before if known.scaled_to == old.replicas < before else old.replicas


def size_before(old: Controller, successors: Sequence[Controller]) -> int:
    """The old controller's size before an update that another one takes the place of, what others have added
    since included. ``successors``: the new controllers there are of it."""
    known = old.record
    for new in successors:
        if new.uid == known.next_uid or new.name == known.next_name or known.original is None:
            return Rollout(old, new).sizes.original
    return max(0, (old.replicas if known.original is None else known.original) + known.scaled_by)
