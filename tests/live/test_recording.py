"""Recordings: what they keep, what they replace, and that no secret and no id of the tenant is in a report."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import APPLE_ID, sealed_in
from captures import PUBLIC, load
from emulator.captured import LIVE_APPS, LIVE_LIST, NESTED
from live.kit import Kit
from live.recording import NOT_RECORDED, NOTHING, Recorder, Redactor
from live.wire import Exchange

GUID = "3f2a77aa-12ab-4cde-8fab-0123456789ab"
MAPPED = "aaaaaaaa-0000-4000-8000-000000000001"


def exchange(body: Any, path: str = "/beta/deviceAppManagement/vppTokens", **more: Any) -> Exchange:
    """An answer with this body."""
    return Exchange(**{"method": "GET", "path": path, "status": 200, "headers": {}, "body": body, **more})


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    """A tenant with two tokens, and names that are found nowhere else."""
    made = Kit(tmp_path)
    made.upload("Lincoln", displayName="Quagga", appleId="zebu@fabrikam.example")
    made.upload("Denver", displayName="Okapi", roleScopeTagIds=["7"])
    return made


def test_a_report_has_no_secret_and_no_id(kit: Kit) -> None:
    """No file, access token, credential, id, name, Apple ID or domain of the tenant is in the report of a whole run."""
    files = [kit.file("Springfield", days=200), kit.file("Springfield", days=300), kit.file("Dover", days=250)]
    paths = ("--renewal-file", files[1], "--other-location-file", files[2])

    kit.create("Springfield", *paths)

    texts = [Path(one).read_text() for one in files]
    directory = kit.tenant.directory
    secrets = [*texts, *(sealed_in(text) for text in texts), directory.app.client_secret, "eyJ"]
    names = ["Springfield", "Dover", "Lincoln", "Denver", "Quagga", "Okapi", "Contoso", APPLE_ID]
    names += ["zebu@fabrikam.example", "spare@contoso.example", directory.domain, "graph.emulator.test"]
    ids = [directory.tenant_id, directory.app.client_id, *(one.id for one in kit.tenant.tokens)]
    exact = kit.written()
    written = exact.casefold()
    assert len(kit.recordings()) > 100
    assert [one for one in [*secrets, *names, *ids] if one.casefold() in written] == []
    # Neither is a part of a file, in any of the encodings.
    wrapped = [base64.b64encode(text.encode()).decode() for text in texts]
    assert [one[at : at + 24] for one in [*texts, *wrapped] for at in (0, 40, 90) if one[at : at + 24] in exact] == []


def test_ids_are_mapped_alike(kit: Kit) -> None:
    """An id is replaced by the same one in all paths and answers of a run, and two ids never by one."""
    kit.run()

    listed, *others = kit.recordings()
    mapped = [one["id"] for one in listed.answer["value"]]
    assert len(set(mapped)) == 2
    read = [one for one in others if one.path.rpartition("/")[2] in mapped]
    assert read
    assert all(one.answer["id"] == one.path.rpartition("/")[2] for one in read)


def test_unknown_members_are_replaced() -> None:
    """The text of a member that nobody has listed is replaced, and numbers, booleans and nulls are kept."""
    redactor = Redactor()
    body = {"newMember": "Fabrikam", "newCount": 7, "newFlag": True, "newNothing": None, "newList": ["Fabrikam", "x"]}

    assert redactor.value(body) == {
        "newMember": "[newMember 1]",
        "newCount": 7,
        "newFlag": True,
        "newNothing": None,
        "newList": ["[newMember 1]", "[newList 1]"],
    }


@pytest.mark.parametrize(
    ("name", "kept", "replaced"),
    [
        ("state", "assignedToExternalMDM", "Fabrikam School 7"),
        ("lastSyncStatus", "inProgress", "in progress at Fabrikam"),
        ("expirationDateTime", "2026-09-25T17:09:22Z", "tomorrow"),
        ("lastSyncDateTime", "2026-07-17T14:50:53.4972449Z", "2026-07-17"),
        ("countryOrRegion", "gb", "Fabrikam"),
        ("roleScopeTagIds", "12", "twelve"),
        ("code", "ResourceNotFound", "fabrikam.example"),
        ("code", "Authorization_RequestDenied", "Jane_Doe_GmbH"),
        ("code", "BadRequest", "Woodgrove"),
        ("state", "duplicateLocationId", "Woodgrove"),
        ("lastSyncStatus", "completed", "Woodgrove"),
        ("actionState", "notSupported", "Woodgrove"),
        ("actionFailureReason", "appleFailure", "Woodgrove"),
        ("vppTokenAccountType", "education", "Woodgrove"),
        ("publishingState", "published", "Woodgrove"),
        ("appleDeviceAppDeliveryProtocolType", "declarativeDeviceManagement", "Woodgrove"),
        ("@odata.type", "#microsoft.graph.vppToken", "#fabrikam.vppToken"),
        ("actionName", "revokeLicenses", "Fabrikam"),
    ],
)
def test_listed_members_are_kept_by_their_form(name: str, kept: str, replaced: str) -> None:
    """A listed member keeps a value of its form, or a known value of its enumeration, only."""
    assert Redactor().value({name: kept}) == {name: kept}
    assert Redactor().value({name: replaced}) == {name: f"[{name} 1]"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Must define one or more tags allowed by the current role", None),
        ("The location Fabrikam is unknown.", f"The location {NOTHING} is unknown."),
        ("The token of [Fabrikam] is invalid.", f"The token of {NOTHING} is invalid."),
        ("Owner is zebu@fabrikam.example.", f"{NOTHING} is {NOTHING}"),
        ("Look at https://fef.msub05.manage.microsoft.com/Vpp?x=1 once", f"{NOTHING} at [URL] once"),
        (f"Activity ID: {GUID}", f"Activity ID: {MAPPED}"),
        ("The property 'displayName' is unknown.", None),
        ("Added a tag which is not allowed by the current role: 0", None),
        ("quagga is not an application", "[displayName 1] is not an application"),
        ("The type 'microsoft.graph.vppToken' does not exist.", None),
        ("The tenant contoso.onmicrosoft.com is unknown.", f"The tenant {NOTHING} is unknown."),
        ("The user jane.doe is unknown.", f"The user {NOTHING} is unknown."),
        ("The application intune-prod-jdoe is unknown.", f"The application {NOTHING} is unknown."),
        ("The token of fabrikam is invalid.", f"The token of {NOTHING} is invalid."),
        ("The token of app-token_user is invalid.", f"The token of {NOTHING} is invalid."),
        ("The address 10.20.30.40 is invalid.", f"The {NOTHING} {NOTHING} is invalid."),
    ],
)
def test_sentences_keep_ordinary_words(text: str, shown: str | None) -> None:
    """A message keeps the ordinary words of a list alone, and no name, domain, address, URL or id."""
    redactor = Redactor()
    redactor.value({"displayName": "Quagga"})
    assert redactor.value({"message": text})["message"] == (text if shown is None else shown)


def test_intunes_document_stays_one() -> None:
    """The document in the message of a captured error of Intune stays one, with its line ends."""
    error = Redactor().value(NESTED)["error"]

    assert error["message"].count("\r\n") == NESTED["error"]["message"].count("\r\n")
    inner, before = json.loads(error["message"]), json.loads(NESTED["error"]["message"])
    assert list(inner) == list(before)
    assert inner.pop("Message").startswith("POST is not supported for this app type. - Operation ID (for customer")
    assert inner == {name: value for name, value in before.items() if name != "Message"}
    assert error["innerError"]["request-id"] == MAPPED


def test_a_secret_that_is_left_is_not_recorded() -> None:
    """An answer in which a secret of the connection would be left is not recorded at all."""
    redactor = Redactor()
    redactor.is_secret = lambda text: "wrong" in text

    recorded = redactor.document(exchange({"error": {"message": "the token is wrong"}}, sent={"x": "y"}))

    assert recorded["answer"] == NOT_RECORDED
    assert "wrong" not in json.dumps(recorded)


def test_paths_and_headers() -> None:
    """Of a path the ids are mapped and unknown values of its query replaced; only harmless headers are kept."""
    sent = {"Content-Type": "application/json", "Retry-After": "12", "x-ms-tenant": "fabrikam", "request-id": GUID}
    path = f"/beta/deviceAppManagement/vppTokens/{GUID}?$select=id,state&$skiptoken=Fabrikam&user=zebu"

    recorded = Redactor().document(exchange(None, path, headers=sent))

    assert recorded["headers"] == {"content-type": "application/json", "retry-after": "12"}
    shown = f"/beta/deviceAppManagement/vppTokens/{MAPPED}?$select=id,state&$skiptoken={NOTHING}"
    assert recorded["request"]["path"] == shown
    for other in ("Fabrikam School/x", "deviceAppManagement/vppTokens/contoso.onmicrosoft.com", "fabrikam"):
        assert Redactor().path(f"/beta/{other}") == NOTHING


@pytest.mark.parametrize("name", ["zebu@fabrikam.example", GUID, "fabrikam.example", "Fabrikam GmbH", "a@odata.zebu"])
def test_names_of_members(name: str) -> None:
    """The name of a member that may be an address, an id or a name is replaced; Graph's annotations are kept."""
    assert Redactor().value({name: 1}) == {NOTHING: 1}
    kept = ("@odata.context", "value@odata.count", "client-request-id", "newMember_2")
    assert Redactor().value(dict.fromkeys(kept, 1)) == dict.fromkeys(kept, 1)


def test_contexts() -> None:
    """The context of an answer keeps its path if nothing in it may be a name."""
    root = "https://graph.microsoft.com/beta/$metadata#"
    kept = f"{root}deviceAppManagement/vppTokens/$entity"
    assert Redactor().value({"@odata.context": kept}) == {"@odata.context": kept}
    for other in ("fabrikam", "deviceAppManagement/vppTokens(fabrikam)", "contoso.onmicrosoft.com"):
        assert Redactor().value({"@odata.context": f"{root}{other}"}) == {"@odata.context": f"{root}{NOTHING}"}


def test_the_names_of_recordings(tmp_path: Path) -> None:
    """The name of a recording has words of known paths only."""
    record = Recorder(tmp_path, Redactor())
    record(exchange(None))
    record(exchange(None, "/beta/deviceAppManagement/Fabrikam"))
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "001-GET-deviceAppManagement-vppTokens.json",
        "002-GET-other.json",
    ]


def test_the_details_of_findings() -> None:
    """A finding quotes the code of an error only if it is a known one."""
    assert exchange({"error": {"code": "BadRequest"}}, status=400).words == "400 BadRequest"
    assert exchange({"error": {"code": "Woodgrove"}}, status=400).words == "400"


@given(st.lists(st.text(min_size=1)), st.text(min_size=1))
def test_no_text_of_an_unknown_member_is_left(texts: list[str], name: str) -> None:
    """Whatever texts an unknown member has, its recording has placeholders only, the same for the same text."""
    (recorded,) = Redactor().value({f"unheardOf{name}": texts}).values()
    assert all(one.startswith("[") and one.endswith("]") for one in recorded)
    assert len(set(recorded)) == len({text.casefold() for text in texts})


def test_public_captures_and_recordings_have_one_loader(kit: Kit) -> None:
    """The loader reads a public answer and a recording alike, and knows the requests of both."""
    public = kit.folder / "public"
    public.mkdir()
    (public / "live-v1.0-list-vppTokens-2026-07-17.json").write_text(json.dumps(LIVE_LIST))
    (public / "live-v1.0-mobileApps-iosVppApp-2026-07-17.json").write_text(json.dumps(LIVE_APPS))
    kit.run()

    listed, apps = load(public)
    assert (listed.method, listed.path, listed.answer) == ("GET", "/v1.0/deviceAppManagement/vppTokens", LIVE_LIST)
    assert listed.replayable
    assert not apps.replayable
    first = kit.recordings()[0]
    assert (first.method, first.path, first.status) == ("GET", "/beta/deviceAppManagement/vppTokens", 200)
    assert first.replayable
    assert load(PUBLIC / "no such folder") == []
