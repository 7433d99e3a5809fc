"""The format of the annotations (``record.FORMAT``): a state that a newer version has written is not touched.

Annotations in an unknown format are not acted on, and not shown as if they were understood. Other controllers
of the namespace are updated as usual.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rollupdate.advice import Advice, Upgrade
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.record import FORMAT, KNOWN_FORMAT
from rollupdate.core.model.rollout import is_successor_of, was_successor_of
from rollupdate.errors import RefusedError, StoppedError
from rollupdate.version import __version__


def refuse_newer(name: str, controllers: Mapping[str, Controller]) -> None:
    """Raises RefusedError if the controller ``name``, or another one of its update, has an unknown format.
    ``controllers``: all of the namespace, by name."""
    named = controllers.get(name)
    for controller in controllers.values():
        if controller.record.newer and _concerns(controller, name, named):
            raise RefusedError(f"{_said(controller)}; nothing was changed", hint=_HINT)


def newer_format(controllers: Iterable[Controller]) -> StoppedError | None:
    """Why a run stops half way: a newer version has written to one of ``controllers`` meanwhile."""
    for controller in controllers:
        if controller.record.newer:
            return StoppedError(f"{_said(controller)}; stopping", hint=_HINT)
    return None


_HINT = Advice(
    f"a newer version than this one ({__version__}) has written it: upgrade the plugin (",
    Upgrade(),
    "), then run the command again",
)


def _said(controller: Controller) -> str:
    return (
        f'replicationcontroller "{controller.name}": the annotation {FORMAT} is {controller.record.format}, '
        f"and the highest that this version knows is {KNOWN_FORMAT}"
    )


def _concerns(controller: Controller, name: str, named: Controller | None) -> bool:
    if controller.name == name or was_successor_of(name, controller):
        return True
    return named is not None and (is_successor_of(controller, named) or is_successor_of(named, controller))
