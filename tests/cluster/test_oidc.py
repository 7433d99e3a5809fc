"""The id-token of ``auth-provider: oidc`` during an update. What is sent at its beginning is compared with
kubectl in test_as_kubectl."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from rollupdate.cluster import ConnectionFlags, connect, oidc
from rollupdate.cluster.settings import Auth, ConnectionConfig, IdToken
from rollupdate.errors import ConfigError
from tests.cluster.conftest import WriteConfig
from tests.cluster.servers import Authority, controller, serving


def token(expires: float, **claims: Any) -> str:
    parts = ({"alg": "none"}, {"exp": expires, **claims})
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return ".".join([*encoded, "signature"])


def user(id_token: str) -> dict[str, Any]:
    known = {"idp-issuer-url": "https://idp.invalid", "client-id": "k", "refresh-token": "r"}
    return {"auth-provider": {"name": "oidc", "config": {**known, "id-token": id_token}}}


def test_a_token_that_kubectl_has_renewed_is_found(
    authority: Authority, environ: dict[str, str], kubeconfig: WriteConfig, tmp_path: Path
) -> None:
    """The update outlives the token: once it has expired the kubeconfig is read again. While there is no
    other one, nothing is sent, and the message says who gets one."""
    cluster = {"certificate-authority-data": base64.b64encode(authority.pem).decode()}
    now = time.time()
    first, second = token(now + 11.0), token(now + 3600)
    with serving(lambda request: controller("web"), context=authority.server_context(tmp_path)) as server:
        kubeconfig({"server": server.url, **cluster}, user(first))
        found = connect(ConnectionFlags(), environ=environ)
        found.get_controller("web")
        source = found._connection._source
        source._wall_clock = lambda: now + 2.0
        expired = token(now - 3600)
        kubeconfig({"server": server.url, **cluster}, user(expired))
        with pytest.raises(ConfigError) as caught:
            found.get_controller("web")
        kubeconfig({"server": server.url, **cluster}, user(second))
        found.get_controller("web")
    assert caught.value.message.startswith('the id-token of user "u" (auth-provider oidc) has expired')
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("kubectl does, and keeps it in the kubeconfig")
    assert expired not in str(caught.value)
    sent = [request.header("Authorization") for request in server.requests]
    assert sent == [f"Bearer {first}", f"Bearer {second}"]


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (IdToken(), "is missing"),
        (IdToken(token(100.0)), "has expired"),
        (IdToken(token(109.0)), "has expired"),
        (IdToken("a.b"), "is not a valid JWT"),
        (IdToken("a.!.c"), "is not a valid JWT"),
        (IdToken("a.W10.c"), "is not a valid JWT"),
        (IdToken(token(0, exp="soon")), "is not a valid JWT"),
        (IdToken(token(0, exp=[1])), "is not a valid JWT"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tokens_that_cannot_be_used(held: IdToken, message: str) -> None:
    config = ConnectionConfig("https://api.test", auth=Auth(id_token=held), user="u")
    with pytest.raises(ConfigError) as caught:
        oidc.credentials(config, now=100.0)
    assert message in caught.value.message
    assert "IdToken(refreshable" in repr(held)


def test_a_token_is_used_to_ten_seconds_before_its_end() -> None:
    config = ConnectionConfig("https://api.test", auth=Auth(id_token=IdToken(token(111.0))), user="u")
    found = oidc.credentials(config, now=100.0)
    assert (found.authorization, found.expires_at) == (f"Bearer {token(111.0)}", 101.0)
