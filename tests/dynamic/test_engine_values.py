"""The values that the SDK passes to dynamic providers."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest
from pulumi.output import Unknown

from intune_vpp.core.resource_type import UNKNOWN
from intune_vpp.dynamic.engine_values import from_engine
from intune_vpp.engine import assets

SDKS = Unknown()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (SDKS, UNKNOWN),
        ({"a": {"b": SDKS}}, {"a": {"b": UNKNOWN}}),
        (["0", SDKS], UNKNOWN),
        ("04da6b54-80e4-46f7-96ec-b56ff0331ba9", UNKNOWN),
    ],
)
def test_unknown_values(value: object, found: object) -> None:
    """The SDK passes the engine's sentinel of strings as an object of its own, and all others as they are."""
    assert from_engine(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (pulumi.FileAsset("a/b"), assets.FileAsset("a/b")),
        (pulumi.FileAsset(Path("a/b")), assets.FileAsset("a/b")),
        (pulumi.StringAsset("abc"), assets.StringAsset("abc")),
        (pulumi.RemoteAsset("https://evil.example/token"), assets.OtherAsset("RemoteAsset")),
        (pulumi.AssetArchive({"a": pulumi.StringAsset("abc")}), assets.OtherAsset("AssetArchive")),
        (pulumi.FileArchive("a.zip"), assets.OtherAsset("FileArchive")),
        (pulumi.RemoteArchive("https://evil.example/a.zip"), assets.OtherAsset("RemoteArchive")),
        ({"token": [pulumi.StringAsset("abc")]}, {"token": [assets.StringAsset("abc")]}),
    ],
)
def test_assets(value: object, found: object) -> None:
    """The SDK's assets and archives become those that the provider reads or refuses."""
    assert from_engine(value) == found


@pytest.mark.parametrize("value", ["abc", "", None, 7, 1.5, True, {"a": 1}, ["0"]])
def test_other_values(value: object) -> None:
    """All other values stay as they are."""
    assert from_engine(value) == value
