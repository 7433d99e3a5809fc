"""Go's durations, as kubectl's flags read them: ``1m30s``, ``300ms``, ``1.5h``, ``0``. Seconds inside."""

from __future__ import annotations

import re

_MICROSECOND = 10**3
_UNITS = {
    "ns": 1,
    "us": _MICROSECOND,
    "µs": _MICROSECOND,
    "μs": _MICROSECOND,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
"""In nanoseconds; both characters that are used for micro are Go's, too."""
_PART = re.compile(r"(\d*)(?:\.(\d*))?([^.\d]*)", re.ASCII)
_LONGEST = 2**63 - 1
"""Go keeps a duration in 64 bits of nanoseconds: about 292 years."""


def parse_duration(text: str) -> float:
    """Seconds. Raises ValueError, in Go's words, for what Go's ``time.ParseDuration`` refuses."""
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return 0.0
    nanoseconds, position = 0, 0
    while position < len(body) or not body:
        match = _PART.match(body, position)
        whole, fraction, unit = match.groups() if match else ("", "", "")
        if not (whole or fraction):
            raise ValueError(f'time: invalid duration "{text}"')
        if not unit:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if unit not in _UNITS:
            raise ValueError(f'time: unknown unit "{unit}" in duration "{text}"')
        if len(whole.lstrip("0")) > 19:
            raise ValueError(f'time: invalid duration "{text}"')
        nanoseconds += int(whole[-19:] or 0) * _UNITS[unit]
        digits = (fraction or "")[:18]
        nanoseconds += int(digits or 0) * _UNITS[unit] // 10 ** len(digits)
        if nanoseconds > _LONGEST:
            raise ValueError(f'time: invalid duration "{text}"')
        position = match.end() if match else len(body)
    seconds = nanoseconds / 10**9
    return -seconds if text.startswith("-") else seconds


def format_duration(seconds: float) -> str:
    """As Go prints it, to the second where it is a minute or longer: ``1m30s``, ``2.5s``, ``300ms``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g}ms" if seconds else "0s"
    if seconds < 59.95:
        return f"{round(seconds, 1):g}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + f"{minutes}m{rest}s"
