"""One private control plane: etcd, kube-apiserver, kube-controller-manager, hollow kubelet, start to stop.

Several run side by side. What the servers are told is in :mod:`testing.controlplane.servers`, how they are
ended with their owner in :mod:`testing.controlplane.processes`, what pods do in
:mod:`testing.controlplane.kubelet`.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Self

import urllib3

from testing import kubeconfig
from testing.client import TROUBLE, Client
from testing.controlplane import probe, servers
from testing.controlplane.certificates import Authority, KeyPair, service_account_key
from testing.controlplane.kubelet import CONNECTIONS, register_node
from testing.controlplane.kubelet_logs import LogServer
from testing.controlplane.plane import Auth, ControlPlane, User
from testing.controlplane.processes import Processes, ServerExited, free_ports
from testing.controlplane.servers import RAISED_LIMITS, Binaries, Files, Limits, Ports
from testing.kubeconfig import Access
from testing.kubelet.behaviour import KubeletConfig
from testing.objects import Json

_GROUPS = {"admin": "system:masters", "limited": "rollupdate:limited"}
_ATTEMPTS = 5
"""How often new ports are chosen when another process was quicker."""
_PORT_TAKEN = "address already in use"
_AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules: [{level: Metadata}]
"""


@dataclass(frozen=True)
class _Setup:
    """What is made once per plane, before ports are chosen."""

    authority: Authority
    etcd: KeyPair
    apiserver: KeyPair
    etcd_client: KeyPair
    kubelet: KeyPair
    kubelet_client: KeyPair
    service_account: Path
    tokens: dict[str, str]


class PrivatePlane(ControlPlane):
    """A plane of our own. Made by :meth:`start`."""

    def __init__(
        self, processes: Processes, setup: _Setup, port: int, apiserver: list[str], manager: list[str]
    ) -> None:
        url = f"https://127.0.0.1:{port}"
        self.processes = processes
        self._setup = setup
        self._apiserver = apiserver
        self._manager = manager
        self._certificates: dict[str, KeyPair] = {}
        self._access = Access(server=url, authority=setup.authority.path.read_text())
        self._logs: LogServer | None = None
        super().__init__(url, self.client("admin"))

    @classmethod
    def start(
        cls,
        binaries: Binaries,
        *,
        kubelet: KubeletConfig | None = None,
        hollow: bool = True,
        audit_log: Path | None = None,
        limits: Limits = RAISED_LIMITS,
        timeout: float = 90,
    ) -> Self:
        """Start a plane and wait (``timeout`` seconds at most) until its controllers act.

        ``hollow=False`` leaves pods pending; ``audit_log`` has every request written there as a JSON line;
        ``limits`` are those of the controller manager.
        """
        deadline = time.monotonic() + timeout
        if audit_log is not None:
            audit_log = audit_log.absolute()  # the servers run in a folder of their own
        versions = [servers.version_of(program) for program in (binaries.etcd, binaries.apiserver)]
        processes = Processes()
        logs: LogServer | None = None
        try:
            setup = _prepare(processes.folder)
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    plane = cls._boot(binaries, versions, processes, setup, audit_log, limits, deadline)
                    break
                except ServerExited as error:
                    if _PORT_TAKEN not in error.log_tail or attempt == _ATTEMPTS:
                        raise
                    processes.stop_all()
                    shutil.rmtree(processes.folder / "etcd", ignore_errors=True)
            logs = plane._logs = LogServer(setup.kubelet, str(setup.authority.path))
            register_node(plane.admin, logs.port)
            probe.allow_reading(plane.admin, _GROUPS["limited"])
            probe.wait_for_controllers(plane.admin, plane._until(deadline))
            if hollow:
                client = plane.client("admin", connections=CONNECTIONS, agent="hollow-kubelet")
                logs.read = plane._start_kubelet(client, kubelet).read_log
        except BaseException:
            if logs is not None:
                logs.close()
            processes.close()
            raise
        plane.audit_log = audit_log
        return plane

    @classmethod
    def _boot(
        cls,
        binaries: Binaries,
        versions: list[servers.Version],
        processes: Processes,
        setup: _Setup,
        audit_log: Path | None,
        limits: Limits,
        deadline: float,
    ) -> Self:
        ports = Ports(*free_ports(3))
        url = f"https://127.0.0.1:{ports.apiserver}"
        files = _files(processes.folder, setup, audit_log)
        manager = Access(
            server=url, authority=setup.authority.path.read_text(), token=setup.tokens["manager"]
        )
        kubeconfig.write(files.manager_kubeconfig, manager)
        argv = servers.apiserver_argv(binaries.apiserver, versions[1], ports, files)
        program = binaries.controller_manager
        manager_argv = servers.controller_manager_argv(program, versions[1], files, limits)
        processes.start("etcd", servers.etcd_argv(binaries.etcd, versions[0], ports, files))
        processes.start("kube-apiserver", argv)
        plane = cls(processes, setup, ports.apiserver, argv, manager_argv)
        until = plane._until(deadline)
        # The manager gives up when the server does not answer soon, so it comes second.
        until(lambda: bool(plane.admin.get("/version")), "the API server to answer")
        processes.start("kube-controller-manager", manager_argv)
        until(lambda: bool(plane.admin.get("/readyz")), "the API server to be ready")
        return plane

    def client(self, user: User, *, connections: int = 8, agent: str = "rollupdate-controlplane") -> Client:
        """A client for looking at the cluster as ``user``."""
        access = replace(self._access, token=self._setup.tokens[user])
        return Client(access, agent=agent, connections=connections)

    def write_kubeconfig(self, path: Path, user: User = "admin", auth: Auth = "token") -> Path:
        if auth == "certificate":
            if user not in self._certificates:
                self._certificates[user] = self._setup.authority.client(user, _GROUPS[user])
            pair = self._certificates[user]
            access = replace(self._access, certificate=pair.certificate.read_text(), key=pair.key.read_text())
        else:
            access = replace(self._access, token=self._setup.tokens[user])
        return kubeconfig.write(path, access)

    def restart_apiserver(self, *, kill: bool = False, pause: float = 0.0) -> None:
        self.processes.stop("kube-apiserver", kill=kill)
        time.sleep(pause)
        self.processes.start("kube-apiserver", self._apiserver)
        self._until(time.monotonic() + 60)(
            lambda: bool(self.admin.get("/readyz")), "the API server to be ready again"
        )

    @contextlib.contextmanager
    def pausing_manager(self, random: Random) -> Iterator[None]:
        """Meanwhile the controller manager stops for moments, again and again: it is always behind."""
        pid, ended = self.processes.pid("kube-controller-manager"), threading.Event()

        def stop_and_go() -> None:
            while not ended.wait(random.uniform(0.0, 0.2)):
                os.kill(pid, signal.SIGSTOP)
                ended.wait(random.uniform(0.05, 0.6))
                os.kill(pid, signal.SIGCONT)

        thread = threading.Thread(target=stop_and_go, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def define(self, definition: Json) -> None:
        """Serve the kind of a CustomResourceDefinition; fine if it is served already.

        The controller manager is started again: its garbage collector would learn of the kind half a minute
        later, and deletes nothing of its objects until then.
        """
        until = self._until(time.monotonic() + 60)
        if not probe.define(self.admin, definition, until):
            return
        self.processes.stop("kube-controller-manager")
        self.processes.start("kube-controller-manager", self._manager)
        probe.wait_for_controllers(self.admin, until)

    def compact(self, version: str) -> None:
        """Have etcd forget what was before a resourceVersion, as API servers do every five minutes."""
        told = dict(argument.partition("=")[::2] for argument in self._apiserver)
        pool = urllib3.PoolManager(
            ca_certs=told["--etcd-cafile"], cert_file=told["--etcd-certfile"], key_file=told["--etcd-keyfile"]
        )
        body = json.dumps({"revision": version, "physical": True})
        answer = pool.request("POST", told["--etcd-servers"] + "/v3/kv/compaction", body=body, timeout=10)
        if answer.status != 200:
            raise RuntimeError(f"etcd did not compact: {answer.status} {answer.data!r}")

    def stop(self) -> None:
        # The servers first: then nobody waits for an answer of theirs, however slow they are to end.
        self.processes.close()
        super().stop()
        if self._logs is not None:
            self._logs.close()
            self._logs = None

    def _until(self, deadline: float) -> Callable[[Callable[[], bool], str], None]:
        """A function that waits for a condition, as long as the servers live and the deadline is ahead."""

        def wait(condition: Callable[[], bool], what: str) -> None:
            while True:
                with contextlib.suppress(*TROUBLE):
                    if condition():
                        return
                for name in self.processes.started:
                    self.processes.check(name)
                if time.monotonic() > deadline:
                    raise TimeoutError(f"waited in vain for {what}\n{self.processes.tails()}")
                time.sleep(0.05)

        return wait


def _prepare(folder: Path) -> _Setup:
    pki = folder / "pki"
    pki.mkdir()
    authority = Authority(pki)
    tokens = {user: secrets.token_hex(16) for user in (*_GROUPS, "manager")}
    rows = [f'{tokens[user]},{user},{user},"{group}"\n' for user, group in _GROUPS.items()]
    rows.append(f'{tokens["manager"]},system:kube-controller-manager,manager,"system:masters"\n')
    path = folder / "tokens.csv"
    path.touch(mode=0o600)
    path.write_text("".join(rows))
    (folder / "audit-policy.yaml").write_text(_AUDIT_POLICY)
    return _Setup(
        authority=authority,
        etcd=authority.server("etcd"),
        apiserver=authority.server("apiserver"),
        etcd_client=authority.client("apiserver-etcd"),
        kubelet=authority.server("kubelet"),
        kubelet_client=authority.client("apiserver-kubelet"),
        service_account=service_account_key(pki),
        tokens=tokens,
    )


def _files(folder: Path, setup: _Setup, audit_log: Path | None) -> Files:
    return Files(
        data=folder / "etcd",
        ca=setup.authority.path,
        etcd_pair=setup.etcd,
        etcd_client=setup.etcd_client,
        kubelet_client=setup.kubelet_client,
        apiserver_pair=setup.apiserver,
        tokens=folder / "tokens.csv",
        service_account_key=setup.service_account,
        manager_kubeconfig=folder / "controller-manager.kubeconfig",
        audit_policy=folder / "audit-policy.yaml",
        audit_log=audit_log,
    )
