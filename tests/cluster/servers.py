"""A scripted API server on loopback, with or without TLS, and certificates to go with it.

A test gives ``answer``, a function from the request as it came to what is answered. What it does not answer
is a 404 Status. Everything that came is kept in ``requests``.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from testing.objects import Json


@dataclass(frozen=True)
class Request:
    verb: str
    path: str
    query: dict[str, str]
    headers: list[tuple[str, str]]
    body: bytes
    peer: str | None
    """The common name in the client's certificate."""
    connection: int

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def watching(self) -> bool:
        return self.query.get("watch") == "true"


@dataclass
class Answer:
    """``body``: a dict is sent as JSON; an iterable of bytes is streamed in chunks as it comes."""

    body: Json | bytes | Iterable[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] | list[tuple[str, str]] = field(default_factory=dict)
    length: int | None = None
    """A Content-Length that is not the true one; the connection is closed after it."""


Answering = Callable[[Request], Answer | Json | None]


def status(code: int, reason: str, message: str = "", **details: Any) -> Answer:
    return Answer(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": code,
            "reason": reason,
            "message": message or reason,
            "details": details,
        },
        status=code,
    )


class ApiServer:
    """``with serving(answer) as server``: ``server.url``, ``server.requests``."""

    def __init__(self, answer: Answering, context: ssl.SSLContext | None, port: int) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self._open: list[socket.socket] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                parts = urlsplit(self.path)
                request = Request(
                    self.command,
                    parts.path if not parts.netloc else f"{parts.scheme}://{parts.netloc}{parts.path}",
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    list(self.headers.items()),
                    body,
                    _peer(self.connection),
                    id(self.connection),
                )
                outer.requests.append(request)
                answer = outer.answer(request)
                if answer is None:
                    answer = status(404, "NotFound", "not found")
                with suppress(OSError):
                    self.reply(answer if isinstance(answer, Answer) else Answer(answer))

            def reply(self, answer: Answer) -> None:
                self.send_response(answer.status)
                pairs = answer.headers.items() if isinstance(answer.headers, Mapping) else answer.headers
                for name, value in pairs:
                    self.send_header(name, value)
                body = answer.body
                if isinstance(body, dict):
                    self.send_header("Content-Type", "application/json")
                    body = json.dumps(body).encode()
                if isinstance(body, bytes):
                    self.send_header(
                        "Content-Length", str(len(body) if answer.length is None else answer.length)
                    )
                    self.end_headers()
                    self.wfile.write(body)
                    self.close_connection = self.close_connection or answer.length is not None
                    return
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for piece in body:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")

        for verb in ("GET", "POST", "PATCH", "PUT", "DELETE", "CONNECT"):
            setattr(Handler, f"do_{verb}", Handler.handle_any)

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # clients of these tests hang up in the middle

            def finish_request(self, request: Any, client_address: Any) -> None:
                outer._open.append(request)
                if context is not None:
                    request = context.wrap_socket(request, server_side=True)
                try:
                    super().finish_request(request, client_address)
                finally:
                    if context is not None:
                        with suppress(OSError):
                            request.close()

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"{'http' if context is None else 'https'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _peer(connection: Any) -> str | None:
    if not isinstance(connection, ssl.SSLSocket):
        return None
    encoded = connection.getpeercert(binary_form=True)
    if encoded is None:
        return None
    names = x509.load_der_x509_certificate(encoded).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value)


@contextmanager
def serving(
    answer: Answering, *, context: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[ApiServer]:
    server = ApiServer(answer, context, port)
    try:
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- certificates ---


@dataclass(frozen=True)
class Pair:
    certificate: bytes
    key: bytes


class Authority:
    """Makes certificates in memory; ``write`` puts them where a kubeconfig can name them."""

    def __init__(self, name: str = "test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM)

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    def issue(self, name: str, *, hosts: tuple[str, ...] = (), client: bool = False) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = self._builder(subject, key.public_key()).add_extension(
            x509.ExtendedKeyUsage([usage]), False
        )
        if hosts:
            names = [_general_name(host) for host in hosts]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return Pair(
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    def server_context(
        self, directory: Path, *, hosts: tuple[str, ...] = ("127.0.0.1", "localhost"), ask: bool = True
    ) -> ssl.SSLContext:
        """For a server of this authority that accepts, and does not require, client certificates of it."""
        pair = self.issue("server", hosts=hosts)
        file = directory / f"server-{abs(hash(hosts))}.pem"
        file.write_bytes(pair.certificate + pair.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        if ask:
            context.load_verify_locations(cadata=self.pem.decode())
            context.verify_mode = ssl.CERT_OPTIONAL
        return context


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


# --- objects ---


def controller(name: str = "web", *, uid: str = "u1", version: str | int = 5, **spec: Any) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": name, "namespace": "default", "uid": uid, "resourceVersion": str(version)},
        "spec": spec,
    }


def listing(
    *items: Json, version: str | int = 10, kind: str = "ReplicationController", token: str = ""
) -> Json:
    bare = [
        {key: value for key, value in item.items() if key not in ("kind", "apiVersion")} for item in items
    ]
    metadata = {"resourceVersion": str(version)}
    if token:
        metadata["continue"] = token
    return {"kind": f"{kind}List", "apiVersion": "v1", "metadata": metadata, "items": bare}


def event(kind: str, obj: Json) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"
