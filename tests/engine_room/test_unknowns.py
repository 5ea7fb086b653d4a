"""How the engine spells what only the update will know."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import rpc

from intune_vpp.core.resource_type import UNKNOWN
from intune_vpp.engine import unknowns

# Copied from pulumi/pulumi, pkg/resource/plugin/rpc.go: the engine's, whatever the provider believes.
STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SENTINELS = [
    STRING,
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]

values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def test_there_are_seven() -> None:
    """One for each type, and no other text."""
    assert frozenset(SENTINELS) == unknowns.SENTINELS
    assert unknowns.STRING == rpc.UNKNOWN == STRING


@pytest.mark.parametrize("sentinel", SENTINELS)
@pytest.mark.parametrize(
    ("around", "found"),
    [
        (lambda value: value, UNKNOWN),
        (lambda value: {"a": value, "b": 1}, {"a": UNKNOWN, "b": 1}),
        (lambda value: {"a": {"b": {"c": value}}}, {"a": {"b": {"c": UNKNOWN}}}),
        (lambda value: ["0", value], UNKNOWN),
        (lambda value: [["0"], [value]], UNKNOWN),
        (lambda value: [{"a": value}], [{"a": UNKNOWN}]),
        (lambda value: {"a": [value, "1"]}, {"a": UNKNOWN}),
        (lambda value: f"x{value}", None),
    ],
)
def test_each_is_known_wherever_it_stands(sentinel: str, around: Any, found: object) -> None:
    """In objects a sentinel is unknown for itself, in lists the list as a whole; as part of a text it is text."""
    value = around(sentinel)

    assert unknowns.from_engine(value) == (value if found is None else found)


@given(value=values)
def test_what_is_known_passes(value: object) -> None:
    """A value without sentinels is the same in both directions."""
    assert unknowns.from_engine(value) == value
    assert unknowns.to_engine(value) == value


@pytest.mark.parametrize(
    "value", [UNKNOWN, {"a": UNKNOWN, "b": {"c": UNKNOWN}, "d": "x", "e": ["0"]}, ["0", {"a": [{"b": UNKNOWN}]}]]
)
def test_there_and_back(value: object) -> None:
    """What goes out as unknown comes back as unknown, spelled as the SDK knows it."""
    sent = unknowns.to_engine(value)

    assert unknowns.from_engine(sent) == value
    assert STRING in str(sent)
    assert "UNKNOWN" not in str(sent)


def test_what_was_given_is_left_as_it_was() -> None:
    """Neither direction changes its argument."""
    given_one, known = {"a": {"b": STRING}}, {"a": {"b": UNKNOWN}}

    unknowns.from_engine(given_one)
    unknowns.to_engine(known)

    assert (given_one, known) == ({"a": {"b": STRING}}, {"a": {"b": UNKNOWN}})
