"""``-f``: from a path, standard input or a URL to one ReplicationController. Reading only, no cluster.

JSON or YAML, one object or a list of one. What comes from outside is bounded: its size here, its values
and their nesting in ``document``.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

from rollupdate import addresses
from rollupdate.core.model.belonging import FINALIZERS, OWNERS
from rollupdate.document import DocumentError, documents, text_of
from rollupdate.errors import ManifestError
from rollupdate.objects import Json
from rollupdate.redaction import without_passwords

LARGEST = 3 * 1024 * 1024
"""Bytes. The API server takes no object above 1.5 MiB; the rest is room for comments."""
URL_TIMEOUT = 30.0
"""Seconds for a connection, for each read from it, and for the whole answer."""


def load_controller(filename: str, *, namespace: str, stdin: BinaryIO | None = None) -> Json:
    """The one ReplicationController that ``filename`` holds, as it is written there.

    ``namespace`` is the one the command works in. Raises ManifestError, in the documented words.
    """
    source, data = read(filename, stdin)
    documents = parse(data, source)
    items: list[Any] = []
    for document in documents:
        if isinstance(document, dict) and str(document.get("kind", "")).endswith("List"):
            listed = document.get("items")
            items += [_of_list(item, document) for item in listed] if isinstance(listed, list) else []
        elif document is not None:
            items.append(document)
    if not items:
        raise ManifestError(f"please make sure {source} exists and is not empty")
    if len(items) > 1:
        raise ManifestError(f"{source} specifies multiple items")
    return _checked(items[0], source, namespace)


def _of_list(item: Any, whole: Json) -> Any:
    """An item as the server writes it in a list of one kind: its kind is that of the list."""
    kind = str(whole["kind"]).removesuffix("List")
    if not isinstance(item, dict) or not kind or item.get("kind") or item.get("apiVersion"):
        return item
    return {**item, "kind": kind, "apiVersion": whole.get("apiVersion")}


def _checked(obj: Any, source: str, namespace: str) -> Json:
    """Every part the update reads has the type it is read as; the rest is the server's to judge."""
    if not isinstance(obj, dict):
        raise ManifestError(f"{source} holds no object but {_type(obj)}; expected a ReplicationController")
    kind = obj.get("kind")
    if kind != "ReplicationController" or obj.get("apiVersion") not in ("v1", None):
        shown = kind if isinstance(kind, str) and kind else "nameless kind"
        if kind == "ReplicationController":
            shown = f"{obj.get('apiVersion')} {kind}"
        raise ManifestError(
            f"{source} contains a {shown} not a ReplicationController",
            hint="set apiVersion: v1" if kind == "ReplicationController" else None,
        )
    meta = _part(obj, "metadata", dict, source)
    spec = _part(obj, "spec", dict, source)
    template = _part(spec, "template", dict, source, "spec.")
    template_meta = _part(template, "metadata", dict, source, "spec.template.")
    pod = _part(template, "spec", dict, source, "spec.template.")
    for where, parent, key in (
        ("metadata.", meta, "labels"),
        ("metadata.", meta, "annotations"),
        ("spec.", spec, "selector"),
        ("spec.template.metadata.", template_meta, "labels"),
        ("spec.template.metadata.", template_meta, "annotations"),
    ):
        for name, value in _part(parent, key, dict, source, where).items():
            if not isinstance(value, str):
                raise ManifestError(
                    f"{source}: {where}{key}.{name} must be text, not {_type(value)}; put it in quotes"
                )
    for where, parent, key in (("spec.", spec, "replicas"), ("spec.", spec, "minReadySeconds")):
        value = parent.get(key)
        if value is None:
            continue
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if isinstance(value, float) or not 0 <= value < 2**31:
                raise ManifestError(
                    f"{source}: {where}{key} must be a whole number from 0 to 2147483647, not {value}"
                )
        else:
            raise ManifestError(f"{source}: {where}{key} must be a number, not {_type(value)}")
    for key, kind in ((OWNERS, dict), (FINALIZERS, str)):
        if not all(isinstance(item, kind) for item in _part(meta, key, list, source, "metadata.")):
            raise ManifestError(f"{source}: metadata.{key} must hold {'objects' if kind is dict else 'text'}")
    for where, parent, key in (("metadata.", meta, "name"), ("metadata.", meta, "generateName")):
        _part(parent, key, str, source, where)
    containers = _part(pod, "containers", list, source, "spec.template.spec.")
    if not all(isinstance(container, dict) for container in containers):
        raise ManifestError(f"{source}: spec.template.spec.containers must hold objects")
    own = _part(meta, "namespace", str, source, "metadata.")
    if own and own != namespace:
        raise ManifestError(
            f'the namespace from the provided object "{own}" does not match the namespace "{namespace}". '
            f"You must pass '--namespace={own}' to perform this operation."
        )
    return {
        **obj,
        "metadata": meta,
        "spec": {**spec, "template": {**template, "metadata": template_meta, "spec": pod}},
    }


def _part(parent: Json, key: str, kind: type, source: str, where: str = "") -> Any:
    value = parent.get(key)
    if value is None:
        return kind()
    if not isinstance(value, kind):
        wanted = {"dict": "an object", "list": "a list", "str": "text"}[kind.__name__]
        raise ManifestError(f"{source}: {where}{key} must be {wanted}, not {_type(value)}")
    return value


def _type(value: object) -> str:
    names = {
        "dict": "an object",
        "list": "a list",
        "str": "text",
        "bool": "true or false",
        "NoneType": "nothing",
    }
    return names.get(type(value).__name__, "a number")


# --- where it comes from ---


def read(filename: str, stdin: BinaryIO | None = None) -> tuple[str, bytes]:
    """What to call it, and what it holds: a path, ``-`` (standard input) or a URL. Raises ManifestError."""
    if filename == "-":
        return "STDIN", _bounded(_read_stdin(stdin), "standard input")
    if re.match(r"^https?://", filename, re.ASCII | re.IGNORECASE):
        shown = without_passwords(filename)
        return shown, _fetch(filename, shown)
    path = Path(filename)
    try:
        with path.open("rb") as stream:
            return filename, _bounded(stream.read(LARGEST + 1), filename)
    except (FileNotFoundError, NotADirectoryError):
        raise ManifestError(f'the path "{filename}" does not exist') from None
    except IsADirectoryError:
        raise ManifestError(f'the path "{filename}" is a directory; name one file') from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ManifestError(f'the path "{filename}" cannot be read: {reason}') from None


def _read_stdin(stdin: BinaryIO | None) -> bytes:
    if stdin is None and sys.stdin is None:  # it was closed when the command started
        raise ManifestError("standard input is closed; nothing was changed")
    try:
        return (stdin or sys.stdin.buffer).read(LARGEST + 1)
    except OSError as error:
        raise ManifestError(f"standard input cannot be read: {error.strerror or error}") from None


def _bounded(data: bytes, source: str) -> bytes:
    if len(data) > LARGEST:
        raise ManifestError(f"{source} is larger than {LARGEST // 1024 // 1024} MiB; nothing was changed")
    return data


def _fetch(url: str, shown: str) -> bytes:
    """GET, with redirects, a bounded size and time. Standard library trust store and proxy settings."""
    import base64
    import urllib.error
    import urllib.request

    try:
        address = addresses.parse(url)
    except ValueError as error:
        raise ManifestError(f'the URL passed to filename "{shown}" is not valid: {error}') from None
    request = urllib.request.Request(address.url)
    if address.login is not None:
        login = f"{address.login.username}:{address.login.password}".encode()
        # Not sent on to where a redirect leads.
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(login).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=URL_TIMEOUT) as answer:
            data = _read_within(answer, time.monotonic() + URL_TIMEOUT)
            if answer.headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip"):
                data = _unpacked(data)
    except urllib.error.HTTPError as error:
        reason = " ".join(str(error.reason).split())
        raise ManifestError(f"unable to read URL {shown!r}, server reported {error.code} {reason}") from error
    except (OSError, ValueError, urllib.error.URLError) as error:
        cause = getattr(error, "reason", None) or error
        raise ManifestError(f"unable to read URL {shown!r}: {cause}") from error
    except Exception as error:  # http.client raises classes of its own for answers that are not HTTP
        raise ManifestError(f"unable to read URL {shown!r}: {type(error).__name__}") from error
    return _bounded(data, shown)


def _read_within(answer: Any, deadline: float) -> bytes:
    """At most one byte more than is allowed. A server that sends a byte now and then is given up, too."""
    data = b""
    while len(data) <= LARGEST:
        if time.monotonic() > deadline:
            raise TimeoutError("the answer takes too long")
        piece = answer.read1(LARGEST + 1 - len(data))
        if not piece:
            if answer.length:  # Content-Length is not reached, which http.client leaves unsaid
                raise ConnectionError("the answer was cut off")
            break
        data += piece
    return data


def _unpacked(data: bytes) -> bytes:
    """Of a server that packs what it was not asked to. At most one byte more than is allowed."""
    import zlib

    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        text = unpacking.decompress(data, LARGEST + 1)
    except zlib.error:
        raise ValueError("the answer is not what its Content-Encoding says, gzip") from None
    if not unpacking.eof and len(text) <= LARGEST:
        raise ConnectionError("the answer was cut off")
    return text


# --- what it says ---


def parse(data: bytes, source: str) -> list[Any]:
    """The documents of a JSON or YAML text, of JSON's types only."""
    try:
        return list(documents(text_of(data), unique=True))
    except UnicodeDecodeError:
        raise ManifestError(f"{source} is not text in UTF-8 or UTF-16") from None
    except DocumentError as error:
        about = source if error.whole else f"error parsing {source}:"
        raise ManifestError(f"{about} {error}") from None
