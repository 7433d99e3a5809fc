"""Names, labels and their keys: what they may look like, in the API server's words."""

from __future__ import annotations

import re

from testing.sandbox.statuses import Cause, invalid_value

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_QUALIFIED})?"

_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
    f"validation is '{_SUBDOMAIN}')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
    "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
    f"validation is '{_LABEL}')"
)
_QUALIFIED_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation "
    f"is '{_QUALIFIED}')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
    "must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
    f"regex used for validation is '{_VALUE}')"
)

_subdomain = re.compile(_SUBDOMAIN).fullmatch
_label = re.compile(_LABEL).fullmatch
_qualified = re.compile(_QUALIFIED).fullmatch
_value = re.compile(_VALUE).fullmatch


def label_key_problems(key: str) -> list[str]:
    """What is wrong with a label's key, in the server's words."""
    return [cause.message.partition(": ")[2].partition(": ")[2] for cause in qualified("", key)]


def label_value_problems(value: str) -> list[str]:
    """What is wrong with a label's value, in the server's words."""
    problems = ["must be no more than 63 characters"] if len(value) > 63 else []
    return problems if _value(value) else [*problems, _VALUE_TEXT]


def subdomain(field: str, name: str) -> list[Cause]:
    """What is wrong with a name that most kinds of objects may have."""
    return _name(field, name, 253, fits=_subdomain(name) is not None, text=_SUBDOMAIN_TEXT)


def label(field: str, name: str) -> list[Cause]:
    """What is wrong with the name of a namespace or of a container."""
    return _name(field, name, 63, fits=_label(name) is not None, text=_LABEL_TEXT)


def _name(field: str, name: str, limit: int, *, fits: bool, text: str) -> list[Cause]:
    causes = []
    if len(name) > limit:
        causes.append(invalid_value(field, name, f"must be no more than {limit} characters"))
    if not fits:
        causes.append(invalid_value(field, name, text))
    return causes


def labels(field: str, found: dict[str, str]) -> list[Cause]:
    """What is wrong with the keys and the values of labels."""
    causes: list[Cause] = []
    for key in sorted(found):
        causes += qualified(field, key)
        value = found[key] or ""
        causes += [invalid_value(field, value, problem) for problem in label_value_problems(value)]
    return causes


def qualified(field: str, key: str) -> list[Cause]:
    """What is wrong with the key of a label or of an annotation."""
    prefix, slash, name = key.rpartition("/")
    problems = []
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash and not _subdomain(prefix):
        problems.append(f"prefix part {_SUBDOMAIN_TEXT}")
    if not name:
        problems.append("name part must be non-empty")
    elif len(name) > 63:
        problems.append("name part must be no more than 63 characters")
    if not _qualified(name):
        problems.append(_QUALIFIED_TEXT)
    return [invalid_value(field, key, problem) for problem in problems]
