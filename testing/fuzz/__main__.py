"""``python -m testing.fuzz``: every target, each in processes of its own; a line for each and one for all.

Half of the inputs are made by hypothesis and half, where it can be imported, by atheris; else all by the
former. What is large goes to the command as a process (``heavy``).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testing.fuzz import heavy
from testing.fuzz.runner import Log

ROOT = Path(__file__).parents[2]
TABLE = "testing.fuzz.table"
LONGEST = 3600.0
"""Seconds for one process."""


@dataclass(frozen=True)
class Ran:
    """One target under one engine. ``problem`` is empty where nothing was found."""

    name: str
    engine: str
    inputs: int
    seconds: float
    problem: str


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m testing.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="of all targets together")
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--only", metavar="TARGET", help="this one gets all the inputs")
    parser.add_argument("--engine", choices=["hypothesis", "atheris"], help="default: both, half and half")
    parser.add_argument("--small", action="store_true", help="without the large files")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes at once")
    parser.add_argument("--table", default=TABLE, help=argparse.SUPPRESS)  # its own tests have another one
    given = parser.parse_args(words)
    seed = int(time.time()) if given.seed is None else given.seed
    engines = [given.engine] if given.engine else ["hypothesis", "atheris"]
    if "atheris" in engines and importlib.util.find_spec("atheris") is None:
        print("atheris is not installed (pip install '.[fuzz]'): no inputs led by coverage", flush=True)
        engines.remove("atheris")
    results: list[Ran] = []
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name, ThreadPoolExecutor(given.workers) as pool:
        folder = Path(name)
        parts = _shares(given.table, folder, given.inputs, given.only, len(engines))
        jobs = [
            pool.submit(run, target, engine, inputs, seed, folder, given.table)
            for target, inputs in parts
            for engine in engines
        ]
        for job in jobs:
            results.append(job.result())
            each = results[-1]
            outcome = "FOUND SOMETHING" if each.problem else "nothing found"
            line = f"{each.name:16} {each.engine:10} {each.inputs:7} inputs {each.seconds:5.0f} s  {outcome}"
            print(line, flush=True)
    if given.only is None and not given.small:
        for large in heavy.carry_out_all():
            results.append(Ran(large.name, "process", 1, large.seconds, large.problem))
            measured = f"{large.mebibytes} MiB" if large.mebibytes else "memory not measured"
            print(
                f"{large.name}: {measured}, {large.seconds:.1f} s  {large.problem or 'refused'}", flush=True
            )
    found = [each for each in results if each.problem]
    for each in found:
        print(f"\n--- {each.name}, {each.engine}\n{each.problem}")
    total = sum(each.inputs for each in results)
    print(f"fuzz: {total} inputs, seed {seed}, {len(found)} of {len(results)} found something")
    return 1 if found else 0


def _shares(table: str, folder: Path, inputs: int, only: str | None, engines: int) -> list[tuple[str, int]]:
    """Of each target its name and how many inputs each engine makes."""
    module: Any = importlib.import_module(table)
    targets = [each for each in module.targets(folder) if only in (None, each.name)]
    if not targets:
        sys.exit(f"error: there is no target {only}")
    whole = sum(each.share for each in targets)
    return [(each.name, -(-inputs * each.share // (whole * engines))) for each in targets]


def run(target: str, engine: str, inputs: int, seed: int, folder: Path, table: str) -> Ran:
    """In a process of its own, to its end."""
    started = time.monotonic()
    words = [
        sys.executable,
        "-m",
        "testing.fuzz.runner",
        target,
        engine,
        str(inputs),
        str(seed),
        str(folder),
        table,
    ]
    environment = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
    ended = subprocess.run(
        words,
        cwd=ROOT,
        env={**environment, "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LONGEST,
        check=False,
    )
    log, text = Log(folder / f"{target}-{engine}.log"), folder / f"{target}-{engine}.txt"
    problem = text.read_text() if text.exists() else ""
    if ended.returncode != 0 and not problem:
        said = ended.stdout.decode("utf-8", "replace")[-3000:]
        problem = f"ended with {ended.returncode}; the last input was {log.last[:2000]!r}\n{said}"
    if log.count == 0 and not problem:
        problem = "no input was made"
    return Ran(target, engine, log.count, time.monotonic() - started, problem)


if __name__ == "__main__":
    sys.exit(main())
