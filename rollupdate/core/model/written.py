"""Who has written to a controller and when, as the server says (``managedFields``, from 1.18 on). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from rollupdate.core.model.controller import Controller

WRITERS = ("kubectl-rolling-update", "kubectl-rolling_update")
"""Field managers that are this command."""


def last_write(controllers: Iterable[Controller]) -> str | None:
    """When one of these commands last wrote to one of them (RFC 3339); None if the server does not say."""
    writes = (write for controller in controllers for write in written(controller))
    return max((at for manager, at in writes if manager in WRITERS), default=None)


def written(controller: Controller) -> list[tuple[str, str]]:
    """Who has written to the specification or the metadata, and when last (RFC 3339)."""
    fields = controller.raw["metadata"].get("managedFields")
    found: list[tuple[str, str]] = []
    for entry in fields if isinstance(fields, list) else []:
        if isinstance(entry, dict) and not entry.get("subresource"):
            manager, at = entry.get("manager"), entry.get("time")
            if isinstance(manager, str) and isinstance(at, str) and at:
                found.append((manager, at))
    return found
