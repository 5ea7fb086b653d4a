"""Records as the dynamic providers store them: each value of the program once, under its own name.

The engine marks an input or output with the name of a secret input, but no copy of its value elsewhere, and does not
report to a dynamic provider which inputs are secret (transforms may decide that after the program). So records omit
copies, and reading a record restores them. `__inputs`, which has all inputs, is secret as a whole (`resource.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from intune_vpp.core import pulumi_state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.core.vpp_token import VppTokenArgs, VppTokenState


def args_to(args: VppTokenArgs) -> dict[str, Any]:
    """Return the inputs as the engine stores them."""
    return _without_organization(pulumi_state.args_to(args), args)


def args_from(properties: Mapping[str, Any]) -> VppTokenArgs:
    """Read the inputs that Check returned."""
    return pulumi_state.args_from(_with_organization(properties, properties.get("organizationName")))


def state_to(state: VppTokenState) -> dict[str, Any]:
    """Return the outputs as the engine stores them, without copies of the program's values."""
    outputs = _without_organization(pulumi_state.state_to(state), state.inputs)
    if outputs.get("locationName") == state.inputs.expected_location_name:
        outputs.pop("locationName", None)
    return outputs


def state_from(token_id: str, outputs: Mapping[str, Any]) -> VppTokenState:
    """Read the state of a token from what the engine stored. Raises StateError."""
    applied = outputs.get(pulumi_state.APPLIED)
    organization = applied.get("organizationName") if isinstance(applied, dict) else None
    located = {"locationName": outputs.get("expectedLocationName"), **outputs}
    return pulumi_state.state_from(token_id, _with_organization(located, organization))


def _without_organization(properties: dict[str, Any], args: VppTokenArgs) -> dict[str, Any]:
    """`tokenFile` without the organization if the program gives it: Check refuses a file of another one."""
    file = properties.get("tokenFile")
    if args.organization_name is None or not isinstance(file, dict):
        return properties
    return {**properties, "tokenFile": {name: value for name, value in file.items() if name != "organizationName"}}


def _with_organization(properties: Mapping[str, Any], organization: object) -> Mapping[str, Any]:
    file = properties.get("tokenFile")
    if not isinstance(organization, str) or not isinstance(file, dict):
        return properties
    return {**properties, "tokenFile": {"organizationName": organization, **file}}
