"""The namespace is deleted in the middle of an update: said, and nothing is promised any more."""

from __future__ import annotations

from typing import Any

import pytest

from rollupdate.engine.outcome import Outcome
from rollupdate.engine.update import Update
from rollupdate.errors import ApiError, NamespaceDeletedError, RollingUpdateError, StoppedError
from testing.objects import Json
from testing.sandbox import KubeletConfig, Sandbox
from tests.engine.inprocess import FakeClock, Killed, SandboxCluster, killed
from tests.engine.world import NAME, to_image
from tests.support.asking import Asking
from tests.support.manifests import my_nginx

SHOP = "shop"


def having(kubelet: KubeletConfig) -> Sandbox:
    """A namespace with one controller."""
    sandbox = Sandbox(kubelet=kubelet, namespaces=(SHOP,))
    sandbox.create(my_nginx(replicas=4), SHOP)
    sandbox.settle()
    return sandbox


def run(sandbox: Sandbox, request: Asking, *, kill_after: int = 0) -> Outcome:
    cluster = SandboxCluster(sandbox, namespace=SHOP)
    cluster.after = killed(kill_after)
    clock = FakeClock(sandbox)
    return Update(cluster, clock, request.intent, request.policy, lambda _: None).run().checked()


def delete_in(sandbox: Sandbox, seconds: float) -> None:
    def delete() -> None:
        sandbox.delete("namespaces", "", SHOP)

    sandbox.clock.schedule(seconds, delete)


@pytest.mark.parametrize("terminate_after", [0.1, 20.0])
@pytest.mark.parametrize("after", [0.2, 1.5, 30.0])
@pytest.mark.parametrize("image", ["nginx:1.9.1", "nginx:never-ready", "nginx:refused"])
def test_while_it_runs(image: str, after: float, terminate_after: float) -> None:
    """Whatever it is doing, and long before --timeout."""
    sandbox = having(KubeletConfig(ready_after=10.0, terminate_after=terminate_after))
    started = sandbox.now()
    delete_in(sandbox, after)
    with pytest.raises(NamespaceDeletedError, match=r'^namespace "shop" (is being|was) deleted'):
        run(sandbox, to_image(image, timeout=300.0))
    assert sandbox.now() - started < after + 40


class Unbound(SandboxCluster):
    """Whose user may lose its rights. What a watch tells that was begun in time is still told."""

    bound = True

    def _call(self, method: str, path: str, *args: Any, **more: Any) -> Json:
        watched = method == "GET" and path.startswith("replicationcontrollers/")
        if not (self.bound or watched):
            raise ApiError(403, "Forbidden", f'{path} is forbidden: User "jane" cannot do that')
        return super()._call(method, path, *args, **more)


@pytest.mark.parametrize("follows", [True, False])
def test_the_rights_go_first(*, follows: bool) -> None:
    """The namespace controller deletes role bindings in any order. What follows within seconds says which it
    is; else both are possible, and that is said."""
    sandbox = having(KubeletConfig())
    cluster = Unbound(sandbox, namespace=SHOP)

    def unbind(number: int) -> None:
        if number == 8:
            cluster.bound = False
            if follows:
                delete_in(sandbox, 0.5)

    cluster.after, request = unbind, to_image()
    update = Update(cluster, FakeClock(sandbox), request.intent, request.policy, lambda _: None)
    if follows:
        with pytest.raises(NamespaceDeletedError, match="seems to be deleted"):
            update.run()
    else:
        error = update.run().error
        assert isinstance(error, StoppedError)
        left = 'this user has no rights left in namespace "shop"'
        assert error.hint == f"{left}; if that is being deleted, nothing can be resumed"


def test_while_it_is_rolled_back() -> None:
    sandbox = having(KubeletConfig(ready_after=5.0))
    with pytest.raises(Killed):
        run(sandbox, to_image(), kill_after=10)
    delete_in(sandbox, 2.0)
    with pytest.raises(NamespaceDeletedError):
        run(sandbox, to_image(rollback=True))


def test_a_controller_that_another_client_deletes_is_another_matter() -> None:
    """The namespace stays: the former words."""
    sandbox = having(KubeletConfig(ready_after=5.0))

    def delete() -> None:
        sandbox.delete("replicationcontrollers", SHOP, NAME)

    sandbox.clock.schedule(2.0, delete)
    with pytest.raises(RollingUpdateError, match="was deleted by another client") as stopped:
        run(sandbox, to_image())
    assert not isinstance(stopped.value, NamespaceDeletedError)
