"""Strategies of hypothesis that make bytes: documents that are almost right, texts that are not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ODD = (
    *(b"", b"null", b"true", b"-1", b"1e999", b"9" * 400, b"NaN", b"0x", b'""', b"''", b"{}", b"[]", b"%"),
    *(
        b"\\ud800",
        b"\\u0000",
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\x1b[2J",
        b"\xe2\x80\xae",
        b"\r",
        b"\t",
    ),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b"'",
        b",",
        b":",
        b"\n",
        b"\n  ",
        b"- ",
        b"? ",
        b"| ",
        b"> ",
        b"#",
        b"%YAML 9",
    ),
    *(
        b"&a ",
        b"*a",
        b"<<: *a",
        b"<<: ",
        b"!!binary ",
        b"!!python/name:os ",
        b"!x ",
        b"!!int ",
        b"---\n",
        b"...\n",
    ),
    *(b"[" * 150, b'{"a":' * 150, b"- " * 150, b"<html><body>502 Bad Gateway</body></html>"),
)
"""What is put somewhere into a text."""


def bent(document: Any) -> SearchStrategy[Any]:
    """``document`` with something else in any of its places, or without it."""
    places: list[tuple[Any, ...]] = []

    def collect(value: Any, place: tuple[Any, ...]) -> None:
        places.append(place)
        pairs: Any = value.items() if isinstance(value, dict) else ()
        pairs = enumerate(value) if isinstance(value, list) else pairs
        for key, inner in pairs:
            collect(inner, (*place, key))

    collect(document, ())

    def bend(place: tuple[Any, ...], value: Any, leave_out: bool) -> Any:
        if not place:
            return value
        copy = json.loads(json.dumps(document))
        inner = copy
        for key in place[:-1]:
            inner = inner[key]
        if leave_out:
            del inner[place[-1]]
        else:
            inner[place[-1]] = value
        return copy

    return st.builds(bend, st.sampled_from(places), JSON, st.booleans())


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def as_yaml(value: Any) -> bytes:
    text: str = yaml.dump(value, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))
    return text.encode("utf-8", "replace")


def spliced(seeds: Sequence[bytes]) -> SearchStrategy[bytes]:
    """One of them with pieces cut out and odd ones put in."""

    def splice(text: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
        for at, cut, put in changes:
            begin = at % (len(text) + 1)
            text = text[:begin] + put + text[begin + cut :]
        return text

    change = st.tuples(
        st.integers(0, 1 << 20), st.integers(0, 30), st.sampled_from(ODD) | st.binary(max_size=6)
    )
    return st.builds(splice, st.sampled_from(seeds), st.lists(change, min_size=1, max_size=6))


def texts(documents: Sequence[Any], *, yaml_too: bool = False) -> SearchStrategy[bytes]:
    """JSON (and YAML) of documents with something wrong, and what is no document at all."""
    wrong = st.one_of([bent(each) for each in documents])
    kinds = [wrong.map(as_json), spliced([as_json(each) for each in documents]), st.binary(max_size=200)]
    kinds.append(JSON.map(as_json))
    if yaml_too:
        kinds += [wrong.map(as_yaml), spliced([as_yaml(each) for each in documents])]
        kinds.append(st.text(alphabet="{}[]:-,&*!|>?'\"%@` \n\tab01.~<", max_size=60).map(str.encode))
    return st.one_of(kinds)
