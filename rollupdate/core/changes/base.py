"""What every change can do, and what it has to know of the command for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from rollupdate.core.changes.target import Ending, Target
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.record import RESTART
from rollupdate.objects import Json

DEFAULT_LABEL_KEY = "deployment"


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Which names the controllers and the identifying label get."""

    new_name: str | None = None
    """Of the new controller; None if the old name is kept, or if the change has a name itself."""
    keep_name: bool = False
    """Also if the change has a name itself."""
    label_key: str = DEFAULT_LABEL_KEY


class Change(Protocol):
    """One kind of thing that can be asked for."""

    @property
    def source(self) -> str:
        """What to call it in messages."""
        ...

    @property
    def validate(self) -> bool:
        """Whether fields that the server does not know are refused."""
        ...

    carries_metadata: ClassVar[bool]
    """Whether labels and annotations of the new controller are added to the old one's if the name is kept."""

    def finish(self, naming: Naming) -> Ending: ...

    def name(self, naming: Naming) -> str | None:
        """Of the new controller, if the change itself gives it one."""
        ...

    def target(self, old: Controller, naming: Naming) -> Target:
        """The new controller that it asks for beside ``old``. Raises RefusedError."""
        ...

    def digest(self, naming: Naming) -> str | None:
        """Hash of the template asked for, if it does not depend on the old one."""
        ...

    def again(self, template: Json, naming: Naming) -> Change:
        """The same, with new pods even if ``template``, the old controller's, is what it asks for."""
        ...

    def made(self, new: Controller) -> bool:
        """Whether ``new``, left alone under a temporary name, is what it asks for."""
        ...

    def refuse_another(self, old: Controller, new: Controller, naming: Naming) -> None:
        """Raises InProgressError if the update in progress from ``old`` to ``new`` is not its own."""
        ...


def restarted(template: Json, digest: str) -> Json:
    """The template with a mark that makes it another one. ``digest``: the hash of the old controller's, so
    the same command gives the same."""
    meta = template.get("metadata") or {}
    annotations = {**(meta.get("annotations") or {}), RESTART: digest}
    return {**template, "metadata": {**meta, "annotations": annotations}}


def without_restart(template: Json) -> Json:
    """The template without that mark."""
    meta = template.get("metadata") or {}
    annotations = {key: text for key, text in (meta.get("annotations") or {}).items() if key != RESTART}
    return {**template, "metadata": {**meta, "annotations": annotations}}
