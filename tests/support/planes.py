"""Which tests share a real control plane: with pytest-xdist, one plane for each of two groups.

A plane of each worker's own would be twice as many. Each takes ten seconds of a processor to start, and some
percent of one as long as it runs, whether it is asked anything or not.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle

import pytest

GROUPS = ("plane-1", "plane-2")
"""The names of the groups (mark ``xdist_group``). Two: the other workers have enough to do."""


def deal(items: Iterable[pytest.Item]) -> None:
    """Put the tests that need a plane into the groups by turns, but for those that are in a group already."""
    groups = cycle(GROUPS)
    for item in items:
        if item.get_closest_marker("realplane") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(next(groups)))
