"""``-f``: from a path, standard input or a URL to one ReplicationController. Reading only, no cluster.

JSON or YAML, one object or a ``List`` of one. What comes from outside is bounded: its size, its nesting,
and what YAML aliases make of it.
"""

from __future__ import annotations

import json
import math
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from rollupdate.errors import ManifestError
from rollupdate.secrecy import without_passwords

Json = dict[str, Any]

LARGEST = 3 * 1024 * 1024
"""Bytes. The API server takes no object above 1.5 MiB; the rest is room for comments."""
MOST_NODES = 200_000
"""Values in a file, aliases counted as often as they are used."""
DEEPEST = 100
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
            items += listed if isinstance(listed, list) else []
        elif document is not None:
            items.append(document)
    if not items:
        raise ManifestError(f"please make sure {source} exists and is not empty")
    if len(items) > 1:
        raise ManifestError(f"{source} specifies multiple items")
    return _checked(items[0], source, namespace)


def _checked(obj: Any, source: str, namespace: str) -> Json:
    """Every part the update reads has the type it is read as; the rest is the server's to judge."""
    if not isinstance(obj, dict):
        raise ManifestError(f"{source} holds no object but {_type(obj)}; expected a ReplicationController")
    kind = obj.get("kind")
    if kind != "ReplicationController" or obj.get("apiVersion") not in ("v1", None):
        shown = kind if isinstance(kind, str) and kind else "nameless kind"
        if kind == "ReplicationController":
            shown = f"{obj.get('apiVersion')} {kind}"
        raise ManifestError(f"{source} contains a {shown} not a ReplicationController")
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
    for where, parent, key in (("metadata.", meta, "name"), ("metadata.", meta, "generateName")):
        _part(parent, key, str, source, where)
    containers = _part(pod, "containers", list, source, "spec.template.spec.")
    if not all(isinstance(each, dict) for each in containers):
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
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=URL_TIMEOUT) as answer:
            data = _read_within(answer, time.monotonic() + URL_TIMEOUT)
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


# --- what it says ---


def parse(data: bytes, source: str) -> list[Any]:
    """The documents of a JSON or YAML text, of JSON's types only."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ManifestError(f"{source} is not UTF-8 text") from None
    if text.lstrip()[:1] in ("{", "["):
        try:
            document = json.loads(text, object_pairs_hook=_unique(source))
        except ManifestError:
            raise
        except RecursionError:
            raise ManifestError(f"{source} is nested too deeply") from None
        except ValueError:
            pass  # YAML's flow style begins alike
        else:
            _bound_json(document, source)
            return [document]
    return _parse_yaml(text, source)


def _unique(source: str) -> Any:
    def hook(pairs: list[tuple[str, Any]]) -> Json:
        obj = dict(pairs)
        if len(obj) != len(pairs):
            twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
            raise ManifestError(f'{source}: key "{twice}" is set twice in one object')
        return obj

    return hook


def _bound_json(value: Any, source: str, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise ManifestError(f"{source} is nested too deeply")
    if isinstance(value, float) and not math.isfinite(value):
        raise ManifestError(f"{source} holds a number that JSON cannot write")
    if isinstance(value, str):
        _bound_text(value, source)
    if isinstance(value, dict):
        for key in value:
            _bound_text(key, source)
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        _bound_json(child, source, depth + 1)


def _bound_text(text: str, source: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ManifestError(f"{source} holds half a character (an unpaired surrogate)") from None


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _parse_yaml(text: str, source: str) -> list[Any]:
    try:
        _bound_depth(text, source)
        loader = _Loader(text)
        documents = []
        try:
            while loader.check_node():
                node = loader.get_node()
                _bound_yaml(node, source)
                documents.append(_value(node, source))
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error).split("\n", maxsplit=1)[0]
        raise ManifestError(f"error parsing {source}: {where}{problem}") from None
    except RecursionError:
        raise ManifestError(f"{source} is nested too deeply") from None
    except ValueError as error:
        raise ManifestError(f"error parsing {source}: {error}") from None
    return documents


def _bound_depth(text: str, source: str) -> None:
    """Looked at before anything is composed: libyaml's composer recurses in C, where too deep is a crash."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise ManifestError(f"{source} is nested too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _bound_yaml(root: Any, source: str) -> None:
    """Refuse what would be huge, endless or too deep once its aliases are written out."""
    known: dict[int, tuple[int, int]] = {}

    def measure(node: Any, depth: int) -> tuple[int, int]:
        """How many values, and how many levels, ``node`` is with its aliases written out."""
        found = known.get(id(node))
        if found is None:
            known[id(node)] = (0, 0)  # being measured
            total, levels = 1, 0
            for child in _children(node):
                below, deeper = measure(child, depth + 1)
                total, levels = total + below, max(levels, deeper + 1)
                if total > MOST_NODES:
                    raise ManifestError(f"{source} is too large once its aliases are written out")
            found = known[id(node)] = (total, levels)
        elif found[0] == 0:
            raise ManifestError(f"{source} has an alias that contains itself")
        if depth + found[1] > DEEPEST:
            raise ManifestError(f"{source} is nested too deeply")
        return found

    measure(root, 0)


def _children(node: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [each for pair in node.value for each in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _value(node: Any, source: str) -> Any:
    """JSON's types, read as the YAML library of Kubernetes reads them: a date is text, keys are text."""
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, source)
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, source) for child in node.value]
    kind, text = node.tag.rpartition(":")[2], str(node.value)
    line = node.start_mark.line + 1
    if node.tag not in _SCALARS:
        raise ManifestError(f"error parsing {source}: line {line}: the tag {node.tag} is not JSON")
    if kind == "null":
        return None
    if kind == "bool":
        if text.lower() not in _BOOLEANS:
            raise ManifestError(f"error parsing {source}: line {line}: {text} is neither true nor false")
        return _BOOLEANS[text.lower()]
    if kind in ("int", "float") and ":" not in text:
        try:
            number = _number(kind, text.replace("_", ""))
        except ValueError:
            raise ManifestError(
                f"error parsing {source}: line {line}: {text[:40]} is not a number of JSON"
            ) from None
        return number
    return text


def _number(kind: str, text: str) -> int | float:
    """Raises ValueError for what is none, has thousands of digits or is not finite."""
    if kind == "float":
        number = float(text.replace(".inf", "inf").replace(".nan", "nan"))
        if not math.isfinite(number):
            raise ValueError("not finite")
        return number
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if digits[:2].lower() in ("0x", "0b", "0o"):
        return sign * int(digits, 0)
    return sign * int(digits, 8 if len(digits) > 1 and digits[0] == "0" else 10)


_BOOLEANS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_SCALARS = frozenset(
    f"tag:yaml.org,2002:{each}" for each in ("null", "bool", "int", "float", "str", "timestamp", "value")
)


def _mapping(node: Any, source: str) -> Json:
    obj: Json = {}
    merged: Json = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if key_node.tag == "tag:yaml.org,2002:merge":
            for each in value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]:
                value = _value(each, source)
                if not isinstance(value, dict):
                    raise ManifestError(f"error parsing {source}: line {line}: << needs an object")
                for name, inherited in value.items():
                    merged.setdefault(name, inherited)
            continue
        if not isinstance(key_node, yaml.ScalarNode):
            raise ManifestError(f"error parsing {source}: line {line}: a key must be text")
        key = str(key_node.value)
        if key in obj:
            raise ManifestError(
                f'error parsing {source}: line {line}: key "{key}" is set twice in one object'
            )
        obj[key] = _value(value_node, source)
    return {**merged, **obj}
