"""Which proxy a connection goes through, as Go's net/http and client-go decide it. Pure.

``proxy-url`` of a kubeconfig is always used, NO_PROXY or not. Else HTTPS_PROXY or HTTP_PROXY count, by the
scheme of the server, unless NO_PROXY names the host or the host is this machine.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from rollupdate.errors import ConfigError

_PORTS = {"http": 80, "https": 443}


def proxy_for(server: str, proxy_url: str, environ: Mapping[str, str]) -> str:
    """The URL of the proxy, "" for none. Raises ConfigError for one that cannot be used."""
    if proxy_url:
        return check(proxy_url, "proxy-url of the kubeconfig")
    parts = urlsplit(server)
    name = f"{parts.scheme}_proxy"
    value = environ.get(name.upper()) or environ.get(name) or ""
    if not value or (name == "http_proxy" and environ.get("REQUEST_METHOD")):
        return ""  # a CGI program gets HTTP_PROXY from whoever sends a header of the name Proxy
    rules = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    if _direct(parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0), rules):
        return ""
    scheme, separator, _ = value.partition("://")
    if not separator or not scheme.isalnum():
        value = f"http://{value}"
    return check(value, f"the environment's {name.upper()}")


def check(url: str, where: str) -> str:
    """``url`` if it can be used as a proxy."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or any(char.isspace() or ord(char) < 32 for char in url):
        raise ConfigError(f"{where}: could not parse the address", hint="it looks like http://HOST:PORT")
    if parts.scheme in ("socks5", "socks5h"):
        raise ConfigError(
            f"{where}: SOCKS proxies are not supported here",
            hint="use an http:// or https:// proxy, or --server with a port forwarded through the other",
        )
    if parts.scheme not in _PORTS:
        raise ConfigError(f'{where}: unsupported scheme "{parts.scheme}", must be http or https')
    return url


def _direct(host: str, port: int, rules: str) -> bool:
    """Whether the host is reached without a proxy (golang.org/x/net/http/httpproxy)."""
    host = host.lower().rstrip(".")
    address: ipaddress.IPv4Address | ipaddress.IPv6Address | None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    return any(_matches(rule.strip().lower(), host, port, address) for rule in rules.split(","))


def _matches(
    rule: str, host: str, port: int, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None
) -> bool:
    if not rule:
        return False
    if rule == "*":
        return True
    try:
        network = ipaddress.ip_network(rule, strict=False)
    except ValueError:
        pass
    else:
        return address is not None and address in network
    name, colon, wanted = rule.rpartition(":")
    if colon and wanted.isdigit():
        if int(wanted) != port:
            return False
        rule = name.removeprefix("[").removesuffix("]")
    if address is not None:
        try:
            return ipaddress.ip_address(rule) == address
        except ValueError:
            return False
    rule = rule.removeprefix("*")
    if rule.startswith("."):
        return host.endswith(rule)
    return host == rule or host.endswith("." + rule)
