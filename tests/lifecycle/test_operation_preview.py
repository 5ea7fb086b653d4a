"""What a preview says of operations: the token by its name where that is known; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from builders import TOKEN_ID, token_inputs, vpptoken
from intune_vpp.core.resource_type import UNKNOWN
from run_in_process import COUNTED, REVOKED, SYNCED, Run
from tenant_in_process import uploaded

if TYPE_CHECKING:
    from intune_vpp.core.operations import Operation
    from intune_vpp_emulator.tenant import Tenant

KINDS: list[tuple[Operation, dict[str, Any]]] = [
    (SYNCED, {"vppTokenId": TOKEN_ID}),
    (REVOKED, {"vppTokenId": TOKEN_ID}),
    (COUNTED, {}),
]
IN_WORDS = [
    ("info", f"Syncs the licences of token {TOKEN_ID}."),
    ("warning", f"Revokes all licences of token {TOKEN_ID}. This cannot be undone."),
    ("info", "Counts the licences of all tokens."),
]


def without_credentials(tenant: Tenant, **configuration: str) -> Run:
    """A run that could not send anything."""
    return Run(tenant, settings={"clientSecret": "", **configuration})


@pytest.mark.parametrize(("kind", "said"), list(zip(KINDS, IN_WORDS, strict=True)))
def test_what_is_about_to_be_done_is_said(
    tenant: Tenant, kind: tuple[Operation, dict[str, Any]], said: tuple[str, str]
) -> None:
    """A creation is reported in one sentence, without a request and without credentials; a later check says nothing."""
    run = without_credentials(tenant)
    preview = run.assembly.preview
    assert preview.check_operation(*kind, creates=True) == []
    assert run.reporter.said == [said]
    assert preview.check_operation(*kind, creates=False) == []
    assert run.reporter.said == [said]
    assert run.log == []


@pytest.mark.parametrize("operation", [SYNCED, REVOKED])
def test_a_token_that_is_not_known_yet(tenant: Tenant, operation: Operation) -> None:
    """A token that the same update creates has no id yet: it is said without one."""
    run = Run(tenant)
    assert run.assembly.preview.check_operation(operation, {"vppTokenId": UNKNOWN}, creates=True) == []
    ((_, said),) = run.reporter.said
    assert "licences of the token" in said
    assert "UNKNOWN" not in said


def test_a_token_of_the_same_program_is_called_by_its_name(tenant: Tenant) -> None:
    """A token that this run has planned, or made, is named as people know it, with its id."""
    text = vpptoken()
    maker = Run(tenant)
    state = maker.create(token_inputs(text)).state
    planner = Run(tenant)
    planner.preview(state, token_inputs(text))
    for run in (maker, planner):
        before = len(run.reporter.said)
        assert run.assembly.preview.check_operation(REVOKED, {"vppTokenId": state.id}, creates=True) == []
        (said,) = run.reporter.said[before:]
        assert said == ("warning", f"Revokes all licences of Lincoln (token {state.id}). This cannot be undone.")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_refused_is_not_announced(tenant: Tenant, kind: tuple[Operation, dict[str, Any]]) -> None:
    """Where something is wrong with the inputs, nothing is said to be done."""
    operation, inputs = kind
    run = Run(tenant)
    assert run.assembly.preview.check_operation(operation, {**inputs, "foo": 1}, creates=True) != []
    assert run.reporter.said == []


def test_v1_refuses_in_the_preview(tenant: Tenant) -> None:
    """What v1.0 does not have is refused without a request; a sync, which it has, is not."""
    run = without_credentials(tenant, graphVersion="v1.0")
    refused = [bool(run.assembly.preview.check_operation(*kind, creates=True)) for kind in KINDS]
    assert refused == [False, True, True]
    assert run.log == []


@pytest.mark.parametrize(
    ("operation", "before", "inputs", "said"),
    [
        (SYNCED, {"triggers": 1}, {"triggers": 2}, ("info", f"Syncs the licences of token {TOKEN_ID}.")),
        (
            SYNCED,
            {"triggers": 1, "syncPending": True},
            {"triggers": 2},
            ("info", f"Syncs the licences of token {TOKEN_ID}."),
        ),
        (
            REVOKED,
            {"actionState": "active"},
            {},
            ("info", f"Continues waiting for the revocation of the licences of token {TOKEN_ID}."),
        ),
        (
            REVOKED,
            {"actionState": "done"},
            {"notifyManagedDevices": True},
            ("info", f"Changes notifyManagedDevices of the LicenseRevocation of token {TOKEN_ID} in the state only."),
        ),
        (
            REVOKED,
            {"actionState": "failed"},
            {},
            (
                "warning",
                (
                    f"The licences of token {TOKEN_ID} could not be revoked: Intune gives no reason. "
                    "To revoke again, replace this resource."
                ),
            ),
        ),
        (
            REVOKED,
            {"actionState": "done"},
            {"vppTokenId": UNKNOWN},
            (
                "warning",
                (
                    f"vppTokenId of the revocation of token {TOKEN_ID} is not known in this preview. "
                    "If it names another token, the update revokes all licences of that token. This cannot be undone."
                ),
            ),
        ),
        (REVOKED, {"actionState": "active", "vppTokenId": "other"}, {}, None),
        (SYNCED, {"syncPending": True, "vppTokenId": "other"}, {"triggers": 1}, None),
    ],
)
def test_what_an_update_would_do_is_said(
    tenant: Tenant, operation: Operation, before: dict[str, Any], inputs: dict[str, Any], said: tuple[str, str] | None
) -> None:
    """An update is reported in one sentence; where nothing is due, or a creation will say it, in none."""
    run = without_credentials(tenant)
    asked = {"vppTokenId": TOKEN_ID, **inputs}
    run.assembly.preview.check_operation(operation, asked, creates=False)
    run.assembly.preview.plan_operation(operation, {"vppTokenId": TOKEN_ID, **before}, asked)
    assert run.reporter.said == ([said] if said else [])
    assert run.log == []


def test_a_refresh_does_not_report_what_is_still_to_be_done(tenant: Tenant) -> None:
    """Refresh asks with inputs that nobody has checked: it hears what differs, and no more."""
    run = Run(tenant)
    pending = {"vppTokenId": TOKEN_ID, "syncPending": True, "triggers": 1}
    preview = run.assembly.preview
    assert not preview.plan_operation(SYNCED, pending, {"vppTokenId": TOKEN_ID, "triggers": 1})
    inverted = preview.plan_operation(SYNCED, pending, {"vppTokenId": TOKEN_ID, "triggers": 2})
    assert (inverted.changed, inverted.pending) == (("triggers",), ())
    assert run.reporter.said == []


def test_what_the_engine_adds_does_not_hide_what_was_checked(tenant: Tenant) -> None:
    """Members of the engine's own, and inputs of None, are no other inputs."""
    run = Run(tenant)
    preview = run.assembly.preview
    preview.check_operation(SYNCED, {"vppTokenId": TOKEN_ID, "__provider": "gASV", "triggers": None}, creates=False)
    assert preview.plan_operation(
        SYNCED, {"vppTokenId": TOKEN_ID, "syncPending": True}, {"vppTokenId": TOKEN_ID}
    ).pending
    other = preview.plan_operation(REVOKED, {"vppTokenId": TOKEN_ID}, {"vppTokenId": TOKEN_ID})
    assert not other.pending


def test_ignored_changes(tenant: Tenant) -> None:
    """What the program tells the engine to ignore leads to nothing."""
    kept = Run(tenant).operate(SYNCED, {"vppTokenId": uploaded(tenant), "triggers": 1})
    run = Run(tenant)
    asked = {**kept.inputs, "triggers": 2}
    run.assembly.preview.check_operation(SYNCED, asked, creates=False)
    assert not run.assembly.preview.plan_operation(SYNCED, kept.outputs, asked, ignoring=["triggers"])
    assert run.reporter.said == []
