"""An answer that is lost, a run that is killed: no token is lost, and none is made twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from builders import token_inputs, vpptoken
from intune_vpp.core.errors import GraphUnreachable
from intune_vpp_emulator.tenant import Tenant
from run_in_process import LIST, PATCH, POST, SYNC, Run
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from collections.abc import Mapping


class KilledError(BaseException):
    """The process ends here."""


class LosesAnswers(httpx.BaseTransport):
    """Lets the tenant process the request, and then loses its answer to the first write of a method."""

    def __init__(self, inner: httpx.BaseTransport, method: str, path_ends: str, loss: BaseException) -> None:
        self._inner = inner
        self._lost = (method, path_ends)
        self._loss: BaseException | None = loss

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on."""
        response = self._inner.handle_request(request)
        method, path_ends = self._lost
        loss = self._loss
        if loss is None or request.method != method or not request.url.path.endswith(path_ends):
            return response
        self._loss = None
        response.close()
        if isinstance(loss, httpx.RequestError):
            loss.request = request
        raise loss


def losing_answers(tenant: Tenant, method: str, path_ends: str, loss: BaseException) -> Run:
    """A run that loses one answer."""
    return Run(tenant, around=lambda inner: LosesAnswers(inner, method, path_ends, loss))


def test_lost_answer_of_a_creation_is_found_again(tenant: Tenant) -> None:
    """When the answer to a POST is lost and the time is over, the run fails; the next one adopts the token."""
    inputs = token_inputs(vpptoken())
    run = losing_answers(tenant, "POST", "/vppTokens", httpx.ReadTimeout("too late"))
    with pytest.raises(GraphUnreachable, match="the next run checks before repeating it"):
        run.create(inputs, timeout=timedelta(seconds=0.5))
    assert run.requests == [LIST, POST]
    again = Run(tenant)
    state = again.create(inputs).state
    assert again.requests == [LIST, SYNC, LIST]
    assert [one.id for one in tenant.tokens] == [state.id]
    assert state.sync_pending is False
    assert again.reporter.warnings == []
    assert again.reporter.infos[1:] == [
        (
            f"Token {state.id} (Lincoln) was created from this file before, so it was adopted instead of created. If "
            "another stack manages it, remove it from one of the stacks' states. If this stack contains it twice, "
            "remove the older resource from the state: destroying it would delete the token."
        )
    ]
    assert not Run(tenant).preview(state, inputs)


def test_killed_run_is_found_again(tenant: Tenant) -> None:
    """A run that is killed between a POST and its answer leaves one token, which the next run takes over."""
    inputs = token_inputs(vpptoken())
    with pytest.raises(KilledError):
        losing_answers(tenant, "POST", "/vppTokens", KilledError()).create(inputs)
    again = Run(tenant)
    state = again.create(inputs).state
    assert again.requests == [LIST, SYNC, LIST]
    assert [one.id for one in tenant.tokens] == [state.id]


def test_run_killed_during_a_wait_is_found_again() -> None:
    """A run that is killed while it waits leaves one token; the next run joins the sync that is still going."""
    tenant = new_tenant(sync_seconds=300)
    inputs = token_inputs(vpptoken())
    with pytest.raises(KilledError):
        losing_answers(tenant, "POST", "/syncLicenses", KilledError()).create(inputs)
    again = Run(tenant)
    state = again.create(inputs).state
    assert again.requests == [LIST, *[LIST] * len(again.time.slept)]
    assert [one.id for one in tenant.tokens] == [state.id]
    assert (state.sync_pending, state.observed.last_sync_status) == (False, "completed")


def test_lost_answer_in_a_run_that_goes_on(tenant: Tenant) -> None:
    """Tried again in the same run, a creation whose answer was lost still makes no second token."""
    inputs = token_inputs(vpptoken(), waitForSync=False)
    run = losing_answers(tenant, "POST", "/vppTokens", httpx.ReadTimeout("too late"))
    with pytest.raises(GraphUnreachable):
        run.create(inputs, timeout=timedelta(seconds=0.5))
    state = run.create(inputs).state
    assert run.requests == [LIST, POST, LIST]
    assert [one.id for one in tenant.tokens] == [state.id]


def test_lost_answer_of_a_sync_keeps_the_token(tenant: Tenant) -> None:
    """When the answer to a sync is lost and the time is over, the token is kept, and the next run syncs it."""
    inputs = token_inputs(vpptoken())
    run = losing_answers(tenant, "POST", "/syncLicenses", httpx.ReadTimeout("too late"))
    outcome = run.create(inputs, timeout=timedelta(seconds=0.5))
    assert isinstance(outcome.failure, GraphUnreachable)
    assert (outcome.state.id, outcome.state.sync_pending) == (tenant.tokens[0].id, True)
    done = Run(tenant).up(outcome.state, inputs)
    assert (done.failure, done.state.sync_pending) == (None, False)


def test_lost_answer_of_a_change_is_sent_again(tenant: Tenant) -> None:
    """When the answer to a PATCH is lost and the time is over, the old state stays; the next run sends it again."""
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text)).state
    changed = token_inputs(text, displayName="Monroe")
    with pytest.raises(GraphUnreachable):
        losing_answers(tenant, "PATCH", "", httpx.ReadTimeout("too late")).up(
            state, changed, timeout=timedelta(seconds=0.5)
        )
    again = Run(tenant)
    assert again.up(state, changed).state.observed.display_name == "Monroe"
    assert again.requests == [PATCH]


def test_unanswered_list_creates_nothing(tenant: Tenant) -> None:
    """Without the LIST that precedes it there is no POST; the same run may ask again."""
    inputs = token_inputs(vpptoken(), waitForSync=False)
    run = losing_answers(tenant, "GET", "/vppTokens", KilledError())
    with pytest.raises(KilledError):
        run.create(inputs)
    assert tenant.tokens == []
    run.create(inputs)
    assert run.requests == [LIST, LIST, POST]


def test_refused_take_over_changes_nothing() -> None:
    """A take-over whose PATCH is refused fails the run and leaves the one token as it was."""

    class Fixed(Tenant):
        def patch(self, token_id: str, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
            return super().patch(token_id, {**body, "token": "garbage"}, **options)

    tenant = new_tenant(Fixed)
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text, countryOrRegion="US")).state
    run = Run(tenant)
    with pytest.raises(Exception, match="400 BadRequest"):
        run.create(token_inputs(text, countryOrRegion="GB"))
    assert run.requests == [LIST, PATCH]
    assert [one.id for one in tenant.tokens] == [state.id]
