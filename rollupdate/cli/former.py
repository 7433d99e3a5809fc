"""Flags of kubectl 1.17 and of kubectl today beside those of the table (``flags``).

Most are accepted without effect, so that a script that gives them runs: they shaped an output that an update
does not have, or how kubectl logs, caches and profiles. They are in no help and no completion. The others are
refused with what to do instead.
"""

from __future__ import annotations

from rollupdate.cli import kinds
from rollupdate.cli.flag import NO_EFFECT, Flag

_SWITCHES = (
    # of 1.17 and before, about an output that an update does not have
    *("allow-missing-template-keys", "include-extended-apis", "no-headers", "record", "show-labels"),
    # about the log of kubectl, until 1.25
    *("add-dir-header", "alsologtostderr", "logtostderr", "one-output", "skip-headers", "skip-log-headers"),
    # global flags of kubectl today
    "match-server-version",
)
_VALUES = (
    *("api-version", "output-version", "schema-cache-dir", "sort-by"),
    *("log-backtrace-at", "log-dir", "log-file", "log-file-max-size", "stderrthreshold"),
    *("cache-dir", "kuberc", "log-flush-frequency", "profile", "profile-output", "vmodule"),
)
WITHOUT_EFFECT: tuple[Flag, ...] = (
    Flag("show-all", NO_EFFECT, "", short="a", kind=kinds.SWITCH),
    *(Flag(name, NO_EFFECT, "", kind=kinds.SWITCH) for name in _SWITCHES),
    *(Flag(name, NO_EFFECT, "") for name in _VALUES),
)

_ADVICE = dict.fromkeys(
    ("template", "show-managed-fields"), "use -o json with jq, or kubectl get rc NAME afterwards"
)


def advice(name: str) -> str | None:
    """``name``: an unknown flag, without hyphens in front."""
    return _ADVICE.get(name.replace("_", "-"))
