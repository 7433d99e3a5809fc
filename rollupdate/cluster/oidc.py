"""The legacy ``auth-provider: oidc`` of a kubeconfig user: its id-token is used until it expires.

kubectl uses it so, too, and has the identity provider give it another one afterwards, which it writes into
the kubeconfig. That is left to kubectl: the kubeconfig is read again when the token has expired. Nothing is
sent to an identity provider here.
"""

from __future__ import annotations

import base64
import json
import time

from rollupdate.cluster.credentials import Credentials, bearer
from rollupdate.cluster.schema import AuthProvider
from rollupdate.cluster.settings import ConnectionConfig, IdToken
from rollupdate.errors import ConfigError

NAME = "oidc"
_REQUIRED = ("idp-issuer-url", "client-id")
_KUBECTL_DOES = (
    "kubectl does, and keeps it in the kubeconfig: run any kubectl command, such as `kubectl get rc`, then "
    "this one again"
)
_NOBODY_DOES = "there is no refresh-token: log in again with the program that wrote the kubeconfig"
_SPARE = 10.0
"""Seconds before its end from which on a token is taken for expired, as kubectl does."""


def problems(provider: AuthProvider, name: str) -> list[str]:
    """What kubectl refuses in the entry of user ``name``."""
    missing = [field for field in _REQUIRED if not provider.config.get(field)]
    return [f'auth-provider oidc of user "{name}": Must provide {missing[0]}'] if missing else []


def id_token(provider: AuthProvider) -> IdToken | None:
    """None for another provider."""
    if provider.name != NAME:
        return None
    return IdToken(provider.config.get("id-token", ""), bool(provider.config.get("refresh-token")))


def credentials(config: ConnectionConfig, *, now: float | None = None) -> Credentials:
    """What to send until the token expires. ``now``: seconds since the epoch. Raises ConfigError."""
    held = config.auth.id_token or IdToken()  # it may be gone from the kubeconfig by now
    moment = time.time() if now is None else now
    expires = _expiry(held.token, config.whose) - _SPARE if held.token else 0.0
    if expires <= moment:
        expired = "has expired" if held.token else "is missing"
        raise ConfigError(
            f"the id-token of {config.whose} (auth-provider oidc) {expired}, and this command does not get "
            "another one",
            hint=_KUBECTL_DOES if held.refreshable else _NOBODY_DOES,
        )
    certificate, key = config.auth.certificate, config.auth.key
    return Credentials(
        bearer(held.token, config.whose),
        certificate.read("client-cert"),
        key.read("client-key"),
        expires_at=expires,
    )


def _expiry(token: str, whose: str) -> float:
    """Seconds since the epoch; 0 if the token does not say. It is not verified: the server does that."""
    parts = token.split(".")
    try:
        if len(parts) != 3:
            raise ValueError("not three parts")
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(claims.get("exp") or 0)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ConfigError(f"the id-token of {whose} (auth-provider oidc) is not a valid JWT") from None
