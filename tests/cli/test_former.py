"""Flags of kubectl of every age: each one is in the table, or accepted without effect, or has a way out."""

from __future__ import annotations

import re
import subprocess

import pytest

from rollupdate.cli import pflag, usage
from rollupdate.cli.completion import answer
from rollupdate.cli.flags import FLAGS, LONG
from rollupdate.cli.former import WITHOUT_EFFECT
from rollupdate.cli.help import help_text
from rollupdate.cli.kinds import SWITCH
from rollupdate.errors import UsageError

OF_SCRIPTS = (
    *("--show-all", "-a", "--no-headers", "--show-labels", "--sort-by=.metadata.name", "--record"),
    *("--schema-cache-dir=/tmp/s", "--output-version=v1", "--api-version=v1", "--include-extended-apis=true"),
    *(
        "--allow-missing-template-keys=false",
        "--logtostderr=true",
        "--alsologtostderr",
        "--stderrthreshold=2",
    ),
    *("--log-dir=/tmp", "--log_dir=/tmp", "--log-flush-frequency=5s", "--vmodule=x=1", "--cache-dir=/tmp/c"),
    *("--match-server-version", "--profile=none", "--profile-output=p", "--kuberc=k"),
)
"""As deploy scripts and CI plugins write them."""


def test_flags_that_scripts_give_are_read() -> None:
    """With the value joined or apart, and a switch with none; the command line is otherwise the same."""
    invocation = pflag.read(["web", *OF_SCRIPTS, "--image=a", "--sort-by", "x", "--log-dir", "y"])
    usage.check(invocation)
    assert (invocation.names, invocation.text("image")) == (("web",), "a")
    assert set(invocation.without_effect) == {
        *("show-all", "no-headers", "show-labels", "sort-by", "record", "schema-cache-dir", "output-version"),
        *("api-version", "include-extended-apis", "allow-missing-template-keys", "logtostderr"),
        *("alsologtostderr", "stderrthreshold", "log-dir", "log-flush-frequency", "vmodule", "cache-dir"),
        *("match-server-version", "profile", "profile-output", "kuberc"),
    }


@pytest.mark.parametrize("mode", [["--status"], ["--history"], ["--rollback"], ["--image=a"], ["-f", "x"]])
def test_they_go_with_everything(mode: list[str]) -> None:
    usage.check(pflag.read(["web", *mode, *OF_SCRIPTS]))


def test_an_empty_output_is_none() -> None:
    """`-o "$FORMAT"` with the variable not set."""
    for words in (["--output="], ["--output", ""], ["-o", ""]):
        invocation = pflag.read(["web", "--image=a", *words])
        usage.check(invocation)
        assert not invocation.has("output")


def test_a_switch_takes_only_a_boolean() -> None:
    with pytest.raises(UsageError, match='invalid argument "maybe" for "--record" flag'):
        pflag.read(["web", "--record=maybe"])


def test_they_are_in_no_help_and_in_no_completion() -> None:
    offered = {value for value, _ in answer(["web", "--"], {}).candidates}
    for flag in WITHOUT_EFFECT:
        assert f"--{flag.name}" not in help_text()
        assert f"--{flag.name}" not in offered
        assert answer(["web", f"--{flag.name}="], {}).candidates == ()
    assert "-a" not in {value for value, _ in answer(["web", "-"], {}).candidates}


def test_no_flag_is_in_both_tables() -> None:
    names = [flag.name for flag in (*FLAGS, *WITHOUT_EFFECT)]
    letters = [flag.short for flag in (*FLAGS, *WITHOUT_EFFECT) if flag.short]
    assert len(set(names)) == len(names)
    assert len(set(letters)) == len(letters)


def test_every_global_flag_of_kubectl_is_known(newest_kubectl: str) -> None:
    """And needs a value where kubectl's needs one."""
    shown = subprocess.run([newest_kubectl, "options"], capture_output=True, text=True, check=True).stdout
    found = dict(re.findall(r"^ +(?:-\w, )?--([\w-]+)=(.*):$", shown, re.MULTILINE))
    assert len(found) > 25
    for name, default in found.items():
        assert name in LONG, f"kubectl has --{name}"
        assert (LONG[name].kind is SWITCH) == (default in ("true", "false")), name
