"""The API server, as the rest of the program sees it: ``connect`` and the cluster that it returns.

From the user's kubeconfig to plain dicts. What lives here is everything that knows of HTTP, TLS, credentials
and the ``kubernetes`` package (pinned: its low-level signatures change), and nothing else does. Contract:

- objects are plain dicts, as the server sent them; no models;
- whatever goes wrong is a :class:`rollupdate.errors.RollingUpdateError`: ConfigError for the kubeconfig and
  the credentials, ApiError for an answer that is no success, UnreachableError for no answer;
- a request is sent once. Trying again is the engine's business, with one exception: an answer of 401 is met
  with refreshed credentials, once;
- nothing prints; warnings of the server and requests are handed to callbacks, which may be called from
  several threads;
- secrets are in no message, no ``repr`` and nothing that a callback gets, and no private key stays on disk.

Importing this package imports none of its libraries: that happens in ``connect``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rollupdate.cluster.settings import ConnectionConfig, ConnectionFlags, Exchange, OnRequest, OnWarning

if TYPE_CHECKING:
    from rollupdate.cluster.api import ApiCluster
    from rollupdate.cluster.credentials import Credentials

__all__ = ["ConnectionConfig", "ConnectionFlags", "Exchange", "OnRequest", "OnWarning", "connect"]


def connect(
    flags: ConnectionFlags,
    *,
    environ: Mapping[str, str],
    on_warning: OnWarning | None = None,
    on_request: OnRequest | None = None,
    longest_plugin: float | None = None,
) -> ApiCluster:
    """The cluster that kubectl would talk to with these flags, and its namespace. Nothing is sent yet and no
    credential plugin is run; when it is, it may take ``longest_plugin`` seconds. Raises ConfigError."""
    from rollupdate.cluster import execplugin, kubeconfig, oidc
    from rollupdate.cluster.api import ApiCluster
    from rollupdate.cluster.connection import Connection
    from rollupdate.cluster.credentials import CredentialSource

    config = kubeconfig.resolve(flags, environ)
    longest = longest_plugin or execplugin.LONGEST_RUN

    def from_plugin() -> Credentials:
        return execplugin.run(config, environ, longest_run=longest)

    def from_kubeconfig() -> Credentials:
        return oidc.credentials(kubeconfig.resolve(flags, environ))  # kubectl may have got a new token

    provide = from_plugin if config.auth.plugin is not None else None
    if config.auth.id_token is not None:
        provide = from_kubeconfig
    connection = Connection(
        config,
        CredentialSource(config, provide),
        environ=environ,
        on_warning=on_warning,
        on_request=on_request,
    )
    return ApiCluster(connection, config)
