"""Licences are revoked, once: what is asked of Graph, how it may end, and what is then kept and reported."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from builders import TOKEN_ID
from intune_vpp.core.errors import Cure, RevocationFailed, SettingsError, StateError, TokenGone, WrongTenant
from run_in_process import GET, LIST, REVOKE, REVOKED, OperationRecord, Run, unresolved_failure
from tenant_in_process import new_tenant, script, uploaded

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant

AGAIN = " To revoke again, replace this resource."


def asked(token_id: str, **inputs: Any) -> dict[str, Any]:
    """What a program asks for."""
    return {"vppTokenId": token_id, **inputs}


def a_failure(tenant: Tenant) -> OperationRecord:
    """A revocation that failed."""
    script(tenant, actionState="failed", actionFailureReason="expiredVppToken")
    return Run(tenant).operate(REVOKED, asked(uploaded(tenant)))


def test_licences_are_revoked(tenant: Tenant) -> None:
    """One GET, one POST with both flags and a poll; each member of the result is reported, and the id is its start."""
    token_id = uploaded(tenant)
    total = sum(tenant.use_licenses(token_id, {}).values())
    run = Run(tenant)
    kept = run.operate(REVOKED, asked(token_id))
    assert run.requests == [GET, REVOKE, LIST]
    assert run.bodies("POST") == [{"notifyManagedDevices": False, "revokeUntrackedLicenses": False}]
    assert (kept.id, kept.failure) == (f"{token_id}/2026-11-01T12:00:01.0000000Z", None)
    assert kept.outputs == {
        "vppTokenId": token_id,
        "tenantId": tenant.directory.tenant_id,
        "requestedDateTime": "2026-11-01T12:00:01Z",
        "previousStartDateTimes": [],
        "actionName": "revokeLicenses",
        "actionState": "done",
        "startDateTime": "2026-11-01T12:00:01.0000000Z",
        "lastUpdatedDateTime": "2026-11-01T12:00:02.0000000Z",
        "totalLicensesCount": total,
        "failedLicensesCount": 0,
        "actionFailureReason": "none",
    }
    assert total > 0
    assert run.reporter.said == [
        ("warning", f"Revokes all licences of token {token_id}. This cannot be undone."),
    ]


@pytest.mark.parametrize("notify", [True, False])
@pytest.mark.parametrize("untracked", [True, False])
def test_the_flags_are_sent(tenant: Tenant, notify: bool, untracked: bool) -> None:  # noqa: FBT001 - parameters
    """Both flags go out as they were given, and are kept."""
    given = asked(uploaded(tenant), notifyManagedDevices=notify, revokeUntrackedLicenses=untracked)
    run = Run(tenant)
    kept = run.operate(REVOKED, given)
    assert run.bodies("POST") == [{"notifyManagedDevices": notify, "revokeUntrackedLicenses": untracked}]
    assert {name: kept[name] for name in given} == given


def test_it_is_never_done_again(tenant: Tenant) -> None:
    """Neither an update without a change, nor one of its flags, nor a refresh sends anything that revokes."""
    target = uploaded(tenant)
    kept = Run(tenant).operate(REVOKED, asked(target))
    run = Run(tenant)
    assert not run.plan_operation(kept, kept.inputs)
    after = run.update_operation(kept, {**kept.inputs, "notifyManagedDevices": True})
    assert run.log == []
    assert after.outputs == {**kept.outputs, "notifyManagedDevices": True}
    assert run.reporter.said == [
        ("info", f"Changes notifyManagedDevices of the LicenseRevocation of token {target} in the state only.")
    ]
    looking = Run(tenant)
    assert looking.refresh_operation(after) == after
    assert (looking.requests, looking.reporter.said) == ([GET], [])


def test_another_token_is_another_resource(tenant: Tenant) -> None:
    """Another token replaces the resource; the plan says nothing: its creation does."""
    kept = Run(tenant).operate(REVOKED, asked(uploaded(tenant)))
    run = Run(tenant)
    plan = run.plan_operation(kept, asked(TOKEN_ID, notifyManagedDevices=True))
    assert plan.replaces == ("vppTokenId",)
    assert run.reporter.said == []


def test_it_takes_its_time() -> None:
    """It is followed through its states until it has ended."""
    tenant = new_tenant(revoke_seconds=100)
    token_id = uploaded(tenant)
    run = Run(tenant)
    kept = run.operate(REVOKED, asked(token_id))
    assert (kept["actionState"], kept.failure) == ("done", None)
    assert run.requests == [GET, REVOKE, *[LIST] * len(run.time.slept)]
    assert run.time.slept[:6] == [2, 3, 4.5, 6.75, 10.125, 15]


LEFT = "The licences of Lincoln could not be revoked"
PUSH = "the tenant's Apple push notification certificate has expired{}. Renew that certificate in Intune"


@pytest.mark.parametrize(
    ("state", "reason", "what", "because"),
    [
        ("failed", "appleFailure", LEFT, "Apple's service failed{}. Try again later"),
        ("failed", "internalError", LEFT, "Intune had an internal error{}. Try again later"),
        ("failed", "expiredVppToken", LEFT, "the token has expired{}. Renew it with a new content token from Apple"),
        ("failed", "expiredApplePushNotificationCertificate", LEFT, PUSH),
        ("canceled", "none", "The revocation of the licences of Lincoln was cancelled", "Intune gives no reason"),
        ("notSupported", "none", "Intune does not support revoking the licences of Lincoln", "Intune gives no reason"),
    ],
)
def test_each_bad_end_is_a_failure_with_its_cure(
    tenant: Tenant, state: str, reason: str, what: str, because: str
) -> None:
    """A failure has its reason in words, its cure and the way to do it again; all that is known is kept."""
    token_id = uploaded(tenant)
    total = sum(tenant.use_licenses(token_id, {}).values())
    script(tenant, actionState=state, actionFailureReason=reason)
    run = Run(tenant)
    kept = run.operate(REVOKED, asked(token_id))
    assert isinstance(kept.failure, RevocationFailed)
    counted = f" ({total} of {total})" if state == "failed" else ""
    named = f" ({reason})" if reason != "none" else ""
    assert str(kept.failure) == f"{what}{counted}: {because.format(named)}.{AGAIN}"
    assert run.requests == [GET, REVOKE, LIST]
    assert (kept["actionState"], kept["actionFailureReason"]) == (state, reason)
    assert kept.id == f"{token_id}/{kept['startDateTime']}"


def test_a_part_that_failed_is_a_warning(tenant: Tenant) -> None:
    """Where some licences are left that is a warning with both counts, now and in each later run; nothing is sent."""
    token_id = uploaded(tenant)
    total = sum(tenant.use_licenses(token_id, {}).values())
    script(tenant, actionState="failed", actionFailureReason="appleFailure", failedLicensesCount=3)
    run = Run(tenant)
    kept = run.operate(REVOKED, asked(token_id))
    assert kept.failure is None
    (warning,) = run.reporter.warnings[1:]
    because = "Apple's service failed (appleFailure). Try again later."
    assert warning == f"3 of {total} licences of Lincoln could not be revoked: {because}{AGAIN}"
    assert (kept["failedLicensesCount"], kept["totalLicensesCount"]) == (3, total)
    later = Run(tenant)
    assert not later.plan_operation(kept, kept.inputs)
    assert later.reporter.said == [("warning", warning.replace("Lincoln", f"token {token_id}"))]
    assert later.requests == []
    reading = Run(tenant)
    assert reading.refresh_operation(kept) == kept
    assert reading.reporter.said == []


def test_a_failure_stands(tenant: Tenant) -> None:
    """The next update tells it once more, in whole numbers and without a request, since nothing is done again."""
    kept = a_failure(tenant)
    run = Run(tenant)
    still = run.update_operation(kept)
    assert run.log == []
    total = int(kept["totalLicensesCount"])
    assert str(still.failure) == (
        f"The licences of token {kept['vppTokenId']} could not be revoked ({total} of {total}): the token has expired "
        f"(expiredVppToken). Renew it with a new content token from Apple.{AGAIN}"
    )
    assert still.outputs == kept.outputs


def test_a_refresh_forgets_no_failure(tenant: Tenant) -> None:
    """A refresh leaves what was reported, even when the token is gone: the failure stands until it is replaced."""
    kept = a_failure(tenant)
    for _ in range(2):
        run = Run(tenant)
        again = run.refresh_operation(kept)
        assert again == OperationRecord(kept.operation, kept.id, kept.inputs, kept.outputs)
        assert unresolved_failure(again) is not None
        assert run.reporter.said == []
        tenant.delete(kept["vppTokenId"]) if tenant.tokens else None


def test_a_state_that_nobody_knows_is_waited_out(tenant: Tenant) -> None:
    """A member that Graph adds some day is no end: it is kept as it is, and the next update goes on."""
    token_id = uploaded(tenant)
    script(tenant, actionState="someDayState", actionFailureReason="someDayReason")
    kept = Run(tenant).operate(REVOKED, asked(token_id), timeout=timedelta(seconds=30))
    assert "did not end within 30 seconds (it is someDayState)" in str(kept.failure)
    assert AGAIN not in str(kept.failure)
    assert (kept["actionState"], kept["actionFailureReason"]) == ("someDayState", "someDayReason")
    assert Run(tenant).plan_operation(kept, kept.inputs).pending


def test_a_reason_that_nobody_knows_is_reported(tenant: Tenant) -> None:
    """A reason that Graph adds some day is reported in Graph's word."""
    token_id = uploaded(tenant)
    script(tenant, actionState="failed", actionFailureReason="someDayReason")
    kept = Run(tenant).operate(REVOKED, asked(token_id))
    assert "Intune gives the reason someDayReason." in str(kept.failure)


def test_a_token_that_is_not_there(tenant: Tenant) -> None:
    """To revoke the licences of no token is an error, and nothing is sent but the question."""
    run = Run(tenant)
    with pytest.raises(TokenGone):
        run.operate(REVOKED, asked(TOKEN_ID))
    assert run.requests == [GET, LIST]


def test_v1_does_not_have_it(tenant: Tenant) -> None:
    """Check refuses it on v1.0 without a request; and whoever comes past Check revokes nothing."""
    token_id = uploaded(tenant)
    run = Run(tenant, settings={"graphVersion": "v1.0"})
    (problem,) = run.assembly.preview.check_operation(REVOKED, asked(token_id), creates=True)
    assert problem.reason.startswith("A LicenseRevocation needs Graph's beta")
    assert (run.log, run.reporter.said) == ([], [])
    with pytest.raises(SettingsError, match=r"revokeLicenses needs Graph's beta: .*INTUNE_VPP_GRAPH_VERSION"):
        run.assembly.operation(REVOKED).run(asked(token_id), timedelta(minutes=1))
    assert REVOKE not in run.requests


def test_another_tenant_is_never_asked() -> None:
    """With another tenant's credentials nothing is looked at and nothing is waited for."""
    tenant = new_tenant(revoke_seconds=60)
    kept = Run(tenant).operate(REVOKED, asked(uploaded(tenant)), timeout=timedelta(seconds=5))
    run = Run(new_tenant())
    with pytest.raises(WrongTenant, match=rf"^LicenseRevocation {kept.id} belongs to tenant"):
        run.refresh_operation(kept)
    with pytest.raises(WrongTenant):
        run.update_operation(kept)
    assert run.requests == []


def test_a_listing_from_before_is_not_believed() -> None:
    """A look in the same run, after others have looked at all tokens, tells how it ended."""
    tenant = new_tenant(revoke_seconds=5)
    token_ids = [uploaded(tenant, name) for name in ("Lincoln", "York")]
    run = Run(tenant)
    revocations = run.assembly.operation(REVOKED)
    for token_id in token_ids:
        revocations.read("", asked(token_id, startDateTime="2026-01-01T00:00:00Z"))
    kept = run.operate(REVOKED, asked(token_ids[0]))
    shown = revocations.read(kept.id, {**kept.outputs, "actionState": "active"})
    assert shown is not None
    assert shown["actionState"] == "done"


def test_what_was_done_stays_done(tenant: Tenant) -> None:
    """A revocation is never gone, or it would be done again: with its token deleted it is reported as it was."""
    token_id = uploaded(tenant)
    kept = Run(tenant).operate(REVOKED, {"vppTokenId": token_id})
    tenant.delete(token_id)
    run = Run(tenant)
    assert run.refresh_operation(kept) == kept
    assert run.reporter.said == []
    assert not Run(tenant).plan_operation(kept, kept.inputs)


def test_a_state_without_its_token(tenant: Tenant) -> None:
    """A record that lost the token's id is refused with the cure, and nothing is revoked."""
    kept = Run(tenant).operate(REVOKED, asked(uploaded(tenant)))
    lacking = {name: value for name, value in kept.outputs.items() if name != "vppTokenId"}
    run = Run(tenant)
    with pytest.raises(StateError, match=r"has no vppTokenId\.$") as refused:
        run.assembly.operation(REVOKED).read(kept.id, lacking)
    assert refused.value.cure is Cure.ADD_TO_STATE
    assert run.requests == []
