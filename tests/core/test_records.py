"""The model as what Pulumi stores, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, args, described, file, observed, state
from core.strategies import JSON, TEXTS, states
from core.strategies import args as any_args
from intune_vpp.core import records, times
from intune_vpp.core.model import (
    UNKNOWN,
    UNSEEN_FINGERPRINT,
    AppLicenses,
    TokenFile,
    VppToken,
    VppTokenArgs,
    VppTokenState,
)


@given(any_args(unknowns=True))
def test_inputs_survive_being_stored(asked: VppTokenArgs) -> None:
    """Inputs that were stored are the inputs again, with what is unknown and what is not managed."""
    stored = records.args_to(asked)
    assert records.args_from(stored) == asked
    assert None not in stored.values()


@given(states(any_args(unknowns=False)))
def test_a_state_survives_being_stored(kept: VppTokenState) -> None:
    """A state that was stored, as JSON too, is the state again."""
    stored = records.state_to(kept)
    assert records.state_from(kept.id, stored) == kept
    through_json = json.loads(json.dumps(stored))
    assert repr(records.state_from(kept.id, through_json)) == repr(kept)


@given(any_args(unknowns=True), st.dictionaries(TEXTS.map("x{}".format), JSON))
def test_names_that_nobody_knows_are_passed_over(asked: VppTokenArgs, strangers: dict[str, Any]) -> None:
    """What the engine or a newer version put beside the inputs does no harm."""
    more = {"__defaults": [], "id": "7", **strangers}
    assert records.args_from({**records.args_to(asked), **more}) == asked


def test_how_inputs_are_stored() -> None:
    """Inputs have Graph's names, lists are lists, the file is an object, and what is not managed is absent."""
    assert records.args_to(args(file(), role_scope_tag_ids=("0", "7"), deletion_protection=UNKNOWN)) == {
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
    action = {"actionName": "revokeLicenses", "totalLicensesCount": 3}
    kept = state(observed=observed(token_action_results=(action,)), sync_pending=True)
    stored = records.state_to(kept)
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
        "tokenActionResults": [action],
        "waitForSync": True,
        "deletionProtection": True,
        "revokeLicensesOnDelete": False,
        "tenantId": kept.tenant_id,
        "syncPending": True,
        "__observedAt": times.text(NOW),
        "token": file().fingerprint,
        "tokenFile": {
            "fingerprint": file().fingerprint,
            "expirationDateTime": "2027-11-01T12:00:00Z",
            "organizationName": "Contoso",
        },
        "__inputs": records.args_to(kept.inputs),
    }
    assert stored["tokenActionResults"][0] is not action


def test_what_the_provider_does_is_stored_as_asked() -> None:
    """What stays in the provider is told in the outputs as the program has it, and the file asked for is not."""
    asked = args(file(), wait_for_sync=False, deletion_protection=False, expected_location_name="Lincoln")
    stored = records.state_to(state(asked=asked, token_file=None))
    assert (stored["waitForSync"], stored["deletionProtection"]) == (False, False)
    assert stored["expectedLocationName"] == "Lincoln"
    assert {"tokenFile", "adoptTokenId"}.isdisjoint(stored)


@pytest.mark.parametrize(
    ("applied", "told"),
    [
        (described(file()), file().fingerprint),
        (TokenFile(UNSEEN_FINGERPRINT, "2027-11-01T12:00:00Z"), UNSEEN_FINGERPRINT),
        (None, UNSEEN_FINGERPRINT),
    ],
)
def test_the_token_is_always_among_the_outputs(applied: TokenFile | None, told: str) -> None:
    """Where this provider applied nothing, the output `token` says so, and the state read back still knows no file."""
    kept = state(token_file=applied)
    stored = records.state_to(kept)
    assert stored["token"] == told
    assert records.state_from(kept.id, stored).token_file == applied


def test_the_mark_of_an_invalid_token_is_stored() -> None:
    """The guard needs the mark in the next run too."""
    marked = TokenFile("sha256:" + "0" * 64, "2027-11-01T12:00:00Z", "Contoso", "invalid")
    assert records.args_to(args(token_file=marked))["tokenFile"]["state"] == "invalid"
    assert records.state_to(state(token_file=marked))["tokenFile"]["state"] == "invalid"


def test_a_record_of_another_version_is_read() -> None:
    """Where a record lacks what this version would have stored, that is absent, and nothing is pending."""
    assert records.state_from("7", {"syncPending": "yes"}, records.args_to(args())) == VppTokenState(
        observed=VppToken(id="7"), tenant_id="", inputs=args(), observed_at=""
    )
    assert records.args_from({"tokenFile": {}}) == VppTokenArgs(token_file=TokenFile(""))


def test_licences_are_told_by_graphs_names() -> None:
    """What Graph does not name is left out, and a count of none is told."""
    told = AppLicenses(
        vpp_token_id="7",
        apple_id=None,
        organization_name="Contoso",
        available_license_count=219,
        used_license_count=0,
    )
    assert records.licenses_to(told) == {
        "vppTokenId": "7",
        "organizationName": "Contoso",
        "availableLicenseCount": 219,
        "usedLicenseCount": 0,
    }


def test_the_inputs_that_count() -> None:
    """What was applied beats what the engine has, but for what is never compared and a file that counts as applied."""
    applied = records.args_to(args(file(), display_name="York", deletion_protection=True))
    engines = {**records.args_to(args(file(), display_name="Lincoln")), "adoptTokenId": "7"}
    kept = records.state_from("7", {"__inputs": applied}, engines).inputs
    assert (kept.display_name, kept.deletion_protection, kept.adopt_token_id) == ("York", True, "7")

    without_file = {name: value for name, value in applied.items() if name not in {"token", "tokenFile"}}
    for before in (without_file, {**without_file, "token": UNSEEN_FINGERPRINT}):
        kept = records.state_from("7", {"__inputs": before}, engines).inputs
        assert (kept.token, kept.token_file) == (engines["token"], args(file()).token_file)
    assert records.state_from("7", {}, engines).inputs == records.args_from(engines)
    assert records.state_from("7", {"__inputs": applied}).inputs == records.args_from(applied)


def test_what_a_check_is_told() -> None:
    """The file that was applied, where the engine hands the outputs over and it came through this provider."""
    asked = records.args_to(args(file()))
    newer = {"fingerprint": "sha256:" + "1" * 64, "expirationDateTime": "2028-11-01T12:00:00Z"}
    assert records.applied_args(asked, {}) == records.args_from(asked)
    assert records.applied_args(asked, {"tokenFile": {"fingerprint": UNSEEN_FINGERPRINT}}) == records.args_from(asked)
    told = records.applied_args(asked, {"tokenFile": newer}).token_file
    assert told == TokenFile(newer["fingerprint"], newer["expirationDateTime"])
