"""What the emulator's tests share: a tenant whose time stands still, its files, and a client inside the process."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from builders import APPLE_ID, vpptoken
from intune_vpp_emulator.app import ROOT, create_app
from intune_vpp_emulator.identity.access_tokens import issue
from intune_vpp_emulator.members import Version, entity_type
from intune_vpp_emulator.odata import Query, query
from intune_vpp_emulator.tenant import Tenant
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from intune_vpp_emulator.directory import AppRegistration

NOW = datetime(2026, 11, 1, 12, 0, 0, 250_000, tzinfo=UTC)
TOKENS = "/beta/deviceAppManagement/vppTokens"
TOKENS_V1 = "/v1.0/deviceAppManagement/vppTokens"
APPS = "/beta/deviceAppManagement/mobileApps"
APPS_V1 = "/v1.0/deviceAppManagement/mobileApps"
FAULTS = "/_emulator/faults"


def a_tenant(**habits: Any) -> Tenant:
    """A tenant on a clock that stands at NOW."""
    return new_tenant(Tenant, now=NOW, **habits)


def a_file(location: str = "Lincoln", *, organization: str = "Contoso", days: float = 300) -> str:
    """The text of a file that ends so many days after NOW."""
    return vpptoken(location, organization=organization, expires=NOW + timedelta(days=days))


def a_body(location: str = "Lincoln", **members: Any) -> dict[str, Any]:
    """What creates a token on beta."""
    least = {"token": a_file(location), "appleId": APPLE_ID, "dataSharingConsentGranted": True}
    return {**least, **members}


def a_body_v1(**members: Any) -> dict[str, Any]:
    """What creates a token on v1.0."""
    return {"token": a_file(), "appleId": APPLE_ID, **members}


def rest(after: str | None) -> Query:
    """The query for the page behind the one that ended with `after`; for the first page if it is None."""
    return query({} if after is None else {"$skiptoken": after}, entity_type(Version.BETA))


def synced(tenant: Tenant, location: str = "Lincoln", **members: Any) -> str:
    """The id of a new token whose sync has completed."""
    token_id: str = tenant.create(a_body(location, **members))["id"]
    tenant.sync_licenses(token_id)
    tenant.clock.advance(tenant.sync_seconds)
    return token_id


def bearer(tenant: Tenant, app: AppRegistration | None = None, audience: str = ROOT) -> dict[str, str]:
    """The header of somebody who has signed in."""
    text = issue(tenant.directory, app or tenant.directory.app, audience=audience, now=tenant.clock.now())
    return {"Authorization": f"Bearer {text}"}


def a_client(tenant: Tenant, **habits: Any) -> httpx.Client:
    """A client of the tenant that nobody signed in."""
    return httpx.Client(transport=httpx.WSGITransport(app=create_app(tenant, **habits)), base_url=ROOT)


def graph(tenant: Tenant) -> httpx.Client:
    """A client that may write, for as long as the clock stands."""
    client = a_client(tenant)
    client.headers.update(bearer(tenant))
    return client


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error in an answer, with Intune's document unpacked if its message is one."""
    error: dict[str, Any] = answer.json()["error"]
    if error["message"].startswith("{"):
        error["intune"] = json.loads(error["message"])
    return error
