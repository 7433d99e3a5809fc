"""A Role as YAML with comments, ready to be applied. Pure text of ``rollupdate.rights``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from rollupdate.report.text import printable
from rollupdate.report.yaml_text import dumped
from rollupdate.rights import Rule

_WIDTH = 120


def role(name: str, namespace: str, about: str, rules: Iterable[Rule]) -> str:
    """``about``: paragraphs over it, each a line."""
    lines = [line for paragraph in about.splitlines() for line in _comment(printable(paragraph), "")]
    lines += ["apiVersion: rbac.authorization.k8s.io/v1", "kind: Role", "metadata:"]
    lines.append(f"  name: {name}")
    if namespace:
        lines.append(f"  {dumped({'namespace': namespace}).strip()}")
    lines.append("rules:")
    for rule in rules:
        lines += _rule(rule)
    return "".join(f"{line}\n" for line in lines)


def _rule(rule: Rule) -> Iterator[str]:
    if rule.why:
        yield from _comment(rule.why + _ending(rule), "  ")
    indent = "  # " if rule.suggested else "  "
    yield f'{indent}- apiGroups: ["{rule.group}"]'
    yield f"{indent}  resources: [{_listed(rule.resources)}]"
    yield f"{indent}  verbs: [{_listed(rule.verbs)}]"


def _ending(rule: Rule) -> str:
    if not rule.optional:
        return ""
    return " optional" if rule.why.endswith(", else") else "; optional"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _comment(text: str, indent: str) -> list[str]:
    start = f"{indent}# "
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=start,
        subsequent_indent=start,
        break_long_words=False,
        break_on_hyphens=False,
    )
