"""What a migration may do: asked for before anything is written, and just what it does."""

from __future__ import annotations

import pytest

from rollupdate.engine.migration_plan import plan
from rollupdate.engine.order import Order
from rollupdate.errors import ApiError, RefusedError
from rollupdate.rights import MIGRATION, POINT, Right, migration_of_config, needed
from tests.engine.inprocess import SandboxCluster
from tests.engine.migrations import NAME, Migrations, down, up, web

_VERBS = {"POST": "create", "PATCH": "patch", "DELETE": "delete", "PUT": "update"}
PODS, SETS = Right("", "pods", "patch"), [Right("apps", "replicasets", verb) for verb in ("get", "create")]
SCALER = {
    "apiVersion": "autoscaling/v1",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": NAME},
    "spec": {
        "maxReplicas": 9,
        "scaleTargetRef": {"apiVersion": "v1", "kind": "ReplicationController", "name": NAME},
    },
}


def used(cluster: SandboxCluster) -> set[Right]:
    """By the requests that it has sent."""
    every = (*MIGRATION, *migration_of_config(deletes=True))
    groups = {right.resource: right.group for rule in every for right in rule.rights}
    found = set()
    for request in cluster.requests:
        method, path = request.split(" ", 1)
        plural, _, name = path.partition("/")
        verb = _VERBS.get(method, "get" if name else "list")
        found.add(Right(groups[plural], plural, verb))
    return found


def asked(order: Order, *denied: Right, world: Migrations | None = None, ask: bool = True) -> SandboxCluster:
    cluster = SandboxCluster((world or Migrations()).sandbox, denied=frozenset(denied))
    plan(cluster, order, ask=ask)
    return cluster


def test_there_and_back_and_from_the_middle_each_right_is_used_and_no_other() -> None:
    """With an autoscaler and a history, so that the optional ones show as well."""
    world = Migrations(web(updated=True))
    world.sandbox.create(SCALER)
    seen = used(world.run(up())) | used(world.run(down())) | used(world.run(up())) | used(world.run(down()))
    for order, half in ((up, 12), (down, 6)):
        world = Migrations(web(updated=True))
        if order is down:
            world.run(up())
        assert world.killed_at(order(), half, before=False)
        seen |= used(world.run(order(rollback=True)))
    optional = {right for rule in MIGRATION if rule.optional for right in rule.rights}
    assert seen - optional == set(needed(MIGRATION))
    assert POINT in optional & seen


def test_all_that_is_missing_is_named_at_once() -> None:
    world = Migrations()
    with pytest.raises(RefusedError) as caught:
        asked(up(), PODS, *SETS, world=world)
    assert caught.value.message == (
        'rights are missing in namespace "default": patch pods; get and create replicasets.apps; '
        "nothing was changed"
    )
    assert "the same command with --print-rbac" in str(caught.value.advice)
    world.assert_kept()


def test_what_is_optional_is_not_missed() -> None:
    asked(up(), Right("", "services", "list"), Right("apps", "deployments", "list"), POINT)


def test_an_autoscaler_that_names_the_controller_must_be_one_that_may_be_changed() -> None:
    world = Migrations()
    world.sandbox.create(SCALER)
    with pytest.raises(RefusedError, match=r"patch horizontalpodautoscalers\.autoscaling; nothing"):
        asked(up(), POINT, world=world)


def test_a_dry_run_by_the_client_needs_no_right_to_write() -> None:
    asked(up(), *needed(MIGRATION), ask=False)


@pytest.mark.parametrize("status", [403, 404])
def test_where_access_is_not_reviewed_nothing_is_refused(status: int) -> None:
    cluster = SandboxCluster(Migrations().sandbox, reviews=ApiError(status, "", "no reviews"))
    plan(cluster, up())


def test_what_goes_wrong_otherwise_is_told() -> None:
    cluster = SandboxCluster(Migrations().sandbox, reviews=ApiError(500, "", "no"))
    with pytest.raises(ApiError, match="500"):
        plan(cluster, up())
