"""A rollback to a revision with nothing in progress: the template of it, by an update like any
other. Its selector is the old one's as far as the template has those labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from rollupdate.core.changes.base import Naming, restarted
from rollupdate.core.changes.target import Ending, Target, beside, label_value
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.record import Undo
from rollupdate.core.model.template import template_hash, temporary_name, with_label
from rollupdate.objects import Json


@dataclass(frozen=True)
class RevisionChange:
    """The template is one that the server has had before."""

    undo: Undo
    template: Json

    source: ClassVar[str] = "the revision"
    validate: ClassVar[bool] = False
    carries_metadata: ClassVar[bool] = False

    def finish(self, naming: Naming) -> Ending:  # noqa: ARG002  # it always ends under the old name
        return Ending.KEEP_NAME

    def name(self, naming: Naming) -> None:  # noqa: ARG002
        return None

    def digest(self, naming: Naming) -> str:
        return template_hash(self.template, naming.label_key)

    def target(self, old: Controller, naming: Naming) -> Target:
        key, digest = naming.label_key, self.digest(naming)
        value = label_value(digest, key, old)
        labels = (self.template.get("metadata") or {}).get("labels") or {}
        return beside(
            old,
            name=temporary_name(old.name, digest),
            selector={**{name: labels[name] for name in old.selector if name in labels}, key: value},
            template=with_label(self.template, key, value),
            digest=digest,
            metadata=old.raw["metadata"],
            undo=self.undo,
        )

    def again(self, template: Json, naming: Naming) -> RevisionChange:
        return replace(self, template=restarted(self.template, template_hash(template, naming.label_key)))

    def made(self, new: Controller) -> bool:  # noqa: ARG002  # kubectl 1.17 knew no revisions
        return False

    def refuse_another(self, old: Controller, new: Controller, naming: Naming) -> None:
        """Which undo is in progress is told by the numbers in its annotations (see ``plan.aim``)."""
