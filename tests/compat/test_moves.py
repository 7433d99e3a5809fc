"""The client of today finishes, and rolls back, a move that an older client left on the cluster.

The states are those of commit dc6ced3 after each write of a move to a Deployment, of the way back, and of
their rollbacks (``record_later``): from a ReplicationController in format 3, from a DeploymentConfig in 5.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from rollupdate.core.model import record
from rollupdate.engine.order import Order
from rollupdate.errors import RefusedError
from testing.objects import Json
from tests.compat.states import here
from tests.engine.configs import Configs
from tests.engine.migrations import NAME, Migrations
from tests.support.effort import some

FOLDER = Path(__file__).with_name("moves")
FORMATS = {False: "3", True: "5"}
"""Of moves from a ReplicationController, and from a DeploymentConfig."""


@dataclass(frozen=True)
class Left:
    """What was on the cluster after one write."""

    id: str
    forward: Order
    """The move, also if the older client was rolling it back."""
    back: Order
    stage: str
    """``begin`` (of the move, or rolled back), ``in progress`` or ``end``."""
    home: Json
    """The specifications of the controller, and of its DeploymentConfig, where these have the pods."""
    at: float
    """Seconds since the start of its clock."""
    objects: list[Json]

    def world(self) -> Migrations:
        """The cluster in that state, settled, without the older client."""
        if not self.forward.config:
            world = Migrations(stored=self.objects, at=self.at, seed=1)  # the older one's uids were of seed 0
            world.spec = self.home["controller"]
            return world
        configs = Configs(stored=self.objects, at=self.at, seed=1)
        configs.given, configs.spec_of_active = self.home["config"], self.home["controller"]
        return configs


def left() -> list[Left]:
    """All states of all moves."""
    return [state for path in sorted(FOLDER.glob("*.json")) for state in _left(path)]


def _left(path: Path) -> list[Left]:
    story = json.loads(path.read_text(encoding="utf-8"))
    return [
        Left(
            id=f"{path.stem}-{number:02}",
            forward=_order(story["forward"]),
            back=_order(story["back"]),
            stage=state["stage"],
            home=story["home"],
            at=state["at"],
            objects=[here(story["objects"][key]) for key in state["objects"]],
        )
        for number, state in enumerate(story["states"])
    ]


def _order(words: Json) -> Order:
    return Order(name=NAME, new_name=NAME, **words)


STATES = left()
every_state = pytest.mark.parametrize("state", some(STATES, 3), ids=lambda state: state.id)


def assert_arrived(world: Migrations, *, upwards: bool) -> None:
    """The same pods, with the Deployment or at home, and nothing is left of the move."""
    match world:
        case Configs() if upwards:
            world.assert_arrived()
        case Configs():
            world.assert_home()
        case _ if upwards:
            world.assert_up()
        case _:
            world.assert_down()
    world.assert_kept()


@every_state
def test_the_same_command_finishes_it(state: Left) -> None:
    """If the older client was rolling back, that is turned round. What is finished stays as it is."""
    world = state.world()
    writes = world.run(state.forward).writes
    assert (writes == 0) == (state.stage == "end")
    assert_arrived(world, upwards=state.forward.to_deployment)


@every_state
def test_the_rollback_goes_back(state: Left) -> None:
    """With nothing in progress it is refused."""
    world = state.world()
    if state.stage == "in progress":
        world.run(state.back)
    else:
        with pytest.raises(RefusedError, match="no move of"):
            world.run(state.back)
    assert_arrived(world, upwards=state.forward.to_deployment == (state.stage == "end"))


def test_the_states_are_of_today_s_formats() -> None:
    """A state that a client of a lower number would misread carries it: every one with a record of a move."""
    for state in STATES:
        for obj in state.objects:
            marks = obj["metadata"].get("annotations") or {}
            if record.MIGRATION in marks:
                assert marks[record.FORMAT] == FORMATS[state.forward.config], state.id
