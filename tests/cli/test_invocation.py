"""A command line, read once and written again: with more, with less, without secrets, or as another one."""

from __future__ import annotations

import shlex

import pytest

from rollupdate.cli.invocation import Invocation
from rollupdate.cli.pflag import being_typed, read
from rollupdate.errors import UsageError
from rollupdate.redaction import without_passwords


def line(text: str) -> Invocation:
    return read(shlex.split(text))


def written(invocation: Invocation) -> str:
    return shlex.join(invocation.words())


@pytest.mark.parametrize(
    "text",
    [
        "web --image=b",
        "--image b -- web -x",
        "-hnshop web",
        "-hn shop web -w -v=6",
        "web -f a,b --",
        "- -v6 -ojson",
    ],
)
def test_it_is_written_as_it_was_typed(text: str) -> None:
    assert written(line(text)) == text


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("web --image=b", "web --image=b --rollback"),
        ("--image b -- web", "--image b --rollback -- web"),
        ("web --rollback=false --image=b", "web --image=b --rollback"),
        ("-hwn shop web", "-hwn shop web --rollback"),
    ],
)
def test_with_a_flag(text: str, then: str) -> None:
    """Behind the others, where it is read as a flag; in place of the same one."""
    changed = line(text).with_flag("rollback")
    assert written(changed) == then
    assert changed.on("rollback")
    assert read(changed.words()).given == changed.given


def test_with_a_flag_that_may_be_repeated() -> None:
    changed = line("web --image=a=1").with_flag("image", "b=2")
    assert written(changed) == "web --image=a=1 --image=b=2"
    assert changed.texts("image") == ("a=1", "b=2")


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("--watch -n shop web", "-n shop web"),
        ("-wn shop web", "-n shop web"),
        ("-whn shop web", "-hn shop web"),
        ("-hw web", "-h web"),
        ("-hwnshop web", "-hnshop web"),
        ("-hv6 -wnshop -wv6 web", "-hv6 -nshop -v6 web"),
        ("-w -- web -w", "-- web -w"),
    ],
)
def test_without_a_flag(text: str, then: str) -> None:
    """Also if it is one of several letters in one word."""
    changed = line(text).without("watch")
    assert written(changed) == then
    assert read(changed.words()).given == changed.given
    assert not changed.has("watch")


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("web --token s3cret", "web --token REDACTED"),
        ("web --token=s3cret", "web --token=REDACTED"),
        ("web --token=", "web --token=REDACTED"),
        ("web --token=a=b", "web --token=REDACTED"),
        ("web --username me --password s3cret", "web --username me --password REDACTED"),
        ("web --password=a=b --record", "web --password=REDACTED --record"),
        ("web --proxy-url=http://me:s3cret@p:1", "web --proxy-url=http://me:REDACTED@p:1"),
        ("web --server https://me:s3cret@a", "web --server https://me:REDACTED@a"),
        ("web --server me:s3cret@a:1", "web --server me:REDACTED@a:1"),
        ("web --server=me:s3@cret@a:1", "web --server=me:REDACTED@a:1"),
        ("web -sme:s3cret@a:1", "web -sme:REDACTED@a:1"),
        ("web --server=s3cret@a:1 --image=a:1@sha256:0", "web --server=REDACTED@a:1 --image=a:1@sha256:0"),
        ("web --server=a:1", "web --server=a:1"),
        ("web -f https://me:s3cret@host/rc", "web -f https://me:REDACTED@host/rc"),
        ("web --server=https://me:s3cret@host", "web --server=https://me:REDACTED@host"),
        ("-- https://me:s3cret@host", "-- https://me:REDACTED@host"),
        ("web --image --token -n x", "web --image --token -n x"),
        ("-- --token web", "-- --token web"),
    ],
)
def test_without_secrets(text: str, then: str) -> None:
    """The value of a secret flag, and passwords in addresses; what only looks like the flag is left alone."""
    assert written(line(text).redacted()) == then
    assert line(text).shown() == f"kubectl rolling-update {then}"


def test_a_command_for_another_action() -> None:
    """It says the same cluster, namespace and user, and nothing else of this command line."""
    given = line("web -hnshop --image=b --context=prod --as 'a b' --token=x -v=6 -f x")
    assert written(given.connection()) == "-nshop --context=prod --as 'a b' --token=x"
    assert given.command("web", "--rollback", "--to-revision=3") == (
        "kubectl rolling-update web --rollback --to-revision=3 "
        "-nshop --context=prod --as 'a b' --token=REDACTED"
    )
    assert given.command("-x", "--rollback") == (
        "kubectl rolling-update --rollback -nshop --context=prod --as 'a b' --token=REDACTED -- -x"
    )
    assert line("web --image=b").command("web", "--rollback") == "kubectl rolling-update web --rollback"


def test_a_long_command_is_cut_for_an_annotation() -> None:
    short, long = line("web --image=b"), line("web --patch=" + "x" * 1000)
    assert short.shortened() == short.shown()
    assert len(long.shortened()) == 1000
    assert long.shortened().endswith("x...")
    assert len(long.shown()) > 1000


def test_what_was_given() -> None:
    """In the types of the table, with its defaults."""
    given = line("rc/web next --restart=false --dry-run=none -v 6 --pause-at=1,50% --container= --revision=2")
    assert (given.controller, given.names) == ("web", ("rc/web", "next"))
    assert (given.value("v"), given.value("timeout"), given.text("timeout")) == (6, 300.0, "5m0s")
    assert [str(amount) for amount in given.values("pause-at")] == ["1", "50%"]
    assert given.has("restart")
    assert not any(map(given.on, ("restart", "dry-run", "container", "watch", "timeout")))
    assert given.on("revision")
    assert given.optional("container") is None
    with pytest.raises(UsageError) as caught:
        _ = line("deploy/web").controller
    assert caught.value.message == "deploy/web is not a ReplicationController"


# --- while it is typed ---


@pytest.mark.parametrize(
    ("words", "names", "flag", "text"),
    [
        ([], (), None, ""),
        (["we"], (), None, "we"),
        (["web", "--image"], ("web",), None, "--image"),
        (["web", "--image", "a"], ("web",), "image", "a"),
        (["web", "--image=a=b"], ("web",), "image", "a=b"),
        (["-o=y"], (), "output", "y"),
        (["-o="], (), "output", ""),
        (["-wn=sh"], (), "namespace", "sh"),
        (["-wn", "sh"], (), "namespace", "sh"),
        (["-fa=b"], (), "filename", "a=b"),
        (["--keep-name="], (), "keep-name", ""),
        (["--no-such", "--timeout=x", "-Q", "--=", "web", ""], ("web",), None, ""),
        (["--image", "--", "we"], (), None, "we"),
        (["--", "-x", "--image="], ("-x",), None, "--image="),
    ],
)
def test_being_typed(words: list[str], names: tuple[str, ...], flag: str | None, text: str) -> None:
    """What is wrong is skipped; the last word is a value, if a flag needs one."""
    typed = being_typed(words)
    assert typed.invocation.names == names
    assert (typed.flag.name if typed.flag else None, typed.text) == (flag, text)
    assert typed.flags_ended == (words[:1] == ["--"])


@pytest.mark.parametrize("word", ["--no-such=x", "-Q=x", "-=", "--="])
def test_a_value_of_an_unknown_flag(word: str) -> None:
    with pytest.raises(UsageError):
        being_typed([word])


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:s3cret@host/rc", "https://me:REDACTED@host/rc"),
        ("https://me:s3@cret@host/rc", "https://me:REDACTED@host/rc"),
        ("https://me:s3@cret@host:8080", "https://me:REDACTED@host:8080"),
        ("https://t0ken@host/rc", "https://REDACTED@host/rc"),
        ("https://:s3cret@host", "https://:REDACTED@host"),
        ("https://host/a@b", "https://host/a@b"),
        ("https://host:8080/?mail=a@b", "https://host:8080/?mail=a@b"),
        ("https://host:8080?mail=a@b", "https://host:8080?mail=a@b"),
    ],
)
def test_credentials_in_a_url_are_not_shown_again(url: str, shown: str) -> None:
    """The userinfo ends at the last @ before the path."""
    assert without_passwords(f"-f {url} x") == f"-f {shown} x"
