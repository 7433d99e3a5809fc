"""What grows: bytes with the pods, labelling, many clients at once, whole updates from 10 to 1,000 pods."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.command import BenchError
from bench.figures import Goal, Row, Samples, Section, floor_seconds
from bench.site import Requests, Site, Strategy

Say = Callable[[str], None]
CROWD = 20
FROM_STEP, TO_STEP = 4, 16
QUARTER = "25%"
SAME = Goal(1.15)
"""Bytes a step at many pods, to those at few: names and numbers have more digits."""
MEMORY = Goal(70, " MiB")


# --- bytes a step ---


def bytes_a_step(site: Site, size: int, say: Say) -> tuple[float, float]:
    """Received and sent for a step of the loop, one pod up and one down, at a controller of that size. The
    first steps are let pass, and the update is interrupted after those that count."""
    namespace = site.namespace()
    site.controller(namespace, "web", size, labelled=True)
    marks: list[tuple[int, int]] = []

    def look(line: str) -> None:
        if line.rstrip().endswith((f" up to {FROM_STEP}", f" up to {TO_STEP}")):
            marks.append((site.relay.total.received, site.relay.total.sent))

    site.update(namespace, "web", "image:1", kubeconfig=site.relayed, until=f" up to {TO_STEP}", on_line=look)
    site.remove(namespace)
    if len(marks) != 2:
        raise BenchError(f"the update of {size} pods did not come to step {TO_STEP}")
    steps = TO_STEP - FROM_STEP
    received, sent = ((after - before) / steps for before, after in zip(*marks, strict=True))
    say(f"bytes a step at {size} pods: {received:.0f} received, {sent:.0f} sent")
    return received, sent


def bytes_section(sizes: tuple[int, int], few: tuple[float, float], many: tuple[float, float]) -> Section:
    small, large = sizes
    ratio = sum(many) / max(1.0, sum(few))
    why = "an event comes for each change of a status, and a busy manager changes it more often"
    return Section(
        "",
        "",
        [
            Row(f"bytes a step, {small} pods", f"{few[0]:.0f} received, {few[1]:.0f} sent"),
            Row(f"bytes a step, {large} pods", f"{many[0]:.0f} received, {many[1]:.0f} sent"),
            Row(f"bytes a step, {large} pods to {small}", f"{ratio:.2f}", ratio, SAME, why),
        ],
    )


# --- growth, labelling included ---


@dataclass(frozen=True)
class Grown:
    """Two updates of one size: the first labels the pods, the second has nothing to label."""

    size: int
    labelling: float
    """Seconds from the start of the command to the last label."""
    first: float
    second: float
    loop: float
    finish: float
    peak_first: float
    peak_second: float
    first_namespace: str
    second_namespace: str

    @property
    def floor(self) -> float:
        return floor_seconds(self.size, *Strategy(self.size, QUARTER, QUARTER).pods, 0.5)


def growth(site: Site, sizes: Sequence[int], say: Say) -> list[Grown]:
    found = []
    for size in sizes:
        flags = Strategy(size, QUARTER, QUARTER).flags
        names = []
        runs = []
        for labelled in (False, True):
            namespace = site.namespace()
            site.controller(namespace, "web", size, labelled=labelled)
            runs.append(site.update(namespace, "web", "image:1", "-v=1", *flags, memory=True))
            names.append(namespace)
            site.remove(namespace)
        first, second = runs
        created, renaming = second.at("Created "), second.at("Update succeeded")
        found.append(
            Grown(
                size,
                first.at("Labelling "),
                first.seconds,
                second.seconds,
                renaming - created,
                second.seconds - renaming,
                first.peak_mib,
                second.peak_mib,
                *names,
            )
        )
        say(f"{size} pods: first update {first.seconds:.1f} s, second {second.seconds:.1f} s")
    return found


def growth_section(
    found: list[Grown], counted: dict[str, Requests], decisions: list[tuple[int, float]]
) -> Section:
    rows = [
        "| pods | first update, s | labelled after, s | second update, s | of it loop, finish, s "
        "| floor, s | requests of the second | peak memory, MiB (first, second) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in found:
        requests = counted.get(each.second_namespace)
        rows.append(
            f"| {each.size} | {each.first:.1f} | {each.labelling:.1f} | {each.second:.1f} "
            f"| {each.loop:.1f}, {each.finish:.1f} | {each.floor:.1f} "
            f"| {requests.total if requests else ''} | {each.peak_first:.0f}, {each.peak_second:.0f} |"
        )
    rows += ["", "| pods | a decision and its patch, ms |", "|---|---|"]
    rows += [f"| {size} | {milliseconds:.2f} |" for size, milliseconds in decisions]
    return Section(
        "How cost grows",
        "Whole updates on the plane, surge 25 % and unavailable 25 %: the first of a controller labels its "
        "pods, the second has nothing to label. In the finish each pod is moved to its final owner "
        "by two requests, sixteen at a time. Below, the decision alone, on the "
        "sandbox's fake clock, in twenty batches.",
        table="\n".join(rows),
    )


def labelling_section(found: Grown, counted: dict[str, Requests]) -> Section:
    requests = counted.get(found.first_namespace)
    rows = [Row(f"{found.size} pods labelled, from the start of the command", f"{found.labelling:.1f} s")]
    if requests is not None:
        rows += [
            Row("requests for it", f"{requests.labels} labels, {requests.label_lists} lists of pods"),
            Row("refused for a while (429), and then sent again", f"{requests.throttled}"),
        ]
    return Section(
        f"Labelling {found.size:,} pods",
        "Before the first update of a controller its pods get a label each, sixteen requests at a time; a "
        "429 is waited out as long as the server says. The lists that find them hold metadata only.",
        rows,
    )


def memory_rows(found: list[Grown], small: int) -> list[Row]:
    by_size = {each.size: each for each in found}
    few, many = by_size.get(small, found[0]), found[-1]
    ratio = many.peak_second / max(0.1, few.peak_second)
    what = "imports take most of it: see the table of modules below"
    return [
        Row(f"peak memory, {few.size} pods", f"{few.peak_second:.0f} MiB", few.peak_second, MEMORY, what),
        Row(f"peak memory, {many.size} pods", f"{many.peak_second:.0f} MiB", many.peak_second, MEMORY, what),
        Row(f"peak memory, {many.size} pods to {few.size}", f"{ratio:.2f}", ratio, Goal(1.1), what),
        Row(
            f"peak memory, {many.size} pods that are labelled first",
            f"{many.peak_first:.0f} MiB",
            many.peak_first,
            MEMORY,
            "a page of 500 pods is decoded at once",
        ),
    ]


# --- many clients ---


@dataclass(frozen=True)
class Crowd:
    """Seconds of one update alone, and of each of those at once."""

    size: int
    alone: float
    each: list[float]
    altogether: float
    namespace: str


def crowd(site: Site, size: int, say: Say) -> Crowd:
    namespace = site.namespace()
    names = [f"web-{number}" for number in range(CROWD)]
    with ThreadPoolExecutor(CROWD) as pool:
        list(pool.map(lambda name: site.controller(namespace, name, size, labelled=True), names))
        alone = site.update(namespace, names[0], "image:1").seconds
        started = time.perf_counter()
        runs = list(pool.map(lambda name: site.update(namespace, name, "image:2"), names))
        altogether = time.perf_counter() - started
    site.remove(namespace)
    say(f"{CROWD} at once: {altogether:.1f} s, one alone {alone:.1f} s")
    return Crowd(size, alone, [each.seconds for each in runs], altogether, namespace)


def crowd_section(found: Crowd, counted: dict[str, Requests]) -> Section:
    rows = [
        Row(f"one update of {found.size} pods alone", f"{found.alone:.1f} s"),
        Row(f"each of {CROWD} at once", f"{Samples.of(found.each).show(1)} s"),
        Row(f"all {CROWD}", f"{found.altogether:.1f} s, all finished"),
    ]
    requests = counted.get(found.namespace)
    if requests is not None:
        rows.append(
            Row(
                f"requests of all {CROWD + 1} updates",
                f"{requests.total}, {requests.total / (CROWD + 1):.0f} an update; "
                f"{requests.conflicts} conflicts",
            )
        )
    return Section(
        f"{CROWD} updates at once",
        f"{CROWD} controllers of one namespace, {CROWD} clients started together, surge 1 and unavailable 0. "
        "The clients share the processors of this machine with the control plane.",
        rows,
    )
