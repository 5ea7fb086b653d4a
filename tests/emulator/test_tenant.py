"""The tenant's rules, without HTTP."""

from __future__ import annotations

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from emulator.client import NOW, a_body, a_body_v1, a_file, a_tenant, rest
from intune_vpp_emulator.apple import TokenEncoding
from intune_vpp_emulator.clock import Clock, to_the_second
from intune_vpp_emulator.members import MEMBERS, Version
from intune_vpp_emulator.refusals import GatewayRefusal, IntuneRefusal
from intune_vpp_emulator.tenant import Tenant


def states(tenant: Tenant, version: Version = Version.BETA) -> list[str]:
    """The states of all tokens, oldest first."""
    return [one["state"] for one in tenant.list_tokens(version=version).tokens]


def test_a_new_token_is_filled_in() -> None:
    """What a create leaves out is there as a null or a default, the date in the file is taken from it."""
    made = a_tenant().create(a_body(organizationName="Somebody else", countryOrRegion="GB"))

    assert list(made) == sorted(made) == sorted(MEMBERS)
    assert len(made.pop("id")) == 36
    assert made == {
        "appleDeviceAppDeliveryProtocolType": "default",
        "appleId": "vpp@contoso.example",
        "automaticallyUpdateApps": False,
        "claimTokenManagementFromExternalMdm": False,
        "countryOrRegion": "gb",
        "dataSharingConsentGranted": True,
        "displayName": None,
        "expirationDateTime": to_the_second(NOW + timedelta(days=300)),
        "lastModifiedDateTime": "2026-11-01T12:00:00.2500000Z",
        "lastSyncDateTime": "0001-01-01T00:00:00Z",
        "lastSyncStatus": "none",
        "locationName": "Lincoln",
        "organizationName": "Contoso",
        "roleScopeTagIds": ["0"],
        "state": "valid",
        "token": None,
        "tokenActionResults": [],
        "vppTokenAccountType": "business",
    }


def test_the_secret_is_dropped() -> None:
    """Nothing that the tenant stores holds the text of a file, or its inner token."""
    tenant, text = a_tenant(), a_file()
    made = tenant.create(a_body(token=text))
    tenant.patch(made["id"], {"token": text})

    stored = json.dumps([dataclasses.asdict(one) for one in tenant.tokens], default=str)

    assert text[40:80] not in stored
    assert text not in repr(tenant)


@pytest.mark.parametrize("version", Version)
def test_a_patch_changes_only_what_it_names(version: Version) -> None:
    """A PATCH of one member leaves every other as it was, but for the time of modification."""
    tenant = a_tenant()
    before = tenant.create(a_body(displayName="Books", roleScopeTagIds=["1", "2"]))
    tenant.clock.advance(60)

    answer = tenant.patch(before["id"], {"appleId": "other@contoso.example"}, version=version)

    after = tenant.get(before["id"])
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"appleId", "lastModifiedDateTime"}
    assert answer == tenant.get(before["id"], version=version)


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("organizationName", "Fabrikam", "Fabrikam"),
        ("displayName", "Books", "Books"),
        ("displayName", None, None),
        ("countryOrRegion", "DE", "de"),
        ("countryOrRegion", None, None),
        ("automaticallyUpdateApps", True, True),
        ("claimTokenManagementFromExternalMdm", True, True),
        ("dataSharingConsentGranted", False, False),
        ("vppTokenAccountType", "education", "education"),
        ("roleScopeTagIds", ["7"], ["7"]),
        ("roleScopeTagIds", None, ["0"]),
        ("appleDeviceAppDeliveryProtocolType", "declarativeDeviceManagement", "declarativeDeviceManagement"),
        ("token", None, None),
    ],
)
def test_what_a_patch_keeps(name: str, value: Any, kept: Any) -> None:
    """Each member that can be written is echoed as it was sent, the country in lower case."""
    tenant = a_tenant()
    made = tenant.create(a_body())

    assert tenant.patch(made["id"], {name: value})[name] == kept


SENT_BACK: dict[str, Any] = {
    "expirationDateTime": "2030-01-01T00:00:00-08:00",
    "id": "other",
    "lastModifiedDateTime": "2030-01-01T00:00:00.1234567Z",
    "lastSyncDateTime": "0001-01-01T00:00:00Z",
    "lastSyncStatus": "failed",
    "locationName": None,
    "state": "expired",
    "tokenActionResults": [
        {
            "@odata.type": "#microsoft.graph.vppTokenRevokeLicensesActionResult",
            "actionName": None,
            "actionState": "done",
            "failedLicensesCount": 0,
            "startDateTime": "2026-11-01T12:00:00Z",
        }
    ],
}


@pytest.mark.parametrize("name", [name for name, member in MEMBERS.items() if member.read_only])
def test_read_only_members_are_ignored(name: str) -> None:
    """A read-only member of the right type in a PATCH changes nothing and is not refused."""
    tenant = a_tenant()
    made = tenant.create(a_body())

    assert tenant.patch(made["id"], {name: SENT_BACK[name]}) == made


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("expirationDateTime", "2030-01-01"),
        ("expirationDateTime", "2030-02-30T00:00:00Z"),
        ("expirationDateTime", "2030-01-01T00:00:00"),
        ("expirationDateTime", None),
        ("lastSyncDateTime", 1893456000),
        ("lastModifiedDateTime", "soon"),
        ("id", 7),
        ("lastSyncStatus", "finished"),
        ("lastSyncStatus", True),
        ("locationName", ["Lincoln"]),
        ("state", None),
        ("state", 1),
        ("tokenActionResults", {}),
        ("tokenActionResults", ["revokeLicenses"]),
        ("tokenActionResults", [{"actionState": "novel"}]),
        ("tokenActionResults", [{"startDateTime": None}]),
        ("tokenActionResults", [{"failedLicensesCount": 1}]),
        ("tokenActionResults", [{"@odata.type": "#microsoft.graph.vppToken"}]),
    ],
)
def test_read_only_members_have_a_type(name: str, value: Any) -> None:
    """A read-only member of another type is refused by the gateway, which names it, and nothing changes."""
    tenant = a_tenant()
    made = tenant.create(a_body())

    with pytest.raises(GatewayRefusal, match=f"'{name}'") as refusal:
        tenant.patch(made["id"], {name: value, "displayName": "Books"})

    assert refusal.value.status == 400
    assert tenant.get(made["id"]) == made


@pytest.mark.parametrize(
    "body",
    [
        {"unheardOf": 1},
        {"automaticallyUpdateApps": "true"},
        {"automaticallyUpdateApps": None},
        {"vppTokenAccountType": "charity"},
        {"vppTokenAccountType": ["business"]},
        {"roleScopeTagIds": [0]},
        {"displayName": 7},
        {"@odata.type": "#microsoft.graph.iosVppApp"},
    ],
)
def test_what_graphs_gateway_refuses(body: dict[str, Any]) -> None:
    """A member that is unknown or of another type is refused by the gateway, and nothing changes."""
    tenant = a_tenant()
    made = tenant.create(a_body())

    with pytest.raises(GatewayRefusal) as refusal:
        tenant.patch(made["id"], body)

    assert refusal.value.status == 400
    assert tenant.get(made["id"]) == made


@pytest.mark.parametrize("name", [name for name, member in MEMBERS.items() if member.beta_only])
def test_v1_does_not_know_what_beta_has(name: str) -> None:
    """A beta member is neither answered nor accepted by v1.0."""
    tenant = a_tenant()
    made = tenant.create(a_body_v1(), version=Version.V1)

    assert name not in made
    with pytest.raises(GatewayRefusal):
        tenant.patch(made["id"], {name: None}, version=Version.V1)


@pytest.mark.parametrize(
    "members",
    [
        {"dataSharingConsentGranted": False},
        {"token": None},
        {"token": "garbage"},
        {"token": a_file() + "\n"},
        {"token": a_file(days=-1)},
        {"token": a_file(days=0)},
        {"appleId": None},
    ],
)
def test_what_intune_refuses(members: dict[str, Any]) -> None:
    """A create without consent, without Apple ID, with no file, a broken one or an expired one is refused."""
    tenant = a_tenant()

    with pytest.raises(IntuneRefusal) as refusal:
        tenant.create(a_body(**members))

    assert refusal.value.status == 400
    assert tenant.list_tokens().tokens == []


def test_a_broken_renewal_changes_nothing() -> None:
    """A PATCH with a broken or expired file is refused, and the token stays what it was."""
    tenant = a_tenant()
    made = tenant.create(a_body())

    for file in ("garbage", "", a_file(days=-1)):
        with pytest.raises(IntuneRefusal):
            tenant.patch(made["id"], {"token": file, "displayName": "Books"})

    assert tenant.get(made["id"]) == made


def test_a_tenant_wants_one_encoding() -> None:
    """A tenant that wants base64 refuses the text itself as garbage."""
    with pytest.raises(IntuneRefusal):
        a_tenant(token_encoding=TokenEncoding.BASE64).create(a_body())


def test_what_is_not_there_is_not_found() -> None:
    """A missing token answers 404 to everything, also to the second DELETE."""
    tenant = a_tenant()
    gone = tenant.create(a_body())["id"]
    tenant.delete(gone)

    for call in (tenant.get, tenant.delete, tenant.sync_licenses, lambda one: tenant.patch(one, {})):
        with pytest.raises(IntuneRefusal) as refusal:
            call(gone)
        assert (refusal.value.status, refusal.value.code) == (404, "ResourceNotFound")


def test_the_3001st_token_is_refused() -> None:
    """A tenant holds 3,000 tokens and not one more."""
    tenant = a_tenant()
    tenant.create(a_body())
    stored = tenant.tokens[0]
    tenant.tokens = [dataclasses.replace(stored, id=str(number), number=number) for number in range(1, 3_001)]

    with pytest.raises(IntuneRefusal):
        tenant.create(a_body())


def test_pages_follow_each_other_while_tokens_come_and_go() -> None:
    """Paging by the last token seen neither repeats nor drops one when others are deleted or made between."""
    tenant = a_tenant(page_size=2)
    ids = [tenant.create(a_body(f"Location {number}"))["id"] for number in range(5)]

    first = tenant.list_tokens()
    tenant.delete(ids[1])
    tenant.delete(ids[4])
    late = tenant.create(a_body("Late"))["id"]
    assert first.after is not None
    second = tenant.list_tokens(query=rest(first.after))
    assert second.after is not None
    third = tenant.list_tokens(query=rest(second.after))

    assert [one["id"] for one in first.tokens + second.tokens + third.tokens] == [*ids[:4], late]
    assert third.after is None


def test_the_second_token_of_a_location_is_flagged() -> None:
    """A second token of the same location is accepted and flagged, until the first is gone."""
    tenant = a_tenant()
    first = tenant.create(a_body())["id"]
    tenant.create(a_body())
    tenant.create(a_body("Denver"))
    tenant.create(a_body(token=a_file(organization="Fabrikam")))

    assert states(tenant) == ["valid", "duplicateLocationId", "valid", "valid"]
    assert states(tenant, Version.V1) == ["valid", "unknown", "valid", "valid"]
    tenant.delete(first)
    assert states(tenant) == ["valid", "valid", "valid"]


def test_a_renewal_with_another_locations_file_moves_it() -> None:
    """A PATCH with a file of another location moves locationName, and may make a duplicate."""
    tenant = a_tenant()
    tenant.create(a_body("Denver"))
    made = tenant.create(a_body("Lincoln"))

    answer = tenant.patch(made["id"], {"token": a_file("Denver")})

    assert (answer["id"], answer["locationName"], answer["state"]) == (made["id"], "Denver", "duplicateLocationId")


def test_a_renewal_keeps_the_id_and_shows_late() -> None:
    """A renewed token keeps its id and shows its new expiration when the lag has passed, not before."""
    tenant = a_tenant(renewal_lag_seconds=10)
    made = tenant.create(a_body())
    after = to_the_second(NOW + timedelta(days=365))

    answer = tenant.patch(made["id"], {"token": a_file(days=365)})
    tenant.clock.advance(9)
    soon = tenant.get(made["id"])
    tenant.clock.advance(1)

    assert answer["id"] == made["id"]
    assert answer["expirationDateTime"] == soon["expirationDateTime"] == made["expirationDateTime"]
    assert tenant.get(made["id"])["expirationDateTime"] == after


def test_a_sync_brings_the_new_expiration_to_light() -> None:
    """A completed sync ends the lag of a renewal."""
    tenant = a_tenant(renewal_lag_seconds=3600, sync_seconds=2)
    made = tenant.create(a_body())
    tenant.patch(made["id"], {"token": a_file(days=365)})
    tenant.sync_licenses(made["id"])
    tenant.clock.advance(2)

    assert tenant.get(made["id"])["expirationDateTime"] == to_the_second(NOW + timedelta(days=365))


def test_a_token_expires_by_the_clock() -> None:
    """A token is expired from the second on at which its file ends."""
    tenant = a_tenant()
    made = tenant.create(a_body(token=a_file(days=1)))

    tenant.clock.advance(24 * 3600 - 1)
    assert tenant.get(made["id"])["state"] == "valid"
    tenant.clock.advance(1)
    assert tenant.get(made["id"])["state"] == "expired"


@pytest.mark.parametrize("state", ["expired", "invalid", "unknown"])
def test_a_fresh_file_heals(state: str) -> None:
    """A PATCH with a fresh file makes an expired or invalid token valid at once."""
    tenant = a_tenant()
    made = tenant.create(a_body())
    tenant.edit_by_hand(made["id"], {"state": state})

    assert tenant.patch(made["id"], {"token": a_file()})["state"] == "valid"


def test_a_claim_takes_the_location_from_another_mdm() -> None:
    """Only a file together with the claim heals a token that another MDM has."""
    tenant = a_tenant()
    made = tenant.create(a_body())
    tenant.edit_by_hand(made["id"], {"state": "assignedToExternalMDM"})

    file_alone = tenant.patch(made["id"], {"token": a_file()})
    claim_alone = tenant.patch(made["id"], {"claimTokenManagementFromExternalMdm": True})
    both = tenant.patch(made["id"], {"claimTokenManagementFromExternalMdm": True, "token": a_file()})

    assert [file_alone["state"], claim_alone["state"], both["state"]] == [*["assignedToExternalMDM"] * 2, "valid"]


def test_methods_can_be_tampered_with() -> None:
    """A tenant that answers a PATCH without applying it is one overridden method."""

    class IgnoresPatches(Tenant):
        def patch(self, token_id: str, body: Any, *, version: Version = Version.BETA) -> dict[str, Any]:
            del body
            return self.get(token_id, version=version)

    tenant = IgnoresPatches(clock=Clock.still(NOW))
    made = tenant.create(a_body())

    assert tenant.patch(made["id"], {"displayName": "Books"}) == made


def test_threads_do_not_tread_on_each_other() -> None:
    """Creates on many threads are all kept, with an id and a number of their own."""
    tenant = a_tenant()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: tenant.create(a_body(f"Location {number}")), range(64)))

    assert len({one["id"] for one in made}) == len({one.number for one in tenant.tokens}) == 64


def test_case_does_not_count_in_an_id() -> None:
    """An id is a GUID, however it is written."""
    tenant = a_tenant()
    made = tenant.create(a_body())

    assert tenant.get(made["id"].upper())["id"] == made["id"]
    tenant.delete(made["id"].upper())
    assert tenant.tokens == []
