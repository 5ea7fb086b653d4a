"""The `.vpptoken` file."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intune_vpp_emulator.apple import ContentToken, TokenEncoding, UnreadableFileError, expiry, make_token, read

ENDS = datetime(2027, 10, 1, 9, 8, 7, tzinfo=UTC)


def wrapped(document: object) -> str:
    """The document as a file."""
    return base64.b64encode(json.dumps(document).encode()).decode()


@given(organization=st.text(st.characters(exclude_categories=["Cs"])), location=st.text(), after=st.integers(0, 10**10))
def test_what_is_made_can_be_read(organization: str, location: str, after: int) -> None:
    """A made file tells its organization, expiration and sealed location."""
    moment = ENDS + timedelta(seconds=after)

    parsed = read(make_token(organization, location, moment))

    assert (parsed.organization, parsed.expires, parsed.sealed) == (organization, moment, True)
    assert parsed.location == location.encode(errors="replace").decode()


def test_two_downloads_differ() -> None:
    """The same location downloaded twice gives two texts that mean the same, with other fingerprints."""
    one, other = make_token("Contoso", "Lincoln", ENDS), make_token("Contoso", "Lincoln", ENDS)

    assert one != other
    assert read(one).sha256 != read(other).sha256
    assert read(one).location == read(other).location == "Lincoln"


def test_the_form_is_apples() -> None:
    """A made file is Base64 of a JSON object with Apple's three members, and keeps its location to itself."""
    document = json.loads(base64.b64decode(make_token("Contoso", "Lincoln", ENDS), validate=True))

    assert sorted(document) == ["expDate", "orgName", "token"]
    assert document["expDate"] == "2027-10-01T09:08:07+0000"
    assert document["orgName"] == "Contoso"
    assert b"Lincoln" not in base64.b64decode(document["token"], validate=True)


@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
@example(base64.b64encode(b"[" * 100_000).decode())
@example(wrapped({"token": "x", "orgName": "\ud800", "expDate": "2027-10-01T09:08:07+0000"}))
@example(wrapped({"token": "x", "orgName": "y", "expDate": "0001-01-01T00:00:00+2359"}))
@example(wrapped({"token": "x", "orgName": "y", "expDate": "next year"}))
@example(wrapped({"token": "x", "orgName": 7, "expDate": "2027-10-01T09:08:07+0000"}))
@example(wrapped(["token", "orgName", "expDate"]))
def test_garbage_fails_in_one_way(text: str) -> None:
    """Whatever is posted, reading it fails with UnreadableFileError and nothing else."""
    with pytest.raises(UnreadableFileError):
        read(text)


@pytest.mark.parametrize("spoilt", ["{}\n", " {}", "{}\r\n", "\ufeff{}"])
def test_white_space_spoils_a_file(spoilt: str) -> None:
    """A file with anything around its text is refused."""
    with pytest.raises(UnreadableFileError):
        read(spoilt.format(make_token("Contoso", "Lincoln", ENDS)))


def test_further_members_are_tolerated() -> None:
    """A file with a member that is not documented is read."""
    document = json.loads(base64.b64decode(make_token("Contoso", "Lincoln", ENDS)))

    assert read(wrapped({**document, "since": 2027})).location == "Lincoln"


def test_encodings_exclude_each_other() -> None:
    """A tenant that wants base64 of the text reads that and refuses the text itself."""
    text = make_token("Contoso", "Lincoln", ENDS)
    wrapped_text = base64.b64encode(text.encode()).decode()

    assert read(wrapped_text, TokenEncoding.BASE64) == read(text)
    for posted, encoding in ((text, TokenEncoding.BASE64), (wrapped_text, TokenEncoding.VERBATIM)):
        with pytest.raises(UnreadableFileError):
            read(posted, encoding)


def test_a_foreign_file_renews_where_it_is_put() -> None:
    """A file without our seal renews the location it is uploaded to, unless its organization is another."""
    before = read(make_token("Contoso", "Lincoln", ENDS))
    foreign = ContentToken("Contoso", "Location 1234", ENDS, "f" * 64, sealed=False)

    assert foreign.following(before).location == "Lincoln"
    assert (
        ContentToken("Fabrikam", "Location 1234", ENDS, "f" * 64, sealed=False).following(before).location != "Lincoln"
    )
    assert read(make_token("Contoso", "Denver", ENDS)).following(before).location == "Denver"


def test_an_expiry_is_utc() -> None:
    """An expiry with a time is taken as UTC, one with an offset is converted."""
    assert expiry("2027-10-01T09:08:07") == ENDS
    assert expiry("2027-10-01T11:08:07+02:00") == ENDS.astimezone(timezone(timedelta(hours=2)))


def test_a_date_alone_ends_at_some_second_of_that_day() -> None:
    """An expiry without a time falls at a random second of that very day."""
    ends = {expiry("2027-10-01") for _ in range(20)}

    assert len(ends) > 1
    assert {one.date().isoformat() for one in ends} == {"2027-10-01"}
