"""Over HTTP: keep-alive, watches as chunks, tables for kubectl, tokens, the log of requests, the command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from testing.sandbox import KubeletConfig, Sandbox
from testing.sandbox.server import Server
from testing.sandbox.tables import age
from tests.sandbox.worlds import CONTROLLERS, PODS, controller, deployment, sizes

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@pytest.fixture
def world() -> Iterator[Sandbox]:
    kubelet = KubeletConfig(ready_after=0.05, terminate_after=0.02)
    with Sandbox(real_time=True, kubelet=kubelet) as sandbox:
        yield sandbox


@pytest.fixture
def server(world: Sandbox) -> Iterator[Server]:
    with Server(world) as server:
        yield server


def connect(server: Server) -> HTTPConnection:
    return HTTPConnection(urlsplit(server.url).netloc, timeout=10)


def ask(
    connection: HTTPConnection, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any]:
    text = None if body is None else json.dumps(body)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, text, {"Content-Type": "application/json", **sent})
    response = connection.getresponse()
    content = response.read()
    return response.status, json.loads(content) if content.startswith(b"{") else content


def available(world: Sandbox, name: str = "web", count: int = 2) -> None:
    done = threading.Event()
    watch = world.subscribe("rc", "default", name, from_now=False)

    def look(event: dict[str, Any]) -> None:
        if event["object"]["status"].get("availableReplicas") == count:
            done.set()

    watch.on_event.append(look)
    for event in watch.pending():
        look(event)
    assert done.wait(60)


def test_requests_share_a_connection(server: Server) -> None:
    connection = connect(server)
    made = ask(connection, "POST", CONTROLLERS, controller(replicas=0))
    socket = connection.sock
    missing = ask(connection, "GET", f"{CONTROLLERS}/nope")
    found = ask(connection, "GET", f"{CONTROLLERS}/web")
    health = ask(connection, "GET", "/readyz")
    assert (made[0], missing[0], found[0], health) == (201, 404, 200, (200, b"ok"))
    assert connection.sock is socket


def test_it_listens_on_loopback_only(server: Server) -> None:
    assert server.url.startswith("http://127.0.0.1:")


def test_a_watch_streams_lines_until_its_timeout(world: Sandbox, server: Server) -> None:
    connection = connect(server)
    version = world.store.version
    path = f"{CONTROLLERS}?watch=1&resourceVersion={version}&timeoutSeconds=1&allowWatchBookmarks=true"
    connection.request("GET", path)
    response = connection.getresponse()
    assert response.headers["Transfer-Encoding"] == "chunked"
    world.create(controller(replicas=0))

    first = json.loads(response.readline())
    rest = [json.loads(line) for line in response.read().splitlines()]

    assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "web")
    assert {event["type"] for event in rest} <= {"MODIFIED"}
    assert ask(connection, "GET", "/version")[0] == 200, "the connection can be used again"


def test_a_watch_ends_when_its_reader_hangs_up(world: Sandbox, server: Server) -> None:
    before = len(world.store.listeners)
    connection = connect(server)
    connection.request("GET", f"{PODS}?watch=1")
    response = connection.getresponse()
    assert len(world.store.listeners) == before + 1
    response.close()
    connection.close()
    deadline = threading.Event()
    for _ in range(50):
        if len(world.store.listeners) == before:
            break
        deadline.wait(0.05)
    assert len(world.store.listeners) == before


def test_closing_the_server_ends_its_watches(server: Server) -> None:
    """Cut off in the middle, as when an API server is stopped."""
    connection = connect(server)
    connection.request("GET", f"{PODS}?watch=1")
    response = connection.getresponse()
    threading.Timer(0.1, server.close).start()
    with pytest.raises(IncompleteRead):
        response.read()


def test_a_watch_can_be_of_tables(world: Sandbox, server: Server) -> None:
    world.create(controller(replicas=0))
    connection = connect(server)
    connection.request("GET", f"{CONTROLLERS}?watch=1", headers={"Accept": TABLE})
    event = json.loads(connection.getresponse().readline())
    assert event["object"]["kind"] == "Table"
    assert event["object"]["rows"][0]["cells"][0] == "web"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (266, "4m26s"),
        (3600, "60m"),
        (3 * 3600 + 60, "3h1m"),
        (30 * 3600, "30h"),
        (3 * 86400, "3d"),
        (3 * 86400 + 3600, "3d1h"),
        (100 * 86400, "100d"),
        (800 * 86400, "2y70d"),
    ],
)
def test_ages_are_told_as_kubectl_tells_them(seconds: int, told: str) -> None:
    assert age("2024-01-01T00:00:00Z", 1704067200 + seconds) == told


def test_yaml_is_understood_and_other_wishes_refused(server: Server) -> None:
    connection = connect(server)
    text = yaml.safe_dump(controller(replicas=0))
    connection.request("POST", CONTROLLERS, text, {"Content-Type": "application/yaml"})
    made = connection.getresponse()
    made.read()
    assert made.status == 201
    assert ask(connection, "GET", CONTROLLERS, Accept="text/html")[0] == 406
    connection.request("POST", CONTROLLERS, "{bad", {"Content-Type": "application/json"})
    assert connection.getresponse().status == 400


def test_a_token_can_be_required(world: Sandbox, tmp_path: Path) -> None:
    with Server(world, token="secret") as server:
        connection = connect(server)
        assert ask(connection, "GET", CONTROLLERS)[0] == 401
        assert ask(connection, "GET", CONTROLLERS, Authorization="Bearer wrong")[0] == 401
        assert ask(connection, "GET", CONTROLLERS, Authorization="Bearer secret")[0] == 200
        written = server.write_kubeconfig(tmp_path / "config")
    assert yaml.safe_load(written.read_text())["users"][0]["user"] == {"token": "secret"}
    assert written.stat().st_mode & 0o777 == 0o600


def test_requests_are_logged_with_who_asked(world: Sandbox, server: Server) -> None:
    """What tests of a client look at: its name, its impersonation, and what it was told."""
    connection = connect(server)
    headers = {"User-Agent": "tool/1", "Impersonate-User": "jane"}
    connection.request("GET", f"{CONTROLLERS}/nope?x=1", headers=headers)
    connection.getresponse().read()
    [asked] = server.requests
    assert (asked.method, asked.path, asked.query) == ("GET", f"{CONTROLLERS}/nope", {"x": "1"})
    assert (asked.user_agent, asked.impersonation) == ("tool/1", {"Impersonate-User": "jane"})
    assert asked.status == 404


def test_a_dropped_connection_is_dropped(world: Sandbox, server: Server) -> None:
    world.fail_next("GET", status=None)
    with pytest.raises((RemoteDisconnected, ConnectionError)):
        ask(connect(server), "GET", CONTROLLERS)
    assert server.requests[-1].status == 0


def _is_allowed(server: Server, **attributes: str) -> bool:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    status, review = ask(connect(server), "POST", path, {"spec": {"resourceAttributes": attributes}})
    assert (status, review["kind"]) == (201, "SelfSubjectAccessReview")
    assert review["spec"] == {"resourceAttributes": attributes}
    return bool(review["status"]["allowed"])


def test_a_review_of_access_says_what_requests_are_told(world: Sandbox, server: Server) -> None:
    """Everything is allowed but what is forbidden, of that verb and that subresource alone."""
    world.create(controller(replicas=0))
    world.forbid("patch", "replicationcontrollers", "default")
    world.forbid("*", "replicationcontrollers/scale")
    world.forbid("list", "pods")
    connection, web = connect(server), f"{CONTROLLERS}/web"
    here = {"resource": "replicationcontrollers", "namespace": "default"}
    assert _is_allowed(server, verb="get", **here)
    assert ask(connection, "GET", web)[0] == 200
    assert not _is_allowed(server, verb="patch", **here)
    status, body = ask(connection, "PATCH", web, {}, Content_Type="application/merge-patch+json")
    assert (status, body["message"]) == (
        403,
        'replicationcontrollers "web" is forbidden: User "sandbox" cannot patch resource '
        '"replicationcontrollers" in API group "" in the namespace "default"',
    )
    assert _is_allowed(server, verb="patch", resource="replicationcontrollers", namespace="elsewhere")
    assert not _is_allowed(server, verb="get", subresource="scale", **here)
    assert ask(connection, "GET", f"{web}/scale")[0] == 403
    assert ask(connection, "GET", f"{web}/status")[0] == 200
    assert not _is_allowed(server, verb="list", resource="pods", namespace="default")
    assert _is_allowed(server, verb="watch", resource="pods", namespace="default")
    status, body = ask(connection, "GET", PODS)
    assert (status, body["details"]) == (403, {"kind": "pods"})
    assert body["message"].startswith('pods is forbidden: User "sandbox" cannot list resource "pods"')
    world.api.rights.clear()
    assert _is_allowed(server, verb="patch", **here)


def test_what_is_no_resource_is_reviewed_as_allowed(world: Sandbox, server: Server) -> None:
    world.forbid("*", "*")
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    body = {"spec": {"nonResourceAttributes": {"path": "/version", "verb": "get"}}}
    assert ask(connect(server), "POST", path, body)[1]["status"] == {"allowed": True}


@pytest.mark.parametrize("path", ["/api", "/apis", "/api/v1", "/version", "/openapi/v2", "/openapi/v3"])
def test_discovery_is_answered(server: Server, path: str) -> None:
    assert ask(connect(server), "GET", path)[0] == 200


def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """One line when ready, a kubeconfig while it runs, and none after."""
    config = tmp_path / "config"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "testing.sandbox", "--kubeconfig", str(config), "--ready-after", "0.1"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.fullmatch(r"sandbox ready at http://(\S+), kubeconfig \S+\n", line)
        assert match is not None
        assert yaml.safe_load(config.read_text())["current-context"] == "test"
        assert ask(HTTPConnection(match[1], timeout=5), "GET", "/readyz")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not config.exists()


_ROLLED_OUT = 'deployment "web" successfully rolled out'


def test_kubectl_rolls_out(world: Sandbox, server: Server, tmp_path: Path, newest_kubectl: str) -> None:
    """A Deployment is applied, paused, resumed, undone, scaled, listed and deleted."""
    config, manifest = server.write_kubeconfig(tmp_path / "config"), tmp_path / "web.yaml"

    def kubectl(*arguments: str) -> str:
        environment = {**os.environ, "KUBECONFIG": str(config), "HOME": str(tmp_path)}
        command = [newest_kubectl, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    def rolled_out(*changed: str) -> bool:
        kubectl(*changed)
        return _ROLLED_OUT in kubectl("rollout", "status", "deployment/web", "--timeout=20s")

    manifest.write_text(yaml.safe_dump(deployment()))
    assert rolled_out("apply", "-f", str(manifest))
    assert rolled_out("set", "image", "deployment/web", "main=nginx:1.8")
    kubectl("annotate", "deployment/web", "kubernetes.io/change-cause=eight")
    history = kubectl("rollout", "history", "deployment/web")
    assert re.search(r"REVISION +CHANGE-CAUSE\n1 +<none>\n2 +eight\n", history)
    assert "nginx:1.7" in kubectl("rollout", "history", "deployment/web", "--revision=1")

    kubectl("rollout", "pause", "deployment/web")
    kubectl("set", "image", "deployment/web", "main=nginx:1.9")
    assert sizes(world) == {"nginx:1.7": 0, "nginx:1.8": 2}
    assert rolled_out("rollout", "resume", "deployment/web")
    assert rolled_out("rollout", "undo", "deployment/web", "--to-revision=1")
    assert sizes(world) == {"nginx:1.7": 2, "nginx:1.8": 0, "nginx:1.9": 0}
    assert rolled_out("scale", "deployment/web", "--replicas=3")

    recreated = deployment(replicas=1, image="nginx:2", strategy={"type": "Recreate"})
    manifest.write_text(yaml.safe_dump(recreated))
    assert rolled_out("apply", "-f", str(manifest))
    assert world.get("deploy", "default", "web")["spec"]["strategy"] == {"type": "Recreate"}
    listed = kubectl("get", "deployments,replicasets", "-o", "wide")
    assert re.search(r"deployment.apps/web +1/1 +1 +1 +\S+ +main +nginx:2 +app=web\n", listed)
    assert re.search(
        r"replicaset.apps/web-\w+ +1 +1 +1 +\S+ +main +nginx:2 +app=web,pod-template-hash=", listed
    )
    assert "NewReplicaSetAvailable" in kubectl("describe", "deployment/web")
    kubectl("delete", "deployment/web", "--cascade=foreground")
    assert world.objects("rs", "default") == []


def test_kubectl_is_served(world: Sandbox, server: Server, tmp_path: Path, each_kubectl: str) -> None:
    """The real client creates, applies, scales, labels, patches, lists and deletes."""
    config = server.write_kubeconfig(tmp_path / "config")
    manifest = tmp_path / "web.yaml"
    manifest.write_text(yaml.safe_dump(controller()))

    def kubectl(*arguments: str) -> str:
        environment = {**os.environ, "KUBECONFIG": str(config), "HOME": str(tmp_path)}
        command = [each_kubectl, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    kubectl("create", "--save-config", "-f", str(manifest))
    available(world)
    listed = kubectl("get", "rc,pods", "-o", "wide", "-L", "app", "-l", "app=web")
    assert re.search(r"NAME +DESIRED +CURRENT +READY +AGE +CONTAINERS +IMAGES +SELECTOR +APP\n", listed)
    assert re.search(r"web +2 +2 +2 +\S+ +main +nginx:1.7 +app=web +web\n", listed)
    assert len(re.findall(r"pod/web-\w{5} +1/1 +Running +0 ", listed)) == 2

    kubectl("scale", "rc", "web", "--replicas=3")
    available(world, count=3)
    kubectl("label", "rc", "web", "tier=front")
    kubectl("annotate", "rc", "web", "note=x")
    kubectl("patch", "rc", "web", "-p", '{"spec":{"replicas":1}}')
    manifest.write_text(yaml.safe_dump(controller(image="nginx:1.8", replicas=1)))
    assert "configured" in kubectl("apply", "--validate=false", "-f", str(manifest))
    found = world.get("rc", "default", "web")
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:1.8"
    assert found["metadata"]["labels"]["tier"] == "front"

    kubectl("delete", "rc", "web")
    assert world.find("rc", "default", "web") is None
