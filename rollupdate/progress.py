"""What every event has, and the one that is told most: how far the update is. ``events`` has the others."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Subject:
    """The update that an event is about."""

    context: str = ""
    """The kubeconfig context in use; empty in a cluster, and as long as no kubeconfig was read."""
    namespace: str = ""
    """The namespace in use; empty as long as no kubeconfig was read."""
    name: str = ""
    """NAME as given on the command line, whichever controller the event names."""


@dataclass(frozen=True)
class Event:
    """Anything the engine tells its observer."""

    subject: Subject = field(default=Subject(), kw_only=True)
    """Set where events reach the reports (``report.observers``), and nowhere else."""


@dataclass(frozen=True)
class Pods:
    """The pods of one controller, in numbers from its status."""

    controller: str
    role: str
    """``old``, ``new``, or ``superseded``: of a new controller that is to go in favour of a newer one."""
    size: int
    """Pods asked for."""
    current: int
    """Pods that exist, without those being deleted."""
    ready: int
    available: int
    """Those of them that stay once the size asked for is reached."""
    failing: int = 0
    """Pods that are not available for a reason that is known."""

    @property
    def staying(self) -> int:
        """Pods that are ready and have to stay so before they are available."""
        return max(0, min(self.ready, self.size) - self.available)

    @property
    def starting(self) -> int:
        """Pods asked for and neither available nor known to fail."""
        return max(0, self.size - self.available - self.failing)

    @property
    def leaving(self) -> int:
        """Pods that are one too many: asked to go, and still there."""
        return max(0, self.current - self.size)


PREPARING, SCALING, TRANSFERRING, FINISHING = "preparing", "scaling", "handing over", "finishing"
"""The phases of an update."""


@dataclass(frozen=True)
class Progress(Event):
    """Where the update is; told when that is another place than before."""

    pods: tuple[Pods, ...]
    """Of each controller there is, the old one first."""
    original: int
    """The size of the service before the update."""
    target: int
    """The size it is to have in the end: of the new controller or, in a rollback, of the old one."""
    floor: int
    ceiling: int
    rollback: bool
    phase: str
    """One of those above."""
    waiting: str = ""
    """What is waited for; empty where nothing is."""
    cause: str = ""
    """Why that does not come, as far as it is known."""
    idle: float = field(default=0.0, compare=False)
    """Seconds since anything has moved, when this was told."""
    available_in: float | None = field(default=None, compare=False)
    """Seconds until the pods that are ready have been so for ``minReadySeconds``; None if none has to be."""
