"""Looks, decides, and carries a step out: by requests only, each on condition that nothing has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from testing.objects import Json
from testing.openshift import names
from testing.openshift.decide import decide
from testing.openshift.seen import Config, Controller, Seen
from testing.openshift.steps import Create, Delete, Replace, Step, Tell


class Requests(Protocol):
    """How a cluster is asked. A refusal is raised, as whatever error its caller knows."""

    def request(self, method: str, path: str, body: Any = None) -> Json: ...


class ConfigController:
    """For the configs of any namespace. ``now`` is the time as the API writes it."""

    def __init__(self, requests: Requests, now: Callable[[], str]) -> None:
        self._requests = requests
        self._now = now

    def work(self, namespace: str, name: str) -> bool:
        """Do the next thing for one config, if there is any; False if not, or if there is no such config.

        Raises what the cluster refuses: then it is to be tried again.
        """
        # The config last: one that is there then has not lost its controllers by a deletion before, and may
        # adopt what nobody owned. (OpenShift's controller looks at the config once more before it adopts.)
        controllers = self._requests.request("GET", _controllers(namespace))["items"]
        listed = self._requests.request("GET", _configs(namespace))["items"]
        found = next((config for config in listed if config["metadata"]["name"] == name), None)
        if found is None:
            return False
        config = {"apiVersion": names.VERSION, "kind": names.KIND, **found}
        seen = Seen(Config(config), tuple(Controller(each) for each in controllers), self._now())
        step = decide(seen)
        if step is None:
            return False
        self._carry_out(config, step)
        return True

    def _carry_out(self, config: Json, step: Step) -> None:
        namespace = config["metadata"]["namespace"]
        match step:
            case Create(manifest, status):
                self._requests.request("POST", _controllers(namespace), manifest)
                self._tell(config, status)
            case Replace(new):
                path = f"{_controllers(namespace)}/{new['metadata']['name']}"
                self._requests.request("PUT", path, new)
            case Delete(controller):
                options = {"propagationPolicy": "Background"}
                self._requests.request("DELETE", f"{_controllers(namespace)}/{controller.name}", options)
            case Tell(status):
                self._tell(config, status)

    def _tell(self, config: Json, status: Json) -> None:
        metadata = config["metadata"]
        path = f"{_configs(metadata['namespace'])}/{metadata['name']}/status"
        self._requests.request("PUT", path, {**config, "status": status})


def _configs(namespace: str) -> str:
    return f"/apis/{names.VERSION}/namespaces/{namespace}/{names.PLURAL}"


def _controllers(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/replicationcontrollers"
