"""Through which proxy: as Go reads the environment, and as client-go reads proxy-url."""

from __future__ import annotations

import pytest

from rollupdate.cluster.proxies import proxy_for
from rollupdate.errors import ConfigError

PROXY = "http://proxy.test:3128"


@pytest.mark.parametrize(
    ("server", "environ", "proxy"),
    [
        ("https://api.test", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https://api.test", {"https_proxy": PROXY}, PROXY),
        ("https://api.test", {"HTTPS_PROXY": "proxy.test:3128"}, PROXY),
        ("https://api.test", {"HTTPS_PROXY": "", "https_proxy": PROXY}, PROXY),
        ("https://api.test", {"HTTP_PROXY": PROXY}, ""),
        ("https://api.test", {"ALL_PROXY": PROXY}, ""),
        ("http://api.test", {"HTTP_PROXY": PROXY}, PROXY),
        ("http://api.test", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, ""),
        ("https://localhost:6443", {"HTTPS_PROXY": PROXY}, ""),
        ("https://127.0.0.1:6443", {"HTTPS_PROXY": PROXY}, ""),
        ("https://127.8.9.1:6443", {"HTTPS_PROXY": PROXY}, ""),
        ("https://[::1]:6443", {"HTTPS_PROXY": PROXY}, ""),
        ("https://10.0.0.7", {"HTTPS_PROXY": PROXY, "NO_PROXY": "192.168.0.0/16,10.0.0.0/8"}, ""),
        ("https://10.0.0.7", {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.7"}, ""),
        ("https://10.0.0.7", {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.8,0.7"}, PROXY),
        ("https://10.0.0.7:6443", {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.7:443"}, PROXY),
        ("https://10.0.0.7:6443", {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.7:6443"}, ""),
        ("https://a.api.test", {"HTTPS_PROXY": PROXY, "NO_PROXY": "api.test"}, ""),
        ("https://api.test", {"HTTPS_PROXY": PROXY, "NO_PROXY": ".api.test"}, PROXY),
        ("https://a.api.test", {"HTTPS_PROXY": PROXY, "NO_PROXY": "*.api.test"}, ""),
        ("https://notapi.test", {"HTTPS_PROXY": PROXY, "NO_PROXY": "api.test"}, PROXY),
        ("https://API.test", {"HTTPS_PROXY": PROXY, "no_proxy": " api.TEST "}, ""),
        ("https://api.test", {"HTTPS_PROXY": PROXY, "NO_PROXY": "api.test:443"}, ""),
        ("https://api.test:6443", {"HTTPS_PROXY": PROXY, "NO_PROXY": "api.test:443"}, PROXY),
        ("https://api.test", {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, ""),
    ],
)
def test_the_environment(server: str, environ: dict[str, str], proxy: str) -> None:
    assert proxy_for(server, "", environ) == proxy


def test_proxy_url_counts_always() -> None:
    """Even for this machine and against NO_PROXY, as in client-go."""
    assert proxy_for("https://127.0.0.1", PROXY, {"NO_PROXY": "*"}) == PROXY


@pytest.mark.parametrize("value", ["socks5://p:1", "ftp://p", "http://p:port", "http://", "http://p q"])
def test_proxies_that_cannot_be_used(value: str) -> None:
    """Refused: going around a proxy that was asked for could not be right."""
    with pytest.raises(ConfigError, match="HTTPS_PROXY"):
        proxy_for("https://api.test", "", {"HTTPS_PROXY": value})
