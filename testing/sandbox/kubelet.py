"""The hollow kubelet on the sandbox's verbs and clock. What pods go through is in ``testing.kubelet``."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from testing.kubelet import lifecycle, logs
from testing.kubelet.behaviour import Behaviour, KubeletConfig, draw
from testing.kubelet.events import KUBELET, SCHEDULER
from testing.kubelet.lifecycle import NODE, Life, Step
from testing.objects import Json
from testing.sandbox import statuses
from testing.sandbox.clock import Clock
from testing.sandbox.events import Recorder
from testing.sandbox.objects import is_being_deleted, name_of, namespace_of, uid_of
from testing.sandbox.options import DeleteOptions
from testing.sandbox.resources import PODS, Resource
from testing.sandbox.statuses import ApiError
from testing.sandbox.store import Change, Store
from testing.sandbox.verbs import Verbs

_AGAIN = 0.05
"""Seconds until what could not be written is tried again."""


@dataclass
class _Pod:
    """What is known of one pod beside what is stored. ``life`` is None where it only is to be ended."""

    namespace: str
    name: str
    life: Life | None
    ending: bool = False


class Kubelet:
    """Runs by the clock's queue. ``config`` may be replaced at any time; what has begun goes on as it was."""

    def __init__(
        self, store: Store, verbs: Verbs, clock: Clock, rng: random.Random, config: KubeletConfig
    ) -> None:
        self.config = config
        self.paused = False
        """Whether nothing happens to pods, as with their node cut off. What was due meanwhile is dropped."""
        self._store = store
        self._verbs = verbs
        self._clock = clock
        self._rng = rng
        self._recorders = {
            KUBELET: Recorder(store, verbs, rng, KUBELET, NODE),
            SCHEDULER: Recorder(store, verbs, rng, SCHEDULER),
        }
        self._pods: dict[str, _Pod] = {}
        self._pressure_until = 0.0
        self._seen = 0
        store.listeners.append(self._see)

    def set_ready(self, namespace: str, name: str, ready: bool) -> None:
        """Make a running pod ready or not, as its readiness probe would."""
        stored = self._verbs.get(PODS, namespace, name)
        pod = self._pods[uid_of(stored)]
        assert pod.life is not None
        self._take(pod, stored, lifecycle.set_ready(pod.life, stored, ready, self._verbs.now()))

    def read_log(self, pod: Json, container: str, previous: bool, lines: int | None, size: int | None) -> str:
        """Raises :class:`testing.kubelet.logs.NoLogError`."""
        return logs.read(pod, container, self.config, previous=previous, lines=lines, size=size)

    def admit(self, resource: Resource, obj: Json) -> None:
        """The admission webhook of those who do not want an image here."""
        if resource is not PODS:
            return
        for container in obj["spec"]["containers"]:
            if self.config.behaviour(container["image"]) is Behaviour.REFUSED:
                told = f'image "{container["image"]}" is not allowed'
                raise statuses.denied_by_webhook("images.example.com", told)

    def _see(self, change: Change) -> None:
        if change.resource is not PODS:
            return
        uid = uid_of(change.final)
        if change.new is None:
            self._pods.pop(uid, None)
            return
        pod = self._pods.get(uid)
        if pod is None:
            self._seen += 1
            life = lifecycle.begin(change.new, self._seen)
            pod = self._pods[uid] = _Pod(change.namespace, change.name, life)
            if life is not None:
                self._later(draw(lifecycle.first_delay(life, self.config), self._rng), uid, self._go_on)
        if is_being_deleted(change.new) and not pod.ending:
            pod.ending = True
            delay = min(draw(self.config.terminate_after, self._rng), lifecycle.grace(change.new))
            self._later(delay, uid, self._finish)

    def _later(self, delay: float, uid: str, task: Callable[[_Pod, Json], None]) -> None:
        def act() -> None:
            pod = self._pods.get(uid)
            if pod is None or self.paused or (pod.ending and task != self._finish):
                return
            stored = self._store.get(PODS, pod.namespace, pod.name)
            if stored is None or uid_of(stored) != uid:
                return
            try:
                task(pod, stored)
            except ApiError:
                self._later(_AGAIN, uid, task)  # somebody else wrote in between, or was in the way

        self._clock.schedule(delay, act)

    def _go_on(self, pod: _Pod, stored: Json) -> None:
        assert pod.life is not None
        pressed = self._clock.now() < self._pressure_until
        step = lifecycle.next_step(pod.life, stored, self.config, self._verbs.now(), under_pressure=pressed)
        self._take(pod, stored, step)

    def _take(self, pod: _Pod, stored: Json, step: Step) -> None:
        if step.binds:
            self._verbs.bind(stored, NODE, step.component)
        if step.status is not None:
            self._verbs.write(PODS, stored, {**stored, "status": step.status}, step.component)
        pod.life = step.life
        delays = [draw(delay, self._rng) for delay in step.after]
        for happening in step.events:
            self._recorders[step.component].record(stored, happening)
        if step.evicts:
            self._pressure_until = self._clock.now() + self.config.pressure
        if delays:
            self._later(max(delays), uid_of(stored), self._go_on)

    def _finish(self, _pod: _Pod, stored: Json) -> None:
        options = DeleteOptions(uid=uid_of(stored), grace_seconds=0)
        self._verbs.delete(PODS, namespace_of(stored), name_of(stored), options, actor=KUBELET)
