"""What the pods of a controller run, read from the pods: a change of its template restarts none of them.

A pod is of a template if it says all that the template says. What it says beyond that is no difference:
admission, the scheduler and the kubelet add to pods (defaults, sidecars, volumes of tokens, tolerations).
Admission may also rewrite what the template says. Whether a template was changed since its pods were made is
told by the label that an update gives it, and by the history; if it was not, all pods are alike and their
images of the same version, it is admission that has made the difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rollupdate.core.model.controller import Controller
from rollupdate.core.model.difference import Difference
from rollupdate.core.model.history import Revision
from rollupdate.core.model.template import differences, is_hash, template_hash, without_label
from rollupdate.objects import Json

_TOLD_APART = ("mountPath", "devicePath", "containerPort", "ip", "name")
"""By the first of these keys that all members of a list have, each another: which is which."""
_AS_THEY_ARE = frozenset({"env", "ports"})
"""Lists of which the pod's own is taken if it lacks a member: others may have added to it, but that makes no
template invalid."""
_TAKEN_OFF = frozenset({"schedulingGates"})
"""What others take off a pod while it starts."""


@dataclass(frozen=True)
class Running:
    """What was found in the pods of one controller."""

    looked: int = 0
    """Pods looked at."""
    others: int = 0
    """Those of them that are not of the controller's template."""
    template: Json | None = None
    """What most of these run, without the label that tells pods apart; None if there are none."""
    revision: int | None = None
    """Its number in the history; None if it is not there."""
    differs: tuple[str, ...] = ()
    """The paths at which it is another one than the controller's."""

    @property
    def mostly(self) -> bool:
        """Whether that is what the controller runs, rather than its own template."""
        return self.others > 0 and 2 * self.others >= self.looked


NOT_LOOKED = Running()


def label_key_of(controller: Controller, otherwise: str) -> str:
    """The key of the label that tells its pods apart, if an update has given it one."""
    found = (key for key, value in sorted(controller.selector.items()) if is_hash(value))
    return next(found, otherwise)


def labelled_as_it_is(controller: Controller, label_key: str) -> bool:
    """Whether the template is the one for which a finished update made the label: nobody has changed it
    since. An update that has begun labels whatever it finds."""
    digest = template_hash(controller.template, label_key)
    return controller.record.labelled is None and controller.labels.get(label_key) == digest


def running(
    controller: Controller,
    pods: Iterable[Json],
    known: Sequence[Revision],
    label_key: str,
    *,
    edited: bool = False,
) -> Running:
    """``pods``: of that controller, whole; ``known``: its history, the oldest first. ``edited``: its template
    was another one for a time, whatever its label and its history say."""
    template = without_label(controller.template, label_key)
    last = known[-1] if known else None
    vouched = labelled_as_it_is(controller, label_key) or (last is not None and last.is_of(template))
    unchanged = vouched and not edited
    found = _agreed(template, [(pod, as_run(template, pod)) for pod in pods])
    if unchanged and _rewritten(template, [run for _, run in found]):
        return Running(len(found))
    others: dict[str, list[tuple[Json, int | None]]] = {}
    for pod, run in found:
        revision = _revision(pod, template, run, known, unchanged=unchanged)
        if revision is None and run == template:
            continue
        ran = run if revision is None else revision.template
        key = json.dumps(ran, sort_keys=True)
        others.setdefault(key, []).append((ran, None if revision is None else revision.number))
    if not others:
        return Running(len(found))
    most = max(others.values(), key=len)
    ran, number = most[0]
    paths = differences(template, ran)
    return Running(len(found), sum(map(len, others.values())), ran, number, tuple(paths))


def difference(controller: Controller, found: Running, label_key: str) -> Difference | None:
    """From the controller's template to what its pods run; None if that is the same."""
    if found.template is None:
        return None
    template = without_label(controller.template, label_key)
    return Difference.between(*map(_with_room_for_labels, (template, found.template))) or None


def _with_room_for_labels(template: Json) -> Json:
    meta = template.get("metadata") or {}
    return {**template, "metadata": {**meta, "labels": meta.get("labels") or {}}}


def _agreed(template: Json, found: list[tuple[Json, Json]]) -> list[tuple[Json, Json]]:
    """Labels and annotations of single pods are what people set to find them again: they count only where
    all pods have them."""
    said = [run.get("metadata") for _, run in found]
    if all(one == said[0] for one in said):
        return found
    alike = [(pod, {**run, "metadata": template["metadata"]}) for pod, run in found]
    return [(pod, template if run == template else run) for pod, run in alike]


def _revision(
    pod: Json, template: Json, run: Json, known: Sequence[Revision], *, unchanged: bool
) -> Revision | None:
    """The revision that a pod is of, if it is not of the template. One that says all that the template says
    may still be of the last revision, of which something was taken away since."""
    if run == template:
        last = known[-1] if known and not unchanged else None
        taken_away = last is not None and _says(pod, last.template) and not _says(template, last.template)
        return last if taken_away else None
    candidates = (revision for revision in reversed(known) if not revision.is_of(template))
    return next((revision for revision in candidates if _says(pod, revision.template)), None)


def _says(found: Json, template: Json) -> bool:
    return as_run(template, found) == template


def as_run(template: Json, pod: Json) -> Json:
    """The template with what ``pod`` says otherwise; ``template`` itself if it says all of it."""
    meta, found = template.get("metadata") or {}, _mapping(pod.get("metadata"))
    said: Json = {
        key: _said(meta[key], _mapping(found.get(key)), key)
        for key in ("labels", "annotations")
        if meta.get(key)
    }
    said = {key: value for key, value in said.items() if value}
    rest = {key: value for key, value in meta.items() if key not in ("labels", "annotations")}
    spec = _said(template.get("spec") or {}, _mapping(pod.get("spec")), "spec")
    result = {**template, "metadata": {**rest, **said}, "spec": spec}
    return template if result == template else result


def _said(wanted: Any, found: Any, field: str) -> Any:
    """``wanted`` as far as ``found`` says it, and what that says otherwise."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        said: Json = {}
        for key, value in wanted.items():
            if key in _TAKEN_OFF or (key not in found and not value):
                said[key] = value
            elif key in found:
                inner = _said(value, found[key], key)
                if inner or not value or not isinstance(inner, (dict, list)):
                    said[key] = inner
        return said
    if isinstance(wanted, list) and isinstance(found, list):
        said_of_all = _members(wanted, found)
        return found if field in _AS_THEY_ARE and len(said_of_all) < len(wanted) else said_of_all
    if wanted == found or (field == "imagePullPolicy" and found == "Always"):
        return wanted  # the admission plugin AlwaysPullImages
    return found


def _members(wanted: list[Any], found: list[Any]) -> list[Any]:
    if not all(isinstance(item, dict) for item in (*wanted, *found)):
        return wanted if wanted == found else found
    for key in _TOLD_APART:
        if _distinct(wanted, key) and _distinct(found, key):
            named = {item[key]: item for item in found}
            return [_said(item, named[item[key]], "") for item in wanted if item[key] in named]
    return [item for item in wanted if any(_said(item, one, "") == item for one in found)]


def _distinct(items: list[Any], key: str) -> bool:
    values = [item.get(key) for item in items]
    return all(isinstance(value, (str, int)) for value in values) and len(set(values)) == len(values)


def _rewritten(template: Json, runs: Sequence[Json]) -> bool:
    """Whether all pods differ from the template in the same way, and by no other version of an image."""
    first = runs[0] if runs else template
    if first == template or any(run != first for run in runs):
        return False
    images = {_name(one): str(one.get("image")) for one in _containers(first)}
    return all(_same_version(str(one.get("image")), images.get(_name(one))) for one in _containers(template))


def _same_version(image: str, found: str | None) -> bool:
    """From another registry, or pinned to a digest."""
    return found is not None and ("@" in found or image.rpartition("/")[2] == found.rpartition("/")[2])


def _containers(template: Json) -> Iterator[Json]:
    for field in ("containers", "initContainers"):
        found = template["spec"].get(field)
        yield from (item for item in (found if isinstance(found, list) else []) if isinstance(item, dict))


def _name(container: Json) -> str:
    return str(container.get("name"))


def _mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}
