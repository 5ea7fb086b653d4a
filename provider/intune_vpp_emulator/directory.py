"""The applications that can sign in to a tenant, and their access tokens."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

READ_ROLES: Final = frozenset(
    f"DeviceManagement{area}.{access}.All"
    for area in ("ServiceConfig", "Configuration", "Apps")
    for access in ("Read", "ReadWrite")
)
"""Any of these lets an application read vppTokens (Microsoft's sources disagree, so all of theirs do)."""
WRITE_ROLES: Final = frozenset(role for role in READ_ROLES if ".ReadWrite." in role)
"""Any of these lets an application write them."""

_LIFETIME = timedelta(hours=1)
_KEY_ID = "intune-vpp-emulator"


@dataclass(frozen=True, slots=True)
class AppRegistration:
    """An application of the tenant, with its secret and the permissions that an administrator granted."""

    client_id: str
    client_secret: str = field(repr=False)
    roles: tuple[str, ...]

    @classmethod
    def fresh(cls, *roles: str) -> AppRegistration:
        """A new one."""
        return cls(str(uuid.uuid4()), secrets.token_urlsafe(30), roles)


@dataclass(frozen=True, slots=True)
class Directory:
    """The tenant's identity and its three applications: one may write, one may read, one has no permission."""

    tenant_id: str
    domain: str
    app: AppRegistration
    reader: AppRegistration
    visitor: AppRegistration

    @classmethod
    def fresh(cls) -> Directory:
        """A new one."""
        return cls(
            tenant_id=str(uuid.uuid4()),
            domain=f"contoso-{secrets.token_hex(3)}.example",
            app=AppRegistration.fresh("DeviceManagementServiceConfig.ReadWrite.All"),
            reader=AppRegistration.fresh("DeviceManagementServiceConfig.Read.All"),
            visitor=AppRegistration.fresh(),
        )

    def has_name(self, tenant: str) -> bool:
        """Whether `tenant` is the id or the domain of this one."""
        return tenant.lower() in {self.tenant_id, self.domain}

    def find(self, client_id: str) -> AppRegistration | None:
        """The application of that id."""
        return next((one for one in (self.app, self.reader, self.visitor) if one.client_id == client_id), None)


class AccessRefusedError(Exception):
    """An access token that is not valid here; the text is Graph's."""


@cache
def _signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_keys() -> dict[str, Any]:
    """The JSON Web Key Set of the sign-in."""
    public = jwt.algorithms.RSAAlgorithm.to_jwk(_signing_key().public_key(), as_dict=True)
    return {"keys": [{**public, "kid": _KEY_ID, "use": "sig", "alg": "RS256"}]}


def issue(directory: Directory, app: AppRegistration, *, audience: str, now: datetime) -> str:
    """An access token for Graph at `audience`, valid for an hour."""
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{directory.tenant_id}/",
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int((now + _LIFETIME).timestamp()),
        "appid": app.client_id,
        "idtyp": "app",
        "roles": list(app.roles),
        "tid": directory.tenant_id,
        "uti": secrets.token_urlsafe(16),
        "ver": "1.0",
    }
    return jwt.encode(claims, _signing_key(), algorithm="RS256", headers={"kid": _KEY_ID})


def roles_of(directory: Directory, access_token: str, *, audiences: frozenset[str], now: datetime) -> frozenset[str]:
    """The permissions of the bearer; raises AccessRefusedError."""
    # The times are checked below, by the tenant's clock; the library would take the machine's.
    try:
        claims = jwt.decode(
            access_token,
            _signing_key().public_key(),
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
        )
    except jwt.PyJWTError:
        raise AccessRefusedError("Access token validation failure. Signature is invalid.") from None
    if claims["tid"] != directory.tenant_id or claims["aud"] not in audiences:
        raise AccessRefusedError("Access token validation failure. Invalid audience.")
    if not claims["nbf"] <= now.timestamp() + 300 or claims["exp"] <= now.timestamp():
        raise AccessRefusedError("Lifetime validation failed, the token is expired.")
    return frozenset(claims["roles"])
