"""Made-up input of every kind, some thousands of it (``make fuzz``: 100,000), and what the fuzzing sees."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from testing.fuzz import __main__ as fuzz
from testing.fuzz import heavy, table

# Groups are begun first: the longest of these tests would be the last one to end.
pytestmark = [pytest.mark.sweep, pytest.mark.xdist_group("fuzz")]

ROOT = Path(__file__).parents[2]
INPUTS = 2000
SEED = 1
"""The same inputs each time: what is new is found by ``make fuzz``."""
PLANTED = "tests.fuzz.planted"
ENGINES = ["hypothesis", *(["atheris"] if importlib.util.find_spec("atheris") else [])]


def test_no_input_brings_it_down(tmp_path: Path) -> None:
    """Command lines, files, answers of servers and plugins, by both engines, each target its share."""
    words = ["--inputs", str(INPUTS), "--seed", str(SEED), "--small"]
    ran = subprocess.run(
        [sys.executable, "-m", "testing.fuzz", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for each in table.targets(tmp_path):
        assert re.search(rf"^{each.name} .* [1-9]\d* inputs .* nothing found$", ran.stdout, re.MULTILINE)
    total = re.search(r"^fuzz: (\d+) inputs", ran.stdout, re.MULTILINE)
    # Of a target with few different inputs hypothesis makes no more than there are.
    assert total is not None, ran.stdout
    assert int(total[1]) > INPUTS // 2


@pytest.mark.parametrize("name", ["a merge bomb", "3 MB of numbers in YAML", "3 MB of objects in JSON"])
@pytest.mark.parametrize("what", ["manifest", "kubeconfig"])
def test_large_files_are_refused(name: str, what: str) -> None:
    """In seconds and below 200 MiB, by the command as a process."""
    found = heavy.file_as(what, name)
    assert not found.problem, found


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("raises", "JSONDecodeError"),
        ("ends", "SystemExit"),
        ("hangs", "s of CPU time"),
        ("writes", "it writes: open"),
        ("grows", "MiB on top of what there was"),
        ("crashes", "the last input was"),
    ],
)
def test_what_is_wrong_is_found(target: str, says: str, engine: str, tmp_path: Path) -> None:
    """A traceback, an end of the program, a hang, a write, too much memory, a crash: each is reported."""
    ran = fuzz.run(target, engine, 50, SEED, tmp_path, PLANTED)
    assert says in ran.problem


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_right_is_not(engine: str, tmp_path: Path) -> None:
    """And each of its inputs is counted."""
    ran = fuzz.run("harmless", engine, 50, SEED, tmp_path, PLANTED)
    assert not ran.problem
    assert ran.inputs >= 50
