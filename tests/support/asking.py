"""What a test asks for: an intent and a policy made of the fields of both, as a command line has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from rollupdate.core.changes.base import Change, Naming
from rollupdate.core.changes.target import Origin
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.history import Revision
from rollupdate.core.plan.aim import aim
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.intent import Intent
from rollupdate.core.plan.policy import Policy

_NAMING, _ORIGIN, _POLICY = ({field.name for field in fields(kind)} for kind in (Naming, Origin, Policy))


@dataclass(frozen=True)
class Asking:
    """One command."""

    intent: Intent
    policy: Policy

    def but(self, **changed: Any) -> Asking:
        """The same with other values of those fields."""
        naming, origin, policy = (
            {key: changed.pop(key) for key in names & changed.keys()} for names in (_NAMING, _ORIGIN, _POLICY)
        )
        intent = replace(
            self.intent,
            naming=replace(self.intent.naming, **naming),
            origin=replace(self.intent.origin, **origin),
            **changed,
        )
        return Asking(intent, replace(self.policy, **policy))


def asking(name: str, new_name: str | None = None, change: Change | None = None, **further: Any) -> Asking:
    bare = Asking(Intent(name=name, change=change), Policy())
    return bare.but(new_name=new_name, **further)


def aimed(
    asked: Asking, controllers: Mapping[str, Controller], known: Sequence[Revision] | None = ()
) -> Goal:
    """``known``: the history of the controller; None if it is not to be read."""

    def revisions(controller: Controller, *, for_a_hint: bool = False) -> Sequence[Revision]:
        assert known is not None, "the history is read"
        return known

    return aim(asked.intent, asked.policy, controllers, revisions)
