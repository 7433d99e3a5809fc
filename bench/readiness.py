"""Pods that take longer to be ready: what of an update is the client's, and what is waiting for pods."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bench import pairs
from bench.figures import Row, Section, floor_seconds
from bench.loads import QUARTER, Say
from bench.pairs import Pairs
from bench.site import Site, Strategy

STRATEGY = Strategy(20, QUARTER, QUARTER)
"""A few rounds: 20 pods one by one that take 20 s each would take seven minutes a run."""


def measured(site: Site, seconds: Sequence[float], repetitions: int, say: Say) -> list[tuple[float, Pairs]]:
    """By the seconds until a pod is ready; nothing where the kubelet is not ours."""
    kubelet = site.plane.kubelet
    if kubelet is None:
        return []
    found = []
    for ready in seconds:

        @contextlib.contextmanager
        def slow(ready: float = ready) -> Iterator[None]:
            with kubelet.configured(replace(kubelet.config, ready_after=ready)):
                yield

        say(f"pods that are ready after {ready:g} s")
        found.append((ready, pairs.pairs(site, STRATEGY, repetitions, say, meanwhile=slow)))
    return found


def section(found: list[tuple[float, Pairs]]) -> Section:
    rows: list[Row] = []
    for ready, one in found:
        name = f"ready after {ready:g} s"
        rows += pairs.rows(one, name)
        floor = floor_seconds(STRATEGY.size, *STRATEGY.pods, ready)
        ratio, without = one.ratio, one.ratio_without_finish
        ended = one.median(lambda update: update.ended)
        rows += [
            Row(f"{name}: ratio", ratio.show(), ratio.median),
            Row(f"{name}: ratio without the finish", without.show()),
            Row(f"{name}: readiness alone", f"{floor:g} s, {floor / ended * 100:.0f} % of the update"),
        ]
    said = (
        f"{STRATEGY}: the pods are ready after so many seconds, for a Deployment as for an update, in turn."
        if found
        else "Not measured: the kubelets of this cluster are not the bench's own."
    )
    return Section("Pods that take longer to be ready", said, rows, _beside(found))


def _beside(found: list[tuple[float, Pairs]]) -> str:
    """Computed: how many seconds an update takes beyond the Deployment, at each."""
    if not found:
        return ""
    more = [
        f"{one.more.median:.2f} s at {ready:g} s (the finish alone takes "
        f"{one.median(lambda update: update.finish):.2f} s)"
        for ready, one in found
    ]
    return "What an update takes more than the Deployment: " + ", ".join(more) + "."
