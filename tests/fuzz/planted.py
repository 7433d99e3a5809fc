"""Targets that are wrong on purpose: what the fuzzing must see."""

from __future__ import annotations

import ctypes
import json
import sys
import time
from pathlib import Path

from hypothesis import strategies as st

from testing.fuzz import guard
from testing.fuzz.target import Target

guard.CPU_SECONDS = 0.5
_kept: list[bytearray] = []


def _raises(data: bytes) -> None:
    if len(data) > 3:
        json.loads("{")


def _ends(_data: bytes) -> None:
    sys.exit(0)


def _hangs(_data: bytes) -> None:
    while True:
        try:
            time.perf_counter()
        except Exception:  # what a guard raises must get through
            continue


def _grows(_data: bytes) -> None:
    _kept[:] = [bytearray(b"x" * (160 * 1024 * 1024))]


def _crashes(_data: bytes) -> None:
    ctypes.string_at(0)


def targets(folder: Path) -> list[Target]:
    def writes(_data: bytes) -> None:
        (folder / "written").write_text("x")

    made = st.binary(max_size=20)
    feeds = (_raises, _ends, _hangs, writes, _grows, _crashes)
    return [
        *(Target(feed.__name__.strip("_"), feed, made, [b""], 1) for feed in feeds),
        Target("harmless", lambda _data: None, made, [b"abc"], 1),
    ]
