"""A change of the running pod template, by edits, or only a restart of its pods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from rollupdate.advice import Advice, Resume, RollBack, Setting
from rollupdate.core.changes.base import Naming, restarted
from rollupdate.core.changes.edits import Edit, SetImage, checked_shape, has_image
from rollupdate.core.changes.target import Ending, Target, beside, label_value
from rollupdate.core.changes.unions import refuse_second
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.model.template import (
    differences,
    find_container,
    is_temporary_name,
    names_of_update,
    template_hash,
    temporary_name,
    with_label,
)
from rollupdate.errors import InProgressError, NothingChangesError, RefusedError
from rollupdate.objects import Json


@dataclass(frozen=True)
class TemplateChange:
    """The running pod template, edited: ``edits`` one after the other.

    ``restart``: new pods also if the template is the same afterwards.
    """

    edits: tuple[Edit, ...]
    restart: bool = False
    validate: bool = False

    source: ClassVar[str] = "the patch"
    carries_metadata: ClassVar[bool] = False

    @property
    def images(self) -> tuple[SetImage, ...]:
        """The images of a change that is about nothing else; none if it is."""
        images = tuple(edit for edit in self.edits if isinstance(edit, SetImage))
        return images if len(images) == len(self.edits) and not self.restart else ()

    def finish(self, naming: Naming) -> Ending:
        return Ending.DELETE_OLD if naming.new_name else Ending.KEEP_NAME

    def name(self, naming: Naming) -> None:  # noqa: ARG002
        return None

    def digest(self, naming: Naming) -> None:  # noqa: ARG002  # it depends on the old template
        return None

    def applied(self, template: Json, label_key: str) -> Json:
        """The template that is asked for.

        Raises RefusedError if it is the one that is there already. If new pods of the same template are asked
        for, an annotation makes it differ; its value is the old template's hash, so the same command gives
        the same.
        """
        result = template
        for edit in self.edits:
            result = edit.apply(result)
        checked_shape(result)
        refuse_second(template, result)
        restart = self.restart
        if result == template and not restart:
            if not self.images:
                raise nothing_changes()
            if not any(edit.pull_policy for edit in self.images):
                raise NothingChangesError(
                    f"{Setting.PULL_POLICY} (Always|Never|IfNotPresent) must be provided when "
                    f"{Setting.IMAGE} is the same as existing container image",
                    hint=f"the pods run that image; use {Setting.RESTART}, "
                    f"or {Setting.PULL_POLICY}=Always if its tag has moved",
                )
            restart = True
        if restart:
            result = restarted(result, template_hash(template, label_key))
        return result

    def target(self, old: Controller, naming: Naming) -> Target:
        key = naming.label_key
        template = self.applied(old.template, key)
        _refuse_unselected(old, template, key)
        digest = template_hash(template, key)
        value = label_value(digest, key, old)
        return beside(
            old,
            name=naming.new_name or temporary_name(old.name, digest),
            selector={**old.selector, key: value},
            template=with_label(template, key, value),
            digest=digest,
            metadata=old.raw["metadata"],
        )

    def again(self, template: Json, naming: Naming) -> TemplateChange:  # noqa: ARG002
        return replace(self, restart=True)

    def made(self, new: Controller) -> bool:
        return bool(self.images) and all(has_image(new.template, edit) for edit in self.images)

    def refuse_another(self, old: Controller, new: Controller, naming: Naming) -> None:
        """One of images only is known by its images, as the command of kubectl 1.17 knows it (which kept no
        hash of a template); any other one by the hash of what it makes of the old template, if that is known.
        """
        source = Rollout(old, new).template_before
        self._refuse_another_template(old, source, new, naming.label_key)
        temporary = is_temporary_name(new.name, old.name)
        if new.name == naming.new_name or (naming.new_name is None and temporary):
            return
        raise InProgressError(
            f"Found existing in-progress update of {old.name} to {new.name}; nothing was changed",
            hint=Advice(
                "resume it with the command that started it (",
                Resume(names_of_update(old.name, new.name)),
                "), or roll it back with: ",
                RollBack(old.name),
            ),
        )

    def _refuse_another_template(
        self, old: Controller, source: Json | None, new: Controller, label_key: str
    ) -> None:
        # The finish that deletes the old controller strips the new one first.
        known = new.record.template_hash or old.record.template_hash
        if known is not None and source is not None and self._makes(known, source, label_key):
            return  # whatever another client has made of its template since
        images = self.images
        for edit in images:
            try:
                current = find_container(new.template, edit.container).get("image")
            except RefusedError:
                if source is not None:
                    find_container(source, edit.container)  # or the new pods have other containers
                raise _another(old, source, new, label_key) from None
            if current != edit.image:
                named = len(images) > 1 and edit.container
                wanted = f" {edit.container}={current}" if named else f"={current}"
                raise InProgressError(
                    f"Found existing in-progress update to image ({current}).\n"
                    f"Either continue in-progress update with {Setting.IMAGE}{wanted} or rollback with "
                    f"{Setting.ROLLBACK}"
                )
        if images and (known is None or source is None or _changes_an_image(images, source)):
            return
        raise _another(old, source, new, label_key)

    def _makes(self, digest: str, source: Json, label_key: str) -> bool:
        """Also if it had to be made of a template that asks for the same already (see :meth:`again`)."""
        return any(
            change._hash(source, label_key) == digest for change in (self, replace(self, restart=True))
        )

    def _hash(self, source: Json, label_key: str) -> str | None:
        try:
            return template_hash(self.applied(source, label_key), label_key)
        except RefusedError:
            return None


def _changes_an_image(images: tuple[SetImage, ...], template: Json) -> bool:
    try:
        return any(not has_image(template, edit) for edit in images)
    except RefusedError:
        return True


def nothing_changes() -> NothingChangesError:
    return NothingChangesError(
        "the pod template that this command asks for is already in use; nothing was changed",
        hint=f"to replace the pods all the same, add {Setting.RESTART}",
    )


def _refuse_unselected(old: Controller, template: Json, label_key: str) -> None:
    """The new controller selects as the old one does, and by ``label_key``: its pods need those labels."""
    labels = (template.get("metadata") or {}).get("labels") or {}
    for key, value in old.selector.items():
        if key != label_key and labels.get(key) != value:
            raise RefusedError(
                f'ReplicationController "{old.name}" selects its pods by {key}={value}, which the new '
                "pods would not have; nothing was changed",
                hint=f"leave that label as it is; with {Setting.MANIFEST} the new controller can have a "
                "selector of its own",
            )
    if labels.get(label_key) != old.labels.get(label_key):
        raise RefusedError(
            f"the label {label_key} is the one by which this command tells old and new pods apart, and no "
            "patch can set it; nothing was changed",
            hint=f"leave it out, or choose another {Setting.LABEL_KEY}",
        )


def _another(old: Controller, source: Json | None, new: Controller, label_key: str) -> InProgressError:
    own = f"metadata.labels.{label_key}"
    paths = [] if source is None else [path for path in differences(source, new.template) if path != own]
    listed = ", ".join(paths[:5]) + (", ..." if len(paths) > 5 else "")
    return InProgressError(
        f"Found existing in-progress update of {old.name} to {new.name}, which is not what this "
        "command asks for.\n"
        "Either continue in-progress update with the command that began it or rollback with "
        f"{Setting.ROLLBACK}",
        hint=f"it changes {listed}" if paths else None,
    )
