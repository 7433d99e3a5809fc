"""A whole update in which one answer is not what it should be: the n-th one, of a real (embedded) cluster.

It may stop with words for the user. What it leaves, the same command finishes.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from rollupdate.cluster.api import ApiCluster
from rollupdate.core.changes.edits import SetImage
from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.model import record
from rollupdate.core.plan.intent import Intent
from rollupdate.core.plan.policy import Policy
from rollupdate.engine.ports import Mirror
from rollupdate.engine.update import Update
from rollupdate.errors import ApiError, ClusterError, RefusedError, RollingUpdateError
from rollupdate.objects import Json
from testing.fuzz import inputs
from testing.fuzz.answers import CODES, HTML, STATUS
from testing.fuzz.files import CONTROLLER
from testing.fuzz.guard import DefectError
from testing.fuzz.wire import Call, Reply, cluster_that
from testing.sandbox import Sandbox

NAME, NEW = "my-nginx", "nginx:1.9.1"
INTENT = Intent(name=NAME, change=TemplateChange((SetImage(NEW),)))
POLICY = Policy(timeout=60.0)
MANIFEST: Json = {
    "apiVersion": "v1",
    "kind": "ReplicationController",
    "metadata": {"name": NAME},
    "spec": {
        "replicas": 2,
        "template": {
            "metadata": {"labels": {"app": "nginx"}},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "nginx", "image": "nginx:1.7.9"}],
            },
        },
    },
}
REQUESTS = 60
"""More than an update makes."""
_BODY = inputs.spliced([inputs.as_json(CONTROLLER), inputs.as_json(STATUS)]) | st.binary(max_size=60)
UPDATES: SearchStrategy[bytes] = st.builds(
    lambda number, code, body: bytes([number, code]) + body,
    st.integers(0, REQUESTS),
    st.integers(0, 255),
    _BODY | st.just(HTML) | st.just(b"") | inputs.JSON.map(inputs.as_json),
)
UPDATE_SEEDS = [b"\1\0" + HTML, b"\7\5{", b"\x0c\0[]", b"\x10\xff" + inputs.as_json(STATUS)]


def an_answer_in_an_update(data: bytes) -> None:
    """The lost or garbled answer to any request of it: nothing is lost, and it can be continued."""
    number, code, body = (data[:1] or b"\0")[0], (data[1:2] or b"\0")[0], data[2:]
    sandbox = Sandbox()
    sandbox.create(copy.deepcopy(MANIFEST))
    sandbox.settle()
    counted = itertools.count(1)  # several requests are under way at once
    seen, runs, spoilt = 0, 0, 0  # the last request; which run it is; the run that had the answer

    def answer(call: Call) -> Reply:
        nonlocal seen, spoilt
        seen = mine = next(counted)
        if mine == number:
            spoilt = runs
        # Even: the server has done it, and its answer was lost; odd: nothing has reached the server.
        if mine != number or code % 2 == 0:
            true = sandbox.request(
                call.verb, call.path, call.query, call.body, content_type=call.content_type
            )
            reply = Reply(inputs.as_json(true.body), true.status)
        if mine == number:
            reply = Reply(body, CODES[code // 2 % len(CODES)])
        return reply

    with cluster_that(answer) as cluster:
        for runs in (1, 2):
            try:
                _run(sandbox, cluster)
            except (RefusedError, ApiError) as error:
                if 0 < spoilt < runs and isinstance(error, ApiError) and not error.is_not_found:
                    raise DefectError(f"the second run says {error.message}") from error
            except RollingUpdateError as error:
                if not error.message:
                    raise DefectError("an error without words") from error
            if seen < number:
                break  # it was finished before that many requests
    _assert_clean(sandbox)


def _run(sandbox: Sandbox, cluster: ApiCluster) -> None:
    looking: Any = _Looking(sandbox, cluster)
    Update(looking, _Clock(sandbox), INTENT, POLICY, lambda _event: None, jitter=lambda: 0.5).run().checked()


def _assert_clean(sandbox: Sandbox) -> None:
    sandbox.settle()
    found = sandbox.objects("replicationcontrollers", "default")
    if [each["metadata"]["name"] for each in found] != [NAME]:
        raise DefectError(f"controllers: {[each['metadata']['name'] for each in found]}")
    (controller,) = found
    left = set(controller["metadata"].get("annotations") or {}) & set(record.KEYS)
    image = controller["spec"]["template"]["spec"]["containers"][0]["image"]
    status = controller["status"]
    if left or image != NEW or status.get("availableReplicas") != 2 or len(sandbox.pods()) != 2:
        raise DefectError(f"left: {left}; {image}; {status}; {len(sandbox.pods())} pods")


class _Clock:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def now(self) -> float:
        return self._sandbox.clock.now()

    def sleep(self, seconds: float) -> None:
        self._sandbox.advance(seconds)


class _Looking:
    """The cluster, with a mirror that asks instead of watching: no threads, the same order every time."""

    def __init__(self, sandbox: Sandbox, cluster: ApiCluster) -> None:
        self._sandbox, self._cluster = sandbox, cluster

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    def mirror(self, names: Sequence[str], *, poll_interval: float) -> Mirror:  # noqa: ARG002 - the protocol's
        return _Asking(self._sandbox, self._cluster, names)


class _Asking:
    def __init__(self, sandbox: Sandbox, cluster: ApiCluster, names: Sequence[str]) -> None:
        self._sandbox, self._cluster = sandbox, cluster
        self._objects = {name: cluster.get_controller(name) for name in names}

    def get(self, name: str) -> Json | None:
        return self._objects.get(name)

    def put(self, obj: Json) -> None:
        self._objects[obj["metadata"]["name"]] = obj

    def forget(self, name: str, uid: str) -> None:  # noqa: ARG002 - the protocol's
        self._objects[name] = None

    def refresh(self, name: str) -> Json | None:
        self._objects[name] = self._cluster.get_controller(name)
        return self._objects[name]

    def wait(self, seconds: float) -> bool:
        """A little, and look. What cannot be asked now is asked the next time."""
        self._sandbox.advance(min(max(seconds, 0.01), 1.0))
        for name in self._objects:
            try:
                self.refresh(name)
            except ClusterError:
                continue
        return True

    def close(self) -> None:
        """Nothing is open."""
