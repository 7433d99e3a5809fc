"""What is read from pods, events and conditions, cause by cause, and when it is beyond hope."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.diagnosis.problems import LONGEST_TEXT, LogOf
from rollupdate.core.diagnosis.summary import MOST_PODS, Diagnosis, diagnose
from rollupdate.core.model.controller import Controller
from testing.objects import Json


def controller(
    replicas: int = 1, *, current: int | None = None, available: int = 0, **status: Any
) -> Controller:
    current = replicas if current is None else current
    counts = {"replicas": current, "availableReplicas": available, "readyReplicas": available}
    return Controller.parse(
        {
            "metadata": {"name": "next", "uid": "rc", "resourceVersion": "1", "generation": 1},
            "spec": {"replicas": replicas, "selector": {"app": "web"}, "template": {}},
            "status": {"observedGeneration": 1, **counts, **status},
        }
    )


def pod(number: int = 1, *containers: Json, ready: bool = False, **more: Any) -> Json:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    status = {
        "phase": "Running",
        "podIP": f"10.0.0.{number}",
        "conditions": [*conditions, *more.pop("conditions", [])],
        "containerStatuses": list(containers),
        **more,
    }
    return {
        "metadata": {"name": f"next-{number}", "uid": f"uid-{number}"},
        "spec": {"nodeName": "node-a"},
        "status": status,
    }


def waiting(reason: str, message: str = "", **more: Any) -> Json:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"name": "app", "image": "web:2", "ready": False, "restartCount": 0, "state": state, **more}


def crashed(code: int = 1, restarts: int = 2, *, state: str = "waiting", **ended: Any) -> Json:
    last = {"exitCode": code, "reason": "Error" if code else "Completed", **ended}
    inner: Json = {"reason": "CrashLoopBackOff"} if state == "waiting" else {}
    return {
        "name": "app",
        "image": "web:2",
        "ready": False,
        "restartCount": restarts,
        "state": {state: last if state == "terminated" else inner},
        "lastState": {} if state == "terminated" else {"terminated": last},
    }


RUNNING: Json = {"name": "app", "image": "web:2", "ready": False, "restartCount": 0, "state": {"running": {}}}


def event(reason: str, message: str, about: str = "uid-1", at: str = "2026-01-01T00:00:00Z") -> Json:
    return {
        "involvedObject": {"uid": about},
        "reason": reason,
        "message": message,
        "type": "Warning",
        "lastTimestamp": at,
    }


def of(found: Json, *events: Json) -> Diagnosis:
    """Of a controller with just that pod."""
    return diagnose(controller(), [found], events)


# --- images ---


@pytest.mark.parametrize(
    ("cause", "hopeless"),
    [
        ('rpc error: code = NotFound desc = failed to pull and unpack image "web:2": not found', True),
        ("manifest unknown: manifest unknown", True),
        ("pull access denied, repository does not exist or may require authorization", True),
        ("unauthorized: authentication required", True),
        ("failed to do request: Head: dial tcp 192.0.2.1:443: connect: connection refused", False),
        ("failed to resolve reference: unexpected status: 503 Service Unavailable", False),
        ("toomanyrequests: You have reached your pull rate limit", False),
        ("lookup registry.example: no such host", False),
        ("net/http: TLS handshake timeout", False),
        ("failed to extract layer: no space left on device", False),
    ],
)
def test_only_some_pull_errors_are_beyond_hope(cause: str, hopeless: bool) -> None:
    """Not found, denied: while it backs off the status says nothing, and the event of the attempt does."""
    told = event("Failed", f'Failed to pull image "web:2": {cause}')
    for reason, message, events in (
        ("ErrImagePull", cause, ()),
        ("ImagePullBackOff", 'Back-off pulling image "web:2"', (told,)),
        ("ImagePullBackOff", f'Back-off pulling image "web:2": ErrImagePull: {cause}', ()),
    ):
        found = of(pod(1, waiting(reason, message)), *events)
        said = cause.removeprefix("rpc error: code = NotFound desc = ")
        assert found.text == f'1 pod: image "web:2" cannot be pulled: {said}'
        assert found.terminal is hopeless


def test_the_newest_attempt_counts() -> None:
    """The image was not there, and now the registry is away."""
    first = event("Failed", 'Failed to pull image "web:2": not found', at="2026-01-01T00:00:00Z")
    second = event("Failed", 'Failed to pull image "web:2": i/o timeout', at="2026-01-01T00:00:30Z")
    other = event("Failed", 'Failed to pull image "log:1": not found', at="2026-01-01T00:01:00Z")
    for events in ((first, second, other), (other, second, first)):
        found = of(pod(1, waiting("ImagePullBackOff")), *events)
        assert found.text == '1 pod: image "web:2" cannot be pulled: i/o timeout'
        assert not found.terminal


def test_an_image_may_be_named_after_an_error() -> None:
    """What the name says is no cause."""
    image = "registry.example/access-denied:forbidden"
    cause = f'failed to pull "{image}": connection reset; "registry.example/access-denied" is not there'
    container = {**waiting("ErrImagePull", cause), "image": image}
    assert not of(pod(1, container)).terminal


@pytest.mark.parametrize("reason", ["InvalidImageName", "ErrImageNeverPull"])
def test_a_name_that_is_none_and_an_image_that_may_not_be_pulled(reason: str) -> None:
    """No registry can help."""
    assert of(pod(1, waiting(reason, "whatever it says"))).terminal


# --- crashes ---


def test_a_crash_tells_its_code_and_whose_log_to_read() -> None:
    """Of the run that ended: the one before where it runs again or is about to."""
    found = of(pod(1, crashed(3)))
    assert found.text == "1 pod: container app crashes: exit code 3"
    assert found.log == LogOf("next-1", "app", previous=True, run=("uid-1", 2))
    assert of(pod(1, crashed(3, state="terminated"))).log == LogOf(
        "next-1", "app", previous=False, run=("uid-1", 2)
    )
    text = found.with_log("one\n\n  two \nthree\nfour\n").text
    assert text == "1 pod: container app crashes: exit code 3; its log ends: two | three | four"
    assert found.with_log("").text == found.text
    assert found.with_log("x").fingerprint == found.fingerprint


@pytest.mark.parametrize(
    ("container", "said"),
    [
        (crashed(137, reason="OOMKilled"), "container app crashes: exit code 137 (OOMKilled)"),
        (crashed(0), "container app ends again and again: exit code 0"),
        (
            crashed(128, reason="StartError", message='exec: "ap": not found in $PATH'),
            'container app crashes: exit code 128 (StartError): exec: "ap": not found in $PATH',
        ),
        (crashed(1, message="warming up\nno database\n"), "container app crashes: exit code 1: no database"),
    ],
)
def test_what_else_is_known_of_a_crash(container: Json, said: str) -> None:
    """The runtime's reason, and the container's own last word."""
    assert of(pod(1, container)).text == f"1 pod: {said}"


def test_a_probe_that_kills() -> None:
    """The exit code is that of the signal; the probe is the reason."""
    told = event("Unhealthy", "Liveness probe failed: connection refused")
    said = "1 pod: container app crashes: exit code 137: Liveness probe failed: connection refused"
    assert of(pod(1, crashed(137)), told).text == said


@pytest.mark.parametrize(
    ("restarts", "state", "fatal", "trying"),
    [
        (0, "terminated", False, False),
        (1, "waiting", False, False),
        (1, "running", False, False),
        (2, "waiting", True, False),
        (2, "terminated", True, False),
        (2, "running", False, True),
    ],
)
def test_a_first_restart_is_not_beyond_hope(restarts: int, state: str, fatal: bool, trying: bool) -> None:
    """A loop is, but not while it is in one more attempt: that may be the one that works."""
    found = of(pod(1, crashed(restarts=restarts, state=state)))
    assert (found.terminal, found.retrying) == (fatal, trying)
    assert found.text is not None


def test_an_init_container_is_called_one() -> None:
    """And comes before those that wait for it."""
    found = of(pod(1, waiting("PodInitializing"), initContainerStatuses=[{**crashed(2), "name": "setup"}]))
    assert found.text == "1 pod: init container setup crashes: exit code 2"


# --- configuration, nodes, volumes, probes ---


@pytest.mark.parametrize(
    ("reason", "message", "fatal"),
    [
        ("CreateContainerConfigError", 'secret "keys" not found', True),
        ("CreateContainerError", "no command specified", True),
        ("RunContainerError", 'exec: "ap": executable file not found in $PATH', True),
        ("CreateContainerConfigError", "failed to sync secret cache: timed out waiting", False),
        ("CreateContainerError", "context deadline exceeded", False),
    ],
)
def test_a_container_that_cannot_be_started(reason: str, message: str, fatal: bool) -> None:
    """A mistake is there to stay; what only took too long may pass."""
    found = of(pod(1, waiting(reason, message)))
    assert found.text == f"1 pod: container app cannot be started: {message}"
    assert found.terminal is fatal


PENDING: Json = {
    "phase": "Pending",
    "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3"}],
}


@pytest.mark.parametrize(
    ("found", "events", "said"),
    [
        (pod(1, **PENDING), (), "cannot be scheduled: 0/3"),
        (
            pod(1, waiting("ContainerCreating"), phase="Pending"),
            (event("FailedMount", 'MountVolume.SetUp failed for volume "data"'),),
            'volume not mounted: MountVolume.SetUp failed for volume "data"',
        ),
        (
            pod(1, waiting("ContainerCreating"), phase="Pending"),
            (
                event("FailedAttachVolume", "Multi-Attach error", at="2026-01-01T00:00:00Z"),
                event("FailedMount", "Unable to attach or mount volumes: x", at="2026-01-01T00:02:00Z"),
            ),
            "volume not mounted: Multi-Attach error",
        ),
        (
            pod(1, waiting("ContainerCreating"), phase="Pending"),
            (event("FailedCreatePodSandBox", "no network"),),
            "cannot be set up: no network",
        ),
        (
            pod(1, RUNNING),
            (event("Unhealthy", "Readiness probe failed: 503"),),
            "Readiness probe failed: 503",
        ),
        (pod(1, RUNNING), (event("NodeNotReady", "Node is not ready"),), "its node node-a is not ready"),
    ],
)
def test_what_else_keeps_a_pod_from_being_ready(found: Json, events: tuple[Json, ...], said: str) -> None:
    """Each in one line, none beyond hope."""
    diagnosis = of(found, *events)
    assert diagnosis.text == f"1 pod: {said}"
    assert not diagnosis.terminal


def test_an_event_whose_cause_has_gone_is_not_told() -> None:
    """The volume is mounted by now: the container runs. The probe failed before the restart."""
    assert of(pod(1, RUNNING), event("FailedMount", "not yet")).text is None
    assert of(pod(1, waiting("ContainerCreating")), event("Unhealthy", "503")).text is None
    assert of(pod(1, RUNNING), event("Unhealthy", "503", about="somebody else")).text is None


# --- what the node did ---


def test_eviction_and_preemption_are_told_and_not_counted() -> None:
    """The pod is gone: what matters is the one in its place."""
    evicted = pod(1, phase="Failed", reason="Evicted", message="The node was low on resource: memory.")
    preempted = pod(2, RUNNING, conditions=[_target("PreemptionByScheduler", "preempting")])
    preempted["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    broken = pod(3, waiting("CreateContainerConfigError", "no"))
    found = diagnose(controller(), [evicted, preempted, broken], [])
    assert found.terminal
    assert [each.code for each, _ in found.causes] == ["Config", "Evicted", "PreemptionByScheduler"]
    alone = diagnose(controller(), [evicted], [])
    assert alone.text == "1 pod: Evicted: The node was low on resource: memory."
    assert not alone.terminal


def _target(reason: str, message: str) -> Json:
    return {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}


# --- pods that cannot be made ---


@pytest.mark.parametrize(
    ("message", "code", "said"),
    [
        ('pods "next-x" is forbidden: exceeded quota: q, requested: pods=1', "Quota", "exceeded quota: q, "),
        ('pods "next-x" is forbidden: failed quota: q: must specify limits.cpu', "Quota", "failed quota: q"),
        (
            'pods "next-x" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
            "LimitRange",
            "maximum cpu usage per Container is 1, but limit is 2",
        ),
        ('admission webhook "w" denied the request: no', "Refused", 'admission webhook "w" denied'),
        (
            'pods "next-x" is forbidden: violates PodSecurity "restricted:latest": privileged',
            "Refused",
            'violates PodSecurity "restricted:latest"',
        ),
        (
            'pods "next-" is forbidden: error looking up service account default/bot: not found',
            "Refused",
            "error looking up service account default/bot",
        ),
    ],
)
def test_pods_that_cannot_be_made(message: str, code: str, said: str) -> None:
    """By the condition of the controller, or by its events, of which the newest is what is so now."""
    failed = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    created = event("FailedCreate", f"Error creating: {message}", about="rc")
    again = event("FailedCreate", f"(combined from similar events): {created['message']}", about="rc")
    old = {**failed, "message": "something else"}
    for conditions, events in (([failed], []), ([], [created]), ([old], [created]), ([old], [again])):
        found = diagnose(controller(current=0, conditions=conditions), [], events)
        assert [(each.code, count) for each, count in found.causes] == [(code, 0)]
        assert found.text is not None
        assert found.text.startswith(f"pods of next cannot be created: {said}")
        assert not found.terminal
    healed = diagnose(controller(current=1), [], [created])
    assert healed.text is None


# --- counting, and when it is beyond hope ---


def test_alike_pods_are_counted_together() -> None:
    """An address in the message makes no other problem of it."""
    pods = [pod(n, RUNNING) for n in (1, 2, 3)]
    events = [
        event("Unhealthy", f'Get "http://10.0.0.{n}:80/": connection refused', about=f"uid-{n}")
        for n in (1, 2, 3)
    ]
    found = diagnose(controller(3), pods, events)
    assert found.text == '3 pods: Get "http://10.0.0.1:80/": connection refused'


def test_every_unavailable_pod_must_be_beyond_hope() -> None:
    """One that just starts, one that is ready and counts soon, one that was not looked at: there is hope."""
    broken = [pod(n, crashed()) for n in (1, 2)]
    assert diagnose(controller(2), broken, []).terminal
    assert diagnose(controller(3, available=1), [*broken, pod(3, ready=True)], []).terminal
    assert not diagnose(controller(3), [*broken, pod(3, waiting("ContainerCreating"))], []).terminal
    assert not diagnose(controller(3), [*broken, pod(3, ready=True)], []).terminal
    assert not diagnose(controller(3, current=2), broken, []).terminal
    assert not diagnose(controller(0), [], []).terminal


def test_of_many_pods_those_looked_at_speak_for_all() -> None:
    """A thousand new pods: when all that are looked at are beyond hope, it is not for lack of looking."""
    many = [pod(n, crashed()) for n in range(MOST_PODS)]
    assert diagnose(controller(1000), many, []).terminal
    assert not diagnose(controller(1000), [*many[1:], pod(999, ready=True)], []).terminal


def test_the_line_is_bounded() -> None:
    """However much a server says."""
    found = of(pod(1, waiting("CreateContainerConfigError", "x y\n" * 10_000)))
    assert found.text is not None
    assert len(found.text) < LONGEST_TEXT + 20
    assert "\n" not in found.text


_FIELDS = (
    *("metadata", "status", "conditions", "containerStatuses", "state", "lastState", "waiting", "terminated"),
    *("reason", "message", "type", "uid", "restartCount", "involvedObject", "spec"),
)
_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_FIELDS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(_JUNK, max_size=4), st.lists(_JUNK, max_size=4), _JUNK)
def test_no_answer_of_a_server_breaks_it(pods: list[Any], events: list[Any], conditions: Any) -> None:
    """Whatever is where an object should be."""
    diagnose(controller(conditions=conditions), pods, events)


@pytest.mark.parametrize(
    ("at", "since", "text"),
    [
        ("2031-01-01T00:00:00Z", "2031-01-01T00:05:00Z", "the controller manager has not tried again since"),
        ("2031-01-01T00:05:00Z", "2031-01-01T00:05:01Z", "exceeded quota: q"),
        ("2031-01-01T00:05:09Z", "2031-01-01T00:05:01Z", "exceeded quota: q"),
        ("2031-01-01T00:00:00Z", None, "exceeded quota: q"),
        ("", "2031-01-01T00:05:00Z", "exceeded quota: q"),
    ],
)
def test_what_was_refused_before_the_last_change_is_no_reason(at: str, since: str | None, text: str) -> None:
    """Its words are not repeated; which quota it was is remembered, to see if that has room."""
    message = (
        'pods "next-x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'
    )
    failed = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    refused = {**event("FailedCreate", f"Error creating: {message}", about="rc"), "lastTimestamp": at}
    found = diagnose(controller(current=0, conditions=[failed]), [], [refused], since=since)
    assert text in (found.text or "")
    assert found.refused is not None
    assert found.refused.quota == "q"
    assert (found.with_room(True).room, found.with_room(None).causes) == (True, found.causes)
