"""Reads the claims of an access token, which are not verified: they serve messages, and name our own tenant.

Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from intune_vpp.graph.body import parse


def tenant_id(access_token: str) -> str:
    """Return the GUID of the tenant in lower case; empty if the token has none or cannot be read."""
    found = _claims(access_token).get("tid")
    return found.lower() if isinstance(found, str) else ""


def permissions(access_token: str) -> list[str] | None:
    """Return the permissions: roles of an application, or scopes of a user. None if the token cannot be read."""
    claims = _claims(access_token)
    roles, scopes = claims.get("roles"), claims.get("scp")
    if not claims:
        return None
    listed = [*(roles if isinstance(roles, list) else []), *(scopes.split() if isinstance(scopes, str) else [])]
    return sorted(one for one in listed if isinstance(one, str))


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
