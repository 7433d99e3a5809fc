"""JSON on one line that reads the same as YAML: what a revision is sent as."""

from __future__ import annotations

import json
import re

from rollupdate.objects import Json

_NOT_PLAIN = re.compile(r"[^\x20-\x7e]")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"(?P<key>: )?')
_SIMPLE_KEY = 1024
"""Characters. YAML reads no longer key, quotes included, unless a ``?`` stands before it."""


def json_as_yaml(obj: Json) -> str:
    """JSON on one line that reads the same as YAML.

    YAML has no surrogates, few unescaped characters, and no long key without a question mark before it.
    """

    def escaped(found: re.Match[str]) -> str:
        code = ord(found[0])
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

    def marked(found: re.Match[str]) -> str:
        return f"? {found[0]}" if found["key"] and len(found[0]) > _SIMPLE_KEY // 2 else found[0]

    return _STRING.sub(marked, _NOT_PLAIN.sub(escaped, json.dumps(obj, ensure_ascii=False)))
