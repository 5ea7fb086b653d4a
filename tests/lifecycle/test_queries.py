"""What programs ask without managing anything."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from builders import APPLE_ID, NEXT_YEAR, NOW, vpptoken
from intune_vpp.core.check import Policy
from intune_vpp.core.errors import InvalidRequest, NotFound, SettingsError
from intune_vpp.lifecycle.queries import Filter, Queries
from run_in_process import GET, LIST, Run

if TYPE_CHECKING:
    from intune_vpp.core.ports import VppTokens
    from intune_vpp_emulator.tenant import Tenant

NOBODY = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def run(tenant: Tenant) -> Run:
    """A run on that tenant."""
    return Run(tenant)


@pytest.fixture
def queries(run: Run) -> Queries:
    """What the run may ask."""
    return run.assembly.queries


def by_hand(tenant: Tenant, name: str, **members: Any) -> str:
    """The id of a token of one location, made by a person."""
    body = {"token": vpptoken(name), "appleId": APPLE_ID, "displayName": name, **members}
    return str(tenant.create_by_hand(body)["id"])


def test_the_tenant(queries: Queries, tenant: Tenant) -> None:
    """The tenant that answers is named by its GUID."""
    assert queries.tenant_id() == tenant.directory.tenant_id


def test_by_id(queries: Queries, tenant: Tenant, run: Run) -> None:
    """One GET; an id that is not there is reported."""
    lincoln = by_hand(tenant, "Lincoln")

    assert queries.by_id(lincoln).display_name == "Lincoln"
    assert run.requests == [GET]
    with pytest.raises(InvalidRequest, match=f'There is no token "{NOBODY}" in this tenant'):
        queries.by_id(NOBODY)


def test_by_name(queries: Queries, tenant: Tenant, run: Run) -> None:
    """A display name and a location are found in one listing, exactly as they are spelled."""
    by_hand(tenant, "Lincoln", displayName="First")
    york = by_hand(tenant, "York", displayName="Second")

    assert queries.by_name(display_name="Second").id == york
    assert queries.by_name(location_name="York").id == york
    assert run.requests == [LIST, LIST]
    with pytest.raises(InvalidRequest, match='There is no token with the display name "second" in this tenant'):
        queries.by_name(display_name="second")
    with pytest.raises(InvalidRequest, match='There is no token with the location "Second" in this tenant'):
        queries.by_name(location_name="Second")


def test_two_of_one_name(queries: Queries, tenant: Tenant) -> None:
    """Where two are called the same the question is refused with both ids."""
    ids = [by_hand(tenant, location, displayName="School") for location in ("Lincoln", "York")]
    with pytest.raises(InvalidRequest, match='2 tokens have the display name "School"') as caught:
        queries.by_name(display_name="School")

    assert ", ".join(ids) in str(caught.value)


def test_by_app(queries: Queries, tenant: Tenant) -> None:
    """The app that a sync has imported leads to its token."""
    by_hand(tenant, "Lincoln")
    york = by_hand(tenant, "York")
    tenant.sync_licenses(york)
    tenant.clock.advance(5)
    app = tenant.list_apps().apps[0]

    assert queries.by_app(app["id"]).id == york
    with pytest.raises(InvalidRequest, match=f"There is no mobile app {NOBODY} in this tenant"):
        queries.by_app(NOBODY)


class OtherApps:
    """A tenant whose apps came from elsewhere."""

    def token_id_of_app(self, mobile_app_id: str) -> None:
        """No token."""


class Orphaned:
    """A tenant with an app whose token was deleted."""

    def token_id_of_app(self, mobile_app_id: str) -> str:
        """That token's id."""
        del mobile_app_id
        return NOBODY

    def get(self, token_id: str) -> None:
        """Nothing."""
        raise NotFound(token_id, from_graph=True)


def test_an_app_that_names_no_token() -> None:
    """An app that did not come from a token is distinguished from one that is not there."""
    queries = Queries(cast("VppTokens", OtherApps()), Policy())

    with pytest.raises(InvalidRequest, match=r"^The mobile app 1 does not come from a VPP token\.$"):
        queries.by_app("1")


def test_an_app_whose_token_is_gone() -> None:
    """The id in the sentence is reported as the app's token, which the user never named."""
    queries = Queries(cast("VppTokens", Orphaned()), Policy())

    with pytest.raises(InvalidRequest, match=rf"^The mobile app 1 came from token {NOBODY}, which no longer exists\.$"):
        queries.by_app("1")


def test_what_v1_does_not_show(tenant: Tenant) -> None:
    """v1.0 shows neither names nor locations nor an app's token: it is not asked, since nobody would be found."""
    tenant.sync_licenses(by_hand(tenant, "Lincoln"))
    tenant.clock.advance(5)
    app = tenant.list_apps().apps[0]
    run = Run(tenant, settings={"graphVersion": "v1.0"})
    queries = run.assembly.queries
    cure = r"use the id, or set intune-vpp:graphVersion \(INTUNE_VPP_GRAPH_VERSION\) to beta\.$"

    with pytest.raises(SettingsError, match=f"^getVppToken by mobileAppId needs Graph's beta: {cure}"):
        queries.by_app(app["id"])
    with pytest.raises(SettingsError, match=f"^getVppToken by displayName needs Graph's beta: {cure}"):
        queries.by_name(display_name="Lincoln")
    with pytest.raises(SettingsError, match=f"^getVppToken by locationName needs Graph's beta: {cure}"):
        queries.by_name(location_name="Lincoln")
    assert run.requests == []


def test_all(queries: Queries, tenant: Tenant, run: Run) -> None:
    """All, in Graph's order, over all pages; each part of a filter has to fit, and what is absent fits none."""
    tenant.page_size = 1
    lincoln = by_hand(tenant, "Lincoln", token=vpptoken("Lincoln", expires=NOW + timedelta(days=20)))
    york = by_hand(tenant, "York", token=vpptoken("York", organization="Fabrikam"))
    tenant.edit_by_hand(york, {"state": "invalid"})

    def ids(**wanted: str) -> list[str]:
        return [found.id for found in queries.all(Filter(**wanted))]

    assert ids() == [lincoln, york]
    assert run.requests == [LIST, LIST]
    assert ids(state="invalid") == [york]
    assert ids(state="valid", organization_name="Fabrikam") == []
    assert ids(organization_name="Contoso") == [lincoln]
    assert ids(expires_before=NEXT_YEAR.isoformat()) == [lincoln]
    assert ids(expires_before=(NEXT_YEAR + timedelta(days=1)).isoformat()) == [lincoln, york]
    assert ids(expires_before="never", state="valid") == []
