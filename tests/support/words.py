"""Words in the place of which the field has a term, or a sentence a subject."""

from __future__ import annotations

import re

_AVOIDED = re.compile(
    r"\bsomebody\b|beyond hope|\blet go of\b|for each in |where there is|that there (is|are|were)|it was told"
    r"|under its eyes",
    re.IGNORECASE,
)


def avoided(text: str) -> list[str]:
    """Those that ``text`` has, with some of what is around them, also if a line ends within."""
    joined = " ".join(text.split())
    return [joined[max(0, found.start() - 40) : found.end() + 40] for found in _AVOIDED.finditer(joined)]
