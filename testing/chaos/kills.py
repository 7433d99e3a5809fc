"""Killed at every write, before and after it took effect; then the same command, or the other direction.

Also twice: the command that continues is killed as well, at every write of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

from testing.chaos.arena import Arena, Site
from testing.command import Ended

NOTHING_TO_DO = (
    "must be provided when --image is the same",
    "to rollback",
    "not found",
    "already",
    "no move of",
)
"""What the second run may answer where the first had come to its end, or had not yet begun."""


class Case(Protocol):
    """What is disturbed: an update, a rollback, a move."""

    @property
    def name(self) -> str:
        """What it is, in words; its row in the report."""
        ...

    @property
    def goes_back(self) -> bool:
        """Whether it is the rollback of what had begun before."""
        ...

    @property
    def varies(self) -> bool:
        """Whether it may need a write less, as it happens."""
        ...

    def prepare(self, arena: Arena) -> None:
        """Have what there is before it."""
        ...

    def command(self, arena: Arena) -> list[str]:
        """The words, with a --timeout that turns a hang into a failure."""
        ...

    def turned(self, arena: Arena) -> list[str]:
        """Those of the other direction."""
        ...

    def is_over(self, arena: Arena) -> bool:
        """Whether the write that was made last was the last one of all."""
        ...

    def assert_ended(self, arena: Arena, *, turned: bool = False) -> None:
        """As asked for, or (``turned``) as asked for by the other direction."""
        ...


@dataclass(frozen=True)
class Kill:
    story: Case
    write: int
    before: bool
    turned: bool

    @property
    def series(self) -> str:
        then = "the other direction" if self.turned else "the same command"
        return f"{'before' if self.before else 'after'} the write, then {then}"

    def __str__(self) -> str:
        return f"{self.story.name}: killed at write {self.write}, {self.series}"


@dataclass(frozen=True)
class Result:
    """How one run ended. ``group`` is its row in the report; of kills ``series`` is the column, ``point``
    the write."""

    what: str
    group: str
    problem: str = ""
    """Empty where it ended as it must."""
    seconds: float = 0.0
    series: str = ""
    point: int = 0


def writes_of(site: Site, story: Case) -> int:
    """How many writes the story has when nothing goes wrong; it must end well, too."""
    with site.arena() as arena:
        story.prepare(arena)
        ended = arena.run(*story.command(arena))
        assert ended.status == 0, f"{story.name}: {ended}"
        story.assert_ended(arena)
        return arena.proxy.writes


def kills_of(site: Site, stories: Sequence[Case], workers: int) -> list[Kill]:
    """Every kill point of the stories, both series."""
    with ThreadPoolExecutor(workers) as pool:
        counts = list(pool.map(lambda story: writes_of(site, story), stories))
    return [
        Kill(story, write, before, turned)
        for story, count in zip(stories, counts, strict=True)
        for write in range(1, count + 1)
        for before in (True, False)
        for turned in (False, True)
    ]


def carry_out(site: Site, kill: Kill) -> Result:
    """One kill and what follows."""
    story = kill.story

    def tell(arena: Arena, said: list[Ended]) -> None:
        story.prepare(arena)
        said.append(arena.run(*story.command(arena), trap=(kill.write, kill.before)))
        if not _killed(arena, story, said[-1], kill.write):
            story.assert_ended(arena)
            return
        done = not kill.before and story.is_over(arena)
        second = arena.run(*(story.turned(arena) if kill.turned else story.command(arena)))
        said.append(second)
        none = kill.turned and not story.goes_back and kill.before and kill.write == 1
        assert_finished(second, may_have_nothing_to_do=done or none)
        # Killed after the very last write it had come to its end: what is over cannot be turned round.
        too_late = done and second.status != 0
        story.assert_ended(arena, turned=kill.turned and not too_late)

    return replace(told(site, str(kill), story.name, tell), series=kill.series, point=kill.write)


def carry_out_twice(site: Site, story: Case, write: int) -> list[Result]:
    """Killed after that write; the same command killed at each of its own writes, before and after in turn;
    the third run finishes."""
    results: list[Result] = []
    more = True
    while more:
        number = len(results) + 1
        before = (write + number) % 2 == 0

        def tell(arena: Arena, said: list[Ended], number: int = number, before: bool = before) -> None:
            nonlocal more
            story.prepare(arena)
            said.append(arena.run(*story.command(arena), trap=(write, False)))
            more = _killed(arena, story, said[-1], write)
            if not more:
                story.assert_ended(arena)
                return
            second = arena.run(*story.command(arena), trap=(number, before))
            said.append(second)
            more = arena.proxy.sprung
            if more:
                said.append(arena.run(*story.command(arena)))
            assert_finished(said[-1], may_have_nothing_to_do=True)
            story.assert_ended(arena)

        moment = "before" if before else "after"
        what = f"{story.name}: killed after write {write}, the next run {moment} its write {number}"
        result = told(site, what, story.name, tell)
        results.append(replace(result, series=f"after write {write}", point=number))
        more = more and not results[-1].problem
    return results if results[-1].problem else results[:-1]  # the last one was not killed a second time


def _killed(arena: Arena, case: Case, ended: Ended, write: int) -> bool:
    """Whether the run was killed at that write; if not, it has come to its end without it."""
    assert arena.proxy.sprung or (case.varies and ended.status == 0), f"not killed at write {write}"
    return arena.proxy.sprung


def assert_finished(ended: Ended, *, may_have_nothing_to_do: bool) -> None:
    if ended.status != 0:
        assert may_have_nothing_to_do, "the last run failed"
        assert any(each in ended.stderr for each in NOTHING_TO_DO), "the last run failed"


def told(site: Site, what: str, group: str, tell: Callable[[Arena, list[Ended]], None]) -> Result:
    """One story in an arena of its own: how it ended, with what was said where it did not end well."""
    started = time.monotonic()
    said: list[Ended] = []
    try:
        with site.arena() as arena:
            tell(arena, said)
    except Exception as error:  # every kind of failure is a result
        talk = "\n".join(str(each) for each in said)
        problem = f"{type(error).__name__}: {error}\n{talk}"
        return Result(what, group, problem, time.monotonic() - started)
    return Result(what, group, "", time.monotonic() - started)


def carry_out_all(site: Site, kills: Iterable[Kill], workers: int) -> list[Result]:
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda kill: carry_out(site, kill), kills))


def carry_out_all_twice(site: Site, stories: Sequence[Case], workers: int) -> list[Result]:
    with ThreadPoolExecutor(workers) as pool:
        counts = pool.map(lambda story: writes_of(site, story), stories)
        points = [
            (story, write)
            for story, count in zip(stories, counts, strict=True)
            for write in range(1, count + 1)
        ]
        found = pool.map(lambda point: carry_out_twice(site, *point), points)
        return [result for results in found for result in results]
