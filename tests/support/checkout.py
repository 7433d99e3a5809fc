"""The programs of the checkout under their names, for a folder that is put on PATH."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def put(folder: Path, *names: str) -> None:
    """Those, run by the interpreter of the tests, whose packages they find."""
    for name in names:
        (folder / name).write_text(f"#!/bin/sh\nexec '{sys.executable}' '{ROOT / name}' \"$@\"\n")
        (folder / name).chmod(0o755)
