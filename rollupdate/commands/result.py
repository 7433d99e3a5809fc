"""What a command returns. Nothing is printed here: ``cli.main`` does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rollupdate.errors import EXIT_OK
from rollupdate.report.printers import Document, Objects


@dataclass(frozen=True, kw_only=True)
class Result:
    """``output`` is for standard output: texts, or what ``-o`` prints. If it ``streams``, it lasts as long as
    what it tells of. ``notes`` are lines for standard error before it, ``remarks`` those after it."""

    status: int = EXIT_OK
    notes: tuple[str, ...] = ()
    output: Iterable[str | Objects | Document] = ()
    streams: bool = False
    remarks: tuple[str, ...] = ()
