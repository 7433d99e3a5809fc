"""The values that pass between the modules of this package: what was asked for, and what came of it.

Frozen values only; where they come from is in ``kubeconfig``, what is done with them in ``credentials``,
``tls`` and ``connection``. Secrets are kept out of every ``repr``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rollupdate.errors import ConfigError


@dataclass(frozen=True)
class ConnectionFlags:
    """kubectl's global flags as given; an empty text is the same as a flag that was not given."""

    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    user: str = ""
    server: str = ""
    namespace: str = ""
    token: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    client_certificate: str = ""
    client_key: str = ""
    certificate_authority: str = ""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    as_user: str = ""
    as_groups: tuple[str, ...] = ()
    as_uid: str = ""
    as_extra: tuple[tuple[str, str], ...] = ()
    """Keys with one value; a key may come several times."""
    proxy_url: str = ""
    disable_compression: bool = False
    request_timeout: float = 0.0
    """Seconds for one request; 0 is no limit."""
    stdin_taken: bool = False
    """Standard input is a manifest (``-f -``), so that no credential plugin may ask there."""


_LARGEST_PEM = 8 * 1024 * 1024
"""Bytes: thirty times the certificates that all of the web is signed by."""


@dataclass(frozen=True)
class Pem:
    """A certificate or key: given in place, or in a file that may be replaced while we run."""

    data: bytes = field(default=b"", repr=False)
    file: str = ""

    def __bool__(self) -> bool:
        return bool(self.data or self.file)

    def read(self, what: str) -> bytes:
        """The bytes. Raises ConfigError, naming ``what`` could not be read."""
        if self.data or not self.file:
            return self.data
        try:
            with Path(self.file).open("rb") as file:
                content = file.read(_LARGEST_PEM + 1)
        except (OSError, ValueError) as error:
            raise ConfigError(f"unable to read {what} {self.file}: {reason_of(error)}") from error
        if len(content) > _LARGEST_PEM:
            raise ConfigError(f"unable to read {what} {self.file}: it is larger than 8 MiB")
        return content


NOTHING = Pem()


@dataclass(frozen=True)
class ExecPlugin:
    """A credential plugin (``exec`` of a kubeconfig user)."""

    command: str
    """A name to be looked up in PATH, or an absolute path."""
    api_version: str
    interactive_mode: str
    """Never, IfAvailable or Always."""
    arguments: tuple[str, ...] = field(default=(), repr=False)
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    install_hint: str = ""
    provide_cluster_info: bool = False


@dataclass(frozen=True)
class IdToken:
    """The token of an ``auth-provider: oidc``."""

    token: str = field(default="", repr=False)
    refreshable: bool = False
    """kubectl can get another one."""


@dataclass(frozen=True)
class Auth:
    """Who we are to the server. Several may be set; ``credentials`` knows which one counts."""

    token: str = field(default="", repr=False)
    token_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    certificate: Pem = NOTHING
    key: Pem = NOTHING
    plugin: ExecPlugin | None = None
    id_token: IdToken | None = None


@dataclass(frozen=True)
class Tls:
    """How the server proves who it is."""

    authority: Pem = NOTHING
    """Empty: the machine's own certificate authorities."""
    insecure: bool = False
    server_name: str = ""
    """Sent as SNI and expected in the certificate, in place of the host of the address."""


@dataclass(frozen=True)
class Impersonation:
    """As whom the requests are to be judged."""

    user: str = ""
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class ConnectionConfig:
    """Everything needed to talk to one API server, after kubeconfig and flags are merged."""

    server: str
    """URL without a slash at its end and without a login; may have a path."""
    server_as_given: str = ""
    """As it was written down, which is what credential plugins are told."""
    namespace: str = "default"
    tls: Tls = Tls()
    auth: Auth = Auth()
    impersonation: Impersonation = Impersonation()
    proxy_url: str = ""
    """From the kubeconfig; the environment's proxies are looked at where the connection is made."""
    request_timeout: float = 0.0
    compression: bool = True
    exec_config: Any = None
    """What the kubeconfig's cluster has for the credential plugin (an extension)."""
    context: str = ""
    cluster: str = ""
    user: str = ""
    stdin_taken: bool = False

    @property
    def whose(self) -> str:
        """The user for messages."""
        return f'user "{self.user}"' if self.user else "the user"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, for ``-v``. There are no headers in it, so no credentials either."""

    verb: str
    url: str
    status: int | None
    """None where no answer came."""
    milliseconds: float
    sent: Any = None
    received: Any = None
    """Bodies as plain values; None for kinds of objects that may hold secrets, and for streams."""


OnWarning = Callable[[str], None]
OnRequest = Callable[[Exchange], None]


def reason_of(error: BaseException) -> str:
    """The system's own words, without number and path: ``no such file or directory``."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]
