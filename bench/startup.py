"""What the client costs before it has done anything: its help, the time to the first request, its modules."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.command import BenchError, environment
from bench.figures import Goal, Row, Samples, Section, ratios
from testing.command import ROOT
from testing.kubeconfig import Access, write

COMMAND = ROOT / "kubectl-rolling_update"
HELP, FIRST = Goal(4.0), Goal(0.45, " s")
_MODULE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")


def timed(argv: list[str], kubeconfig: Path | None = None, *, fails_with: str = "") -> float:
    """Seconds of one run. ``fails_with``: words on standard error with which it is to fail."""
    started = time.perf_counter()
    ran = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(kubeconfig)
    )
    seconds = time.perf_counter() - started
    if (ran.returncode != 0) != bool(fails_with) or fails_with not in ran.stderr:
        raise BenchError(f"{argv} exited with {ran.returncode}; it said: {ran.stderr[:500]}")
    return seconds


def help_rows(repetitions: int) -> list[Row]:
    """Against a Python that does nothing, in turn."""
    bare: list[float] = []
    found: dict[str, list[float]] = {"--help": [], "--version": []}
    for _ in range(repetitions):
        bare.append(timed(["python3", "-c", "pass"]))
        for flag, values in found.items():
            values.append(timed([str(COMMAND), flag]))
    rows = [Row("`python3 -c pass`", f"{Samples.of(bare).show(3)} s")]
    for flag, values in found.items():
        ratio = ratios(values, bare)
        shown = f"{ratio.show(1)}, {Samples.of(values).median:.3f} s"
        why = "the imports of the table of flags"
        rows.append(Row(f"`{flag}`, to that", shown, ratio.median, HELP, why))
    return rows


class Doorbell:
    """A server that answers nothing: it knows when the first request comes."""

    def __init__(self, folder: Path) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(60)
        server = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.kubeconfig = write(folder / "kubeconfig-doorbell", Access(server=server))

    def ring(self, argv: list[str], errors: int = subprocess.DEVNULL) -> float:
        """Seconds from the start of the command to its first request; it is ended then."""
        started = time.perf_counter()
        process = subprocess.Popen(
            argv,
            env=environment(self.kubeconfig),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            connection, _ = self._listening.accept()
            with connection:
                connection.recv(1)
                return time.perf_counter() - started
        finally:
            process.kill()
            process.wait()

    def close(self) -> None:
        self._listening.close()


class NothingThere(BaseHTTPRequestHandler):
    """A server without any ReplicationController."""

    LIST = b'{"kind": "ReplicationControllerList", "apiVersion": "v1", "metadata": {}, "items": []}'

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.LIST)))
        self.end_headers()
        self.wfile.write(self.LIST)

    def log_message(self, format: str, *args: object) -> None:
        pass


def whole_runs(folder: Path, argv: list[str], repetitions: int, fails_with: str = "not found") -> Samples:
    """Seconds from the start of the command to its end, as it finds that there is no controller: all that it
    imports, and one request."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), NothingThere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        kubeconfig = write(
            folder / "kubeconfig-nothing", Access(server=f"http://127.0.0.1:{server.server_port}")
        )
        return Samples.of([timed(argv, kubeconfig, fails_with=fails_with) for _ in range(repetitions)])
    finally:
        server.shutdown()
        server.server_close()


def first_request(folder: Path, repetitions: int) -> tuple[list[Row], list[tuple[float, str]]]:
    """The rows, and the profile that explains them: modules by the milliseconds that their import takes."""
    bell = Doorbell(folder)
    update = ["web", "--image=image:1"]
    try:
        direct = Samples.of([bell.ring([str(COMMAND), *update]) for _ in range(repetitions)])
        through = Samples.of([bell.ring(["kubectl", "rolling-update", *update]) for _ in range(repetitions)])
        log = folder / "imports"
        with log.open("wb") as file:
            bell.ring([sys.executable, "-X", "importtime", str(COMMAND), *update], file.fileno())
        profile = modules(log.read_text())
    finally:
        bell.close()
    whole = whole_runs(folder, [str(COMMAND), *update], repetitions)
    tab = [str(COMMAND), "__complete", "--request-timeout=60", "web"]
    completed = whole_runs(folder, tab, repetitions, fails_with="")
    total = sum(milliseconds for milliseconds, _ in profile)
    why = f"imports take {total:.0f} ms of it (with the time that it takes to measure them); see below"
    return [
        Row("from start to the first request", f"{direct.show()} s", direct.median, FIRST, why),
        Row("the same, started by kubectl", f"{through.show()} s"),
        Row("from start to end, for a controller that is not there", f"{whole.show()} s"),
        Row("TAB, from start to end", f"{completed.show()} s"),
    ], profile


def modules(log: str) -> list[tuple[float, str]]:
    """From ``-X importtime``: milliseconds that each top-level package's own modules take, the most first."""
    found: dict[str, float] = {}
    for own, _, _, name in _MODULE.findall(log):
        package = name.split(".")[0]
        package = package if package in _TOLD else "the standard library"
        found[package] = found.get(package, 0.0) + int(own) / 1000
    return sorted(((value, name) for name, value in found.items()), reverse=True)


_TOLD = (
    "rollupdate",
    "kubernetes",
    "urllib3",
    "typer",
    "yaml",
    "jsonpatch",
    "jsonpointer",
    "pydantic",
    "rich",
)


def section(rows: list[Row], profile: list[tuple[float, str]]) -> Section:
    lines = ["| package | import, ms |", "|---|---|"]
    lines += [f"| {name} | {milliseconds:.0f} |" for milliseconds, name in profile]
    return Section(
        "The client",
        "The first request is sent before all of the program is imported, which goes on while the answer "
        "is under way. The table below the figures is the profile of the start up to that request "
        "(`-X importtime`), summed up by package.",
        rows,
        "\n".join(lines),
    )


def has_kubectl() -> bool:
    paths = os.environ.get("PATH", "").split(os.pathsep)
    return any((Path(each) / "kubectl").exists() for each in paths if each)
