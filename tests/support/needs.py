"""Programs that some tests need. Where one is missing the test is skipped with the reason, or fails where
everything is required (``ROLLUPDATE_REQUIRE_CONTROL_PLANE=1``)."""

from __future__ import annotations

import importlib.util
import shutil
from typing import NoReturn

import pytest

from controlplane.acquire import required


def program(name: str) -> str:
    """Where it is."""
    found = shutil.which(name)
    if found is None:
        give_up(f"the program {name} is not installed")
    return found


def module(name: str) -> None:
    if importlib.util.find_spec(name) is None:
        give_up(f"the Python package {name} is not installed; run 'make setup-release'")


def give_up(reason: str) -> NoReturn:
    if required():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
