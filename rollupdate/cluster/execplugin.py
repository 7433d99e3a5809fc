"""Running a credential plugin (``exec`` of a kubeconfig user) as client-go runs it.

The plugin's standard error is the user's; its standard output is read here, bounded, and shown nowhere. Each
thing that goes wrong is a ConfigError: no request is ever sent without the credentials that were asked for.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rollupdate.cluster.credentials import Credentials, bearer
from rollupdate.cluster.settings import ConnectionConfig, ExecPlugin, reason_of
from rollupdate.document import DocumentError, documents, text_of
from rollupdate.environment import clean_environment
from rollupdate.errors import ConfigError

LONGEST_RUN = 300.0
"""Seconds. A plugin may wait for a login in a browser, but not for ever."""
LARGEST_OUTPUT = 1024 * 1024
_DOCUMENTATION = (
    "https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins"
)


def run(
    config: ConnectionConfig, environ: Mapping[str, str], *, longest_run: float = LONGEST_RUN
) -> Credentials:
    """Run the plugin of ``config`` once. Raises ConfigError."""
    plugin = config.auth.plugin
    if plugin is None:
        raise ConfigError(f"{config.whose} has no credential plugin")
    interactive = _interactive(plugin, config.stdin_taken)
    clean = clean_environment(environ)
    environment = {
        **clean,
        **dict(plugin.environment),
        "KUBERNETES_EXEC_INFO": json.dumps(_exec_info(config, plugin, interactive)),
    }
    command = plugin.command
    if os.sep not in command:
        command = shutil.which(command, path=clean.get("PATH")) or ""
        if not command:
            raise _not_found(plugin)
    output = _output(plugin, command, environment, interactive=interactive, longest_run=longest_run)
    return _credentials(output, plugin, config)


def _interactive(plugin: ExecPlugin, stdin_taken: bool) -> bool:
    """Whether the plugin gets our standard input."""
    if plugin.interactive_mode == "Never":
        return False
    terminal = sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()
    if plugin.interactive_mode == "Always" and (stdin_taken or not terminal):
        why = "it is used for the manifest" if stdin_taken else "standard input is not a terminal"
        raise ConfigError(f"getting credentials: exec plugin cannot support interactive mode: {why}")
    return terminal and not stdin_taken


def _exec_info(config: ConnectionConfig, plugin: ExecPlugin, interactive: bool) -> dict[str, Any]:
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.provide_cluster_info:
        authority = config.tls.authority.read("certificate-authority")
        cluster = {
            "server": config.server_as_given or config.server,
            "tls-server-name": config.tls.server_name,
            "insecure-skip-tls-verify": config.tls.insecure,
            "certificate-authority-data": base64.b64encode(authority).decode("ascii"),
            "proxy-url": config.proxy_url,
            "disable-compression": not config.compression,
            "config": config.exec_config,
        }
        spec["cluster"] = {key: value for key, value in cluster.items() if value not in ("", False, None)}
    return {"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec}


def _output(
    plugin: ExecPlugin, command: str, environment: dict[str, str], *, interactive: bool, longest_run: float
) -> bytes:
    try:
        process = subprocess.Popen(
            [command, *plugin.arguments],
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=environment,
        )
    except FileNotFoundError as error:
        raise _not_found(plugin) from error
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"getting credentials: exec: {plugin.command}: {reason_of(error)}", hint=_hint(plugin)
        ) from error
    output: list[bytes] = []
    assert process.stdout is not None
    stream = process.stdout
    reader = threading.Thread(target=lambda: output.append(stream.read(LARGEST_OUTPUT + 1)), daemon=True)
    try:
        reader.start()
        reader.join(longest_run)
        if reader.is_alive():
            raise ConfigError(
                f"getting credentials: exec: executable {plugin.command} has not finished within "
                f"{longest_run:g}s and was stopped"
            )
        if len(output[0]) > LARGEST_OUTPUT:
            raise ConfigError(
                f"getting credentials: exec: executable {plugin.command} printed more than "
                f"{LARGEST_OUTPUT // 1024} KiB"
            )
        try:
            status = process.wait(longest_run)
        except subprocess.TimeoutExpired as error:
            raise ConfigError(
                f"getting credentials: exec: executable {plugin.command} closed its output but does not end"
            ) from error
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if not reader.is_alive():
            stream.close()  # else a child of the plugin holds it, and the thread waits for that
    if status != 0:
        how = f"failed with exit code {status}" if status > 0 else f"was ended by signal {-status}"
        raise ConfigError(f"getting credentials: exec: executable {plugin.command} {how}", hint=_hint(plugin))
    return output[0]


def _not_found(plugin: ExecPlugin) -> ConfigError:
    return ConfigError(
        f"getting credentials: exec: executable {plugin.command} not found",
        hint=_hint(plugin) or f"it is a credential plugin that is not installed; see {_DOCUMENTATION}",
    )


def _hint(plugin: ExecPlugin) -> str | None:
    """The kubeconfig's own, without anything that would act on the terminal."""
    kept = "".join(char for char in plugin.install_hint if char.isprintable() or char in "\n\t").strip()
    return kept or None


def _credentials(output: bytes, plugin: ExecPlugin, config: ConnectionConfig) -> Credentials:
    def wrong(what: str) -> ConfigError:
        return ConfigError(
            f"getting credentials: {what}",
            hint=f"run {plugin.command} by hand to see what it prints; it must be an ExecCredential",
        )

    try:
        answer = _document(text_of(output))
    except (ValueError, DocumentError):  # not chained: the message quotes what may be a credential
        raise wrong(f"decoding stdout of {plugin.command}: neither JSON nor YAML") from None
    if not isinstance(answer, dict):
        raise wrong(f"decoding stdout of {plugin.command}: not an object")
    version, kind = answer.get("apiVersion"), answer.get("kind")
    if version != plugin.api_version:
        shown = version if isinstance(version, str) else "none"
        raise wrong(
            f"exec plugin is configured to use API version {plugin.api_version}, plugin returned version "
            f"{shown[:100]}"
        )
    if kind not in ("ExecCredential", None, ""):
        raise wrong(f'decoding stdout of {plugin.command}: the kind is not "ExecCredential"')
    status = answer.get("status")
    if not isinstance(status, dict):
        raise wrong("exec plugin didn't return a status field")
    token, certificate, key = (
        status.get(name) or "" for name in ("token", "clientCertificateData", "clientKeyData")
    )
    if not (isinstance(token, str) and isinstance(certificate, str) and isinstance(key, str)):
        raise wrong("exec plugin returned a credential that is not a string")
    if not token and not certificate and not key:
        raise wrong("exec plugin didn't return a token or cert/key pair")
    if bool(certificate) != bool(key):
        raise wrong("exec plugin returned only certificate or key, not both")
    try:
        expires_at = _timestamp(status.get("expirationTimestamp"))
        pair = certificate.encode(), key.encode()
        authorization = bearer(token, config.whose) if token else ""
    except ValueError:  # a lone surrogate, too, is none of UTF-8
        raise wrong("exec plugin returned an expirationTimestamp or text that cannot be read") from None
    return Credentials(authorization, *pair, expires_at=expires_at)


def _document(text: str) -> Any:
    """JSON, or of YAML the first document. Raises DocumentError, ValueError for JSON with more behind it."""
    found = documents(text, unique=False)
    first = next(found, None)
    if text.lstrip().startswith("{") and next(found, None) is not None:
        raise ValueError("more than one object")
    return first


def _timestamp(value: object) -> float | None:
    """RFC 3339 to seconds since the epoch."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("not a string")
    parsed = datetime.fromisoformat(value)
    if parsed.tzinfo is None:
        raise ValueError("no time zone")
    return parsed.timestamp()
