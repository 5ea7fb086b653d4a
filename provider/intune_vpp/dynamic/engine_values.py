"""Converts the values that the SDK passes to dynamic providers, which are objects of its own in part."""

from __future__ import annotations

import os
from typing import Any

import pulumi
from pulumi.output import Unknown

from intune_vpp.engine import assets, unknowns


def from_engine(value: Any) -> Any:
    """Return a value with UNKNOWN for what is unknown, and with the assets of `engine/assets.py`.

    The SDK knows the engine's sentinel of strings only, and passes an object for it.
    """
    return unknowns.from_engine(_without_sdk(value))


def _without_sdk(value: Any) -> Any:  # noqa: PLR0911 - one for each type
    match value:
        case Unknown():
            return unknowns.STRING
        case pulumi.FileAsset():
            return assets.FileAsset(os.fspath(value.path))
        case pulumi.StringAsset():
            return assets.StringAsset(value.text)
        case pulumi.Asset() | pulumi.Archive():
            return assets.OtherAsset(type(value).__name__)
        case dict():
            return {name: _without_sdk(item) for name, item in value.items()}
        case list():
            return [_without_sdk(item) for item in value]
        case _:
            return value
