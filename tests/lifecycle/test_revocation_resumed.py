"""A revocation whose end was not seen is found again, and never begun a second time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from intune_vpp.core import revocation
from intune_vpp.core.errors import Conflict, Cure, RequestNotSent, RevocationTimedOut, TokenGone
from intune_vpp_emulator.refusals import IntuneRefusal
from intune_vpp_emulator.tenant import Page, Tenant
from run_in_process import GET, LIST, REVOKE, REVOKED, OperationRecord, Run, interrupted, unresolved_failure
from tenant_in_process import Clocked, LosesRevocationAnswers, new_tenant, script, slow, uploaded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def test_an_interruption_at_once() -> None:
    """Before anything was seen of it, its id is the token's and when it was asked for; the next update finds it."""
    tenant = slow()
    kept = interrupted(tenant)
    assert kept.id == f"{kept['vppTokenId']}/2026-11-01T12:00:01Z"
    assert "actionState" not in kept.outputs
    run = Run(tenant)
    well = run.update_operation(kept)
    assert run.requests == [GET, *[LIST] * len(run.time.slept)]
    assert run.reporter.said == [
        ("info", f"Continues waiting for the revocation of the licences of token {kept['vppTokenId']}.")
    ]
    assert (well.failure, well["actionState"]) == (None, "done")
    assert (well["startDateTime"], well["requestedDateTime"]) == (
        "2026-11-01T12:00:01.0000000Z",
        "2026-11-01T12:00:01Z",
    )
    assert not Run(tenant).plan_operation(well, kept.inputs)


def test_an_interruption_on_the_way() -> None:
    """What was seen of it is kept, its id is its start, and the next update follows that one."""
    tenant = slow()
    kept = interrupted(tenant, pause=3)
    assert kept.id == f"{kept['vppTokenId']}/2026-11-01T12:00:01.0000000Z"
    assert kept["actionState"] == "pending"
    run = Run(tenant)
    well = run.update_operation(kept)
    assert REVOKE not in run.requests
    assert (well.failure, well["actionState"]) == (None, "done")


def test_an_end_that_nobody_saw() -> None:
    """A revocation that ended meanwhile is reported by the next update, at the cost of one GET."""
    tenant = slow()
    script(tenant, actionState="failed", actionFailureReason="appleFailure")
    kept = interrupted(tenant)
    tenant.clock.advance(3600)
    run = Run(tenant)
    failed = run.update_operation(kept)
    assert run.requests == [GET]
    assert "Apple's service failed (appleFailure). Try again later." in str(failed.failure)
    assert failed["actionState"] == "failed"


def test_a_refresh_sees_how_it_goes() -> None:
    """A refresh shows the state of the action; nothing is due once it has succeeded, and a failure is reported."""
    tenant = slow()
    kept = interrupted(tenant)
    shown = Run(tenant).refresh_operation(kept)
    assert shown is not None
    assert (shown.id, shown["actionState"]) == (kept.id, "pending")
    assert Run(tenant).plan_operation(shown, kept.inputs).pending
    tenant.clock.advance(60)
    quiet = Run(tenant)
    ended = quiet.refresh_operation(shown)
    assert ended is not None
    assert ended["actionState"] == "done"
    assert quiet.reporter.said == []
    assert not Run(tenant).plan_operation(ended, kept.inputs)


@pytest.mark.parametrize("left", [3, None])
def test_a_refresh_reports_what_was_not_reported_yet(left: int | None) -> None:
    """An end that only a refresh sees is reported by it: that some licences are left in a warning."""
    tenant = slow()
    members = {} if left is None else {"failedLicensesCount": left}
    script(tenant, actionState="failed", actionFailureReason="internalError", **members)
    kept = interrupted(tenant)
    tenant.clock.advance(60)
    run = Run(tenant)
    ended = run.refresh_operation(kept)
    assert ended is not None
    if left is None:
        assert "could not be revoked" in str(
            revocation.unresolved(revocation.result_from(ended.outputs), "Lincoln").failure
        )
        assert run.reporter.warnings == []
    else:
        (warning,) = run.reporter.warnings
        assert warning.startswith("3 of ")
        assert unresolved_failure(ended) is None


def test_a_wait_that_runs_out() -> None:
    """After the time allowed the id is kept, and the next update goes on for as long again."""
    tenant = slow()
    token_id = uploaded(tenant)
    run = Run(tenant)
    kept = run.operate(REVOKED, {"vppTokenId": token_id}, timeout=timedelta(seconds=10))
    assert isinstance(kept.failure, RevocationTimedOut)
    expected = "The revocation of the licences of Lincoln did not end within 10 seconds (it is pending)."
    assert (str(kept.failure), kept.failure.cure) == (expected, Cure.WAIT_AGAIN)
    assert kept.id == f"{token_id}/{kept['startDateTime']}"
    again = Run(tenant)
    still = again.update_operation(kept, timeout=timedelta(seconds=10))
    assert isinstance(still.failure, RevocationTimedOut)
    assert 10 <= sum(again.time.slept) < 20
    assert Run(tenant).update_operation(still)["actionState"] == "done"


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=1), timedelta(hours=-1)])
def test_a_lost_answer(ahead: timedelta) -> None:
    """Where only the answer was lost the revocation is found and followed, however the clocks differ."""
    tenant = slow(LosesRevocationAnswers)
    token_id = uploaded(tenant)
    run = Run(tenant, time=Clocked(tenant.clock, ahead))
    kept = run.operate(REVOKED, {"vppTokenId": token_id})
    assert run.requests == [GET, REVOKE, *[LIST] * len(run.time.slept)]
    assert (kept.failure, kept["actionState"]) == (None, "done")
    assert kept["startDateTime"] == "2026-11-01T12:00:01.0000000Z"
    (warning,) = run.reporter.warnings[1:]
    assert warning == (
        "The answer to the revocation of the licences of Lincoln was lost (HTTP 504 GatewayTimeout). "
        "Waiting to see whether it started; do not start another."
    )


def test_a_request_that_was_lost() -> None:
    """Where nothing new shows in time the id is kept and nothing is sent again, though an older revocation shows."""
    tenant = new_tenant(LosesRevocationAnswers)
    token_id = uploaded(tenant)
    Tenant.revoke_licenses(tenant, token_id, {"notifyManagedDevices": False})
    tenant.clock.advance(5)
    tenant.revokes = False
    run = Run(tenant)
    kept = run.operate(REVOKED, {"vppTokenId": token_id}, timeout=timedelta(minutes=2))
    assert str(kept.failure) == (
        "Intune did not show the revocation of the licences of Lincoln within 2 minutes; it may not have started. "
        f"First check in Intune whether the licences were revoked. {revocation.REPLACE_IT}"
    )
    assert run.requests == [GET, REVOKE, *[LIST, GET] * len(run.time.slept)]
    assert 120 <= sum(run.time.slept) < 150
    assert kept.id == f"{token_id}/{kept['requestedDateTime']}"
    assert kept["previousStartDateTimes"] == ["2026-11-01T12:00:01.0000000Z"]
    later = Run(tenant)
    assert later.update_operation(kept).failure is not None
    assert REVOKE not in later.requests


def test_a_lost_answer_that_shows_late() -> None:
    """One that Graph does not show at once is looked for, and followed once it shows."""

    class Lagging(LosesRevocationAnswers):
        lists = 0

        def list_tokens(self, **options: Any) -> Page:
            self.lists += 1
            page = super().list_tokens(**options)
            if self.lists > 2:
                return page
            return replace(page, tokens=[{**one, "tokenActionResults": []} for one in page.tokens])

    tenant = slow(Lagging)
    run = Run(tenant)
    assert run.operate(REVOKED, {"vppTokenId": uploaded(tenant)})["actionState"] == "done"
    assert run.requests.count(REVOKE) == 1


class Tampering(httpx.BaseTransport):
    """A way to the tenant on which revocations are answered otherwise."""

    def __init__(
        self, answer: Callable[[httpx.Request, httpx.BaseTransport], httpx.Response], inner: httpx.BaseTransport
    ) -> None:
        self._answer = answer
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, or answer it."""
        if request.url.path.endswith("/revokeLicenses"):
            return self._answer(request, self._inner)
        return self._inner.handle_request(request)


@pytest.mark.parametrize(
    ("status", "said"), [(200, "no readable answer"), (403, "HTTP 403"), (404, "HTTP 404"), (502, "HTTP 502")]
)
def test_an_answer_that_cannot_be_read(status: int, said: str) -> None:
    """A proxy's page in place of Graph's answer says nothing: what was started is found and followed."""

    def garble(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        inner.handle_request(request)
        return httpx.Response(status, content=b"<html>", request=request)

    tenant = slow()
    run = Run(tenant, around=partial(Tampering, garble))
    kept = run.operate(REVOKED, {"vppTokenId": uploaded(tenant)})
    assert (kept.failure, kept["actionState"]) == (None, "done")
    assert run.requests.count(REVOKE) == 1
    assert f"Lincoln was lost ({said}). Waiting to see whether it started" in run.reporter.warnings[1]


def test_a_request_that_was_never_sent() -> None:
    """Where there was no connection nothing began: there is nothing to look for, and nothing is kept."""

    def refuse(request: httpx.Request, _inner: httpx.BaseTransport) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    tenant = new_tenant()
    token_id = uploaded(tenant)
    run = Run(tenant, around=partial(Tampering, refuse))
    with pytest.raises(RequestNotSent, match="Nothing was sent"):
        run.operate(REVOKED, {"vppTokenId": token_id})
    assert run.requests == [GET]


def test_a_refusal_is_no_lost_answer() -> None:
    """What Graph refuses it has not done: nothing is asked once more."""

    class Refusing(Tenant):
        def revoke_licenses(self, token_id: str, body: Mapping[str, Any]) -> None:
            del token_id, body
            raise IntuneRefusal(409, "Conflict", "Not now.")

    tenant = new_tenant(Refusing)
    token_id = uploaded(tenant)
    run = Run(tenant)
    with pytest.raises(Conflict):
        run.operate(REVOKED, {"vppTokenId": token_id})
    assert run.requests == [GET, REVOKE]


def test_a_failing_poll_keeps_the_id() -> None:
    """A listing that is refused during the wait ends it; what was begun is kept, and followed by the next update."""

    class Blind(Tenant):
        blind = True

        def list_tokens(self, **options: Any) -> Page:
            if self.blind:
                raise IntuneRefusal(403, "Forbidden", "Not any more.")
            return super().list_tokens(**options)

    tenant = slow(Blind)
    token_id = uploaded(tenant)
    run = Run(tenant)
    kept = run.operate(REVOKED, {"vppTokenId": token_id})
    assert run.requests == [GET, REVOKE, LIST]
    assert "Not any more." in str(kept.failure)
    tenant.blind = False
    later = Run(tenant)
    assert later.update_operation(kept)["actionState"] == "done"
    assert REVOKE not in later.requests


def test_a_result_that_vanishes() -> None:
    """A revocation that Graph no longer shows is given up when the time is over, with what can be done."""
    tenant = slow()
    kept = interrupted(tenant, pause=3)
    tenant.edit_by_hand(kept["vppTokenId"], {"tokenActionResults": []})
    run = Run(tenant)
    lost = run.update_operation(kept, timeout=timedelta(seconds=60))
    assert str(lost.failure) == (
        "The revocation of the licences of Lincoln disappeared from Intune (it started at "
        "2026-11-01T12:00:01.0000000Z). First check in Intune whether the licences were revoked. "
        "To revoke again, replace this resource."
    )
    assert 60 <= sum(run.time.slept) < 90
    assert REVOKE not in run.requests
    assert Run(tenant).refresh_operation(kept) == OperationRecord(kept.operation, kept.id, kept.inputs, kept.outputs)


def test_a_token_deleted_during_the_wait() -> None:
    """The wait ends with that sentence; what was reported of it stays, and each update says how to get rid of it."""

    class Deleting(Tenant):
        def revoke_licenses(self, token_id: str, body: Mapping[str, Any]) -> None:
            super().revoke_licenses(token_id, body)
            self.delete(token_id)

    tenant = slow(Deleting)
    token_id = uploaded(tenant)
    run = Run(tenant)
    kept = run.operate(REVOKED, {"vppTokenId": token_id})
    assert isinstance(kept.failure, TokenGone)
    assert str(kept.failure) == "Lincoln was deleted in Intune while the provider waited for it. Refresh the stack."
    assert run.requests == [GET, REVOKE, LIST, GET, LIST]
    later = Run(tenant)
    still = later.update_operation(kept)
    assert later.requests == [GET, LIST]
    assert str(still.failure) == (
        f"Token {token_id} was deleted before the revocation of its licences was confirmed. "
        "Intune no longer reports it. Remove this resource from the program."
    )
    assert still.outputs == kept.outputs


@pytest.mark.parametrize("missing", ["requestedDateTime", "startDateTime", "tenantId", "actionState"])
def test_a_record_that_lacks_something(tenant: Tenant, missing: str) -> None:
    """A record in which a member is missing is followed as far as it says, and never revokes."""
    kept = Run(tenant).operate(REVOKED, {"vppTokenId": uploaded(tenant)})
    lacking = OperationRecord(
        kept.operation, kept.id, kept.inputs, {name: one for name, one in kept.outputs.items() if name != missing}
    )
    run = Run(tenant)
    shown = run.refresh_operation(lacking)
    assert shown is not None
    if run.plan_operation(lacking, kept.inputs):
        assert run.update_operation(lacking)["actionState"] == "done"
    assert REVOKE not in run.requests
