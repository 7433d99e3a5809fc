"""``python -m tests.docs.printed FILE``: whether FILE has what standard input says, with status 0 or 1.

Hashes, names of pods, times, ages and the name of the user may be others, and a line ``...`` is any number of
lines. Below a command that prints nothing is an empty line.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

_OTHERWISE = (
    (r"[0-9a-f]{32}-[a-z0-9]{5}\b", "POD"),
    (r"[0-9a-f]{32}", "HASH"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"\b\d+s ago\b", "AGE"),
    (r"\bby \S+@\S+", "by USER"),
)


def fits(printed: str, shown: str) -> bool:
    """Whether a page may show ``shown`` for it."""
    parts = re.split(r"^\.\.\.\n", shown, flags=re.MULTILINE)
    pattern = "(?:.*\n)*?".join(re.escape(_alike(part)) for part in parts)
    return re.fullmatch(pattern, _alike(printed)) is not None


def _alike(text: str) -> str:
    for pattern, word in _OTHERWISE:
        text = re.sub(pattern, word, text)
    return text


if __name__ == "__main__":
    printed = Path(sys.argv[1]).read_text()
    shown = sys.stdin.read().lstrip("\n")  # of a silent command: empty
    if not fits(printed, shown):
        print(f"--- the page shows\n{shown}--- and this was printed\n{printed}---")
        sys.exit(1)
