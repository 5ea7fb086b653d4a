"""The apps that syncs import."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from emulator.captured import LIVE_APPS, NESTED
from emulator.client import APPS, APPS_V1, TOKENS_V1, a_body, a_body_v1, a_file, a_tenant, error_of, graph, synced
from intune_vpp_emulator.app import ROOT
from tenant_in_process import fail_next_sync

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant


def titles(tenant: Tenant) -> list[tuple[str, str]]:
    """Name and bundle id of each app."""
    return [(one["displayName"], one["bundleId"]) for one in tenant.list_apps().apps]


def kinds(document: Any) -> Any:
    """The members in their order with the kinds of their values; of a date its form."""
    if isinstance(document, dict):
        return [(name, kinds(value)) for name, value in document.items()]
    if isinstance(document, str) and re.match(r"\d{4}-\d\d-\d\dT", document):
        return re.sub(r"\d", "0", document)
    return type(document)


def test_apps_come_with_a_completed_sync() -> None:
    """Before the sync has completed there is no app, afterwards two or three of the token's."""
    tenant = a_tenant(sync_seconds=5)
    made = tenant.create(a_body(displayName="Books", appleId="vpp@contoso.example"))["id"]
    tenant.sync_licenses(made)
    tenant.clock.advance(4.9)

    assert tenant.list_apps().apps == []
    tenant.clock.advance(0.1)
    apps = tenant.list_apps().apps
    assert len(apps) in {2, 3}
    assert {(one["vppTokenId"], one["vppTokenDisplayName"], one["vppTokenAppleId"]) for one in apps} == {
        (made, "Books", "vpp@contoso.example")
    }
    assert {(one["createdDateTime"], one["lastModifiedDateTime"]) for one in apps} == {
        ("2026-11-01T12:00:05Z", "2026-11-01T12:00:05Z")
    }


def test_apps_go_with_their_token() -> None:
    """Deleting a token drops its apps, and no others."""
    tenant = a_tenant()
    lincoln, denver = synced(tenant), synced(tenant, "Denver")
    gone = [one["id"] for one in tenant.list_apps().apps if one["vppTokenId"] == lincoln]
    tenant.delete(lincoln)

    assert {one["vppTokenId"] for one in tenant.list_apps().apps} == {denver}
    assert {graph(tenant).get(f"{APPS}/{one}").status_code for one in gone} == {404}


def test_apps_stay_the_same() -> None:
    """Another sync, a failed one, a renewal and the expiration leave the apps, their ids and dates alone."""
    tenant = a_tenant(sync_seconds=10)
    made = synced(tenant)
    before, ends = tenant.list_apps(), []
    for days, sync_fails in ((400, False), (401, True), (402, False)):
        tenant.patch(made, {"token": a_file(days=days)})
        if sync_fails:
            fail_next_sync(tenant)
        tenant.sync_licenses(made)
        tenant.clock.advance(10)
        ends.append(tenant.get(made)["lastSyncStatus"])
        assert tenant.list_apps() == before
    tenant.clock.advance(500 * 86_400)

    assert ends == ["completed", "failed", "completed"]
    assert tenant.get(made)["state"] == "expired"
    assert tenant.list_apps() == before


def test_apps_are_reported_by_their_token() -> None:
    """What is changed of a token shows in its apps."""
    tenant = a_tenant()
    made = synced(tenant, countryOrRegion="GB")
    assert "/gb/" in tenant.list_apps().apps[0]["informationUrl"]
    tenant.patch(made, {"displayName": "Maps", "vppTokenAccountType": "education", "countryOrRegion": None})

    (app, *_) = tenant.list_apps().apps
    assert (app["vppTokenDisplayName"], app["vppTokenAccountType"]) == ("Maps", "education")
    assert "/us/" in app["informationUrl"]


def test_a_location_has_its_apps() -> None:
    """The same location has apps of the same names in every tenant, each with ids of its own."""
    one, other = a_tenant(), a_tenant()
    synced(one)
    synced(other)

    assert titles(one) == titles(other)
    assert not {app["id"] for app in one.list_apps().apps} & {app["id"] for app in other.list_apps().apps}


def test_locations_differ() -> None:
    """Among some locations there are different apps, and both two and three of them."""
    found = set()
    for number in range(20):
        tenant = a_tenant()
        synced(tenant, f"Location {number}")
        found.add(tuple(titles(tenant)))

    assert len(found) > 5
    assert {len(one) for one in found} == {2, 3}


def test_another_location_brings_its_apps() -> None:
    """After a renewal with the file of another location the old apps stay until the next sync."""
    tenant, other = a_tenant(), a_tenant()
    made = synced(tenant)
    synced(other, "Boston")
    before = titles(tenant)
    tenant.patch(made, {"token": a_file("Boston")})

    assert titles(tenant) == before
    tenant.sync_licenses(made)
    tenant.clock.advance(1)
    assert titles(tenant) == titles(other) != before


@pytest.mark.parametrize("query", ["", "?$filter=isof('microsoft.graph.iosVppApp')"])
def test_apps_are_listed_and_got(query: str) -> None:
    """LIST, with the filter for VPP apps or without, and GET show the same apps."""
    tenant = a_tenant()
    synced(tenant)
    client = graph(tenant)

    listed = client.get(f"{APPS}{query}").json()
    got = [client.get(f"{APPS}/{one['id']}").json() for one in listed["value"]]

    assert listed["@odata.context"] == f"{ROOT}/beta/$metadata#deviceAppManagement/mobileApps"
    assert {one.pop("@odata.context") for one in got} == {f"{listed['@odata.context']}/$entity"}
    assert got == listed["value"] == tenant.list_apps().apps


def test_pages_of_apps_are_linked() -> None:
    """The pages lead through all apps once, cut a token's apart where they must, and keep the filter."""
    tenant = a_tenant(page_size=2)
    for number in range(4):
        synced(tenant, f"Location {number}")
    client, found = graph(tenant), []

    url: str | None = f"{APPS_V1}?$filter=isof('microsoft.graph.iosVppApp')&$top=50"
    while url is not None:
        page = client.get(url).json()
        assert 1 <= len(page["value"]) <= 2
        found += [one["id"] for one in page["value"]]
        url = page.get("@odata.nextLink")
        assert url is None or ("$filter=isof(" in url and "$top=50" in url)

    tenant.page_size = 100
    assert found == [one["id"] for one in tenant.list_apps().apps]


def test_an_app_looks_like_a_live_one() -> None:
    """On v1.0 an app has the members, the order, the nulls and the date forms of a real tenant's."""
    tenant = a_tenant()
    client = graph(tenant)
    made = client.post(TOKENS_V1, json=a_body_v1()).json()
    tenant.sync_licenses(made["id"])
    tenant.clock.advance(2)

    for ours in client.get(APPS_V1).json()["value"]:
        assert kinds(ours) == kinds(LIVE_APPS["value"][0])
        same = ("@odata.type", "licensingType", "publishingState", "releaseDateTime", "vppTokenAccountType")
        assert [ours[name] for name in same] == [LIVE_APPS["value"][0][name] for name in same]


def test_beta_names_the_token() -> None:
    """Beta has three members more, in alphabetical order: the token of an app, and whether it is assigned."""
    tenant = a_tenant()
    synced(tenant)
    client = graph(tenant)
    (on_v1, *_), (on_beta, *_) = (client.get(apps).json()["value"] for apps in (APPS_V1, APPS))

    assert set(on_beta) - set(on_v1) == {"isAssigned", "vppTokenId", "vppTokenDisplayName"}
    assert list(on_beta)[1:] == sorted(list(on_beta)[1:])
    assert {name: on_beta[name] for name in on_v1} == on_v1


def test_an_app_cannot_be_made() -> None:
    """POST answers what Intune was seen to answer, to the letter but for its ids."""
    answer = graph(a_tenant()).post(APPS, json={"@odata.type": "#microsoft.graph.iosVppApp", "displayName": "x"})

    ours = error_of(answer)
    theirs = json.loads(NESTED["error"]["message"])
    no_id = re.compile(r"Activity ID: [0-9a-f-]{36}")
    assert (answer.status_code, ours["code"]) == (400, "BadRequest")
    assert ours["intune"]["Message"].startswith("POST is not supported for this app type. - ")
    assert no_id.sub("", ours["intune"]["Message"]) == no_id.sub("", theirs["Message"])


def test_an_app_that_is_not_there() -> None:
    """An unknown id is Intune's 404, and names the app."""
    answer = graph(a_tenant()).get(f"{APPS}/x")

    assert (answer.status_code, error_of(answer)["code"]) == (404, "ResourceNotFound")
    assert error_of(answer)["intune"]["Message"].startswith("The app x was not found.")
