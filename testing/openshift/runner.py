"""The stand-in beside a cluster that is reached by its API: threads that watch, and one that works."""

from __future__ import annotations

import datetime
import logging
import threading

from testing.client import TROUBLE, Client
from testing.objects import Json
from testing.openshift import names
from testing.openshift.controller import ConfigController

CONNECTIONS = 3
_WATCHED_AT_A_TIME = 20
"""Seconds, after which a watch that nobody needs any more ends at last."""
_RETRY = 0.05
"""Seconds until what was refused is tried again, and until a watch that ended is opened again."""
_log = logging.getLogger(__name__)


class Runner:
    """Runs from :meth:`start` to :meth:`stop`, for the configs of one namespace, or of all.

    ``client`` is for itself alone: it has ``CONNECTIONS`` requests under way, and closes it in the end.
    """

    def __init__(self, client: Client, namespace: str = "") -> None:
        self._client = client
        self._controller = ConfigController(client, _now)
        self._changed, self._going, self._stopped = threading.Event(), threading.Event(), threading.Event()
        self._busy = threading.Lock()
        space = f"namespaces/{namespace}/" if namespace else ""
        self._configs = f"/apis/{names.VERSION}/{space}{names.PLURAL}"
        self._watched = (self._configs, f"/api/v1/{space}replicationcontrollers")
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Runner:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the threads; returns at once."""
        self._going.set()
        self._threads = [
            threading.Thread(target=self._work, name="deploymentconfigs", daemon=True),
            *(threading.Thread(target=self._watch, args=(path,), daemon=True) for path in self._watched),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads, without waiting for a watch that is silent."""
        self._stopped.set()
        self.resume()
        self._threads[0].join(10)
        self._client.close()

    def pause(self) -> None:
        """Do nothing from now on, as if the process were gone; what is under way is finished first."""
        self._going.clear()
        with self._busy:
            pass

    def resume(self) -> None:
        """Go on, with all that came meanwhile."""
        self._going.set()
        self._changed.set()

    def _watch(self, path: str) -> None:
        while not self._stopped.is_set():
            try:
                version = str(self._client.get(path)["metadata"]["resourceVersion"])
                self._changed.set()
                for _ in self._client.watch(path, version, _WATCHED_AT_A_TIME):
                    self._changed.set()
                    if self._stopped.is_set():
                        return
            except (*TROUBLE, ValueError) as error:
                _log.debug("watch: %s", error)
                self._stopped.wait(_RETRY)

    def _work(self) -> None:
        while not self._stopped.is_set():
            self._changed.wait()
            self._changed.clear()
            self._going.wait()
            try:
                for config in self._client.get(self._configs)["items"]:
                    self._work_on(config["metadata"])
            except TROUBLE as error:
                _log.debug("%s", error)
                self._stopped.wait(_RETRY)
                self._changed.set()

    def _work_on(self, metadata: Json) -> None:
        """All that there is to do for one config. Raises what is refused."""
        namespace, name = metadata["namespace"], metadata["name"]
        while not self._stopped.is_set():
            with self._busy:
                if not self._going.is_set() or not self._controller.work(namespace, name):
                    return


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
