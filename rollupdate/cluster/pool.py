"""The ``kubernetes`` package's REST client over a connection pool of ours.

The package makes its own pool from file names and the environment: keys would have to stay on disk, proxies
would be chosen otherwise than by kubectl, and reads be tried again behind the engine's back. So it gets one
with a TLS context from ``tls`` and the proxy from ``proxies``; how a request is put together stays its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3

from rollupdate.cluster import tls
from rollupdate.cluster.credentials import Credentials
from rollupdate.cluster.package import RESTClientObject, tcp_keepalive_socket_options
from rollupdate.cluster.settings import ConnectionConfig

PARALLEL = 20
"""Connections kept: sixteen threads that write to pods, and some to spare."""


class RestClient(RESTClientObject):  # type: ignore[misc]  # untyped where it comes from
    """The package's, over this pool."""

    def __init__(self, pool: urllib3.PoolManager) -> None:
        # Not the package's own: all that it does is to make a pool from a Configuration.
        self.configuration = None
        self.pool_manager = pool


@dataclass(frozen=True)
class Clients:
    """Two to one server. Streams have connections of their own: a watch that took the one that has been used
    would leave the next request to open another, two or three round trips."""

    requests: RestClient
    streams: RestClient

    def close(self) -> None:
        self.requests.close()
        self.streams.close()


def new_clients(config: ConnectionConfig, proxy: str, credentials: Credentials) -> Clients:
    """Clients that connect with this certificate. ``proxy``: a URL, "" for none. Raises ConfigError."""
    options: dict[str, Any] = {
        "maxsize": PARALLEL,
        "retries": False,
        "socket_options": tcp_keepalive_socket_options(),
    }
    if config.server.startswith("https:"):
        options["ssl_context"] = tls.client_context(
            config.tls, credentials.certificate, credentials.key, config.whose
        )
        if config.tls.server_name:
            options["server_hostname"] = config.tls.server_name
        if config.tls.insecure:
            options["assert_hostname"] = False

    def client() -> RestClient:
        return RestClient(_proxy_manager(proxy, config, options) if proxy else _PoolManager(**options))

    return Clients(client(), client())


def _proxy_manager(proxy: str, config: ConnectionConfig, options: dict[str, Any]) -> urllib3.ProxyManager:
    parts = urlsplit(proxy)
    headers = None
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers = urllib3.make_headers(proxy_basic_auth=login)
    if parts.scheme == "https":
        options["proxy_ssl_context"] = tls.proxy_context(config.tls)
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return _ProxyManager(address, proxy_headers=headers, **options)


class _PoolManager(urllib3.PoolManager):
    """An answer that leads elsewhere is an answer here: ``redirects`` says what becomes of it."""

    def urlopen(self, method: str, url: str, redirect: bool = True, **kw: Any) -> urllib3.BaseHTTPResponse:  # type: ignore[override]  # noqa: ARG002  # the signature is urllib3's
        return super().urlopen(method, url, redirect=False, **kw)


class _ProxyManager(_PoolManager, urllib3.ProxyManager):
    """urllib3 joins headers of one name into one value on the way to a plain proxy: two impersonated groups
    would become one that nobody is in."""

    def _set_proxy_headers(self, url: str, headers: Mapping[str, str] | None = None) -> Mapping[str, str]:  # noqa: ARG002  # the signature is urllib3's
        return urllib3.HTTPHeaderDict(headers)
