"""The model as what Pulumi stores, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, TOKEN_ID, args, described, file, observed, state
from core.strategies import JSON, NEVER, TEXTS, states
from core.strategies import args as any_args
from intune_vpp.core import pulumi_state, times
from intune_vpp.core.errors import Cure, StateError
from intune_vpp.core.operations import LICENSE_COUNT_SYNC, LICENSE_REVOCATION, LICENSE_SYNC, OPERATIONS, Operation
from intune_vpp.core.resource_type import UNKNOWN, Kind, Property
from intune_vpp.core.token_encoding import Encoding
from intune_vpp.core.vpp_token import (
    UNSEEN_FINGERPRINT,
    VPP_TOKEN,
    AppLicenses,
    TokenFile,
    VppToken,
    VppTokenArgs,
    VppTokenState,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@given(any_args(unknowns=True))
def test_inputs_survive_being_stored(asked: VppTokenArgs) -> None:
    """Inputs that were stored are the inputs again, with what is unknown and what is not managed."""
    stored = pulumi_state.args_to(asked)
    assert pulumi_state.args_from(stored) == asked
    assert None not in stored.values()


@given(states(any_args(unknowns=False)))
def test_a_state_survives_being_stored(kept: VppTokenState) -> None:
    """A state that was stored, as JSON too, is the state again."""
    stored = pulumi_state.state_to(kept)
    assert pulumi_state.state_from(kept.id, stored) == kept
    through_json = json.loads(json.dumps(stored))
    assert repr(pulumi_state.state_from(kept.id, through_json)) == repr(kept)


@given(any_args(unknowns=True), st.dictionaries(TEXTS.map("x{}".format), JSON))
def test_names_that_nobody_knows_are_passed_over(asked: VppTokenArgs, strangers: dict[str, Any]) -> None:
    """What the engine or a newer version put beside the inputs does no harm."""
    more = {"__defaults": [], "id": "7", **strangers}
    assert pulumi_state.args_from({**pulumi_state.args_to(asked), **more}) == asked


def test_how_inputs_are_stored() -> None:
    """Inputs have Graph's names, lists are lists, the file is an object, and what is not managed is absent."""
    assert pulumi_state.args_to(args(file(), role_scope_tag_ids=("0", "7"), deletion_protection=UNKNOWN)) == {
        "token": file().fingerprint,
        "appleId": "vpp@contoso.example",
        "vppTokenAccountType": "business",
        "displayName": "Lincoln",
        "dataSharingConsentGranted": True,
        "roleScopeTagIds": ["0", "7"],
        "deletionProtection": UNKNOWN,
        "tokenFile": {
            "fingerprint": file().fingerprint,
            "expirationDateTime": "2027-11-01T12:00:00Z",
            "organizationName": "Contoso",
        },
    }


def test_how_a_state_is_stored() -> None:
    """Outputs are what Graph reports, what was applied, and what the provider does with the token, defaults said."""
    operation = {"actionName": "revokeLicenses", "totalLicensesCount": 3}
    kept = state(observed=observed(token_action_results=(operation,)), sync_pending=True)
    stored = pulumi_state.state_to(kept)
    assert stored == {
        "appleId": "vpp@contoso.example",
        "vppTokenAccountType": "business",
        "displayName": "Lincoln",
        "dataSharingConsentGranted": True,
        "organizationName": "Contoso",
        "expirationDateTime": "2027-11-01T12:00:00Z",
        "state": "valid",
        "lastSyncStatus": "completed",
        "lastSyncDateTime": "2026-11-01T11:00:00Z",
        "locationName": "Lincoln",
        "tokenActionResults": [operation],
        "waitForSync": True,
        "deletionProtection": True,
        "revokeLicensesOnDelete": False,
        "tenantId": kept.tenant_id,
        "syncPending": True,
        "__observedAt": times.text(NOW),
        "__shownExpiration": "2027-11-01T12:00:00Z",
        "token": file().fingerprint,
        "tokenFile": {
            "fingerprint": file().fingerprint,
            "expirationDateTime": "2027-11-01T12:00:00Z",
            "organizationName": "Contoso",
        },
        "__inputs": pulumi_state.args_to(kept.inputs),
    }
    assert stored["tokenActionResults"][0] is not operation


def test_what_the_provider_does_is_stored_as_asked() -> None:
    """What stays in the provider is reported in the outputs as the program has it, and the file asked for is not."""
    asked = args(file(), wait_for_sync=False, deletion_protection=False, expected_location_name="Lincoln")
    stored = pulumi_state.state_to(state(asked=asked, token_file=None))
    assert (stored["waitForSync"], stored["deletionProtection"]) == (False, False)
    assert stored["expectedLocationName"] == "Lincoln"
    assert {"tokenFile", "adoptTokenId"}.isdisjoint(stored)


@pytest.mark.parametrize(
    ("applied", "expected"),
    [
        (described(file()), file().fingerprint),
        (TokenFile(UNSEEN_FINGERPRINT, "2027-11-01T12:00:00Z"), UNSEEN_FINGERPRINT),
        (None, UNSEEN_FINGERPRINT),
    ],
)
def test_the_token_is_always_among_the_outputs(applied: TokenFile | None, expected: str) -> None:
    """Where this provider applied nothing, the output `token` says so, and the state read back still knows no file."""
    kept = state(token_file=applied)
    stored = pulumi_state.state_to(kept)
    assert stored["token"] == expected
    assert pulumi_state.state_from(kept.id, stored).token_file == applied


def test_the_mark_of_an_invalid_token_is_stored() -> None:
    """The guard needs the mark in the next run too."""
    marked = TokenFile("sha256:" + "0" * 64, "2027-11-01T12:00:00Z", "Contoso", "invalid")
    assert pulumi_state.args_to(args(token_file=marked))["tokenFile"]["state"] == "invalid"
    assert pulumi_state.state_to(state(token_file=marked))["tokenFile"]["state"] == "invalid"


def test_a_record_of_another_version_is_read() -> None:
    """Where a record lacks what this version would have stored, that is absent, and nothing is pending."""
    assert pulumi_state.state_from("7", {}, pulumi_state.args_to(args())) == VppTokenState(
        observed=VppToken(id="7"), tenant_id="", inputs=args(), observed_at=""
    )
    assert pulumi_state.args_from({"tokenFile": {}}) == VppTokenArgs(token_file=TokenFile(""))


def test_licences_are_reported_by_graphs_names() -> None:
    """What Graph does not name is left out, and a count of none is reported."""
    expected = AppLicenses(
        vpp_token_id="7",
        apple_id=None,
        organization_name="Contoso",
        available_license_count=219,
        used_license_count=0,
    )
    assert pulumi_state.licenses_to(expected) == {
        "vppTokenId": "7",
        "organizationName": "Contoso",
        "availableLicenseCount": 219,
        "usedLicenseCount": 0,
    }


def test_the_inputs_that_count() -> None:
    """What was applied beats what the engine has, but for what is never compared and a file that counts as applied."""
    applied = pulumi_state.args_to(args(file(), display_name="York", deletion_protection=True))
    engines = {**pulumi_state.args_to(args(file(), display_name="Lincoln")), "adoptTokenId": "7"}
    kept = pulumi_state.state_from("7", {"__inputs": applied}, engines).inputs
    assert (kept.display_name, kept.deletion_protection, kept.adopt_token_id) == ("York", True, "7")

    without_file = {name: value for name, value in applied.items() if name not in {"token", "tokenFile"}}
    for before in (without_file, {**without_file, "token": UNSEEN_FINGERPRINT}):
        kept = pulumi_state.state_from("7", {"__inputs": before}, engines).inputs
        assert (kept.token, kept.token_file) == (engines["token"], args(file()).token_file)
    assert pulumi_state.state_from("7", {}, engines).inputs == pulumi_state.args_from(engines)
    assert pulumi_state.state_from("7", {"__inputs": applied}).inputs == pulumi_state.args_from(applied)


def test_what_a_check_receives() -> None:
    """The file that was applied, where the engine hands the outputs over and it came through this provider."""
    asked = pulumi_state.args_to(args(file()))
    newer = {"fingerprint": "sha256:" + "1" * 64, "expirationDateTime": "2028-11-01T12:00:00Z"}
    assert pulumi_state.applied_args(asked, {}) == pulumi_state.args_from(asked)
    assert pulumi_state.applied_args(
        asked, {"tokenFile": {"fingerprint": UNSEEN_FINGERPRINT}}
    ) == pulumi_state.args_from(asked)
    expected = pulumi_state.applied_args(asked, {"tokenFile": newer}).token_file
    assert expected == TokenFile(newer["fingerprint"], newer["expirationDateTime"])


WRONG: dict[Kind, list[object]] = {
    Kind.BOOL: ["yes", 1.0, [], {}],
    Kind.STRINGS: ["0", ["0", 7.0], [None], [["0"]], {}, True],
    Kind.OBJECT: ["text", [], 7.0, True],
    Kind.OBJECTS: ["text", {}, ["text"], [None], 7.0],
    Kind.COUNT: ["43", 43.5, [], {}, True, float("nan"), float("inf"), 1e300],
}
WRONG_TEXTS: list[object] = [7.0, True, [], {}, ["text"], {"hunter2": "hunter2"}]
HIDDEN_TEXTS = ("__observedAt", "__shownExpiration", "__tokenEncoding")
NO_TOKEN_FILE: list[dict[str, object]] = [
    {"fingerprint": 7},
    {"expirationDateTime": []},
    {"organizationName": {}},
    {"state": True},
]
NO_RESULT: list[dict[str, object]] = [
    {"startDateTime": 7},
    {"actionState": {}},
    {"failedLicensesCount": "3"},
    {"more": float("inf")},
]


def wrong(properties: Iterable[Property]) -> list[tuple[str, object]]:
    """Each property with each value that is of another kind."""
    return [(prop.name, value) for prop in properties for value in WRONG.get(prop.kind, WRONG_TEXTS)]


def refusal(read: Callable[[], object]) -> str:
    """Why a state is not read, without what follows the name of the member, and the cure."""
    with pytest.raises(StateError) as caught:
        read()
    sentence = str(caught.value)
    assert "hunter2" not in sentence
    assert caught.value.cure is Cure.CORRECT_STATE
    return sentence.removeprefix("The state of this resource has a member ").partition(" ")[0]


@pytest.mark.parametrize(("name", "value"), wrong(VPP_TOKEN.properties))
def test_a_member_of_another_kind_in_the_outputs(name: str, value: object) -> None:
    """A state edited by hand is refused with the member's name and the cure, and never with the value."""
    kept = {**pulumi_state.state_to(state()), name: value}
    assert refusal(lambda: pulumi_state.state_from("7", kept)) == name


@pytest.mark.parametrize(("name", "value"), wrong(VPP_TOKEN.inputs))
def test_a_member_of_another_kind_in_the_inputs(name: str, value: object) -> None:
    """So are inputs, whether the engine keeps them or the outputs repeat them."""
    asked = {**pulumi_state.args_to(args(file())), name: value}
    assert refusal(lambda: pulumi_state.args_from(asked)) == name
    assert refusal(lambda: pulumi_state.applied_args(asked, {})) == name
    assert refusal(lambda: pulumi_state.state_from("7", {}, asked)) == name
    assert refusal(lambda: pulumi_state.state_from("7", {"__inputs": asked})) == f"__inputs.{name}"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *(("__inputs", value, "__inputs") for value in WRONG[Kind.OBJECT]),
        *((name, value, name) for name in HIDDEN_TEXTS for value in WRONG_TEXTS),
        *(("tokenFile", value, f"tokenFile.{next(iter(value))}") for value in NO_TOKEN_FILE),
        *(("tokenActionResults", [value], f"tokenActionResults.{next(iter(value))}") for value in NO_RESULT[:3]),
        ("tokenActionResults", [NO_RESULT[3]], "tokenActionResults"),
        ("displayName", UNKNOWN, "displayName"),
    ],
)
def test_what_lies_within_the_outputs(name: str, value: object, expected: str) -> None:
    """The provider's own members and what lies within an object are looked at as well."""
    assert refusal(lambda: pulumi_state.state_from("7", {name: value})) == expected


def test_the_file_in_the_outputs() -> None:
    """Check looks at the one member that it needs of the outputs."""
    assert refusal(lambda: pulumi_state.applied_args({}, {"tokenFile": {"state": 7}})) == "tokenFile.state"


@pytest.mark.parametrize(
    ("operation", "name", "value"),
    [(operation, *one) for operation in OPERATIONS for one in wrong(operation.properties) if one[0] != "triggers"],
)
def test_a_member_of_another_kind_of_an_operation(operation: Operation, name: str, value: object) -> None:
    """Inputs and outputs of an operation are refused likewise."""
    assert refusal(lambda: pulumi_state.operation_from(operation, {name: value})) == name


@pytest.mark.parametrize("operation", [LICENSE_SYNC, LICENSE_COUNT_SYNC], ids=lambda one: one.name)
@pytest.mark.parametrize("value", WRONG_TEXTS)
def test_triggers_may_be_anything(operation: Operation, value: object) -> None:
    """Triggers of any kind are read as they are."""
    assert pulumi_state.operation_from(operation, {"triggers": value}) == {"triggers": value}


def test_what_the_engine_keeps_of_an_operation() -> None:
    """Counts, which come as floats, are whole; other members stay as they are; dates never set and null are absent."""
    kept = {
        "vppTokenId": UNKNOWN,
        "totalLicensesCount": 43.0,
        "failedLicensesCount": 0.0,
        "startDateTime": NEVER[1],
        "actionState": None,
        "previousStartDateTimes": ["2026-11-01T12:00:00Z"],
        "__provider": "x",
    }
    read = pulumi_state.operation_from(LICENSE_REVOCATION, kept)
    assert read == {
        "vppTokenId": UNKNOWN,
        "totalLicensesCount": 43,
        "failedLicensesCount": 0,
        "previousStartDateTimes": ["2026-11-01T12:00:00Z"],
        "__provider": "x",
    }
    assert isinstance(read["totalLicensesCount"], int)
    assert isinstance(read["failedLicensesCount"], int)


def test_results_of_an_older_version() -> None:
    """What an earlier version kept of results is read like an answer: dates never set are absent, counts whole."""
    kept = [{"@odata.type": "#x", "startDateTime": NEVER[0], "totalLicensesCount": 43.0, "more": {"a": [1.5, None]}}]
    (read,) = pulumi_state.state_from("7", {"tokenActionResults": kept}).observed.token_action_results or ()
    assert read == {"@odata.type": "#x", "startDateTime": None, "totalLicensesCount": 43, "more": {"a": [1.5, None]}}
    assert isinstance(read["totalLicensesCount"], int)


@pytest.mark.parametrize("encoding", [*Encoding, None])
def test_the_encoding_of_the_file_is_kept(encoding: Encoding | None) -> None:
    """The encoding that Intune could read is stored under a name that no diff shows, and read again."""
    stored = pulumi_state.state_to(state(token_encoding=encoding))
    assert stored.get("__tokenEncoding") == (encoding and encoding.value)
    assert pulumi_state.state_from(TOKEN_ID, stored).token_encoding is encoding


def test_an_encoding_of_a_newer_version_is_not_known() -> None:
    """A state that names an encoding which this version does not know is read all the same."""
    assert pulumi_state.state_from("7", {"__tokenEncoding": "hexadecimal"}).token_encoding is None
