"""The names in states: those that today's code can write, and those in a record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import builders
from intune_vpp.core import pulumi_state
from intune_vpp.core.operations import OPERATIONS
from intune_vpp.core.resource_type import Kind, Property
from intune_vpp.core.token_encoding import Encoding
from intune_vpp.core.vpp_token import VPP_TOKEN, VppToken, VppTokenArgs, VppTokenState
from intune_vpp.dynamic import stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FREE = {"triggers"}
"""What is within these, the program decides."""
_LISTS = {Kind.STRINGS, Kind.OBJECTS}


def paths(value: object, path: str = "") -> Iterator[str]:
    """The name of each member, of nested ones too: `tokenFile.fingerprint`, `tokenActionResults[].actionName`."""
    if isinstance(value, dict):
        for name, member in value.items():
            inside = f"{path}.{name}" if path else str(name)
            yield inside
            if name not in FREE:
                yield from paths(member, inside)
    elif isinstance(value, list):
        for member in value:
            yield from paths(member, f"{path}[]")


def written() -> dict[str, dict[str, list[str]]]:
    """Every name that today's code can write, of inputs and outputs, by type of resource and door."""
    full = _full_state()
    # The dynamic door leaves out copies of these two.
    without = replace(full, inputs=replace(full.inputs, organization_name=None, expected_location_name=None))
    tokens = {
        "dynamic": [one for state in (full, without) for one in (stored.args_to(state.inputs), stored.state_to(state))],
        "plugin": [pulumi_state.args_to(full.inputs), pulumi_state.state_to(full)],
    }
    return {"VppToken": {door: _sorted(found) for door, found in tokens.items()}} | {
        one.name: dict.fromkeys(tokens, _sorted([{prop.name: _sample(prop) for prop in one.properties}]))
        for one in OPERATIONS
    }


def _full_state() -> VppTokenState:
    """A state in which nothing is missing."""
    given = VppTokenArgs(**{prop.attribute: _sample(prop) for prop in VPP_TOKEN.inputs})
    shown = VppToken(id=builders.TOKEN_ID, **{prop.attribute: _sample(prop) for prop in VPP_TOKEN.observed})
    return VppTokenState(
        observed=shown,
        tenant_id=builders.TENANT,
        inputs=given,
        observed_at="x",
        token_file=_sample(VPP_TOKEN["token_file"]),
        shown_expiration="x",
        sync_pending=True,
        duplicate_token_ids=("x",),
        look_for_duplicates=True,
        token_encoding=Encoding.BASE64,
    )


def _sample(prop: Property) -> Any:
    """A value of a property, with all the members that it can have."""
    members = {one.attribute if prop.model else one.name: _sample(one) for one in prop.members}
    value: Any = prop.model(**members) if prop.model else members or "x"
    return (value,) if prop.kind in _LISTS else value


def _sorted(found: Iterable[object]) -> list[str]:
    return sorted({path for one in found for path in paths(one)})
