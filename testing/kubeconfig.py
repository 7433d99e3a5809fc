"""Kubeconfigs of one context: written for programs under test, and read to look at the cluster they name.

This is not how the product reads kubeconfigs (that is under test, in ``rollupdate.cluster``).
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from testing.objects import Json

_NAME = "test"
"""Of the cluster, the user and the context."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """Where a cluster is and as whom it is used. Certificates and keys are texts in PEM; empty is none."""

    server: str
    authority: str = ""
    token: str = ""
    certificate: str = ""
    key: str = ""
    impersonated: str = ""
    namespace: str = "default"


def write(path: Path, access: Access, *, user: Json | None = None) -> Path:
    """Write a kubeconfig (mode 0600) that needs no other file, and give its path back.

    ``user`` is the whole user, in place of what ``access`` says of it.
    """
    cluster: Json = {"server": access.server}
    if access.authority:
        cluster["certificate-authority-data"] = _inline(access.authority)
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": _NAME,
        "clusters": [{"name": _NAME, "cluster": cluster}],
        "users": [{"name": _NAME, "user": _user(access) if user is None else user}],
        "contexts": [
            {"name": _NAME, "context": {"cluster": _NAME, "user": _NAME, "namespace": access.namespace}}
        ],
    }
    # Under another name first: whoever waits for the file must not see half of it.
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_text(yaml.safe_dump(content, sort_keys=False))
    return unfinished.replace(path)


def read(path: Path) -> Access:
    """The current context. Raises ValueError where there is none; exec plugins and the like are left out."""
    try:
        content = yaml.safe_load(path.read_text())
        context = _named(content, "contexts", "context", content["current-context"])
        cluster = _named(content, "clusters", "cluster", context["cluster"])
        user = _named(content, "users", "user", context["user"]) or {}
        token = user.get("token") or _text(user, "tokenFile", path).strip()
        return Access(
            server=str(cluster["server"]),
            authority=_text(cluster, "certificate-authority", path),
            token=token,
            certificate=_text(user, "client-certificate", path),
            key=_text(user, "client-key", path),
            impersonated=user.get("as", ""),
            namespace=context.get("namespace", "default"),
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ValueError(f"kubeconfig {path} can't be used: {error!r}") from error


def _user(access: Access) -> Json:
    user = {
        "token": access.token,
        "client-certificate-data": _inline(access.certificate),
        "client-key-data": _inline(access.key),
        "as": access.impersonated,
    }
    return {key: value for key, value in user.items() if value}


def _named(content: Json, collection: str, kind: str, name: str) -> Json:
    for entry in content[collection]:
        if entry["name"] == name:
            value: Json = entry[kind]
            return value
    raise KeyError(f"{kind} {name}")


def _text(section: Json, key: str, kubeconfig: Path) -> str:
    """What stands there, or in the file that is named there, relative to the kubeconfig."""
    if f"{key}-data" in section:
        return base64.b64decode(section[f"{key}-data"]).decode()
    return (kubeconfig.parent / section[key]).read_text() if key in section else ""


def _inline(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
