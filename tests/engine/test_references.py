"""What selects the pods of a controller, or names it, keeps its pods and its target; or the update is refused
before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollupdate.core.model.template import differences
from rollupdate.core.plan.preview import Preview
from rollupdate.errors import ApiError, RefusedError
from rollupdate.events import ReferencesUnseen
from testing.objects import Json
from tests.engine.inprocess import Killed, SandboxCluster, killed
from tests.engine.world import NAME, World, to_file, to_image
from tests.support.asking import Asking, asking
from tests.support.manifests import my_nginx, my_nginx_v4


def of_kind(kind: str, spec: Json, name: str = "web") -> Json:
    return {"kind": kind, "metadata": {"name": name}, "spec": spec}


def service(name: str = "web", **selector: str) -> Json:
    return of_kind("Service", {"selector": selector, "ports": [{"port": 80}]}, name)


def budget(**selector: Any) -> Json:
    return of_kind("PodDisruptionBudget", {"minAvailable": 1, "selector": selector})


def policy(**spec: Any) -> Json:
    return of_kind("NetworkPolicy", spec)


def autoscaler(name: str, kind: str = "ReplicationController") -> Json:
    target = {"apiVersion": "v1", "kind": kind, "name": name}
    return of_kind("HorizontalPodAutoscaler", {"scaleTargetRef": target, "minReplicas": 3, "maxReplicas": 5})


def blue() -> World:
    """Its owner tells versions apart by a label of the same key as ours."""
    return World(my_nginx(labels={"deployment": "blue"}, selector=True))


def refused(world: World, request: Asking, *objects: Json) -> RefusedError:
    """And nothing was written."""
    for obj in objects:
        world.sandbox.create(obj)
    before = world.controllers(), world.sandbox.pods()
    with pytest.raises(RefusedError) as caught:
        world.update(request)
    assert (world.controllers(), world.sandbox.pods()) == before
    assert caught.value.message.endswith("; nothing was changed")
    return caught.value


# --- a label of the user's own ---


def test_the_key_of_the_update_before_is_the_one_to_take() -> None:
    """Or each update of a controller with a label of its own would add another label."""
    world = blue()
    world.sandbox.create(service(deployment="blue"))
    world.update(to_image(label_key="own-key"))
    error = refused(world, to_image("nginx:1.11"))
    assert (error.hint or "").endswith("the same command with --deployment-label-key=own-key")
    world.update(to_image("nginx:1.11", label_key="own-key"))
    assert set(world.controller(NAME)["spec"]["selector"]) == {"app", "deployment", "own-key"}


def test_a_service_selects_by_a_label_that_would_be_replaced() -> None:
    """Its owner keeps the label, and old and new pods are told apart by another one."""
    world = blue()
    error = refused(world, to_image(), service(app="nginx", deployment="blue"))
    assert error.message == (
        'Service "web" selects the pods of my-nginx by deployment=blue, which the new pods would not have; '
        "nothing was changed"
    )
    assert error.hint == (
        "to keep that label, and have old and new pods told apart by another one: "
        "the same command with --deployment-label-key=rollout"
    )
    world.update(to_image(label_key="rollout"))
    after = world.assert_clean(NAME, "nginx:1.9.1", 3)
    assert after["spec"]["selector"]["deployment"] == "blue"
    assert all(pod["metadata"]["labels"]["deployment"] == "blue" for pod in world.sandbox.pods())


@pytest.mark.parametrize(
    "other",
    [
        budget(matchLabels={"deployment": "blue"}),
        budget(matchExpressions=[{"key": "deployment", "operator": "In", "values": ["blue", "green"]}]),
        policy(podSelector={"matchLabels": {"deployment": "blue"}}),
        policy(podSelector={"matchLabels": {"app": "db"}}, ingress=[{"from": [
            {"podSelector": {"matchLabels": {"deployment": "blue"}}}]}]),
        policy(podSelector={"matchLabels": {"app": "db"}}, egress=[{"to": [
            {"podSelector": {"matchLabels": {"deployment": "blue"}}}], "ports": [{"port": 80}]}]),
    ],
    ids=["budget", "budget by expression", "policy", "policy that lets them in", "policy that lets to them"],
)  # fmt: skip
def test_so_do_others(other: Json) -> None:
    """Whatever selects pods by labels."""
    error = refused(blue(), to_image(), other)
    assert error.message.startswith(f'{other["kind"]} "web" selects the pods of my-nginx by deployment')
    assert "--deployment-label-key=rollout" in (error.hint or "")


def test_nothing_selects_by_the_label() -> None:
    """The file of the documentation has ``deployment: v4``; the next update of an image replaces that."""
    world = World(my_nginx_v4(replicas=2))
    world.sandbox.create(service(app="nginx"))
    world.sandbox.create(budget(matchLabels={"app": "nginx"}))
    world.sandbox.create(policy(podSelector={}, ingress=[{}]))
    world.sandbox.create(service("of-others", app="other", deployment="v4"))
    world.sandbox.create(autoscaler("my-nginx-v4"))
    world.update(asking(name="my-nginx-v4", change=to_image().intent.change))
    world.assert_clean("my-nginx-v4", "nginx:1.9.1", 2)


def test_the_label_of_a_file_that_keeps_the_name() -> None:
    """A Service waits for the pods of ``deployment: v2``, and the file has that label."""
    world = World(my_nginx(replicas=2))
    file = to_file(my_nginx(image="nginx:1.9.1", labels={"deployment": "v2"}, selector=True), keep_name=True)
    error = refused(world, file, service("v2", deployment="v2"))
    assert 'Service "v2" selects the pods of my-nginx by deployment=v2' in error.message
    world.update(file.but(label_key="rollout"))
    after = world.assert_clean(NAME, "nginx:1.9.1", 3)
    assert after["spec"]["template"]["metadata"]["labels"]["deployment"] == "v2"


@pytest.mark.parametrize("selector", [True, False], ids=["selected by", "only on the pods"])
def test_another_key_whose_value_is_the_users(selector: bool) -> None:
    """It is never replaced, whoever selects by it."""
    manifest = my_nginx(labels={"tier": "front"}, selector=True)
    if not selector:
        del manifest["spec"]["selector"]["tier"]
        manifest["spec"]["template"]["metadata"]["labels"] = {"app": "nginx", "tier": "front"}
    error = refused(World(manifest), to_image(label_key="tier"))
    assert "tier=front" in error.message
    assert "--deployment-label-key=rollout" in (error.hint or "")


# --- the label of an earlier update ---


def exposed() -> tuple[World, str]:
    """``kubectl expose rc`` after an update: the Service selects as the controller does, by the hash, too."""
    world = World()
    world.update(to_image())
    selector = world.controller(NAME)["spec"]["selector"]
    world.sandbox.create(service(**selector))
    return world, selector["deployment"]


def test_a_service_was_made_of_an_updated_controller() -> None:
    """The way out takes the hash out of its selector; then the update goes through."""
    world, value = exposed()
    error = refused(world, to_image("nginx:1.9.2"))
    assert f"by deployment={value}, which the new pods would not have" in error.message
    patch = '{"spec":{"selector":{"deployment":null}}}'
    assert error.hint == (
        "let it select old and new pods, then run the command again: "
        f"kubectl patch service web --type=merge -p {patch}"
    )
    path = "/api/v1/namespaces/default/services/web"
    body = {"spec": {"selector": {"deployment": None}}}
    world.sandbox.request("PATCH", path, {}, body, content_type="application/merge-patch+json")
    world.update(to_image("nginx:1.9.2"))
    world.assert_clean(NAME, "nginx:1.9.2", 3)


def test_a_service_that_selects_by_the_hash_alone() -> None:
    """Without it nothing would be left to select by: what old and new pods have in common takes its place."""
    world, value = exposed()
    error = refused(world, to_image("nginx:1.9.2"), service("alone", deployment=value))
    assert '{"spec":{"selector":{"deployment":null,"app":"nginx"}}}' in (error.hint or "")


def test_an_undo_is_checked_as_well() -> None:
    """It changes the label like any other update."""
    world, _ = exposed()
    error = refused(world, asking(name=NAME, rollback=True, to_revision=0))
    assert 'Service "web"' in error.message


def test_a_file_has_other_labels() -> None:
    """A Service of one version loses its pods; one of the application does not."""
    world = World(my_nginx(labels={"version": "1"}, selector=True))
    world.sandbox.create(service("all", app="nginx"))
    file = to_file(my_nginx("next", labels={"version": "2"}, selector=True))
    error = refused(world, file, service("one", app="nginx", version="1"))
    assert error.message.startswith('Service "one" selects the pods of my-nginx by version=1')
    assert 'patch service one --type=merge -p {"spec":{"selector":{"version":null}}}' in (error.hint or "")


def test_the_diff_shows_a_label_that_changes() -> None:
    """One that was there before may be what others select by; one that this update puts there is not."""
    shown: list[Preview] = []
    for world in (World(), blue()):
        world.update(to_image(), review=shown.append)
        world.update(to_image("nginx:1.9.2"), review=shown.append)
    label = "metadata.labels.deployment"
    found = [label in differences(preview.before, preview.after) for preview in shown]
    assert found == [False, True, True, True]


# --- what names the controller ---


def test_an_autoscaler_of_the_old_name() -> None:
    """With a new name it would scale nothing any more."""
    error = refused(World(), to_image(new_name="next"), autoscaler(NAME))
    assert error.message == (
        'HorizontalPodAutoscaler "web" scales my-nginx, which this update deletes in the end; nothing was '
        "changed"
    )
    assert error.hint == (
        "end under the same name: the same command for my-nginx\n"
        "or have the new controller scaled from its first pod on: "
        "kubectl patch horizontalpodautoscaler web --type=merge "
        '-p {"spec":{"scaleTargetRef":{"name":"next"}}}'
    )


def test_an_autoscaler_and_a_file() -> None:
    """The file can end under the old name."""
    file = to_file(my_nginx("next", image="nginx:1.9.1", labels={"v": "2"}, selector=True))
    world = World(my_nginx(labels={"v": "1"}, selector=True))
    error = refused(world, file, autoscaler(NAME))
    assert "the same command with --keep-name" in (error.hint or "")
    world.update(file.but(keep_name=True))
    world.assert_clean(NAME, "nginx:1.9.1", 3)


@pytest.mark.parametrize("other", [autoscaler("next"), autoscaler(NAME, "Deployment")])
def test_an_autoscaler_of_something_else(other: Json) -> None:
    """It keeps what it has."""
    world = World()
    world.sandbox.create(other)
    world.update(to_image(new_name="next"))
    world.assert_clean("next", "nginx:1.9.1", 3)


# --- when nothing is looked at, or nothing seen ---


def test_an_update_in_progress_is_not_checked() -> None:
    """Neither its resumption nor its rollback: what was begun can be ended, either way."""
    for back in (True, False):
        world = World()
        with pytest.raises(Killed):
            world.update(to_image(new_name="next"), after=killed(6))
        world.sandbox.settle()
        world.sandbox.create(autoscaler(NAME))
        world.sandbox.create(service(**world.controller(NAME)["spec"]["selector"]))
        world.update(to_image(new_name="next", rollback=back))
        world.assert_clean(*((NAME, "nginx:1.7.9") if back else ("next", "nginx:1.9.1")), 3)


SECOND, THIRD = to_image(new_name="next"), to_image("nginx:1.11", new_name="third", supersede=True)


@pytest.mark.parametrize("first", [True, False], ids=["first-update", "second-update"])
def test_what_supersedes_an_update_is_checked(first: bool) -> None:
    """It is another update, which begins: also if the one in progress has only just labelled the pods."""
    world = World(my_nginx(labels={} if first else {"deployment": "v1"}, selector=True))
    with pytest.raises(Killed):
        world.update(SECOND, after=killed(9))
    world.sandbox.settle()
    error = refused(world, THIRD, service(**world.controller(NAME)["spec"]["selector"]), autoscaler(NAME))
    assert 'Service "web" selects the pods of my-nginx' in error.message
    assert 'HorizontalPodAutoscaler "web" scales my-nginx' in error.message


@pytest.mark.parametrize("writes", [1, 2, 3])
def test_what_has_begun_to_supersede_an_update_is_not_checked(writes: int) -> None:
    """It can be ended, either way, whatever else has been created since."""
    for back in (False, True):
        world = World(my_nginx(labels={"deployment": "v1"}, selector=True))
        for request, so_many in ((SECOND, 9), (THIRD, writes)):
            with pytest.raises(Killed):
                world.update(request, after=killed(so_many))
        world.sandbox.settle()
        world.sandbox.create(autoscaler(NAME))
        world.update(THIRD.but(rollback=back))
        world.assert_clean(*((NAME, "nginx:1.7.9") if back else ("third", "nginx:1.11")), 3)


class Limited(SandboxCluster):
    """Some lists are refused."""

    refuse: Callable[[str], None] = staticmethod(lambda _kind: None)

    def list_referring(self, kind: str) -> list[Json]:
        self.refuse(kind)
        return super().list_referring(kind)


def run_limited(world: World, refuse: Callable[[str], None], request: Asking) -> None:
    cluster = Limited(world.sandbox)
    cluster.refuse = refuse
    world.update_with(cluster, request)


def test_what_may_not_be_listed_is_left_out() -> None:
    """One warning, and the update goes on; what may be listed is looked at all the same."""

    def refuse(kind: str) -> None:
        if kind != "Service":
            raise ApiError(403, "Forbidden", f"cannot list {kind}")

    world = blue()
    run_limited(world, refuse, to_image())
    world.assert_clean(NAME, "nginx:1.9.1", 3)
    (told,) = (event for event in world.events if isinstance(event, ReferencesUnseen))
    assert told.kinds == ("PodDisruptionBudget", "NetworkPolicy")
    assert "cannot list PodDisruptionBudget" in told.problem
    selector = world.controller(NAME)["spec"]["selector"]
    world.sandbox.create(service(**selector))
    with pytest.raises(RefusedError):
        run_limited(world, refuse, to_image("nginx:1.9.2"))


def test_a_kind_that_the_server_does_not_have() -> None:
    """There is none of it."""

    def refuse(kind: str) -> None:
        if kind == "HorizontalPodAutoscaler":
            raise ApiError(404, "NotFound", "the server could not find the requested resource")

    world = World()
    run_limited(world, refuse, to_image(new_name="next"))
    world.assert_clean("next", "nginx:1.9.1", 3)
    assert not any(isinstance(event, ReferencesUnseen) for event in world.events)


def test_a_server_that_is_busy_is_asked_again() -> None:
    """As for any other look before the first write."""
    busy = {"Service": 2}

    def refuse(kind: str) -> None:
        if busy.get(kind, 0):
            busy[kind] -= 1
            raise ApiError(503, "ServiceUnavailable", "busy")

    world = blue()
    world.sandbox.create(service(app="nginx", deployment="blue"))
    with pytest.raises(RefusedError, match="Service"):
        run_limited(world, refuse, to_image())


@pytest.mark.parametrize(
    "broken", [{"selector": {"app": 1}}, {"selector": []}, {"podSelector": "x"}, {"scaleTargetRef": None}]
)
def test_a_malformed_object_is_passed_over(broken: Json) -> None:
    """Whatever the cluster answers."""

    class Broken(SandboxCluster):
        def list_referring(self, kind: str) -> list[Json]:
            return [{"kind": kind, "metadata": {"name": "x"}, "spec": broken}]

    world = World()
    world.update_with(Broken(world.sandbox), to_image(new_name="next"))
    world.assert_clean("next", "nginx:1.9.1", 3)
