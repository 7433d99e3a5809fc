"""What is large: given to the command as a process, which is refused within seconds and below 200 MiB."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from testing.command import ROOT, Running, environment
from testing.fuzz.guard import MEMORY

SECONDS = 120.0
"""For a hang; the machine may be busy."""
_MEGABYTE = 1 << 20
_MEASURED = """
import os, sys
sys.path.insert(0, sys.argv[1])
from testing.command import ROOT, Running, environment
from testing.fuzz.guard import peak
from rollupdate.cli.main import main
status = main(sys.argv[3:])
open(sys.argv[2], "w").write(str(peak() or ""))
sys.exit(status)
"""
"""The command, and what it has taken: a parent cannot tell, a child begins with what its parent had."""


def _bomb(separator: str) -> bytes:
    """Each line ten times the one before, eleven times: 10^11 values."""
    lines = ["a0: &a0 {x: 1}" if separator == "<<: " else "a0: &a0 [x]"]
    for n in range(1, 12):
        ten = ", ".join([f"*a{n - 1}"] * 10)
        body = f"{{<<: [{ten}]}}" if separator == "<<: " else f"[{ten}]"
        lines.append(f"a{n}: &a{n} {body}")
    return "\n".join(lines).encode()


FILES: dict[str, Callable[[], bytes]] = {
    "10 MB of text": lambda: b"a" * 10_000_000,
    "10 MB of one line of JSON": lambda: b'{"kind": "' + b"x" * 10_000_000 + b'"}',
    "10 MB of zeros": lambda: bytes(10_000_000),
    "10 MB of random bytes": lambda: os.urandom(10_000_000),
    "8 MB outside of the basic plane": lambda: "\U0001f600".encode() * 2_000_000,
    "3 MB of numbers in YAML": lambda: b"x: [" + b"1," * 1_500_000 + b"]",
    "3 MB of numbers in JSON": lambda: b'{"x": [' + b"1," * 1_500_000 + b"1]}",
    "3 MB of objects in JSON": lambda: b'{"x": [' + b"{}," * 1_000_000 + b"1]}",
    "3 MB of keys in JSON": lambda: json.dumps({f"k{n}": n for n in range(200_000)}).encode(),
    "3 MB of objects in YAML": lambda: b"\n".join(b"- {a: {}}" for _ in range(300_000)),
    "3 MB of brackets": lambda: b"[" * 3 * _MEGABYTE,
    "3 MB of brackets in JSON": lambda: b'{"a": ' + b"[" * (3 * _MEGABYTE - 8),
    "3 MB of dashes": lambda: b"- " * (_MEGABYTE * 3 // 2),
    "3 MB of escapes": lambda: b'{"a": "' + b"\\u0041" * (_MEGABYTE // 2 - 2) + b'"}',
    "an alias bomb": lambda: _bomb(""),
    "a merge bomb": lambda: _bomb("<<: "),
    "UTF-16": lambda: ('{"kind": "ReplicationController"}' * 50_000).encode("utf-16"),
    "a gzip": lambda: b"\x1f\x8b\x08\x00" + os.urandom(_MEGABYTE),
}


@dataclass(frozen=True)
class Large:
    name: str
    seconds: float
    mebibytes: int
    problem: str


def carry_out(name: str, words: list[str], files: dict[str, bytes]) -> Large:
    """The command with these files in its folder: an error for the user, in time, in memory."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for each, content in files.items():
            (Path(folder) / each).write_bytes(content)
        peak = Path(folder) / "peak"
        variables = environment(PATH=os.defpath, HOME=folder, KUBECONFIG=f"{folder}/config")
        program = [sys.executable, "-c", _MEASURED, str(ROOT), str(peak), *words]
        running = Running(program, variables, Path(folder))
        try:
            ended = running.end(SECONDS)
        except TimeoutError:
            return Large(name, SECONDS, 0, f"has not ended after {SECONDS:g} s")
        finally:
            running.close()
        text = peak.read_text() if peak.exists() else ""
        taken = int(text) if text else 0
    said = ended.stderr
    problem = ""
    if ended.status != 1 or "Traceback" in said or not said.startswith("error: "):
        problem = f"exit status {ended.status}: {said[:2000]}"
    elif len(said) > 2000:
        problem = f"an error of {len(said)} characters: {said[:200]}"
    elif taken > MEMORY:
        problem = f"takes {taken} MiB"
    return Large(name, ended.seconds, taken, problem)


_NOWHERE = json.dumps(
    {
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c"}}],
        "current-context": "x",
    }
).encode()


def file_as(what: str, name: str) -> Large:
    """One of the files, as a ``manifest`` or as a ``kubeconfig``."""
    content = FILES[name]()
    if what == "kubeconfig":
        return carry_out(f"{name}, as a kubeconfig", ["a", "--image=b"], {"config": content})
    files = {"config": _NOWHERE, "rc.yaml": content}
    return carry_out(f"{name}, as a manifest", ["a", "-f", "rc.yaml"], files)


def carry_out_all() -> Iterator[Large]:
    """Each file as a manifest and as a kubeconfig, and files that have no end."""
    for name in FILES:
        yield file_as("manifest", name)
        yield file_as("kubeconfig", name)
    endless = {
        "users": [{"name": "u", "user": {"tokenFile": "/dev/zero"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    config = json.dumps(endless).encode()
    image = ["a", "--image=b", "--request-timeout=5"]
    yield carry_out("a token file without an end", image, {"config": config})
    words = [*image, "--certificate-authority=/dev/zero", "--server=https://127.0.0.1:1"]
    yield carry_out("a certificate without an end", words, {"config": _NOWHERE})
    yield carry_out("a kubeconfig without an end", [*image, "--kubeconfig=/dev/zero"], {})
    yield carry_out("a manifest without an end", ["a", "-f", "/dev/zero"], {"config": _NOWHERE})
    yield carry_out("100,000 words", ["a"] * 100_000, {"config": _NOWHERE})
    yield carry_out("a word of 100 KB", ["a" * 100_000, "--timeout=" + "9" * 100_000], {})
