"""Pods that go to a Deployment and back: the same pods, so it is quick whatever the manager may send."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest

from bench.command import Ran
from bench.figures import Goal, Row, Samples, Section
from bench.loads import Say
from bench.moments import events
from bench.site import Site
from testing.controlplane.servers import DEFAULT_LIMITS

NAME = "web"
CONTROLLER, CONFIG = "replicationcontroller", "deploymentconfig"
GOALS = {(CONTROLLER, 200): Goal(2.0, " s")}
"""By what has the pods, and their number. Of a DeploymentConfig there is none: what acts on it is a stand-in,
which takes its time on the same machine."""


@dataclass
class Moves:
    """Repetitions there and back, in turn."""

    size: int
    there: list[Ran] = field(default_factory=list)
    back: list[Ran] = field(default_factory=list)
    source: str = CONTROLLER
    """The kind of what has the pods at first."""


def measured(site: Site, size: int, repetitions: int, say: Say, source: str = CONTROLLER) -> Moves:
    """The manager rests before each run, until it may send as many requests at once again."""
    moves, namespace = Moves(size, source=source), site.namespace()
    if source == CONFIG:
        site.config(namespace, NAME, size)
    else:
        site.controller(namespace, NAME, size, labelled=True)
    for _ in range(repetitions):
        for found, words in (
            (moves.there, (f"{source}/{NAME}", "--to=deployment")),
            (moves.back, (f"deployment/{NAME}", f"--to={source}")),
        ):
            time.sleep(DEFAULT_LIMITS.refill)
            found.append(site.command(namespace, *words, "--progress=json"))
        say(f"{_pods(moves)}: there {moves.there[-1].seconds:.2f} s, back {moves.back[-1].seconds:.2f} s")
    site.remove(namespace)
    return moves


def section(found: Sequence[Moves]) -> Section:
    rows = []
    for moves in found:
        for way, runs in (("to a Deployment", moves.there), ("back", moves.back)):
            seconds = Samples.of([one.seconds for one in runs])
            goal = GOALS.get((moves.source, moves.size))
            what = f"{_pods(moves)} {way}"
            rows.append(Row(what, f"{seconds.show()} s", seconds.median, goal, _made_of(runs)))
    said = (
        "`--to=deployment`, and back, from start to end of the command, by a manager that may send "
        f"{DEFAULT_LIMITS.qps} requests a second. No pod is made and none is deleted, so it sends nothing "
        "but the status of its controllers. What was said when:"
        if found
        else "Not measured: there is no plane with those limits."
    )
    return Section("Pods that move", said, rows, "\n\n".join(map(_steps, found)))


def _made_of(runs: Sequence[Ran]) -> str:
    return ", ".join(f"{act} at {seconds:.2f} s" for seconds, act in said(runs[-1]))


def _steps(moves: Moves) -> str:
    """Of the last run each way."""
    rows = [f"| {_pods(moves)} | there, s | | back, s |", "|---|---|---|---|"]
    for steps in zip_longest(said(moves.there[-1]), said(moves.back[-1])):
        cells = (("", "") if step is None else (step[1], f"{step[0]:.2f}") for step in steps)
        rows.append(f"| {' | '.join(chain.from_iterable(cells))} |")
    return "\n".join(rows)


def _pods(moves: Moves) -> str:
    pods = f"{moves.size} pods" if moves.size > 1 else "1 pod"
    return pods if moves.source == CONTROLLER else f"{pods} of a DeploymentConfig"


def said(ran: Ran) -> list[tuple[float, str]]:
    """The steps of a run, with the seconds from the start of the command at which each was told."""
    words = {"Arranged": "{act} {object}", "Migrated": "the end"}
    return [
        (seconds, words[event["event"]].format(**event))
        for seconds, event in events(ran)
        if event["event"] in words
    ]
