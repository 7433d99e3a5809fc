"""What somebody who builds upon the package sees: its types, from the wheel, by mypy --strict."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from rollupdate.version import __version__
from tests.packaging.conftest import ROOT

pytestmark = [pytest.mark.built, pytest.mark.xdist_group("types")]  # built once

CONSUMER = Path(__file__).with_name("consumer.py").read_text()
MISTAKES = {
    "an argument": ("SetImage(image)", "SetImage(1)", "arg-type"),
    "an argument of a callable": ("Session(now), now)", "Session(now), None)", "arg-type"),
    "none given": ("Session(now), now)", "Session(now))", "call-arg"),
    "what comes back": ("now), Step)", "now), Create)", "assert-type"),
    "None where there may be none": ("    assert goal.target is not None\n", "", "union-attr"),
    "no such name": ("import Create,", "import Creates as Create,", "attr-defined"),
}


@dataclass(frozen=True)
class Environment:
    """One with the wheel in it and nothing else, and the folder of a program that is written upon it."""

    python: Path
    folder: Path

    def mypy(self, program: str) -> str:
        (self.folder / "consumer.py").write_text(program)
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "consumer.py"),
                *("--python-executable", str(self.python)),
            ],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stderr == ""
        return ran.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Made without the network: built with the setuptools of the tests, and without what a run depends on."""
    folder = tmp_path_factory.mktemp("consumer")
    source = folder / "source"  # not the checkout: what is built leaves something behind
    for name in ("rollupdate", "man"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    local = ["--no-index", "--no-deps"]
    _run([*pip, "wheel", *local, "--no-build-isolation", "--wheel-dir", str(folder), str(source)])
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")])
    [wheel] = folder.glob("*.whl")
    _run([*pip, "--python", str(folder / "venv"), "install", *local, str(wheel)])
    (folder / "program").mkdir()
    return Environment(folder / "venv" / "bin" / "python", folder / "program")


def _run(command: list[str]) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_a_program_upon_the_package_is_checked_strictly_and_runs(environment: Environment) -> None:
    """The core and the start of the command need no other package."""
    assert environment.mypy(CONSUMER) == ""
    said = _run([str(environment.python), str(environment.folder / "consumer.py")])
    assert said == f"create next 0\nkubectl rolling-update v{__version__}\n"


@pytest.mark.parametrize(("right", "wrong", "code"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_such_a_program_is_found(
    environment: Environment, right: str, wrong: str, code: str
) -> None:
    assert CONSUMER.count(right) == 1
    [line] = environment.mypy(CONSUMER.replace(right, wrong)).splitlines()
    assert line.startswith("consumer.py:")
    assert line.endswith(f"[{code}]")
