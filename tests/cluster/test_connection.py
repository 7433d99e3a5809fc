"""One request, one answer: what is sent, what goes wrong, what is told - against servers on loopback."""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rollupdate.cluster import ConnectionFlags, Exchange, connect
from rollupdate.errors import ApiError, ClusterError, ConfigError, UnreachableError
from tests.cluster.conftest import WriteConfig
from tests.cluster.servers import (
    Answer,
    Authority,
    Request,
    controller,
    event,
    free_port,
    listing,
    serving,
    status,
)

V1 = "client.authentication.k8s.io/v1"


def web(request: Request) -> dict[str, Any]:
    return controller("web")


@contextmanager
def raw_server(reply: bytes, *, wait: bool = False) -> Iterator[str]:
    """Answers each connection with ``reply``, whatever it is asked, and hangs up (or ``wait``s)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                peer.recv(65536)
                peer.sendall(reply)
                if wait:
                    held.append(peer)
                else:
                    peer.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        for peer in held:
            peer.close()
        thread.join()


def plugin(directory: Path, counting: str = "1") -> dict[str, Any]:
    """An exec user whose tokens are t1, t2, ... (as ``counting`` makes of the number n)."""
    program = directory / "plugin"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, pathlib\n"
        f"count = pathlib.Path({str(directory / 'runs')!r})\n"
        "n = int(count.read_text()) + 1 if count.exists() else 1\n"
        "count.write_text(str(n))\n"
        f"status = {counting}\n"
        f"print(json.dumps({{'kind': 'ExecCredential', 'apiVersion': {V1!r}, 'status': status}}))\n"
    )
    program.chmod(0o755)
    return {"exec": {"command": str(program), "apiVersion": V1, "interactiveMode": "Never"}}


# --- what is sent ---


def test_a_request_says_who_asks(environ: dict[str, str]) -> None:
    with serving(web) as server:
        flags = ConnectionFlags(server=server.url, as_user="me", as_groups=("a", "b"), namespace="n")
        assert connect(flags, environ=environ).get_controller("web") == controller("web")
    sent = server.requests[0]
    assert sent.path == "/api/v1/namespaces/n/replicationcontrollers/web"
    assert re.fullmatch(r"kubectl-rolling_update/[\w.]+ \(\w+/\w+\)", sent.header("User-Agent") or "")
    assert (sent.header("Accept"), sent.header("Accept-Encoding")) == ("application/json", "gzip")
    assert sent.all("Impersonate-User") == ["me"]
    assert sent.all("Impersonate-Group") == ["a", "b"]
    assert sent.header("Authorization") is None


def test_a_server_with_a_path(environ: dict[str, str]) -> None:
    """Several clusters behind one address, as Rancher has them."""
    with serving(web) as server:
        connect(ConnectionFlags(server=f"{server.url}/k8s/c-1/"), environ=environ).get_controller("web")
    assert server.requests[0].path == "/k8s/c-1/api/v1/namespaces/default/replicationcontrollers/web"


def test_connections_are_kept_and_answers_may_be_compressed(environ: dict[str, str]) -> None:
    body = gzip.compress(json.dumps(controller("web", data="x" * 10_000)).encode())
    with serving(lambda request: Answer(body, headers={"Content-Encoding": "gzip"})) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        for _ in range(3):
            found = cluster.get_controller("web")
            assert found is not None
            assert len(found["spec"]["data"]) == 10_000
    assert len({request.connection for request in server.requests}) == 1


def test_answers_in_chunks_may_be_compressed(environ: dict[str, str]) -> None:
    """As API servers send them from 128 KiB on: without a length, and what is compressed in pieces."""
    body = gzip.compress(json.dumps(controller("web", data="x" * 10_000)).encode())
    pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
    with serving(lambda request: Answer(pieces, headers={"Content-Encoding": "gzip"})) as server:
        found = connect(ConnectionFlags(server=server.url), environ=environ).get_controller("web")
    assert found is not None
    assert len(found["spec"]["data"]) == 10_000


def test_compression_can_be_switched_off(environ: dict[str, str], kubeconfig: WriteConfig) -> None:
    with serving(web) as server:
        kubeconfig({"server": server.url, "disable-compression": True})
        connect(ConnectionFlags(), environ=environ).get_controller("web")
    assert server.requests[0].header("Accept-Encoding") == "identity"


def test_the_timeout_is_told_to_the_server(environ: dict[str, str]) -> None:
    with serving(web) as server:
        flags = ConnectionFlags(server=server.url, request_timeout=2.5)
        connect(flags, environ=environ).get_controller("web")
    assert server.requests[0].query == {"timeout": "2.5s"}


# --- credentials on the way ---


def test_refused_credentials_of_a_plugin_are_renewed_once(
    authority: Authority, environ: dict[str, str], kubeconfig: WriteConfig, tmp_path: Path
) -> None:
    """A 401 runs the plugin again and sends the request again, a write as well: it was not carried out. A
    second 401 is the answer."""

    def answer(request: Request) -> Answer | dict[str, Any]:
        fine = request.header("Authorization") == "Bearer t2"
        return controller("web") if fine else status(401, "Unauthorized", "Unauthorized")

    with serving(answer, context=authority.server_context(tmp_path)) as server:
        ca = tmp_path / "ca.crt"
        ca.write_bytes(authority.pem)
        kubeconfig(
            {"server": server.url, "certificate-authority": str(ca)},
            plugin(tmp_path, "{'token': f't{n}'}"),
        )
        cluster = connect(ConnectionFlags(), environ=environ)
        assert cluster.create_controller({"kind": "ReplicationController"})["metadata"]["name"] == "web"
        assert cluster.get_controller("web")
        assert (tmp_path / "runs").read_text() == "2"
        (tmp_path / "runs").write_text("7")
        with pytest.raises(ApiError) as caught:
            connect(ConnectionFlags(), environ=environ).get_controller("web")
    assert caught.value.is_unauthorized
    assert caught.value.hint is not None
    sent = [(request.verb, request.header("Authorization")) for request in server.requests]
    assert sent[:2] == [("POST", "Bearer t1"), ("POST", "Bearer t2")]
    assert sent[-2:] == [("GET", "Bearer t8"), ("GET", "Bearer t9")]


def test_nothing_is_begun_ahead_that_needs_a_plugin(
    authority: Authority, environ: dict[str, str], kubeconfig: WriteConfig, tmp_path: Path
) -> None:
    """It may ask its user for something: not before the command line is known to be right."""
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    cluster_entry = {"certificate-authority": str(tmp_path / "ca.crt")}
    context = authority.server_context(tmp_path)
    with serving(lambda request: listing(controller("web")), context=context) as server:
        kubeconfig({"server": server.url, **cluster_entry}, plugin(tmp_path, "{'token': f't{n}'}"))
        cluster = connect(ConnectionFlags(), environ=environ)
        cluster.begin()
        assert not server.requests
        assert not (tmp_path / "runs").exists()
        assert cluster.list_controllers()
        assert (tmp_path / "runs").exists()


def test_certificates_of_a_plugin(
    authority: Authority, environ: dict[str, str], kubeconfig: WriteConfig, tmp_path: Path
) -> None:
    """Used, and replaced when they have expired, which needs a new connection."""
    pairs = [authority.issue(name, client=True) for name in ("first", "second")]
    texts = [(pair.certificate.decode(), pair.key.decode()) for pair in pairs]
    counting = (
        f"dict(zip(('clientCertificateData', 'clientKeyData'), {texts!r}[n - 1]), "
        "expirationTimestamp='2020-01-01T00:00:00Z', token='t')"
    )
    with serving(web, context=authority.server_context(tmp_path)) as server:
        ca = tmp_path / "ca.crt"
        ca.write_bytes(authority.pem)
        kubeconfig({"server": server.url, "certificate-authority": str(ca)}, plugin(tmp_path, counting))
        cluster = connect(ConnectionFlags(), environ=environ)
        cluster.get_controller("web")
        cluster.get_controller("web")
    assert [request.peer for request in server.requests] == ["first", "second"]
    assert [request.header("Authorization") for request in server.requests] == ["Bearer t"] * 2


def test_a_failing_plugin_stops_the_request(
    environ: dict[str, str], kubeconfig: WriteConfig, authority: Authority, tmp_path: Path
) -> None:
    """Nothing is sent, least of all anonymously."""
    with serving(web, context=authority.server_context(tmp_path)) as server:
        kubeconfig({"server": server.url, "insecure-skip-tls-verify": True}, plugin(tmp_path, "exit(7)"))
        with pytest.raises(ConfigError, match="failed with exit code 7"):
            connect(ConnectionFlags(), environ=environ).get_controller("web")
    assert server.requests == []


def test_kubectl_says_the_same(
    environ: dict[str, str],
    kubeconfig: WriteConfig,
    authority: Authority,
    tmp_path: Path,
    each_kubectl: str,
) -> None:
    """To the server, of who asks, and to the credential plugin, of the cluster."""
    told = tmp_path / "told"
    user = plugin(tmp_path, "{'token': 't'}")
    program = Path(user["exec"]["command"])
    program.write_text(
        program.read_text()
        + f"import os\nwith open({str(told)!r}, 'a') as file:\n"
        + "    print(json.dumps(json.loads(os.environ['KUBERNETES_EXEC_INFO'])), file=file)\n"
    )
    user["exec"]["provideClusterInfo"] = True
    user |= {
        "as": "me",
        "as-uid": "7",
        "as-groups": ["g", "h"],
        "as-user-extra": {"Acme.io/a b%": ["v", "w"]},
    }
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": 1}}
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    with serving(web, context=authority.server_context(tmp_path)) as server:
        cluster = {
            "server": f"{server.url}/",
            "certificate-authority": str(tmp_path / "ca.crt"),
            "tls-server-name": "localhost",
            "extensions": [extension],
        }
        path = kubeconfig(cluster, user)
        subprocess.run(
            [
                *(each_kubectl, "--kubeconfig", str(path), "--request-timeout", "5"),
                *("get", "--raw", "/api/v1/namespaces/default/replicationcontrollers/web"),
            ],
            env={**os.environ, **environ},
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=120,
        )
        connect(ConnectionFlags(request_timeout=5), environ=environ).get_controller("web")
    theirs, ours = [
        (
            request.path,
            request.query,
            sorted(
                (name.lower(), value)
                for name, value in request.headers
                if name.startswith(("Impersonate", "Authorization"))
            ),
        )
        for request in server.requests[-2:]
    ]
    assert ours == theirs
    lines = told.read_text().splitlines()
    assert json.loads(lines[-1]) == json.loads(lines[-2])


# --- proxies ---


def test_a_proxy_from_the_kubeconfig(environ: dict[str, str], kubeconfig: WriteConfig) -> None:
    """Used for this machine, too, with its login, and with each impersonated group as a header."""
    with serving(web) as proxy:
        kubeconfig(
            {"server": "http://api.test:1", "proxy-url": proxy.url.replace("http://", "http://me:p%40ss@")}
        )
        flags = ConnectionFlags(as_user="me", as_groups=("a", "b"))
        connect(flags, environ=environ).get_controller("web")
    sent = proxy.requests[0]
    assert sent.path == "http://api.test:1/api/v1/namespaces/default/replicationcontrollers/web"
    assert sent.header("Proxy-Authorization") == "Basic bWU6cEBzcw=="
    assert sent.all("Impersonate-Group") == ["a", "b"]


def test_a_proxy_from_the_environment(environ: dict[str, str]) -> None:
    """TLS goes through it as a tunnel; what it says when it will not is passed on."""
    with serving(lambda request: Answer(status=407)) as proxy:
        with_proxy = {**environ, "HTTPS_PROXY": proxy.url}
        cluster = connect(ConnectionFlags(server="https://api.test:6443"), environ=with_proxy)
        with pytest.raises(UnreachableError) as caught:
            cluster.get_controller("web")
        assert proxy.requests[0].verb == "CONNECT"
        assert caught.value.message.startswith(
            f"Unable to connect to the server: proxyconnect tcp: 127.0.0.1:{proxy.port}: Tunnel connection "
            "failed: 407"
        )
        with serving(web) as server:
            direct = connect(ConnectionFlags(server=server.url), environ={**environ, "HTTP_PROXY": proxy.url})
            assert direct.get_controller("web")
    assert len(proxy.requests) == 1


def test_a_proxy_that_is_not_there(environ: dict[str, str]) -> None:
    address = f"127.0.0.1:{free_port()}"
    cluster = connect(ConnectionFlags(server="https://api.test"), environ={**environ, "HTTPS_PROXY": address})
    with pytest.raises(UnreachableError) as caught:
        cluster.get_controller("web")
    expected = f"Unable to connect to the server: proxyconnect tcp: {address} refused the connection"
    assert caught.value.message == expected


# --- no answer ---


def test_nobody_listens(environ: dict[str, str]) -> None:
    """kubectl's words."""
    port = free_port()
    with pytest.raises(UnreachableError) as caught:
        connect(ConnectionFlags(server=f"127.0.0.1:{port}"), environ=environ).get_controller("web")
    assert caught.value.message == (
        f"The connection to the server 127.0.0.1:{port} was refused - did you specify the right host or port?"
    )


def test_a_name_that_nobody_has(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(UnreachableError) as caught:
        connect(ConnectionFlags(server="https://api.invalid"), environ=environ).get_controller("web")
    assert caught.value.message == "Unable to connect to the server: lookup api.invalid: no such host"


def test_a_server_that_is_silent(environ: dict[str, str]) -> None:
    """The timeout of the request is for all of it: a body that drips does not extend it."""
    started = time.monotonic()
    drip = (b" " for _ in iter(lambda: time.sleep(0.05), 1))
    with raw_server(b"", wait=True) as url, pytest.raises(UnreachableError, match="did not answer in time"):
        connect(ConnectionFlags(server=url, request_timeout=0.3), environ=environ).get_controller("web")
    with serving(lambda request: Answer(drip)) as server:
        flags = ConnectionFlags(server=server.url, request_timeout=0.3)
        with pytest.raises(UnreachableError, match="in time"):
            connect(flags, environ=environ).get_controller("web")
    assert time.monotonic() - started < 60


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{",
        b'HTTP/1.1 200 OK\r\n\r\n{"kind": "Replicat',
        b"HTTP/1.1 200 OK\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
        b"HTTP/1.1 200 OK\r\n\r\n<html>Log in</html>",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot gzip",
        b'HTTP/1.1 200 OK\r\n\r\n{"kind": "Pod", "metadata": {"name": "web", "uid": "u"}}',
    ],
)
def test_answers_that_are_none(reply: bytes, environ: dict[str, str]) -> None:
    """Cut off or not of this API: for a write that means that it may have taken effect."""
    with raw_server(reply) as url, pytest.raises(UnreachableError) as caught:
        connect(ConnectionFlags(server=url), environ=environ).create_controller({})
    assert caught.value.message


def test_an_answer_without_end(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollupdate.cluster.connection.LARGEST_ANSWER", 3 * 1024 * 1024)
    endless = (b"x" * 65536 for _ in iter(int, 1))
    with serving(lambda _: Answer(endless)) as server, pytest.raises(UnreachableError, match="than 3 MiB"):
        connect(ConnectionFlags(server=server.url), environ=environ).get_controller("web")


# --- answers that are no success ---


def test_a_status_is_passed_on(environ: dict[str, str]) -> None:
    refusal = status(
        409, "Conflict", "the object has been modified", kind="replicationcontrollers", retryAfterSeconds=3
    )
    with serving(lambda request: refusal) as server, pytest.raises(ApiError) as caught:
        connect(ConnectionFlags(server=server.url), environ=environ).patch_pod("p", [])
    error = caught.value
    assert error.message == "Error from server (Conflict): the object has been modified"
    assert (error.is_conflict, error.retry_after) == (True, 3.0)
    assert error.details["kind"] == "replicationcontrollers"


@pytest.mark.parametrize(
    ("answer", "reason", "retry_after"),
    [
        (Answer(b"<html>\x1b[31mbusy</html>", 503, {"Retry-After": "7"}), "ServiceUnavailable", 7.0),
        (Answer(b"", 429, {"Retry-After": "-1"}), "TooManyRequests", None),
        (Answer(b"", 429, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}), "TooManyRequests", None),
        (Answer(b"", 429, {"Retry-After": "soon"}), "TooManyRequests", None),
        (Answer({"kind": "Status", "message": 5, "reason": [], "details": 3}, 500), "InternalError", None),
        (Answer(b"[" * 100_000, 502), "", None),
        (Answer({"kind": "Status", "details": {"retryAfterSeconds": True}}, 504), "Timeout", None),
        (Answer(b"", 302), "", None),
        (Answer(b"", 304, {"Location": "/"}), "", None),
    ],
)
def test_answers_of_something_in_between(
    answer: Answer, reason: str, retry_after: float | None, environ: dict[str, str]
) -> None:
    """What a proxy says instead of a Status: the reason follows from the HTTP status, and nothing that is
    sent can act on the terminal. A redirect that leads nowhere is one of them."""
    with serving(lambda request: answer) as server, pytest.raises(ApiError) as caught:
        connect(ConnectionFlags(server=server.url), environ=environ).get_controller("web")
    assert (caught.value.status, caught.value.reason) == (answer.status, reason)
    assert caught.value.retry_after == retry_after
    assert caught.value.message.isprintable()
    assert len(server.requests) == 1


# --- redirects: what reads do is compared with kubectl in test_as_kubectl ---


@pytest.mark.parametrize("code", [301, 302, 303])
def test_a_write_is_not_made_a_read(code: int, environ: dict[str, str]) -> None:
    """Go would ask the other address with GET, and take its answer for that of the write."""
    with serving(lambda request: Answer(b"", code, {"Location": "/there"})) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        with pytest.raises(ApiError) as caught:
            cluster.create_controller({})
    assert (caught.value.status, len(server.requests)) == (code, 1)


@pytest.mark.parametrize("code", [307, 308])
def test_a_write_that_is_to_be_sent_again_is(code: int, environ: dict[str, str]) -> None:
    def answer(request: Request) -> Answer | dict[str, Any]:
        there = request.path.startswith("/there")
        return controller("web") if there else Answer(b"", code, {"Location": "/there"})

    with serving(answer) as server:
        connect(ConnectionFlags(server=server.url), environ=environ).create_controller({"a": 1})
    assert [(request.verb, request.json) for request in server.requests] == [("POST", {"a": 1})] * 2


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://[::1", "an address that is not valid"),
        ("ftp://a/", 'an address with the scheme "ftp"'),
        ("/a%zz", "an address that is not valid"),
    ],
)
def test_redirects_that_lead_nowhere(location: str, said: str, environ: dict[str, str]) -> None:
    answer = Answer(b"", 302, {"Location": location})
    with serving(lambda request: answer) as server, pytest.raises(ClusterError, match=said):
        connect(ConnectionFlags(server=server.url), environ=environ).get_controller("web")
    assert len(server.requests) == 1


def test_a_login_page_is_no_object(environ: dict[str, str]) -> None:
    """Of a proxy in between: the message says what came."""

    def answer(request: Request) -> Answer:
        moved = Answer(b"x" * 100_000, 302, {"Location": "/login"})
        return Answer(b"<html>Log in</html>") if request.path == "/login" else moved

    with serving(answer) as server, pytest.raises(UnreachableError, match="<html>Log in") as caught:
        connect(ConnectionFlags(server=server.url), environ=environ).get_controller("web")
    assert caught.value.hint == "check that the address is that of an API server"


def test_a_watch_is_redirected_as_well(environ: dict[str, str]) -> None:
    """It is a read, on a connection of its own."""

    def answer(request: Request) -> Answer:
        if not request.path.startswith("/there"):
            return Answer(b"", 307, {"Location": f"/there{request.path}?watch=true"})
        return Answer(iter([event("ADDED", controller("web"))]))

    with serving(answer) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        stream = cluster._connection.stream("/x", [("watch", "true")], read_timeout=5.0)
        assert len(list(stream.lines())) == 1


@pytest.mark.parametrize("code", [429, 503, 500])
def test_nothing_is_sent_twice(code: int, environ: dict[str, str]) -> None:
    """Trying again is the engine's business, for reads as for writes."""
    with serving(lambda request: Answer(b"", code, {"Retry-After": "0"})) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        with pytest.raises(ApiError):
            cluster.get_controller("web")
        with pytest.raises(ApiError):
            cluster.create_controller({})
    assert len(server.requests) == 2


# --- what is told ---


def test_warnings_of_the_server_once_each(environ: dict[str, str]) -> None:
    headers = [
        ("Warning", '299 - "v1 is \\"old\\", use v2", 299 - "second"'),
        ("Warning", '299 kube "third\x1b[31m" "Fri, 31 Dec 1999 23:59:59 GMT"'),
        ("Warning", '214 - "transformed"'),
        ("Warning", "nonsense"),
        ("Warning", '299 - "\u00fcber"'.encode().decode("latin-1")),
    ]
    said: list[str] = []
    body = json.dumps(controller("web")).encode()
    with serving(lambda request: Answer(body, headers=headers)) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ, on_warning=said.append)
        cluster.get_controller("web")
        cluster.get_controller("web")
    assert said == ['v1 is "old", use v2', "second", "third [31m", "über"]


def test_requests_are_told_without_secrets(
    environ: dict[str, str], authority: Authority, tmp_path: Path
) -> None:
    """Verb, address, status, time, and bodies for those who want them; never a header."""
    told: list[Exchange] = []

    def answer(request: Request) -> Answer | dict[str, Any]:
        return listing(controller("web")) if request.verb == "GET" else status(403, "Forbidden", "no")

    with serving(answer, context=authority.server_context(tmp_path)) as server:
        flags = ConnectionFlags(server=server.url, token="s3cret", insecure_skip_tls_verify=True)
        cluster = connect(flags, environ=environ, on_request=told.append)
        cluster.list_controllers()
        with pytest.raises(ApiError):
            cluster.create_controller({"spec": 1})
    gone = connect(replace(flags, server=f"127.0.0.1:{free_port()}"), environ=environ, on_request=told.append)
    with pytest.raises(UnreachableError):
        gone.get_controller("web")
    assert [(each.verb, each.status) for each in told] == [("GET", 200), ("POST", 403), ("GET", None)]
    assert told[0].url == f"{server.url}/api/v1/namespaces/default/replicationcontrollers?limit=500"
    assert told[0].milliseconds > 0
    assert (told[1].sent, json.loads(told[1].received)["reason"]) == ({"spec": 1}, "Forbidden")
    assert "s3cret" not in repr(told)


def test_sixteen_threads(environ: dict[str, str]) -> None:
    """Pods are labelled in parallel, each connection is used again."""
    barrier = threading.Barrier(16, timeout=60)

    def answer(request: Request) -> dict[str, Any]:
        barrier.wait()
        return {**controller(request.path.rpartition("/")[2]), "kind": "Pod"}

    with serving(answer) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)

        def patch(number: int) -> None:
            for turn in range(3):
                name = f"p{number}-{turn}"
                assert cluster.patch_pod(name, [])["metadata"]["name"] == name

        threads = [threading.Thread(target=patch, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert len(server.requests) == 48
    assert len({request.connection for request in server.requests}) == 16


def test_a_watch_leaves_the_connection_in_use_to_the_requests(environ: dict[str, str]) -> None:
    """Far away a new connection takes two or three round trips, and the next request is waited for."""
    watched, end = threading.Event(), threading.Event()

    def streamed() -> Iterator[bytes]:
        watched.set()
        end.wait(20)
        yield b"{}\n"

    def answer(request: Request) -> Answer | dict[str, Any]:
        return Answer(streamed()) if request.watching else listing(controller("web"))

    with serving(answer) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        cluster.list_controllers()
        mirror = cluster.mirror(["web"], poll_interval=3)
        try:
            assert watched.wait(20)
            cluster.list_controllers()
        finally:
            end.set()
            mirror.close()
    plain = {request.connection for request in server.requests if not request.watching}
    streams = {request.connection for request in server.requests if request.watching}
    assert len(plain) == 1
    assert not plain & streams


def test_the_package_alone_is_cheap() -> None:
    """--help and completion may import it without paying for its libraries."""
    code = (
        "import sys, rollupdate.cluster\n"
        "print([name for name in ('kubernetes', 'urllib3', 'yaml', 'ssl') if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert shown.stdout == "[]\n"
