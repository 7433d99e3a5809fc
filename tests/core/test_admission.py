"""What the server says of one pod of the new template, and what that means for the update."""

from __future__ import annotations

import pytest

from rollupdate.core.changes.target import Ending, beside
from rollupdate.core.plan.admission import judged, one_pod
from rollupdate.core.plan.goal import Goal
from rollupdate.errors import ApiError, RefusedError
from rollupdate.events import PodRefused
from testing.objects import Json
from tests.core.worlds import old_and_new

BEFORE = 'pods "bar-x7x2c" is forbidden: '


def goal(template: Json) -> Goal:
    old, _ = old_and_new(old=1, new=0, original=1, desired=1, old_available=1, new_available=0)
    target = beside(old, name="bar", selector={}, template=template, digest="", metadata={})
    return Goal(original="foo", successor="bar", finish=Ending.DELETE_OLD, target=target)


def said(text: str, status: int = 403, reason: str = "Forbidden") -> PodRefused | None:
    return judged(ApiError(status, reason, text), goal({"spec": {}}), "shop")


def test_the_pod_that_is_asked_about() -> None:
    """Named by the server, of nobody: what others own could be refused for that alone."""
    spec = {"containers": [{"name": "c", "image": "nginx"}]}
    metadata = {"labels": {"app": "nginx"}, "annotations": None, "creationTimestamp": None}
    assert one_pod(goal({"metadata": metadata, "spec": spec})) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "bar-", "labels": {"app": "nginx"}},
        "spec": spec,
    }
    assert one_pod(goal({"metadata": None, "spec": None})) is None


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (
            'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must',
            "see what the namespace enforces: kubectl describe namespace shop",
        ),
        (
            "[maximum memory usage per Container is 1Gi, but limit is 2Gi, maximum cpu usage per Pod is 1]",
            "see what is allowed: kubectl describe limitrange",
        ),
        ("minimum cpu usage per Container is 1.  No request is specified", "see what is allowed: kubectl"),
        (
            "failed quota: few: must specify limits.cpu for: c; limits.memory for: c",
            "see what it asks: kubectl describe resourcequota",
        ),
        ("no PriorityClass with name high was found", "see which there are: kubectl get priorityclass"),
    ],
)
def test_what_can_never_pass(text: str, hint: str) -> None:
    with pytest.raises(RefusedError) as caught:
        said(BEFORE + text)
    assert caught.value.message == f"a new pod of foo is refused: {text}; nothing was changed"
    assert str(caught.value.hint).startswith(hint)


@pytest.mark.parametrize(
    ("text", "status", "by_quota"),
    [
        ("exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=3", 403, True),
        ('error looking up service account shop/web: serviceaccount "web" not found', 403, False),
        ('admission webhook "policy.example" denied the request: not on Fridays', 400, False),
        ('Pod "bar-x" is invalid: spec.hostNetwork: Invalid value: true', 422, False),
    ],
)
def test_what_others_may_change(text: str, status: int, by_quota: bool) -> None:
    """Or what may be allowed to the controller manager."""
    assert said(BEFORE + text, status) == PodRefused("foo", text, by_quota)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('pods is forbidden: User "joe" cannot create resource "pods" in API group "" in the namespace', 403),
        (BEFORE + "unable to validate against any pod security policy: []", 403),
        (BEFORE + "unable to validate against any security context constraint: []", 403),
        ('admission webhook "a.example" does not support dry run', 400),
        ("the dryRun beta feature is disabled", 400),
        ("too many requests", 429),
        ("Internal error occurred: failed calling webhook", 500),
    ],
)
def test_what_says_nothing_of_the_pods_of_the_controller_manager(text: str, status: int) -> None:
    assert said(text, status) is None
