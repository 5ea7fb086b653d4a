"""Licences by app and token: in use at Apple, and counted by Intune."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from emulator.captured import LICENSE_SUMMARY
from emulator.client import NOW, TOKENS, TOKENS_V1, a_body, a_client, a_file, a_tenant, bearer, error_of, graph, synced
from intune_vpp_emulator.app import ROOT
from intune_vpp_emulator.clock import Clock
from intune_vpp_emulator.tenant import Graph, Tenant
from tenant_in_process import fail_next_sync

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

QUIETLY = {"notifyManagedDevices": False}


def counted(tenant: Tenant) -> dict[str, int]:
    """The used licences that the apps show, by bundle id."""
    return {one["bundleId"]: one["usedLicenseCount"] for one in tenant.list_apps().apps}


def asked(client: httpx.Client, bundle_id: str, tokens: str = TOKENS) -> httpx.Response:
    """The answer of getLicensesForApp."""
    return client.get(f"{tokens}/getLicensesForApp(bundleId='{bundle_id}')")


def test_a_sync_brings_the_counts() -> None:
    """An app's counts come with the sync that brings the app, and follow its use with the next one."""
    tenant = a_tenant(sync_seconds=0)
    made = synced(tenant)
    before = counted(tenant)
    app = next(iter(before))
    assert tenant.use_licenses(made, {}) == before

    assert tenant.use_licenses(made, {app: 1}) == {**before, app: 1}
    assert counted(tenant) == before
    fail_next_sync(tenant)
    tenant.sync_licenses(made)
    assert counted(tenant) == before
    tenant.sync_licenses(made)
    assert counted(tenant) == {**before, app: 1}


def test_a_revocation_shows_once_it_is_counted() -> None:
    """What a revocation has freed shows in the counts after syncLicenseCounts, and not before."""
    tenant = a_tenant(revoke_seconds=0)
    client, made = graph(tenant), synced(tenant)
    before = counted(tenant)
    tenant.revoke_licenses(made, QUIETLY)

    assert counted(tenant) == before
    answer = client.post(f"{TOKENS}/syncLicenseCounts")
    assert (answer.status_code, answer.content) == (204, b"")
    assert counted(tenant) == dict.fromkeys(before, 0)


def test_all_tokens_are_counted_that_can_be() -> None:
    """SyncLicenseCounts counts for every token with apps, and passes over the expired and the duplicate."""
    tenant = a_tenant()
    sound, twin, old = synced(tenant), synced(tenant, "Denver"), synced(tenant, "Boston")
    tenant.create(a_body("Austin"))
    tenant.patch(twin, {"token": a_file("Lincoln")})
    tenant.edit_by_hand(old, {"state": "expired"})
    for one in (sound, twin, old):
        tenant.use_licenses(one, dict.fromkeys(tenant.use_licenses(one, {}), 0))

    assert graph(tenant).post(f"{TOKENS}/microsoft.graph.syncLicenseCounts").status_code == 204
    used = dict.fromkeys((sound, twin, old), 0)
    for app in tenant.list_apps().apps:
        used[app["vppTokenId"]] += app["usedLicenseCount"]
    assert [bool(used[one]) for one in (sound, twin, old)] == [False, True, True]


def test_licenses_are_reported_by_token() -> None:
    """Each token that has the app answers a summary with the app's own counts, in the order of the tokens' creation."""
    tenant = a_tenant(sync_seconds=0)
    first = synced(tenant, appleId="a@contoso.example")
    (app, *_) = tenant.list_apps().apps
    tenant.patch(first, {"token": a_file("Denver")})  # its apps stay until its next sync
    second = synced(tenant)
    synced(tenant, "Boston")
    tenant.create(a_body())
    tenant.use_licenses(first, {app["bundleId"]: 1})
    tenant.sync_license_counts()

    answer = asked(graph(tenant), app["bundleId"]).json()

    assert answer["@odata.context"] == f"{ROOT}/beta/$metadata#Collection(microsoft.graph.vppTokenLicenseSummary)"
    assert [one["vppTokenId"] for one in answer["value"]] == [first, second]
    assert [list(one) for one in answer["value"]] == [sorted(LICENSE_SUMMARY)] * 2
    assert answer["value"][0] == {
        "appleId": "a@contoso.example",
        "availableLicenseCount": app["totalLicenseCount"] - 1,
        "organizationName": "Contoso",
        "usedLicenseCount": 1,
        "vppTokenId": first,
    }
    assert answer["value"][1]["usedLicenseCount"] == app["usedLicenseCount"]


def test_an_app_that_no_token_has() -> None:
    """An app that nobody bought, or whose token is gone, is answered with no summary."""
    tenant = a_tenant()
    made = synced(tenant)
    app = next(iter(counted(tenant)))
    tenant.delete(made)

    assert [asked(graph(tenant), one).json()["value"] for one in (app, "", "example.nobody")] == [[], [], []]


class Listening(Tenant):
    """A tenant that remembers which apps it was asked for."""

    asked: list[str]

    def licenses_for_app(self, bundle_id: str) -> list[Graph]:
        """Nothing of any app."""
        self.asked.append(bundle_id)
        return []


@pytest.mark.parametrize("bundle_id", ["it's", "'", "a b", "a/b", "a%2Fb", ")(", "x')"])
@pytest.mark.parametrize("encode", [lambda text: quote(text, safe=""), lambda text: quote(text, safe="'()")])
def test_a_bundle_id_is_quoted_and_encoded(bundle_id: str, encode: Callable[[str], str]) -> None:
    """A quote in a bundle id is doubled, and everything may be percent-encoded: the tenant is asked for the id."""
    tenant = Listening(clock=Clock.still(NOW))
    tenant.asked = []
    literal = "'" + bundle_id.replace("'", "''") + "'"

    for name in ("getLicensesForApp", "microsoft.graph.getLicensesForApp"):
        answer = graph(tenant).get(f"{TOKENS}/{name}(bundleId={encode(literal)})")
        assert answer.status_code == 200
    assert tenant.asked == [bundle_id, bundle_id]


@pytest.mark.parametrize("arguments", ["bundleId=x", "bundleId='it's'", "bundleId='x", "app='x'", "bundleId=@x", ""])
def test_arguments_that_do_not_fit_are_refused(arguments: str) -> None:
    """Arguments that are not one quoted bundle id are a flat 400 that quotes them."""
    answer = graph(a_tenant()).get(f"{TOKENS}/getLicensesForApp({arguments})")

    assert answer.status_code == 400
    assert f"'{arguments}'" in error_of(answer)["message"]
    assert "intune" not in error_of(answer)


def test_a_function_takes_no_options() -> None:
    """A query option is refused and never silently ignored."""
    assert graph(a_tenant()).get(f"{TOKENS}/getLicensesForApp(bundleId='x')?$top=1").status_code == 400


def test_v1_counts_no_licenses() -> None:
    """On v1.0 the names of what beta can do with all tokens are those of a token that is not there."""
    tenant = a_tenant()
    client = graph(tenant)

    assert asked(client, "x", TOKENS_V1).status_code == 404
    assert client.post(f"{TOKENS_V1}/syncLicenseCounts").status_code == 405


def test_who_reads_may_ask_but_not_count() -> None:
    """GetLicensesForApp is open to who may read, syncLicenseCounts is not."""
    tenant = a_tenant()
    client = a_client(tenant)
    client.headers.update(bearer(tenant, tenant.directory.reader))

    assert asked(client, "x").status_code == 200
    assert client.post(f"{TOKENS}/syncLicenseCounts").status_code == 403


def test_somebody_uses_licenses() -> None:
    """A control route sets how many licences are in use, and answers those of all the token's apps."""
    tenant = a_tenant(sync_seconds=0)
    made = synced(tenant)
    first, *others = counted(tenant).items()

    answer = a_client(tenant).post(f"/_emulator/portal/{made}/licenses", json={first[0]: 4})

    assert (answer.status_code, answer.json()) == (200, {first[0]: 4, **dict(others)})
    tenant.sync_licenses(made)
    assert counted(tenant) == answer.json()


@pytest.mark.parametrize("number", [-1, 10_000, 1.5, True, None, "1"])
def test_licenses_that_are_not_there_cannot_be_used(number: Any) -> None:
    """A number that is none, or more than the app has licences, is refused in a sentence and changes nothing."""
    tenant = a_tenant()
    made = synced(tenant)
    before = tenant.use_licenses(made, {})
    app = next(iter(before))
    answer = a_client(tenant).post(f"/_emulator/portal/{made}/licenses", json={app: number})

    assert answer.status_code == 400
    assert error_of(answer)["message"].startswith(f"{app} has ")
    assert tenant.use_licenses(made, {}) == before


def test_apps_that_are_not_there_cannot_be_used() -> None:
    """An app that the token has not, a token before its first sync and one that is not there are refused."""
    tenant = a_tenant()
    client, made, bare = a_client(tenant), synced(tenant), tenant.create(a_body("Denver"))["id"]

    answers = [client.post(f"/_emulator/portal/{one}/licenses", json={"x": 1}) for one in (made, bare, "gone")]

    assert [one.status_code for one in answers] == [400, 400, 404]
    assert error_of(answers[0])["message"] == "The token has no app 'x'."
    assert error_of(answers[1])["message"] == "The token has no apps before its first sync."
