"""The schema of the acts upon licences against the tables of the provider, both ways."""

from __future__ import annotations

from dataclasses import fields

import pytest

from intune_vpp.core import actions
from intune_vpp.core.actions import ACTIONS, Action
from intune_vpp.core.model import AppLicenses, camel_case
from schema import (
    BETA_ONLY,
    FUNCTIONS,
    GRAPH,
    NEVER_NULL,
    PACKAGE,
    REPLACES,
    RESOURCES,
    TYPES,
    expected,
    importing,
    shape,
)

OWN = {"requestedDateTime", "syncPending", "tenantId"}
"""Outputs that Graph does not tell and the provider always does."""

each_action = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)


def described(action: Action) -> dict[str, str]:
    """What is said of each input and output, by its path."""
    resource = RESOURCES[action.name]
    parts = ("inputProperties", "properties")
    return {f"{part}/{name}": one["description"] for part in parts for name, one in resource[part].items()}


def test_the_resources_are_the_tables() -> None:
    """A token and each action of the table are resources, in the same order, and nothing else is."""
    assert list(RESOURCES) == ["VppToken", *(action.name for action in ACTIONS)]


@each_action
def test_the_inputs_are_the_tables(action: Action) -> None:
    """Each input of an action's table, and no other, is an input of the resource, in the same order and type."""
    given = RESOURCES[action.name]["inputProperties"]
    assert list(given) == [prop.name for prop in action.inputs]
    assert {name: shape(one) for name, one in given.items()} == {
        prop.name: expected(prop, given=True) for prop in action.inputs
    }


@each_action
def test_the_outputs_are_the_tables(action: Action) -> None:
    """Each property of an action's table, and no other, is an output of the resource, in the same order and type."""
    told = RESOURCES[action.name]["properties"]
    assert list(told) == [prop.name for prop in action.properties]
    assert {name: shape(one) for name, one in told.items()} == {
        prop.name: expected(prop, given=False) for prop in action.properties
    }


@each_action
def test_what_is_needed(action: Action) -> None:
    """An input is required where Check asks for it: an act cannot be done without knowing to what."""
    needed = [prop.name for prop in action.inputs if prop.needed]
    assert RESOURCES[action.name].get("requiredInputs", []) == needed


@each_action
def test_outputs_that_are_always_there(action: Action) -> None:
    """Required are what was needed, what Graph never leaves out of a token, and what the provider always adds."""
    always = {prop.name for prop in action.properties if prop.needed or prop.name in NEVER_NULL | OWN}
    assert RESOURCES[action.name]["required"] == sorted(always)


@each_action
def test_what_makes_another_resource(action: Action) -> None:
    """The documentation says "replaces" of just those inputs whose change replaces the resource."""
    names = [prop.name for prop in action.inputs]
    replacing = {name for name in names if actions.plan(action, {}, {name: "another"}).replaces}
    told = RESOURCES[action.name]["inputProperties"]
    assert {name for name, one in told.items() if REPLACES & set(one)} == replacing
    assert {name for name, one in told.items() if "replaces this resource" in one["description"]} == replacing


@each_action
def test_what_is_left_out(action: Action) -> None:
    """A description says what an input means when it is left out where that is decided, and only there."""
    for prop in action.inputs:
        text = RESOURCES[action.name]["inputProperties"][prop.name]["description"]
        said = {flag for flag in (True, False) if f"`{str(flag).lower()}` when left out" in text}
        assert said == {prop.when_absent} - {None}, prop.name


@each_action
def test_beta_only_is_said_once(action: Action) -> None:
    """A resource that v1.0 cannot do says "Beta only.", the others do not; none of its properties repeats it."""
    assert (BETA_ONLY in RESOURCES[action.name]["description"]) == action.beta_only
    assert [path for path, text in described(action).items() if BETA_ONLY in text] == []


@each_action
def test_the_sources(action: Action) -> None:
    """The resource and whatever Graph tells of it name the page of Microsoft's that describes it."""
    assert GRAPH in RESOURCES[action.name]["description"]
    from_graph = {prop.name for prop in action.properties if not prop.sent} - OWN
    told = RESOURCES[action.name]["properties"]
    assert {name for name, one in told.items() if GRAPH in one["description"]} == from_graph


@each_action
def test_no_import(action: Action) -> None:
    """A resource says that it is an act, and that an act cannot be imported."""
    assert "It is an act" in RESOURCES[action.name]["description"]
    assert importing(RESOURCES[action.name]).startswith("An act cannot be imported")


def test_a_revocation_is_told_as_in_a_token() -> None:
    """What a revocation tells of its result has the types that the same members have in `tokenActionResults`."""
    told = RESOURCES["LicenseRevocation"]["properties"]
    for name, one in TYPES["TokenActionResult"]["properties"].items():
        assert shape(told[name]) == shape(one), name


def test_the_licences_for_an_app() -> None:
    """A summary of licences has the members of the model, of their types; those that Graph may leave out may be."""
    kinds = {"str": "string", "int": "integer"}
    summary = TYPES["AppLicenses"]
    assert {name: shape(one) for name, one in summary["properties"].items()} == {
        camel_case(field.name): {"type": kinds[str(field.type).removesuffix(" | None")]}
        for field in fields(AppLicenses)
    }
    assert summary["required"] == sorted(
        camel_case(field.name) for field in fields(AppLicenses) if "None" not in str(field.type)
    )
    assert BETA_ONLY in summary["description"]
    assert GRAPH in summary["description"]


def test_the_function() -> None:
    """`getLicensesForApp` takes a bundle id and gives it back with the summaries, beta only."""
    function = FUNCTIONS["getLicensesForApp"]
    assert {name: shape(one) for name, one in function["inputs"]["properties"].items()} == {
        "bundleId": {"type": "string"}
    }
    assert function["inputs"]["required"] == ["bundleId"]
    assert {name: shape(one) for name, one in function["outputs"]["properties"].items()} == {
        "bundleId": {"type": "string"},
        "licenses": {"type": "array", "items": {"$ref": f"#/types/{PACKAGE}AppLicenses"}},
    }
    assert function["outputs"]["required"] == ["bundleId", "licenses"]
    assert BETA_ONLY in function["description"]
    assert GRAPH in function["description"]
