"""The table of properties, and the values built on it."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import observed, state
from core.strategies import values
from intune_vpp.core import check, diff, enums, errors, ports, stoken, sync, vpp_token
from intune_vpp.core.resource_type import (
    UNKNOWN,
    Compare,
    Kind,
    Property,
    ResourceType,
    Sent,
    camel_case,
    same,
    snake_case,
)
from intune_vpp.core.vpp_token import VPP_TOKEN, TokenFile, VppToken, VppTokenArgs

if TYPE_CHECKING:
    from types import ModuleType

VOLATILE = {
    "tenantId",
    "state",
    "expirationDateTime",
    "lastSyncDateTime",
    "lastSyncStatus",
    "lastModifiedDateTime",
    "locationName",
    "tokenActionResults",
    "syncPending",
    "duplicateTokenIds",
}


def test_names_are_the_camel_case_of_attributes() -> None:
    """Each property has one name in Graph's spelling and one in Python's, and each leads to the other."""
    for prop in VPP_TOKEN.properties:
        assert prop.name == camel_case(prop.attribute)
        assert snake_case(prop.name) == prop.attribute
    assert len(VPP_TOKEN.by_name) == len(VPP_TOKEN.properties)
    assert VPP_TOKEN["claim_token_management_from_external_mdm"].name == "claimTokenManagementFromExternalMdm"


def test_names_of_the_engine_are_left_as_they_are() -> None:
    """What starts with two underscores belongs to the engine, in either spelling."""
    assert camel_case("__observed_at") == "__observed_at"
    assert snake_case("__observedAt") == "__observedAt"


def test_the_inputs_are_the_fields_of_the_args() -> None:
    """What a program may ask for and what the provider keeps of it are one list, in one order."""
    assert [field.name for field in fields(VppTokenArgs)] == [prop.attribute for prop in VPP_TOKEN.inputs]


def test_everything_observed_is_in_the_table() -> None:
    """Each field of Graph's token is a property, and what Graph does not show is kept by the provider alone."""
    seen = {field.name for field in fields(VppToken)} - {"id"}
    assert seen == {prop.attribute for prop in VPP_TOKEN.observed}
    unseen = {
        prop.name
        for prop in VPP_TOKEN.properties
        if prop not in VPP_TOKEN.observed and prop.sent is not Sent.PROVIDER_ONLY
    }
    assert unseen == {"tenantId", "syncPending", "duplicateTokenIds", "token"}


def test_what_is_asked_of_graph_is_what_graph_shows() -> None:
    """Each input that Graph shows again is a field of its token, of the same type but that it is never unknown."""
    asked = {field.name: str(field.type) for field in fields(VppTokenArgs)}
    shown = {field.name: str(field.type) for field in fields(VppToken)}
    for prop in VPP_TOKEN.members:
        assert asked[prop.attribute].replace("Unknown | ", "") == shown[prop.attribute]


def test_nothing_volatile_is_ever_compared() -> None:
    """What moves by itself is no input, so that no diff ever looks at it."""
    assert {prop.name for prop in VPP_TOKEN.properties if prop.sent is None} == VOLATILE
    assert not VOLATILE & {prop.name for prop in VPP_TOKEN.inputs}
    assert {prop.name for prop in VPP_TOKEN.inputs if prop.compare is Compare.NEVER} == {
        "claimTokenManagementFromExternalMdm",
        "adoptTokenId",
        "tokenFile",
    }


def test_no_default_writes() -> None:
    """Only what stays in the provider means something when it is left out."""
    assert {prop.name: prop.default for prop in VPP_TOKEN.properties if prop.default is not None} == {
        "waitForSync": True,
        "deletionProtection": True,
        "revokeLicensesOnDelete": False,
    }
    assert all(prop.sent is Sent.PROVIDER_ONLY for prop in VPP_TOKEN.properties if prop.default is not None)


def test_what_v1_does_not_have() -> None:
    """The members that only beta has are marked, and so is the input that is held against one of them."""
    assert {prop.name for prop in VPP_TOKEN.properties if prop.beta_only} == {
        "revokeLicensesOnDelete",
        "displayName",
        "dataSharingConsentGranted",
        "roleScopeTagIds",
        "appleDeviceAppDeliveryProtocolType",
        "claimTokenManagementFromExternalMdm",
        "locationName",
        "tokenActionResults",
        "expectedLocationName",
    }


def pairs() -> st.SearchStrategy[tuple[Property, Any, Any]]:
    """A property with two values of it, known or not."""

    def two(prop: Property) -> st.SearchStrategy[tuple[Property, Any, Any]]:
        one = st.none() | st.just(UNKNOWN) | values(prop)
        return st.tuples(st.just(prop), one, one)

    return st.sampled_from(VPP_TOKEN.properties).flatmap(two)


@given(pairs())
def test_same_is_symmetric(pair: tuple[Property, Any, Any]) -> None:
    """Whether two values are the same does not depend on which comes first, and each value is the same as itself."""
    prop, one, other = pair
    assert same(prop, one, other) is same(prop, other, one)
    assert same(prop, one, one)


@pytest.mark.parametrize(
    ("name", "one", "other", "equal"),
    [
        ("appleId", "VPP@contoso.example", "vpp@CONTOSO.example", True),
        ("appleId", "STRASSE@contoso.example", "straße@contoso.example", True),
        ("appleId", "one@contoso.example", "two@contoso.example", False),
        ("displayName", "Lincoln", "lincoln", False),
        ("displayName", None, "", False),
        ("displayName", UNKNOWN, UNKNOWN, True),
        ("displayName", UNKNOWN, None, False),
        ("displayName", UNKNOWN, "unknown", False),
        ("roleScopeTagIds", ("0", "7"), ("7", "0", "0"), True),
        ("roleScopeTagIds", ("0",), ("7", "0"), False),
        ("roleScopeTagIds", (), None, False),
        ("roleScopeTagIds", ("0",), UNKNOWN, False),
        ("roleScopeTagIds", UNKNOWN, ("0",), False),
        ("automaticallyUpdateApps", False, None, False),
        ("automaticallyUpdateApps", True, False, False),
    ],
)
def test_when_two_values_are_the_same(name: str, one: object, other: object, equal: bool) -> None:  # noqa: FBT001 - a column
    """Case, order and repetition count only where they mean something; absent is not empty, unknown is nothing else."""
    assert same(VPP_TOKEN.by_name[name], one, other) is equal


def test_the_label_is_the_name_that_a_person_knows() -> None:
    """A token is called by its display name; by location or organization only with its id, as others may share it."""
    named = observed(display_name="Lincoln", location_name="Lincoln School", organization_name="Contoso")
    nameless = replace(named, display_name=None)
    homeless = replace(nameless, location_name=None)
    stray = replace(homeless, organization_name=None)
    by_id = f"(token {stray.id})"
    labels = [token.label for token in (named, nameless, homeless, stray)]
    assert labels == ["Lincoln", *(f"{name} {by_id}" for name in ("Lincoln School", "Contoso")), by_id[1:-1]]


def test_a_state_has_the_id_of_its_token() -> None:
    """The id in Pulumi is the id in Graph."""
    assert state().id == observed().id


def test_unknown_is_reported_by_its_name() -> None:
    """In a debug line an unknown value reads as one."""
    assert repr(VppTokenArgs(token=UNKNOWN)).startswith("VppTokenArgs(token=UNKNOWN, ")


def test_a_mark_from_elsewhere_is_no_file_of_ours() -> None:
    """A file is seen when it came through this provider."""
    assert TokenFile("sha256:" + "0" * 64).seen
    assert not TokenFile("renewed elsewhere").seen


@pytest.mark.parametrize("room", [check, diff, vpp_token, stoken, sync], ids=lambda room: room.__name__)
def test_values_cannot_be_changed(room: ModuleType) -> None:
    """Every value is frozen and has no room for more: nobody changes what somebody else has judged."""
    kinds = [kind for kind in vars(room).values() if inspect.isclass(kind) and is_dataclass(kind)]
    assert kinds
    for kind in kinds:
        assert vars(kind)["__dataclass_params__"].frozen, kind
        assert "__slots__" in vars(kind) or kind is ResourceType, kind


def test_the_words_are_those_of_graph() -> None:
    """The members of Graph's enums that mean something to the provider are spelled as Graph spells them."""
    assert [str(word) for word in enums.TokenState] == [
        "unknown",
        "valid",
        "expired",
        "invalid",
        "assignedToExternalMDM",
        "duplicateLocationId",
    ]
    assert [str(word) for word in enums.SyncStatus] == ["none", "inProgress", "completed", "failed"]


def test_the_tree_of_errors_is_the_one_drawn() -> None:
    """Each error stands where the drawing at the top of its file says, and has one branch only."""
    drawn = re.findall(r"^ {4}([│├└─ ]*)(\w+)", errors.__doc__ or "", re.MULTILINE)
    path: list[str] = []
    for branches, name in drawn:
        path = [*path[: len(branches) // 3], name]
        found = getattr(errors, name)
        assert [kind.__name__ for kind in reversed(found.__mro__) if issubclass(kind, errors.IntuneVppError)] == path
    kinds = {name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, Exception)}
    assert kinds == {name for _, name in drawn}


def test_an_error_of_graph_ends_with_the_request_to_ask_support_about() -> None:
    """The request id is reported where there is one, and what a retry needs to know is kept."""
    error = errors.Throttled("Graph is busy.", status=429, code="TooManyRequests", request_id="7", tries=3)
    assert str(error) == "Graph is busy. (request id 7)"
    assert (error.status, error.code, error.request_id, error.tries) == (429, "TooManyRequests", "7", 3)
    unanswered = errors.GraphUnreachable("No answer.")
    assert str(unanswered) == "No answer."
    assert (unanswered.status, unanswered.code, unanswered.request_id, unanswered.tries) == (None, "", "", 1)


def test_a_secret_crosses_a_port_only_as_what_never_shows_it() -> None:
    """No port takes a token file as bare text: what carries one is an SToken, whose text is never formatted."""
    calls = [call for name, call in vars(ports.VppTokens).items() if not name.startswith("_")]
    taken = [parameter for call in calls for parameter in inspect.signature(call).parameters.values()]
    plain = {parameter.name for parameter in taken if parameter.annotation in {"bool", parameter.empty}}
    assert plain == {"self", "notify_managed_devices", "revoke_untracked_licenses"}
    texts = {"token_id", "mobile_app_id", "bundle_id"}
    assert {parameter.name for parameter in taken} - plain == {*texts, "members", "stoken", "encoding"}
    carriers = {parameter.annotation for parameter in taken if parameter.name == "stoken"}
    assert carriers == {"SToken", "SToken | None"}


def test_each_kind_of_choice_names_its_choices() -> None:
    """What Check offers in its sentences is there: a choice has choices, and nothing else has."""
    assert all((prop.kind is Kind.CHOICE) is (prop.choices is not None) for prop in VPP_TOKEN.properties)
