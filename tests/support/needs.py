"""Programs that some tests need. Where one is missing the test is skipped with the reason, or fails where
everything is required (``ROLLUPDATE_REQUIRE_CONTROL_PLANE=1``)."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from testing.controlplane.acquire import required

PREFIX = "not installed here: "
"""How the reason of every such skip begins, by which the summary finds it again."""


def program(name: str) -> str:
    """Where it is."""
    found = shutil.which(name)
    if found is None:
        give_up(f"the program {name}")
    return found


def module(name: str) -> None:
    if importlib.util.find_spec(name) is None:
        give_up(f"the Python package {name} (make setup-release installs it)")


def file(path: Path) -> Path:
    """``path``, which a package of the system brings."""
    if not path.exists():
        give_up(f"the file {path}")
    return path


def give_up(reason: str) -> NoReturn:
    """Skip the test, or fail it where everything is required."""
    if required():
        pytest.fail(PREFIX + reason, pytrace=False)
    pytest.skip(PREFIX + reason)
