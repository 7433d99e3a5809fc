"""The kinds of values that flags take: how one is read, and which words it can be.

No flag is named here (``flags``), and no command line is read (``pflag``). A parser raises ValueError, in the
words of Go or in words that complete ``invalid argument "x" for "--flag" flag: ...``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rollupdate.core.model.duration import parse_duration

if TYPE_CHECKING:
    from rollupdate.core.model.budget import Amount

_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


def boolean(text: str) -> bool:
    if text in _TRUE + _FALSE:
        return text in _TRUE
    raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def duration(text: str) -> float:
    """Seconds, not negative."""
    seconds = parse_duration(text)
    if seconds < 0:
        raise ValueError("must not be negative")
    return seconds


def timeout(text: str) -> float:
    """kubectl's --request-timeout takes whole seconds without a unit as well."""
    return duration(text + "s" if text.isascii() and text.isdigit() else text)


def number(text: str) -> int:
    """A whole number of 32 bits, not negative."""
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(f'strconv.ParseInt: parsing "{text[:40]}": invalid syntax')
    if len(text) > 20 or int(text) >= 2**31:
        raise ValueError(f'strconv.ParseInt: parsing "{text[:40]}": value out of range')
    if int(text) < 0:
        raise ValueError("must not be negative")
    return int(text)


def ordinal(text: str) -> int:
    """A number from 1 on; an empty text is 0."""
    if text and number(text) == 0:
        raise ValueError("the first is 1")
    return number(text) if text else 0


def amount(text: str) -> Amount:
    """A number of pods, or a percentage of them."""
    from rollupdate.core.model.budget import Amount

    return Amount.parse(text)


def env_setting(text: str) -> tuple[str, str | None]:
    """``NAME=VALUE``, or ``NAME-`` (None)."""
    name, equals, value = text.partition("=")
    if not equals and text.endswith("-"):
        name = text[:-1]
    elif not equals:
        raise ValueError("must be NAME=VALUE, or NAME- to remove it")
    if not name or any(character.isspace() for character in name):
        raise ValueError("does not name an environment variable")
    return name, value if equals else None


def attribute(text: str) -> tuple[str, str] | None:
    """``KEY=VALUE``; None for an empty text."""
    key, equals, value = text.partition("=")
    if text and not (key and equals):
        raise ValueError("must be KEY=VALUE")
    return (key, value) if text else None


def image(text: str) -> tuple[str | None, str]:
    """``IMAGE``, or ``CONTAINER=IMAGE``; an image's name holds no ``=``."""
    container, equals, name = text.partition("=")
    if equals and not (container and name):
        raise ValueError("must be IMAGE or CONTAINER=IMAGE")
    return (container, name) if equals else (None, text)


def _word(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text in words:
            return text
        raise ValueError("must be " + ", ".join(words[:-1]) + " or " + words[-1])

    return parse


def dry_run(text: str) -> str:
    """``none``, ``client`` or ``server``; until 1.18 it was a boolean."""
    if text in _TRUE + _FALSE:
        return "client" if text in _TRUE else "none"
    return _word("none", "client", "server")(text)


def validation(text: str) -> bool:
    """A boolean until 1.25, a word since; what is not switched off is strict."""
    if text in ("strict", "warn", "ignore"):
        return text == "strict"
    return boolean(text)


class Kind:
    """One kind of value.

    ``takes``: what stands for it in a synopsis; empty if any text is taken. ``choices``: the words it can be;
    none if it can be any text. ``off``: the value that is the same as no
    flag. ``file``: it is the path of a file, with one of ``suffixes`` if there are any.
    """

    __slots__ = ("choices", "file", "off", "parse", "suffixes", "takes")

    def __init__(
        self,
        parse: Callable[[str], Any] = str,
        takes: str = "",
        *,
        choices: tuple[str, ...] = (),
        off: object = None,
        file: bool = False,
        suffixes: tuple[str, ...] = (),
    ) -> None:
        self.parse = parse
        self.takes = takes or "|".join(choices)
        self.choices = choices
        self.off = off
        self.file = file
        self.suffixes = suffixes


def choice(*words: str, empty: bool = False) -> Kind:
    """``empty``: an empty value is the same as no flag."""
    parse = _word(*words)
    return Kind((lambda text: text and parse(text)) if empty else parse, choices=words)


TEXT = Kind()
SWITCH = Kind(boolean, choices=("true", "false"), off=False)
ADDRESS = Kind(takes="URL")
FILE = Kind(takes="FILE", file=True)
MANIFEST = Kind(takes="FILE|URL|-", file=True, suffixes=("json", "yaml", "yml"))
NUMBER = Kind(number, "N")
ORDINAL = Kind(ordinal, "N")
DURATION = Kind(duration, "DURATION")
TIMEOUT = Kind(timeout, "DURATION")
AMOUNT = Kind(amount, "N|N%")
IMAGE = Kind(image, "[CONTAINER=]IMAGE")
ATTRIBUTE = Kind(attribute, "KEY=VALUE")
ENV_SETTING = Kind(env_setting, "NAME=VALUE|NAME-")
DRY_RUN = Kind(dry_run, choices=("none", "client", "server"), off="none")
VALIDATION = Kind(validation, choices=("strict", "warn", "ignore", "true", "false"))
