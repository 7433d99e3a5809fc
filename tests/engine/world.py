"""A world for whole updates in process: a sandbox, invariants watched at every write, runs of the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rollupdate.core.changes.edits import MergePatch
from rollupdate.core.changes.file import FileChange
from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.model import record
from rollupdate.core.plan.preview import Preview
from rollupdate.engine.outcome import End, Outcome
from rollupdate.engine.ports import Batch
from rollupdate.engine.update import Update
from rollupdate.events import Event
from testing.kubelet.pod_status import is_ready
from testing.objects import Json
from testing.sandbox import Change, KubeletConfig, ManagerConfig, Sandbox
from testing.sandbox.objects import is_active
from testing.sandbox.resources import PODS
from tests.engine.inprocess import FakeClock, SandboxCluster
from tests.support import changes
from tests.support.asking import Asking, asking
from tests.support.manifests import my_nginx

NAME = "my-nginx"


class World:
    """One namespace with ``my-nginx``, settled, before anything is updated.

    ``stored``: the objects of the namespace instead, ``at`` so many seconds after the start.
    """

    def __init__(
        self,
        manifest: Json | None = None,
        *,
        stored: Sequence[Json] = (),
        at: float = 0.0,
        seed: int = 0,
        kubelet: KubeletConfig | None = None,
        manager: ManagerConfig | None = None,
    ) -> None:
        self.sandbox = Sandbox(
            seed=seed, kubelet=kubelet or KubeletConfig(), manager=manager or ManagerConfig()
        )
        self.events: list[Event] = []
        self.paused = False
        """Whether the last run has paused."""
        self.outcome: Outcome | None = None
        """Of the last run."""
        if stored:
            self.sandbox.advance(at)
            self.sandbox.restore(stored)
        else:
            self.sandbox.create(manifest or my_nginx())
        self.settled_anew()
        self.sandbox.on_write(self._watch)

    def settled_anew(self) -> None:
        """From what there is now on, everything is watched."""
        self.sandbox.settle()
        self.before = self.controllers().get(NAME, {})
        self._pods: dict[str, Json] = {pod["metadata"]["uid"]: pod for pod in self.sandbox.pods()}
        self.least_available = self.available
        self.most_pods = self.active

    # --- the promises ---

    @property
    def available(self) -> int:
        return sum(1 for pod in self._pods.values() if is_ready(pod) and is_active(pod))

    @property
    def active(self) -> int:
        return sum(1 for pod in self._pods.values() if is_active(pod))

    def _watch(self, change: Change) -> None:
        if change.resource is not PODS:
            return
        uid = change.final["metadata"]["uid"]
        if change.new is None:
            self._pods.pop(uid, None)
        else:
            self._pods[uid] = change.new
        self.least_available = min(self.least_available, self.available)
        self.most_pods = max(self.most_pods, self.active)

    # --- runs ---

    def update(
        self,
        request: Asking,
        *,
        before: Callable[[int], None] | None = None,
        after: Callable[[int], None] | None = None,
        check: Callable[[Batch], str | None] | None = None,
        review: Callable[[Preview], None] | None = None,
    ) -> SandboxCluster:
        """One run of the engine to its end, or to its pause. ``before`` and ``after``: see
        :class:`SandboxCluster`."""
        cluster = SandboxCluster(self.sandbox)
        cluster.before = before or cluster.before
        cluster.after = after or cluster.after
        return self.update_with(cluster, request, check=check, review=review)

    def update_with(
        self,
        cluster: SandboxCluster,
        request: Asking,
        *,
        check: Callable[[Batch], str | None] | None = None,
        review: Callable[[Preview], None] | None = None,
    ) -> SandboxCluster:
        """The same through that cluster, which may refuse what another one does."""
        run = Update(
            cluster,
            FakeClock(self.sandbox),
            request.intent,
            request.policy,
            self.events.append,
            check=check,
            review=review,
            jitter=lambda: 0.5,
        )
        outcome = self.outcome = run.run()
        self.paused = outcome.end is End.PAUSED
        outcome.checked()
        return cluster

    # --- what there is ---

    def controller(self, name: str) -> Json:
        return self.sandbox.get("ReplicationController", "default", name)

    def controllers(self) -> dict[str, Json]:
        found = self.sandbox.objects("replicationcontrollers", "default")
        return {each["metadata"]["name"]: each for each in found}

    def assert_clean(self, name: str, image: str, replicas: int) -> Json:
        """Exactly one controller of the right name, template and size, owning exactly its pods, all
        available, and nothing left of the update."""
        self.sandbox.settle()
        found = self.controllers()
        assert list(found) == [name], list(found)
        controller = found[name]
        annotations = controller["metadata"].get("annotations") or {}
        assert not set(annotations) & set(record.KEYS), annotations
        assert controller["spec"]["template"]["spec"]["containers"][0]["image"] == image
        assert controller["spec"]["replicas"] == replicas
        status = controller["status"]
        assert (status["replicas"], status.get("availableReplicas", 0)) == (replicas, replicas)
        pods = self.sandbox.pods()
        assert len(pods) == replicas, [pod["metadata"]["name"] for pod in pods]
        for pod in pods:
            assert pod["spec"]["containers"][0]["image"] == image
            assert [owner["uid"] for owner in pod["metadata"]["ownerReferences"]] == [
                controller["metadata"]["uid"]
            ]
        return controller


def to_image(image: str = "nginx:1.9.1", **more: Any) -> Asking:
    return asking(name=NAME, change=changes.image(image), **{"history_limit": 10, **more})


def patched(container: Json, *, restart: bool = False, **more: Any) -> Asking:
    """``--patch``: a strategic merge patch of the only container."""
    edit = MergePatch({"spec": {"containers": [{"name": "nginx", **container}]}})
    return asking(name=NAME, change=TemplateChange((edit,), restart), **more)


def to_file(manifest: Json, **more: Any) -> Asking:
    return asking(name=NAME, change=FileChange(manifest, "rc.yaml"), **{"history_limit": 10, **more})
