"""The control plane as a pytest fixture, and what to say where there is none.

Load it once, at the top: ``pytest_plugins = ["testing.controlplane.pytest_plugin"]``. The fixture is one
plane a session, so one a worker under pytest-xdist; a worker whose tests don't ask for it starts none.

PYTEST_DONT_REWRITE: nothing here asserts, and a conftest may import from here before pytest loads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from testing.controlplane.acquire import acquire, required
from testing.controlplane.plane import ControlPlane
from testing.controlplane.unavailable import Unavailable

PREFIX = "the real control plane is not available: "
"""How the reason of every such skip begins, by which the summary finds it again (also from other workers)."""


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A running control plane; without one the test is skipped, or fails where it is required."""
    try:
        plane = acquire()
    except Unavailable as error:
        give_up(error)
    with plane:
        yield plane


def give_up(error: Unavailable) -> NoReturn:
    """Skip the test with the reason, or fail it under ROLLUPDATE_REQUIRE_CONTROL_PLANE=1."""
    if required():
        pytest.fail(PREFIX + error.reason, pytrace=False)
    pytest.skip(PREFIX + error.reason)


def summary(terminal_reporter: Any, prefix: str = PREFIX) -> list[str]:
    """Lines for the end of a report (hook ``pytest_terminal_summary``), one for each reason that begins with
    ``prefix``; none if nothing was missed."""
    missed: dict[str, int] = {}
    for report in terminal_reporter.getreports("skipped"):
        # A skip's longrepr is (file, line, "Skipped: reason").
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _, found, reason = text.partition(prefix)
        if found:
            missed[reason] = missed.get(reason, 0) + 1
    return [f"{count} tests were skipped: {prefix}{reason}" for reason, count in missed.items()]
