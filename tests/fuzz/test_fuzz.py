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
from tests.support import needs

# Groups are begun first: the longest of these tests would be the last one to end.
pytestmark = [pytest.mark.sweep, pytest.mark.xdist_group("fuzz")]

ROOT = Path(__file__).parents[2]
INPUTS = 1000
SEED = 1
"""The same inputs each time: what is new is found by ``make fuzz``."""
PLANTED = "tests.fuzz.planted"
ENGINES = ["hypothesis", *(["atheris"] if importlib.util.find_spec("atheris") else [])]


def run_fuzz(*words: str) -> str:
    asked = [sys.executable, "-m", "testing.fuzz", "--seed", str(SEED), "--small", *words]
    ran = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_no_input_brings_it_down(tmp_path: Path) -> None:
    """Command lines, files, answers of servers and plugins: each target its share."""
    said = run_fuzz("--inputs", str(INPUTS), "--engine", "hypothesis")
    for each in table.targets(tmp_path):
        assert re.search(rf"^{each.name} .* [1-9]\d* inputs .* nothing found$", said, re.MULTILINE)
    total = re.search(r"^fuzz: (\d+) inputs", said, re.MULTILINE)
    # Of a target with few different inputs hypothesis makes no more than there are.
    assert total is not None, said
    assert int(total[1]) > INPUTS // 2


def test_the_engine_that_follows_the_code_is_asked_as_well() -> None:
    """It takes six seconds to begin with each target, so the others are left to ``make fuzz``."""
    needs.module("atheris")
    said = run_fuzz("--inputs", "50", "--engine", "atheris", "--only", "manifests")
    assert re.search(r"^manifests +atheris +50 inputs .* nothing found$", said, re.MULTILINE)


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
