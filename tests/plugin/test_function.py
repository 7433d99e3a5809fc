"""The function of docs/pipelines.md for flags in front of the command, in every shell that there is on this
machine."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from testing.command import ROOT, environment, run

PAGE = (ROOT / "docs" / "pipelines.md").read_text()
FUNCTION = "".join(re.findall(r"^kubectl\(\) \{\n.*?^\}\n", PAGE, re.DOTALL | re.MULTILINE))
SHELLS = [name for name in ("sh", "dash", "bash", "ksh", "zsh") if shutil.which(name)]
PROGRAM = """\
#!/bin/sh
printf '%s' "${0##*/}"
for word in "$@"; do printf '|%s' "$word"; done
exit 3
"""
PLUGIN = "kubectl-rolling_update"
LINES = {
    "kubectl -n shop rolling-update web --image=b:2": f"{PLUGIN}|-n|shop|web|--image=b:2",
    "kubectl --kubeconfig 'a b' --context=x rolling-update web": f"{PLUGIN}|--kubeconfig|a b|--context=x|web",
    "kubectl -s http://a rolling-update web -f -": f"{PLUGIN}|-s|http://a|web|-f|-",
    'kubectl rolling-update web --patch=\'{"a": "b c"}\'': f'{PLUGIN}|web|--patch={{"a": "b c"}}',
    "kubectl --server=http://a get rc": "kubectl|--server=http://a|get|rc",
    "kubectl": "kubectl",
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("line", LINES)
def test_flags_in_front_of_the_command(shell: str, line: str, tmp_path: Path) -> None:
    """It starts the program itself, with every word as it is; all else is kubectl's, and so is the status."""
    for name in ("kubectl", PLUGIN):
        (tmp_path / name).write_text(PROGRAM)
        (tmp_path / name).chmod(0o755)
    script = tmp_path / "script"
    script.write_text(f'set -eu\n{FUNCTION}{line} || echo "|status $?"\n')
    ended = run([shell, str(script)], environment(PATH=f"{tmp_path}:/usr/bin:/bin"), tmp_path)
    assert (ended.stdout, ended.stderr) == (f"{LINES[line]}|status 3\n", "")
