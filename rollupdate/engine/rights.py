"""What this client may do, asked for before anything is written: all that is missing is named at once."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from rollupdate.core.migration import refusals
from rollupdate.engine.ports import Cluster, Objects
from rollupdate.errors import ApiError
from rollupdate.rights import Right

THREADS = 16
"""Reviews at once: they are small, and none depends on another."""


def refuse_missing(cluster: Cluster | Objects, rights: Iterable[Right]) -> None:
    """Raises RefusedError. Nothing is refused where the server does not review access, or not for us: then a
    right that is missing shows where it is needed."""
    wanted = tuple(rights)
    if not wanted:
        return
    try:
        with ThreadPoolExecutor(max_workers=THREADS) as pool:
            answers = list(pool.map(cluster.allows, wanted))
    except ApiError as error:
        if error.is_forbidden or error.is_not_found:
            return
        raise
    missing = tuple(right for right, allowed in zip(wanted, answers, strict=True) if not allowed)
    if missing:
        raise refusals.missing_rights(cluster.namespace, missing)
