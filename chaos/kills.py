"""Killed at every write, before and after it took effect; then the same command, or the other direction."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from chaos.arena import Ended, Site
from chaos.stories import Story

NOTHING_TO_DO = ("must be provided when --image is the same", "to rollback", "not found", "already")
"""What the second run may answer where the first had come to its end, or had not yet begun."""


@dataclass(frozen=True)
class Kill:
    story: Story
    write: int
    before: bool
    turned: bool

    def __str__(self) -> str:
        moment = "before" if self.before else "after"
        then = "the other direction" if self.turned else "the same command"
        return f"{self.story.name}: killed {moment} write {self.write}, then {then}"


@dataclass(frozen=True)
class Result:
    what: str
    group: str
    problem: str = ""
    """Empty where it ended as it must."""
    seconds: float = 0.0


def writes_of(site: Site, story: Story) -> int:
    """How many writes the story has when nothing goes wrong; it must end well, too."""
    with site.arena() as arena:
        story.prepare(arena)
        ended = arena.run(*story.command(arena))
        assert ended.status == 0, f"{story.name}: {ended}"
        story.assert_ended(arena)
        return arena.proxy.writes


def kills_of(site: Site, stories: Sequence[Story], workers: int) -> list[Kill]:
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
    started = time.monotonic()
    story = kill.story
    said: list[Ended] = []
    try:
        with site.arena() as arena:
            story.prepare(arena)
            first = arena.run(*story.command(arena), trap=(kill.write, kill.before))
            said.append(first)
            # A write that met a conflict is one more, so a run may have one less than the one counted.
            assert arena.proxy.sprung or first.status == 0, f"not killed at write {kill.write}"
            # The last write of every story is a deletion.
            done = arena.proxy.log[-1:] != [] and arena.proxy.log[-1].startswith("DELETE")
            words = story.turned(arena) if kill.turned else story.command(arena)
            second = arena.run(*words)
            said.append(second)
            none = kill.turned and not story.goes_back and kill.before and kill.write == 1
            if second.status != 0:
                assert done or none, "the second run failed"
                assert any(each in second.stderr for each in NOTHING_TO_DO), "the second run failed"
            # Killed after the very last write it had come to its end: what is over cannot be turned round.
            too_late = done and second.status != 0
            story.assert_ended(arena, turned=kill.turned and not too_late)
    except Exception as error:  # every kind of failure is a result
        talk = "\n".join(str(each) for each in said)
        problem = f"{type(error).__name__}: {error}\n{talk}"
        return Result(str(kill), story.name, problem, time.monotonic() - started)
    return Result(str(kill), story.name, "", time.monotonic() - started)


def carry_out_all(site: Site, kills: Iterable[Kill], workers: int) -> list[Result]:
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda kill: carry_out(site, kill), kills))
