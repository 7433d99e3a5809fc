"""Tools that manage objects (Helm, Argo CD, Flux), known by what they write on them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rollupdate.advice import Kubectl
from rollupdate.objects import Json


class Mark(NamedTuple):
    """Where a tool writes that it manages an object."""

    field: str
    key: str
    value: str
    """Empty: any."""
    tool: str

    def is_on(self, obj: Json) -> bool:
        text = (obj["metadata"].get(self.field) or {}).get(self.key)
        return text is not None and self.value in ("", text)


MARKS: tuple[Mark, ...] = (
    Mark("labels", "app.kubernetes.io/managed-by", "Helm", "Helm"),
    Mark("annotations", "meta.helm.sh/release-name", "", "Helm"),
    Mark("annotations", "meta.helm.sh/release-namespace", "", "Helm"),
    Mark("annotations", "argocd.argoproj.io/tracking-id", "", "Argo CD"),
    Mark("labels", "argocd.argoproj.io/instance", "", "Argo CD"),
    Mark("labels", "kustomize.toolkit.fluxcd.io/name", "", "Flux"),
    Mark("labels", "kustomize.toolkit.fluxcd.io/namespace", "", "Flux"),
    Mark("labels", "helm.toolkit.fluxcd.io/name", "", "Flux"),
    Mark("labels", "helm.toolkit.fluxcd.io/namespace", "", "Flux"),
)
_VERBS = {"labels": "label", "annotations": "annotate"}


def marks_of(obj: Json) -> tuple[Mark, ...]:
    return tuple(mark for mark in MARKS if mark.is_on(obj))


def taken_off(marks: Sequence[Mark], named: str) -> Iterator[str | Kubectl]:
    """The commands that do it, as parts of an advice, each on a line of its own. ``named``: KIND/NAME."""
    for field, verb in _VERBS.items():
        keys = tuple(f"{mark.key}-" for mark in marks if mark.field == field)
        if keys:
            yield from ("\n", Kubectl((verb, named, *keys)))
