"""The cluster that a command line names: its connection flags, and the connection. All commands share it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rollupdate.console import print_note
from rollupdate.counts import counted
from rollupdate.errors import RollingUpdateError
from rollupdate.rights import CREATE_PODS

if TYPE_CHECKING:
    from rollupdate.cluster import ConnectionFlags, Exchange, OnRequest
    from rollupdate.cluster.api import ApiCluster
    from rollupdate.commands.given import Given

_LONGEST_BODY = 10_000
"""Characters of one body in the log."""


class ServerWarnings:
    """What the server warns of: printed as it comes, and counted."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def __call__(self, text: str) -> None:
        self._texts.append(text)
        print_note(f"Warning: {text}")

    def refuse(self) -> None:
        """For ``--warnings-as-errors``. Raises RollingUpdateError if there was one, in kubectl's words."""
        if self._texts:
            raise RollingUpdateError(
                f"{counted(len(self._texts), 'warning')} received",
                hint="what was asked for is done; this exit status is that of --warnings-as-errors",
            )


def connect(given: Given, warnings: ServerWarnings) -> ApiCluster:
    """Nothing is sent yet. Raises ConfigError."""
    from rollupdate import cluster

    return cluster.connect(
        connection_flags(given),
        environ=os.environ,
        on_warning=warnings,
        on_request=_request_log(given.value("v")),
    )


def begin(given: Given, warnings: ServerWarnings) -> Callable[[], ApiCluster]:
    """Connect, with the first list on its way; before an update also those of what refers to its pods, and
    what it may ask the server of them. What is returned gives the cluster, or raises ConfigError."""
    try:
        cluster = connect(given, warnings)
    except RollingUpdateError as error:
        problem = error

        def fail() -> ApiCluster:
            raise problem

        return fail
    updates = not (given.on("status") or given.on("rollback"))
    asks = updates and given.value("dry-run") != "client"
    cluster.begin(referring=updates, rights=(CREATE_PODS,) if asks else ())
    return lambda: cluster


def connection_flags(given: Given) -> ConnectionFlags:
    from rollupdate.cluster import ConnectionFlags

    return ConnectionFlags(
        kubeconfig=given.text("kubeconfig"),
        context=given.text("context"),
        cluster=given.text("cluster"),
        user=given.text("user"),
        server=given.text("server"),
        namespace=given.text("namespace"),
        token=given.text("token"),
        username=given.text("username"),
        password=given.text("password"),
        as_user=given.text("as"),
        as_groups=given.texts("as-group"),
        as_uid=given.text("as-uid"),
        as_extra=tuple(filter(None, given.values("as-user-extra"))),
        client_certificate=given.text("client-certificate"),
        client_key=given.text("client-key"),
        certificate_authority=given.text("certificate-authority"),
        insecure_skip_tls_verify=given.value("insecure-skip-tls-verify"),
        tls_server_name=given.text("tls-server-name"),
        proxy_url=given.text("proxy-url"),
        disable_compression=given.value("disable-compression"),
        request_timeout=given.value("request-timeout"),
        stdin_taken=stdin_taken(given),
    )


def stdin_taken(given: Given) -> bool:
    """Whether standard input is read for what changes."""
    return "-" in (*given.texts("filename"), *given.texts("patch-file"))


class SystemClock:
    """The engine's clock: monotonic seconds."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def _request_log(verbosity: int) -> OnRequest | None:
    """``-v=6`` and above: a line for each request on standard error; from 8 on the bodies as well."""
    if verbosity < 6:
        return None

    def log(exchange: Exchange) -> None:
        outcome = "no answer" if exchange.status is None else str(exchange.status)
        print_note(f"{exchange.verb} {exchange.url} {outcome} in {exchange.milliseconds:.0f} milliseconds")
        if verbosity >= 8:
            for label, body in (("Request", exchange.sent), ("Response", exchange.received)):
                if body is not None:
                    print_note(f"{label} Body: {json.dumps(body, ensure_ascii=False)[:_LONGEST_BODY]}")

    return log
