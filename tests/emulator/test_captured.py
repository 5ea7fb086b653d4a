"""The emulator beside what was captured of the real thing."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from captures import PUBLIC
from emulator.captured import (
    APPLE_FILE,
    BETA_MEMBERS,
    COMPLEX,
    COPIES,
    CSDL,
    LIVE_LIST,
    NESTED,
    SCRIPT_BODY,
    UNKNOWN_SEGMENT,
)
from emulator.captured import V1_MEMBERS as V1
from emulator.client import TOKENS, TOKENS_V1, a_body, a_body_v1, a_file, a_tenant, graph
from intune_vpp_emulator import apple
from intune_vpp_emulator.apple import UnreadableFileError
from intune_vpp_emulator.members import Version, published


def shape(document: Any) -> Any:
    """The members in their order, the kinds of their values, and the form of a date."""
    if isinstance(document, dict):
        return [(name, shape(value)) for name, value in document.items()]
    if isinstance(document, list):
        return [shape(document[0])]
    if isinstance(document, str) and re.match(r"\d{4}-\d\d-\d\dT", document):
        return re.sub(r"\d", "0", document)
    return type(document)


def test_the_copies_are_equal_to_the_captures() -> None:
    """What these tests hold against the emulator is what was captured, wherever the captures are at hand."""
    for name, copy in COPIES.items():
        path = PUBLIC / name
        assert not path.exists() or json.loads(path.read_text()) == copy, name


def test_the_members_are_those_of_the_published_model() -> None:
    """The member names of these tests are those of the CSDL, wherever that is at hand."""
    for name, members in CSDL.items():
        path = PUBLIC / name
        fragment = path.read_text().partition("</EntityType>")[0] if path.exists() else ""
        assert set(re.findall(r'<Property Name="(\w+)"', fragment)) | {"id"} == members or not fragment, name


def test_the_parts_are_those_of_the_published_model() -> None:
    """The members of results and summaries in these tests are those of the CSDL, wherever that is at hand."""
    path = PUBLIC / "csdl-beta-Mooncake-2022-06.xml"
    published_parts = path.read_text() if path.exists() else ""
    for name, members in COMPLEX.items():
        fragment = published_parts.partition(f'<ComplexType Name="{name}"')[2].partition("</ComplexType>")[0]
        assert set(re.findall(r'<Property Name="(\w+)"', fragment)) == members or not fragment, name


def test_each_version_knows_the_published_members() -> None:
    """The emulator publishes neither more nor fewer members than Graph does, in either version."""
    assert set(published(Version.V1)) == V1
    assert set(published(Version.BETA)) == BETA_MEMBERS


def test_a_list_looks_like_a_live_one() -> None:
    """A v1.0 LIST after a sync has the members, the order, the nulls and the date forms of a real tenant's."""
    tenant = a_tenant()
    client = graph(tenant)
    made = client.post(TOKENS_V1, json=a_body_v1(automaticallyUpdateApps=True, countryOrRegion="GB")).json()
    tenant.sync_licenses(made["id"])
    tenant.clock.advance(2)

    answer = client.get(TOKENS_V1).json()

    assert shape(answer) == shape(LIVE_LIST)
    live, ours = LIVE_LIST["value"][0], answer["value"][0]
    same = ("automaticallyUpdateApps", "countryOrRegion", "lastSyncStatus", "state", "token", "vppTokenAccountType")
    assert [ours[name] for name in same] == [live[name] for name in same]
    assert answer["@odata.context"].endswith("/v1.0/$metadata#deviceAppManagement/vppTokens")


def test_the_modification_follows_the_sync_by_milliseconds() -> None:
    """A sync moves lastModifiedDateTime to a few milliseconds after lastSyncDateTime, as in a real tenant."""
    tenant = a_tenant()
    made = tenant.create(a_body())
    tenant.sync_licenses(made["id"])
    tenant.clock.advance(2)

    synced = tenant.get(made["id"])

    assert synced["lastSyncDateTime"].startswith("2026-11-01T12:00:01.250")
    assert synced["lastModifiedDateTime"].startswith("2026-11-01T12:00:01.253")


def test_the_public_script_is_served() -> None:
    """The body of the one public create script is accepted as it is, once its variables are filled in."""
    filled = SCRIPT_BODY | {"token": a_file(), "vppTokenAccountType": "business"}

    answer = graph(a_tenant()).post(TOKENS, json=filled)

    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in SCRIPT_BODY if name not in {"@odata.type", "token"}} == {
        name: value for name, value in filled.items() if name not in {"@odata.type", "token"}
    }


def test_an_unknown_segment_is_refused_as_by_graph() -> None:
    """A path that Graph does not have is answered by the gateway's flat 400, which names the segment."""
    answer = graph(a_tenant()).get("/beta/deviceManagement/importedWindowsAutopilotDeviceIdentities")

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == UNKNOWN_SEGMENT["error"]["code"]
    assert answer.json()["error"]["message"] == UNKNOWN_SEGMENT["error"]["message"]
    assert set(answer.json()["error"]["innerError"]) > set(UNKNOWN_SEGMENT["error"]["innerError"])


def test_intune_refuses_with_a_document_in_a_string() -> None:
    """An error of Intune's has the envelope, the line ends and the sentence's tail of a real one."""
    answer = graph(a_tenant()).post(TOKENS, json=a_body(token="garbage")).json()

    captured, ours = NESTED["error"], answer["error"]
    assert list(ours) == list(captured)
    assert list(ours["innerError"]) == list(captured["innerError"])
    assert ours["message"].count("\r\n") == captured["message"].count("\r\n")
    assert ours["message"].count("\n") == captured["message"].count("\n")
    ours_inner, theirs_inner = json.loads(ours["message"]), json.loads(captured["message"])
    sentences = [ours_inner.pop("Message"), theirs_inner.pop("Message")]
    assert ours_inner == theirs_inner
    tail = re.compile(
        r" - Operation ID \(for customer support\): 0{8}-0000-0000-0000-0{12} - Activity ID: [0-9a-f-]{36} - "
        r"Url: https://fef\.\w+\.manage\.microsoft\.com/\w+/\w+/deviceAppManagement/\w+\?api-version=2020-08-04$"
    )
    assert all(tail.search(sentence) for sentence in sentences)
    assert ours["innerError"]["request-id"] in sentences[0]


def test_apples_sample_is_read() -> None:
    """Apple's documented file is read, and gets a made-up location that stays the same."""
    text, decoded = APPLE_FILE["_sToken_file_content"], APPLE_FILE["_decoded"]

    read, again = apple.read(text), apple.read(text)

    assert read == again
    assert read.organization == decoded["orgName"]
    assert read.expires.isoformat() == "2030-11-08T22:33:22+00:00"
    assert read.location.startswith("Location ")
    assert not read.sealed


def test_apples_sample_wrapped_twice_is_garbage() -> None:
    """Base64 of a file is no file for a tenant that wants the text itself."""
    twice = base64.b64encode(APPLE_FILE["_sToken_file_content"].encode()).decode()

    with pytest.raises(UnreadableFileError):
        apple.read(twice, apple.TokenEncoding.VERBATIM)
