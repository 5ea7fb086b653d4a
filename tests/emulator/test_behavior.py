"""How a tenant can be made to behave: encodings, dates, syncs, listings, and the route that changes them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from emulator.client import NOW, TOKENS, TOKENS_V1, a_body, a_client, a_file, a_tenant, error_of, graph
from intune_vpp_emulator import behavior, cli
from intune_vpp_emulator.apple import TokenEncoding, make_token
from intune_vpp_emulator.behavior import Behavior, SyncDate, UnreadableFiles, UnusableBehaviorError
from intune_vpp_emulator.clock import to_the_second
from intune_vpp_emulator.faults import Faults
from intune_vpp_emulator.refusals import IntuneRefusal


def wrapped(text: str) -> str:
    """The text in base64 once more, as the one public program sends it."""
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("encoding", "verbatim", "in_base64"),
    [
        (TokenEncoding.VERBATIM, True, False),
        (TokenEncoding.BASE64, False, True),
        (TokenEncoding.EITHER, True, True),
    ],
)
def test_a_tenant_takes_one_encoding_or_both(encoding: TokenEncoding, *, verbatim: bool, in_base64: bool) -> None:
    """A create and a renewal are taken in the encodings of the tenant, and refused in others."""
    tenant = a_tenant(token_encoding=encoding)
    client = graph(tenant)
    tenant.token_encoding = TokenEncoding.EITHER
    made = tenant.create(a_body("Denver"))["id"]
    tenant.token_encoding = encoding

    for text, taken in ((a_file(), verbatim), (wrapped(a_file("Boston")), in_base64), ("garbage", False)):
        assert client.post(TOKENS, json=a_body(token=text)).status_code == (201 if taken else 400)
        assert client.patch(f"{TOKENS}/{made}", json={"token": text}).status_code == (200 if taken else 400)


@pytest.mark.parametrize("tokens", [TOKENS, TOKENS_V1])
def test_a_wrong_encoding_may_be_taken_silently(tokens: str) -> None:
    """A tenant that refuses no file calls the token invalid and shows neither its organization nor its expiration."""
    tenant = a_tenant(token_encoding=TokenEncoding.BASE64, unreadable_files=UnreadableFiles.INVALID)
    body = {"token": a_file(), "appleId": "vpp@contoso.example"}
    consent = {} if tokens == TOKENS_V1 else {"dataSharingConsentGranted": True}

    made = graph(tenant).post(tokens, json=body | consent)

    assert made.status_code == 201
    token = tenant.get(made.json()["id"])
    assert (token["state"], token["organizationName"], token["locationName"]) == ("invalid", None, None)
    assert token["expirationDateTime"] == "0001-01-01T00:00:00Z"


def test_the_right_encoding_heals() -> None:
    """A PATCH with the same file in the other encoding makes such a token valid, under its id."""
    tenant = a_tenant(
        token_encoding=TokenEncoding.BASE64, unreadable_files=UnreadableFiles.INVALID, renewal_lag_seconds=0
    )
    text = a_file()
    made = tenant.create(a_body(token=text))

    healed = tenant.patch(made["id"], {"token": wrapped(text)})

    assert (healed["id"], healed["state"], healed["organizationName"]) == (made["id"], "valid", "Contoso")
    assert (healed["locationName"], healed["expirationDateTime"]) == ("Lincoln", to_the_second(NOW + timedelta(300)))


def test_a_wrong_renewal_may_be_taken_silently() -> None:
    """A renewal that such a tenant cannot read leaves the dates and names, and makes the token invalid."""
    tenant = a_tenant(unreadable_files=UnreadableFiles.INVALID, token_encoding=TokenEncoding.VERBATIM)
    made = tenant.create(a_body())
    tenant.clock.advance(1)

    renewed = tenant.patch(made["id"], {"token": wrapped(a_file(days=400)), "displayName": "Books"})

    changed = {name for name in made if renewed[name] != made[name]}
    assert changed == {"state", "displayName", "lastModifiedDateTime"}
    assert renewed["state"] == "invalid"
    tenant.sync_licenses(made["id"])
    tenant.clock.advance(1)
    assert tenant.get(made["id"])["lastSyncStatus"] == "failed"


def test_two_unreadable_files_are_no_duplicates() -> None:
    """Tokens of unreadable files are not of one location, and an expired file is refused all the same."""
    tenant = a_tenant(unreadable_files=UnreadableFiles.INVALID)

    assert [tenant.create(a_body(token=text))["state"] for text in ("one", "two", "\ud83d")] == ["invalid"] * 3
    with pytest.raises(IntuneRefusal, match="expired"):
        tenant.create(a_body(token=a_file(days=-1)))


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, "2027-08-28T12:34:56Z"),
        ({"expiration_step_seconds": 86_400}, "2027-08-28T00:00:00Z"),
        ({"expiration_step_seconds": 60}, "2027-08-28T12:34:00Z"),
        ({"expiration_shift_seconds": -8 * 3600}, "2027-08-28T04:34:56Z"),
        ({"expiration_step_seconds": 86_400, "expiration_shift_seconds": 86_399}, "2027-08-28T23:59:59Z"),
    ],
)
def test_an_expiration_may_be_rounded_or_moved(options: dict[str, Any], shown: str) -> None:
    """After a create and after a renewal the expiration is the file's, rounded down to a multiple and then moved."""
    tenant = a_tenant(renewal_lag_seconds=0, **options)
    ends = datetime(2027, 8, 28, 12, 34, 56, tzinfo=UTC)
    made = tenant.create(a_body(token=make_token("Contoso", "Lincoln", ends)))

    again = tenant.patch(made["id"], {"token": make_token("Contoso", "Lincoln", ends)})

    assert made["expirationDateTime"] == shown == again["expirationDateTime"]


def test_the_end_of_the_calendar_is_not_moved() -> None:
    """A file that expires at the end of the calendar keeps its expiration."""
    tenant = a_tenant(expiration_shift_seconds=1e9)
    ends = datetime(9999, 12, 31, tzinfo=UTC)

    assert tenant.create(a_body(token=make_token("C", "L", ends)))["expirationDateTime"] == "9999-12-31T00:00:00Z"


def test_a_sync_can_hang_and_be_started_anew() -> None:
    """A scripted sync hangs for days; where syncs restart, the next syncLicenses starts one that completes."""
    tenant = a_tenant(sync_restarts=True)
    tenant.ends_of_syncs.append(Faults([{"sync": "hang"}]).for_sync)
    made = tenant.create(a_body())["id"]
    tenant.sync_licenses(made)
    tenant.clock.advance(3 * 86_400)
    hanging = tenant.get(made)

    tenant.sync_licenses(made)
    tenant.clock.advance(1)

    assert (hanging["lastSyncStatus"], tenant.get(made)["lastSyncStatus"]) == ("inProgress", "completed")
    assert hanging["lastModifiedDateTime"].startswith("2026-11-01T12:00:00")


def test_a_hanging_sync_is_left_alone_elsewhere() -> None:
    """Where syncs do not restart, syncLicenses leaves a hanging sync as it is."""
    tenant = a_tenant()
    tenant.ends_of_syncs.append(Faults([{"sync": "hang"}]).for_sync)
    made = tenant.create(a_body())["id"]
    for _ in range(2):
        tenant.sync_licenses(made)
        tenant.clock.advance(100)

    assert tenant.get(made)["lastSyncStatus"] == "inProgress"


def test_a_sync_may_move_its_date_at_its_start() -> None:
    """Where a sync moves its date when it starts, the date is later than the last one and stays when it ends."""
    tenant = a_tenant(sync_date=SyncDate.START)
    made = tenant.create(a_body())["id"]

    first = tenant.sync_licenses(made)
    tenant.clock.advance(1)
    ended = tenant.get(made)
    second = tenant.sync_licenses(made)

    assert (first["lastSyncStatus"], ended["lastSyncStatus"]) == ("inProgress", "completed")
    assert first["lastSyncDateTime"] == ended["lastSyncDateTime"] == "2026-11-01T12:00:00.2500000Z"
    assert second["lastSyncDateTime"] > ended["lastSyncDateTime"]


@pytest.mark.parametrize("query", ["", "?$select=id,roleScopeTagIds,displayName,automaticallyUpdateApps"])
def test_a_listing_may_leave_members_empty(query: str) -> None:
    """A LIST shows members as empty that a GET shows, each by its type, and no others."""
    tenant = a_tenant(list_blanks=frozenset({"roleScopeTagIds", "displayName", "automaticallyUpdateApps"}))
    made = tenant.create(a_body(displayName="Books", roleScopeTagIds=["0", "3"], automaticallyUpdateApps=True))
    client = graph(tenant)

    listed = client.get(f"{TOKENS}{query}").json()["value"][0]
    got = client.get(f"{TOKENS}/{made['id']}").json()

    blanks: dict[str, Any] = {"roleScopeTagIds": [], "displayName": None, "automaticallyUpdateApps": False}
    assert {name: listed[name] for name in blanks} == blanks
    assert {name: got[name] for name in blanks} == {name: made[name] for name in blanks}
    assert listed["id"] == made["id"]


def test_two_locations_may_have_one_name() -> None:
    """Locations of one name with ids of their own are no duplicates; those of one id are, also after a renewal."""
    tenant, ends = a_tenant(), NOW + timedelta(days=300)
    files = [make_token("Contoso", "Lincoln", ends, location_id) for location_id in ("", "1", "2", "2")]

    made = [tenant.create(a_body(token=text)) for text in files]

    assert [one["state"] for one in made] == ["valid", "valid", "valid", "duplicateLocationId"]
    assert {one["locationName"] for one in made} == {"Lincoln"}
    assert tenant.patch(made[3]["id"], {"token": make_token("Contoso", "Lincoln", ends, "3")})["state"] == "valid"


def test_the_command_makes_files_of_such_locations() -> None:
    """make-token takes the id of a location."""
    arguments = ["make-token", "--organization", "Contoso", "--location", "Lincoln", "--expires", "2027-10-01"]
    tenant = a_tenant()

    texts = [CliRunner().invoke(cli.main, [*arguments, "--location-id", one]).stdout for one in ("1", "2")]

    assert [tenant.create(a_body(token=text))["state"] for text in texts] == ["valid", "valid"]


def test_behavior_is_shown_and_changed() -> None:
    """The control route shows all behaviors, and changes those that are named, for the requests that follow."""
    tenant = a_tenant()
    client = a_client(tenant)
    before = client.get("/_emulator/behavior").json()

    changes = {"pageSize": 2, "tokenEncoding": "either", "listBlanks": ["displayName"], "syncRestarts": True}
    after = client.patch("/_emulator/behavior", json=changes)

    assert (after.status_code, after.json()) == (200, before | changes)
    assert before == Behavior().behavior()
    assert (tenant.page_size, tenant.list_blanks, tenant.sync_restarts) == (2, frozenset({"displayName"}), True)


@pytest.mark.parametrize(
    "changes",
    [
        {"pageSize": 0},
        {"pageSize": 1.5},
        {"pageSize": True},
        {"syncSeconds": -1},
        {"syncSeconds": "soon"},
        {"syncSeconds": 10**400},
        {"syncSeconds": None},
        {"syncSeconds": "nan"},
        {"tokenEncoding": "hex"},
        {"tokenEncoding": ["either"]},
        {"syncRestarts": "perhaps"},
        {"syncRestarts": 1},
        {"scopeTags": [0]},
        {"scopeTags": {}},
        {"allowedScopeTags": 7},
        {"gzip": 415},
        {"accessTokenSeconds": 0},
        {"appConsented": None},
        {"appRoles": 1},
        {"signInRefusal": 1},
        {"signInRefusal": "7000222 "},
        {"signInRefusal": []},
        {"oidcSubject": ""},
        {"oidcSubject": 1},
        {"unheardOf": 1},
    ],
)
def test_a_behavior_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    """A behavior that is unknown, or of a value that cannot be, is a 400 that names it, and none is changed."""
    tenant = a_tenant()
    answer = a_client(tenant).patch("/_emulator/behavior", json={"latencyMs": 5, **changes})

    assert answer.status_code == 400
    assert error_of(answer)["message"].startswith((*changes, *map(repr, changes)))
    assert tenant.behavior() == Behavior().behavior()


def test_each_behavior_is_an_option_of_the_command() -> None:
    """What the control route changes, the command line sets, with the same values in a text."""
    texts = {
        "pageSize": ("7", 7),
        "syncRestarts": ("true", True),
        "scopeTags": ("1, 2,", ["1", "2"]),
        "allowedScopeTags": ("2", ["2"]),
        "gzip": ("415", "415"),
        "expirationShiftSeconds": ("-3600", -3600.0),
        "accessTokenSeconds": ("90", 90.0),
        "appRoles": ("", []),
        "signInRefusal": ("53003", 53003),
        "oidcSubject": ("s", "s"),
    }
    arguments = [
        part
        for name in behavior.names()
        if behavior.camel_case(name) in texts
        for part in (f"--{name.replace('_', '-')}", texts[behavior.camel_case(name)][0])
    ]

    tenant = cli._tenant(cli.serve_command.make_context("serve", arguments).params)

    assert tenant.behavior() == Behavior().behavior() | {name: value for name, (_, value) in texts.items()}
    options = {parameter.name for parameter in cli.serve_command.params}
    assert set(behavior.names()) < options


def test_a_bad_option_is_one_sentence() -> None:
    """An option of a value that cannot be ends the command with one sentence."""
    result = CliRunner().invoke(cli.main, ["serve", "--page-size", "none"])

    assert (result.exit_code, result.stderr) == (1, "Error: page_size must be a number from 1 on, not 'none'.\n")


def test_all_may_be_allowed_again() -> None:
    """The word `all`, and null, release the applications from their scope tags."""
    tenant = a_tenant()
    for free in ("all", None):
        tenant.behave({"allowedScopeTags": ["1"]})
        tenant.behave({"allowedScopeTags": free})
        assert tenant.allowed_scope_tags is None
    with pytest.raises(UnusableBehaviorError, match="There are: pageSize, "):
        tenant.behave({"allowed": 1})
