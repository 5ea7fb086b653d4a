"""Where it is doubtful whether a revocation began, none begins again; where an engine asks to stop, none begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from intune_vpp.core.errors import (
    GraphError,
    GraphUnavailable,
    TokenGone,
    WaitInterrupted,
)
from intune_vpp.core.revocation import REPLACE_IT, RESULT_TYPE
from intune_vpp_emulator.refusals import IntuneRefusal
from intune_vpp_emulator.tenant import Page, Tenant
from run_in_process import COUNT, COUNTED, GET, REVOKE, REVOKED, Run, interrupted
from tenant_in_process import (
    Interrupted,
    LosesRevocationAnswers,
    StopRequested,
    WithoutRevocations,
    new_tenant,
    slow,
    uploaded,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_a_lost_answer_while_graph_stays_away() -> None:
    """Where nobody can tell whether it began, it is kept as begun: the next update follows it and sends no other."""

    class Away(LosesRevocationAnswers):
        away = True

        def list_tokens(self, **options: Any) -> Page:
            if self.away:
                raise IntuneRefusal(503, "ServiceUnavailable", "Try again.")
            return super().list_tokens(**options)

    tenant = slow(Away)
    token_id = uploaded(tenant)
    kept = Run(tenant).operate(REVOKED, {"vppTokenId": token_id})
    assert isinstance(kept.failure, GraphUnavailable)
    tenant.away = False
    later = Run(tenant)
    assert later.update_operation(kept)["actionState"] == "done"
    assert REVOKE not in later.requests


class LosesRevocationAnswersLate(LosesRevocationAnswers):
    """A tenant that is asked for long before the answer turns out to be lost, and shows odd results at first."""

    results: tuple[dict[str, Any], ...] = ()

    def revoke_licenses(self, token_id: str, body: Mapping[str, Any]) -> None:
        """Revoke or not, after a minute."""
        self.clock.advance(60)
        super().revoke_licenses(token_id, body)

    def list_tokens(self, **options: Any) -> Page:
        """A page, with what is to be shown in place of the results."""
        page = super().list_tokens(**options)
        if not self.results:
            return page
        return replace(page, tokens=[{**one, "tokenActionResults": [*self.results]} for one in page.tokens])


def test_an_answer_that_is_lost_late() -> None:
    """However long it took to be lost, Graph is looked at afterwards: what was begun is followed."""
    tenant = slow(LosesRevocationAnswersLate)
    token_id = uploaded(tenant)
    run = Run(tenant)
    kept = run.operate(REVOKED, {"vppTokenId": token_id})
    assert (kept["actionState"], kept.failure) == ("done", None)
    assert run.requests.count(REVOKE) == 1


def test_a_lost_answer_of_one_that_waits() -> None:
    """One that waits and has no start yet was begun too: it is kept, and the next update goes on with it."""
    tenant = slow(LosesRevocationAnswersLate)
    waiting = {"@odata.type": RESULT_TYPE, "actionName": "revokeLicenses", "actionState": "pending"}
    tenant.results = (waiting,)
    token_id = uploaded(tenant)
    kept = Run(tenant).operate(REVOKED, {"vppTokenId": token_id}, timeout=timedelta(seconds=90))
    assert str(kept.failure).endswith("(it is pending).")
    tenant.results = ()
    tenant.clock.advance(120)
    later = Run(tenant)
    assert later.update_operation(kept)["actionState"] == "done"
    assert REVOKE not in later.requests


def test_an_engine_that_asks_to_stop_before() -> None:
    """Nothing irreversible begins any more: neither for who asks the token first, nor for who waits behind it."""
    tenant = slow()
    token_id = uploaded(tenant)
    run = Run(tenant, time=StopRequested(tenant.clock, during=0))
    with pytest.raises(WaitInterrupted, match=r"^Stopped before anything was done to token .*: nothing was started"):
        run.operate(REVOKED, {"vppTokenId": token_id})
    with pytest.raises(WaitInterrupted, match=r"^Stopped before licences were counted: nothing was started"):
        run.operate(COUNTED, {})
    assert [method for method, _ in run.requests if method != "GET"] == []


def test_an_engine_that_asks_to_stop_around_a_count() -> None:
    """A count that was not sent is said not to have started, and one that was sent is not."""
    tenant = slow()
    run = Run(tenant, time=StopRequested(tenant.clock, during=1, answered=True))
    with pytest.raises(WaitInterrupted, match=r"^Stopped before licences were counted: nothing was started\.$"):
        run.operate(COUNTED, {})
    assert COUNT not in run.requests
    run = Run(tenant, time=StopRequested(tenant.clock, during=2))
    with pytest.raises(WaitInterrupted, match=r"^The wait was interrupted\.$") as caught:
        run.operate(COUNTED, {})
    assert (caught.value.asked, run.requests[-1]) == (True, COUNT)


def test_an_engine_that_asks_to_stop_meanwhile() -> None:
    """Where Graph owes the answer to a revocation the id is kept and followed by the next update; before, none is."""
    tenant = slow()
    token_id = uploaded(tenant)
    asked = {"vppTokenId": token_id}
    for early, answered in ((1, False), (2, False), (2, True)):
        run = Run(tenant, time=StopRequested(tenant.clock, during=early, answered=answered))
        with pytest.raises(WaitInterrupted, match=r"^Stopped before .*: nothing was started"):
            run.operate(REVOKED, asked)
        assert REVOKE not in run.requests
    run = Run(tenant, time=StopRequested(tenant.clock, during=3))
    kept = run.operate(REVOKED, asked)
    assert str(kept.failure) == "The wait was interrupted."
    assert (kept.id.rpartition("/")[0], run.requests[-1]) == (token_id, REVOKE)
    later = Run(tenant)
    assert later.update_operation(kept)["actionState"] == "done"
    assert REVOKE not in later.requests


def test_what_was_seen_once_is_not_forgotten() -> None:
    """A listing that lags does not make a revocation forgotten of which something was seen, when the wait ends."""

    class Forgetful(Tenant):
        lists = 0

        def list_tokens(self, **options: Any) -> Page:
            self.lists += 1
            page = super().list_tokens(**options)
            if self.lists != 3:
                return page
            return replace(page, tokens=[{**one, "tokenActionResults": []} for one in page.tokens])

    kept = interrupted(slow(Forgetful), pause=4)
    assert (kept["actionState"], kept["startDateTime"]) == ("pending", "2026-11-01T12:00:01.0000000Z")


def test_one_listing_that_lags_ends_no_wait() -> None:
    """However long it has gone on: what was seen a moment ago is not gone because one listing misses it."""

    class Forgetful(Tenant):
        lists = 0

        def list_tokens(self, **options: Any) -> Page:
            self.lists += 1
            page = super().list_tokens(**options)
            if self.lists != 12:
                return page
            return replace(page, tokens=[{**one, "tokenActionResults": []} for one in page.tokens])

    tenant = new_tenant(Forgetful, revoke_seconds=300)
    token_id = uploaded(tenant)
    kept = Run(tenant).operate(REVOKED, {"vppTokenId": token_id})
    assert (kept["actionState"], kept.failure) == ("done", None)
    assert tenant.lists > 12


def test_one_that_never_shows() -> None:
    """Each update waits for as long as it may, fails with how to revoke again, and never sends a second request."""
    tenant = slow()
    kept = interrupted(tenant)
    tenant.edit_by_hand(str(kept["vppTokenId"]), {"tokenActionResults": []})
    tenant.clock.advance(3600)
    for _ in range(2):
        run = Run(tenant)
        kept = run.update_operation(kept, timeout=timedelta(seconds=90))
        assert 90 <= sum(run.time.slept) < 120
        assert str(kept.failure) == (
            "Intune did not show the revocation of the licences of Lincoln within 90 seconds; it may not have started. "
            f"First check in Intune whether the licences were revoked. {REPLACE_IT}"
        )
        assert REVOKE not in run.requests


def test_an_older_one_is_not_taken_for_it() -> None:
    """What was there before stays distinguished after an interruption, however short before it ended."""
    tenant = slow()
    token_id = uploaded(tenant)
    Run(tenant).operate(REVOKED, {"vppTokenId": token_id})
    kept = Run(tenant, time=Interrupted(tenant.clock, 1)).operate(REVOKED, {"vppTokenId": token_id})
    shown = tenant.get(token_id)["tokenActionResults"]
    tenant.edit_by_hand(token_id, {"tokenActionResults": shown[:1]})
    assert kept["previousStartDateTimes"] == [shown[0]["startDateTime"]]
    late = Run(tenant).update_operation(kept, timeout=timedelta(seconds=10))
    assert "Intune did not show the revocation of the licences of Lincoln within 10 seconds" in str(late.failure)
    assert "actionState" not in late.outputs
    assert late["previousStartDateTimes"] == kept["previousStartDateTimes"]


def test_an_action_that_graph_does_not_know() -> None:
    """A 404 of the action is no proof that the token is gone: it fails, and nothing is kept."""
    tenant = new_tenant(WithoutRevocations)
    token_id = uploaded(tenant)
    with pytest.raises(
        GraphError, match=r"does not offer revokeLicenses at this endpoint \(404\)\. Nothing was done\."
    ):
        Run(tenant).operate(REVOKED, {"vppTokenId": token_id})
    tenant.delete(token_id)
    with pytest.raises(TokenGone):
        Run(tenant).operate(REVOKED, {"vppTokenId": token_id})


class WithoutRevocationsAndDown(WithoutRevocations):
    """A tenant that does not know the action, and fails from the request for it on."""

    down = False

    def revoke_licenses(self, token_id: str, body: Mapping[str, Any]) -> None:
        """Fail from now on."""
        self.down = True
        super().revoke_licenses(token_id, body)

    def get(self, token_id: str, **version: Any) -> Any:
        """Show the token while the tenant is up."""
        if self.down:
            raise IntuneRefusal(503, "ServiceUnavailable", "Try again later.")
        return super().get(token_id, **version)


def test_an_unknown_action_of_a_token_that_cannot_be_read() -> None:
    """Graph's own 404 for the action starts nothing: the run fails once the read has, and waits for no revocation."""
    tenant = new_tenant(WithoutRevocationsAndDown)
    run, token_id = Run(tenant), uploaded(tenant)
    with pytest.raises(GraphError, match=r"returned 404 for revokeLicenses\. Nothing was done\. .* could not be read"):
        run.operate(REVOKED, {"vppTokenId": token_id})
    assert (run.requests[-6:], sum(run.time.slept) < 30) == ([REVOKE, *[GET] * 5], True)


@pytest.mark.parametrize("asked", [{}, {"revokeUntrackedLicenses": True}])
def test_one_that_is_joined_may_be_another(asked: dict[str, Any]) -> None:
    """Where parameters are asked for, a revocation that goes on already is joined with a warning."""
    tenant = slow()
    kept = interrupted(tenant)
    run = Run(tenant)
    run.operate(REVOKED, {"vppTokenId": kept["vppTokenId"], **asked})
    warned = [one for one in run.reporter.warnings if "Intune does not show its options." in one]
    assert len(warned) == len(asked)
    assert REVOKE not in run.requests


def test_two_resources_for_one_token() -> None:
    """A program that revokes the same token's licences in two places is refused, where the door knows the places."""
    tenant = new_tenant(Tenant)
    preview, token_id = Run(tenant).assembly.preview, uploaded(tenant)
    for _ in range(2):
        assert preview.check_operation(REVOKED, {"vppTokenId": token_id}, resource="urn::first") == []
    (problem,) = preview.check_operation(REVOKED, {"vppTokenId": token_id.upper()}, resource="urn::second")
    assert problem.reason == (
        'The resource "first" already revokes the licences of this token. Remove one of the two: a '
        "second revocation would also revoke licences assigned after the first."
    )
