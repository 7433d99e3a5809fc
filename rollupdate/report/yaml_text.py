"""Values as YAML that every reader takes for the same values: what prints YAML imports this when it is
needed."""

from __future__ import annotations

from typing import Any

import yaml

from rollupdate import scalars


def dumped(value: Any, *, sort_keys: bool = True, allow_unicode: bool = False, width: int = 80) -> str:
    """In block style."""
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        default_flow_style=False,
        sort_keys=sort_keys,
        allow_unicode=allow_unicode,
        width=width,
    )
    return text


class _Dumper(yaml.SafeDumper):
    """PyYAML leaves a text like ``y``, ``08`` or ``1e3`` without quotes, which kubectl takes for a boolean or
    a number."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if _is_text(text) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _is_text(text: str) -> bool:
    try:
        return isinstance(scalars.plain(text), str)
    except ValueError:
        return False


_Dumper.add_representer(str, _text)
