"""What is to be kept in an annotation as text: JSON, compressed where it is long.

The server stores no more than ``record.LARGEST_ANNOTATIONS``, and quotes in a template double it.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

PACKED_FROM = 64 * 1024
"""Characters of a transfer from which on it is compressed."""
LARGEST_UNPACKED = 8 * 1024 * 1024
"""Bytes."""


def compact(body: dict[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def packed(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode("utf-8", "surrogatepass"), 9)).decode("ascii")


def unpacked(text: str) -> str:
    """Raises ValueError if it is something else, or more than any object that the server stores."""
    reader = zlib.decompressobj()
    try:
        found = reader.decompress(base64.b64decode(text, validate=True), LARGEST_UNPACKED)
    except zlib.error as error:
        raise ValueError("not packed") from error
    if not reader.eof:
        raise ValueError("cut short, or too long")
    return found.decode("utf-8", "surrogatepass")
