"""Whole updates in this process, on the sandbox's fake clock: what the client itself costs, and what a
cluster that is slow, large or short of patience does to an update."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rollupdate.cli.pflag import read
from rollupdate.commands.wanted import read_intent, read_policy
from rollupdate.engine.update import Update
from rollupdate.errors import ApiError
from rollupdate.objects import Json
from testing.sandbox import KubeletConfig, Sandbox
from tests.engine.inprocess import FakeClock, SandboxCluster


@dataclass
class Weather:
    """How the API server is: seconds that each request takes, and how often it asks for patience."""

    latency: float = 0.0
    throttle_every: int = 0
    """Each so-many-th write is answered with 429; 0 is never."""
    retry_after: float = 1.0


@dataclass
class Account:
    """What an update cost. ``seconds`` are the fake clock's, ``client`` those of the thread that decides,
    outside of the sandbox."""

    seconds: float = 0.0
    client: float = 0.0
    requests: int = 0
    writes: int = 0
    refused: int = 0
    steps: int = 0


@dataclass
class MeteredCluster(SandboxCluster):
    weather: Weather = field(default_factory=Weather)
    account: Account = field(default_factory=Account)
    watching: bool = False
    """What comes by a watch is fetched here with a GET, which nobody would send."""

    def _call(self, method: str, path: str, *rest: Any, **named: Any) -> Json:
        started = time.thread_time()
        try:
            return self._metered(method, path, *rest, **named)
        finally:
            if threading.current_thread() is threading.main_thread():  # not one of those that label
                self.account.client -= time.thread_time() - started

    def _metered(self, method: str, path: str, *rest: Any, **named: Any) -> Json:
        if self.watching:
            return super()._call(method, path, *rest, **named)
        self.account.requests += 1
        if self.weather.latency:
            self.sandbox.advance(self.weather.latency)
        if method != "GET":
            self.account.writes += 1
            every = self.weather.throttle_every
            if every and self.account.writes % every == 0:
                self.account.refused += 1
                raise ApiError(429, "TooManyRequests", "too many requests", {}, self.weather.retry_after)
        return super()._call(method, path, *rest, **named)

    def mirror(self, names: Sequence[str], *, poll_interval: float) -> Any:
        found = super().mirror(names, poll_interval=poll_interval)
        wait = found.wait

        def metered(seconds: float) -> bool:
            started = time.thread_time()
            before = self.account.client
            self.watching = True
            answer = wait(seconds)
            self.watching = False
            self.account.client = before - (time.thread_time() - started)
            return answer

        found.wait = metered  # type: ignore[method-assign]
        return found


def update(
    size: int,
    *,
    surge: str = "1",
    unavailable: str = "0",
    labelled: bool = True,
    others: int = 0,
    weather: Weather | None = None,
    ready: float = 0.5,
) -> Account:
    """One update of a controller of that size; ``others``: controllers that are in the namespace as well."""
    kubelet = KubeletConfig(ready_after=ready, terminate_after=0.0)
    with Sandbox(kubelet=kubelet) as sandbox:
        sandbox.create(_controller("web", size, labelled=labelled))
        for number in range(others):
            sandbox.create(_controller(f"other-{number}", 0, labelled=True))
        sandbox.settle()
        cluster = MeteredCluster(sandbox, weather=weather or Weather())
        clock = FakeClock(sandbox)
        flags = [f"--max-surge={surge}", f"--max-unavailable={unavailable}"]
        given = read(["web", "--image=image:1", *flags])
        intent, policy = read_intent(given, "default"), read_policy(given)
        steps = 0

        def count(event: Any) -> None:
            nonlocal steps
            steps += type(event).__name__ == "Scaled"

        account = cluster.account
        began, started = clock.now(), time.thread_time()
        Update(cluster, clock, intent, policy, count, jitter=lambda: 1.0, wall=lambda: 0.0).run().checked()
        account.client += time.thread_time() - started
        account.seconds = clock.now() - began
        account.steps = steps
        return account


def decisions(sizes: Sequence[int]) -> list[tuple[int, float]]:
    """Milliseconds of this client for a step, all else left out, by the number of pods. Twenty batches, so
    that sizes differ in nothing else."""
    found = []
    for size in sizes:
        account = update(size, surge=str(max(1, size // 20)))
        found.append((size, account.client / max(1, account.steps) * 1000))
    return found


def _controller(name: str, size: int, *, labelled: bool) -> Json:
    labels = {"run": name, **({"deployment": "0"} if labelled else {})}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "image:0"}]}}
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": size, "selector": labels, "template": template},
    }
