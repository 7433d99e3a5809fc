"""Others at the same time: several clients, in every order of their writes.

Each schedule stops a client between deciding on a write and sending it, lets another one run, and goes on. An
update and a rollback may meet anywhere: floor and ceiling hold, whoever says that it has finished has, and
the last command, run again, ends clean.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from rollupdate.errors import ApiError, RefusedError
from tests.chaos.interleaving import FAR, Client
from tests.engine.inprocess import SandboxCluster
from tests.engine.test_kills import BARE, LABELLED, NEW, OLD, STORIES, Story, run_killed
from tests.engine.world import NAME, World, to_image
from tests.support.asking import Asking
from tests.support.effort import examples, some

pytestmark = [pytest.mark.sweep, pytest.mark.usefixtures("in_turn")]

UPDATE = to_image(timeout=60.0)
BACK = to_image(rollback=True, timeout=60.0)
UNRACED = ("patched", "from a file of the same name and selector")
KEEPING = Story("second update, keeping the name", UPDATE, LABELLED)
RACED = [each for each in STORIES if each.image == NEW and each.name not in UNRACED]
SEEDS = examples(gate=100, long=400)
FOUND = (1462, 1725, 2357, 3168, 3382, 3465, 4155, 4280, 4467, 4945)
"""Seeds beyond those that have failed once: the record of a rollback that came too late for the finish was
left behind; a rollback with nothing left to do took its own last write for somebody else's."""


class Race:
    """A world and the clients in it, in the order in which they came to their end."""

    def __init__(self, story: Story, begun: int = 0, *, before: bool = False) -> None:
        self.story = story
        self.world = World(story.manifest)
        self.clients: list[Client] = []
        self.ends: list[Client] = []
        if begun:
            run_killed(self.world, story.request, begun, before=before)

    def client(self, request: Asking) -> Client:
        client = Client(self.world, request, "back" if request.intent.rollback else "forwards")
        self.clients.append(client)
        return client

    def run(self, client: Client, write: int = FAR) -> bool:
        ended = client.ended
        goes_on = client.run_to(write)
        if client.ended and not ended:
            self.ends.append(client)
        return goes_on

    def assert_ended(self) -> None:
        world, story = self.world, self.story
        before = story.manifest["spec"]["replicas"]
        said = [(each.name, str(each.error)) for each in self.clients]
        for each in self.clients:
            assert each.stopped_properly, repr(each.error)
        if self.ends[-1].succeeded:
            self.assert_is(forwards=self.ends[-1].name == "forwards")
        floor = min(before, story.size)
        assert world.least_available >= floor, said
        assert world.most_pods <= max(before, story.size, floor + 1), said
        self.again(self.clients[-1].name == "back")
        (controller,) = world.controllers().values()
        image = controller["spec"]["template"]["spec"]["containers"][0]["image"]
        self.assert_is(forwards=image == story.image)

    def again(self, rollback: bool) -> None:
        """The last command once more: it finishes, or there is nothing left to do."""
        try:
            self.world.update(self.story.request.but(rollback=rollback))
        except RefusedError:
            pass
        except ApiError as error:
            assert error.is_not_found
        self.world.sandbox.settle()

    def assert_is(self, *, forwards: bool) -> None:
        if forwards:
            self.world.assert_clean(self.story.ends_as, NEW, self.story.size)
        else:
            after = self.world.assert_clean(NAME, OLD, self.story.manifest["spec"]["replicas"])
            assert after["spec"] == self.world.before["spec"]


@pytest.mark.parametrize("begun", [0, 5, 6, 7])
@pytest.mark.parametrize(
    "requests", [(UPDATE, BACK), (BACK, UPDATE), (UPDATE, UPDATE), (BACK, BACK)], ids=lambda each: ""
)
def test_two_clients_in_every_order(requests: Sequence[Asking], begun: int) -> None:
    """One is stopped before each of its writes, the other before each of its own; each in turn goes on."""
    first, second = requests
    for write in some(range(1, 14), 4):
        other = 1
        while True:
            race = Race(KEEPING, begun)
            one = race.client(first)
            alive = race.run(one, write)
            two = race.client(second)
            more = race.run(two, other)
            race.run(one)
            race.run(two)
            race.assert_ended()
            if not more:
                break
            other += examples(4, 1)
        if not alive:
            break


@pytest.mark.parametrize("request_", [UPDATE, BACK], ids=["forwards", "back"])
@pytest.mark.parametrize("begun", [5, 6, 7])
def test_a_third_client_in_the_finish(request_: Asking, begun: int) -> None:
    """Both are stopped with a write decided on, and a third one turns it round once more."""
    turned = request_.but(rollback=not request_.intent.rollback)
    for write in some(range(1, 6), 2):
        for other in some(range(1, 10), 2):
            race = Race(KEEPING, begun)
            one, two = race.client(request_), race.client(turned)
            race.run(one, write)
            race.run(two, other)
            race.run(race.client(request_))
            race.run(one)
            race.run(two)
            race.assert_ended()


@pytest.mark.parametrize("seed", range(0, SEEDS, 100))
def test_clients_in_random_order(seed: int) -> None:
    """Two to four clients, some going forwards and some back, of every kind of update, begun anywhere."""
    for each in range(seed, seed + 100):
        random_race(each).assert_ended()


@pytest.mark.parametrize("seed", FOUND)
def test_races_that_were_lost_once(seed: int) -> None:
    """Such as two that end in the same moment, and a rollback of what is not there any more."""
    random_race(seed).assert_ended()


def random_race(seed: int) -> Race:
    rng = random.Random(seed)
    story = RACED[rng.randrange(len(RACED))]
    story = replace(story, request=story.request.but(timeout=60.0))
    race = Race(story, rng.randrange(12), before=rng.random() < 0.5)
    clients: dict[int, Client] = {}
    directions = [rng.random() < 0.5 for _ in range(rng.choice([2, 2, 3, 4]))]
    while live := [n for n in range(len(directions)) if n not in clients or not clients[n].ended]:
        chosen = rng.choice(live)
        if chosen not in clients:
            clients[chosen] = race.client(story.request.but(rollback=not directions[chosen]))
        client = clients[chosen]
        race.run(client, client.decided + rng.choice([1, 1, 1, 2, 3, 5, 20]))
    return race


@pytest.mark.parametrize("request_", [UPDATE, UPDATE.but(new_name="next")], ids=["keeping", "new name"])
def test_the_new_controller_comes_into_being_between_the_look_and_the_question(
    monkeypatch: pytest.MonkeyPatch, request_: Asking
) -> None:
    """Another client with the same command was quicker by some milliseconds: the update is joined."""
    world = World(LABELLED)
    ask = SandboxCluster.create_controller
    asked = 0

    def slow(cluster: SandboxCluster, manifest: dict[str, Any], *, dry_run: bool = False) -> Any:
        nonlocal asked
        if dry_run:
            asked += 1
            if asked == 1:
                run_killed(world, request_, 3, before=False)
        return ask(cluster, manifest, dry_run=dry_run)

    monkeypatch.setattr(SandboxCluster, "create_controller", slow)
    world.update(request_)
    world.assert_clean(request_.intent.naming.new_name or NAME, NEW, 2)


def test_an_update_that_comes_too_late_makes_nothing_anew() -> None:
    """A client that was to create the new controller finds that another one has finished meanwhile."""
    for write in range(1, 8):
        race = Race(Story("first", UPDATE, BARE))
        slow = race.client(UPDATE)
        race.run(slow, write)
        race.run(race.client(UPDATE))
        race.run(slow)
        race.assert_ended()
        assert slow.succeeded
