"""Reads the claims of an access token without verifying them, for messages and for the tenant's GUID.

Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from intune_vpp.graph.body import parse


def tenant_id(access_token: str) -> str:
    """Return the GUID of the tenant in lower case; empty if the token has none or cannot be read."""
    found = _claims(access_token).get("tid")
    return found.lower() if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class Permissions:
    """The names of permissions: roles of an application, or scopes that an application has for a user."""

    names: tuple[str, ...]
    of_user: bool


def permissions(access_token: str) -> Permissions | None:
    """Return the permissions in an access token. None if it cannot be read."""
    claims = _claims(access_token)
    if not claims:
        return None
    roles, scopes = claims.get("roles"), claims.get("scp")
    given = [*(roles if isinstance(roles, list) else []), *(scopes.split() if isinstance(scopes, str) else [])]
    names = tuple(sorted(one for one in given if isinstance(one, str)))
    return Permissions(names, of_user=isinstance(scopes, str))


def _claims(access_token: str) -> dict[str, Any]:
    """Return the payload of a JSON Web Token (RFC 7519); empty if it is not one: its format is not promised."""
    parts = access_token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        return {}
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
    except (binascii.Error, ValueError):
        return {}
    found = parse(payload)
    return found if isinstance(found, dict) else {}
