"""Query options and paths, as Microsoft's clients and public scripts send them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from emulator.client import (
    APPS,
    APPS_V1,
    NOW,
    TOKENS,
    TOKENS_V1,
    a_body,
    a_file,
    a_tenant,
    error_of,
    graph,
    synced,
)
from intune_vpp_emulator.app import ROOT

if TYPE_CHECKING:
    import httpx

    from intune_vpp_emulator.tenant import Tenant

LOCATIONS = ("Lincoln", "Denver", "boston", "Austin", "Salem")


def a_full_tenant(**habits: Any) -> Tenant:
    """A tenant with five tokens: the second one is of education, the third has no name, the fourth expires first."""
    tenant = a_tenant(**habits)
    for number, location in enumerate(LOCATIONS):
        tenant.create(
            a_body(
                token=a_file(location, days=10 if location == "Austin" else 300 + number),
                displayName=None if location == "boston" else location,
                appleId=f"{location}@contoso.example",
                vppTokenAccountType="education" if location == "Denver" else "business",
            )
        )
    return tenant


def locations(answer: httpx.Response) -> list[str]:
    """The locations of the listed tokens."""
    assert answer.status_code == 200, answer.text
    return [one["locationName"] for one in answer.json()["value"]]


def every(client: httpx.Client, url: str | None) -> list[str]:
    """The locations on all pages."""
    found = []
    while url is not None:
        answer = client.get(url)
        found += locations(answer)
        url = answer.json().get("@odata.nextLink")
    return found


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("state eq 'valid'", LOCATIONS),
        ("state ne 'valid'", ()),
        ("state eq microsoft.graph.vppTokenState'valid' and displayName eq 'Lincoln'", ("Lincoln",)),
        ("vppTokenAccountType eq 'education'", ("Denver",)),
        ("not (vppTokenAccountType eq 'education')", ("Lincoln", "boston", "Austin", "Salem")),
        ("displayName eq null", ("boston",)),
        ("null ne displayName and locationName ne 'Salem'", ("Lincoln", "Denver", "Austin")),
        ("displayName eq 'lincoln' or displayName eq 'SALEM'", ("Lincoln", "Salem")),
        ("displayName in ('Austin', 'Denver')", ("Denver", "Austin")),
        ("startswith(locationName, 'b') or endswith(locationName,'LEM')", ("boston", "Salem")),
        ("contains(tolower(appleId), 'austin@')", ("Austin",)),
        ("toupper(locationName) eq 'BOSTON'", ("boston",)),
        ("contains(displayName, 'o')", ("Lincoln",)),
        ("automaticallyUpdateApps", ()),
        ("automaticallyUpdateApps eq false", LOCATIONS),
        ("expirationDateTime lt 2026-12-01T00:00:00Z", ("Austin",)),
        ("expirationDateTime ge 2026-12-01T02:00:00+02:00 and displayName gt 'M'", ("Salem",)),
        ("lastSyncDateTime eq 0001-01-01T00:00:00.0000000Z", LOCATIONS),
        ("displayName gt 'L' or displayName lt null", ("Lincoln", "Salem")),
        ("isof('microsoft.graph.vppToken')", LOCATIONS),
        ("isOf(microsoft.graph.vppToken) and locationName eq 'O''Hara'", ()),
        ("(((displayName eq 'Salem')))", ("Salem",)),
    ],
)
def test_a_filter_selects(text: str, selected: tuple[str, ...]) -> None:
    """$filter compares members with literals by type; null is a value, and the case of letters does not count."""
    assert locations(graph(a_full_tenant()).get(TOKENS, params={"$filter": text})) == list(selected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "state eq",
        "state eq 'valid' and",
        "state eq 'valid",
        "state = 'valid'",
        "(state eq 'valid'",
        "state eq 'valid')",
        "state",
        "'valid'",
        "state eq 'finished'",
        "state eq 5",
        "expirationDateTime lt '2026-12-01'",
        "expirationDateTime lt 2026-13-01T00:00:00Z",
        "displayName eq true",
        "roleScopeTagIds eq '0'",
        "unheardOf eq 1",
        "microsoft.graph.vppToken/unheardOf eq 1",
        "contains(displayName)",
        "contains(displayName, 5)",
        "shout(displayName) eq 'A'",
        "displayName in ()",
        "displayName eq 'a' eq 'b'",
        "not",
        "ünheard eq 1",
        "(" * 100 + "true" + ")" * 100,
        " or ".join(["state eq 'valid'"] * 500),
    ],
)
def test_a_filter_that_means_nothing_is_refused(text: str) -> None:
    """A $filter with an error of syntax, of type or of a name is a flat 400."""
    answer = graph(a_full_tenant()).get(TOKENS, params={"$filter": text})

    assert (answer.status_code, error_of(answer)["code"]) == (400, "BadRequest")
    assert "intune" not in error_of(answer)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"$filter": "roleScopeTagIds/any(x:x eq '0')"}, "any"),
        ({"$filter": "length(displayName) gt 3"}, "length"),
        ({"$filter": "year(expirationDateTime) eq 2026"}, "year"),
        ({"$filter": "installSummary/failedDeviceCount gt 0"}, "installSummary/failedDeviceCount"),
        ({"$filter": "displayName has 'x'"}, "has"),
        ({"$filter": "isof(displayName, 'Edm.String')"}, "isof"),
        ({"$expand": "assignments"}, "$expand"),
        ({"expand": "assignments"}, "$expand"),
        ({"$search": "x"}, "$search"),
        ({"$select": "tokenActionResults/actionName"}, "tokenActionResults/actionName"),
        ({"$apply": "aggregate($count as n)"}, "$apply"),
    ],
)
def test_what_is_not_implemented_says_so(options: dict[str, str], named: str) -> None:
    """What Graph may take and the emulator does not is a 501 in Graph's envelope that names it."""
    answer = graph(a_full_tenant()).get(TOKENS, params=options)

    assert (answer.status_code, error_of(answer)["code"]) == (501, "NotImplemented")
    assert error_of(answer)["message"].startswith("The emulator does not implement ")
    assert named in error_of(answer)["message"]


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("POST", "/v1.0/$batch", "$batch"),
        ("GET", "/beta/$metadata", "$metadata"),
        ("GET", "/v1.0/", "service document"),
        ("GET", f"{TOKENS}/x/$value", "$value"),
        ("GET", "/beta/deviceAppManagement", "deviceAppManagement"),
        ("GET", "/beta/deviceManagement/depOnboardingSettings", "depOnboardingSettings"),
    ],
)
def test_paths_that_are_not_implemented_say_so(method: str, path: str, named: str) -> None:
    """A path that Graph has and the emulator does not is a 501 in Graph's envelope that names it."""
    answer = graph(a_tenant()).request(method, path)

    assert (answer.status_code, error_of(answer)["code"]) == (501, "NotImplemented")
    assert named in error_of(answer)["message"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("locationName", ["Austin", "boston", "Denver", "Lincoln", "Salem"]),
        ("locationName desc", ["Salem", "Lincoln", "Denver", "boston", "Austin"]),
        ("expirationDateTime asc", ["Austin", "Lincoln", "Denver", "boston", "Salem"]),
        ("displayName", ["boston", "Austin", "Denver", "Lincoln", "Salem"]),
        ("vppTokenAccountType desc,displayName desc", ["Denver", "Salem", "Lincoln", "Austin", "boston"]),
        ("state, organizationName desc", list(LOCATIONS)),
    ],
)
def test_an_order_holds_across_pages(order: str, expected: list[str]) -> None:
    """$orderby sorts by its members, null first, then by creation, and pages of any size follow it."""
    tenant = a_full_tenant()
    client = graph(tenant)

    assert locations(client.get(TOKENS, params={"$orderby": order})) == expected
    for size in (1, 2, 4):
        tenant.page_size = size
        assert every(client, f"{TOKENS}?$orderby={order}&$filter=state eq 'valid'&$count=true") == expected


def test_pages_in_order_survive_changes() -> None:
    """A token that is deleted or created between two pages of an ordered list moves no other one."""
    tenant = a_full_tenant(page_size=2)
    client = graph(tenant)
    first = client.get(f"{TOKENS}?$orderby=locationName")
    by_location = {one["locationName"]: one["id"] for one in tenant.list_tokens().tokens} | {
        one["locationName"]: one["id"]
        for one in client.get(f"{TOKENS}?$top=2&$orderby=locationName desc").json()["value"]
    }

    tenant.delete(first.json()["value"][1]["id"])
    tenant.create(a_body("Chicago"))

    assert locations(first) == ["Austin", "boston"]
    assert every(client, first.json()["@odata.nextLink"]) == ["Chicago", "Denver", "Lincoln", "Salem"]
    assert by_location


def test_options_together() -> None:
    """$filter, $orderby, $skip, $top, $count and $select work in one request, and the next page goes on from it."""
    client = graph(a_full_tenant())
    query = "$filter=vppTokenAccountType eq 'business'&$orderby=locationName desc&$skip=1&$top=2&$count=true"

    page = client.get(f"{TOKENS}?{query}&$select=locationName").json()
    rest = client.get(page["@odata.nextLink"]).json()

    assert page["value"] == [{"locationName": "Lincoln"}, {"locationName": "boston"}]
    assert (page["@odata.count"], rest["value"]) == (4, [{"locationName": "Austin"}])
    assert page["@odata.context"] == f"{ROOT}/beta/$metadata#deviceAppManagement/vppTokens(locationName)"
    assert "@odata.nextLink" not in rest


@pytest.mark.parametrize(("skip", "left"), [(0, 5), (4, 1), (5, 0), (99, 0)])
def test_skip_leaves_out_the_first(skip: int, left: int) -> None:
    """$skip leaves out that many tokens, or all of them."""
    assert locations(graph(a_full_tenant()).get(TOKENS, params={"$skip": skip})) == list(LOCATIONS[5 - left :])


def test_dollars_are_optional_on_beta() -> None:
    """On beta options work without the `$`; on v1.0 such a parameter is a custom one, which changes nothing."""
    tenant = a_full_tenant()
    query = {"filter": "organizationName eq 'Contoso'", "top": "1", "select": "id", "count": "true"}

    beta, v1 = (graph(tenant).get(tokens, params=query).json() for tokens in (TOKENS, TOKENS_V1))

    assert (beta["@odata.count"], [list(one) for one in beta["value"]]) == (5, [["id"]])
    assert "$top=1" in beta["@odata.nextLink"]
    assert (len(v1["value"]), "@odata.count" in v1) == (5, False)


@pytest.mark.parametrize(
    "query",
    [
        "$select=id&$select=token",
        "$select=id&select=token",
        "$top=1&$TOP=2",
        "$top=0",
        "$top=-1",
        "$top=²",
        "$top=many",
        "$skip=-1",
        "$count=yes",
        "$orderby=",
        "$orderby=id upwards",
        "$orderby=roleScopeTagIds",
        "$orderby=unheardOf",
        "$select=unheardOf",
        "$select=",
        "$select=id,,state",
        "$unheardOf=1",
        "$skiptoken=???",
        "$skiptoken=bm8=",
        "$skiptoken=W10=",
        "$skiptoken=WyJ4Il0=",
        "$skiptoken=WzEsMl0=",
        "$skiptoken=WzVd&$orderby=state",
        "$skiptoken=W3sieCI6MX0sNV0=&$orderby=state",
    ],
)
def test_an_option_that_means_nothing_is_refused(query: str) -> None:
    """An option that is unknown, given twice or of a value that cannot be is a flat 400, and never ignored."""
    answer = graph(a_full_tenant()).get(f"{TOKENS}?{query}")

    assert (answer.status_code, error_of(answer)["code"]) == (400, "BadRequest")
    assert "intune" not in error_of(answer)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", f"{TOKENS}/x?$top=1"), ("POST", f"{TOKENS}?$select=id"), ("GET", f"{TOKENS}/$count?$top=1")],
)
def test_options_have_their_place(method: str, path: str) -> None:
    """An option of collections is refused elsewhere."""
    assert graph(a_tenant()).request(method, path).status_code == 400


@pytest.mark.parametrize(("query", "count"), [("", "5"), ("?$filter=displayName eq 'Salem'", "1")])
def test_tokens_are_counted(query: str, count: str) -> None:
    """$count behind the collection answers the number of all tokens, or of the filtered ones, as plain text."""
    answer = graph(a_full_tenant(page_size=2)).get(f"{TOKENS}/$count{query}")

    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (
        200,
        count,
        "text/plain",
    )


def test_paths_of_other_forms_are_the_same() -> None:
    """Keys in parentheses, a slash at the end, and a namespace before an action lead to the same resources."""
    tenant = a_tenant()
    client, made = graph(tenant), synced(tenant)
    app = tenant.list_apps().apps[0]["id"]
    same = [f"{TOKENS}/{made}", f"{TOKENS}('{made}')", f"{TOKENS}/{made}/", f"{TOKENS}('{made.upper()}')/"]

    assert [client.get(path).json()["id"] for path in same] == [made] * 4
    assert client.get(f"{APPS}('{app}')").json()["id"] == app
    assert client.get(f"{TOKENS}/?$top=1").json()["value"] == client.get(TOKENS).json()["value"]
    for action in ("syncLicenses", "microsoft.graph.syncLicenses", "graph.syncLicenses"):
        assert client.post(f"{TOKENS}('{made}')/{action}").status_code == 200
    assert client.get(f"{TOKENS}('it''s')").status_code == 404
    assert "it's" in error_of(client.get(f"{TOKENS}('it''s')"))["message"]


PORTAL = (
    "(microsoft.graph.managedApp/appAvailability eq null or microsoft.graph.managedApp/appAvailability eq "
    "'lineOfBusiness' or isAssigned eq true)"
)


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ("isof('microsoft.graph.iosVppApp')", True),
        ("isOf('microsoft.graph.iosVppApp') and publishingState eq 'published'", True),
        (f"{PORTAL} and (isof('microsoft.graph.iosLobApp') or isof('microsoft.graph.iosVppApp'))", True),
        ("isof('microsoft.graph.macOsVppApp')", False),
        ("not isof('microsoft.graph.iosVppApp')", False),
        ("isof('microsoft.graph.mobileApp')", True),
        ("microsoft.graph.managedApp/appAvailability eq microsoft.graph.managedAppAvailability'global'", False),
        ("isAssigned eq true", False),
        ("microsoft.graph.iosVppApp/totalLicenseCount ge 1", True),
        ("microsoft.graph.iosVppApp/bundleId eq 'com.elsewhere'", False),
    ],
)
def test_scripts_filter_apps(text: str, *, some: bool) -> None:
    """The filters that the admin centre and public scripts use on mobileApps select by type and by member."""
    tenant = a_tenant()
    synced(tenant)

    answer = graph(tenant).get(APPS, params={"$filter": text, "$top": 999})

    assert answer.status_code == 200, answer.text
    assert bool(answer.json()["value"]) is some


@pytest.mark.parametrize("text", ["bundleId eq 'x'", "vppTokenId eq 'x'"])
def test_a_member_of_a_derived_type_needs_the_cast(text: str) -> None:
    """On mobileApps the members of iosVppApp are unknown; below the cast they are not."""
    client = graph(a_tenant())

    assert "property named" in error_of(client.get(APPS, params={"$filter": text}))["message"]
    assert client.get(f"{APPS}/graph.iosVppApp", params={"$filter": text}).status_code == 200


@pytest.mark.parametrize("apps", [APPS, APPS_V1])
@pytest.mark.parametrize("cast", ["graph.iosVppApp", "microsoft.graph.iosVppApp"])
def test_vpp_apps_are_listed_by_their_type(apps: str, cast: str) -> None:
    """The collection below a type cast has the same apps, can be ordered by their own members, and says its type."""
    tenant = a_tenant()
    synced(tenant)
    client = graph(tenant)

    query = {"$orderby": "bundleId desc", "$select": "bundleId,displayName"}
    answer = client.get(f"{apps}/{cast}", params=query).json()

    bundles = sorted((one["bundleId"] for one in client.get(apps).json()["value"]), reverse=True)
    assert [one["bundleId"] for one in answer["value"]] == bundles
    assert list(answer["value"][0]) == ["@odata.type", "bundleId", "displayName"]
    fragment = "deviceAppManagement/mobileApps/microsoft.graph.iosVppApp(bundleId,displayName)"
    assert answer["@odata.context"].endswith(f"$metadata#{fragment}")
    assert client.get(f"{apps}/$count").text == str(len(bundles))


def test_one_app_can_be_selected_from() -> None:
    """$select works on one app, with members of its own type."""
    tenant = a_tenant()
    synced(tenant)
    client, app = graph(tenant), tenant.list_apps().apps[0]

    one = client.get(f"{APPS}/{app['id']}", params={"$select": "bundleId"}).json()

    assert {name: one[name] for name in one if "@" not in name} == {"bundleId": app["bundleId"]}


@pytest.mark.parametrize(
    ("date", "count"),
    [("2026-11-01T00:00:00Z", 0), ("2026-12-01T00:00:00Z", 1), ("2030-01-01T00:00:00+05:00", 5)],
)
@pytest.mark.parametrize("name", ["getExpiringVppTokenCount", "microsoft.graph.getExpiringVppTokenCount"])
def test_expiring_tokens_are_counted(name: str, date: str, count: int) -> None:
    """The function getExpiringVppTokenCount answers how many tokens expire before a date."""
    path = f"/beta/deviceManagement/depOnboardingSettings/{name}(expiringBeforeDateTime='{date}')"
    answer = graph(a_full_tenant()).get(path.replace("+", "%2B"))

    assert answer.json() == {"@odata.context": f"{ROOT}/beta/$metadata#Edm.Int32", "value": count}


@pytest.mark.parametrize("argument", ["expiringBeforeDateTime='soon'", "before='2026-12-01T00:00:00Z'", ""])
def test_a_date_that_is_none_is_refused(argument: str) -> None:
    """The function getExpiringVppTokenCount without a date is a flat 400, and v1.0 has no such function."""
    path = f"/deviceManagement/depOnboardingSettings/getExpiringVppTokenCount({argument})"

    assert [graph(a_tenant()).get(f"/{version}{path}").status_code for version in ("beta", "v1.0")] == [400, 400]


def test_filters_see_what_time_brings() -> None:
    """A filter on the state selects by the state of this moment."""
    tenant = a_full_tenant()
    tenant.clock.set(NOW + timedelta(days=20))
    client = graph(tenant)

    assert locations(client.get(TOKENS, params={"$filter": "state eq 'expired'"})) == ["Austin"]
