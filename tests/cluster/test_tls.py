"""TLS against real servers: who is trusted, under which name, with which certificate - and no key on disk."""

from __future__ import annotations

import os
import ssl
import warnings
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from rollupdate.cluster import ConnectionFlags, connect, tls
from rollupdate.cluster.settings import Pem, Tls
from rollupdate.errors import ClusterError, ConfigError, UnreachableError
from testing.objects import Json
from tests.cluster.conftest import WriteConfig
from tests.cluster.servers import Answer, Authority, Request, controller, serving


def answer(request: Request) -> Json:
    return controller(request.path.rpartition("/")[2])


def encoded(pem: bytes) -> str:
    return b64encode(pem).decode()


def test_client_certificate_from_data(
    authority: Authority, environ: dict[str, str], kubeconfig: WriteConfig, tmp_path: Path
) -> None:
    """With a token beside it: both are sent."""
    pair = authority.issue("somebody", client=True)
    with serving(answer, context=authority.server_context(tmp_path)) as server:
        kubeconfig(
            {"server": server.url, "certificate-authority-data": encoded(authority.pem)},
            {
                "client-certificate-data": encoded(pair.certificate),
                "client-key-data": encoded(pair.key),
                "token": "t",
            },
        )
        connect(ConnectionFlags(), environ=environ).get_controller("web")
    assert (server.requests[0].peer, server.requests[0].header("Authorization")) == ("somebody", "Bearer t")


def test_client_certificate_from_files_that_are_renewed(
    authority: Authority,
    environ: dict[str, str],
    kubeconfig: WriteConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A certificate that is replaced on disk is used for the requests after that."""
    monkeypatch.setattr("rollupdate.cluster.credentials.CERTIFICATE_FILE_SECONDS", 0.0)
    certificate, key = tmp_path / "crt", tmp_path / "key"
    with serving(answer, context=authority.server_context(tmp_path)) as server:
        kubeconfig(
            {"server": server.url, "certificate-authority-data": encoded(authority.pem)},
            {"client-certificate": str(certificate), "client-key": str(key)},
        )
        for name in ("before", "after"):
            pair = authority.issue(name, client=True)
            certificate.write_bytes(pair.certificate)
            key.write_bytes(pair.key)
            if name == "before":
                cluster = connect(ConnectionFlags(), environ=environ)
            cluster.get_controller("web")
    assert [request.peer for request in server.requests] == ["before", "after"]


def test_a_server_of_another_authority(authority: Authority, environ: dict[str, str], tmp_path: Path) -> None:
    """Not trusted, and not worth trying again; --insecure-skip-tls-verify is the user's own decision, which
    nobody comments on."""
    other = tmp_path / "ca.crt"
    other.write_bytes(Authority("another").pem)
    with serving(answer, context=authority.server_context(tmp_path)) as server:
        flags = ConnectionFlags(server=server.url, certificate_authority=str(other))
        with pytest.raises(ClusterError) as caught:
            connect(flags, environ=environ).get_controller("web")
        assert not isinstance(caught.value, UnreachableError)
        assert caught.value.message.startswith(
            "Unable to connect to the server: tls: failed to verify certificate of 127.0.0.1:"
        )
        insecure = ConnectionFlags(server=server.url, insecure_skip_tls_verify=True, token="t")
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            assert connect(insecure, environ=environ).get_controller("web")
    # A socket that another test has left open is said whenever it is collected.
    assert [one for one in said if not issubclass(one.category, ResourceWarning)] == []


def test_a_certificate_that_fails_after_the_server_has_answered(
    authority: Authority, environ: dict[str, str], tmp_path: Path
) -> None:
    """In the middle of an update it may be a captive portal: unreachable, so to be tried again."""
    trusted = tmp_path / "ca.crt"
    trusted.write_bytes(authority.pem)
    with serving(answer, context=authority.server_context(tmp_path)) as server:
        port = server.port
        cluster = connect(
            ConnectionFlags(server=server.url, certificate_authority=str(trusted)), environ=environ
        )
        cluster.get_controller("web")
        cluster.close()
    other = Authority("other").server_context(tmp_path)
    with serving(answer, context=other, port=port), pytest.raises(UnreachableError, match="failed to verify"):
        cluster.get_controller("web")


def test_the_name_in_the_certificate(authority: Authority, environ: dict[str, str], tmp_path: Path) -> None:
    """It must be that of the address, or of --tls-server-name, which is also asked for (SNI). A name that
    only stands in the common name does not count, as in Go."""
    trusted = tmp_path / "ca.crt"
    trusted.write_bytes(authority.pem)
    asked: list[str | None] = []
    context = authority.server_context(tmp_path, hosts=("kubernetes.test",))
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with serving(answer, context=context) as server:
        flags = ConnectionFlags(server=server.url, certificate_authority=str(trusted))
        with pytest.raises(ClusterError, match="IP address mismatch"):
            connect(flags, environ=environ).get_controller("web")
        named = replace(flags, tls_server_name="kubernetes.test")
        assert connect(named, environ=environ).get_controller("web")
        assert asked[-1] == "kubernetes.test"
        with pytest.raises(ClusterError, match="Hostname mismatch"):
            connect(replace(flags, tls_server_name="other.test"), environ=environ).get_controller("web")
    with serving(answer, context=authority.server_context(tmp_path, hosts=())) as server:
        flags = replace(flags, server=server.url, tls_server_name="server")
        with pytest.raises(ClusterError, match="failed to verify certificate"):
            connect(flags, environ=environ).get_controller("web")


def test_plain_http_behind_https(environ: dict[str, str]) -> None:
    with serving(answer) as server:
        flags = ConnectionFlags(server=server.url.replace("http:", "https:"))
        with pytest.raises(ClusterError) as caught:
            connect(flags, environ=environ).get_controller("web")
    assert caught.value.message == (
        f"Unable to connect to the server: 127.0.0.1:{server.port} does not speak TLS"
    )


@pytest.mark.parametrize("memory", [True, False])
def test_no_key_stays_on_disk(
    memory: bool, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It never gets there where the system has files in memory; elsewhere it is there, for nobody else to
    read, while the library loads it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if not memory:
        monkeypatch.delattr("os.memfd_create")
    elif not hasattr(os, "memfd_create"):
        pytest.skip("no files in memory here")
    seen: list[tuple[int, int]] = []
    load = ssl.SSLContext.load_cert_chain

    def spy(self: ssl.SSLContext, certfile: str, keyfile: str, password: Callable[[], str]) -> None:
        seen.extend(
            (path.parent.stat().st_mode & 0o777, path.stat().st_mode & 0o777) for path in tmp_path.glob("*/*")
        )
        load(self, certfile, keyfile, password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    pair = authority.issue("somebody", client=True)
    tls.client_context(Tls(Pem(authority.pem)), pair.certificate, pair.key)
    assert seen == ([] if memory else [(0o700, 0o600)] * 2)
    with pytest.raises(ConfigError, match="cannot be used"):
        tls.client_context(Tls(), pair.certificate, authority.issue("other").key, 'user "u"')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("data", [b"a", b"-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n"])
def test_an_authority_that_is_none(data: bytes) -> None:
    with pytest.raises(ConfigError, match="unable to load root certificates"):
        tls.client_context(Tls(Pem(data)))


def test_an_authority_with_words_around_it(authority: Authority) -> None:
    """Bundles come with comments, in any language."""
    tls.client_context(Tls(Pem("# Zürich\n".encode() + authority.pem + b"\nend\n" + Authority().pem)))


def test_what_is_offered_is_settled_before_the_first_connection(
    authority: Authority,
    environ: dict[str, str],
    kubeconfig: WriteConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """urllib3 says it with each connection: OpenSSL frees what it may be copying for another thread's."""
    calls: list[str] = []

    def spied(name: str) -> None:
        called = getattr(ssl.SSLContext, name)

        def spy(self: ssl.SSLContext, *args: Any, **options: Any) -> Any:
            if isinstance(self, tls.SharedContext):  # the server has one of its own
                calls.append(name)
            return called(self, *args, **options)

        monkeypatch.setattr(ssl.SSLContext, name, spy)

    spied("set_alpn_protocols")
    spied("wrap_socket")
    with serving(
        lambda request: Answer(answer(request), headers={"Connection": "close"}),
        context=authority.server_context(tmp_path),
    ) as server:
        kubeconfig(
            {"server": server.url, "certificate-authority-data": encoded(authority.pem)}, {"token": "t"}
        )
        cluster = connect(ConnectionFlags(), environ=environ)
        for _ in range(3):
            cluster.get_controller("web")
    assert calls == ["set_alpn_protocols", *["wrap_socket"] * 3]


def test_an_encrypted_key_is_refused_and_nobody_is_asked(authority: Authority) -> None:
    """OpenSSL would ask for the password on the terminal."""
    pair = authority.issue("somebody", client=True)
    key = serialization.load_pem_private_key(pair.key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )
    with pytest.raises(ConfigError, match='the client key of user "u" is encrypted'):
        tls.client_context(Tls(), pair.certificate, key, 'user "u"')
