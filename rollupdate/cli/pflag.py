"""Reading a command line as kubectl (spf13/pflag) reads it. Nothing else in the program reads one.

``read`` refuses what pflag refuses, in its words; ``being_typed`` skips it. Which flags go together is in
``usage``.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollupdate.cli import former, kinds
from rollupdate.cli.flag import Flag
from rollupdate.cli.flags import LONG, SHORT
from rollupdate.cli.invocation import Invocation, Item
from rollupdate.errors import UsageError


def read(argv: Sequence[str]) -> Invocation:
    """Read flags anywhere among the arguments, ``--flag value`` and ``--flag=value``, ``-f x`` and ``-fx``;
    ``--`` ends them. Raises UsageError in pflag's words; values are checked, too."""
    reader = _Reader(argv, strict=True)
    return Invocation(reader.items, reader.behind)


class Typed:
    """A command line being typed: the ``invocation`` so far, and what the user is about to add.

    ``text``: what was typed of the last word, or of the value in it. ``flag``: the flag whose value it is.
    ``flags_ended``: it is behind ``--``.
    """

    __slots__ = ("flag", "flags_ended", "invocation", "text")

    def __init__(self, invocation: Invocation, text: str, flag: Flag | None, *, flags_ended: bool) -> None:
        self.invocation = invocation
        self.text = text
        self.flag = flag
        self.flags_ended = flags_ended


def being_typed(words: Sequence[str]) -> Typed:
    """Skips what is wrong in ``words``. Raises UsageError if the last word is a value of an unknown flag."""
    reader = _Reader(words[:-1], strict=False)
    text, flag, ended = words[-1] if words else "", reader.waiting, reader.behind is not None
    if flag is None and not ended and text.startswith("-") and "=" in text:
        flag, text = _value_being_typed(text)
    return Typed(Invocation(reader.items, reader.behind), text, flag, flags_ended=ended)


def _value_being_typed(word: str) -> tuple[Flag, str]:
    head, _, value = word.partition("=")
    reader = _Reader([head], strict=False)
    if reader.waiting is not None:
        return reader.waiting, value
    flag = reader.items[-1].flag if reader.items else None
    if flag is None:
        raise UsageError(f"unknown flag: {head}")
    return flag, value if flag.bare is not None else f"{reader.items[-1].values[-1]}={value}"


class _NoValueError(UsageError):
    """The command line ends where the value of a flag should be."""

    def __init__(self, flag: Flag, where: str) -> None:
        super().__init__(f"flag needs an argument: {where}")
        self.flag = flag


class _Reader:
    """``items`` and ``behind`` are those of an invocation; ``waiting``: the flag that has no value yet."""

    def __init__(self, argv: Sequence[str], *, strict: bool) -> None:
        self.items: list[Item] = []
        self.behind: tuple[str, ...] | None = None
        self.waiting: Flag | None = None
        self._strict = strict
        self._rest = list(argv)
        while self._rest and self.behind is None:
            try:
                self._read(self._rest.pop(0))
            except UsageError as error:
                if strict:
                    raise
                self.waiting = error.flag if isinstance(error, _NoValueError) else None

    def _read(self, word: str) -> None:
        if word == "--":
            self.behind = tuple(self._rest)
        elif word.startswith("--"):
            self._read_long(word)
        elif word.startswith("-") and word != "-":
            self._read_short(word)
        else:
            self.items.append(Item((word,)))

    def _read_long(self, word: str) -> None:
        name, equals, value = word[2:].partition("=")
        if not name or name.startswith("-"):
            raise UsageError(f"bad flag syntax: {word}")
        flag = LONG.get(name.replace("_", "-"))
        if flag is None:
            raise UsageError(f"unknown flag: --{name}", hint=former.advice(name))
        words = [word]
        if not equals:
            if flag.bare is not None:
                value = flag.bare
            elif self._rest:
                value = self._rest.pop(0)
                words.append(value)
            else:
                raise _NoValueError(flag, word)
        self._keep(words, flag, value)

    def _read_short(self, word: str) -> None:
        letters, joined = word[1:], False
        while letters:
            group = f"-{letters}"
            letter, letters = letters[0], letters[1:]
            flag = SHORT.get(letter)
            if flag is None:
                hint = None
                if group[1:].partition("=")[0] in LONG and group[2:]:
                    hint = f"did you mean -{group}"
                raise UsageError(f"unknown shorthand flag: {letter!r} in {group}", hint=hint)
            words = [f"-{letter}"]
            if letters.startswith("=") and len(letters) > 1:
                value, words, letters = letters[1:], [group], ""
            elif flag.bare is not None:
                value = flag.bare
            elif letters:
                value, words, letters = letters, [group], ""
            elif self._rest:
                value = self._rest.pop(0)
                words.append(value)
            else:
                raise _NoValueError(flag, f"{letter!r} in {group}")
            self._keep(words, flag, value, joined=joined)
            joined = True

    def _keep(self, words: list[str], flag: Flag, value: str, *, joined: bool = False) -> None:
        values = [value]
        try:
            if flag.separated:
                values = _separated(value)
            if self._strict:
                for text in values:
                    flag.kind.parse(text)
        except ValueError as error:
            if self._strict:
                shown = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
                hint = flag.hint if not flag.requires else None
                if flag.kind is kinds.DURATION and value.isascii() and value.isdigit():
                    hint = f"write --{flag.name}={_cut(value)}s"
                raise UsageError(
                    f'invalid argument "{_cut(value)}" for "{shown}" flag: {_cut(str(error))}',
                    hint=hint,
                ) from None
        self.items.append(Item(words, flag, values, joined=joined))


def _cut(text: str) -> str:
    """A line has an end."""
    return text if len(text) <= 300 else text[:300] + "..."


def _separated(text: str) -> list[str]:
    """The values of one line of CSV, as pflag reads them: quotes protect a comma, nothing is no value."""
    if '"' not in text:
        return text.split(",") if text else []
    import csv

    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise ValueError(str(error)) from None
