"""One target in a process of its own: ``python -m testing.fuzz.runner TARGET ENGINE INPUTS SEED FOLDER``.

What it is fed is in a file before it is fed, so that even a crash of the interpreter leaves the input.
"""

from __future__ import annotations

import importlib
import mmap
import struct
import sys
import traceback
from pathlib import Path
from typing import Any

from testing.fuzz.guard import Guard

DEFECT = 70
"""Exit status where an input has found something."""
LARGEST = 1 << 20
_HEAD = struct.Struct("QQ")


class Log:
    """How many inputs there were, and the last one."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_HEAD.size + LARGEST))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)

    @property
    def count(self) -> int:
        return int(_HEAD.unpack_from(self._memory)[0])

    @property
    def last(self) -> bytes:
        size = _HEAD.unpack_from(self._memory)[1]
        return self._memory[_HEAD.size : _HEAD.size + size]

    def note(self, data: bytes) -> None:
        kept = data[:LARGEST]
        self._memory[_HEAD.size : _HEAD.size + len(kept)] = kept
        _HEAD.pack_into(self._memory, 0, self.count + 1, len(kept))


def main(name: str, engine: str, inputs: int, seed: int, folder: Path, module: str) -> None:
    sys.argv = sys.argv[:1]
    if engine == "atheris":
        import atheris

        with atheris.instrument_imports(include=["rollupdate"]):
            table: Any = importlib.import_module(module)
    else:
        table = importlib.import_module(module)
    target = next(each for each in table.targets(folder) if each.name == name)
    log = Log(folder / f"{name}-{engine}.log")
    guard = Guard()

    def feed(data: bytes) -> None:
        log.note(data)
        target.prepare(data)
        try:
            with guard.watching():
                target.feed(data)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit as well: no input ends the program by itself
            raise FoundError(data) from error

    try:
        (_guided if engine == "atheris" else _random)(target, feed, inputs, seed, folder)
    except FoundError as error:
        report(error, folder / f"{name}-{engine}.txt")
        sys.exit(DEFECT)
    except BaseExceptionGroup as several:  # hypothesis has found more than one
        for each in several.exceptions:
            report(each, folder / f"{name}-{engine}.txt")
        sys.exit(DEFECT)


class FoundError(Exception):
    """For hypothesis, which then looks for a smaller input of that kind."""

    def __init__(self, data: bytes) -> None:
        super().__init__(f"the input was {data!r}")


def report(error: BaseException, path: Path) -> None:
    """What came of the input, and the input."""
    told = "".join(traceback.format_exception(error.__cause__ or error, limit=-6, chain=False))
    with path.open("a") as file:
        file.write(f"{told}{error}\n")


def _random(target: Any, feed: Any, inputs: int, seed: int, _folder: Path) -> None:
    import hypothesis

    checks = list(hypothesis.HealthCheck)
    options = hypothesis.settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),  # explaining takes hundreds of runs more
        suppress_health_check=checks,
        print_blob=False,
    )
    given: Any = hypothesis.given(target.inputs)
    seeded: Any = hypothesis.seed(seed)
    seeded(options(given(lambda data: feed(data))))()


def _guided(target: Any, feed: Any, inputs: int, seed: int, folder: Path) -> None:
    import atheris

    corpus = folder / f"{target.name}-corpus"
    corpus.mkdir()
    for number, each in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(each)

    def one(data: bytes) -> None:
        try:
            feed(data)
        except FoundError as error:
            report(error, folder / f"{target.name}-atheris.txt")
            raise

    words = [
        f"-runs={inputs}",
        f"-seed={seed % 2**31 or 1}",
        "-max_len=4096",
        "-print_final_stats=0",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *words, f"-artifact_prefix={folder}/", str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    name, engine, inputs, seed, folder, module = sys.argv[1:]
    main(name, engine, int(inputs), int(seed), Path(folder), module)
