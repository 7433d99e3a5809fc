"""The command lines of etcd, kube-apiserver and kube-controller-manager for one private plane.

Pure but for :func:`version_of`. Kubernetes 1.20 (Debian 12) and newer are known; each difference names its
version.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from testing.controlplane.certificates import KeyPair
from testing.controlplane.unavailable import Unavailable

CONTROLLERS = (
    "replicationcontroller",
    "garbagecollector",
    "replicaset",
    "deployment",
    "endpoint",
    "namespace",
    "serviceaccount",
    "horizontalpodautoscaling",
    "disruption",
    "resourcequota",
)
"""What a rolling update meets or is compared with; nothing that needs nodes, volumes or a cloud."""

Version = tuple[int, int, int]
_VERSION = re.compile(r"(?:Kubernetes v|etcd Version: )(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class Limits:
    """Requests a second of the controller manager, and how many it may send at once before. Each of its
    controllers has them for itself."""

    qps: int
    burst: int

    @property
    def refill(self) -> float:
        """Seconds without requests after which the whole burst may be sent again."""
        return self.burst / self.qps


DEFAULT_LIMITS = Limits(20, 30)
"""Those of a controller manager that is told nothing."""
RAISED_LIMITS = Limits(1000, 2000)
"""With its defaults the manager would be the slowest part of every test and measurement."""


@dataclass(frozen=True)
class Binaries:
    """The three programs."""

    etcd: Path
    apiserver: Path
    controller_manager: Path

    @property
    def folder(self) -> Path:
        """Where they are, if all are in one place (as in the cache): that of the API server."""
        return self.apiserver.parent


@dataclass(frozen=True)
class Ports:
    """Loopback ports of one plane; the controller manager serves none."""

    etcd: int
    etcd_peer: int
    apiserver: int


@dataclass(frozen=True)
class Files:
    """What the servers read and write, all in the plane's folder but for the audit log."""

    data: Path
    ca: Path
    etcd_pair: KeyPair
    etcd_client: KeyPair
    kubelet_client: KeyPair
    apiserver_pair: KeyPair
    tokens: Path
    service_account_key: Path
    manager_kubeconfig: Path
    audit_policy: Path | None = None
    audit_log: Path | None = None


def parse_version(text: str) -> Version:
    """The version in what ``--version`` prints. Raises ValueError."""
    match = _VERSION.search(text)
    if match is None:
        raise ValueError(f"no version in {text.strip()[:200]!r}")
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch)


def version_of(program: Path) -> Version:
    """Ask a program for its version. Raises :class:`Unavailable` when it can't run here."""
    try:
        result = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return parse_version(result.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise Unavailable(f"{program} does not tell its version: {error}") from error


def etcd_argv(program: Path, version: Version, ports: Ports, files: Files) -> list[str]:
    """A single member that talks TLS only, with client certificates of our own authority."""
    url = f"https://127.0.0.1:{ports.etcd}"
    peer = f"https://127.0.0.1:{ports.etcd_peer}"
    pair = files.etcd_pair
    argv = [
        str(program),
        "--name=plane",
        f"--data-dir={files.data}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=plane={peer}",
        f"--cert-file={pair.certificate}",
        f"--key-file={pair.key}",
        f"--trusted-ca-file={files.ca}",
        "--client-cert-auth",
        f"--peer-cert-file={pair.certificate}",
        f"--peer-key-file={pair.key}",
        f"--peer-trusted-ca-file={files.ca}",
        "--peer-client-cert-auth",
    ]
    if version >= (3, 5, 0):
        argv.append("--unsafe-no-fsync")
    return argv


def apiserver_argv(program: Path, version: Version, ports: Ports, files: Files) -> list[str]:
    """RBAC, static tokens and client certificates, loopback only, nothing insecure."""
    argv = [
        str(program),
        f"--etcd-servers=https://127.0.0.1:{ports.etcd}",
        f"--etcd-cafile={files.ca}",
        f"--etcd-certfile={files.etcd_client.certificate}",
        f"--etcd-keyfile={files.etcd_client.key}",
        "--bind-address=127.0.0.1",
        # Both are looked up from the default route otherwise, and there may be none.
        "--advertise-address=127.0.0.1",
        f"--external-hostname=127.0.0.1:{ports.apiserver}",
        "--endpoint-reconciler-type=none",
        f"--secure-port={ports.apiserver}",
        f"--tls-cert-file={files.apiserver_pair.certificate}",
        f"--tls-private-key-file={files.apiserver_pair.key}",
        f"--client-ca-file={files.ca}",
        # For the logs of containers, from the hollow kubelet.
        f"--kubelet-client-certificate={files.kubelet_client.certificate}",
        f"--kubelet-client-key={files.kubelet_client.key}",
        f"--kubelet-certificate-authority={files.ca}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--token-auth-file={files.tokens}",
        "--authorization-mode=RBAC",
        # No token controller runs that would make the secrets they want, and no node controller.
        "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
        # Required from 1.20 on.
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={files.service_account_key}",
        f"--service-account-signing-key-file={files.service_account_key}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--allow-privileged=true",
        "--max-requests-inflight=2000",
        "--max-mutating-requests-inflight=1000",
        "--shutdown-delay-duration=0s",
    ]
    if version < (1, 24, 0):
        argv.append("--insecure-port=0")  # removed in 1.24
    if files.audit_log is not None:
        argv += [
            f"--audit-policy-file={files.audit_policy}",
            f"--audit-log-path={files.audit_log}",
            "--audit-log-format=json",
            "--audit-log-mode=blocking",  # an entry is there before its answer is
        ]
    return argv


def controller_manager_argv(
    program: Path, version: Version, files: Files, limits: Limits = RAISED_LIMITS
) -> list[str]:
    """Only the controllers we meet, fast, without leader election and without a port."""
    argv = [
        str(program),
        f"--kubeconfig={files.manager_kubeconfig}",
        f"--controllers={','.join(CONTROLLERS)}",
        "--leader-elect=false",
        "--secure-port=0",
        f"--kube-api-qps={limits.qps}",
        f"--kube-api-burst={limits.burst}",
        f"--service-account-private-key-file={files.service_account_key}",
        f"--root-ca-file={files.ca}",
    ]
    if version < (1, 24, 0):
        argv.append("--port=0")  # removed in 1.24
    return argv
