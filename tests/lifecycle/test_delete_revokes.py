"""Where that is asked for, deleting a token takes back its licences first, and fails where it cannot."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from builders import token_inputs, vpptoken
from intune_vpp.core.errors import Cure, DeletionRefused, RevocationFailed, WaitInterrupted
from intune_vpp_emulator.refusals import IntuneRefusal
from intune_vpp_emulator.tenant import Page, Tenant
from run_in_process import DELETE, GET, LIST, REVOKE, Run
from tenant_in_process import TenantTime, new_tenant, script

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.core.vpp_token import VppTokenState


def a_token(tenant: Tenant, **inputs: Any) -> VppTokenState:
    """A token whose licences are to be revoked with it."""
    asked = token_inputs(vpptoken(), deletionProtection=False, revokeLicensesOnDelete=True, **inputs)
    return Run(tenant).create(asked).state


def test_licences_go_first() -> None:
    """The revocation is begun, waited for until it has ended, and only then the token goes."""
    ended: list[str] = []

    class Watching(Tenant):
        def delete(self, token_id: str) -> None:
            ended.extend(one["actionState"] for one in self.get(token_id)["tokenActionResults"])
            super().delete(token_id)

    tenant = new_tenant(Watching, revoke_seconds=20)
    state = a_token(tenant)
    run = Run(tenant)
    run.delete(state)
    assert run.requests == [GET, REVOKE, *[LIST] * len(run.time.slept), DELETE]
    assert run.bodies("POST") == [{"notifyManagedDevices": False, "revokeUntrackedLicenses": False}]
    assert (ended, tenant.tokens, run.reporter.said) == (["done"], [], [])


@pytest.mark.parametrize("asked", [False, None])
def test_nothing_is_revoked_unasked(tenant: Tenant, asked: bool | None) -> None:  # noqa: FBT001 - a parameter
    """Without the input, deleting is one DELETE."""
    inputs = token_inputs(vpptoken(), deletionProtection=False, revokeLicensesOnDelete=asked)
    state = Run(tenant).create(inputs).state
    run = Run(tenant)
    run.delete(state)
    assert run.requests == [DELETE]


def test_protection_comes_first(tenant: Tenant) -> None:
    """A protected token loses nothing, without a request."""
    state = Run(tenant).create(token_inputs(vpptoken(), revokeLicensesOnDelete=True)).state
    run = Run(tenant)
    with pytest.raises(DeletionRefused):
        run.delete(state)
    assert run.log == []


def test_another_resources_token_loses_nothing(tenant: Tenant) -> None:
    """The old half of a replacement revokes nothing."""
    inputs = token_inputs(vpptoken(), deletionProtection=False, revokeLicensesOnDelete=True)
    state = Run(tenant).create(inputs).state
    run = Run(tenant)
    run.preview(state, inputs)
    run.delete(state)
    assert run.requests == []


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (
            {"actionState": "failed", "actionFailureReason": "expiredApplePushNotificationCertificate"},
            "(expiredApplePushNotificationCertificate). Renew that certificate in Intune.",
        ),
        ({"actionState": "canceled"}, "The revocation of the licences of Lincoln was cancelled"),
        ({"actionState": "notSupported"}, "Intune does not support revoking the licences of Lincoln"),
        (
            {"actionState": "failed", "actionFailureReason": "appleFailure", "failedLicensesCount": 1},
            "licences of Lincoln could not be revoked: Apple's service failed (appleFailure).",
        ),
        ({"actionState": "done", "failedLicensesCount": 1}, "licences of Lincoln could not be revoked"),
    ],
)
def test_the_token_stays_where_licences_do(tenant: Tenant, end: Mapping[str, Any], says: str) -> None:
    """A revocation that fails, in part too, keeps the token, with the reason and what can be done."""
    state = a_token(tenant)
    script(tenant, **end)
    run = Run(tenant)
    with pytest.raises(RevocationFailed) as failed:
        run.delete(state)
    assert str(failed.value).startswith("Lincoln was not deleted. ")
    assert says in str(failed.value)
    assert failed.value.cure is Cure.DELETE_WITHOUT_REVOKING
    assert "replace" not in str(failed.value)
    assert run.requests == [GET, REVOKE, LIST]
    assert [one.id for one in tenant.tokens] == [state.id]
    run_again = Run(tenant)
    run_again.delete(state)
    assert (run_again.requests[-1], tenant.tokens) == (DELETE, [])


def test_a_running_revocation_is_joined() -> None:
    """Where the licences are being revoked already, the deletion waits for that."""
    tenant = new_tenant(revoke_seconds=20)
    state = a_token(tenant)
    tenant.revoke_licenses(state.id, {"notifyManagedDevices": True})
    run = Run(tenant)
    run.delete(state)
    assert REVOKE not in run.requests
    assert (run.requests[-1], tenant.tokens) == (DELETE, [])


def test_a_wait_that_runs_out_keeps_the_token() -> None:
    """A revocation that does not end in time keeps the token; the next try joins it."""
    tenant = new_tenant(revoke_seconds=60)
    state = a_token(tenant)
    run = Run(tenant)
    with pytest.raises(RevocationFailed, match=r"10 seconds \(it is pending\)\.$") as failed:
        run.assembly.tokens.delete(state, timeout=timedelta(seconds=10))
    assert failed.value.cure is Cure.WAIT_AGAIN
    assert DELETE not in run.requests
    later = Run(tenant)
    later.delete(state)
    assert REVOKE not in later.requests
    assert tenant.tokens == []


def test_an_interruption_keeps_the_token(tenant: Tenant) -> None:
    """Ctrl-C during the wait deletes nothing."""

    class Interrupted(TenantTime):
        def sleep(self, seconds: float) -> None:
            raise WaitInterrupted(f"Interrupted within {seconds} seconds.")

    state = a_token(tenant)
    run = Run(tenant, time=Interrupted(tenant.clock))
    caught = "^Lincoln was not deleted. The revocation of its licences may still be running .* once it has ended.$"
    with pytest.raises(WaitInterrupted, match=caught):
        run.delete(state)
    assert run.requests == [GET, REVOKE]
    assert len(tenant.tokens) == 1


def test_a_failing_poll_keeps_the_token() -> None:
    """Whoever cannot see how the revocation ended deletes nothing."""

    class Blind(Tenant):
        blind = False

        def list_tokens(self, **options: Any) -> Page:
            if self.blind:
                raise IntuneRefusal(403, "Forbidden", "Not any more.")
            return super().list_tokens(**options)

    tenant = new_tenant(Blind)
    state = a_token(tenant)
    tenant.blind = True
    with pytest.raises(RevocationFailed, match=r"^Lincoln was not deleted. .*Not any more\.") as failed:
        Run(tenant).delete(state)
    assert failed.value.cure is None
    assert len(tenant.tokens) == 1


def test_a_refused_revocation_keeps_the_token() -> None:
    """What Graph refuses to begin is reported in its words."""

    class Refusing(Tenant):
        def revoke_licenses(self, token_id: str, body: Mapping[str, Any]) -> None:
            del token_id, body
            raise IntuneRefusal(403, "Forbidden", "Not you.")

    tenant = new_tenant(Refusing)
    state = a_token(tenant)
    with pytest.raises(
        RevocationFailed, match=r"^Lincoln was not deleted. .*: Not you\. Grant .* admin consent "
    ) as caught:
        Run(tenant).delete(state)
    assert caught.value.cure is None
    assert len(tenant.tokens) == 1


def test_a_token_that_is_gone_is_deleted(tenant: Tenant) -> None:
    """A token that somebody deleted by hand is success, at the cost of one question."""
    state = a_token(tenant)
    tenant.delete(state.id)
    run = Run(tenant)
    run.delete(state)
    assert run.requests == [GET, LIST]
    assert run.reporter.said == [("info", "Lincoln was already deleted.")]


def test_a_token_that_goes_during_the_wait_is_deleted() -> None:
    """A token that somebody deletes while its licences are revoked is success too."""

    class Deleting(Tenant):
        def revoke_licenses(self, token_id: str, body: Mapping[str, Any]) -> None:
            super().revoke_licenses(token_id, body)
            self.delete(token_id)

    tenant = new_tenant(Deleting)
    state = a_token(tenant)
    run = Run(tenant)
    run.delete(state)
    assert run.requests == [GET, REVOKE, LIST, GET, LIST]
    assert run.reporter.said == [("info", "Lincoln was already deleted.")]


def test_v1_cannot_revoke(tenant: Tenant) -> None:
    """On v1.0 the input is refused; a token that has it from before stays, and the sentence names the cure."""
    state = a_token(tenant)
    run = Run(tenant, settings={"graphVersion": "v1.0"})
    refusal = run.check({"revokeLicensesOnDelete": True}, state).problems
    assert [problem.property for problem in refusal] == ["revokeLicensesOnDelete"]
    with pytest.raises(
        RevocationFailed, match=r"^Lincoln was not deleted\. revokeLicenses needs Graph's beta"
    ) as caught:
        run.delete(state)
    assert caught.value.cure is Cure.DELETE_WITHOUT_REVOKING
    assert run.requests == [GET]
    assert len(tenant.tokens) == 1


def test_the_switch_is_flipped_without_a_request(tenant: Tenant) -> None:
    """The cure works: an update that sends nothing, then a deletion that revokes nothing."""
    state = a_token(tenant)
    run = Run(tenant)
    asked = {"displayName": "Lincoln", "deletionProtection": False, "revokeLicensesOnDelete": False}
    flipped = run.up(state, asked).state
    assert run.requests == []
    later = Run(tenant)
    later.delete(flipped)
    assert later.requests == [DELETE]
