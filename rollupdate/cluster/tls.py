"""One ``ssl.SSLContext`` per identity: as strict as Go's, and without a private key ever staying on disk."""

from __future__ import annotations

import base64
import os
import re
import shutil
import ssl
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rollupdate.cluster.settings import Tls, reason_of
from rollupdate.errors import ConfigError

_CERTIFICATE = re.compile(
    rb"^-----BEGIN CERTIFICATE-----[ \t\r]*\n([^-]*)^-----END CERTIFICATE-----[ \t\r]*$", re.MULTILINE
)
_SYSTEM_ROOTS = (  # where Go looks; a frozen program's OpenSSL looks where it was built instead
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class SharedContext(ssl.SSLContext):
    """For the connections of many threads: what is offered is settled once.

    urllib3 says the protocols (ALPN) again with each connection. That frees what OpenSSL may be copying for a
    connection of another thread (``SSL_new`` runs without the interpreter's lock), which then sends memory
    that is no longer its own, and is refused: "alert unexpected message", once in half a million connections.
    """

    _offered: list[str] | None = None

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        protocols = list(alpn_protocols)
        if self._offered != protocols:
            super().set_alpn_protocols(protocols)
            self._offered = protocols


def client_context(tls: Tls, certificate: bytes = b"", key: bytes = b"", whose: str = "") -> ssl.SSLContext:
    """For connections to the API server. ``certificate`` and ``key`` are PEM. Raises ConfigError."""
    context = _verifying(tls, system_roots=not tls.authority)
    if certificate:
        _identify(context, certificate, key, whose)
    return context


def proxy_context(tls: Tls) -> ssl.SSLContext:
    """For connections to an https proxy, which never sees the client's certificate."""
    return _verifying(tls, system_roots=True)


def _verifying(tls: Tls, *, system_roots: bool) -> ssl.SSLContext:
    # Not ssl.create_default_context(): since Python 3.13 it refuses authorities without a key identifier,
    # which Go accepts and which many clusters have.
    context = SharedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # an intermediate authority may be the trusted one
    with suppress(NotImplementedError):
        context.set_alpn_protocols(["http/1.1"])
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if tls.authority:
        _trust(context, tls.authority.read("certificate-authority"))
    if system_roots:
        context.load_default_certs()
        if getattr(sys, "frozen", False) and "SSL_CERT_FILE" not in os.environ:
            for file in filter(os.path.isfile, _SYSTEM_ROOTS):
                context.load_verify_locations(file)
                break
    return context


def _trust(context: ssl.SSLContext, bundle: bytes) -> None:
    """Every certificate of a bundle in PEM that can be read; as with Go, one is enough. What else is there (a
    key, a broken block, text) is passed over."""
    usable, problem = False, "unable to parse bytes as PEM block"
    for block in _CERTIFICATE.findall(bundle):
        try:
            context.load_verify_locations(cadata=base64.b64decode(b"".join(block.split()), validate=True))
            usable = True
        except (ssl.SSLError, ValueError):
            problem = "failed to parse certificate"
    if not usable:
        raise ConfigError(
            f"unable to load root certificates: {problem}",
            hint="check certificate-authority of the cluster: it holds no certificate that can be used",
        )


def _identify(context: ssl.SSLContext, certificate: bytes, key: bytes, whose: str) -> None:
    def no_password() -> str:
        raise ConfigError(f"the client key of {whose} is encrypted, which is not supported")

    try:
        with _readable(certificate) as certificate_file, _readable(key) as key_file:
            context.load_cert_chain(certificate_file, key_file, password=no_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ConfigError(
            f"the client certificate and key of {whose} cannot be used: {reason_of(error)}",
            hint="both must be PEM and belong together",
        ) from error


@contextmanager
def _readable(content: bytes) -> Iterator[str]:
    """A path from which OpenSSL, which only takes files, reads ``content``: in memory where the system has
    that, so that not even a SIGKILL leaves a key on the disk."""
    descriptor = -1
    if hasattr(os, "memfd_create"):
        with suppress(OSError):
            descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    path = f"/proc/self/fd/{descriptor}"
    if descriptor >= 0 and os.path.exists(path):  # noqa: PTH110  # no such thing as resolving it
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            yield path
        return
    if descriptor >= 0:
        os.close(descriptor)
    directory = tempfile.mkdtemp(prefix="kubectl-rolling-update-")  # 0700
    try:
        private = Path(directory) / "pem"
        with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        yield str(private)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
