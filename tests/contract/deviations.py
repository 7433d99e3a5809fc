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
    last of the releases looked at that differ so; ``always``: whenever they are asked.
    """

    reason: str
    places: tuple[str, ...]
    cases: tuple[str, ...]
    since: int = LOOKED_AT[0]
    until: int = LOOKED_AT[-1]
    always: bool = True


def place(path: str) -> str:
    """The path of a difference as a deviation names it."""
    return re.sub(r"\[\d+\]", "[*]", path)


def known(case: str, minor: int) -> set[str]:
    """Where the answers of a server 1.``minor`` to that case may differ from the sandbox's."""
    return {place for entry in _of(case, minor) for place in entry.places}


def certain(case: str, minor: int) -> set[str]:
    """Where they do, as far as that is known."""
    entries = _of(case, minor) if minor in LOOKED_AT else ()
    return {place for entry in entries if entry.always for place in entry.places}


def _of(case: str, minor: int) -> Iterator[Deviation]:
    for entry in DEVIATIONS:
        if case in entry.cases and (minor not in LOOKED_AT or entry.since <= minor <= entry.until):
            yield entry


_OF_APPS = tuple(
    name.format(kind)
    for kind in ("ReplicaSet", "Deployment")
    for name in (
        "create a {}: a selector of others",
        "create a {}: a selector of more",
        "create a {}: a selector of no label",
        "create a {}: an empty selector",
        "create a {}: without a selector",
        "create a {}: a null selector",
        "create a {}: without a spec",
        "create a {}: without a template",
        "create a {}: without labels for pods",
        "create a {}: in others",
        "create a {}: not in it",
        "create a {}: does not exist",
        "create a {}: in nothing",
        "create a {}: exists with values",
        "create a {}: an operator there is not",
        "create a {}: an expression without a key",
        "put a {}: a template of others",
        "put a {}: another selector",
        "put a {}: a selector of others",
        "put a {}: expressions",
        "put a {}: no selector",
        "put a {}: negative replicas",
        "put a {}: no containers",
        "put a {}: a bad label",
        "patch a {}: a selector",
        "patch a {}: another uid",
        "owners of a {}: moved, of another uid",
        "owners of a {}: two controllers",
    )
)
"""Cases in which several things are wrong, or in which one is found several times."""

_MESSAGE = ("0.message",)
_MESSAGE_AND_CAUSE = ("0.message", "0.details.causes[*].message")

DEVIATIONS = (
    Deviation(
        "The server's decoder quotes the bytes around what does not fit; here the field is named.",
        _MESSAGE,
        (
            "create: replicas of a fraction",
            "create: too many replicas",
            "create: labels of a list",
            "create a ReplicaSet: labels to match of a list",
            "create a Deployment: labels to match of a list",
            "create: containers of text",
            "create: a spec of text",
            "create a budget: a truth",
            "create a budget: a fraction",
            "create a budget: a selector of a list",
        ),
    ),
    Deviation(
        "So it is; the decoder of today names the field of these as well.",
        _MESSAGE,
        (
            "create: replicas of text",
            "create a ReplicaSet: replicas of text",
            "create a Deployment: replicas of text",
            "create a Deployment: paused, in text",
            "create: a label of a number",
            "create: a name of a number",
            "create: a selector of numbers",
            "put: text for replicas",
            "put a scale of text",
            "delete: text for grace",
            "ask for an eviction: a name of a number",
        ),
        until=20,
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
            "a token that is none",
        ),
    ),
    Deviation("So it is.", _MESSAGE, ("delete: no JSON",), until=20),
    Deviation(
        "The server prints Go values: pointers, times, the difference of two structures.",
        _MESSAGE_AND_CAUSE,
        (
            "create: two controllers",
            "create a budget: both",
            "put a pod: a container's name",
            "put a pod: another node",
            "merge patch of a pod's spec",
            "revision: other data",
        ),
    ),
    Deviation(
        "The same, of the second answer.",
        ("1.message", "1.details.causes[*].message"),
        (
            "owners, merged: a second controller",
            "owners, JSON patch: two controllers",
            "owners of a ReplicaSet: two controllers",
            "owners of a Deployment: two controllers",
            "change a budget: put both",
        ),
    ),
    Deviation("So it does, of times.", _MESSAGE_AND_CAUSE, ("put: a time of deletion",), until=20),
    Deviation(
        "The server compares a revision's data to the byte, and a patch writes them anew, without blanks: it "
        "refuses every patch of one that was not sent like that. The sandbox has no bytes.",
        ("0", "1", "2.metadata.annotations", "2.metadata.resourceVersion", "2.revision"),
        ("revision: patch",),
    ),
    Deviation(
        "Nothing shows the descriptions of columns.",
        ("0.columnDefinitions[*].description",),
        (
            "a controller as a table",
            "controllers as a table",
            "a table of whole objects",
            "pods as a table",
            "a ReplicaSet as a table",
            "replicasets as a table",
            "a Deployment as a table",
            "deployments as a table",
        ),
    ),
    Deviation(
        "So it is of the third answer.",
        ("2.columnDefinitions[*].description",),
        ("patch a Deployment: scaled without a ReplicaSet", "a budget as a table"),
    ),
    Deviation("And of the fourth.", ("3.columnDefinitions[*].description",), ("a budget as a table",)),
    Deviation(
        "A ReplicationController can be made a ReplicaSet: what is wrong with it is its version alone.",
        _MESSAGE,
        ("create a ReplicaSet: a controller among them",),
    ),
    Deviation(
        "Restarts are a text as from 1.22 on, where it tells as well when the last was.",
        ("0.columnDefinitions[*].type", "0.rows[*].cells[*]"),
        ("pods as a table",),
        until=20,
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
        until=20,
    ),
    Deviation(
        "Nor those of a scale, which the first PUT of one adds: a write.",
        ("1.metadata.resourceVersion", "2[*]"),
        ("watch: a scale and a status",),
        since=36,
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
    # What follows is said otherwise by the servers of today; the sandbox says it as those of 1.20 do.
    Deviation(
        "A map or a list is written as JSON is, not as Go does.",
        _MESSAGE_AND_CAUSE,
        (
            "create: a dry run of another kind",
            "create: an empty dry run",
            "create: a selector of others",
            "create: a selector of more",
            "put: a dry run of another kind",
            "put: a selector of others",
            "JSON patch: another kind of dry run",
            "merge patch: a selector alone",
            "delete: another dry run",
        ),
        since=36,
    ),
    Deviation(
        "What is wrong is a cause once, not twice.",
        ("0.details.causes[*]",),
        (
            "put: a selector of others",
            "put: negative replicas",
            "put: a bad label",
            "put: several mistakes",
            "put: no containers",
            "JSON patch: negative replicas",
            "JSON patch: no template",
            "merge patch: a selector alone",
        ),
        since=36,
    ),
    Deviation(
        "Too long: counted in bytes, and said in other words.",
        _MESSAGE_AND_CAUSE,
        (
            "create: a long name",
            "create: a long label value",
            "create: a long label key",
            "create: large annotations",
        ),
        since=36,
    ),
    Deviation(
        "Expected, as it is so of other kinds; not looked at on 1.36. A wrong reference, or another uid, "
        "of a pod is a cause once, not twice or four times, and in other words.",
        ("0.details.causes[*]", "1.details.causes[*]", "1.message", "1.details.causes[*].message"),
        (
            "owners, merged: a second controller",
            "owners, merged: moved, of another uid",
            "owners, JSON patch: two controllers",
            "owners, JSON patch: no name",
            "owners, replaced: of another uid",
        ),
        since=36,
        always=False,
    ),
    Deviation(
        "Expected, as it is so of ReplicationControllers; not looked at on 1.36: what is wrong is a cause "
        "once, and in other words.",
        (
            "0.details.causes[*]",
            "0.details.causes[*].field",
            "0.details.causes[*].message",
            "0.details.causes[*].reason",
            "0.message",
            "1.details.causes[*]",
            "1.details.causes[*].message",
            "1.message",
        ),
        _OF_APPS,
        since=36,
        always=False,
    ),
    Deviation(
        "Not looked at on 1.36.",
        ("0", "0.message", "0.details.causes[*]", "0.details.causes[*].message"),
        ("create an autoscaler: a minimum of 0", "create an autoscaler: a negative minimum"),
        since=36,
        always=False,
    ),
    Deviation(
        "Expected, not looked at on 1.36: a missing version is 0, not 0x0.",
        ("1.message", "1.details.causes[*].message"),
        ("change a budget: put without a version", "change a budget: put version 0"),
        since=36,
        always=False,
    ),
    Deviation(
        "Expected, not looked at on 1.36: what a budget says that allows none, though enough are healthy.",
        tuple(f"{answer}.details.causes[*].message" for answer in (2, 4, 5)),
        ("evict: a budget that is behind", "evict: neither of both"),
        since=36,
        always=False,
    ),
    Deviation(
        "The same: until a new budget has been counted it is behind, which takes a moment.",
        ("4.details.retryAfterSeconds", "5.details.retryAfterSeconds"),
        ("evict: a budget that is behind",),
        since=36,
        always=False,
    ),
    Deviation("An owner's field is not named twice.", _MESSAGE_AND_CAUSE, ("create: a bad owner",), since=36),
    Deviation(
        "A selector that does not parse, in other words.",
        _MESSAGE,
        (
            "list by labels: app web",
            "list by labels: -bad=1",
            "list by labels: app=-bad",
            "list by labels: x>three",
            "watch: a bad selector",
        ),
        since=36,
    ),
    Deviation(
        "That the namespace is another one, without saying which.",
        _MESSAGE,
        ("put: another namespace", "JSON patch: another namespace"),
        since=36,
    ),
    Deviation(
        "A patch that is none, in the words of another decoder.",
        _MESSAGE,
        ("JSON patch: no list", "JSON patch: nothing sent", "JSON patch: no operations"),
        since=36,
    ),
    Deviation("What there is instead is said.", _MESSAGE, ("a representation there is not",), since=36),
    Deviation(
        "A scale that is not there is a controller that is not there.",
        ("3.details.group", "3.details.kind", "3.message"),
        ("get what is not there",),
        since=36,
    ),
    Deviation(
        "A mistake of the client's is 400, not 500 or 422.",
        ("0",),
        (
            "list at a version that is none",
            "merge patch: a list",
            "merge patch: text",
            "merge patch: no JSON",
            "delete: with another kind",
            "delete: text for grace",
            "delete: no JSON",
            "delete: a list",
        ),
        since=36,
    ),
    Deviation(
        "What is not there is 404, also where a uid was given.",
        ("0",),
        ("put: not there, with a uid",),
        since=36,
    ),
    Deviation("A scale needs no namespace.", ("0",), ("put a scale without namespace",), since=36),
    Deviation(
        "Where the cache of the server is as new as that, it answers, and its lists have no pages.",
        ("1.items[*]", "1.metadata.continue", "1.metadata.remainingItemCount"),
        ("a page goes on at version 0",),
        since=36,
        always=False,
    ),
)
