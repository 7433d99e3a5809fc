"""Runs in bad weather: seeded faults for every request, and each kind of trouble by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from testing.chaos.arena import Arena, Site
from testing.chaos.faults import Fault, Plan, every, peace, storm
from testing.chaos.kills import Result
from testing.chaos.stories import SECOND, STORIES, Story
from testing.command import Ended

SHARE = 0.05
WEATHER = (Fault.RESET, Fault.LOST, Fault.CONFLICT, Fault.THROTTLED, Fault.ERROR)
"""What each request may meet, each by that share."""


def carry_out_storm(site: Site, seed: int) -> Result:
    """One seeded run, of a story that the seed chooses: it ends finished and clean, without another run."""
    forwards = [story for story in STORIES if not story.goes_back]
    story = forwards[seed % len(forwards)]
    what = f"seed {seed}: {story.name}"
    return _result(site, story, what, f"{SHARE:.0%} each", storm(seed, SHARE, WEATHER))


def carry_out_storms(site: Site, seeds: Sequence[int], workers: int) -> list[Result]:
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda seed: carry_out_storm(site, seed), seeds))


@dataclass(frozen=True)
class Trouble:
    """One kind of fault, by itself. ``says``: what the command must have told of it."""

    name: str
    plan: Callable[[], Plan]
    disturb: Callable[[Arena], None] = lambda _arena: None
    """Called when the run begins."""
    says: tuple[str, ...] = ()
    slow: bool = False
    """Takes longer than a test in CI may."""


def at_write(arena: Arena, write: int, act: Callable[[], None]) -> None:
    """Have something happen right after that write."""
    arena.proxy.on_write = lambda number: act() if number == write else None


def _away(seconds: float) -> Callable[[Arena], None]:
    return lambda arena: at_write(arena, 3, lambda: arena.proxy.go_away(seconds))


def _requests(fault: Fault) -> Callable[[], Plan]:
    return partial(storm, 1, 0.3, (fault,))


def _writes(fault: Fault) -> Callable[[], Plan]:
    return partial(every, 2, fault, lambda asked: asked.is_write)


def _watches(number: int, fault: Fault) -> Callable[[], Plan]:
    return partial(every, number, fault, lambda asked: asked.is_watch)


def _none() -> Plan:
    return peace


BACK_AGAIN = ("API server unreachable", "API server reachable again")
DEAF = (
    Trouble("watches accepted, nothing delivered", _watches(1, Fault.SILENT)),
    Trouble("watches not even accepted", _watches(1, Fault.HELD)),
    Trouble("every 2nd watch accepted, nothing delivered", _watches(2, Fault.SILENT)),
)
"""Watches as a proxy has them that buffers what it passes on."""
TROUBLES = (
    Trouble("30 % of the requests: reset before they took effect", _requests(Fault.RESET)),
    Trouble("30 % of the requests: carried out, the answer lost", _requests(Fault.LOST)),
    Trouble("every 2nd write: carried out, the answer lost", _writes(Fault.LOST)),
    Trouble("every 2nd write: 409, nothing changed", _writes(Fault.CONFLICT)),
    Trouble("30 % of the requests: 429 with Retry-After", _requests(Fault.THROTTLED)),
    Trouble("30 % of the requests: 500", _requests(Fault.ERROR)),
    Trouble("30 % of the requests: 503", _requests(Fault.UNAVAILABLE)),
    Trouble("30 % of the answers: 1 s late", _requests(Fault.SLOW)),
    Trouble("30 % of the answers: cut in half", _requests(Fault.HALF)),
    Trouble("watches cut every 0.5 s", _watches(1, Fault.CUT)),
    Trouble("every 2nd watch answered with 410", _watches(2, Fault.GONE)),
    Trouble("410 in the stream of every 2nd watch", _watches(2, Fault.GONE_LATER)),
    Trouble("410 in the stream of every watch", _watches(1, Fault.GONE_LATER), slow=True),
    *DEAF,
    Trouble("the API server unreachable for 3 s", _none, _away(3.0), BACK_AGAIN),
    Trouble("the API server unreachable for 20 s", _none, _away(20.0), BACK_AGAIN, slow=True),
)


def carry_out_trouble(site: Site, trouble: Trouble) -> Result:
    return _result(site, SECOND, trouble.name, "faults one by one", trouble.plan(), trouble)


def carry_out_troubles(site: Site, troubles: Sequence[Trouble], workers: int) -> list[Result]:
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda trouble: carry_out_trouble(site, trouble), troubles))


def _result(
    site: Site, story: Story, what: str, group: str, plan: Plan, trouble: Trouble | None = None
) -> Result:
    started = time.monotonic()
    ended: Ended | None = None
    try:
        with site.arena() as arena:
            story.prepare(arena)
            arena.proxy.plan = plan
            if trouble is not None:
                trouble.disturb(arena)
            words = [each for each in story.command(arena) if not each.startswith("--timeout")]
            ended = arena.run(*words, "--timeout=5m")
            assert ended.status == 0, "the run failed"
            assert "Traceback" not in ended.stderr
            for each in trouble.says if trouble else ():
                assert each in ended.stdout + ended.stderr, f"it does not say {each!r}"
            story.assert_ended(arena)
    except Exception as error:  # every kind of failure is a result
        problem = f"{type(error).__name__}: {error}\n{ended or ''}"
        return Result(what, group, problem, time.monotonic() - started)
    return Result(what, group, "", time.monotonic() - started)
