"""The pictures of an update in docs/, from commands that really run on the sandbox: ``make pictures``.

``demo.svg`` is what ``make demo`` prints. ``live.svg`` and ``timeline.svg`` are one update, which a quota
stops for some seconds: the terminal at that time, and the file of its ``--timeline``. ``states.svg`` is
drawn by hand, and ``performance.svg`` is written by ``make bench``.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyte
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from testing.client import Client
from testing.command import COMMAND
from testing.kubeconfig import read
from testing.namespace import Namespace
from testing.objects import Json
from testing.sandbox import KubeletConfig, Sandbox
from testing.sandbox.server import Server
from tests.support.terminal import Terminal

COLUMNS, ROWS = 104, 24
UPDATE = ["my-nginx", "my-nginx-v2", "--image=nginx:1.9.1"]
QUOTA: Json = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "team"},
    "spec": {"hard": {"pods": "8"}},
}
CONTROLLER: Json = {
    "apiVersion": "v1",
    "kind": "ReplicationController",
    "metadata": {"name": "my-nginx"},
    "spec": {
        "replicas": 8,
        "selector": {"app": "nginx", "deployment": "v1"},
        "template": {
            "metadata": {"labels": {"app": "nginx", "deployment": "v1"}},
            "spec": {"containers": [{"name": "nginx", "image": "nginx:1.7.9"}]},
        },
    },
}


def write(docs: Path) -> list[Path]:
    """Draw all of them into ``docs``; their paths."""
    demo, live, timeline = docs / "demo.svg", docs / "live.svg", docs / "timeline.svg"
    demo.write_text(svg(_demo()), encoding="utf-8")
    live.write_text(svg(_update(timeline)), encoding="utf-8")
    return [demo, live, timeline]


def _demo() -> list[Text]:
    ran = subprocess.run([sys.executable, "-m", "demo"], capture_output=True, text=True, check=True)
    lines = [line for line in ran.stdout.splitlines() if not line.startswith(("sandbox ready", "(by "))]
    return [_prompt(line) for line in "\n".join(lines).strip().splitlines()]


def _prompt(line: str) -> Text:
    return Text(line, style="bold green" if line.startswith("$ ") else "")


def _update(timeline: Path) -> list[Text]:
    """Run the update to its end; what its terminal showed while the quota stopped it."""
    with (
        tempfile.TemporaryDirectory(prefix="pictures-") as name,
        Sandbox(real_time=True, kubelet=KubeletConfig(ready_after=0.6)) as sandbox,
        Server(sandbox) as server,
    ):
        kubeconfig = server.write_kubeconfig(Path(name) / "kubeconfig")
        namespace = Namespace(Client(read(kubeconfig)), "default")
        namespace.have(CONTROLLER)
        terminal = Terminal(
            [*COMMAND, *UPDATE, f"--timeline={timeline}"],
            {"PATH": os.environ["PATH"], "KUBECONFIG": str(kubeconfig)},
            Path(__file__).parent.parent,
            columns=COLUMNS,
            rows=ROWS,
        )
        try:
            terminal.until(lambda lines: "Scaling my-nginx-v2 up to 3" in lines, "the third new pod")
            namespace.call("POST", namespace.path("resourcequotas"), QUOTA)
            terminal.until(lambda lines: "exceeded" in " ".join(lines), "the reason")
            # A moment later the view shows how long nothing has moved.
            terminal.until(lambda lines: "no progress for 5s" in " ".join(lines), "the time")
            shown = list(_styled(terminal.written))
            namespace.call("DELETE", namespace.path("resourcequotas", "team"))
            assert terminal.end() == 0
        finally:
            terminal.close()
    return [_prompt(f"$ kubectl rolling-update {' '.join(UPDATE)}"), *shown]


def _styled(written: bytes) -> Iterator[Text]:
    """The lines of a terminal that has been written to, in its colours."""
    screen = pyte.Screen(COLUMNS, ROWS)
    pyte.ByteStream(screen).feed(written)
    rows = max(number for number, line in enumerate(screen.display) if line.strip()) + 1
    for number in range(rows):
        line = Text()
        for column in range(COLUMNS):
            cell = screen.buffer[number][column]
            colour = "" if cell.fg == "default" else cell.fg.replace("brown", "yellow")
            line.append(cell.data, style=f"{'bold ' if cell.bold else ''}{colour}".strip())
        line.rstrip()
        yield line


def svg(lines: list[Text]) -> str:
    """The lines, drawn as a terminal."""
    width = max(line.cell_len for line in lines) + 1
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    for line in lines:
        console.print(line, soft_wrap=True)
    drawn = console.export_svg(title="kubectl rolling-update", theme=SVG_EXPORT_THEME)
    # Nobody who looks at it fetches a font for it.
    drawn = re.sub(r"@font-face\s*{[^}]*}", "", drawn).replace("Fira Code, monospace", "monospace")
    return re.sub(r"[ \t]+$", "", drawn, flags=re.MULTILINE).rstrip("\n") + "\n"
