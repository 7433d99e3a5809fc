"""PodProblem in the words of 1.20 and in those of 1.36, to the letter: it is read as the same.

What has a reason or a code is told by that. Kubelets and controllers say some things only in messages.
"""

from __future__ import annotations

import pytest

from rollupdate.core.diagnosis.summary import diagnose
from testing.objects import Json
from tests.core.test_diagnosis import RUNNING, controller, crashed, event, of, pod, waiting

_QUOTA = "exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1"
_PULL = 'rpc error: code = NotFound desc = failed to pull and unpack image "web:2"'
_MISSING = f"{_PULL}: failed to resolve reference: web:2: not found"
_PSP = "unable to validate against any pod security policy: [spec.containers[0].securityContext.privileged: "


@pytest.mark.parametrize(
    ("code", "said", "of_1_20", "of_1_36"),
    [
        ("Quota", _QUOTA, 'pods "next-abcde" is forbidden: {}', 'pods "next-abcde" is forbidden: {}'),
        (
            "Quota",
            "failed quota: few: must specify limits.cpu",
            'pods "next-abcde" is forbidden: failed quota: few: must specify limits.cpu,limits.memory',
            'pods "next-abcde" is forbidden: failed quota: few: must specify limits.cpu for: app; '
            "limits.memory for: app",
        ),
        (
            "LimitRange",
            "[maximum memory usage per Container is 1Gi, but limit is 2Gi",
            'pods "next-abcde" is forbidden: [{}, minimum cpu usage per Pod is 1, but request is 100m]',
            'pods "next-abcde" is forbidden: [{}, minimum cpu usage per Pod is 1, but request is 100m]',
        ),
        (
            "LimitRange",
            "memory max limit to request ratio per Container is 2, but provided ratio is 4.000000",
            'pods "next-abcde" is forbidden: {}',
            'pods "next-abcde" is forbidden: {}',
        ),
        (
            "Refused",
            "admission webhook",
            'admission webhook "policy.example.com" denied the request: no such team',
            'admission webhook "policy.example.com" denied the request: no such team',
        ),
        (
            "Refused",
            'Internal error occurred: failed calling webhook "policy.example.com": ',
            '{}Post "https://policy.example.svc:443/?timeout=10s": context deadline exceeded',
            "{}failed to call webhook: "
            'Post "https://policy.example.svc:443/?timeout=10s": context deadline exceeded',
        ),
        (
            "Refused",
            "",
            f'pods "next-" is forbidden: {_PSP}Invalid value: true: Privileged containers are not allowed]',
            'pods "next-abcde" is forbidden: violates PodSecurity "restricted:latest": '
            "allowPrivilegeEscalation != false (container "
            '"app" must set securityContext.allowPrivilegeEscalation=false)',
        ),
        (
            "Refused",
            "error looking up service account default/bot: serviceaccount",
            'pods "next-" is forbidden: {} "bot" not found',
            'pods "next-" is forbidden: {} "bot" not found',
        ),
    ],
)
def test_pods_that_cannot_be_made(code: str, said: str, of_1_20: str, of_1_36: str) -> None:
    """By quota, limits, or admission; the name of the pod is left out, what is said of it is not."""
    for words in (of_1_20, of_1_36):
        message = words.replace("[{}", said).replace("{}", said)
        told = event("FailedCreate", f"Error creating: {message}", about="rc")
        (found, count) = diagnose(controller(current=0), [], [told]).causes[0]
        assert (found.code, count, found.terminal) == (code, 0, False)
        assert found.text.startswith(f"pods of next cannot be created: {said}")
        assert "is forbidden" not in found.text


BACK_OFF = 'Back-off pulling image "web:2"'


@pytest.mark.parametrize(
    ("terminal", "said", "of_1_20", "of_1_36"),
    [
        (
            True,
            _MISSING.partition("desc = ")[2],
            (waiting("ImagePullBackOff", BACK_OFF), f'Failed to pull image "web:2": {_MISSING}'),
            (waiting("ImagePullBackOff", f"{BACK_OFF}: ErrImagePull: {_MISSING}"), ""),
        ),
        (
            False,
            "RegistryUnavailable",
            (waiting("ImagePullBackOff", BACK_OFF), 'Failed to pull image "web:2": RegistryUnavailable'),
            (
                waiting(
                    "ImagePullBackOff",
                    f"{BACK_OFF}: RegistryUnavailable: "
                    "image pull failed for web:2 because the registry is unavailable: 503",
                ),
                "",
            ),
        ),
    ],
    ids=["not there", "registry away"],
)
def test_images_that_cannot_be_pulled(
    terminal: bool, said: str, of_1_20: tuple[Json, str], of_1_36: tuple[Json, str]
) -> None:
    """While it backs off the old kubelet only says so, and an event has the cause; the new one repeats it."""
    for container, told in (of_1_20, of_1_36):
        found = of(pod(1, container), *([event("Failed", told)] if told else []))
        assert found.text is not None
        assert found.text.startswith(f'1 pod: image "web:2" cannot be pulled: {said}')
        assert found.terminal is terminal


def test_an_image_without_a_valid_signature() -> None:
    """Only kubelets of today know that; no waiting signs it."""
    name, cause = (
        "SignatureValidationFailed",
        "image pull failed for web:2 because the signature validation failed",
    )
    told = event("Failed", f'Failed to pull image "web:2": {name}: no signature')
    for container, events in (
        (waiting(name, cause), ()),
        (waiting("ImagePullBackOff", f"{BACK_OFF}: {name}: {cause}"), ()),
        (waiting("ImagePullBackOff", f"{BACK_OFF}: {name}: {cause}"), (told,)),
    ):
        found = of(pod(1, container), *events)
        assert found.terminal
        assert found.text is not None
        assert "ignature" in found.text


@pytest.mark.parametrize(
    "message",
    [
        "back-off 20s restarting failed container=app pod=next-1_default(uid-1)",
        'back-off 20s restarting failed container "app" in pod "next-1_default(uid-1)"',
    ],
    ids=["1.20", "1.36"],
)
def test_a_crash_is_told_by_its_reason(message: str) -> None:
    """However the back-off is put."""
    container = crashed(3)
    container["state"]["waiting"]["message"] = message
    assert of(pod(1, container)).text == "1 pod: container app crashes: exit code 3"


@pytest.mark.parametrize(
    "message",
    [
        "unmounted volumes=[data], unattached volumes=[data token-x]: timed out waiting for the condition",
        "unmounted volumes=[data], unattached volumes=[], failed to process volumes=[]: "
        "context deadline exceeded",
    ],
    ids=["1.20", "1.36"],
)
def test_a_mount_that_only_timed_out_says_nothing(message: str) -> None:
    """The event that has the cause is told instead."""
    cause = 'MountVolume.SetUp failed for volume "data" : secret "keys" not found'
    events = (
        event("FailedMount", cause, at="2026-01-01T00:00:00Z"),
        event("FailedMount", f"Unable to attach or mount volumes: {message}", at="2026-01-01T00:02:00Z"),
    )
    found = of(pod(1, waiting("ContainerCreating"), phase="Pending"), *events)
    assert found.text == f"1 pod: volume not mounted: {cause}"


@pytest.mark.parametrize(
    "message",
    [
        "Readiness probe failed: HTTP probe failed with statuscode: 503",
        "Readiness probe errored: rpc error: code = Unknown desc = cannot exec",
        "Readiness probe errored and resulted in unknown state: rpc error: code = Unknown desc = cannot exec",
    ],
    ids=["both", "1.20", "1.36"],
)
def test_a_probe_is_told_by_its_reason(message: str) -> None:
    """Unhealthy: what it says is passed on."""
    assert of(pod(1, RUNNING), event("Unhealthy", message)).text == f"1 pod: {message}"
