"""A value of the program stands once in a record, so that the engine's mark of a secret covers it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from builders import fresh_vpptoken
from core import strategies
from dynamic.calls import changes, inputs, made, updated
from intune_vpp.core import pulumi_state
from intune_vpp.core.vpp_token import TokenFile, VppTokenArgs, VppTokenState
from intune_vpp.dynamic import stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynamic.conftest import Start
    from tenant_in_process import RefusesSyncs

ORGANIZATION, LOCATION, NAME = "Nobody's Schools", "Nobody's location", "Nobody's business"
GIVEN = {"organizationName": ORGANIZATION, "expectedLocationName": LOCATION, "displayName": NAME}


def file(*, days: float = 300, location: str = LOCATION) -> str:
    """A file of that organization and location."""
    return fresh_vpptoken(days=days, organization=ORGANIZATION, location=location)


def places(value: object, path: str = "") -> Iterator[str]:
    """Where the values of the program stand within a property map, `__inputs` apart: that is secret as a whole."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name != pulumi_state.APPLIED:
                yield from places(member, f"{path}.{name}".strip("."))
    elif value in GIVEN.values():
        yield path


def test_each_value_stands_once(start: Start) -> None:
    """Created, renewed and read: each value stands under the name of its input and nowhere else."""
    provider = start()
    kept = made(provider, inputs(file(), **GIVEN))
    renewed = updated(provider, kept, inputs(file(days=330), **GIVEN))
    read = provider.read(renewed.id, renewed.outputs)

    for properties in (kept.inputs, kept.outputs, renewed.inputs, renewed.outputs, read.inputs, read.outs):
        assert sorted(places(properties)) == sorted(GIVEN)
    assert renewed.outputs["tokenFile"].keys() == {"fingerprint", "expirationDateTime"}
    assert changes(start(), renewed, inputs(renewed.inputs["token"], **GIVEN)) is False


def test_what_the_program_does_not_name_stays(start: Start) -> None:
    """Without those inputs the record tells the organization of the file and the location."""
    kept = made(start(), inputs(file()))

    assert kept.outputs["tokenFile"]["organizationName"] == ORGANIZATION
    assert kept.outputs["locationName"] == LOCATION


def test_another_location_is_reported(start: Start) -> None:
    """A location that is not the expected one stands in the record, and comes to light when another one is expected."""
    kept = made(start(), inputs(file(location="York"), expectedLocationName=LOCATION))
    assert kept.outputs["locationName"] == "York"

    provider, asked = start(), file(days=330)
    kept = made(provider, inputs(asked, expectedLocationName=LOCATION))
    assert changes(provider, kept, inputs(asked, expectedLocationName="York")) is not False
    assert stored.state_from(kept.id, kept.outputs).observed.location_name == LOCATION


def test_the_guard_knows_the_organization(start: Start) -> None:
    """A file of another organization is refused also where the program stops to name the organization."""
    kept = made(start(), inputs(file(), **GIVEN))
    checked = start().check(kept.inputs, inputs(fresh_vpptoken(days=350, organization="Fabrikam")))

    (failure,) = checked.failures
    assert (
        'belongs to the organization "Fabrikam", but the token in Intune belongs to "Nobody\'s Schools"'
        in failure.reason
    )


def test_a_location_that_changed_is_reported(start: Start, tenant: RefusesSyncs) -> None:
    """A refresh shows a location that Apple has renamed since."""
    provider = start()
    kept = made(provider, inputs(file(), **GIVEN))
    tenant.edit_by_hand(kept.id, {"locationName": "York"})

    assert (provider.read(kept.id, kept.outputs).outs or {})["locationName"] == "York"


def named(file: object, args: VppTokenArgs) -> Any:
    """A file as Check lets it pass: of the organization that the program names."""
    if args.organization_name is None or not isinstance(file, TokenFile):
        return file
    organization = args.organization_name if isinstance(args.organization_name, str) else None
    return replace(file, organization_name=organization)


@given(strategies.args(unknowns=True))
def test_inputs_survive_being_stored(drawn: VppTokenArgs) -> None:
    """Inputs are read back as they were, from a record with copies too."""
    args = replace(drawn, token_file=named(drawn.token_file, drawn))

    assert stored.args_from(stored.args_to(args)) == args
    assert stored.args_from(pulumi_state.args_to(args)) == args


@given(strategies.states(strategies.args(unknowns=False)))
def test_a_state_survives_being_stored(drawn: VppTokenState) -> None:
    """A state is read back as it was, from a record with copies too, such as the plugin's."""
    args = replace(drawn.inputs, token_file=named(drawn.inputs.token_file, drawn.inputs))
    # A location that Graph does not name counts as the expected one.
    expected = args.expected_location_name if isinstance(args.expected_location_name, str) else None
    observed = replace(drawn.observed, location_name=drawn.observed.location_name or expected)
    state = replace(drawn, inputs=args, observed=observed, token_file=named(drawn.token_file, args))

    assert stored.state_from(state.id, stored.state_to(state)) == state
    assert stored.state_from(state.id, pulumi_state.state_to(state)) == state


@pytest.mark.parametrize("applied", [None, {}])
def test_a_record_that_lacks_the_inputs(applied: object) -> None:
    """A record without usable inputs is read without them."""
    found = stored.state_from("7", {"tokenFile": {"fingerprint": "sha256:7"}, pulumi_state.APPLIED: applied})

    assert found.token_file == TokenFile("sha256:7")
