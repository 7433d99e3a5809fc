"""A write that the server refuses every time: it is sent less and less often, it is told, and it ends.
What is refused to one pod beforehand is refused before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from rollupdate.errors import ApiError, FailureError, RollingUpdateError
from rollupdate.events import Waiting
from tests.engine.inprocess import SandboxCluster
from tests.engine.world import NAME, World, to_image

SOON = to_image(timeout=60.0)
WRITES = {
    "create": ("POST", "replicationcontrollers"),
    "patch": ("PATCH", "replicationcontrollers"),
    "delete": ("DELETE", "replicationcontrollers"),
    "label": ("PATCH", "pods"),
}
REFUSALS = {409: "Conflict", 404: "NotFound", 422: "Invalid", 400: "BadRequest", 403: "Forbidden"}
MOST = 60


class Refusing(SandboxCluster):
    """Answers one kind of write in the server's place; in a dry run as well if ``rehearsed``."""

    def __init__(self, world: World, write: str, code: int, *, rehearsed: bool) -> None:
        super().__init__(world.sandbox)
        self.asked = 0
        self._write, self._code, self._rehearsed = WRITES[write], code, rehearsed

    def _call(self, method: str, path: str, *args: Any, **more: Any) -> Any:
        dry = more.get("dry_run") or "dryRun" in str((args, more))
        if (method, path.partition("/")[0]) == self._write and (self._rehearsed or not dry):
            self.asked += 1
            assert self.asked < MOST, "it is sent again and again"
            raise ApiError(self._code, REFUSALS[self._code], "denied by a policy")
        return super()._call(method, path, *args, **more)


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_is_refused_every_time(write: str, code: int) -> None:
    world = World()
    cluster = Refusing(world, write, code, rehearsed=False)
    with pytest.raises(RollingUpdateError) as ended:
        world.update_with(cluster, SOON)
    assert "denied by a policy" in f"{ended.value} {getattr(ended.value, 'hint', '')}"
    if code in (409, 404):
        assert "timed out" in str(ended.value)
        assert any("denied by a policy" in told.reason for told in world.events if isinstance(told, Waiting))
    else:
        assert cluster.asked <= (9 if write == "label" else 3)  # of three pods
    assert isinstance(ended.value, FailureError) == (code == 422)
    world.update(to_image())
    world.assert_clean(NAME, "nginx:1.9.1", 3)


@pytest.mark.parametrize("code", [400, 403, 422])
def test_a_policy_that_refuses_the_label_of_pods(code: int) -> None:
    world = World()
    before = world.controllers()
    with pytest.raises(ApiError, match="denied by a policy"):
        world.update_with(Refusing(world, "label", code, rehearsed=True), SOON)
    assert world.controllers() == before
