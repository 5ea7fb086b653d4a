"""Access tokens for Graph: issued at the sign-in, checked at each request."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import jwt

from .keys import signing_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from intune_vpp_emulator.directory import AppRegistration, Directory

_KEY_ID: Final = "intune-vpp-emulator"


class AccessRefusedError(Exception):
    """An access token that is not valid here; the text is Graph's."""


def public_keys() -> dict[str, Any]:
    """The JSON Web Key Set of the access tokens."""
    public = jwt.algorithms.RSAAlgorithm.to_jwk(signing_key("Entra").public_key(), as_dict=True)
    return {"keys": [{**public, "kid": _KEY_ID, "use": "sig", "alg": "RS256"}]}


def issue(  # noqa: PLR0913 - options, each by its name
    directory: Directory,
    app: AppRegistration,
    *,
    audience: str,
    now: datetime,
    seconds: float = 3600,
    roles: Iterable[str] | None = None,
    session: int = 0,
) -> str:
    """An access token for Graph at `audience`, valid for so many seconds, with the roles of `app` or with others."""
    granted = sorted(app.roles if roles is None else roles)
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{directory.tenant_id}/",
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int((now + timedelta(seconds=seconds)).timestamp()),
        "appid": app.client_id,
        "idtyp": "app",
        **({"roles": granted} if granted else {}),  # an application without a role has no claim
        "sid": str(session),
        "tid": directory.tenant_id,
        "uti": secrets.token_urlsafe(16),
        "ver": "1.0",
    }
    return jwt.encode(claims, signing_key("Entra"), algorithm="RS256", headers={"kid": _KEY_ID})


def claimed(access_token: str, name: str) -> str:
    """A claim of an access token that was not verified; empty where it has none."""
    try:
        return str(jwt.decode(access_token, options={"verify_signature": False}).get(name, ""))
    except jwt.PyJWTError:
        return ""


def roles_of(
    directory: Directory, access_token: str, *, audiences: frozenset[str], now: datetime, session: int = 0
) -> frozenset[str]:
    """The permissions of the bearer; raises AccessRefusedError. Tokens of earlier sessions are revoked."""
    # The times are checked below, by the tenant's clock; the library would take the machine's.
    try:
        claims = jwt.decode(
            access_token,
            signing_key("Entra").public_key(),
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
        )
    except jwt.PyJWTError:
        raise AccessRefusedError("Access token validation failure. Signature is invalid.") from None
    if claims["tid"] != directory.tenant_id or claims["aud"] not in audiences:
        raise AccessRefusedError("Access token validation failure. Invalid audience.")
    if not claims["nbf"] <= now.timestamp() + 300 or claims["exp"] <= now.timestamp():
        raise AccessRefusedError("Lifetime validation failed, the token is expired.")
    if claims["sid"] != str(session):
        # a guess: revoked-access-token
        raise AccessRefusedError(
            "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: "
            "TokenIssuedBeforeRevocationTimestamp"
        )
    return frozenset(claims.get("roles", ()))
