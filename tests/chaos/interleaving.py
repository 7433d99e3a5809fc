"""Two or more clients of the engine in one process, each stopped between deciding on a write and sending it.

Only one of them runs at any moment, so a schedule is exact and can be repeated: who runs, up to which write.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from rollupdate.engine.update import Update
from rollupdate.errors import RollingUpdateError
from testing.sandbox import Sandbox
from tests.engine.inprocess import FakeClock, SandboxCluster
from tests.engine.world import World
from tests.support.asking import Asking
from tests.support.in_turn import is_beside

FAR = 10_000


class Stepped:
    """One client, in a thread of its own that moves only inside :meth:`run_to`. ``run``: all of it, on a
    cluster that is its own; it raises what it ended with."""

    def __init__(self, sandbox: Sandbox, run: Callable[[SandboxCluster], object], name: str) -> None:
        self.name = name
        self.error: BaseException | None = None
        self.decided = 0
        """The number of the write that it has decided on last."""
        self.ended = False
        self._stop_at = 0
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._cluster = SandboxCluster(sandbox)
        self._cluster.before = self._before
        self._what = run
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def run_to(self, write: int = FAR) -> bool:
        """Let it run until it has decided on that write, or to its end. True if there was such a write."""
        if not self.ended:
            self._stop_at = write
            self._go.release()
            self._back.acquire()
        return not self.ended

    @property
    def succeeded(self) -> bool:
        return self.ended and self.error is None

    def _run(self) -> None:
        self._go.acquire()
        try:
            self._what(self._cluster)
        except BaseException as error:
            self.error = error
        self.ended = True
        self._back.release()

    def _before(self, number: int) -> None:
        if threading.current_thread() is not self._thread or is_beside():
            return  # one of several pods labelled at once
        self.decided = number
        if number >= self._stop_at:
            self._back.release()
            self._go.acquire()

    @property
    def stopped_properly(self) -> bool:
        """It came to its end, or says why not in words for the user."""
        return self.error is None or isinstance(self.error, RollingUpdateError)


class Client(Stepped):
    """One run of an update or a rollback."""

    def __init__(self, world: World, request: Asking, name: str) -> None:
        def run(cluster: SandboxCluster) -> None:
            clock = FakeClock(world.sandbox)
            update = Update(
                cluster, clock, request.intent, request.policy, world.events.append, jitter=lambda: 0.5
            )
            update.run().checked()

        super().__init__(world.sandbox, run, name)
