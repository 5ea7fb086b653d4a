"""Each kind of write with its connection cut before and after Graph acted, and reads that lag: one run settles it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from builders import NEXT_YEAR, token_inputs, vpptoken
from intune_vpp.core.errors import AdoptionRefused, GraphUnreachable
from run_in_process import DELETE, GET, LIST, PATCH, POST, REVOKE, REVOKED, SYNC, SYNCED, Run
from tenant_in_process import new_tenant, uploaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from intune_vpp_emulator.tenant import Tenant

each_moment = pytest.mark.parametrize("acted", [True, False], ids=["acted", "not acted"])
each_loss = pytest.mark.parametrize("status", [None, 500, 502, 503, 504])


class Cut(httpx.BaseTransport):
    """Loses the answer to the first requests of a kind, before or after the tenant acts; None cuts the connection."""

    def __init__(  # noqa: PLR0913 - what is lost
        self,
        inner: httpx.BaseTransport,
        method: str,
        ends: str,
        *,
        acted: bool,
        status: int | None = None,
        times: int = 1,
    ) -> None:
        self._inner = inner
        self._lost = method, ends
        self._acted = acted
        self._status = status
        self._times = times

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or lose the answer."""
        method, ends = self._lost
        if self._times == 0 or request.method != method or not request.url.path.endswith(ends):
            return self._inner.handle_request(request)
        self._times -= 1
        if self._acted:
            self._inner.handle_request(request).close()
        if self._status is None:
            raise httpx.ReadError("", request=request)
        return httpx.Response(self._status, text="<html>Bad gateway</html>")


def cutting(tenant: Tenant, method: str, ends: str, **loss: Any) -> Run:
    """A run that loses answers."""
    return Run(tenant, around=lambda inner: Cut(inner, method, ends, **loss))


@each_moment
@each_loss
def test_create(tenant: Tenant, acted: bool, status: int | None) -> None:  # noqa: FBT001 - a table
    """A create whose answer is lost is looked for: found at once, or uploaded again once no listing has shown it."""
    run = cutting(tenant, "POST", "/vppTokens", acted=acted, status=status)

    outcome = run.create(token_inputs(vpptoken(), waitForSync=False))

    assert (outcome.failure, [one.id for one in tenant.tokens]) == (None, [outcome.state.id])
    # What did not reach the tenant is not in its log.
    assert run.requests == ([LIST, POST, LIST] if acted else [LIST, *[LIST] * 5, POST])
    assert sum(run.time.slept) == (1 if acted else 30)


@pytest.mark.parametrize("lag", [1, 10, 25])
def test_create_while_listings_lag(lag: float) -> None:
    """A listing that does not show the new token yet is no reason to upload the file again."""
    tenant = new_tenant(list_lag_seconds=lag, get_lag_seconds=lag)
    run = cutting(tenant, "POST", "/vppTokens", acted=True)

    outcome = run.create(token_inputs(vpptoken(), waitForSync=False))

    assert (outcome.failure, [one.id for one in tenant.tokens]) == (None, [outcome.state.id])
    assert [one for one in run.requests if one == POST] == [POST]


class Page404(httpx.BaseTransport):
    """A proxy that answers 404 to the listings, except the first and those after `until`."""

    def __init__(self, inner: httpx.BaseTransport, until: int) -> None:
        self._inner = inner
        self._until = until
        self._listings = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        if request.method == "GET" and request.url.path.endswith("/vppTokens"):
            self._listings += 1
            if 1 < self._listings <= self._until:
                return httpx.Response(404, text="<html>Not found</html>")
        return self._inner.handle_request(request)


@pytest.mark.parametrize(("until", "found"), [(3, True), (99, False)])
def test_create_whose_listings_fail(tenant: Tenant, until: int, found: bool) -> None:  # noqa: FBT001 - a table
    """A listing that fails does not end the search; if the last one fails, the file is not uploaded again."""
    inputs = token_inputs(vpptoken(), waitForSync=False)
    run = Run(tenant, around=lambda inner: Page404(Cut(inner, "POST", "/vppTokens", acted=True), until))

    if found:
        assert run.create(inputs).state.id == tenant.tokens[0].id
    else:
        with pytest.raises(GraphUnreachable, match="The request may have been processed"):
            run.create(inputs)

    assert (len(tenant.tokens), [one for one in run.requests if one == POST]) == (1, [POST])


def test_create_that_is_lost_each_time(tenant: Tenant) -> None:
    """A file is uploaded three times at most; the next run creates the token."""
    inputs = token_inputs(vpptoken(), waitForSync=False)
    run = cutting(tenant, "POST", "/vppTokens", acted=False, times=9)

    with pytest.raises(Exception, match="did not respond"):
        run.create(inputs)

    assert tenant.tokens == []
    assert Run(tenant).create(inputs).state.id == tenant.tokens[0].id


class Afterwards(httpx.BaseTransport):
    """Loses the answer to the first upload after the tenant has acted; `then` answers what follows, if not None."""

    def __init__(self, inner: httpx.BaseTransport, then: Callable[[httpx.Request], httpx.Response | None]) -> None:
        self._inner = inner
        self._then = then
        self._lost = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or lose the answer."""
        if self._lost and (answer := self._then(request)) is not None:
            return answer
        answer = self._inner.handle_request(request)
        if self._lost or request.method != "POST" or not request.url.path.endswith("/vppTokens"):
            return answer
        self._lost = True
        answer.close()
        raise httpx.ReadError("", request=request)


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ReadError, 403, 503])
def test_create_after_which_no_listing_succeeds(tenant: Tenant, failure: type[httpx.TransportError] | int) -> None:
    """If the tokens cannot be listed after a lost create, the error is about the create, which may have worked."""

    def then(request: httpx.Request) -> httpx.Response:
        if isinstance(failure, int):
            return httpx.Response(failure, json={"error": {"code": "x", "message": "No."}})
        raise failure("", request=request)

    run = Run(tenant, around=lambda inner: Afterwards(inner, then))
    with pytest.raises(GraphUnreachable, match=r"\(uploading a file .* may have been processed") as caught:
        run.create(token_inputs(vpptoken()))

    assert "Nothing was sent" not in str(caught.value)
    assert len(tenant.tokens) == 1


@pytest.mark.parametrize("name", ["Lincoln", "York"])
def test_create_that_cannot_be_told_from_another(tenant: Tenant, name: str) -> None:
    """A refusal to adopt after a lost create does not say that nothing was created."""
    inputs = token_inputs(vpptoken(), waitForSync=False)

    def then(_: httpx.Request) -> None:
        if name == "York":
            tenant.edit_by_hand(tenant.tokens[0].id, {"displayName": name})
        elif len(tenant.tokens) == 1:
            tenant.create_by_hand({name: inputs[name] for name in ("token", "appleId", "displayName")})

    run = Run(tenant, around=lambda inner: Afterwards(inner, then))
    with pytest.raises(AdoptionRefused, match="this run may have created a token") as caught:
        run.create(inputs)

    assert "Nothing was created" not in str(caught.value)


@each_moment
@each_loss
def test_update(tenant: Tenant, acted: bool, status: int | None) -> None:  # noqa: FBT001 - a table
    """A PATCH is sent again, and leaves the token as one PATCH does."""
    before = Run(tenant).create(token_inputs(vpptoken())).state
    run = cutting(tenant, "PATCH", before.id, acted=acted, status=status)

    after = run.up(before, token_inputs(vpptoken(expires=NEXT_YEAR + timedelta(days=40)), displayName="Monroe")).state

    assert after.observed.display_name == "Monroe"
    assert [one for one in run.requests if one == PATCH] == ([PATCH, PATCH] if acted else [PATCH])


@each_moment
@each_loss
def test_delete(tenant: Tenant, acted: bool, status: int | None) -> None:  # noqa: FBT001 - a table
    """A DELETE is sent again: its 404 says that the first one worked, so nothing is listed, and no note is needed."""
    inputs = token_inputs(vpptoken(), deletionProtection=False)
    before = Run(tenant).create(inputs).state
    run = cutting(tenant, "DELETE", before.id, acted=acted, status=status)

    run.delete(before)

    assert (tenant.tokens, run.reporter.said) == ([], [])
    assert run.requests == ([DELETE, DELETE] if acted else [DELETE])


@each_moment
def test_sync(tenant: Tenant, acted: bool) -> None:  # noqa: FBT001 - a table
    """A sync is asked for again, and followed to its end."""
    token_id = uploaded(tenant)
    run = cutting(tenant, "POST", "/syncLicenses", acted=acted)

    kept = run.operate(SYNCED, {"vppTokenId": token_id})

    assert (kept.failure, kept["lastSyncStatus"]) == (None, "completed")
    assert run.requests[: 3 if acted else 2] == [GET, SYNC, SYNC][: 3 if acted else 2]


def test_revocation(tenant: Tenant) -> None:
    """A revocation is never sent twice: it is looked for in what Graph shows."""
    token_id = uploaded(tenant)
    run = cutting(tenant, "POST", "/revokeLicenses", acted=True)

    kept = run.operate(REVOKED, {"vppTokenId": token_id})

    assert kept.failure is None
    assert [one for one in run.requests if one == REVOKE] == [REVOKE]


@pytest.mark.parametrize("lag", [5, 20])
def test_new_token_that_graph_does_not_show_yet(lag: float) -> None:
    """A 404 for a new token ends no wait: its sync is followed once Graph shows it."""
    tenant = new_tenant(list_lag_seconds=lag, get_lag_seconds=lag)

    outcome = Run(tenant).create(token_inputs(vpptoken()))

    assert (outcome.failure, outcome.state.sync_pending) == (None, False)


@pytest.mark.parametrize("read", ["GET", "LIST"])
def test_stale_read_after_a_write(read: str) -> None:
    """A refresh that Graph answers from before the last write keeps what the write has returned."""
    tenant = new_tenant(get_lag_seconds=30.0 if read == "GET" else 0, list_lag_seconds=30.0 if read == "LIST" else 0)
    inputs = token_inputs(vpptoken(), waitForSync=False)
    before = Run(tenant).create(inputs).state
    tenant.clock.advance(60)
    changed = {**inputs, "displayName": "Monroe"}
    written = Run(tenant).up(before, changed).state
    tenant.clock.advance(5)

    run = Run(tenant)
    now = run.refresh(written)

    assert now is not None
    assert now.observed.display_name == "Monroe"
    kept = [one for one in run.reporter.infos if one.startswith("Microsoft Graph shows Monroe as it was before the")]
    assert len(kept) == (read == "GET")
    tenant.edit_by_hand(written.id, {"displayName": "York"})
    tenant.clock.advance(60)
    later = Run(tenant).refresh(now)
    assert later is not None
    assert later.observed.display_name == "York"
