"""DeploymentConfigs: a manifest, and a cluster that knows the kind, with its controller in a namespace."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from testing.objects import Json
from testing.openshift import names
from tests.support.manifests import my_nginx


class Held(Protocol):
    """The controller of DeploymentConfigs. While it is paused it does nothing."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...


@dataclass(frozen=True)
class OpenShift:
    """``control`` runs the controller in a namespace for as long as its result is entered."""

    kubeconfig: Path
    control: Callable[[str], AbstractContextManager[Held]]
    is_real: bool = False
    """On the real control plane."""


def config_of(
    name: str = "web",
    replicas: int = 2,
    image: str = "nginx:1.7.9",
    *,
    comes_to: str = names.COMPLETE,
    **spec: Any,
) -> Json:
    """A DeploymentConfig of the controllers of the documentation. ``comes_to``: where its rollouts stop."""
    template = my_nginx(image=image)["spec"]["template"]
    return {
        "apiVersion": names.VERSION,
        "kind": names.KIND,
        "metadata": {"name": name, "annotations": {names.COMES_TO: comes_to}},
        "spec": {"replicas": replicas, "selector": {"app": "nginx"}, "template": template, **spec},
    }
