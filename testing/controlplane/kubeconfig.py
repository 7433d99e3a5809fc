"""Writes kubeconfigs for a plane's users, and reads just enough of one to reach an existing cluster.

This is not how the product reads kubeconfigs (that is under test, in ``rollupdate.cluster``).
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import yaml

from testing.controlplane.client import Client, Credentials
from testing.controlplane.unavailable import Unavailable

_FILES = {"certificate-authority", "client-certificate", "client-key", "tokenFile"}


def write(path: Path, url: str, ca: Path, user: str, credentials: Credentials) -> None:
    """One cluster, one user, one context; everything inline, so that the file can be copied anywhere."""
    identity: dict[str, Any] = {}
    if credentials.token is not None:
        identity["token"] = credentials.token
    if credentials.certificate is not None and credentials.key is not None:
        identity["client-certificate-data"] = _inline(credentials.certificate)
        identity["client-key-data"] = _inline(credentials.key)
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "plane", "cluster": {"server": url, "certificate-authority-data": _inline(ca)}},
        ],
        "users": [{"name": user, "user": identity}],
        "contexts": [
            {"name": "plane", "context": {"cluster": "plane", "user": user, "namespace": "default"}},
        ],
        "current-context": "plane",
    }
    _write_private(path, yaml.safe_dump(content, sort_keys=False))


def copy(source: Path, path: Path) -> None:
    """Copy a kubeconfig to another folder; what it names relative to its own is named in full."""
    content = yaml.safe_load(source.read_text())
    for collection, kind in (("clusters", "cluster"), ("users", "user")):
        for entry in content.get(collection) or []:
            section = entry[kind]
            for key in _FILES & section.keys():
                section[key] = str(source.resolve().parent / section[key])
    _write_private(path, yaml.safe_dump(content, sort_keys=False))


def connect(path: Path, folder: Path, *, connections: int = 8) -> Client:
    """A client for the current context of ``path``; inline certificates go to the private ``folder``.

    Raises :class:`Unavailable` for what it does not know, exec plugins above all.
    """
    try:
        content = yaml.safe_load(path.read_text())
        context = _named(content, "contexts", "context", content["current-context"])
        cluster = _named(content, "clusters", "cluster", context["cluster"])
        user = _named(content, "users", "user", context["user"])
        url = str(cluster["server"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise Unavailable(f"kubeconfig {path} can't be used: {error!r}") from error
    ca = _file(cluster, "certificate-authority", path, folder)
    token = user.get("token")
    if token is None and "tokenFile" in user:
        token = (path.parent / user["tokenFile"]).read_text().strip()
    certificate = _file(user, "client-certificate", path, folder)
    if token is None and certificate is None:
        raise Unavailable(
            f"kubeconfig {path}: the user of the current context has no token and no certificate"
        )
    credentials = Credentials(token, certificate, _file(user, "client-key", path, folder))
    return Client(url, ca, credentials, connections=connections)


def _write_private(path: Path, text: str) -> None:
    # Under another name first: whoever waits for the file must not see half of it.
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.replace(path)


def _named(content: dict[str, Any], collection: str, kind: str, name: str) -> dict[str, Any]:
    for entry in content[collection]:
        if entry["name"] == name:
            value: dict[str, Any] = entry[kind]
            return value
    raise KeyError(f"{kind} {name}")


def _file(section: dict[str, Any], key: str, kubeconfig: Path, folder: Path) -> Path | None:
    if f"{key}-data" in section:
        path = folder / f"{key}.pem"
        path.touch(mode=0o600)
        path.write_bytes(base64.b64decode(section[f"{key}-data"]))
        return path
    return kubeconfig.parent / section[key] if key in section else None


def _inline(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
