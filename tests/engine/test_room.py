"""Room and budgets, before the first write: quotas, ranges, one pod that the server is shown, disruptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollupdate.core.model.budget import Amount, Budget
from rollupdate.engine.dry_run import DryRunClock, DryRunCluster
from rollupdate.engine.update import Update
from rollupdate.errors import ApiError, RefusedError, UnreachableError
from rollupdate.events import BudgetBroken, Created, Event, NoRoom, PodRefused, Shortage, Waiting
from rollupdate.objects import Json
from rollupdate.rights import CREATE_PODS
from testing.sandbox import DEFAULT_RULES, Behaviour, KubeletConfig, Rule
from tests.engine.inprocess import Killed, SandboxCluster, killed
from tests.engine.world import NAME, World, patched, to_file, to_image
from tests.support.asking import Asking, asking
from tests.support.manifests import asking_for, limit_range, my_nginx, other_pod, quota

HALF = {"memory": "512Mi"}
NO_SURGE = Budget(Amount(0), Amount(1))


def world_of(*objects: Json, manifest: Json | None = None) -> World:
    """Three pods of 512Mi each, and what else is in the namespace."""
    world = World(manifest or asking_for(my_nginx(), requests=HALF))
    for obj in objects:
        world.sandbox.create(obj)
    world.sandbox.settle()
    return world


def other_goes(world: World) -> None:
    world.sandbox.delete("pods", "default", "other")


def told(world: World, kind: type[Event]) -> list[Event]:
    """Before anything was written."""
    names = [type(event) for event in world.events]
    created = names.index(Created) if Created in names else len(names)
    assert kind not in names[created:]
    return [event for event in world.events if isinstance(event, kind)]


def refused(world: World, request: Asking, cluster: SandboxCluster | None = None) -> RefusedError:
    """And nothing was written."""
    before = world.controllers(), world.sandbox.pods()
    with pytest.raises(RefusedError) as caught:
        world.update_with(cluster or SandboxCluster(world.sandbox), request)
    assert (world.controllers(), world.sandbox.pods()) == before
    return caught.value


def without_pods(world: World) -> SandboxCluster:
    """An account that may create no pods, as most that update."""
    return SandboxCluster(world.sandbox, denied=frozenset({CREATE_PODS}))


# --- quotas ---


def test_a_quota_that_is_exactly_full() -> None:
    """Others hold a part of it: it is told what does not fit, and the update waits for them."""
    world = world_of(quota({"requests.memory": "2Gi"}, "mem"), other_pod(requests=HALF))
    world.sandbox.clock.schedule(100, lambda: other_goes(world))
    world.update_with(without_pods(world), to_image(on_failure="wait"))
    (short,) = told(world, NoRoom)
    assert isinstance(short, NoRoom)
    assert short.shortages == (Shortage("mem", "requests.memory", "512Mi", "0", "2Gi"),)
    assert short.waits
    assert any(isinstance(event, Waiting) for event in world.events)
    world.assert_clean(NAME, "nginx:1.9.1", 3)


def test_the_flags_that_need_no_room() -> None:
    """Nothing is told, and nothing is waited for."""
    world = world_of(quota({"requests.memory": "2Gi", "pods": "4"}, "mem"), other_pod(requests=HALF))
    world.update(to_image(budget=NO_SURGE))
    assert not [event for event in world.events if isinstance(event, (NoRoom, PodRefused, Waiting))]
    other_goes(world)
    world.assert_clean(NAME, "nginx:1.9.1", 3)


def test_room_for_one() -> None:
    """A surge of one fits; of a surge of three one pod does, and the update goes on with it."""
    world = world_of(quota({"pods": "4"}))
    world.update(to_image())
    assert not told(world, NoRoom)
    world.events.clear()
    world.update(to_image("nginx:1.9.2", budget=Budget(Amount(3), Amount(0))))
    (short,) = told(world, NoRoom)
    assert isinstance(short, NoRoom)
    assert (short.surge, short.waits) == (3, False)
    assert short.shortages == (Shortage("few", "pods", "3", "1", "4"),)
    world.assert_clean(NAME, "nginx:1.9.2", 3)


def test_what_its_own_pods_fill() -> None:
    """There are no others to free it: it is refused, with the flags that need no room."""
    world = world_of(quota({"pods": "3"}))
    error = refused(world, to_image())
    assert error.message == (
        'the update of my-nginx needs at least 4 pods, but ResourceQuota "few" allows 3; nothing was changed'
    )
    assert str(error.hint).endswith("the same command with --max-surge=0 --max-unavailable=1")
    world.update(to_image(budget=NO_SURGE))
    world.assert_clean(NAME, "nginx:1.9.1", 3)


def test_what_its_own_pods_fill_of_a_quota_for_such_pods() -> None:
    """A pod that asks for nothing is best effort, unless a LimitRange has it ask for something."""
    for ranges in ((), (limit_range(max={"memory": "1Gi"}, defaultRequest={"ephemeral-storage": "1Gi"}),)):
        world = world_of(*ranges, quota({"pods": "3"}, scopes=["BestEffort"]), manifest=my_nginx())
        for cluster in (without_pods(world), SandboxCluster(world.sandbox)):
            assert "needs at least 4 pods" in refused(world, to_image(), cluster).message


def test_a_limit_range_that_is_newer_than_the_old_pods() -> None:
    """They hold nothing of what the new ones need, three of them at once in the end."""
    world = world_of(quota({"limits.memory": "2Gi"}, "mem"), manifest=my_nginx())
    world.sandbox.create(limit_range(default={"memory": "1Gi"}, defaultRequest={"memory": "1Gi"}))
    world.sandbox.settle()
    for cluster in (without_pods(world), SandboxCluster(world.sandbox)):
        error = refused(world, to_image(), cluster)
        assert "needs at least 3Gi of limits.memory" in error.message


@pytest.mark.parametrize("first", [True, False], ids=["first-update", "second-update"])
def test_what_supersedes_an_update(first: bool) -> None:
    """The pods of both go: without a surge no room is needed, and that is what is advised."""
    labels = {} if first else {"deployment": "v1"}
    world = world_of(manifest=asking_for(my_nginx(labels=labels, selector=True), requests=HALF))
    with pytest.raises(Killed):
        world.update(to_image(), after=killed(11 if first else 6))
    world.sandbox.settle()
    assert {each["spec"]["replicas"] for each in world.controllers().values()} == {1, 2}
    world.sandbox.create(quota({"pods": "3", "requests.memory": "1536Mi"}))
    world.sandbox.settle()
    third = to_image("nginx:1.11", supersede=True)
    assert str(refused(world, third).hint).endswith("with --max-surge=0 --max-unavailable=1")
    world.events.clear()
    world.update(third.but(budget=NO_SURGE))
    assert not told(world, NoRoom)
    world.assert_clean(NAME, "nginx:1.11", 3)


@pytest.mark.parametrize("scope", [{}, {"scopes": ["BestEffort"]}])
def test_a_controller_without_pods(scope: Json) -> None:
    """Its update makes none, so it is told of nothing that is full, nor of a budget."""
    world = world_of(
        quota({"pods": "1"}, **scope),
        limit_range(max={"memory": "1Gi"}),
        other_pod(),
        guard(minAvailable=1),
        manifest=my_nginx(replicas=0),
    )
    world.update(to_image())
    assert not [event for event in world.events if isinstance(event, (NoRoom, PodRefused, BudgetBroken))]
    world.sandbox.delete("pods", "default", "other")
    world.assert_clean(NAME, "nginx:1.9.1", 0)


def test_a_pod_that_no_quota_would_hold() -> None:
    world = world_of(quota({"requests.memory": "2Gi"}, "mem"))
    error = refused(world, patched({"resources": {"requests": {"memory": "3Gi"}}}))
    assert error.message.startswith("a new pod of my-nginx needs 3Gi of requests.memory, but")
    assert "kubectl edit resourcequota mem" in str(error.hint)


def test_a_larger_pod_in_the_place_of_an_old_one() -> None:
    """It has to fit into what the old one leaves; the flags that need no room do not help."""
    larger = patched({"resources": {"requests": {"memory": "1Gi"}}}, budget=NO_SURGE)
    world = world_of(quota({"requests.memory": "2Gi"}, "mem"))
    assert "needs at least 3Gi of requests.memory" in refused(world, larger).message
    world = world_of(quota({"requests.memory": "3Gi"}, "mem"), other_pod(requests=HALF))
    world.sandbox.clock.schedule(100, lambda: other_goes(world))
    world.update(larger.but(on_failure="wait"))
    (short,) = told(world, NoRoom)
    assert isinstance(short, NoRoom)
    assert short.surge == 0
    assert short.shortages == (Shortage("mem", "requests.memory", "1536Mi", "1Gi", "3Gi"),)
    world.assert_clean(NAME, "nginx:1.7.9", 3)


def test_what_a_limit_range_adds() -> None:
    """The template asks for nothing; each container gets 1Gi."""
    ranged = limit_range(default={"memory": "1Gi"}, defaultRequest={"memory": "1Gi"})
    world = world_of(ranged, quota({"limits.memory": "5Gi"}, "mem"), manifest=my_nginx(replicas=1))
    world.sandbox.create(other_pod(requests={"memory": "4Gi"}, limits={"memory": "4Gi"}))
    world.sandbox.settle()
    world.sandbox.patch("replicationcontrollers", "default", NAME, {"spec": {"replicas": 2}})
    world.sandbox.settle()
    for cluster in (without_pods(world), SandboxCluster(world.sandbox)):
        world.events.clear()
        with pytest.raises(Killed):
            cluster.before = killed(1)
            world.update_with(cluster, to_image())
        (short,) = told(world, NoRoom)
        assert isinstance(short, NoRoom)
        assert short.shortages[0].needed == "1Gi"


@pytest.mark.parametrize(
    ("scopes", "short"), [(["BestEffort"], False), (["NotBestEffort"], True), (["Terminating"], False)]
)
def test_scoped_quotas(scopes: list[str], short: bool) -> None:
    """Only what counts these pods."""
    few = quota({"pods": "4"}, scopes=scopes)
    others = [other_pod(f"other-{number}", requests=HALF) for number in range(1 if short else 0)]
    world = world_of(few, *others, other_pod("idle"))
    with pytest.raises(Killed):
        world.update(to_image(), before=killed(1))
    assert bool(told(world, NoRoom)) is short


def test_a_quota_of_one_priority_class() -> None:
    manifest = asking_for(my_nginx(), requests=HALF)
    manifest["spec"]["template"]["spec"]["priorityClassName"] = "system-node-critical"
    terms = [{"scopeName": "PriorityClass", "operator": "In", "values": ["system-node-critical"]}]
    scoped = quota({"pods": "3"}, scopeSelector={"matchExpressions": terms})
    assert 'ResourceQuota "few" allows 3' in refused(world_of(scoped, manifest=manifest), to_image()).message
    world = world_of(scoped)
    world.update_with(without_pods(world), to_image())
    world.assert_clean(NAME, "nginx:1.9.1", 3)


def test_a_quota_that_the_server_names() -> None:
    """Whether a pod without a class has one in the end only the server knows."""
    terms = [{"scopeName": "PriorityClass", "operator": "DoesNotExist"}]
    scope: dict[str, Any] = {"scopeSelector": {"matchExpressions": terms}}
    error = refused(world_of(quota({"pods": "3"}, **scope)), to_image())
    assert 'ResourceQuota "few" allows 3' in error.message
    assert "--max-surge=0 --max-unavailable=1" in str(error.hint)
    world = world_of(quota({"pods": "4"}, **scope), other_pod())
    with pytest.raises(Killed):
        world.update(to_image(), before=killed(1))
    (short,) = told(world, NoRoom)
    assert isinstance(short, NoRoom)
    assert "--max-surge=0 --max-unavailable=1" in str(short.hint)
    assert not told(world, PodRefused)


def test_a_file_of_another_size() -> None:
    """What it needs in the end is told as well."""
    old = asking_for(my_nginx(labels={"v": "1"}, selector=True), requests=HALF)
    world = world_of(quota({"pods": "6"}), other_pod(), manifest=old)
    file = asking_for(
        my_nginx("next", image="nginx:1.9.1", replicas=6, labels={"v": "2"}, selector=True), requests=HALF
    )
    with pytest.raises(Killed):
        world.update(to_file(file), before=killed(1))
    (short,) = told(world, NoRoom)
    assert isinstance(short, NoRoom)
    assert short.shortages == (Shortage("few", "pods", "3", "2", "6"),)
    file["spec"]["replicas"] = 7
    assert "needs at least 7 pods" in refused(world, to_file(file)).message


def test_an_update_in_progress_is_not_checked() -> None:
    """It is resumed, and rolled back, as before."""
    for back in (False, True):
        world = world_of(other_pod())
        with pytest.raises(Killed):
            world.update(to_image(), after=killed(9))
        world.sandbox.settle()
        world.events.clear()
        world.sandbox.create(quota({"pods": "5"}))
        world.sandbox.settle()
        world.update(to_image(rollback=back))
        assert not [event for event in world.events if isinstance(event, (NoRoom, PodRefused))]


# --- without the rights ---


class Unseen(SandboxCluster):
    """Some lists are refused."""

    refuse: Callable[[str], None] = staticmethod(lambda _kind: None)

    def list_referring(self, kind: str) -> list[Json]:
        self.refuse(kind)
        return super().list_referring(kind)


@pytest.mark.parametrize("unseen", ["ResourceQuota", "LimitRange"])
def test_lists_that_are_refused(unseen: str) -> None:
    """Without quotas nothing is told; without ranges what the template says itself is looked at."""

    def refuse(kind: str) -> None:
        if kind == unseen:
            raise ApiError(403, "Forbidden", f"cannot list {kind}")

    world = world_of(quota({"pods": "3"}))
    cluster = Unseen(world.sandbox, denied=frozenset({CREATE_PODS}))
    cluster.refuse = refuse
    cluster.before = killed(1)
    if unseen == "LimitRange":
        assert "needs at least 4 pods" in refused(world, to_image(), cluster).message
    else:
        with pytest.raises(Killed):
            world.update_with(cluster, to_image())
        assert not [event for event in world.events if isinstance(event, (NoRoom, PodRefused))]


@pytest.mark.parametrize("answer", [403, 404])
def test_a_server_that_does_not_review_access(answer: int) -> None:
    """No pod is shown to it."""
    world = World()
    cluster = SandboxCluster(world.sandbox, reviews=ApiError(answer, "", "no"))
    world.update_with(cluster, to_image())
    assert "POST pods" not in cluster.requests
    world.assert_clean(NAME, "nginx:1.9.1", 3)


def test_an_account_that_may_not_create_pods_never_tries() -> None:
    world = World()
    cluster = world.update_with(without_pods(world), to_image())
    assert "POST pods" not in cluster.requests
    cluster = world.update(to_image("nginx:1.9.2"))
    assert cluster.requests.count("POST pods") == cluster.dry_runs.count("POST pods") == 1


# --- what the server says of one pod ---


def test_a_limit_range_that_allows_no_such_pod() -> None:
    """Before anything is written."""
    world = world_of(limit_range(max={"memory": "1Gi"}))
    error = refused(world, patched({"resources": {"limits": {"memory": "2Gi"}}}))
    assert error.message == (
        "a new pod of my-nginx is refused: maximum memory usage per Container is 1Gi, but limit is 2Gi; "
        "nothing was changed"
    )
    assert str(error.hint) == "see what is allowed: kubectl describe limitrange"


def test_a_quota_that_asks_for_requests() -> None:
    world = world_of(quota({"requests.cpu": "4"}))
    error = refused(world, to_image())
    assert "is refused: failed quota: few: must specify requests.cpu" in error.message
    assert str(error.hint) == "see what it asks: kubectl describe resourcequota"


def test_a_class_that_does_not_exist() -> None:
    manifest = my_nginx("next", image="nginx:1.9.1", labels={"v": "2"}, selector=True)
    manifest["spec"]["template"]["spec"]["priorityClassName"] = "important"
    error = refused(World(my_nginx(labels={"v": "1"}, selector=True)), to_file(manifest))
    assert "no PriorityClass with name important was found" in error.message


def test_what_others_may_allow() -> None:
    """It is told, and the update goes on."""
    world = World()
    rules = (Rule("nginx:1.9.1", Behaviour.REFUSED), *DEFAULT_RULES)
    world.sandbox.kubelet.config = KubeletConfig(rules=rules)

    def allow() -> None:
        world.sandbox.kubelet.config = KubeletConfig()

    world.sandbox.clock.schedule(5, allow)
    world.update(to_image(on_failure="wait"))
    (said,) = told(world, PodRefused)
    assert isinstance(said, PodRefused)
    assert said.problem.endswith('denied the request: image "nginx:1.9.1" is not allowed')
    world.assert_clean(NAME, "nginx:1.9.1", 3)


def test_a_quota_that_may_not_be_read() -> None:
    """The server's words tell of it; not if no pod is made before another one goes."""

    def refuse(kind: str) -> None:
        if kind == "ResourceQuota":
            raise ApiError(403, "Forbidden", f"cannot list {kind}")

    for request, told_of in ((to_image(), 1), (to_image(budget=NO_SURGE), 0)):
        world = world_of(quota({"pods": "3"}))
        cluster = Unseen(world.sandbox)
        cluster.refuse = refuse
        cluster.before = killed(1)
        with pytest.raises(Killed):
            world.update_with(cluster, request)
        assert len(told(world, PodRefused)) == told_of


class Admitting(SandboxCluster):
    """The server adds something to each pod, or does not answer."""

    answer: Callable[[Json], Json] = staticmethod(lambda pod: pod)

    def admit_pod(self, manifest: Json) -> Json:
        return self.answer(super().admit_pod(manifest))


def test_what_a_webhook_adds() -> None:
    """It is seen in the pod that the server was shown: here a sidecar."""

    def with_sidecar(pod: Json) -> Json:
        pod["spec"]["containers"].append({"name": "proxy", "resources": {"requests": {"memory": "1Gi"}}})
        return pod

    for answer, needed in ((with_sidecar, "1536Mi"), (lambda pod: pod, None)):
        world = world_of(quota({"requests.memory": "9Gi"}, "mem"), other_pod(requests={"memory": "6656Mi"}))
        cluster = Admitting(world.sandbox)
        cluster.answer = answer
        cluster.before = killed(1)
        with pytest.raises(Killed):
            world.update_with(cluster, to_image())
        found = [event.shortages[0].needed for event in world.events if isinstance(event, NoRoom)]
        assert found == ([] if needed is None else [needed])


@pytest.mark.parametrize("answer", [{}, {"spec": None}, {"spec": {"containers": "none"}}, None])
def test_an_answer_that_cannot_be_used(answer: Json | None) -> None:
    """Or none at all: the update goes on."""

    def answered(_pod: Json) -> Json:
        if answer is None:
            raise UnreachableError("no answer")
        return answer

    world = world_of(quota({"pods": "9"}))
    cluster = Admitting(world.sandbox)
    cluster.answer = answered
    world.update_with(cluster, to_image())
    world.assert_clean(NAME, "nginx:1.9.1", 3)


# --- a dry run ---


@pytest.mark.parametrize("server", [False, True], ids=["client", "server"])
def test_a_dry_run(server: bool) -> None:
    """The same is told; only one on the server shows it a pod."""
    ask = to_image()
    for objects, refuses in (((quota({"pods": "4"}), other_pod()), False), ((quota({"pods": "3"}),), True)):
        world, events = world_of(*objects), list[Event]()
        real, clock = SandboxCluster(world.sandbox), DryRunClock()
        run = Update(DryRunCluster(real, clock, server=server), clock, ask.intent, ask.policy, events.append)
        if refuses:
            with pytest.raises(RefusedError):
                run.run()
        else:
            run.run().checked()
            assert any(isinstance(event, NoRoom) for event in events)
        assert ("POST pods" in real.requests) is server
        assert real.writes == 0


def test_a_dry_run_of_a_template_without_a_specification() -> None:
    """What the server would say of it is not known to the client alone, and what it counts for neither."""
    file = my_nginx("next", labels={"v": "2"}, selector=True)
    del file["spec"]["template"]["spec"]
    world = world_of(quota({"pods": "3"}), manifest=my_nginx(labels={"v": "1"}, selector=True))
    clock, ask = DryRunClock(), to_file(file)
    cluster = DryRunCluster(SandboxCluster(world.sandbox), clock, server=False)
    Update(cluster, clock, ask.intent, ask.policy, world.events.append).run().checked()
    assert not [event for event in world.events if isinstance(event, NoRoom)]


# --- disruption budgets ---


def guard(**spec: object) -> Json:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "guard"},
        "spec": {"selector": {"matchLabels": {"app": "nginx"}}, **spec},
    }


@pytest.mark.parametrize(
    ("budget", "asked", "kept", "hint"),
    [
        (guard(minAvailable=3), 3, 2, "--max-unavailable=0"),
        (guard(minAvailable="75%"), 3, 2, "--max-unavailable=0"),
        (guard(maxUnavailable=1), 3, 2, "--max-unavailable=0"),
        (guard(minAvailable=4), 4, 2, "--max-unavailable=0 --max-surge=2"),
        (guard(minAvailable=5), 5, 2, "--max-unavailable=0 --max-surge=3"),
        (guard(minAvailable="100%"), 4, 2, "--max-unavailable=0"),
        (guard(maxUnavailable=0), 4, 2, "--max-unavailable=0"),
    ],
)
def test_a_budget_is_told_before_the_first_write(budget: Json, asked: int, kept: int, hint: str) -> None:
    """With the flag that would do; the update goes on."""
    world = world_of(budget)
    world.update(to_image(budget=Budget(Amount(1), Amount(1))))
    (broken,) = told(world, BudgetBroken)
    assert isinstance(broken, BudgetBroken)
    assert (broken.asked, broken.floor) == (asked, kept)
    assert str(broken.hint).endswith(f"the same command with {hint}")
    world.assert_clean(NAME, "nginx:1.9.1", 3)


def test_a_budget_beside_a_rollback() -> None:
    """And beside an update that is resumed: it is told once the plan is."""
    for back in (False, True):
        world = world_of()
        with pytest.raises(Killed):
            world.update(to_image(), after=killed(9))
        world.sandbox.create(guard(minAvailable=3))
        world.sandbox.settle()
        world.update(to_image(rollback=back, budget=Budget(Amount(1), Amount(1))))
        (broken,) = (event for event in world.events if isinstance(event, BudgetBroken))
        assert (broken.asked, broken.floor) == (3, 2)


def test_a_budget_is_told_of_whatever_the_flags() -> None:
    """The same when an update begins, when it is resumed, and when it is rolled back."""
    for back in (None, False, True):
        world, asked = world_of(), Budget(Amount(3), Amount(0))
        if back is not None:
            with pytest.raises(Killed):
                world.update(to_image(budget=asked), after=killed(9))
        world.sandbox.create(guard(maxUnavailable=1))
        world.sandbox.settle()
        world.update(to_image(rollback=bool(back), budget=asked))
        (broken,) = (event for event in world.events if isinstance(event, BudgetBroken))
        assert (broken.asked, broken.floor) == (5, 3)
        assert str(broken.hint) == "to keep them: the same command with --max-surge=1"


def test_an_undo_is_an_update() -> None:
    """It needs room like any other."""
    world = world_of()
    world.update(to_image())
    world.sandbox.create(quota({"pods": "3"}))
    world.sandbox.settle()
    refused(world, asking(name=NAME, rollback=True, to_revision=0, history_limit=10))
