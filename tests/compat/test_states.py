"""The client of today finishes, and rolls back, what an older client left on the cluster.

The annotations are a format: a user may upgrade the plugin in the middle of an update. The states are those
of commit 47c7612 after each write of an update, a rollback and a finish (``record_states``), and of dc6ced3
where old pods are evicted (``record_later``).
"""

from __future__ import annotations

import pytest

from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.model import history, record
from rollupdate.errors import ApiError, NothingChangesError, RefusedError
from rollupdate.events import UpToDate
from testing.objects import Json
from tests.compat.states import End, State, states
from tests.engine.world import NAME, World
from tests.support.asking import Asking
from tests.support.effort import some

STATES = states()
every_state = pytest.mark.parametrize("state", some(STATES, 2), ids=lambda state: state.id)


def run(world: World, request: Asking) -> int:
    """Run the command, and once more if it pauses. Returns the number of writes."""
    writes = world.update(request).writes
    if world.paused:
        writes += world.update(request).writes
    assert not world.paused
    return writes


def assert_ended(world: World, state: State, end: End) -> None:
    """The end is that of the older client: template, selector, size and history.

    A rollback after the history was written may leave the revision of the template that runs.
    """
    size = end.size + state.added
    controller = world.assert_clean(end.name, end.image, size)
    assert not controller["metadata"].get("annotations")  # also none that only the older client knows
    assert sent_today(controller["spec"]) == sent_today({**end.spec, "replicas": size})
    if end.name == NAME:
        assert controller["metadata"]["uid"] == world.before["metadata"]["uid"]
    revisions = history.revisions(world.sandbox.objects("controllerrevisions", "default"))
    kept = [[revision.number, revision.images[0]] for revision in revisions]
    assert kept == end.history or (not end.history and kept == [[1, end.image]])
    assert {revision.owner_uid for revision in revisions} <= {controller["metadata"]["uid"]}


def assert_promises(world: World, state: State, found: int) -> None:
    """Floor and ceiling hold. ``found``: the number of pods at the start, as another client may have scaled
    beyond the ceiling."""
    sizes = state.rolled_back.size, state.updated.size
    floor = min(sizes)
    assert world.least_available >= floor
    assert world.most_pods <= max(found, *(size + state.added for size in sizes), floor + state.added + 1)


def sent_today(spec: Json) -> Json:
    """Without the empty time that older API servers have in a template."""
    template = spec["template"]
    metadata = {key: value for key, value in template["metadata"].items() if key != "creationTimestamp"}
    return {**spec, "template": {**template, "metadata": metadata}}


def stored(world: World) -> list[Json]:
    return [
        obj
        for kind in ("replicationcontrollers", "pods", "controllerrevisions")
        for obj in world.sandbox.objects(kind, "default")
    ]


def assert_nothing_to_do(world: World, request: Asking) -> None:
    """The command is up to date, or refused in the documented words, and writes nothing."""
    before, writes = stored(world), list[int]()
    try:
        world.update(request, before=writes.append)
    except NothingChangesError as error:
        assert not request.intent.rollback
        said = "must be provided when --image is the same", "is already in use"
        assert any(words in error.message for words in said)
    except RefusedError as error:
        assert request.intent.rollback
        assert error.message.endswith("to rollback.")
    except ApiError as error:
        assert error.is_not_found
        assert NAME not in world.controllers()
    else:
        assert isinstance(world.events[-1], UpToDate)
    world.sandbox.settle()
    assert (writes, stored(world)) == ([], before)


def assert_finished(world: World, state: State) -> None:
    change = state.forward.intent.change
    if isinstance(change, TemplateChange) and change.restart:
        return  # the same command again is another restart
    assert_nothing_to_do(world, state.forward)


def moves(state: State) -> int:
    """Writes more than that client needed to give the pods to their final owner: it let the manager do it."""
    begun = any(record.TRANSFER in (obj["metadata"].get("annotations") or {}) for obj in state.objects)
    return 0 if begun or state.updated.name != NAME else 3 + 2 * (state.updated.size + state.added)


@every_state
def test_the_same_command_finishes_it(state: State) -> None:
    """If the older client was rolling back, that is turned round. If not, the client of today makes no more
    writes than the older one had left to make, the claim, and those that move the pods."""
    world = state.world()
    if state.stage == "new":
        assert_ended(world, state, state.updated)
        assert_finished(world, state)
        return
    found = world.active
    writes = run(world, state.forward)
    assert_ended(world, state, state.updated)
    assert_promises(world, state, found)
    if state.forwards:
        assert writes <= state.remaining + 1 + moves(state)
    assert_finished(world, state)


@every_state
def test_the_rollback_goes_back(state: State) -> None:
    """If the older client had begun the rollback, it is resumed, with no more writes than that client had
    left to make. With nothing in progress it is refused."""
    world = state.world()
    if state.stage == "in progress":
        found = world.active
        writes = run(world, state.back)
        assert_ended(world, state, state.rolled_back)
        assert_promises(world, state, found)
        if not state.forwards:
            # Before the last write nothing tells the direction: three writes claim it again.
            assert writes <= max(state.remaining, 4)
    else:
        assert_ended(world, state, state.updated if state.stage == "new" else state.rolled_back)
    assert_nothing_to_do(world, state.back.but(to_revision=None))


def annotations_of(commit: str) -> list[Json]:
    """Of the controllers in its states."""
    return [
        obj["metadata"].get("annotations") or {}
        for state in STATES
        if state.commit == commit
        for obj in state.objects
        if obj["kind"] == "ReplicationController"
    ]


def test_the_states_with_evictions_are_of_format_4() -> None:
    """Wherever pods may be evicted, and until that is over."""
    found = annotations_of("dc6ced3")
    assert {each[record.FORMAT] for each in found if record.EVICTING in each} == {"4"}


def test_the_states_are_of_format_1() -> None:
    """They have every annotation of ours but the format number and those that came with it or later, and no
    other."""
    keys = {key for each in annotations_of("47c7612") for key in each}
    came_later = {
        record.FORMAT,
        record.HOLD,
        record.EVICTING,
        record.NOT_MOVED,
        record.RAN,
        record.MIGRATION,
        record.BELONGINGS,
        record.TEMPLATE_BEFORE,
        record.TOUCHED,
        record.RESTORED,
    }
    assert keys == set(record.KEYS) - came_later
