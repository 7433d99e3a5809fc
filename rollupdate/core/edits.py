"""What a change makes of a pod template, and whether an update in progress is that of the change.

Each edit is a value that does one thing; here are those that need nothing but the template. Pure: where a
patch comes from and what a flag looks like is not known here.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from rollupdate.core.controller import Controller
from rollupdate.core.record import RESTART
from rollupdate.core.request import TemplateChange
from rollupdate.core.revision import differences, template_hash
from rollupdate.core.strategic import merged
from rollupdate.errors import InProgressError, NothingChangesError, RefusedError

Json = dict[str, Any]


def containers(template: Json) -> list[Json]:
    return list((template.get("spec") or {}).get("containers") or [])


def init_containers(template: Json) -> list[Json]:
    return list((template.get("spec") or {}).get("initContainers") or [])


def find_container(template: Json, name: str | None) -> Json:
    """The container of that name, an init container as well; without a name the only one there is.

    Raises RefusedError in the documented words.
    """
    candidates = containers(template)
    if name is None:
        if len(candidates) != 1:
            names = ", ".join(str(each.get("name")) for each in candidates)
            raise RefusedError(
                "must specify container to update when updating a multi-container pod",
                hint=f"choose one with --container: {names}",
            )
        return candidates[0]
    candidates += init_containers(template)
    for each in candidates:
        if each.get("name") == name:
            return each
    names = ", ".join(str(each.get("name")) for each in candidates)
    raise RefusedError(f"container {name} not found in pod", hint=f"the pod has: {names}")


@dataclass(frozen=True)
class SetImage:
    """``--image``: another image in one container, and with it perhaps another pull policy."""

    image: str
    container: str | None = None
    pull_policy: str | None = None

    def apply(self, template: Json) -> Json:
        changed = copy.deepcopy(template)
        target = find_container(changed, self.container)
        target["image"] = self.image
        if self.pull_policy is not None:
            target["imagePullPolicy"] = self.pull_policy
        return changed


@dataclass(frozen=True)
class SetEnv:
    """``--set-env``: an environment variable in one container, or (None) in all; init containers as well.

    ``value`` None takes it away; one that is set has no other source any more.
    """

    name: str
    value: str | None
    container: str | None = None

    def apply(self, template: Json) -> Json:
        result = copy.deepcopy(template)
        if self.container is not None:
            chosen = [find_container(result, self.container)]
        else:
            chosen = containers(result) + init_containers(result)
        for each in chosen:
            env = list(each.get("env") or [])
            at = [index for index, one in enumerate(env) if one.get("name") == self.name]
            kept = [one for one in env if one.get("name") != self.name]
            if self.value is None and not at:
                continue
            if self.value is not None:
                setting = {"name": self.name, **({"value": self.value} if self.value else {})}
                kept.insert(at[0] if at else len(kept), setting)
            each["env"] = kept
            if not kept:
                del each["env"]
        return result


@dataclass(frozen=True)
class MergePatch:
    """``--patch`` with an object: a strategic merge patch of the template."""

    patch: Json

    def apply(self, template: Json) -> Json:
        return merged(template, self.patch)


def runs(template: Json, edit: SetImage) -> bool:
    """Whether the image is there already."""
    return bool(find_container(template, edit.container).get("image") == edit.image)


def images_only(change: TemplateChange) -> tuple[SetImage, ...]:
    """The images of a change that is about nothing else; none where it is."""
    images = tuple(each for each in change.edits if isinstance(each, SetImage))
    return images if len(images) == len(change.edits) and not change.restart else ()


def changed(change: TemplateChange, template: Json, label_key: str) -> Json:
    """The template that is asked for.

    Raises RefusedError where it is the one that is there already. Where new pods of the same template are
    asked for, an annotation makes it differ; its value is the old template's hash, so the same command
    gives the same.
    """
    result = template
    for edit in change.edits:
        result = edit.apply(result)
    _check_shape(result)
    restart = change.restart
    if result == template and not restart:
        images = images_only(change)
        if not images:
            raise nothing_changes()
        if not any(each.pull_policy for each in images):
            raise NothingChangesError(
                "--image-pull-policy (Always|Never|IfNotPresent) must be provided when --image is the same "
                "as existing container image",
                hint="it is what runs already: there is nothing to continue",
            )
        restart = True
    if restart:
        meta = result.get("metadata") or {}
        annotations = {**(meta.get("annotations") or {}), RESTART: template_hash(template, label_key)}
        result = {**result, "metadata": {**meta, "annotations": annotations}}
    return result


def _check_shape(template: Json) -> None:
    """Every part of it that an update reads has the type it is read as; the rest is the server's to judge."""
    meta = _part(template, "metadata", dict)
    for field in ("labels", "annotations"):
        for key, value in _part(meta, field, dict, "metadata.").items():
            if not isinstance(value, str):
                raise _unusable(f"metadata.{field}.{key} must be text; put it in quotes")
    spec = _part(template, "spec", dict)
    for field in ("containers", "initContainers"):
        for index, each in enumerate(_part(spec, field, list, "spec.")):
            if not isinstance(each, dict):
                raise _unusable(f"spec.{field}[{index}] must be an object")
            for one in _part(each, "env", list, f"spec.{field}[{index}]."):
                if not isinstance(one, dict):
                    raise _unusable(f"spec.{field}[{index}].env must hold objects")


def _part(parent: Json, key: str, kind: type, where: str = "") -> Any:
    value = parent.get(key)
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise _unusable(f"{where}{key} must be {'an object' if kind is dict else 'a list'}")
    return value


def _unusable(what: str) -> RefusedError:
    return RefusedError(f"the patch makes no pod template: {what}; nothing was changed")


def refuse_unselected(original: Controller, template: Json, label_key: str) -> None:
    """The new controller selects as the old one does, and by ``label_key``: its pods need those labels."""
    labels = (template.get("metadata") or {}).get("labels") or {}
    for key, value in original.selector.items():
        if key != label_key and labels.get(key) != value:
            raise RefusedError(
                f'ReplicationController "{original.name}" selects its pods by {key}={value}, which the new '
                "pods would not have; nothing was changed",
                hint="leave that label as it is; with -f the new controller can have a selector of its own",
            )
    if labels.get(label_key) != original.labels.get(label_key):
        raise RefusedError(
            f"the label {label_key} is the one by which this command tells old and new pods apart, and no "
            "patch can set it; nothing was changed",
            hint="leave it out, or choose another --deployment-label-key",
        )


def nothing_changes() -> NothingChangesError:
    return NothingChangesError(
        "the pod template that this command asks for is the one that runs already; nothing was changed",
        hint="for new pods of the same template add --restart",
    )


def refuse_another(
    change: TemplateChange, original: Controller, source: Json | None, successor: Controller, label_key: str
) -> None:
    """The update in progress from the template ``source`` to ``successor`` must be the one asked for.

    One of images only is known by its images, as the command of kubectl 1.17 knows it (which kept no hash
    of a template); any other one by the hash of what the change makes of ``source`` (None: it is lost).
    """
    # The finish that deletes the old controller strips the new one first.
    known = successor.record.template_hash or original.record.template_hash
    images = images_only(change)
    for each in images:
        try:
            running = find_container(successor.template, each.container).get("image")
        except RefusedError:
            if source is not None:
                find_container(source, each.container)  # or the new pods have other containers
            raise _another(original, source, successor, label_key) from None
        if running != each.image:
            named = len(images) > 1 and each.container
            flag = f"--image {each.container}={running}" if named else f"--image={running}"
            raise InProgressError(
                f"Found existing in-progress update to image ({running}).\n"
                f"Either continue in-progress update with {flag} or rollback with --rollback"
            )
    if images and (known is None or source is None or _new(images, source)):
        return
    if known is None or source is None or not _makes(change, source, known, label_key):
        raise _another(original, source, successor, label_key)


def _new(images: tuple[SetImage, ...], template: Json) -> bool:
    """Whether ``template`` has another image in one of those containers."""
    try:
        return any(not runs(template, each) for each in images)
    except RefusedError:
        return True


def _makes(change: TemplateChange, source: Json, digits: str, label_key: str) -> bool:
    try:
        return template_hash(changed(change, source, label_key), label_key) == digits
    except RefusedError:
        return False


def _another(
    original: Controller, source: Json | None, successor: Controller, label_key: str
) -> InProgressError:
    own = f"metadata.labels.{label_key}"
    paths = [] if source is None else [p for p in differences(source, successor.template) if p != own]
    listed = ", ".join(paths[:5]) + (", ..." if len(paths) > 5 else "")
    return InProgressError(
        f"Found existing in-progress update of {original.name} to {successor.name}, which is not what this "
        "command asks for.\n"
        "Either continue in-progress update with the command that began it or rollback with --rollback",
        hint=f"it changes {listed}" if paths else None,
    )
