"""The picture in the README: the demo's own output, drawn as a terminal.

``python -m demo.picture FILE.svg`` runs the demo and writes what it printed.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 1
    ran = subprocess.run([sys.executable, "-m", "demo"], capture_output=True, text=True, check=True)
    lines = [line for line in ran.stdout.splitlines() if not line.startswith(("sandbox ready", "(by "))]
    text = "\n".join(lines).strip()
    width = max(map(len, text.splitlines())) + 1
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    for line in text.splitlines():
        console.print(Text(line, style="bold green" if line.startswith("$ ") else ""), soft_wrap=True)
    svg = console.export_svg(title="kubectl rolling-update", theme=SVG_EXPORT_THEME)
    # Whoever looks at it fetches no font for it.
    svg = re.sub(r"@font-face\s*{[^}]*}", "", svg).replace("Fira Code, monospace", "monospace")
    Path(sys.argv[1]).write_text(svg)
    return 0


if __name__ == "__main__":
    sys.exit(main())
