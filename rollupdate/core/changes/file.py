"""A controller from a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from rollupdate.advice import Setting
from rollupdate.core.changes.base import Naming, restarted
from rollupdate.core.changes.target import Ending, Target, beside, label_value
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.model.template import template_hash, temporary_name, with_label
from rollupdate.errors import InProgressError, RefusedError
from rollupdate.objects import Json


@dataclass(frozen=True)
class FileChange:
    """``source`` is what to call the file in messages."""

    manifest: Json
    source: str
    validate: bool = True

    carries_metadata: ClassVar[bool] = True

    @property
    def pod_labels(self) -> dict[str, str]:
        """As the file has them, without the identifying label."""
        return dict((self.manifest["spec"]["template"].get("metadata") or {}).get("labels") or {})

    def finish(self, naming: Naming) -> Ending:
        return Ending.KEEP_NAME if naming.keep_name else Ending.DELETE_OLD

    def digest(self, naming: Naming) -> str:
        return template_hash(self.manifest["spec"]["template"], naming.label_key)

    def name(self, naming: Naming) -> str | None:
        """The name that the file gives its controller. For ``generateName`` the hash of its template
        completes it, so that the same file always means the same object."""
        meta = self.manifest.get("metadata") or {}
        if meta.get("name"):
            return str(meta["name"])
        prefix = meta.get("generateName")
        return f"{str(prefix)[:247]}{self.digest(naming)[:5]}" if prefix else None

    def new_name(self, old: Controller, naming: Naming) -> str:
        """Of the new controller. Raises RefusedError."""
        name = self.name(naming)
        if naming.keep_name and name in (None, old.name):
            name = temporary_name(old.name, self.digest(naming))
        if name is None:
            raise RefusedError(f"{self.source} gives its ReplicationController no name; add metadata.name")
        if name == old.name:
            raise RefusedError(
                f"{self.source} cannot have the same name as the existing ReplicationController {old.name}",
                hint=f"give it another name, or add {Setting.KEEP_NAME} to end under the same name",
            )
        return name

    def target(self, old: Controller, naming: Naming) -> Target:
        name, key, digest = self.new_name(old, naming), naming.label_key, self.digest(naming)
        spec, meta = self.manifest["spec"], self.manifest.get("metadata") or {}
        template, replicas = spec["template"], spec.get("replicas")
        labels = self.pod_labels
        selector = dict(spec.get("selector") or labels)
        if all(selector.get(name, value) == value for name, value in old.selector.items()):
            complete = bool(selector and labels)
            if not naming.keep_name:
                added = f", or add {Setting.KEEP_NAME} to have it added"
                raise RefusedError(
                    f"{self.source} must specify a matching key with non-equal value in Selector for "
                    f"{old.name}",
                    hint=f"change a label in its selector and template{added}"
                    if complete
                    else "give its pods labels (spec.template.metadata.labels) that select them",
                )
            # With our label alone a file without labels would become valid, and its pods would be those of
            # no Service. It is sent as it is, for the server to refuse.
            if complete:
                value = label_value(digest, key, old)
                selector[key] = value
                template = with_label(template, key, value)
        return beside(
            old,
            name=name,
            selector=selector,
            template=template,
            digest=digest,
            metadata={"labels": meta.get("labels") or labels, "annotations": meta.get("annotations")},
            replicas=None if replicas is None else int(replicas),
            min_ready_seconds=int(spec.get("minReadySeconds") or 0),
            extra=self.manifest,
        )

    def again(self, template: Json, naming: Naming) -> FileChange:
        spec = self.manifest["spec"]
        marked = restarted(spec["template"], template_hash(template, naming.label_key))
        return replace(self, manifest={**self.manifest, "spec": {**spec, "template": marked}})

    def made(self, new: Controller) -> bool:  # noqa: ARG002  # kubectl 1.17 kept no name with a file
        return False

    def refuse_another(self, old: Controller, new: Controller, naming: Naming) -> None:
        source = Rollout(old, new).template_before
        again = () if source is None else (self.again(source, naming),)
        if not any(change._is_of(old, new, naming) for change in (self, *again)):
            raise InProgressError(
                f"Found existing in-progress update of {old.name} to {new.name}, which is not what "
                f"{self.source} asks for.\n"
                "Either continue in-progress update with the command that began it or rollback with "
                f"{Setting.ROLLBACK}"
            )

    def _is_of(self, old: Controller, new: Controller, naming: Naming) -> bool:
        replicas = self.manifest["spec"].get("replicas")
        return (
            new.name == self.new_name(old, naming)
            and new.record.template_hash in (None, self.digest(naming))
            and (replicas is None or new.record.desired in (None, replicas))
        )
