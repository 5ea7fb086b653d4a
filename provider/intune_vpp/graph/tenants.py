"""Finds the GUID of the tenant: the configured one, which may be a domain, or that of the access token."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Protocol

import httpx

from intune_vpp.core.check import GUID
from intune_vpp.core.errors import GraphError, SignInRefused
from intune_vpp.graph import claims
from intune_vpp.graph.body import parse
from intune_vpp.graph.credentials import errors

if TYPE_CHECKING:
    from intune_vpp.graph.credentials.cached import Credential
    from intune_vpp.graph.sender import Sender

_DOMAIN = re.compile(r"[A-Za-z0-9.-]+")


class Tenant(Protocol):
    """The tenant to sign in to. Used by several threads at once."""

    def guid(self) -> str:
        """Return the GUID in lower case. Raises SignInRefused for an unknown tenant, RequestNotSent if Entra fails."""


def tenant_of(access_token: str) -> str:
    """Return the GUID of the tenant of a managed identity's access token. Raises SignInRefused if it has none."""
    found = claims.tenant_id(access_token)
    if not GUID.fullmatch(found):
        raise SignInRefused("The access token of the managed identity does not say which tenant it is for.")
    return found


class TenantOfAccessToken:
    """The tenant of a managed identity for which none is configured: it signs in to its own."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def guid(self) -> str:
        """Return the GUID in the access token. Raises SignInRefused if it has none, and the errors of a sign-in."""
        return tenant_of(self._credential.access_token())


class ConfiguredTenant:
    """The configured tenant. A domain name is looked up once, by OpenID discovery.

    The GUID is in the issuer (https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc).
    """

    def __init__(self, configured: str, authority_host: str, http: httpx.Client, sender: Sender) -> None:
        self._configured = configured
        self._authority_host = authority_host
        self._http = http
        self._sender = sender
        self._lock = threading.Lock()
        self._guid = configured.lower() if GUID.fullmatch(configured) else None

    def guid(self) -> str:
        """Return the GUID in lower case. Raises SignInRefused for an unknown tenant, RequestNotSent if Entra fails."""
        with self._lock:
            if self._guid is None:
                self._guid = self._discover()
            return self._guid

    def _discover(self) -> str:
        # The name becomes part of a URL, so only the characters of a domain are allowed.
        if not _DOMAIN.fullmatch(self._configured):
            raise errors.unknown_tenant(self._authority_host, self._configured)
        url = f"{self._authority_host}/{self._configured}/v2.0/.well-known/openid-configuration"
        try:
            answer = self._sender.send(self._http, self._http.build_request("GET", url), what="looking up the tenant")
        except httpx.HTTPError as error:
            problem: GraphError | None = errors.unreachable(error, self._authority_host)
        else:
            problem = errors.discovery_refused(answer, self._authority_host, self._configured)
        if problem is not None:
            raise problem
        document = parse(answer.content)
        issuer = document.get("issuer") if isinstance(document, dict) else None
        if not isinstance(issuer, str) or not issuer:
            raise errors.failed(self._authority_host, "a discovery document without an issuer")
        found = GUID.search(issuer)
        if found is None:
            # `common` and `organizations` are not tenants: their issuer has a placeholder.
            raise errors.unknown_tenant(self._authority_host, self._configured)
        return found.group().lower()
