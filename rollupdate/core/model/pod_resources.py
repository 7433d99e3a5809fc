"""What one pod counts for in a ResourceQuota: by its specification, and by what a LimitRange adds. Pure.

As the quota's evaluator of the API server has it: the sum of the containers, or the largest init container if
that is more. What a RuntimeClass or a webhook adds is only seen in a pod that the server has admitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from rollupdate.core.model.quantity import parse
from rollupdate.objects import Json

Amounts = Mapping[str, Fraction]
NATIVE = ("cpu", "memory", "ephemeral-storage")
"""Whose requests and limits are counted, each under a name of its own."""
_QUALITY = ("cpu", "memory")
"""By which a pod is best effort or not."""


@dataclass(frozen=True)
class Asked:
    """Requests and limits of one container, or of the pod itself."""

    requests: Amounts
    limits: Amounts
    initial: bool = False
    """An init container; of these ``stays`` is true if it runs on beside the containers (a sidecar)."""
    stays: bool = True


@dataclass(frozen=True)
class PodResources:
    """Of all containers of a pod."""

    containers: tuple[Asked, ...]
    whole: Asked
    """What is said of the pod itself takes the place of what its containers say."""
    overhead: Amounts

    @classmethod
    def of(cls, spec: Json, limit_ranges: Iterable[Json] = ()) -> PodResources:
        """``spec``: of the pod or of a template. Raises AttributeError or TypeError for what the API would
        not store."""
        defaults = list(_defaults(limit_ranges))
        asked = [_asked(container, defaults) for container in spec.get("containers") or ()]
        for container in spec.get("initContainers") or ():
            stays = container.get("restartPolicy") == "Always"
            asked.append(_asked(container, defaults, initial=True, stays=stays))
        return cls(tuple(asked), _asked(spec, ()), _amounts(spec.get("overhead")))

    @property
    def best_effort(self) -> bool:
        """Its quality of service: no container asks for any processor time or memory."""
        return not any(
            amounts.get(name)
            for asked in (*self.containers, self.whole)
            for amounts in (asked.requests, asked.limits)
            for name in _QUALITY
        )

    @property
    def counted(self) -> dict[str, Fraction]:
        """By the names that a quota has for it."""
        limits = self._total(lambda asked: asked.limits)
        limits = {name: amount + self.overhead.get(name, 0) for name, amount in limits.items()}
        requests = _sum(self._total(lambda asked: asked.requests), self.overhead)
        counted = {"pods": Fraction(1), "count/pods": Fraction(1)}
        for name, amount in requests.items():
            counted[f"requests.{name}"] = amount
            if name in NATIVE or name.startswith("hugepages-"):
                counted[name] = amount
        counted |= {f"limits.{name}": limits[name] for name in NATIVE if name in limits}
        return counted

    def _total(self, of: Callable[[Asked], Amounts]) -> dict[str, Fraction]:
        total: dict[str, Fraction] = {}
        sidecars: dict[str, Fraction] = {}
        largest: dict[str, Fraction] = {}
        for asked in self.containers:
            if asked.stays:
                total = _sum(total, of(asked))
            if asked.initial:
                beside = sidecars  # those that were started before it
                if asked.stays:
                    sidecars = _sum(sidecars, of(asked))
                largest = _largest(largest, _sum(beside, of(asked)))
        return {**_largest(total, largest), **of(self.whole)}


def _asked(
    said: Json, defaults: Iterable[tuple[Amounts, Amounts]], *, initial: bool = False, stays: bool = True
) -> Asked:
    """With the defaults in the server's order: first a limit is a request as well, then those of ranges."""
    resources = said.get("resources") or {}
    limits = _amounts(resources.get("limits"))
    requests = {**limits, **_amounts(resources.get("requests"))}
    for limit, request in defaults:
        limits, requests = {**limit, **limits}, {**request, **requests}
    return Asked(requests, limits, initial, stays)


def _defaults(limit_ranges: Iterable[Json]) -> Iterator[tuple[Amounts, Amounts]]:
    """Limits and requests that a container gets if it does not say them."""
    for limit_range in limit_ranges:
        for item in limit_range["spec"].get("limits") or ():
            if item.get("type") == "Container":
                yield _amounts(item.get("default")), _amounts(item.get("defaultRequest"))


def _amounts(said: Json | None) -> dict[str, Fraction]:
    parsed = {name: parse(text) for name, text in (said or {}).items()}
    return {name: amount for name, amount in parsed.items() if amount is not None}


def _sum(first: Amounts, second: Amounts) -> dict[str, Fraction]:
    return {name: first.get(name, Fraction()) + second.get(name, Fraction()) for name in {**first, **second}}


def _largest(first: Amounts, second: Amounts) -> dict[str, Fraction]:
    nothing = Fraction()
    return {name: max(first.get(name, nothing), second.get(name, nothing)) for name in {**first, **second}}
