"""Graph's JSON and the model, held against what Graph and Apple were seen to write."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import args, file
from captures import PUBLIC, load, runs
from core.strategies import NAMES, NEVER, ODD_JSON, PLAIN, TEXTS, tokens
from core.strategies import args as any_args
from intune_vpp.core import graph_json, kinds, pulumi_state, stoken
from intune_vpp.core.resource_type import UNKNOWN, Kind, Property
from intune_vpp.core.vpp_token import VPP_TOKEN, AppLicenses, VppToken, VppTokenArgs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

LIVE: Final = {
    "appleId": "vpp@contoso.example",
    "automaticallyUpdateApps": True,
    "countryOrRegion": "gb",
    "expirationDateTime": "2026-09-25T17:09:22Z",
    "id": "00000000-0000-0000-0000-0000000000aa",
    "lastModifiedDateTime": "2026-07-17T14:50:53.5002993Z",
    "lastSyncDateTime": "2026-07-17T14:50:53.4972449Z",
    "lastSyncStatus": "completed",
    "organizationName": "Contoso LTD",
    "state": "valid",
    "token": None,
    "vppTokenAccountType": "business",
}
"""v1.0, a real tenant, 2026."""

DOCUMENTED: Final = {
    "@odata.type": "#microsoft.graph.vppToken",
    "id": "9ceb2f92-2f92-9ceb-922f-eb9c922feb9c",
    "organizationName": "Organization Name value",
    "vppTokenAccountType": "education",
    "appleId": "Apple Id value",
    "expirationDateTime": "2016-12-31T23:57:57.2481234-08:00",
    "lastSyncDateTime": "2017-01-01T00:02:49.3205976-08:00",
    "token": "Token value",
    "state": "valid",
    "tokenActionResults": [
        {
            "@odata.type": "microsoft.graph.vppTokenActionResult",
            "actionName": "Action Name value",
            "actionState": "pending",
            "startDateTime": "2016-12-31T23:58:46.7156189-08:00",
        }
    ],
    "lastSyncStatus": "inProgress",
    "dataSharingConsentGranted": True,
    "locationName": "Location Name value",
    "claimTokenManagementFromExternalMdm": True,
    "roleScopeTagIds": ["Role Scope Tag Ids value"],
}
"""Beta, Microsoft's example."""

APPLE: Final = {
    "_sToken_file_content": (
        "ewogICAgInRva2VuIjogIlZGZHdRbVZWTVZSUldGSktVbGRTTlZkc1pHcGpNR3hIVTI1Q2FrMXRhRzlhUjJ3eldqRkdkVk50ZUd0VFJrWjZV"
        "MVZhVDJGSFRuUlNiVGxOVVRCS1ExcEdhRTlOUjBaWVRrUXdQUT09IiwKICAgICJleHBEYXRlIjogIjIwMzAtMTEtMDhUMjI6MzM6MjIrMDAw"
        "MCIsCiAgICAib3JnTmFtZSI6ICJPUkcxMjM0NSIKfQ=="
    )
}
"""The content token in Apple's documentation."""

COPIES: Final = {"a live token": {"value": [LIVE]}, "a documented token": {"value": DOCUMENTED}, "Apple's file": APPLE}
CAPTURED: Final = {one.name: one.answer for folder in (PUBLIC, *runs()) for one in load(folder)}
"""What was captured, where it lies beside the project, and what was recorded; what matters of it is copied above."""

DOCUMENTS: Final = {**COPIES, **CAPTURED}
V1: Final = frozenset(LIVE)
BETA: Final = V1 | {
    "appleDeviceAppDeliveryProtocolType",
    "claimTokenManagementFromExternalMdm",
    "dataSharingConsentGranted",
    "displayName",
    "locationName",
    "roleScopeTagIds",
    "tokenActionResults",
}
PUBLISHED: Final = {"csdl-v1.0-Prod-2026-08.xml": V1, "csdl-beta-Fairfax-2026-07-28-vppToken.xml": BETA}


def objects(document: Any) -> Iterator[dict[str, Any]]:
    """All objects in a document."""
    if isinstance(document, dict):
        yield document
    for inner in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from objects(inner)


def _as_read(written: Any) -> Any:
    """The value of a member in the model: no date and no results are absent."""
    if isinstance(written, list):
        return tuple(written) or None
    return None if isinstance(written, str) and written.startswith("0001-01-01T") else written


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_graph_wrote_is_read_as_it_is(name: str) -> None:
    """Each member that the model knows comes out of any object as Graph wrote it, and no other does harm."""
    for entity in objects(DOCUMENTS[name]):
        read = graph_json.token_from(entity)
        answer = entity["value"] if isinstance(entity.get("value"), dict) else entity
        assert read.id == (answer.get("id") or "")
        for prop in VPP_TOKEN.observed:
            written = answer.get(prop.name)
            assert getattr(read, prop.attribute) == _as_read(written)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_apple_wrote_is_read_as_a_token_file(name: str) -> None:
    """Each content token in a document is read: its organization and the date, offset without colon."""
    texts = [entity[key] for entity in objects(DOCUMENTS[name]) for key in entity if key == "_sToken_file_content"]
    read = [stoken.parse(text.encode()) for text in texts]
    assert [(one.organization_name, one.expiration_date_time) for one in read] == [
        ("ORG12345", "2030-11-08T22:33:22Z") for _ in texts
    ]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_table_knows_the_published_members(name: str) -> None:
    """Each member of the published entity, in either version, is a property, and what only beta has is marked."""
    observed = {prop.name for prop in VPP_TOKEN.observed if not prop.beta_only or "beta" in name}
    assert observed | {"id", "token"} == PUBLISHED[name]
    path = PUBLIC / name
    fragment = path.read_text(encoding="utf-8").partition("</EntityType>")[0] if path.exists() else ""
    captured = set(re.findall(r'<Property Name="(\w+)"', fragment))
    assert captured | {"id"} == PUBLISHED[name] or not captured


def test_a_live_token_becomes_the_model() -> None:
    """A token of a real tenant is read with its own texts, and what v1.0 does not show is absent."""
    assert graph_json.token_from(LIVE) == VppToken(
        id="00000000-0000-0000-0000-0000000000aa",
        apple_id="vpp@contoso.example",
        automatically_update_apps=True,
        country_or_region="gb",
        expiration_date_time="2026-09-25T17:09:22Z",
        last_modified_date_time="2026-07-17T14:50:53.5002993Z",
        last_sync_date_time="2026-07-17T14:50:53.4972449Z",
        last_sync_status="completed",
        organization_name="Contoso LTD",
        state="valid",
        vpp_token_account_type="business",
    )


@pytest.mark.parametrize("never", NEVER)
def test_a_date_that_was_never_set_is_absent(never: str) -> None:
    """Graph writes the first second of the calendar where there is no date, in one spelling or another."""
    dates = [prop for prop in VPP_TOKEN.observed if prop.kind is Kind.TIME]
    read = graph_json.token_from({"id": "7", "state": never, **{prop.name: never for prop in dates}})
    assert len(dates) == 3
    assert read == VppToken(id="7", state=never)


@given(tokens(), TEXTS, TEXTS, st.dictionaries(NAMES, PLAIN), st.dictionaries(NAMES, PLAIN))
def test_what_nobody_knows_today_survives(
    token: VppToken, state: str, status: str, strangers: dict[str, Any], operation: dict[str, Any]
) -> None:
    """Members of enums that come one day pass through as they are, unknown members do no harm, actions stay whole."""
    members = {prop.name: getattr(token, prop.attribute) for prop in VPP_TOKEN.observed}
    answer = {
        "id": token.id,
        **members,
        **strangers,
        "state": state,
        "lastSyncStatus": status,
        "tokenActionResults": [operation],
    }
    read = graph_json.token_from(answer)
    assert (read.state, read.last_sync_status, read.token_action_results) == (state, status, (operation,))
    untouched = [
        prop.attribute
        for prop in VPP_TOKEN.observed
        if prop.name not in {"state", "lastSyncStatus", "tokenActionResults"}
    ]
    assert [getattr(read, name) for name in untouched] == [getattr(token, name) for name in untouched]


@given(any_args(unknowns=True))
def test_what_is_sent_comes_back(asked: VppTokenArgs) -> None:
    """The members of a request, answered by Graph as they are, are the inputs again; what is unknown is never sent."""
    shown = [prop for prop in VPP_TOKEN.observed if prop in VPP_TOKEN.inputs]
    sent = graph_json.members(asked, (prop.attribute for prop in shown))
    json.dumps(sent)
    answered = graph_json.token_from({"id": "7", **sent})
    for prop in shown:
        wanted = getattr(asked, prop.attribute)
        assert getattr(answered, prop.attribute) == (None if wanted is UNKNOWN else wanted)
        assert (prop.name in sent) is (wanted not in {None, UNKNOWN})


def test_only_what_is_asked_for_is_sent() -> None:
    """A request carries the members it is asked to, in Graph's names, an empty list and a false among them."""
    asked = args(file(), role_scope_tag_ids=(), automatically_update_apps=False, country_or_region=None)
    names = ["role_scope_tag_ids", "automatically_update_apps", "country_or_region", "apple_id"]
    assert graph_json.members(asked, names) == {
        "roleScopeTagIds": [],
        "automaticallyUpdateApps": False,
        "appleId": "vpp@contoso.example",
    }
    assert graph_json.members(asked, []) == {}


def test_a_token_without_an_id_is_read_without_one() -> None:
    """An answer that is no entity at all is no reason to fall over."""
    assert graph_json.token_from({}) == graph_json.token_from({"value": {}}) == VppToken(id="")
    assert VPP_TOKEN.by_name["token"] not in VPP_TOKEN.observed


def test_licences_of_an_app() -> None:
    """Each member of a summary is read; a name that is not there is absent, and a count none."""
    answer = {
        "@odata.type": "#microsoft.graph.vppTokenLicenseSummary",
        "vppTokenId": "7",
        "appleId": "vpp@contoso.example",
        "organizationName": "Contoso",
        "availableLicenseCount": 219,
        "usedLicenseCount": 31,
    }
    expected = AppLicenses(
        vpp_token_id="7",
        apple_id="vpp@contoso.example",
        organization_name="Contoso",
        available_license_count=219,
        used_license_count=31,
    )
    assert graph_json.licenses_from(answer) == expected
    blank = AppLicenses(
        vpp_token_id="", apple_id=None, organization_name=None, available_license_count=0, used_license_count=0
    )
    assert graph_json.licenses_from({}) == graph_json.licenses_from(dict.fromkeys(answer)) == blank


NO_IDS: list[object] = [
    None,
    "",
    7,
    7.0,
    True,
    {},
    ["7"],
    ".",
    "..",
    "a b",
    " a",
    "a\n",
    "a\x00",
    "a\u202e",
    "a\ud800",
    "a\ufffd",
    "x" * 1001,
]


@pytest.mark.parametrize("found", NO_IDS)
def test_what_is_no_id(found: object) -> None:
    """An id that is no text, or cannot be part of an address, is none."""
    assert graph_json.token_from({"id": found, "state": "valid"}) == VppToken(id="", state="valid")
    assert graph_json.token_from({"value": {"id": found}}).id == ""


@pytest.mark.parametrize("inner", [{}, {"id": "8"}, {"id": 8, "state": "expired"}, "text", 7, []])
def test_an_id_outside_counts(inner: object) -> None:
    """An entity with an id of its own is the token, whatever its member `value` is."""
    assert graph_json.token_from({"id": "7", "state": "valid", "value": inner}) == VppToken(id="7", state="valid")


BEYOND: Final = [float("inf"), float("-inf"), float("nan"), 10**400, -(10**400)]
ODD: Final[list[object]] = [7, 7.5, True, "text", [], [7], [None], ["text", 7], {}, {"a": [{}]}, *BEYOND]


def fitting(prop: Property, value: object) -> bool:
    """Whether a value is of a property's kind, by other words than the code's."""
    match prop.kind:
        case Kind.BOOL:
            return isinstance(value, bool)
        case Kind.STRINGS | Kind.OBJECTS:
            return value == []
        case _:
            return isinstance(value, str)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:9])
@pytest.mark.parametrize("prop", VPP_TOKEN.observed, ids=lambda prop: prop.name)
def test_a_member_of_another_kind_is_ignored(prop: Property, odd: object, caplog: pytest.LogCaptureFixture) -> None:
    """What does not fit is absent, one debug line names the member, and the rest of the answer is read."""
    caplog.set_level(logging.DEBUG, logger="intune_vpp")
    other = VPP_TOKEN.by_name["appleId" if prop.name != "appleId" else "organizationName"]

    read = graph_json.token_from({"id": "7", other.name: "Lincoln", prop.name: odd})

    assert (read.id, getattr(read, other.attribute)) == ("7", "Lincoln")
    if fitting(prop, odd):
        shown = tuple(odd) if isinstance(odd, list) else odd
        assert getattr(read, prop.attribute) == (None if prop.kind is Kind.OBJECTS else shown)
        assert caplog.messages == []
    else:
        assert not getattr(read, prop.attribute)
        (line,) = set(caplog.messages)
        assert line.startswith(f"Ignored {prop.name} in an answer of Microsoft Graph: it is not a")


def test_a_line_never_shows_a_value(caplog: pytest.LogCaptureFixture) -> None:
    """What stands where it does not belong may be a secret."""
    caplog.set_level(logging.DEBUG, logger="intune_vpp")
    graph_json.token_from({"id": "7", "displayName": {"hunter2": "hunter2"}, "state": ["hunter2"]})
    graph_json.token_from({"id": "7", "tokenActionResults": [{"hunter2": float("nan")}]})
    assert len(caplog.messages) == 3
    assert "hunter2" not in caplog.text


def test_half_a_surrogate_pair_is_replaced() -> None:
    """JSON can spell it, and no UTF-8 can: in values and in names, it is the replacement character."""
    read = graph_json.token_from(
        {
            "id": "7",
            "displayName": "Lin\ud800coln",
            "lastSyncDateTime": "\udfff",
            "roleScopeTagIds": ["\udc00"],
            "tokenActionResults": [{"actionName": "\ud83d", "a\ud800": ["\udfff"], "fine": "\U0001f600"}],
        }
    )
    assert (read.display_name, read.last_sync_date_time, read.role_scope_tag_ids) == (
        "Lin\ufffdcoln",
        "\ufffd",
        ("\ufffd",),
    )
    assert read.token_action_results == ({"actionName": "\ufffd", "a\ufffd": ["\ufffd"], "fine": "\U0001f600"},)


def nested(depth: int) -> list[Any]:
    """Lists within lists."""
    made: list[Any] = []
    for _ in range(depth - 1):
        made = [made]
    return made


@pytest.mark.parametrize("beyond", BEYOND, ids=lambda number: str(number)[:5])
def test_results_are_plain(beyond: float, caplog: pytest.LogCaptureFixture) -> None:
    """Of a result, members that nobody knows stay as long as they are plain JSON; others go, with a debug line each."""
    caplog.set_level(logging.DEBUG, logger="intune_vpp")
    good = {"@odata.type": "#x", "more": {"a": [1, 2.5, None, True, "x"]}, "deep": nested(kinds.DEEPEST - 1)}
    odd = {**good, "number": beyond, "list": [1, beyond], "deeper": nested(500)}

    read = graph_json.token_from({"id": "7", "tokenActionResults": [good, odd, None, "text", 7]})

    kept, cut = read.token_action_results or ()
    assert kept == good
    assert {name: cut[name] for name in good} == good
    assert (cut["number"], cut["list"]) == (None, [1, None])
    json.dumps(cut, allow_nan=False)
    assert [line.partition(": it is not ")[2] for line in caplog.messages] == [
        "plain JSON.",
        *["a list of objects."] * 3,
    ]


@pytest.mark.parametrize("odd", [*BEYOND, 7.5, "3", True, [], {}, 2**60])
def test_a_count_of_another_kind(odd: object) -> None:
    """A count that is no whole number is absent in a result, and 0 in a summary of licences."""
    results = [{"totalLicensesCount": odd, "failedLicensesCount": 3.0}]
    (result,) = graph_json.token_from({"tokenActionResults": results}).token_action_results or ()
    assert result == {"totalLicensesCount": None, "failedLicensesCount": 3}
    answer = graph_json.licenses_from(
        {"vppTokenId": 7, "appleId": 7, "availableLicenseCount": odd, "usedLicenseCount": -3}
    )
    assert answer == AppLicenses(
        vpp_token_id="", apple_id=None, organization_name=None, available_license_count=0, used_license_count=-3
    )


@given(st.dictionaries(TEXTS | st.sampled_from([prop.name for prop in VPP_TOKEN.observed]), ODD_JSON), st.uuids())
def test_an_id_survives_whatever_comes_with_it(members: dict[str, Any], token_id: UUID) -> None:
    """Any answer with a usable id is a token with that id, which the engine can keep and give back."""
    read = graph_json.token_from({**members, "id": str(token_id)})
    assert read.id == str(token_id)
    kept = pulumi_state.observed_to(read)
    json.dumps(kept, allow_nan=False).encode()
    assert pulumi_state.state_from(read.id, kept).observed == read
