"""``python -m testing.chaos``: everything, on the sandbox and on the real control plane, and a report.

What is a test as well (signals, races, rights) is run by pytest and tabulated from there.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

from testing.chaos import kills, storms
from testing.chaos.arena import Site
from testing.chaos.configs import CONFIG_MOVES
from testing.chaos.evicting import EVICTIONS
from testing.chaos.kills import Result
from testing.chaos.migrating import MOVES
from testing.chaos.report import Section, markdown
from testing.chaos.rows import TABLES
from testing.chaos.stories import STORIES
from testing.command import ROOT
from testing.controlplane.acquire import acquire
from testing.controlplane.openshift import openshift
from testing.controlplane.private import PrivatePlane
from testing.sandbox import KubeletConfig, Sandbox
from testing.sandbox.server import Server

PAGE = "docs/reliability.md"
QUICK = KubeletConfig(ready_after=0.03, terminate_after=0.02)
TESTS = [
    *sorted((ROOT / "tests" / "chaos").glob("test_*.py")),
    ROOT / "tests" / "engine" / "test_kills.py",  # the same in process, where every pair of kills is tried
    ROOT / "tests" / "engine" / "test_properties.py",
    ROOT / "tests" / "engine" / "test_superseding.py",
]
LONG = {
    ROOT / "tests" / "engine" / name: about
    for name, about in {
        "test_two_updates.py": "Two updates of one controller, begun at the same moment, in every order.",
        "test_undo.py": "A return to a revision: killed, turned round, killed again.",
        "test_ownership_clients.py": "Two clients while pods change owners, each stopped at every write.",
        "test_ownership_others.py": "Others scale, edit and delete while pods change owners; pods end.",
        "test_pauses.py": "A pause on the way: killed at every write before and after it; on, or back.",
        "test_evicting.py": "Old pods go by eviction: stopped by a signal at every write.",
        "test_evicting_kills.py": "The same, killed, cut off or met by another client at every write.",
        "test_config_carried.py": "What goes along from a DeploymentConfig, also if it is taken back.",
        "test_config_migration.py": "From a DeploymentConfig and back: killed at every write; on, or back.",
        "test_config_others.py": "A DeploymentConfig that others unpause, scale, edit or delete meanwhile.",
        "test_migration_others.py": "A move to a Deployment or back: disturbed, killed twice, turned round.",
        "test_migration_unrecorded.py": "Record or controller of a move is taken away by another client.",
        "test_migration.py": "A move to a Deployment or back: killed at every write, and then either way.",
        "test_migration_dry_run.py": "A dry run of a move says what the run does, from anywhere.",
        "test_ownership.py": "Pods that change owners: turned round at every write, and turned again.",
        "test_migration_kept.py": "The same with a history and with an autoscaler.",
        "test_edits.py": "Another client edits a template, or takes annotations off, at every write.",
        "test_replaced.py": "Another client replaces the old controller by a file, at every write.",
        "test_running.py": "Pods that run another version than the template says: killed at every write.",
        "test_belonging.py": "Owners and finalizers of the controllers: killed at every write.",
        "test_answers.py": "One answer is lost, or another than it should be, at every write; on by itself.",
        "test_upgrades.py": "The API server is replaced by another version at every write.",
    }.items()
}
LONG |= {
    ROOT / "tests" / "compat" / "test_states.py": "An update that an older client has left; on, or back.",
    ROOT / "tests" / "compat" / "test_moves.py": "A move that an older client has left; on, or back.",
}
"""Tests that try a part of their cases in the gate and all of them here: one row for each module."""


PARTS = ("sandbox", "twice", "real", "tests")


def _git(*words: str) -> str:
    found = subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True)
    return found.stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m testing.chaos", description=__doc__)
    parser.add_argument("--report", type=Path, default=ROOT / PAGE)
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="the rest of the page stays")
    parser.add_argument("--workers", type=int, default=3, help="runs at once")
    parser.add_argument("--seeds", type=int, default=200, help="runs in bad weather on the sandbox")
    parser.add_argument("--real-seeds", type=int, default=50, help="the same on the real control plane")
    given = parser.parse_args()
    version = _git("describe", "--always")
    if _git("status", "--porcelain", "--", ".", f":!{PAGE}"):
        version += "-dirty"  # another part of the page changes nothing
    failed = []
    for part in given.only:
        sections = made(part, given.seeds, given.real_seeds, given.workers)
        before = given.report.read_text() if given.report.exists() else ""
        given.report.write_text(markdown(sections, version, before))
        failed += [each for section in sections for each in section.failed]
    for each in failed:
        print(f"\n--- {each.what}\n{each.problem}")
    print(f"chaos: {len(failed)} failed; see {given.report}")
    return 1 if failed else 0


def made(part: str, seeds: int, real_seeds: int, workers: int) -> list[Section]:
    """The sections of one part of the page."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        folder = Path(name)
        if part == "tests":
            return from_tests(folder, workers)
        if part == "real":
            with acquire(kubelet=QUICK) as plane, contextlib.ExitStack() as beside:
                # On another's cluster no kind is defined.
                if isinstance(plane, PrivatePlane):
                    beside.enter_context(openshift(plane))
                site = Site(plane.write_kubeconfig(folder / "real"), folder)
                return on_site(site, part, "on the real control plane", real_seeds, workers)
        with (
            Sandbox(real_time=True, kubelet=QUICK, deployment_configs=True) as sandbox,
            Server(sandbox) as server,
        ):
            site = Site(server.write_kubeconfig(folder / "sandbox"), folder)
            if part == "twice":
                return [killed_twice(site, workers)]
            return on_site(site, part, "on the sandbox", seeds, workers)


def on_site(site: Site, part: str, where: str, seeds: int, workers: int) -> list[Section]:
    """Kills, faults one by one, and storms."""
    cases = (*STORIES, *EVICTIONS, *MOVES, *(CONFIG_MOVES if site.is_openshift() else ()))
    killed = Section(
        part,
        f"Killed at every write, {where}",
        "SIGKILL at each write, before the server saw it or after it had answered; then the same command, or "
        "the other direction. The cells name the writes at which that was done and which ended as they must.",
        _timed(
            f"kills {where}",
            lambda: kills.carry_out_all(site, kills.kills_of(site, cases, workers), workers),
        ),
    )
    single = Section(
        part,
        f"Faults one by one, {where}",
        "The update continues and finishes by itself, and reports an API server that is unreachable or "
        "reachable again.",
        _timed(f"faults {where}", lambda: storms.carry_out_troubles(site, storms.TROUBLES, workers)),
    )
    single.results = [replace(each, group=each.what) for each in single.results]
    stormy = Section(
        part,
        f"Bad weather, {where}",
        "Each request meets one of: reset, lost answer, 409, 429, 500. Seeded, each run of another seed.",
        _timed(f"storms {where}", lambda: storms.carry_out_storms(site, range(seeds), workers)),
    )
    return [killed, single, stormy]


def killed_twice(site: Site, workers: int) -> Section:
    """On the sandbox only: it is some hundreds of runs."""
    return Section(
        "twice",
        "Killed twice, on the sandbox",
        "SIGKILL after a write (the column); then the same command is killed as well, at each of its own "
        "writes (the cells), before and after in turn; the third run finishes.",
        _timed(
            "killed twice",
            lambda: kills.carry_out_all_twice(
                site, (*STORIES, EVICTIONS[1], MOVES[0], MOVES[2], *CONFIG_MOVES), workers
            ),
        ),
    )


def _timed(what: str, run: object) -> list[Result]:
    started = time.monotonic()
    assert callable(run)
    results: list[Result] = run()
    failed = sum(1 for each in results if each.problem)
    print(f"{what}: {len(results)} runs, {failed} failed, {time.monotonic() - started:.0f} s", flush=True)
    return results


def from_tests(folder: Path, workers: int) -> list[Section]:
    """The tests: a section for each module, a row for each test (see ``rows``)."""
    report = folder / "tests.xml"
    files = map(str, (*TESTS, *LONG))
    words = [sys.executable, "-m", "pytest", "-q", f"-n{workers}", f"--junitxml={report}", *files]
    subprocess.run(words, cwd=ROOT, check=False, env={**os.environ, "ROLLUPDATE_LONG_TESTS": "1"})
    sections = {}
    for path in TESTS:
        table = TABLES[path.stem]
        sections[path.stem] = (Section("tests", table.title, table.about), {**docstrings(path), **table.rows})
    long = Section(
        "tests",
        "In process, every case",
        "The client is killed, stopped and disturbed at each of its writes, on a sandbox with its own clock.",
    )
    sections |= {path.stem: (long, {}) for path in LONG}
    modules = {path.stem: about for path, about in LONG.items()}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        module = case.get("classname", "").rpartition(".")[2]
        name = case.get("name", "")
        section, said = sections[module]
        # Skipped is not passed: there it was not shown.
        outcome: list[ElementTree.Element] = [
            found for kind in ("failure", "error", "skipped") for found in case.findall(kind)
        ]
        problem = "".join(each.get("message", "failed") for each in outcome)
        group = modules.get(module) or said.get(name.partition("[")[0], name)
        section.results.append(Result(name, group, problem))
    told = {id(section): section for section, _ in sections.values() if section.results}
    return list(told.values())


def docstrings(path: Path) -> dict[str, str]:
    """The tests of a module by name, each with the first line of its docstring."""
    return {
        test.name: (ast.get_docstring(test) or test.name).splitlines()[0]
        for test in ast.parse(path.read_text()).body
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_")
    }


if __name__ == "__main__":
    sys.exit(main())
