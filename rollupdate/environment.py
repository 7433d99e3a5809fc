"""The environment of programs that are started from here: the user's, not that of a bundled program."""

from __future__ import annotations

import sys
from collections.abc import Mapping


def clean_environment(environ: Mapping[str, str], *, frozen: bool | None = None) -> dict[str, str]:
    """The user's environment: a program bundled by PyInstaller has put its own library path into it, with
    which other programs may not even start, and keeps the user's under ``*_ORIG``."""
    result = dict(environ)
    if not (getattr(sys, "frozen", False) if frozen is None else frozen):
        return result
    for name in ("LD_LIBRARY_PATH", "LIBPATH", "DYLD_LIBRARY_PATH"):
        original = result.pop(f"{name}_ORIG", None)
        if original is not None:
            result[name] = original
        elif name in result:
            del result[name]
    return {name: value for name, value in result.items() if name != "_MEIPASS2" and name[:5] != "_PYI_"}
