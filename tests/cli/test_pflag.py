"""Reading a command line as kubectl reads it: what is meant by it, and pflag's words for what is not."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollupdate.cli import kinds
from rollupdate.cli.flags import FLAGS, LONG
from rollupdate.cli.help import help_text
from rollupdate.cli.pflag import read
from rollupdate.errors import UsageError


def both(*argv: str) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """The names and the flags."""
    invocation = read(argv)
    return invocation.names, invocation.given


def given_by(*argv: str) -> dict[str, tuple[str, ...]]:
    return read(argv).given


def refused(*argv: str) -> str:
    with pytest.raises(UsageError) as caught:
        read(argv)
    return caught.value.message


# --- forms ---


@pytest.mark.parametrize(
    "argv",
    [
        ["foo", "bar", "--image=nginx:2"],
        ["--image=nginx:2", "foo", "bar"],
        ["foo", "--image=nginx:2", "bar"],
        ["foo", "--image", "nginx:2", "bar"],
        ["--image", "nginx:2", "--", "foo", "bar"],
        ["foo", "--image=nginx:2", "--", "bar"],
    ],
)
def test_flags_stand_anywhere(argv: list[str]) -> None:
    """Before, between and after the names, with = or without."""
    assert both(*argv) == (("foo", "bar"), {"image": ("nginx:2",)})


def test_a_flag_given_twice() -> None:
    """The last one counts, unless it may be repeated."""
    assert given_by("--container=a", "--container=b") == {"container": ("b",)}
    assert given_by("--image=a=1", "--image", "b=2") == {"image": ("a=1", "b=2")}


def test_two_hyphens_end_the_flags() -> None:
    """What follows ``--`` is a name, whatever it looks like."""
    assert read(["a", "--", "--image=x", "-f", "--"]).names == ("a", "--image=x", "-f", "--")


def test_a_lone_hyphen_is_no_flag() -> None:
    """``-`` is a value (standard input) or an argument."""
    assert both("a", "-", "-f", "-") == (("a", "-"), {"filename": ("-",)})


@pytest.mark.parametrize("argv", [["-f", "x"], ["-fx"], ["-f=x"], ["--filename=x"], ["--filename", "x"]])
def test_every_form_of_a_file(argv: list[str]) -> None:
    """``-f x``, ``-fx`` and ``-f=x`` are the same."""
    assert read(argv).given == {"filename": ("x",)}


@pytest.mark.parametrize("argv", [["-v6"], ["-v=6"], ["-v", "6"], ["--v=6"], ["--v", "6"]])
def test_every_form_of_a_level(argv: list[str]) -> None:
    """``-v`` is short and long at once."""
    assert read(argv).given == {"v": ("6",)}


def test_short_flags_in_one_word() -> None:
    """Flags that need no value may stand before one that does."""
    assert given_by("-hnprod") == {"help": ("true",), "namespace": ("prod",)}


def test_values_may_look_like_flags_and_hold_equals_signs() -> None:
    """The word after a flag is its value, and only the first = counts."""
    assert given_by("--image", "--rollback") == {"image": ("--rollback",)}
    assert given_by("--token=a=b=") == {"token": ("a=b=",)}
    assert given_by("-f=a=b") == {"filename": ("a=b",)}
    assert given_by("-f=") == {"filename": ("=",)}  # pflag: no value follows, so this is -f with "="


def test_an_empty_value_is_a_value() -> None:
    """``--image=`` is given, and empty."""
    assert given_by("--image=", "--deployment-label-key", "") == {
        "image": ("",),
        "deployment-label-key": ("",),
    }


def test_underscores_are_hyphens() -> None:
    """As kubectl normalizes the names of flags."""
    assert given_by("--update_period=3s", "--max_surge", "2") == {
        "update-period": ("3s",),
        "max-surge": ("2",),
    }


# --- flags that may stand alone ---


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("--rollback", "true"),
        ("--rollback=true", "true"),
        ("--rollback=false", "false"),
        ("--rollback=F", "F"),
    ],
)
def test_rollback(word: str, value: str) -> None:
    """A boolean is switched on by its name alone, and takes Go's spellings after =."""
    assert read(["foo", word]).given == {"rollback": (value,)}
    assert kinds.boolean(value) is (value == "true")


def test_a_boolean_takes_no_word_of_its_own() -> None:
    """``--rollback false`` is a rollback with one more argument, as for kubectl."""
    assert both("foo", "--rollback", "false") == (("foo", "false"), {"rollback": ("true",)})


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("--dry-run", "client"),
        ("--dry-run=client", "client"),
        ("--dry-run=server", "server"),
        ("--dry-run=none", "none"),
        ("--dry-run=true", "client"),  # a boolean until 1.18
        ("--dry-run=false", "none"),
    ],
)
def test_dry_run(word: str, meant: str) -> None:
    """Alone it is the client's."""
    (value,) = read(["foo", word]).given["dry-run"]
    assert kinds.dry_run(value) == meant


@pytest.mark.parametrize(
    ("word", "strict"),
    [
        ("--validate", True),
        ("--validate=true", True),
        ("--validate=strict", True),
        ("--validate=false", False),
        ("--validate=ignore", False),
        ("--validate=warn", False),
    ],
)
def test_validate(word: str, strict: bool) -> None:
    """A boolean until 1.25, a word since."""
    (value,) = read(["foo", word]).given["validate"]
    assert kinds.validation(value) is strict


# --- flags that may be repeated ---


@pytest.mark.parametrize(
    ("argv", "files"),
    [
        (["-f", "a,b"], ("a", "b")),
        (["-f", "a", "--filename=b"], ("a", "b")),
        (["-f", '"a,b.yaml"'], ("a,b.yaml",)),
        (["-f", ""], ()),
        (["-f", "a,"], ("a", "")),
    ],
)
def test_files_may_be_separated_by_commas(argv: list[str], files: tuple[str, ...]) -> None:
    """Both ways of naming two are seen, so that two can be refused; quotes protect a comma, as in CSV."""
    assert read(argv).given == {"filename": files}


def test_a_file_name_with_half_a_quote() -> None:
    """pflag reads CSV, which this is not."""
    assert refused("-f", '"a').startswith('invalid argument ""a" for "-f, --filename" flag: ')


def test_groups_are_not_separated_by_commas() -> None:
    """Names of groups hold commas; to impersonate two others instead would be a request as the wrong user."""
    argv = ["--as-group=cn=admins,ou=eu", "--as-group", "dev"]
    assert read(argv).given == {"as-group": ("cn=admins,ou=eu", "dev")}


# --- what is refused ---


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--imgae=x"], "unknown flag: --imgae"),
        (["--imgae", "x"], "unknown flag: --imgae"),
        (["-x"], "unknown shorthand flag: 'x' in -x"),
        (["-hxy"], "unknown shorthand flag: 'x' in -xy"),
        (["-h="], "unknown shorthand flag: '=' in -="),
        (["--=x"], "bad flag syntax: --=x"),
        (["---x"], "bad flag syntax: ---x"),
        (["foo", "--image"], "flag needs an argument: --image"),
        (["foo", "-f"], "flag needs an argument: 'f' in -f"),
        (["foo", "-hf"], "flag needs an argument: 'f' in -f"),
        (
            ["--rollback=maybe"],
            'invalid argument "maybe" for "--rollback" flag: '
            'strconv.ParseBool: parsing "maybe": invalid syntax',
        ),
        (["--timeout=5"], 'invalid argument "5" for "--timeout" flag: time: missing unit in duration "5"'),
        (
            ["--timeout", "5d"],
            'invalid argument "5d" for "--timeout" flag: time: unknown unit "d" in duration "5d"',
        ),
        (["--timeout=-5s"], 'invalid argument "-5s" for "--timeout" flag: must not be negative'),
        (["--poll-interval="], 'invalid argument "" for "--poll-interval" flag: time: invalid duration ""'),
        (
            ["--image-pull-policy=always"],
            'invalid argument "always" for "--image-pull-policy" flag: must be Always, Never or IfNotPresent',
        ),
        (["--dry-run=yes"], 'invalid argument "yes" for "--dry-run" flag: must be none, client or server'),
        (["-o", "wide"], 'invalid argument "wide" for "-o, --output" flag: must be json, yaml or name'),
        (["--output=wide"], 'invalid argument "wide" for "-o, --output" flag: must be json, yaml or name'),
        (["-vx"], 'invalid argument "x" for "-v, --v" flag: strconv.ParseInt: parsing "x": invalid syntax'),
        (
            ["-v= 6"],
            'invalid argument " 6" for "-v, --v" flag: strconv.ParseInt: parsing " 6": invalid syntax',
        ),
        (
            ["--min-ready-seconds=2147483648"],
            'invalid argument "2147483648" for "--min-ready-seconds" flag: '
            'strconv.ParseInt: parsing "2147483648": value out of range',
        ),
        (
            ["--min-ready-seconds=-1"],
            'invalid argument "-1" for "--min-ready-seconds" flag: must not be negative',
        ),
        (
            ["--max-surge=ten"],
            'invalid argument "ten" for "--max-surge" flag: '
            "'ten' is neither a number of pods nor a percentage",
        ),
    ],
)
def test_refused_in_the_words_of_pflag(argv: list[str], message: str) -> None:
    """The flag and the value are named, and what is wrong with it."""
    assert refused(*argv) == message


def test_a_wrong_value_is_refused_even_where_a_later_one_is_right() -> None:
    """Every value is checked, as pflag sets one after the other."""
    assert "maybe" in refused("--rollback=maybe", "--rollback=true")


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("30", 30), ("30s", 30), ("1m30s", 90), ("300ms", 0.3)]
)
def test_request_timeout_takes_seconds_without_a_unit(text: str, seconds: float) -> None:
    """As kubectl's does, and no other flag."""
    assert kinds.timeout(text) == seconds
    assert given_by("--request-timeout", text)


# --- the table ---


def test_every_default_is_a_value_that_the_flag_takes() -> None:
    """No flag has a default that it would refuse, and none is named twice."""
    for flag in FLAGS:
        if flag.default:
            flag.kind.parse(flag.default)
        if flag.bare is not None:
            flag.kind.parse(flag.bare)
    assert len({flag.name for flag in FLAGS}) == len(FLAGS)
    shorts = [flag.short for flag in FLAGS if flag.short]
    assert len(set(shorts)) == len(shorts)


def test_a_row_names_only_flags_that_there_are() -> None:
    """What it requires and conflicts with; and a mode is entered by one flag."""
    names = {flag.name for flag in FLAGS}
    for flag in FLAGS:
        required, _, value = flag.requires.partition("=")
        assert {*flag.conflicts, required or flag.name} <= names
        assert not value or value in LONG[required].kind.choices
        assert not flag.enters or flag.enters in flag.modes
    modes = [flag.enters for flag in FLAGS if flag.enters]
    assert len(set(modes)) == len(modes)


def test_documented_defaults() -> None:
    """Those of the last release of kubectl that had the command, but for --update-period."""
    defaults = {flag.name: flag.default for flag in FLAGS}
    assert defaults["poll-interval"] == "3s"
    assert defaults["timeout"] == "5m0s"
    assert defaults["deployment-label-key"] == "deployment"
    assert defaults["validate"] == "true"
    assert defaults["update-period"] == "0s"


def test_help_names_every_flag_and_every_form() -> None:
    """Plain text, grouped, narrow enough for a terminal, with the documented examples."""
    page = help_text()
    for flag in FLAGS:
        assert f"--{flag.name}=" in page
        assert flag.help in page
    for form in (
        "kubectl rolling-update frontend --image=image:v2\n",
        "kubectl rolling-update frontend-v1 frontend-v2 --image=image:v2\n",
        "kubectl rolling-update frontend-v1 -f frontend-v2.json\n",
        "cat frontend-v2.json | kubectl rolling-update frontend-v1 -f -\n",
        "kubectl rolling-update frontend-v1 frontend-v2 --rollback\n",
    ):
        assert form in page
    assert max(map(len, page.splitlines())) <= 120


# --- everything else ---

words = (
    st.text()
    | st.text(st.sampled_from("-=fvhno,\"'\n 0"))
    | st.sampled_from(
        [f"--{flag.name}" for flag in FLAGS] + [f"-{flag.short}" for flag in FLAGS if flag.short]
    )
    | st.builds("--{}={}".format, st.sampled_from([flag.name for flag in FLAGS]), st.text())
)


@given(st.lists(words, max_size=6))
@example(["--as-group"])
@example(["-\udcff"])
@example(["--v=" + "9" * 5000])
@example(["--timeout=" + "9" * 5000 + "s"])
@example(["-f", '"' + "x" * 200_000])
def test_nothing_but_a_usage_error_ever_escapes(argv: list[str]) -> None:
    """Whatever is typed is read or refused; what was read is a value of its flag, and written as it was."""
    try:
        arguments = read(argv)
    except UsageError as error:
        assert error.message
        return
    assert arguments.words() == argv
    for name, values in arguments.given.items():
        (flag,) = (flag for flag in FLAGS if flag.name == name)
        for value in values:
            flag.kind.parse(value)
