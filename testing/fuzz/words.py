"""What is typed: command lines, durations, amounts, completion. An input is words with a NUL between them."""

from __future__ import annotations

import io
import math
import os
import sys
from typing import Any
from unittest import mock

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from rollupdate.cli import completion, kinds
from rollupdate.cli.flags import FLAGS
from rollupdate.cli.main import main
from rollupdate.core.model.budget import Amount
from rollupdate.core.model.duration import format_duration
from rollupdate.report.text import printable
from testing.fuzz.guard import DefectError

STATUSES = (0, 1, 3, 130)
ENVIRONMENT = {"HOME": "/nonexistent", "PATH": os.defpath}
_VALUES = (
    *(
        "",
        "my-nginx",
        "next",
        "rc/my-nginx",
        "nginx:1.9.1",
        "default",
        "true",
        "false",
        "json",
        "client",
        "5",
    ),
    *(
        "1m30s",
        "25%",
        "-",
        "--",
        "/nonexistent",
        "http://127.0.0.1:1/x",
        "https://a:b@[::1",
        "a=b",
        "\x1b[2J",
    ),
    *(
        "9" * 30,
        "1e9h",
        ".5s",
        "5 %",
        "-1",
        "\u202e",
        "\udcff",
        '"',
        'a,"b',
        "k8s.io/x",
        "=",
        "٣",
        "--rollback=x",
    ),
)
_FORMS = [
    form
    for flag in FLAGS
    for form in (f"--{flag.name}", f"--{flag.name}=", *([f"-{flag.short}"] if flag.short else []))
]


def joined(words: list[str]) -> bytes:
    return b"\0".join(each.encode("utf-8", "surrogateescape") for each in words)


def _words(data: bytes) -> list[str]:
    return [each.decode("utf-8", "surrogateescape") for each in data.split(b"\0")]


_VALUE = st.sampled_from(_VALUES) | st.text(max_size=12)
_WORD = st.one_of(_VALUE, st.sampled_from(_FORMS), st.builds(str.__add__, st.sampled_from(_FORMS), _VALUE))
LINES: SearchStrategy[bytes] = st.lists(_WORD, max_size=8).map(joined)
LINE_SEEDS = [
    joined(["my-nginx", "--image=nginx:1.9.1", "--timeout=5m", "--max-surge=25%"]),
    joined(["frontend-v1", "-f", "/nonexistent", "--keep-name", "-o", "json", "-v=9"]),
    joined(["frontend-v1", "frontend-v2", "--rollback", "--", "-x"]),
]


def run_main(words: list[str]) -> tuple[int, str, str]:
    """The whole command in this process: its exit status and streams."""
    out, err = io.BytesIO(), io.BytesIO()
    streams: dict[str, Any] = {
        "stdin": io.TextIOWrapper(io.BytesIO()),
        "stdout": io.TextIOWrapper(out, encoding="utf-8"),
        "stderr": io.TextIOWrapper(err, encoding="utf-8"),
    }
    with mock.patch.multiple(sys, **streams), mock.patch.dict(os.environ, ENVIRONMENT, clear=True):
        status = main(words)
        streams["stdout"].flush()
        streams["stderr"].flush()
    return status, out.getvalue().decode(), err.getvalue().decode()


def a_command_line(data: bytes) -> None:
    """There is no cluster: it is refused, or help is given."""
    words = _words(data)
    if words[0] == "__complete":  # which ends the process
        return
    status, out, err = run_main(words)
    if status not in STATUSES:
        raise DefectError(f"exit status {status}")
    if (status == 0) != (err == ""):
        raise DefectError(f"exit status {status} with {err!r}")
    for text in (out, err):
        if "Traceback" in text or printable(text) != text.replace("\t", "\\t"):
            raise DefectError(f"not fit for a terminal: {text!r}")


def a_duration(data: bytes) -> None:
    """Or an amount, a number, a boolean: whatever stands behind a flag."""
    text = data.decode("utf-8", "surrogateescape")
    for parse in (kinds.duration, kinds.timeout, kinds.number, kinds.amount, kinds.boolean, kinds.dry_run):
        try:
            value = parse(text)
        except ValueError as error:
            if not str(error):
                raise DefectError("an error without words") from error
            continue
        if isinstance(value, float):
            if not (math.isfinite(value) and value >= 0):
                raise DefectError(f"a duration of {value}")
            format_duration(value)
        if isinstance(value, Amount) and not 0 <= value.of(2**31 - 1, round_up=True) < 2**62:
            raise DefectError(f"an amount of {value}")


_DURATION = st.lists(
    st.one_of(
        st.integers().map(str),
        st.floats(allow_nan=False).map(str),
        st.sampled_from(
            ["h", "m", "s", "ms", "us", "µs", "ns", "%", ".", "-", "+", "_", "d", " ", "e9", "٣"]
        ),
    ),
    max_size=7,
).map("".join)
DURATIONS: SearchStrategy[bytes] = (_DURATION | st.text(max_size=12)).map(
    lambda text: text.encode("utf-8", "surrogateescape")
)
DURATION_SEEDS = [b"1h15m30.918s", b"300ms", b"25%", b"-1.5h", b"0", b"9223372036854775807ns"]


def a_line_to_complete(data: bytes) -> None:
    """Each candidate is one line, and nothing goes wrong whatever was typed."""
    answer = completion.answer(_words(data), ENVIRONMENT)
    for line in answer.lines().splitlines():
        if not line.replace("\t", "").isprintable():
            raise DefectError(f"not one line: {line!r}")
