"""Flags of kubectl 1.17, or of kubectl today, that this command does not take: what to do instead."""

from __future__ import annotations

_ADVICE = {
    "leave it out: it had no effect on an update": (
        *("all", "show-all", "show-labels", "no-headers", "sort-by", "output-version", "api-version"),
        *("schema-cache-dir", "include-extended-apis", "allow-missing-template-keys", "record"),
    ),
    "leave it out; -v works": (
        *("logtostderr", "alsologtostderr", "stderrthreshold", "log-dir", "log-file", "log-flush-frequency"),
        *("log-backtrace-at", "skip-headers", "skip-log-headers", "vmodule", "warnings-as-errors"),
    ),
    "leave it out": ("cache-dir", "match-server-version", "profile", "profile-output", "disable-compression"),
    "put it into a user of the kubeconfig, and name that with --user": (
        "username",
        "password",
        "as-user-extra",
    ),
    "set proxy-url of the cluster in the kubeconfig, or HTTPS_PROXY": ("proxy-url",),
    "use -o json with jq, or kubectl get rc NAME afterwards": ("template", "show-managed-fields"),
}
_BY_NAME = {name: advice for advice, names in _ADVICE.items() for name in names}


def advice(name: str) -> str | None:
    """``name``: an unknown flag, without hyphens in front."""
    return _BY_NAME.get(name.replace("_", "-"))
