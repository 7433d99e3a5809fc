"""The help page, from the table of flags. Nothing is printed here."""

from __future__ import annotations

from rollupdate.cli import kinds
from rollupdate.cli.flag import GROUPS
from rollupdate.cli.flags import FLAGS

USAGE = """\
Replace the pods of a ReplicationController batch by batch, with no interruption of service.

New pods are started and old pods removed step by step, so that the service keeps its size. If anything stops
the command, run it again to resume the update, or append --rollback to roll it back.

Usage:
  kubectl rolling-update NAME ([NEW_NAME] --image=IMAGE | -f FILE) [flags]

Examples:
  # Update the pods of frontend to another image, keeping the name of the controller
  kubectl rolling-update frontend --image=image:v2

  # The same, ending with a controller of another name
  kubectl rolling-update frontend-v1 frontend-v2 --image=image:v2

  # Update the pods of frontend-v1 with the controller in a file, or on standard input
  kubectl rolling-update frontend-v1 -f frontend-v2.json
  cat frontend-v2.json | kubectl rolling-update frontend-v1 -f -

  # Change an environment variable or a field of the pod template, or just restart the pods
  kubectl rolling-update frontend --set-env=LOG_LEVEL=debug
  kubectl rolling-update frontend --patch='{"spec": {"terminationGracePeriodSeconds": 60}}' --diff
  kubectl rolling-update frontend --restart

  # Roll back the update in progress
  kubectl rolling-update frontend-v1 frontend-v2 --rollback

  # List the revisions, and undo a finished update: to the previous revision, or to any
  kubectl rolling-update frontend --history
  kubectl rolling-update frontend --rollback --to-revision=0
  kubectl rolling-update frontend --rollback --to-revision=3
"""


def help_text() -> str:
    """The whole help page, grouped."""
    lines = [USAGE]
    for group in GROUPS:
        lines.append(f"{group}:")
        for flag in FLAGS:
            if flag.group != group:
                continue
            names = f"-{flag.short}, --{flag.name}" if flag.short else f"    --{flag.name}"
            shown = "''" if flag.default == "" and not flag.many else flag.default or "[]"
            lines.append(f"  {names}={shown}:")
            choices = "" if flag.kind is kinds.SWITCH else ", ".join(flag.kind.choices)
            lines.append(f"        {flag.help}")
            if choices:
                lines.append(f"        One of: {choices}.")
        lines.append("")
    lines.append(
        "Exit status: 0 the update is finished, or paused; 1 an error, nothing was changed unless the\n"
        "message says so; 3 the update stopped before it was complete and can be resumed; 130 interrupted."
    )
    return "\n".join(lines) + "\n"
