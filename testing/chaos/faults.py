"""What can go wrong with one request, and plans that say with which: seeded, a run can be repeated."""

from __future__ import annotations

import enum
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit


class Fault(enum.Enum):
    """What happens to a request instead of, or after, being carried out."""

    RESET = "connection reset before the request took effect"
    LOST = "carried out, the answer lost"
    CONFLICT = "409 Conflict"
    THROTTLED = "429 with Retry-After"
    ERROR = "500 Internal Server Error"
    UNAVAILABLE = "503 Service Unavailable"
    SLOW = "carried out, the answer slow"
    HALF = "carried out, half of the answer"
    CUT = "the watch cut after 0.5 s"
    GONE = "the watch answered with 410"
    GONE_LATER = "410 in the stream of the watch"
    SILENT = "the watch accepted, nothing delivered"
    HELD = "the watch not even accepted"
    UNAUTHORIZED = "401 Unauthorized"


STATUS = {
    Fault.CONFLICT: (409, "Conflict", "the object has been modified; please apply your changes again"),
    Fault.THROTTLED: (429, "TooManyRequests", "too many requests, please try again later"),
    Fault.ERROR: (500, "InternalError", "Internal error occurred: it was asked for"),
    Fault.UNAVAILABLE: (503, "ServiceUnavailable", "the server is currently unable to handle the request"),
    Fault.GONE: (410, "Expired", "too old resource version"),
    Fault.GONE_LATER: (410, "Expired", "too old resource version"),
    Fault.UNAUTHORIZED: (401, "Unauthorized", "Unauthorized"),
}
"""Code, reason and message of the Status object that is answered."""


_WRITTEN = re.compile(
    r"^/api/v1/|^/apis/[^/]+/v1/.*/(replicasets|deployments|deploymentconfigs|horizontalpodautoscalers)\b"
)


@dataclass(frozen=True)
class Asked:
    """One request of the command as it came to the proxy."""

    method: str
    target: str
    """Path and query."""
    body: bytes

    @property
    def is_watch(self) -> bool:
        return self.method == "GET" and "watch" in parse_qs(urlsplit(self.target).query)

    @property
    def is_write(self) -> bool:
        """Whether it changes something that an update or a move depends on: reviews and dry runs do not, nor
        does the history."""
        parts = urlsplit(self.target)
        if self.method == "GET" or not _WRITTEN.search(parts.path):
            return False
        return "dryRun" not in parse_qs(parts.query) and not (
            self.method == "DELETE" and self.body and json.loads(self.body).get("dryRun")
        )

    @property
    def kind(self) -> str:
        """What it is, without names that differ from run to run."""
        plural = next((each for each in ("pods", "replicationcontrollers") if each in self.target), "other")
        return f"{'WATCH' if self.is_watch else self.method} {plural}"


Plan = Callable[[Asked], Fault | None]


def peace(_asked: Asked) -> Fault | None:
    """Nothing goes wrong."""
    return None


def storm(seed: int, share: float, faults: tuple[Fault, ...]) -> Plan:
    """Each of ``faults`` meets that ``share`` of the requests, by the seed and the number of the request
    among those of its kind. A conflict meets writes only: nothing else can have one."""
    counts: Counter[str] = Counter()
    lock = threading.Lock()

    def plan(asked: Asked) -> Fault | None:
        with lock:
            counts[asked.kind] += 1
            number = counts[asked.kind]
        at = random.Random(f"{seed} {asked.kind} {number}").random() / share
        found = faults[int(at)] if at < len(faults) else None
        return None if found is Fault.CONFLICT and not asked.is_write else found

    return plan


def every(number: int, fault: Fault, fits: Callable[[Asked], bool]) -> Plan:
    """Every ``number``-th request that fits, beginning with the first."""
    seen = 0
    lock = threading.Lock()

    def plan(asked: Asked) -> Fault | None:
        nonlocal seen
        if not fits(asked):
            return None
        with lock:
            seen += 1
            return fault if seen % number == 1 % number else None

    return plan
