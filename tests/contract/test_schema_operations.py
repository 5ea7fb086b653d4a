"""The schema of the operations on licences against the tables of the provider, both ways."""

from __future__ import annotations

from dataclasses import fields

import pytest

from intune_vpp.core import diff
from intune_vpp.core.operations import OPERATIONS, Operation
from intune_vpp.core.resource_type import camel_case
from intune_vpp.core.vpp_token import AppLicenses
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

OWN = {"previousStartDateTimes", "requestedDateTime", "syncPending", "tenantId"}
"""Outputs that Graph does not tell and the provider always does."""

each_action = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def described(operation: Operation) -> dict[str, str]:
    """What is said of each input and output, by its path."""
    resource = RESOURCES[operation.name]
    parts = ("inputProperties", "properties")
    return {f"{part}/{name}": one["description"] for part in parts for name, one in resource[part].items()}


def test_the_resources_are_the_tables() -> None:
    """A token and each operation of the table are resources, in the same order, and nothing else is."""
    assert list(RESOURCES) == ["VppToken", *(operation.name for operation in OPERATIONS)]


@each_action
def test_the_inputs_are_the_tables(operation: Operation) -> None:
    """Each input of an operation's table, and no other, is an input of the resource, in the same order and type."""
    given = RESOURCES[operation.name]["inputProperties"]
    assert list(given) == [prop.name for prop in operation.inputs]
    assert {name: shape(one) for name, one in given.items()} == {
        prop.name: expected(prop, given=True) for prop in operation.inputs
    }


@each_action
def test_the_outputs_are_the_tables(operation: Operation) -> None:
    """Each property of an operation's table, and no other, is an output of the resource, in the same order and type."""
    described = RESOURCES[operation.name]["properties"]
    assert list(described) == [prop.name for prop in operation.properties]
    assert {name: shape(one) for name, one in described.items()} == {
        prop.name: expected(prop, given=False) for prop in operation.properties
    }


@each_action
def test_what_is_needed(operation: Operation) -> None:
    """An input is required where Check asks for it: an operation needs to know on what."""
    required = [prop.name for prop in operation.inputs if prop.required]
    assert RESOURCES[operation.name].get("requiredInputs", []) == required


@each_action
def test_outputs_that_are_always_there(operation: Operation) -> None:
    """Required are what was needed, what Graph never leaves out of a token, and what the provider always adds."""
    always = {prop.name for prop in operation.properties if prop.required or prop.name in NEVER_NULL | OWN}
    assert RESOURCES[operation.name]["required"] == sorted(always)


@each_action
def test_what_makes_another_resource(operation: Operation) -> None:
    """The documentation says "replaces" of just those inputs whose change replaces the resource."""
    names = [prop.name for prop in operation.inputs]
    replacing = {name for name in names if diff.plan_operation(operation, {}, {name: "another"}).replaces}
    described = RESOURCES[operation.name]["inputProperties"]
    assert {name for name, one in described.items() if REPLACES & set(one)} == replacing
    assert {name for name, one in described.items() if "replaces this resource" in one["description"]} == replacing


@each_action
def test_what_is_left_out(operation: Operation) -> None:
    """A description says what an input means when it is left out where that is decided, and only there."""
    for prop in operation.inputs:
        text = RESOURCES[operation.name]["inputProperties"][prop.name]["description"]
        said = {flag for flag in (True, False) if f"default `{str(flag).lower()}`" in text}
        assert said == {prop.default} - {None}, prop.name


@each_action
def test_beta_only_is_said_once(operation: Operation) -> None:
    """A resource that v1.0 cannot do says "Beta only.", the others do not; none of its properties repeats it."""
    assert (BETA_ONLY in RESOURCES[operation.name]["description"]) == operation.beta_only
    assert [path for path, text in described(operation).items() if BETA_ONLY in text] == []


@each_action
def test_the_sources(operation: Operation) -> None:
    """The resource and whatever Graph tells of it name the page of Microsoft's that describes it."""
    assert GRAPH in RESOURCES[operation.name]["description"]
    from_graph = {prop.name for prop in operation.properties if not prop.sent} - OWN
    described = RESOURCES[operation.name]["properties"]
    assert {name for name, one in described.items() if GRAPH in one["description"]} == from_graph


@each_action
def test_no_import(operation: Operation) -> None:
    """A resource says that it runs an operation, and that an operation cannot be imported."""
    assert "It runs an operation" in RESOURCES[operation.name]["description"]
    assert importing(RESOURCES[operation.name]).startswith("An operation cannot be imported")


def test_a_revocation_is_reported_as_in_a_token() -> None:
    """What a revocation tells of its result has the types that the same members have in `tokenActionResults`."""
    described = RESOURCES["LicenseRevocation"]["properties"]
    for name, one in TYPES["TokenActionResult"]["properties"].items():
        assert shape(described[name]) == shape(one), name


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
