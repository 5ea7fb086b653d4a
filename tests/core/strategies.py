"""Values of the model, as many as hypothesis cares to think of."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from intune_vpp.core import times
from intune_vpp.core.enums import TokenState
from intune_vpp.core.resource_type import UNKNOWN, Kind, Property
from intune_vpp.core.token_encoding import Encoding
from intune_vpp.core.vpp_token import UNSEEN_FINGERPRINT, VPP_TOKEN, TokenFile, VppToken, VppTokenArgs, VppTokenState

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
TEXTS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters=_TURNING), min_size=1, max_size=12
)
"""Texts without the control characters that neither an input nor a value from outside keeps."""
LATIN = st.text(st.characters(max_codepoint=255), min_size=1, max_size=12)
"""Texts that may become an id: httpx's WSGI transport and Werkzeug fail at an address with any other letter."""

INSTANTS = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
TIMESTAMPS = INSTANTS.map(times.text)
FINGERPRINTS = st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ODD_JSON = st.recursive(
    JSON | st.sampled_from([10**400, -(10**400), "\ud800", "a\udfffb"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.just("\udc00"), inner, max_size=3),
    max_leaves=6,
)
"""What Python reads from JSON, and protobuf cannot hold."""

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e308, 1e308) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
"""JSON that stays as it is wherever it goes."""

NAMES = TEXTS.map("x{}".format)
"""Names that no member of Graph's has."""

NEVER = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00",
    "0001-01-01T00:00:00.0000000Z",
    "0001-01-01T00:00:00+00:00",
    "0001-01-01T08:00:00-08:00",
    "0001-01-02T00:00:00Z",
    "0001-01-01",
    "00010101T000000Z",
)
"""Spellings of .NET's smallest date, which is no date at all."""

TOKEN_FILES = st.builds(
    TokenFile,
    st.one_of(FINGERPRINTS, st.just(UNSEEN_FINGERPRINT)),
    st.none() | TIMESTAMPS,
    st.none() | TEXTS,
    st.sampled_from([None, "invalid"]),
)

_BY_KIND: dict[Kind, SearchStrategy[Any]] = {
    Kind.STRING: TEXTS.filter(str.strip),
    Kind.BOOL: st.booleans(),
    Kind.STRINGS: st.lists(TEXTS, max_size=3).map(tuple),
    Kind.COUNTRY: st.sampled_from(["US", "us", "gb", "De"]),
    Kind.GUID: st.uuids().map(str),
    Kind.TIME: TIMESTAMPS,
    Kind.FINGERPRINT: FINGERPRINTS,
    Kind.OBJECT: TOKEN_FILES,
    Kind.OBJECTS: st.lists(st.dictionaries(NAMES, PLAIN, max_size=3), max_size=2).map(tuple),
}


def values(prop: Property) -> SearchStrategy[Any]:
    """What fits a property."""
    return st.sampled_from([str(choice) for choice in prop.choices]) if prop.choices else _BY_KIND[prop.kind]


def args(*, unknowns: bool) -> SearchStrategy[VppTokenArgs]:
    """Inputs as Check may return them, with values that are known only later or without."""
    later = st.just(UNKNOWN) if unknowns else st.nothing()
    drawn = st.builds(VppTokenArgs, **{prop.attribute: st.none() | values(prop) | later for prop in VPP_TOKEN.inputs})
    return drawn.map(_with_its_file)


def _with_its_file(drawn: VppTokenArgs) -> VppTokenArgs:
    """A token is named by its file's fingerprint, or left out; it is unknown with its file."""
    if not isinstance(drawn.token_file, TokenFile):
        return replace(drawn, token=drawn.token_file)
    return replace(drawn, token=drawn.token and drawn.token_file.fingerprint)


def tokens() -> SearchStrategy[VppToken]:
    """Tokens as Graph may show them, with states of today and of some other day."""
    members = {prop.attribute: st.none() | values(prop) for prop in VPP_TOKEN.observed}
    members["state"] |= st.sampled_from([str(state) for state in TokenState])
    return st.builds(VppToken, id=TEXTS, **members)


def states(inputs: SearchStrategy[VppTokenArgs]) -> SearchStrategy[VppTokenState]:
    """States with those inputs."""
    return st.builds(
        VppTokenState,
        observed=tokens(),
        tenant_id=st.uuids().map(str),
        inputs=inputs,
        observed_at=TIMESTAMPS,
        token_file=st.none() | TOKEN_FILES,
        shown_expiration=st.none() | TIMESTAMPS,
        sync_pending=st.booleans(),
        token_encoding=st.none() | st.sampled_from(Encoding),
    )


def in_base64(document: str) -> bytes:
    """The text as Apple packs it."""
    return base64.b64encode(document.encode(errors="surrogatepass"))


DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "token": JSON | TEXTS,
        "expDate": JSON | TIMESTAMPS | TEXTS,
        "orgName": JSON | TEXTS | st.just("\ud800"),
        "more": JSON | st.integers(min_value=10**30),
    },
)
"""What may stand in a file: nearly what it should be, or anything."""

CONTENTS = st.one_of(
    st.binary(max_size=200),
    st.text(st.characters(), max_size=60).map(lambda text: text.encode(errors="surrogatepass")),
    JSON.map(lambda document: in_base64(json.dumps(document))),
    DOCUMENTS.map(lambda document: in_base64(json.dumps(document))),
    DOCUMENTS.map(lambda document: in_base64(in_base64(json.dumps(document)).decode())),
    st.integers(min_value=1, max_value=48_000).map(lambda depth: in_base64("[" * depth)),
    st.integers(min_value=4000, max_value=40_000).map(lambda digits: in_base64("9" * digits)),
)
"""Files of every kind, most of them broken."""
