"""The workload that signs in without a secret, and the OIDC providers that issue its assertions."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import jwt

from .keys import signing_key

if TYPE_CHECKING:
    from datetime import datetime

AUDIENCE: Final = "api://AzureADTokenExchange"
"""What federated assertions are for, in the public cloud."""


@dataclass(frozen=True, slots=True)
class FederatedCredential:
    """An entry of an app registration: whose assertions, about whom, are accepted in place of a secret."""

    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """An issuer of assertions, with the subject of the workload that runs there."""

    name: str
    issuer: str
    subject: str

    @property
    def key_id(self) -> str:
        """The `kid` in the header of its assertions."""
        return f"{self.name}-emulator"

    @property
    def public_key(self) -> Any:
        """What verifies its signatures."""
        return signing_key(self.name).public_key()

    def credential_for(self, subject: str | None = None) -> FederatedCredential:
        """The entry that accepts its assertions about the subject."""
        return FederatedCredential(self.issuer, subject or self.subject)

    def assertion(
        self, *, now: datetime, audience: str = AUDIENCE, subject: str | None = None, seconds: float = 600
    ) -> str:
        """A new assertion, valid for so many seconds from `now` on."""
        claims = {
            "iss": self.issuer,
            "sub": subject or self.subject,
            "aud": audience,
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int((now + timedelta(seconds=seconds)).timestamp()),
            "jti": str(uuid.uuid4()),
        }
        return jwt.encode(claims, signing_key(self.name), algorithm="RS256", headers={"kid": self.key_id})


# a guess: github-subject
GITHUB: Final = OidcProvider(
    "github", "https://token.actions.githubusercontent.com", "repo:contoso/tablets:environment:production"
)
# a guess: azure-devops-issuer
AZURE_DEVOPS: Final = OidcProvider(
    "azure-devops",
    "https://vstoken.dev.azure.com/5b1cb9b8-7d16-4a7b-9e0c-3c7c1a5f0c61",
    "sc://contoso/tablets/intune-vpp",
)
KUBERNETES: Final = OidcProvider(
    "kubernetes",
    "https://westeurope.oic.prod-aks.azure.com/2f1f6c0e-2f0b-4a35-9d0f-7c1c9f0a4d55/0a3f4d0e-6b1c-4a53-8a86-6b7b0f5d2f10/",
    "system:serviceaccount:pulumi:intune-vpp",
)
PROVIDERS: Final = {one.name: one for one in (GITHUB, AZURE_DEVOPS, KUBERNETES)}

PULL_REQUEST: Final = "repo:contoso/tablets:pull_request"
"""GitHub's subject of a workflow that runs for a pull request."""

FEDERATED_APP: Final = tuple(one.credential_for() for one in PROVIDERS.values())
FEDERATED_READER: Final = (
    GITHUB.credential_for(PULL_REQUEST),
    GITHUB.credential_for("repo:contoso/tablets:ref:refs/heads/main"),
    AZURE_DEVOPS.credential_for("sc://contoso/tablets/intune-vpp-reader"),
)
"""GitHub: pull requests, and the nightly run on main. Azure DevOps: the reader's service connection."""


def _token() -> str:
    return secrets.token_urlsafe(30)


@dataclass(frozen=True, slots=True)
class Workload:
    """The secrets with which a pipeline or machine asks its platform for a token."""

    github_request_token: str = field(default_factory=_token, repr=False)
    devops_access_token: str = field(default_factory=_token, repr=False)
    devops_service_connection: str = field(default_factory=lambda: str(uuid.uuid4()))
    identity_header: str = field(default_factory=_token, repr=False)
