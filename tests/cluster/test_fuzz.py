"""Whatever stands in a file or comes over the wire: an answer, or an error that is meant for the user."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollupdate.cluster import ConnectionConfig, ConnectionFlags, connect, execplugin, failures, proxies
from rollupdate.cluster.kubeconfig import resolve
from rollupdate.cluster.schema import parse
from rollupdate.cluster.settings import ExecPlugin
from rollupdate.cluster.watch import Watch
from rollupdate.errors import ConfigError, RollingUpdateError
from tests.cluster.servers import Answer, ApiServer, controller, listing, status

FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
QUICK = settings(max_examples=300)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def bent(document: Any) -> st.SearchStrategy[Any]:
    """``document`` with something else in any of its places, or without it."""
    places: list[tuple[Any, ...]] = []

    def collect(value: Any, place: tuple[Any, ...]) -> None:
        places.append(place)
        pairs: Any = value.items() if isinstance(value, dict) else ()
        pairs = enumerate(value) if isinstance(value, list) else pairs
        for key, inner in pairs:
            collect(inner, (*place, key))

    collect(document, ())

    def bend(place: tuple[Any, ...], value: Any, leave_out: bool) -> Any:
        if not place:
            return value
        copy = json.loads(json.dumps(document))
        inner = copy
        for key in place[:-1]:
            inner = inner[key]
        if leave_out:
            del inner[place[-1]]
        else:
            inner[place[-1]] = value
        return copy

    return st.builds(bend, st.sampled_from(places), JSON, st.booleans())


KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "x",
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
    "clusters": [
        {
            "name": "c",
            "cluster": {
                "server": "https://127.0.0.1:1",
                "certificate-authority-data": "YQ==",
                "insecure-skip-tls-verify": False,
                "tls-server-name": "n",
                "proxy-url": "http://p:1",
                "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"a": 1}}],
            },
        }
    ],
    "users": [
        {
            "name": "u",
            "user": {
                "token": "t",
                "client-certificate-data": "YQ==",
                "client-key-data": "YQ==",
                "as": "me",
                "as-groups": ["g"],
                "as-user-extra": {"k": ["v"]},
                "exec": {
                    "command": "./c",
                    "args": ["a"],
                    "env": [{"name": "n", "value": "v"}],
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "interactiveMode": "Never",
                },
            },
        }
    ],
}


def connects(content: bytes, directory: Path) -> None:
    """A configuration can be resolved and sent with, or there is an error for the user."""
    path = directory / "config"
    path.write_bytes(content)
    flags = ConnectionFlags(kubeconfig=str(path))
    try:
        config = resolve(flags, {})
        assert isinstance(config, ConnectionConfig)
        cluster = connect(flags, environ={})
        if config.auth.plugin is None:  # what a fuzzer makes of a command is not to be run
            connection = cluster._connection
            connection._client_for(connection._source.current())
    except RollingUpdateError as error:
        assert error.message


@FUZZ
@given(bent(KUBECONFIG))
def test_kubeconfigs_with_something_wrong(tmp_path: Path, document: Any) -> None:
    connects(json.dumps(document).encode(), tmp_path)


@FUZZ
@given(bent(KUBECONFIG))
def test_the_same_in_yaml(tmp_path: Path, document: Any) -> None:
    connects(yaml.safe_dump(document, allow_unicode=False).encode("utf-8", "replace"), tmp_path)


@QUICK
@given(
    st.binary(max_size=200) | st.text(alphabet="{}[]:-,&*!|>?'\"%@` \n\tab01.~", max_size=60).map(str.encode)
)
def test_files_of_anything(content: bytes) -> None:
    try:
        parse(content, "file")
    except ConfigError as error:
        assert error.message.startswith('error loading config file "file": ')


@QUICK
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_addresses_of_anything(server: str, proxy: str, rules: str) -> None:
    try:
        config = resolve(ConnectionFlags(server=server or "x"), {})
        proxies.proxy_for(config.server, "", {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "NO_PROXY": rules})
    except ConfigError as error:
        assert error.message


@QUICK
@given(
    st.integers(300, 599),
    JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=50),
    st.none() | st.text(max_size=30),
)
def test_refusals_of_anything(code: int, body: bytes, retry_after: str | None) -> None:
    error = failures.api_error(code, body, verb="GET", resource="/", retry_after=retry_after)
    assert error.status == code
    assert error.retry_after is None or (error.retry_after > 0 and math.isfinite(error.retry_after))


@QUICK
@given(
    bent(
        {
            "kind": "Status",
            "code": 409,
            "reason": "Conflict",
            "message": "m",
            "details": {"retryAfterSeconds": 3},
        }
    )
)
def test_statuses_with_something_wrong(body: Any) -> None:
    error = failures.api_error(409, json.dumps(body).encode(), verb="POST", resource="/", retry_after=None)
    assert isinstance(error.details, dict)
    assert isinstance(error.message, str)


@QUICK
@given(st.lists(st.text(max_size=60), max_size=3))
def test_warnings_of_anything(headers: list[str]) -> None:
    assert all(text.isprintable() for text in failures.warnings([*headers, '299 - "x"']))


@QUICK
@given(
    bent(
        {
            "kind": "ExecCredential",
            "apiVersion": "client.authentication.k8s.io/v1",
            "status": {
                "token": "t",
                "clientCertificateData": "c",
                "clientKeyData": "k",
                "expirationTimestamp": "2030-01-01T00:00:00Z",
            },
        }
    )
)
def test_plugin_answers_with_something_wrong(answer: Any) -> None:
    plugin = ExecPlugin("p", "client.authentication.k8s.io/v1", "Never")
    try:
        execplugin._credentials(json.dumps(answer).encode(), plugin, ConnectionConfig("https://api.test"))
    except ConfigError as error:
        assert error.message


class Deaf:
    """A mirror that only checks what it is given."""

    def took(self, name: str, obj: Any) -> bool:
        assert obj["metadata"]["name"] == name
        return True

    def took_deletion(self, name: str, obj: Any) -> None:
        assert isinstance(obj["metadata"]["uid"], str)

    def took_absence(self, name: str, version: str) -> bool:
        return False

    def fail(self, error: RollingUpdateError) -> None:
        raise AssertionError(error)


@QUICK
@given(bent({"type": "MODIFIED", "object": controller("web")}) | JSON)
def test_events_with_something_wrong(event: Any) -> None:
    """Nothing but a whole object of that name reaches the mirror."""
    watch = Watch(None, None, "web", Deaf(), poll_interval=1)  # type: ignore[arg-type]  # neither is used
    try:
        watch._event(json.dumps(event).encode())
    except RollingUpdateError as error:
        assert error.message
    except Exception as error:
        assert type(error).__name__ == "_TooOldError"  # private to its module


@pytest.fixture(scope="module")
def talking() -> Any:
    """A server that says what the test puts into ``say``; and calls of every kind to it."""
    say: list[Answer] = [Answer(b"")]
    server = ApiServer(lambda request: say[0], None, 0)
    cluster = connect(ConnectionFlags(server=server.url, request_timeout=5), environ={})
    calls: list[Callable[[], Any]] = [
        cluster.list_controllers,
        lambda: cluster.list_pods("a", limit=2),
        lambda: cluster.get_controller("web"),
        lambda: cluster.create_controller({}),
        lambda: cluster.patch_pod("p", []),
        lambda: cluster.delete_controller("web", uid="u"),
        lambda: cluster.find_controller("web"),
    ]
    yield say, calls
    server.stop()


ANSWERS = (
    JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=100)
    | bent(controller()).map(lambda value: json.dumps(value).encode())
    | bent(listing(controller(), controller("b"))).map(lambda value: json.dumps(value).encode())
    | bent(status(404, "NotFound").body).map(lambda value: json.dumps(value).encode())
)


@FUZZ
@given(ANSWERS, st.sampled_from([200, 200, 200, 201, 302, 401, 404, 409, 410, 429, 500, 503]))
def test_answers_of_anything(talking: Any, body: bytes, code: int) -> None:
    say, calls = talking
    say[0] = Answer(body, code)
    for call in calls:
        try:
            call()
        except RollingUpdateError as error:
            assert error.message
