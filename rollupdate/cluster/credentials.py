"""Who we say we are, request by request: tokens, passwords and certificates, kept fresh.

Files are read again while we run, since an update can outlive a token; a credential plugin is run (by
``execplugin``) when there is nothing yet, when what it gave has expired, and once after an answer of 401.
Nothing here talks to the API server.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from rollupdate.cluster.settings import ConnectionConfig, Impersonation, Pem
from rollupdate.errors import ConfigError

TOKEN_FILE_SECONDS = 10.0
"""How long a token read from a file is used before the file is looked at again."""
CERTIFICATE_FILE_SECONDS = 60.0
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")


@dataclass(frozen=True)
class Credentials:
    """What one request is sent with."""

    authorization: str = field(default="", repr=False)
    """The header, "" for none."""
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    expires_at: float | None = None
    """Seconds since the epoch."""


RunPlugin = Callable[[], Credentials]


class CredentialSource:
    """Thread safe. ``run_plugin`` is called where the configuration names a plugin, one call at a time."""

    def __init__(
        self,
        config: ConnectionConfig,
        run_plugin: RunPlugin | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._run_plugin = run_plugin
        self._clock, self._wall_clock = clock, wall_clock
        self._lock = threading.Lock()
        self._token = ""
        self._token_read: float | None = None
        self._pair = (b"", b"")
        self._pair_read: float | None = None
        self._from_plugin: Credentials | None = None

    def current(self) -> Credentials:
        """What to send now. Raises ConfigError; never falls back to an anonymous request."""
        with self._lock:
            return self._current()

    def refresh(self, refused: Credentials) -> Credentials | None:
        """What to try instead of credentials that the server has refused (401), None if there is nothing
        else. Several threads that were refused together get one refresh."""
        with self._lock:
            if self._run_plugin is not None:
                if self._from_plugin is refused:
                    self._from_plugin = None
                return self._current()
            self._token_read = self._pair_read = None
            fresh = self._current()
            return None if fresh == refused else fresh

    def _current(self) -> Credentials:
        if self._run_plugin is not None:
            held = self._from_plugin
            if held is None or (held.expires_at is not None and self._wall_clock() >= held.expires_at):
                held = self._from_plugin = self._run_plugin()
            return held
        auth = self._config.auth
        certificate, key = self._certificate()
        token = self._file_token() or auth.token
        if token:
            return Credentials(bearer(token, self._config.whose), certificate, key)
        if auth.username or auth.password:
            login = f"{auth.username}:{auth.password}".encode("utf-8", "surrogateescape")
            return Credentials(f"Basic {base64.b64encode(login).decode('ascii')}", certificate, key)
        return Credentials("", certificate, key)

    def _file_token(self) -> str:
        """The file's token wins over a literal one (client-go); what was read last is used while the file
        cannot be read."""
        path = self._config.auth.token_file
        if not path:
            return ""
        now = self._clock()
        if self._token_read is None or now - self._token_read >= TOKEN_FILE_SECONDS:
            try:
                content = Pem(file=path).read("tokenFile")
                token = content.decode("utf-8").strip()
                if not token:
                    raise ConfigError(f"tokenFile {path} is empty")
            except UnicodeDecodeError:
                if not self._token and not self._config.auth.token:
                    raise ConfigError(f"tokenFile {path} is not text") from None
            except ConfigError:
                if not self._token and not self._config.auth.token:
                    raise
            else:
                self._token = token
            self._token_read = now
        return self._token

    def _certificate(self) -> tuple[bytes, bytes]:
        auth = self._config.auth
        if not auth.certificate:
            return b"", b""
        now = self._clock()
        due = self._pair_read is None or now - self._pair_read >= CERTIFICATE_FILE_SECONDS
        if due:
            try:
                self._pair = (auth.certificate.read("client-cert"), auth.key.read("client-key"))
            except ConfigError:
                if not self._pair[0]:
                    raise
            self._pair_read = now
        return self._pair


def bearer(token: str, whose: str) -> str:
    """The Authorization header. The token itself is in no message."""
    return f"Bearer {_sendable(token, f'the token of {whose}')}"


def impersonation_headers(wanted: Impersonation) -> list[tuple[str, str]]:
    """The headers of client-go's impersonating transport."""
    if not wanted.user:
        return []
    headers = [("Impersonate-User", wanted.user)]
    if wanted.uid:
        headers.append(("Impersonate-Uid", wanted.uid))
    headers += [("Impersonate-Group", group) for group in wanted.groups]
    for key, values in wanted.extra:
        escaped = quote(key.lower(), safe="!#$&'*+-.^_`|~", errors="surrogateescape")
        headers += [(f"Impersonate-Extra-{escaped}", value) for value in values]
    return [(name, _sendable(value, name)) for name, value in headers]


def _sendable(text: str, what: str) -> str:
    """UTF-8, in the form in which http.client takes header values."""
    try:
        value = text.encode("utf-8", "surrogateescape").decode("latin-1")
    except UnicodeError:
        value = "\n"
    if not _HEADER_VALUE.match(value):
        raise ConfigError(
            f"{what} has a character that cannot be sent, such as a line break",
            hint="check where it is written down",
        )
    return value
