"""What servers and plugins say: answers of the API, watch events, credentials of an exec plugin."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from rollupdate.cluster import execplugin, failures
from rollupdate.cluster.api import ApiCluster
from rollupdate.cluster.settings import ExecPlugin
from rollupdate.cluster.watch import Watch
from rollupdate.commands.history import objects
from rollupdate.core.changes.base import Naming
from rollupdate.core.changes.edits import SetImage
from rollupdate.core.changes.file import FileChange
from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.diagnosis.summary import diagnose
from rollupdate.core.model import history, record
from rollupdate.core.model.controller import Controller
from rollupdate.core.plan.intent import Intent
from rollupdate.core.plan.policy import Policy
from rollupdate.engine.dry_run import DryRunClock, DryRunCluster
from rollupdate.engine.history import history_of
from rollupdate.engine.update import Update
from rollupdate.engine.watch_status import look
from rollupdate.errors import ConfigError, RollingUpdateError
from rollupdate.objects import Json
from rollupdate.report import history as history_report
from rollupdate.report import status as status_report
from rollupdate.report.plain import PlainReport
from rollupdate.report.printers import Document, Objects, printed
from rollupdate.report.text import printable
from rollupdate.rights import CREATE_PODS
from testing.fuzz import inputs
from testing.fuzz.files import CONTROLLER, MANIFEST
from testing.fuzz.guard import DefectError
from testing.fuzz.wire import CONFIG, Call, Reply, cluster_that, refusing_writes

STATUS: Json = {
    "kind": "Status",
    "apiVersion": "v1",
    "status": "Failure",
    "code": 409,
    "reason": "Conflict",
    "message": "m",
    "details": {"retryAfterSeconds": 3, "name": "n"},
}
POD: Json = {
    "metadata": {
        "name": "p",
        "uid": "p1",
        "labels": {"app": "nginx"},
        "ownerReferences": [{"uid": "u1", "controller": True, "kind": "ReplicationController"}],
    },
    "spec": {"containers": [{"name": "nginx", "image": "nginx:1.7.9"}]},
    "status": {
        "reason": "",
        "conditions": [{"type": "Ready", "status": "False"}, {"type": "PodScheduled", "status": "False"}],
        "initContainerStatuses": [{"name": "i", "state": {"running": {}}}],
        "containerStatuses": [
            {
                "name": "nginx",
                "image": "nginx:1.7.9",
                "ready": False,
                "restartCount": 3,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "m"}},
                "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": "m"}},
            }
        ],
    },
}
EVENT: Json = {
    "metadata": {"name": "e", "uid": "e1"},
    "involvedObject": {"uid": "p1"},
    "reason": "Failed",
    "message": "Failed to pull image",
    "lastTimestamp": "2030-01-01T00:00:00Z",
}


REVISION: Json = {
    "apiVersion": "apps/v1",
    "kind": "ControllerRevision",
    "metadata": {
        "name": "my-nginx-1",
        "uid": "r1",
        "resourceVersion": "3",
        "labels": {history.OWNER: "u1"},
        "annotations": {
            history.CHANGE_CAUSE: "c",
            history.FINISHED_AT: "2030-01-01T00:00:00Z",
            history.FORMER: "1,2",
            history.LABEL_KEY: "deployment",
        },
        "ownerReferences": [{"uid": "u1", "controller": True}],
    },
    "data": {"spec": {"template": CONTROLLER["spec"]["template"]}},
    "revision": 1,
}


def listing(kind: str, items: Sequence[Json]) -> Json:
    bare = [
        {key: value for key, value in each.items() if key not in ("kind", "apiVersion")} for each in items
    ]
    return {"kind": f"{kind}List", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": bare}


CONTROLLERS, PODS, EVENTS, REVISIONS = (
    listing("ReplicationController", [CONTROLLER]),
    listing("Pod", [POD]),
    listing("Event", [EVENT]),
    listing("ControllerRevision", [REVISION]),
)
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"

# --- one answer ---

CODES = (200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503)
_BODIES = inputs.texts([CONTROLLER, CONTROLLERS, PODS, EVENTS, REVISION, REVISIONS, STATUS]) | st.just(HTML)
ANSWERS: SearchStrategy[bytes] = st.builds(
    lambda code, call, body: bytes([code, call]) + body, st.integers(0, 255), st.integers(0, 255), _BODIES
)
ANSWER_SEEDS = [
    b"\0\2" + inputs.as_json(CONTROLLER),
    b"\0\0" + inputs.as_json(CONTROLLERS),
    b"\0\1" + inputs.as_json(PODS),
    b"\x0a\3" + inputs.as_json(STATUS),
]


def an_answer(data: bytes) -> None:
    """To a request of any kind: plain objects of that kind, or an error for the user."""
    code, call, body = data[:1] or b"\0", data[1:2] or b"\0", data[2:]
    said = body[:40].decode("latin-1")
    headers = tuple((name, text) for name in ("Warning", "Retry-After") if (text := said.replace("\n", " ")))
    reply = Reply(body, CODES[code[0] % len(CODES)], headers)
    with cluster_that(lambda _call: reply) as cluster:
        calls = (
            cluster.list_controllers,
            lambda: cluster.list_pods("a", limit=2),
            lambda: cluster.get_controller("my-nginx"),
            lambda: cluster.create_controller({}),
            lambda: cluster.patch_pod("p", []),
            lambda: cluster.delete_controller("my-nginx", uid="u"),
            lambda: cluster.find_controller("my-nginx"),
            lambda: cluster.list_events("a"),
            lambda: cluster.list_revisions("a"),
            lambda: cluster.replace_revision(REVISION),
            lambda: cluster.read_log("p", "nginx", previous=True, lines=3),
            lambda: cluster.list_referring("PodDisruptionBudget"),
            lambda: cluster.list_referring("NetworkPolicy"),
            lambda: cluster.admit_pod({}),
            lambda: cluster.allows(CREATE_PODS),
            cluster.list_namespaces,
        )
        try:
            calls[call[0] % len(calls)]()
        except RollingUpdateError as error:
            _fit(error)


def _fit(error: RollingUpdateError) -> None:
    """It has words, and what the terminal gets of them is one that it can show."""
    if not error.message:
        raise DefectError("an error without words") from error
    shown = printable(f"{error.message}\n{error.hint or ''}")
    if not all(each == "\n" or each.isprintable() for each in shown):
        raise DefectError(f"not fit for a terminal: {shown!r}") from error
    wait = getattr(error, "retry_after", None)
    if wait is not None and not (math.isfinite(wait) and wait > 0):
        raise DefectError(f"Retry-After of {wait}") from error


def a_header(data: bytes) -> None:
    """``Warning`` and ``Retry-After``, as latin-1, which is what they come as."""
    text = data.decode("latin-1")
    _fit(failures.api_error(429, b"", verb="GET", resource="/", retry_after=text))
    for said in failures.warnings([text, f'299 - "{text}"']):
        if not said.isprintable():
            raise DefectError(f"not fit for a terminal: {said!r}")


HEADER_SEEDS = [
    b'299 - "x", 299 a "y" "Wed, 21 Oct 2015 07:28:00 GMT"',
    b"3",
    b"Wed, 21 Oct 2015 07:28:00 GMT",
]
HEADERS = inputs.spliced(HEADER_SEEDS) | st.binary(max_size=40)

# --- watch events ---


class _Sink:
    """A mirror that only checks what it is given."""

    def took(self, name: str, obj: Any) -> bool:
        if obj["metadata"]["name"] != name:
            raise DefectError("an object of another name")
        return True

    def took_deletion(self, _name: str, obj: Any) -> None:
        if not isinstance(obj["metadata"]["uid"], str):
            raise DefectError("an object without a uid")

    def took_absence(self, _name: str, _version: str) -> bool:
        return False

    def delivered(self, name: str) -> None:
        """Whatever it was."""

    def fail(self, error: RollingUpdateError) -> None:
        raise DefectError("the watch gives up") from error


WATCHED: Json = {"type": "MODIFIED", "object": CONTROLLER}
EVENT_LINES = inputs.texts([WATCHED, {"type": "ERROR", "object": STATUS}])
EVENT_SEEDS = [inputs.as_json(WATCHED), inputs.as_json({"type": "ERROR", "object": STATUS})]


def a_watch_event(data: bytes) -> None:
    """Nothing but a whole object of that name reaches the mirror."""
    unused: Any = None
    watch = Watch(ApiCluster(unused, CONFIG), unused, "my-nginx", _Sink(), poll_interval=1)
    try:
        watch._event(data)
    except RollingUpdateError as error:
        _fit(error)
    except Exception as error:
        if type(error).__name__ != "_TooOldError":  # private to its module
            raise


# --- exec plugins ---

PLUGIN = ExecPlugin("p", "client.authentication.k8s.io/v1", "Never")
CREDENTIAL: Json = {
    "kind": "ExecCredential",
    "apiVersion": PLUGIN.api_version,
    "status": {
        "token": "planted-token",
        "clientCertificateData": "planted-certificate",
        "clientKeyData": "planted-key",
        "expirationTimestamp": "2030-01-01T00:00:00Z",
    },
}
PLUGIN_OUTPUTS = inputs.texts([CREDENTIAL])
PLUGIN_SEEDS = [inputs.as_json(CREDENTIAL)]


def a_plugin_output(data: bytes) -> None:
    """Credentials, or an error that repeats nothing of them."""
    try:
        execplugin._credentials(data, PLUGIN, CONFIG)
    except ConfigError as error:
        _fit(error)
        if "planted" in f"{error.message} {error.hint}":
            raise DefectError(f"a secret is shown: {error.message}") from error


# --- what is made of the answers ---

_LIST = inputs.texts([CONTROLLERS])
_ANSWER = inputs.texts([CONTROLLER, STATUS]) | st.just(inputs.as_json(CONTROLLER))
DRY_RUNS: SearchStrategy[bytes] = st.builds(
    lambda first, second: first.replace(b"\0", b"") + b"\0" + second, _LIST, _ANSWER
)
DRY_RUN_SEEDS = [inputs.as_json(CONTROLLERS) + b"\0" + inputs.as_json(CONTROLLER)]


def a_dry_run(data: bytes) -> None:
    """``--dry-run=server`` from the list of controllers (the first answer) on: a plan, or an error."""
    first, _, second = data.partition(b"\0")

    def answer(call: Call) -> Reply:
        return Reply(first if call.verb == "GET" else second, 200 if second[:1] != b"[" else 422)

    for intent in (
        Intent(name="my-nginx", change=TemplateChange((SetImage("nginx:1.9.1"),))),
        Intent(name="my-nginx", change=FileChange(MANIFEST, "STDIN"), naming=Naming(keep_name=True)),
        Intent(name="my-nginx", rollback=True),
        Intent(name="my-nginx", rollback=True, to_revision=0),
    ):
        with cluster_that(refusing_writes(answer)) as cluster:
            clock = DryRunClock()
            out = io.StringIO()
            update = Update(
                DryRunCluster(cluster, clock, server=True),
                clock,
                intent,
                Policy(),
                PlainReport(out, out),
                jitter=lambda: 0.5,
            )
            try:
                found = update.run().checked().owner or {}
            except RollingUpdateError as error:
                _fit(error)
                continue
            shown = (
                "".join(printed(Objects((found,)), output) for output in ("json", "yaml", "name"))
                + out.getvalue()
            )
            if not all(each == "\n" or each.isprintable() for each in shown):
                raise DefectError(f"not fit for a terminal: {shown!r}")


DIAGNOSES: SearchStrategy[bytes] = st.builds(
    lambda controller, pods, events: b"\0".join(
        each.replace(b"\0", b"") for each in (controller, pods, events)
    ),
    inputs.bent(CONTROLLER).map(inputs.as_json),
    inputs.bent(PODS).map(inputs.as_json),
    inputs.bent(EVENTS).map(inputs.as_json),
)
DIAGNOSIS_SEEDS = [b"\0".join(inputs.as_json(each) for each in (CONTROLLER, PODS, EVENTS))]


def a_diagnosis(data: bytes) -> None:
    """Why pods are not ready: from a controller, its pods and events, read as the API gives them."""
    first, second, third, *_ = (*data.split(b"\0"), b"", b"")
    bodies = {"replicationcontrollers": first, "pods": second, "events": third}
    with cluster_that(lambda call: Reply(bodies[call.path.split("/")[5]])) as cluster:
        try:
            raw = cluster.get_controller("my-nginx")
            controller = Controller.parse(raw or {})
            pods, events = cluster.list_pods("a"), cluster.list_events("b")
        except RollingUpdateError as error:
            _fit(error)
            return
        json.dumps(diagnose(controller, pods, events).text)


RECORDED: Json = {
    **CONTROLLER,
    "metadata": {
        **CONTROLLER["metadata"],
        "annotations": {key: "1" for key in record.KEYS if key != record.TRANSFER},
    },
}
READINGS: SearchStrategy[bytes] = st.builds(
    lambda first, second: first.replace(b"\0", b"") + b"\0" + second,
    inputs.texts([CONTROLLERS, listing("ReplicationController", [RECORDED])]),
    inputs.bent(REVISIONS).map(inputs.as_json),
)
READING_SEEDS = [inputs.as_json(CONTROLLERS) + b"\0" + inputs.as_json(REVISIONS)]
_NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def a_reading(data: bytes) -> None:
    """``--status`` and ``--history``: of what the server says of controllers, and of their revisions."""
    first, _, second = data.partition(b"\0")

    def answer(call: Call) -> Reply:
        return Reply(second if "controllerrevisions" in call.path else first)

    with cluster_that(refusing_writes(answer)) as cluster:
        try:
            seen, why = look(cluster, "my-nginx")
        except RollingUpdateError as error:
            _fit(error)
        else:
            status_report.one_line(seen, why)
            shown = status_report.text(seen, why, _NOON, "kubectl rolling-update my-nginx --rollback")
            shown += "".join(
                printed(Document(status_report.body(seen, why), more), each)
                for each in ("json", "yaml")
                for more in (False, True)
            )
            if not all(each == "\n" or each.isprintable() for each in shown):
                raise DefectError(f"not fit for a terminal: {shown!r}")
        try:
            known = history_of(cluster, Controller.parse(CONTROLLER))
        except RollingUpdateError as error:
            _fit(error)
            return
        now = history.running(known, CONTROLLER["spec"]["template"])
        history_report.table("my-nginx", known, now)
        for each in known:
            history_report.one("my-nginx", each)
        for output in ("json", "yaml", "name"):
            printed(objects(known), output)
        history.plan(
            known, Controller.parse(CONTROLLER), [history.Ran(CONTROLLER["spec"]["template"], "a")], 2
        )
