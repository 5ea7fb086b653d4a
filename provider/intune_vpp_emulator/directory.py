"""The applications and managed identities of a tenant."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from .identity.certificates import Certificate
from .identity.workload import FEDERATED_APP, FEDERATED_READER, FederatedCredential

READ_ROLES: Final = frozenset(
    f"DeviceManagement{area}.{access}.All"
    for area in ("ServiceConfig", "Configuration", "Apps")
    for access in ("Read", "ReadWrite")
)
"""Any of these lets an application read vppTokens (Microsoft's sources disagree, so all of theirs do)."""
WRITE_ROLES: Final = frozenset(role for role in READ_ROLES if ".ReadWrite." in role)
"""Any of these lets an application write them."""

_WRITES: Final = "DeviceManagementServiceConfig.ReadWrite.All"


@dataclass(frozen=True)
class AppRegistration:
    """An application with its credentials, and the permissions that an administrator granted."""

    client_id: str
    client_secret: str = field(repr=False)
    roles: tuple[str, ...]
    federated: tuple[FederatedCredential, ...] = ()

    @classmethod
    def fresh(cls, *roles: str, federated: tuple[FederatedCredential, ...] = ()) -> AppRegistration:
        """A new one."""
        return cls(str(uuid.uuid4()), secrets.token_urlsafe(30), roles, federated)

    @cached_property
    def certificate(self) -> Certificate:
        """Its registered certificate, made at the first use."""
        return Certificate.fresh(self.client_id)


@dataclass(frozen=True, slots=True)
class Directory:
    """The tenant's identity, its applications (one may write, one may read, one has no permission) and its machines.

    The managed identities are those of a machine in the tenant: its own, and one that a user has assigned to it.
    """

    tenant_id: str
    domain: str
    app: AppRegistration
    reader: AppRegistration
    visitor: AppRegistration
    system_identity: AppRegistration
    user_identity: AppRegistration

    @classmethod
    def fresh(cls, app: AppRegistration | None = None) -> Directory:
        """A new one, with an application of another tenant (which is then a multi-tenant one) or its own."""
        return cls(
            tenant_id=str(uuid.uuid4()),
            domain=f"contoso-{secrets.token_hex(3)}.example",
            app=app or AppRegistration.fresh(_WRITES, federated=FEDERATED_APP),
            reader=AppRegistration.fresh("DeviceManagementServiceConfig.Read.All", federated=FEDERATED_READER),
            visitor=AppRegistration.fresh(),
            system_identity=AppRegistration.fresh(_WRITES),
            user_identity=AppRegistration.fresh(_WRITES),
        )

    def has_name(self, tenant: str) -> bool:
        """Whether `tenant` is the id or the domain of this one."""
        return tenant.lower() in {self.tenant_id, self.domain}

    def find(self, client_id: str) -> AppRegistration | None:
        """The application of that id."""
        return next((one for one in (self.app, self.reader, self.visitor) if one.client_id == client_id), None)
