"""Pods that do not run their controller's template, as a sentence: of an update, of ``--status`` and
``--history``."""

from __future__ import annotations

from rollupdate.core.model.running import Running
from rollupdate.events import PodsDiffer

_MOST_PATHS = 3


def other_pods(controller: str, found: Running | PodsDiffer) -> str:
    differs = found.differs
    named = ", ".join(differs[:_MOST_PATHS]) + (", ..." if len(differs) > _MOST_PATHS else "")
    run = "" if found.revision is None else f" but revision {found.revision}"
    return f"{found.others} of {found.looked} pods of {controller} do not run its pod template{run} ({named})"


def not_seen(controller: str, problem: str) -> str:
    return f"What the pods of {controller} run was not looked at: {problem}"
