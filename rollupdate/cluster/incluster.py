"""The service account that a pod is given, used where no kubeconfig says otherwise (client-go's in-cluster
configuration). Only looks for it and describes it; what takes precedence is decided in ``kubeconfig``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rollupdate.cluster.schema import ClusterEntry, UserEntry
from rollupdate.cluster.settings import Pem

DIRECTORY = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True)
class ServiceAccount:
    """Where the API server is for pods of this cluster, and the pod's namespace."""

    server: str
    namespace: str
    token_file: str
    authority_file: str
    """"" where the pod has none."""

    def cluster(self, given: ClusterEntry) -> ClusterEntry:
        """``given`` (from flags) completed."""
        if given.authority or given.insecure or not self.authority_file:
            return given
        return replace(given, authority=Pem(file=self.authority_file))

    def user(self, given: UserEntry) -> UserEntry:
        """``given`` (from flags) completed: the pod's token unless there is another identity."""
        if given.token or given.certificate or given.username:
            return given
        return replace(given, token_file=self.token_file)


def service_account(environ: Mapping[str, str], directory: Path | None = None) -> ServiceAccount | None:
    """None where this is no pod, or one without a service account's token."""
    directory = directory or DIRECTORY
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    token, authority = directory / "token", directory / "ca.crt"
    try:
        if not host or not port or not token.is_file():
            return None
        has_authority = authority.is_file()
    except OSError:
        return None
    try:
        namespace = (directory / "namespace").read_text().strip()
    except (OSError, ValueError):
        namespace = ""
    return ServiceAccount(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        namespace=environ.get("POD_NAMESPACE") or namespace,
        token_file=str(token),
        authority_file=str(authority) if has_authority else "",
    )
