"""Reads the tokens of an emulated tenant as any client of Graph would, and fills a tenant before it is served."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx

from benchmark.projects import DAYS, location_of
from harness import TOKENS
from intune_vpp_emulator.apple import make_token
from intune_vpp_emulator.state_file import keep
from intune_vpp_emulator.tenant import Tenant as EmulatedTenant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness import Tenant

_DAYS_AFTER_THE_OTHERS = 30
"""The provider takes tokens with the same expiration for the same file, so it would adopt an uploaded token."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A token that was uploaded by hand: its display name, and the fingerprint of its file as the provider has it."""

    display_name: str
    fingerprint: str


def tokens_of(tenant: Tenant) -> list[dict[str, Any]]:
    """Return all tokens of a tenant as Graph shows them."""
    environment = tenant.environment
    trusted = ssl.create_default_context(cafile=environment["INTUNE_VPP_CA_BUNDLE_PATH"])
    with httpx.Client(verify=trusted) as http:
        http.headers["Authorization"] = f"Bearer {_access_token(http, environment)}"
        return list(_pages(http, f"{environment['INTUNE_VPP_GRAPH_ENDPOINT']}{TOKENS}"))


def fill(state: Path, tokens: int, *, site: str) -> list[Uploaded]:
    """Write a state file of the emulator with so many tokens, and return them: faster than by requests."""
    tenant = EmulatedTenant()
    made = [_uploaded(tenant, number, site) for number in range(tokens)]
    keep(tenant, state)
    return made


def _uploaded(tenant: EmulatedTenant, number: int, site: str) -> Uploaded:
    name = location_of(number, site)
    expires = datetime.now(UTC) + timedelta(days=DAYS + _DAYS_AFTER_THE_OTHERS, seconds=number)
    text = make_token("Contoso", name, expires)
    members = {"appleId": "apps@contoso.example", "vppTokenAccountType": "business", "displayName": name}
    tenant.create_by_hand({**members, "token": text})
    return Uploaded(name, f"sha256:{sha256(text.encode()).hexdigest()}")


def _access_token(http: httpx.Client, environment: dict[str, str]) -> str:
    url = f"{environment['INTUNE_VPP_AUTHORITY_HOST']}/{environment['ARM_TENANT_ID']}/oauth2/v2.0/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": environment["ARM_CLIENT_ID"],
        "client_secret": environment["ARM_CLIENT_SECRET"],
        "scope": f"{environment['INTUNE_VPP_GRAPH_ENDPOINT']}/.default",
    }
    answer = http.post(url, data=form).raise_for_status()
    return str(answer.json()["access_token"])


def _pages(http: httpx.Client, url: str | None) -> Iterator[dict[str, Any]]:
    while url:
        page = http.get(url).raise_for_status().json()
        yield from page["value"]
        url = page.get("@odata.nextLink")
