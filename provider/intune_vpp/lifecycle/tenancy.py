"""Checks that a state belongs to the tenant of the credentials.

With the credentials of another tenant, a refresh would find no token, and an update would create all of them there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from intune_vpp.core.errors import WrongTenant

if TYPE_CHECKING:
    from intune_vpp.core.ports import VppTokens


def require(tokens: VppTokens, tenant_id: str, label: str) -> str:
    """Return the GUID of the credentials' tenant. Raises WrongTenant if the state names another one, and GraphError."""
    here = tokens.tenant_id()
    if tenant_id and tenant_id.lower() != here:
        msg = f"{label} belongs to tenant {tenant_id}, but the credentials belong to tenant {here}."
        raise WrongTenant(f"{msg} Nothing was changed. Use the credentials of tenant {tenant_id}.")
    return here
