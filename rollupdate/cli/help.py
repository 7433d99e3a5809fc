"""The help page, from the table of flags. Nothing is printed here."""

from __future__ import annotations

from rollupdate.cli.flag import GROUPS
from rollupdate.cli.flags import FLAGS

USAGE = """\
Replace the pods of a ReplicationController batch by batch, with no interruption of service.

The new pods are started and the old ones removed step by step, so that the service keeps its size. Whatever
stops the command: the same command continues, and with --rollback appended it goes back.

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

  # Change anything else in the pods: an environment variable, a field of the template; or just restart them
  kubectl rolling-update frontend --set-env=LOG_LEVEL=debug
  kubectl rolling-update frontend --patch='{"spec": {"terminationGracePeriodSeconds": 60}}' --diff
  kubectl rolling-update frontend --restart

  # Go back to what was before the update in progress
  kubectl rolling-update frontend-v1 frontend-v2 --rollback

  # See what has run before, and undo a finished update: to the revision before, or to any
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
            lines.append(f"        {flag.help}")
        lines.append("")
    lines.append(
        "Exit status: 0 finished, or paused; 1 an error, nothing changed unless the message says so;\n"
        "3 stopped before it was complete, can be continued; 130 interrupted."
    )
    return "\n".join(lines) + "\n"
