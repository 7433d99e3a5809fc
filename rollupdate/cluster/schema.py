"""One kubeconfig file: from bytes to typed, frozen entries. No merging, no decisions, no network.

Read as kubectl reads it (v1.Config of client-go): fields that are not known are skipped, a field of the wrong
type is an error that names the file and the field, and relative paths start at the file's own directory.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from rollupdate.cluster.settings import NOTHING, ExecPlugin, Pem, reason_of
from rollupdate.document import DocumentError, documents, text_of
from rollupdate.errors import ConfigError

_T = TypeVar("_T")
_EXEC_EXTENSION = "client.authentication.k8s.io/exec"
_LARGEST_FILE = 8 * 1024 * 1024


@dataclass(frozen=True)
class ClusterEntry:
    server: str = ""
    authority: Pem = NOTHING
    insecure: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    disable_compression: bool = False
    exec_config: Any = None


@dataclass(frozen=True)
class AuthProvider:
    """A built-in credential provider of older kubectls."""

    name: str = ""
    config: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class UserEntry:
    token: str = field(default="", repr=False)
    token_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    certificate: Pem = NOTHING
    key: Pem = NOTHING
    plugin: ExecPlugin | None = None
    auth_provider: AuthProvider | None = None
    as_user: str = ""
    as_uid: str = ""
    as_groups: tuple[str, ...] = ()
    as_extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class ContextEntry:
    cluster: str = ""
    user: str = ""
    namespace: str = ""


@dataclass(frozen=True)
class Kubeconfig:
    """One file, or several merged."""

    current_context: str = ""
    clusters: Mapping[str, ClusterEntry] = field(default_factory=dict)
    users: Mapping[str, UserEntry] = field(default_factory=dict)
    contexts: Mapping[str, ContextEntry] = field(default_factory=dict)


def load_file(path: str) -> Kubeconfig | None:
    """The file's content; None if the file does not exist. Raises ConfigError."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f'error loading config file "{path}": {reason_of(error)}') from error
    if len(content) > _LARGEST_FILE:
        raise ConfigError(f'error loading config file "{path}": it is larger than 8 MiB')
    return parse(content, path)


def parse(content: bytes, path: str) -> Kubeconfig:
    """``path`` is for messages and for what relative paths are relative to."""
    document = _Node(_document(content, path), path, "", os.path.dirname(os.path.abspath(path)))  # noqa: PTH100, PTH120  # lexical, as Go's filepath: links are not followed
    version, kind = document.text("apiVersion"), document.text("kind")
    if version not in ("", "v1") or kind not in ("", "Config"):
        raise ConfigError(
            f'error loading config file "{path}": no kind "{kind or "Config"}" is registered for version '
            f'"{version or "v1"}"',
            hint="a kubeconfig has apiVersion v1 and kind Config",
        )
    return Kubeconfig(
        current_context=document.text("current-context"),
        clusters=document.named("clusters", "cluster", _cluster),
        users=document.named("users", "user", _user),
        contexts=document.named("contexts", "context", _context),
    )


def _document(content: bytes, path: str) -> Any:
    try:
        return next(documents(text_of(content), unique=False), None)
    except (UnicodeDecodeError, DocumentError) as error:
        problem = f"it {error}" if isinstance(error, DocumentError) and error.whole else str(error)
        raise ConfigError(f'error loading config file "{path}": yaml: {problem}') from error


def _cluster(node: _Node) -> ClusterEntry:
    exec_config = None
    for extension in node.items("extensions"):
        if extension.text("name") == _EXEC_EXTENSION:
            exec_config = extension.raw("extension")
    return ClusterEntry(
        server=node.text("server"),
        authority=node.pem("certificate-authority"),
        insecure=node.boolean("insecure-skip-tls-verify"),
        tls_server_name=node.text("tls-server-name"),
        proxy_url=node.text("proxy-url"),
        disable_compression=node.boolean("disable-compression"),
        exec_config=exec_config,
    )


def _user(node: _Node) -> UserEntry:
    plugin, provider = node.child("exec"), node.child("auth-provider")
    extra = node.child("as-user-extra")
    return UserEntry(
        token=node.text("token"),
        token_file=node.path("tokenFile"),
        username=node.text("username"),
        password=node.text("password"),
        certificate=node.pem("client-certificate"),
        key=node.pem("client-key"),
        plugin=None if plugin is None else _plugin(plugin),
        auth_provider=None if provider is None else _provider(provider),
        as_user=node.text("as"),
        as_uid=node.text("as-uid"),
        as_groups=node.texts("as-groups"),
        as_extra=() if extra is None else tuple((key, extra.texts(key)) for key in extra.names()),
    )


def _provider(node: _Node) -> AuthProvider:
    config = node.child("config")
    return AuthProvider(
        node.text("name"), {} if config is None else {key: config.text(key) for key in config.names()}
    )


def _plugin(node: _Node) -> ExecPlugin:
    version = node.text("apiVersion")
    mode = node.text("interactiveMode")
    if not mode and version.rpartition("/")[2] in ("v1beta1", "v1alpha1"):
        mode = "IfAvailable"  # v1 requires it, the versions before it did not have it
    command = node.text("command")
    return ExecPlugin(
        # Only a command that is a path is relative to the kubeconfig; a bare name is looked up in PATH.
        command=node.absolute(command) if os.sep in command else command,
        api_version=version,
        interactive_mode=mode,
        arguments=node.texts("args"),
        environment=tuple((variable.text("name"), variable.text("value")) for variable in node.items("env")),
        install_hint=node.text("installHint"),
        provide_cluster_info=node.boolean("provideClusterInfo"),
    )


def _context(node: _Node) -> ContextEntry:
    return ContextEntry(node.text("cluster"), node.text("user"), node.text("namespace"))


def _is_text(value: str) -> bool:
    """Half a surrogate pair, which JSON can escape, is no text that could be sent or name a file."""
    return not any("\ud800" <= char <= "\udfff" for char in value)


class _Node:
    """A mapping of the document, and where it stands: every error names file and field."""

    def __init__(self, value: Any, file: str, place: str, directory: str) -> None:
        self._file, self._place, self._directory = file, place, directory
        self._value: dict[Any, Any] = {} if value is None else value
        if not isinstance(self._value, dict):
            raise self._wrong("", "a mapping", value)

    def _wrong(self, key: str, wanted: str, value: object) -> ConfigError:
        place = ".".join(part for part in (self._place, key) if part) or "the document"
        names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}
        found = "nothing" if value is None else names.get(type(value), "a mapping")
        return ConfigError(
            f'error loading config file "{self._file}": {place}: expected {wanted}, found {found}'
        )

    def _at(self, value: Any, place: str) -> _Node:
        return _Node(
            value, self._file, ".".join(part for part in (self._place, place) if part), self._directory
        )

    def _typed(self, key: str, kind: type[_T], wanted: str, default: _T) -> _T:
        value = self._value.get(key)
        if value is None:
            return default
        if not isinstance(value, kind) or (isinstance(value, str) and not _is_text(value)):
            raise self._wrong(key, wanted, value)
        return value

    def raw(self, key: str) -> Any:
        return self._value.get(key)

    def names(self) -> list[str]:
        for key in self._value:
            if not isinstance(key, str) or not _is_text(key):
                raise self._wrong("", "names that are strings", key)
        return list(self._value)

    def text(self, key: str) -> str:
        return self._typed(key, str, "a string", "")

    def boolean(self, key: str) -> bool:
        return self._typed(key, bool, "a boolean", False)

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._typed(key, list, "a list of strings", [])
        for value in values:
            if not isinstance(value, str) or not _is_text(value):
                raise self._wrong(key, "a list of strings", value)
        return tuple(values)

    def child(self, key: str) -> _Node | None:
        value = self._value.get(key)
        return None if value is None else self._at(value, key)

    def items(self, key: str) -> list[_Node]:
        values = self._typed(key, list, "a list", [])
        return [self._at(value, f"{key}[{number}]") for number, value in enumerate(values)]

    def named(self, key: str, inner: str, build: Callable[[_Node], _T]) -> dict[str, _T]:
        """The list of ``{name: ..., inner: {...}}`` under ``key`` as a mapping."""
        found: dict[str, _T] = {}
        for item in self.items(key):
            name = item.text("name")
            if name in found:
                raise ConfigError(
                    f'error loading config file "{self._file}": {key}: duplicate name "{name}" in list'
                )
            found[name] = build(item.child(inner) or item._at(None, inner))
        return found

    def absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self._directory, path))  # noqa: PTH118  # lexical, as Go's filepath

    def path(self, key: str) -> str:
        path = self.text(key)
        return self.absolute(path) if path else ""

    def pem(self, key: str) -> Pem:
        """``key`` names a file, ``key-data`` has the content in base64."""
        encoded = self.text(f"{key}-data")
        try:
            data = base64.b64decode(encoded.replace("\n", "").replace("\r", ""), validate=True)
        except (binascii.Error, ValueError) as error:
            place = ".".join(part for part in (self._place, f"{key}-data") if part)
            raise ConfigError(
                f'error loading config file "{self._file}": {place}: illegal base64 data'
            ) from error
        return Pem(data=data, file=self.path(key))
