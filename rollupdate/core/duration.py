"""Go's durations, as kubectl's flags read them: ``1m30s``, ``300ms``, ``1.5h``, ``0``. Seconds inside."""

from __future__ import annotations

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_LONGEST = (2**63 - 1) * 1e-9
"""Go keeps a duration in 64 bits of nanoseconds: about 292 years."""


def parse_duration(text: str) -> float:
    """Seconds. Raises ValueError, in Go's words, for what Go's ``time.ParseDuration`` refuses."""
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return 0.0
    seconds, position = 0.0, 0
    while match := _PART.match(body, position):
        seconds += float(match[1]) * _UNITS[match[2]]
        position = match.end()
    if not body or position != len(body):
        problem = "missing unit in" if re.fullmatch(r"(\d+\.?\d*|\.\d+)", body, re.ASCII) else "invalid"
        raise ValueError(f'time: {problem} duration "{text}"')
    if seconds > _LONGEST:
        raise ValueError(f'time: invalid duration "{text}"')
    return -seconds if text[0] == "-" else seconds


def format_duration(seconds: float) -> str:
    """As Go prints it, to the second where it is a minute or longer: ``1m30s``, ``2.5s``, ``300ms``."""
    if seconds < 1:
        return f"{seconds * 1000:g}ms" if seconds else "0s"
    if seconds < 60:
        return f"{round(seconds, 1):g}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + f"{minutes}m{rest}s"
