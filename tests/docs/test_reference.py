"""The reference pages are those that the table of flags makes, and the man page is one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from release import reference
from rollupdate.cli.flags import FLAGS
from tests.support import needs

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", reference.pages(), ids=str)
def test_a_page_is_what_the_table_of_flags_makes(path: Path) -> None:
    assert (ROOT / path).read_text() == reference.pages()[path], "run 'make reference'"


def test_every_flag_is_in_both_pages_with_its_help() -> None:
    markdown, man = reference.markdown(), reference.man()
    for flag in FLAGS:
        assert f"--{flag.name}" in markdown
        assert flag.help.replace("|", "\\|") in markdown
        assert f"\\-\\-{flag.name}".replace("-", "\\-").replace("\\\\", "\\") in man


def test_man_shows_the_page_without_complaints() -> None:
    needs.program("man")
    shown = subprocess.run(
        ["man", "--local-file", "--warnings", str(ROOT / reference.MAN)],
        env={"PATH": "/usr/bin:/bin", "MANWIDTH": "100", "MAN_KEEP_FORMATTING": "", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stderr == ""
    assert "kubectl rolling-update NAME ([NEW_NAME] --image=IMAGE | -f FILE) [flags]" in shown.stdout
    assert "--max-unavailable=N|N%" in shown.stdout
