"""The engine's property values: what it may write, and what it reads of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from core.strategies import JSON, TEXTS
from intune_vpp.core.resource_type import UNKNOWN
from intune_vpp.engine import assets
from intune_vpp.engine.unknowns import SENTINELS
from intune_vpp.plugin import property_values
from plugin.door import archive, asset, output, plain, secret, struct

STRING_SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def decoded(value: object) -> Any:
    """One value, None where it is absent."""
    return property_values.decode(struct({"it": value})).get("it")


def without_nulls(value: Any) -> Any:
    """The same without members that are null, numbers as the engine has them."""
    if isinstance(value, dict):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [without_nulls(one) for one in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(st.dictionaries(TEXTS, JSON, max_size=4))
def test_what_is_encoded_is_decoded(properties: dict[str, Any]) -> None:
    """Any JSON comes back as it was, but for absent members and the engine's own idea of numbers."""
    back = property_values.decode(property_values.encode(properties))

    assert json.dumps(back, sort_keys=True) == json.dumps(without_nulls(properties), sort_keys=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("text", "text"), ("", ""), (7, 7.0), (0.5, 0.5), (True, True), (False, False), ([], []), ({}, {}), (None, None)],
)
def test_plain_values(value: object, expected: object) -> None:
    """Each kind stays what it is; flags are no numbers, and what is null is absent."""
    found = decoded(value)

    assert (found, type(found)) == (expected, type(expected))


def test_a_value_of_no_kind_is_absent() -> None:
    """A value in which nothing is set reads like null."""
    assert property_values.decode(struct_pb2.Struct(fields={"it": struct_pb2.Value()})) == {}


@pytest.mark.parametrize("sentinel", sorted(SENTINELS))
@pytest.mark.parametrize("around", [None, secret, lambda value: output(value=value), lambda value: ["0", value]])
def test_each_sentinel_is_unknown(sentinel: str, around: Any) -> None:
    """All seven are, bare, as a secret, as an output or in a list, and go back in the spelling of strings."""
    assert len(SENTINELS) == 7
    assert decoded(around(sentinel) if around else sentinel) is UNKNOWN
    assert plain(property_values.encode({"it": UNKNOWN})) == {"it": STRING_SENTINEL}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (secret("x"), "x"),
        (secret(secret("x")), "x"),
        (secret(None), None),
        (secret({"a": secret(["x"])}), {"a": ["x"]}),
        (output(value="x", secret=True, dependencies=["urn"]), "x"),
        (output(value=secret("x")), "x"),
        (secret(output(value=7)), 7.0),
        (output(value=None), None),
        (output(), UNKNOWN),
        (secret(output(secret=True)), UNKNOWN),
    ],
)
def test_wrapped_values(value: object, expected: object) -> None:
    """Secrets and outputs, in each other too, are what they hold; an output without a value is unknown."""
    assert decoded(value) == expected


def test_a_signature_that_is_not_known_yet() -> None:
    """A value with a signature that no version of today writes is read as an object."""
    assert decoded({"4dabf18193072939515e22adb298388d": "of tomorrow", "x": 1})["x"] == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (asset(text="x"), assets.StringAsset("x")),
        (asset(), assets.StringAsset("")),
        (asset(path="a/b"), assets.FileAsset("a/b")),
        (asset(uri="https://x.example"), assets.OtherAsset("RemoteAsset")),
        (secret(asset(text="x")), assets.StringAsset("x")),
        (asset(text=secret("x")), assets.StringAsset("x")),
        (secret(asset(path=secret(output(value="p")))), assets.FileAsset("p")),
        (archive(assets={"a": asset(text="x")}), assets.OtherAsset("AssetArchive")),
        (secret(archive(path="x.zip")), assets.OtherAsset("AssetArchive")),
    ],
)
def test_assets(value: object, expected: object) -> None:
    """Assets and archives are found with a secret outside or inside; if one is not read, only its type counts."""
    assert decoded(value) == expected


@pytest.mark.parametrize("member", ["text", "path", "uri"])
def test_an_asset_of_the_wrong_type(member: str) -> None:
    """An asset whose content is no text stays an object, which Check refuses."""
    assert decoded(asset(**{member: 3}))[member] == 3


@pytest.mark.parametrize("member", ["text", "path", "uri", "hash"])
def test_an_asset_with_something_unknown_in_it(member: str) -> None:
    """It is unknown as a whole."""
    assert decoded(asset(**{member: STRING_SENTINEL})) is UNKNOWN


def test_half_a_surrogate_pair() -> None:
    """What JSON can carry and protobuf cannot becomes a question mark, in names too: nothing is lost for it."""
    assert plain(property_values.encode({"a\ud83d": ["b\ud83d", {"c\ud83d": "d"}]})) == {"a?": ["b?", {"c?": "d"}]}


def test_what_the_engine_has_no_word_for() -> None:
    """A tuple is a list, a value of another type its text."""
    assert plain(property_values.encode({"tuple": ("a", 1), "other": 1j})) == {"tuple": ["a", 1.0], "other": "1j"}
