"""What to do next is data in the core; commands are made of it in one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rollupdate.core
import rollupdate.engine
from rollupdate.advice import (
    Advice,
    Again,
    Annotate,
    DeleteController,
    Edit,
    Named,
    Oc,
    PatchObject,
    Resume,
    RollBack,
    Setting,
    Upgrade,
)
from rollupdate.cli import pflag
from rollupdate.cli.flags import LONG, SHORT
from rollupdate.commands.hints import connected
from rollupdate.errors import RefusedError

EVERYTHING = Advice(
    "a: ",
    RollBack("web"),
    "; b: ",
    RollBack("web", 3),
    "; c: ",
    Resume(("web", "next", "...")),
    "; d: ",
    Annotate("web", "k"),
    "; e: ",
    DeleteController("web"),
    "; f: ",
    Upgrade(),
    "; g: ",
    Again(Setting.LABEL_KEY, "rollout"),
    "; h: ",
    PatchObject("service", "web", '{"a":null}'),
    "; i: ",
    Edit("networkpolicy", "web"),
    "; j: ",
    Named(("web", "-next")),
    "; k: ",
    Named(("web",)),
    "; l: ",
    Oc(("rollout", "cancel", "dc/web")),
)


def test_commands_have_the_connection_flags_of_the_run() -> None:
    """No secret is repeated, and what needs quotes has them."""
    error = RefusedError("no", hint=EVERYTHING)
    given = pflag.read(["web", "-n", "my shop", "--image=x", "--token=s3cret", "--context=prod"])
    connected(error, given)
    here = "-n 'my shop' --token=REDACTED --context=prod"
    tool = "kubectl rolling-update web"
    assert error.hint == (
        f"a: {tool} --rollback {here}; b: {tool} --rollback --to-revision=3 {here}; "
        f"c: {tool} next ... {here}; "
        f"d: kubectl annotate rc web k=VALUE --overwrite {here}; e: kubectl delete rc web {here}; "
        "f: kubectl krew upgrade rolling-update; "
        f"g: kubectl rolling-update web -n 'my shop' --image=x --token=REDACTED --context=prod "
        "--deployment-label-key=rollout; "
        f"h: kubectl patch service web --type=merge -p '{{\"a\":null}}' {here}; "
        f"i: kubectl edit networkpolicy web {here}; "
        "j: kubectl rolling-update -n 'my shop' --image=x --token=REDACTED --context=prod -- web -next; "
        "k: kubectl rolling-update web -n 'my shop' --image=x --token=REDACTED --context=prod; "
        f"l: oc rollout cancel dc/web {here}"
    )


def test_without_a_command_line_they_are_plain() -> None:
    assert (
        str(Advice("go back with: ", RollBack("web")))
        == "go back with: kubectl rolling-update web --rollback"
    )
    error = RefusedError("no", hint="text stays text")
    connected(error, pflag.read(["web", "-n", "x"]))
    assert error.hint == "text stays text"


@pytest.mark.parametrize("setting", Setting, ids=lambda setting: setting.name)
def test_a_setting_is_a_flag(setting: Setting) -> None:
    """One that the command has."""
    assert str(setting).lstrip("-") in (LONG if str(setting).startswith("--") else SHORT)


@pytest.mark.parametrize("package", [rollupdate.core, rollupdate.engine], ids=["core", "engine"])
def test_no_flag_and_no_command_is_named(package: object) -> None:
    """In no text that a user can see; the annotations and field managers have their names."""
    folder = Path(str(package.__file__)).parent  # type: ignore[attr-defined]
    for path in folder.rglob("*.py"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for text in re.findall(r'(?<!")"([^"]+)"(?!")', line):
                assert not re.search(r"(?<![\w-])(--[a-z]|-[a-z]\b)|\bkubectl (?!1\.17)", text), (
                    f"{path}:{number}"
                )
