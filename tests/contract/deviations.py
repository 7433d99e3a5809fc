"""Where the sandbox is known to answer otherwise than the real API server, and why that is left so.

An entry that is not true any more fails its case: see ``test_requests``. Servers of different releases
answer differently, in words above all, and the sandbox answers as one: an entry may be of some releases only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LOOKED_AT = (20, 36)
"""Releases of Kubernetes, 1.20 and 1.36, on which all of this was found. On any other one an entry may be
true or not: from when to when exactly is not known."""


@dataclass(frozen=True)
class Deviation:
    """Why these cases differ at these places (``0.message``: of the first answer; ``[*]``: any index).

    A place of a number alone is an answer with another status. ``since`` and ``until`` are the first and the
    last of the releases looked at that differ so.
    """

    reason: str
    places: tuple[str, ...]
    cases: tuple[str, ...]
    since: int = LOOKED_AT[0]
    until: int = LOOKED_AT[-1]


def place(path: str) -> str:
    """The path of a difference as a deviation names it."""
    return re.sub(r"\[\d+\]", "[*]", path)


def known(case: str, minor: int) -> set[str]:
    """Where the answers of a server 1.``minor`` to that case may differ from the sandbox's."""
    return {place for entry in _of(case) if _may_be(entry, minor) for place in entry.places}


def certain(case: str, minor: int) -> set[str]:
    """Where they do, as far as that is known."""
    return known(case, minor) if minor in LOOKED_AT else set()


def _of(case: str) -> Iterator[Deviation]:
    return (entry for entry in DEVIATIONS if case in entry.cases)


def _may_be(entry: Deviation, minor: int) -> bool:
    return minor not in LOOKED_AT or entry.since <= minor <= entry.until


_MESSAGE = ("0.message",)
_MESSAGE_AND_CAUSE = ("0.message", "0.details.causes[*].message")

DEVIATIONS = (
    Deviation(
        "The server's decoder quotes the bytes around what does not fit; here the field is named.",
        _MESSAGE,
        (
            "create: replicas of text",
            "create: replicas of a fraction",
            "create: too many replicas",
            "create: a label of a number",
            "create: labels of a list",
            "create: a name of a number",
            "create: containers of text",
            "create: a selector of numbers",
            "create: a spec of text",
            "put: text for replicas",
            "put a scale of text",
            "delete: text for grace",
        ),
    ),
    Deviation(
        "The same of a patch, with the whole object before it, its keys in one of several orders.",
        _MESSAGE_AND_CAUSE,
        (
            "JSON patch: replicas of text",
            "JSON patch: a label of a number",
            "merge patch: another kind",
            "merge patch: replicas of text",
            "strategic patch: replicas of text",
            "patch a scale with text",
        ),
    ),
    Deviation(
        "What is wrong with broken JSON is said in the words of Go, or of Python.",
        _MESSAGE,
        (
            "create: no JSON",
            "put: no JSON",
            "JSON patch: no JSON",
            "strategic patch: no JSON",
            "delete: no JSON",
            "a token that is none",
        ),
    ),
    Deviation(
        "The server prints Go values: pointers, times, the difference of two structures.",
        _MESSAGE_AND_CAUSE,
        (
            "create: two controllers",
            "put: a time of deletion",
            "put a pod: a container's name",
            "put a pod: another node",
            "merge patch of a pod's spec",
            "revision: other data",
        ),
    ),
    Deviation(
        "The server compares a revision's data to the byte, and a patch writes them anew, without blanks: it "
        "refuses every patch of one that was not sent like that. The sandbox has no bytes.",
        ("0", "1", "2.metadata.annotations", "2.metadata.resourceVersion", "2.revision"),
        ("revision: patch",),
    ),
    Deviation(
        "Nothing shows the descriptions of columns.",
        ("0.columnDefinitions[*].description",),
        ("a controller as a table", "controllers as a table", "a table of whole objects", "pods as a table"),
    ),
    Deviation(
        "Restarts are a text as from 1.22 on, where it tells as well when the last was.",
        ("0.columnDefinitions[*].type", "0.rows[*].cells[*]"),
        ("pods as a table",),
    ),
    Deviation(
        "Fields that the server does not know are kept: the sandbox has no schema.",
        ("0.spec.nonsense",),
        ("create: fields nobody knows",),
    ),
    Deviation(
        "There are no managedFields here, which a PUT without them changes, and with them the version.",
        ("1.metadata.resourceVersion", "2.metadata.resourceVersion"),
        ("put: written anew",),
    ),
    Deviation(
        "Nothing depends on pods: the policy of their deletion is not heeded.",
        ("0.metadata.finalizers",),
        ("delete a pod: in the foreground", "delete a pod: orphaning"),
    ),
    Deviation(
        "Negative grace is none.",
        ("0.metadata.deletionGracePeriodSeconds",),
        ("delete a pod: with negative grace",),
    ),
)
