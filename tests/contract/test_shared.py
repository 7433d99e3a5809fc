"""Stories of pods that have two owners, one of which is deleted. The same on both clusters."""

from __future__ import annotations

import pytest

from testing.objects import Json
from tests.contract.case import pod
from tests.contract.story import give, owners, plain, reference, running, status, uids
from tests.contract.wire import Wire
from tests.support.manifests import my_nginx

_NOBODY = "00000000-0000-0000-0000-000000000000"


def _shared(cluster: Wire) -> tuple[Json, Json]:
    """The pods of web, of which another controller, that does not select them, is an owner as well."""
    web = running(cluster)
    other = cluster.create(my_nginx("other", replicas=0, labels={"deployment": "other"}, selector=True))
    for found in cluster.pods():
        give(cluster, found, plain(other))
    return web, other


def _is_gone(cluster: Wire, name: str) -> bool:
    return name not in cluster.controllers()


@pytest.mark.parametrize("policy", ["Background", "Orphan", "Foreground"])
@pytest.mark.parametrize("first", ["web", "other"])
def test_pods_stay_as_long_as_one_of_their_owners(cluster: Wire, first: str, policy: str) -> None:
    """The reference to the one that is gone is taken off, however it went. They go with the last one."""
    web, other = _shared(cluster)
    before = uids(cluster)
    cluster.delete(first, policy=policy)
    left = plain(other) if first == "web" else reference(web)
    cluster.wait(lambda: _is_gone(cluster, first) and owners(cluster) == [left] * 2, "one owner is left")
    assert uids(cluster) == before

    cluster.delete(left["name"])
    cluster.wait(lambda: not cluster.pods(), "the pods go with it")


def test_a_reference_to_an_owner_that_never_was_is_taken_off(cluster: Wire) -> None:
    """If there is another owner. A pod that is of nobody else goes."""
    web = running(cluster)
    before, nobody = uids(cluster), {**plain(web), "name": "nobody", "uid": _NOBODY}
    give(cluster, cluster.pods()[0], nobody)
    lone = pod()
    lone["metadata"]["ownerReferences"] = [nobody]
    cluster.call("POST", cluster.path("pods"), lone)
    cluster.wait(lambda: owners(cluster) == [reference(web)] * 2, "nobody owns anything any more")
    assert uids(cluster) == before


def test_another_owner_is_no_controller(cluster: Wire) -> None:
    """Pods are counted and deleted by the one that controls them, whoever else owns them."""
    _, other = _shared(cluster)
    assert status(cluster)["replicas"] == 2
    cluster.wait(
        lambda: status(cluster, "other") == {"replicas": 0, "observedGeneration": 1}, "it counts none"
    )
    cluster.scale("web", 1)
    cluster.wait_available("web", 1)
    assert plain(other) in owners(cluster)
    assert len(cluster.pods()) == 1
