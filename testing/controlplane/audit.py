"""Reads the API server's audit log: who asked for what. For counting requests in tests and measurements."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """One answered request; ``verb`` is Kubernetes' (list and watch are not get), ``status`` HTTP's.

    ``received`` and ``answered`` are seconds since 1970, by the server's clock.
    """

    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    user: str
    agent: str
    status: int
    uri: str
    received: float = 0.0
    answered: float = 0.0


def read(log: Path, *, agent: str = "") -> Iterator[Request]:
    """Requests in the order they were answered, of clients whose user agent begins with ``agent``.

    A watch is logged when it ends.
    """
    with log.open() as lines:
        for line in lines:
            if not line.endswith("\n"):
                return  # being written
            request = _parse(json.loads(line))
            if request.agent.startswith(agent):
                yield request


def _parse(entry: dict[str, object]) -> Request:
    reference, user, answer = (entry.get(key) or {} for key in ("objectRef", "user", "responseStatus"))
    assert isinstance(reference, dict) and isinstance(user, dict) and isinstance(answer, dict)
    return Request(
        verb=str(entry["verb"]),
        resource=str(reference.get("resource", "")),
        subresource=str(reference.get("subresource", "")),
        namespace=str(reference.get("namespace", "")),
        name=str(reference.get("name", "")),
        user=str(user.get("username", "")),
        agent=str(entry.get("userAgent", "")),
        status=int(answer.get("code", 0)),
        uri=str(entry.get("requestURI", "")),
        received=_seconds(entry.get("requestReceivedTimestamp")),
        answered=_seconds(entry.get("stageTimestamp")),
    )


def _seconds(text: object) -> float:
    return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else 0.0
