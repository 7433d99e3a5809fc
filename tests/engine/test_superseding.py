"""A third version while the second is under way: the two older ones go together, within floor and ceiling."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollupdate.core.model import record
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.errors import ApiError, InProgressError, RefusedError, RollingUpdateError, StoppedError
from rollupdate.events import SupersededGone, Superseding
from testing.sandbox import KubeletConfig, ManagerConfig
from tests.engine.inprocess import Killed, killed
from tests.engine.test_kills import BEFORE
from tests.engine.world import NAME, World, to_file, to_image
from tests.support.asking import Asking
from tests.support.effort import examples, some
from tests.support.manifests import my_nginx, my_nginx_v4

OLD, SECOND, THIRD = "nginx:1.7.9", "nginx:1.9.1", "nginx:1.11"
TARGETS = [SECOND, THIRD, "nginx:1.13", ""]
"""Images; the last one stands for a rollback."""


def third(**more: object) -> Asking:
    return to_image(THIRD, supersede=True, **more)


def begun(replicas: int = 3, *, writes: int, bare: bool = False, to: str = SECOND) -> World:
    """The update to the second version was killed after so many writes."""
    labels = {} if bare else {"deployment": "v1"}
    world = World(my_nginx(replicas=replicas, labels=labels, selector=True))
    with pytest.raises(Killed):
        world.update(to_image(to), after=killed(writes))
    return world


def image_of(controller: dict[str, object]) -> str:
    return str(controller["spec"]["template"]["spec"]["containers"][0]["image"])  # type: ignore[index]


@pytest.mark.parametrize("writes", range(1, 8))
def test_at_any_moment_of_the_update_in_progress(writes: int) -> None:
    """Only the third version is left, and nothing that tells of the second."""
    world = begun(writes=writes)
    world.update(third())
    world.assert_clean(NAME, THIRD, 3)
    assert world.least_available == 3
    assert world.most_pods == 4
    assert [each for each in world.events if isinstance(each, Superseding)]
    assert [each for each in world.events if isinstance(each, SupersededGone)]


def test_without_the_flag_it_is_refused_in_the_documented_words() -> None:
    """Nothing is changed for it."""
    world = begun(writes=4)
    before = world.controllers()
    with pytest.raises(InProgressError) as caught:
        world.update(to_image(THIRD))
    assert caught.value.message.startswith(f"Found existing in-progress update to image ({SECOND}).")
    assert world.controllers() == before


def test_pods_that_never_got_ready_do_not_hold_it_up() -> None:
    """The usual reason: the second version does not work. Its pods go first."""
    world = World(my_nginx(replicas=3))
    with pytest.raises(StoppedError):
        world.update(to_image("nginx:missing", timeout=20.0))
    world.update(third())
    world.assert_clean(NAME, THIRD, 3)
    assert world.least_available == 3
    assert world.most_pods == 4


def test_a_file_takes_the_place_of_an_image_and_the_other_way_round() -> None:
    """The new name of the file is the one that is left; an image update keeps the old one."""
    world = begun(writes=4)
    manifest = my_nginx_v4(2)
    world.update(to_file(manifest, supersede=True))
    world.assert_clean("my-nginx-v4", image_of(manifest), 2)

    world = World(my_nginx(replicas=3, labels={"deployment": "v1"}, selector=True))
    with pytest.raises(Killed):
        world.update(to_file(manifest), after=killed(3))
    world.update(third())
    world.assert_clean(NAME, THIRD, 3)


def test_a_file_that_selects_the_pods_of_the_second_is_refused() -> None:
    """Two controllers must never select the same pods."""
    world = World(my_nginx(replicas=3, labels={"deployment": "v1"}, selector=True))
    first, second = my_nginx_v4(3), my_nginx_v4(3)
    second["metadata"]["name"] = "another"
    second["spec"]["template"]["spec"]["containers"][0]["image"] = THIRD
    with pytest.raises(Killed):
        world.update(to_file(first), after=killed(3))
    with pytest.raises(RefusedError, match="matching key with non-equal value in Selector for my-nginx-v4"):
        world.update(to_file(second, supersede=True))


def test_in_the_finish_it_is_too_late() -> None:
    """The pods change owners: that update is to be finished first, and says so."""
    world = begun(writes=10)
    assert any(
        record.TRANSFER in (each["metadata"].get("annotations") or {})
        for each in world.controllers().values()
    )
    with pytest.raises(RefusedError, match="is finishing and cannot be superseded"):
        world.update(third())
    world.update(to_image())
    world.update(third())
    world.assert_clean(NAME, THIRD, 3)


def test_superseded_twice_and_back_to_the_second() -> None:
    """2, then 3, then 4, then 2 again: the last one asked for is what is left."""
    world = begun(writes=4)
    with pytest.raises(Killed):
        world.update(third(), after=killed(5))
    with pytest.raises(Killed):
        world.update(to_image("nginx:1.13", supersede=True), after=killed(5))
    world.update(to_image(SECOND, supersede=True))
    world.assert_clean(NAME, SECOND, 3)
    assert world.least_available == 3
    assert world.most_pods == 4


def test_the_client_of_the_second_stops() -> None:
    """It is told that another update has taken its place; status 3, and no write of it does any harm."""
    world = World(my_nginx(replicas=4, labels={"deployment": "v1"}, selector=True))
    stopped: list[RollingUpdateError] = []

    def third_comes(count: int) -> None:
        if count == 4:
            world.update(third())

    try:
        world.update(to_image(), before=third_comes)
    except RollingUpdateError as error:
        stopped.append(error)
    assert stopped
    world.assert_clean(NAME, THIRD, 4)
    assert world.least_available == 4
    assert world.most_pods == 5


@pytest.mark.parametrize("half", range(1, 12))
def test_the_client_of_the_second_goes_on_in_the_middle(half: int) -> None:
    """The third is begun, and stopped after that write, while the second waits to write: the second stops."""
    world = World(my_nginx(replicas=4, labels={"deployment": "v1"}, selector=True))
    came = False

    def third_comes(count: int) -> None:
        nonlocal came
        if count == 5 and not came:
            came = True
            with pytest.raises(Killed):
                world.update(third(), after=killed(half))

    with pytest.raises(StoppedError):
        world.update(to_image(), before=third_comes)
    assert came
    world.update(third())
    world.assert_clean(NAME, THIRD, 4)
    assert world.least_available == 4
    assert world.most_pods == 5


def test_what_others_have_scaled_meanwhile_is_kept() -> None:
    """Somebody asked for two pods more in the middle of the second update: the third goes there."""
    world = begun(writes=4)
    (second,) = set(world.controllers()) - {NAME}
    size = world.controller(second)["spec"]["replicas"]
    with pytest.raises(Killed):
        world.update(to_image(), before=lambda count: scale_then_die(world, count, NAME, 5))
    assert size <= 3
    world.update(third())
    controller = world.assert_clean(NAME, THIRD, world.controllers()[NAME]["spec"]["replicas"])
    assert controller["spec"]["replicas"] > 3


def scale_then_die(world: World, count: int, name: str, replicas: int) -> None:
    if count == 1:
        world.sandbox.patch("ReplicationController", "default", name, {"spec": {"replicas": replicas}})
    if count == 3:
        raise Killed


def run_killed(world: World, request: Asking, write: int, *, before: bool) -> bool:
    try:
        world.update(request, **({"before": killed(write)} if before else {"after": killed(write)}))  # type: ignore[arg-type]
    except Killed:
        return True
    return False


@pytest.mark.parametrize("bare", [True, False], ids=["first-update", "second-update"])
@BEFORE
def test_killed_at_every_write_and_continued(before: bool, bare: bool) -> None:
    """With or without --supersede: what was begun is continued."""
    write = 1
    while True:
        world = begun(2, writes=7 if bare else 4, bare=bare)
        if not run_killed(world, third(), write, before=before):
            break
        try:
            world.update(third().but(supersede=write == 1 or write % 2 == 0))
        except RefusedError as error:
            assert "must be provided when --image is the same" in error.message
        world.assert_clean(NAME, THIRD, 2)
        assert world.least_available == 2
        assert world.most_pods <= 3
        write += examples(5, 1) if before else 1
    assert write > 10


@pytest.mark.parametrize("bare", [True, False], ids=["first-update", "second-update"])
@BEFORE
def test_killed_at_every_write_and_rolled_back(before: bool, bare: bool) -> None:
    """Back to the first version, whether the third had come to be or not."""
    write = 1
    while True:
        world = begun(2, writes=7 if bare else 4, bare=bare)
        if not run_killed(world, third(), write, before=before):
            break
        try:
            world.update(third(rollback=True))
        except RefusedError as error:
            assert "to rollback" in error.message
            if len(world.controllers()) > 1:  # it had not begun: another update is in progress
                world.update(to_image(SECOND, rollback=True))
                world.assert_clean(NAME, OLD, 2)
            else:
                world.assert_clean(NAME, THIRD, 2)
        else:
            after = world.assert_clean(NAME, OLD, 2)
            assert after["spec"] == world.before["spec"]
            assert after["metadata"]["uid"] == world.before["metadata"]["uid"]
        assert world.least_available == 2
        assert world.most_pods <= 3
        write += examples(5, 1) if before else 1
    assert write > 10


@pytest.mark.sweep
@pytest.mark.parametrize("second_kill", range(1, 9))
def test_killed_twice(second_kill: int) -> None:
    """The resume is killed as well, in either direction; the last command given comes to its end."""
    for write in some(range(1, 14), 3):
        for turned in (False, True):
            world = begun(2, writes=4)
            if not run_killed(world, third(), write, before=False):
                continue
            try:
                run_killed(world, third(rollback=turned), second_kill, before=second_kill % 2 == 0)
                world.update(third())
            except (RefusedError, ApiError):
                pass  # it had come to its end
            found = image_of(world.controllers()[NAME])
            world.assert_clean(NAME, found, 2)
            assert found == (OLD if turned and found == OLD else THIRD)
            assert world.least_available == 2
            assert world.most_pods <= 3


@pytest.mark.parametrize("replicas", [0, 2])
@pytest.mark.parametrize("back", range(1, 7))
def test_a_rollback_of_an_update_that_was_to_be_superseded_is_turned_round(replicas: int, back: int) -> None:
    """The newer update never created its controller; the rollback of the earlier one is killed after each of
    its first writes; the earlier update, given again, comes to its end."""
    world = World(my_nginx(replicas=replicas, labels={"deployment": "v1"}, selector=True))
    assert run_killed(world, to_image(SECOND), 1, before=False)
    assert run_killed(world, third(), 1, before=False)
    run_killed(world, to_image(SECOND, rollback=True), back, before=False)
    world.update(to_image(SECOND, supersede=True))
    world.assert_clean(NAME, SECOND, replicas)


@pytest.mark.parametrize("replicas", [0, 2])
@pytest.mark.parametrize("back", range(1, 7))
@pytest.mark.parametrize("write", [1, 2])
def test_a_rollback_goes_on_though_a_newer_update_had_marked_it(replicas: int, back: int, write: int) -> None:
    """The rollback is killed, then the newer update after its first writes; the rollback, given again, comes
    to its end and leaves nothing of either update."""
    world = World(my_nginx(replicas=replicas, labels={"deployment": "v1"}, selector=True))
    assert run_killed(world, to_image(SECOND), 1, before=False)
    if not run_killed(world, to_image(SECOND, rollback=True), back, before=False):
        return  # it has no such write
    try:
        run_killed(world, third(), write, before=False)
        world.update(to_image(SECOND, rollback=True))
    except RefusedError as error:
        assert "to rollback" in error.message or "is finishing" in error.message
        # Where the rollback had come to its end the newer update is one like any other.
        anew = "another update is in progress" in str(error.hint)
        world.update(third(rollback=True) if anew else to_image(SECOND, rollback=True))
    world.assert_clean(NAME, OLD, replicas)


latencies = st.tuples(st.floats(0.001, 0.5), st.floats(0.0, 1.0)).map(lambda pair: (pair[0], sum(pair)))


@pytest.mark.sweep
@settings(max_examples=examples(gate=40, long=2000))
@given(
    replicas=st.integers(0, 6),
    budget=st.builds(Budget, st.integers(0, 3).map(Amount), st.integers(0, 3).map(Amount)),
    first=st.integers(1, 14),
    kills=st.lists(
        st.tuples(st.integers(1, 14), st.booleans(), st.sampled_from(TARGETS)),
        max_size=4,
    ),
    kubelet=st.builds(KubeletConfig, ready_after=latencies, terminate_after=latencies),
    manager=st.builds(ManagerConfig, latency=latencies, status_latency=latencies),
    bare=st.booleans(),
)
def test_promises_hold_whatever_is_asked_for_in_between(
    replicas: int,
    budget: Budget,
    first: int,
    kills: list[tuple[int, bool, str]],
    kubelet: KubeletConfig,
    manager: ManagerConfig,
    bare: bool,
) -> None:
    """Any number of targets and ways back, each killed anywhere: floor and ceiling at every moment, and the
    last one comes to its end."""
    labels = {} if bare else {"deployment": "v1"}
    world = World(my_nginx(replicas=replicas, labels=labels, selector=True), kubelet=kubelet, manager=manager)
    more = {"budget": budget, "timeout": 3600.0, "supersede": True}
    for write, before, image in [(first, False, SECOND), *kills]:
        request = to_image(image or SECOND, rollback=not image, **more)
        try:
            run_killed(world, request, write, before=before)
        except RefusedError:
            pass  # in its finish, or nothing to do
        except ApiError as error:
            assert error.is_not_found
    last = to_image(THIRD, **more)
    for _ in range(2):
        try:
            world.update(last)
        except RefusedError as error:
            if "is finishing" in error.message:
                unfinished = next(each for name, each in world.controllers().items() if name != NAME)
                world.update(to_image(image_of(unfinished), **more))
                continue
            assert "must be provided when --image is the same" in error.message
            if len(world.controllers()) > 1:  # it is what there was before the update in progress
                world.update(last.but(rollback=True))
        break
    world.assert_clean(NAME, THIRD, replicas)
    bounds = budget.bounds(original=replicas, desired=replicas)
    assert world.least_available >= bounds.floor
    assert world.most_pods <= max(replicas, bounds.ceiling)
