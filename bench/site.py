"""The real control plane with what a measurement needs of it: namespaces, controllers, who asked for what."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.command import BenchError, Ran, run
from bench.relay import Relay
from testing.client import ApiError
from testing.controlplane import audit
from testing.controlplane.plane import ControlPlane
from testing.kubeconfig import read, write
from testing.objects import Json
from testing.openshift import names

AGENT = "kubectl-rolling_update/"


@dataclass(frozen=True)
class Strategy:
    """How many pods, and how many at a time, as kubectl writes it."""

    size: int
    surge: str
    unavailable: str

    @property
    def flags(self) -> list[str]:
        return [f"--max-surge={self.surge}", f"--max-unavailable={self.unavailable}"]

    @property
    def pods(self) -> tuple[int, int]:
        """Surge and unavailable in pods: the one rounded up, the other down."""
        surge, unavailable = (
            (-(-self.size * int(text[:-1]) // 100), self.size * int(text[:-1]) // 100)
            if text.endswith("%")
            else (int(text), int(text))
            for text in (self.surge, self.unavailable)
        )
        return surge[0], unavailable[1]

    def __str__(self) -> str:
        return f"{self.size} pods, surge {self.surge}, unavailable {self.unavailable}"


@dataclass(frozen=True)
class Requests:
    """What one update asked of the API."""

    reads: int
    writes: int
    watches: int
    conflicts: int
    throttled: int
    history: int
    """Of the reads and writes, those about the history of the controller."""
    kinds: Counter[str]
    labels: int = 0
    """Writes to pods before there is a new controller: the label of a first update."""
    label_lists: int = 0
    moves: int = 0
    """Writes to pods after that: they change owners."""

    @property
    def total(self) -> int:
        return self.reads + self.writes + self.watches


class Site:
    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self.plane, self.folder = plane, folder
        self.kubeconfig = plane.write_kubeconfig(folder / "kubeconfig")
        parts = urlsplit(plane.url)
        self.relay = Relay(parts.hostname or "127.0.0.1", parts.port or 443)
        relayed = replace(read(self.kubeconfig), server=f"https://127.0.0.1:{self.relay.port}")
        self.relayed = write(folder / "kubeconfig-relayed", relayed)
        self._numbers = itertools.count(1)

    def close(self) -> None:
        self.relay.close()

    def namespace(self) -> str:
        """A new one. The audit log tells by it what belongs to which update."""
        name = f"bench-{next(self._numbers)}"
        self.plane.admin.create("/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    def controller(self, namespace: str, name: str, size: int, *, labelled: bool) -> None:
        """A ReplicationController with all its pods. ``labelled``: as a first update would have left it."""
        labels = {"run": name, **({"deployment": "0"} if labelled else {})}
        spec = {"replicas": size, "selector": labels, "template": _template(labels)}
        self.plane.admin.create(
            f"/api/v1/namespaces/{namespace}/replicationcontrollers",
            {"metadata": {"name": name}, "spec": spec},
        )
        self.settled(f"/api/v1/namespaces/{namespace}/replicationcontrollers/{name}", size)

    def config(self, namespace: str, name: str, size: int) -> None:
        """An OpenShift DeploymentConfig, rolled out with all its pods."""
        labels = {"run": name}
        spec = {"replicas": size, "selector": labels, "template": _template(labels)}
        body = {"apiVersion": names.VERSION, "kind": names.KIND, "metadata": {"name": name}, "spec": spec}
        path = f"/apis/{names.VERSION}/namespaces/{namespace}/{names.PLURAL}"
        self.plane.admin.create(path, body)
        self.settled(f"{path}/{name}", size)
        rollout = f"/api/v1/namespaces/{namespace}/replicationcontrollers/{name}-1"

        def complete() -> bool:
            annotations = self.plane.admin.get(rollout)["metadata"]["annotations"]
            return bool(annotations[names.PHASE] == names.COMPLETE)

        wait(complete, f"{rollout} is complete")

    def deployment(self, namespace: str, name: str, strategy: Strategy) -> None:
        amounts = {"maxSurge": _amount(strategy.surge), "maxUnavailable": _amount(strategy.unavailable)}
        spec = {
            "replicas": strategy.size,
            "selector": {"matchLabels": {"run": name}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": amounts},
            "template": _template({"run": name}),
        }
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        self.plane.admin.create(path, {"metadata": {"name": name}, "spec": spec})
        self.settled(f"{path}/{name}", strategy.size)

    def settled(self, path: str, size: int) -> None:
        """Wait until it has so many pods, all available."""

        def reached() -> bool:
            status = self.plane.admin.get(path).get("status") or {}
            return (status.get("replicas", 0), status.get("availableReplicas", 0)) == (size, size)

        wait(reached, f"{path} has {size} pods")

    def remove(self, namespace: str) -> None:
        """All of it, and wait until its pods are gone: what is being deleted still costs time."""
        for path in (
            f"/apis/{names.VERSION}/namespaces/{namespace}/{names.PLURAL}",
            f"/apis/apps/v1/namespaces/{namespace}/deployments",
            f"/api/v1/namespaces/{namespace}/replicationcontrollers",
        ):
            listed = _unless_gone(partial(self.plane.admin.get, path)) or {"items": []}
            for each in listed["items"]:
                body = {"propagationPolicy": "Background"}
                _unless_gone(partial(self.plane.admin.delete, f"{path}/{each['metadata']['name']}", body))
        pods = f"/api/v1/namespaces/{namespace}/pods"
        wait(lambda: not self.plane.admin.get(pods, limit=1)["items"], f"no pods are left in {namespace}")

    def update(self, namespace: str, name: str, image: str, *flags: str, **options: Any) -> Ran:
        """An update to that image; options as for :func:`bench.command.run`."""
        return self.command(namespace, name, f"--image={image}", *flags, **options)

    def command(self, namespace: str, *words: str, **options: Any) -> Ran:
        """``kubectl rolling-update``; options as for :func:`bench.command.run`."""
        kubeconfig = options.pop("kubeconfig", self.kubeconfig)
        return run(["kubectl", "rolling-update", *words, f"--namespace={namespace}"], kubeconfig, **options)

    def rollout(self, namespace: str, name: str, image: str) -> Ran:
        """The same of a Deployment: ``kubectl set image`` and ``kubectl rollout status``, as one run."""
        target = f"deployment/{name}"
        first = run(
            ["kubectl", "set", "image", target, f"c={image}", f"--namespace={namespace}"], self.kubeconfig
        )
        second = run(["kubectl", "rollout", "status", target, f"--namespace={namespace}"], self.kubeconfig)
        return Ran(first.seconds + second.seconds, (*first.lines, *second.lines), 0.0)

    def requests(self) -> dict[str, Requests]:
        """Of all updates so far, by namespace. A watch is there once it has ended."""
        return {namespace: summary(requests) for namespace, requests in self.log(AGENT).items()}

    def log(self, agent: str = "") -> dict[str, list[audit.Request]]:
        """What was asked so far by agents whose name begins so, by namespace, in the order it came in."""
        found: dict[str, list[audit.Request]] = {}
        if self.plane.audit_log is not None:
            for each in audit.read(self.plane.audit_log, agent=agent):
                found.setdefault(each.namespace, []).append(each)
        return {name: sorted(requests, key=lambda one: one.received) for name, requests in found.items()}


def summary(requests: list[audit.Request]) -> Requests:
    """A dry run changes nothing: it is a read. Where somebody else was quicker, the ``test`` of a patch
    fails, which is answered with 422."""
    watches = [each for each in requests if each.verb == "watch"]
    reads = [each for each in requests if each.verb in ("get", "list") or "dryRun=" in each.uri]
    kinds = [f"{one.verb} {one.resource}" for one in requests if "dryRun=" not in one.uri]
    created = "create replicationcontrollers"
    first = kinds[: kinds.index(created)] if created in kinds else []
    return Requests(
        reads=len(reads),
        writes=len(requests) - len(reads) - len(watches),
        watches=len(watches),
        conflicts=sum(each.status in (409, 422) for each in requests),
        throttled=sum(each.status == 429 for each in requests),
        history=sum(each.resource == "controllerrevisions" for each in requests),
        kinds=Counter(f"{each.verb} {each.resource}" for each in requests),
        labels=first.count("patch pods"),
        label_lists=first.count("list pods"),
        moves=kinds.count("patch pods") - first.count("patch pods"),
    )


def wait(reached: Callable[[], bool], what: str, seconds: float = 240.0) -> None:
    limit = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > limit:
            raise BenchError(f"not within {seconds:g} s: {what}")
        time.sleep(0.1)


def _unless_gone(ask: Callable[[], Json]) -> Json | None:
    """None of what another owner took along, or of a kind that is not served."""
    try:
        return ask()
    except ApiError as error:
        if error.code == 404:
            return None
        raise


def _template(labels: dict[str, str]) -> Json:
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "image:0"}]}}


def _amount(text: str) -> int | str:
    return text if text.endswith("%") else int(text)
