"""A token counts as deleted only on two witnesses: Graph's own 404 for it, and a LIST without it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from builders import token_inputs, vpptoken
from intune_vpp.core.errors import GraphError, InvalidRequest, NotFound, TokenGone
from intune_vpp.core.operations import LICENSE_REVOCATION, LICENSE_SYNC
from run_in_process import DELETE, GET, LIST, PATCH, Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from intune_vpp.core.vpp_token import VppTokenState
    from intune_vpp_emulator.tenant import Tenant


def nested(message: str) -> str:
    """Intune's envelope: a document in the message."""
    document = {"_version": 3, "Message": message, "CustomApiErrorPhrase": "", "RetryAfter": None}
    return json.dumps({"error": {"code": "ResourceNotFound", "message": json.dumps(document)}})


TAGS = nested(
    "Resource does not contain a tag allowed by the current role. - Operation ID (for customer support): "
    "00000000-0000-0000-0000-000000000000 - Activity ID: 46f1c833"
)
UNPROVEN: dict[str, str] = {
    "a proxy's page": "<html><h1>404 Not Found</h1></html>",
    "nothing": "",
    "scope tags": TAGS,
    "a role": nested("The role of the caller does not include this."),
    "another code": '{"error": {"code": "UnknownError", "message": "Not found."}}',
    "no code": '{"error": {"message": "Not found."}}',
    "no envelope": '{"code": "ResourceNotFound", "message": "Not found."}',
    "a list": "[404]",
}
PLAIN = nested("An error has occurred")


def envelope(**members: object) -> str:
    """Graph's envelope with Intune's code and whatever else."""
    return json.dumps({"error": {"code": "ResourceNotFound", **members}})


UNPROVEN |= {
    "a word of several": nested("The object has no RoleScopeTagIds of the caller."),
    "words far behind": nested("An error has occurred. " * 40 + "Not tagged for the caller."),
    "words behind the support's part": nested(
        "Gone. - Operation ID (for customer support): 0 - No scope tag allows it."
    ),
    "words in another member": envelope(message="Not found.", innerError={"message": "No allowed tag."}),
    "words in an object": envelope(message={"lang": "en", "value": "No allowed tag."}),
    "a page in the envelope": envelope(message="<html><h1>404</h1></html>"),
}


class Answers(httpx.BaseTransport):
    """Answers some requests with a 404 of its own, before the tenant sees them."""

    def __init__(self, inner: httpx.BaseTransport, body: str, names: Callable[[httpx.Request], bool]) -> None:
        self._inner = inner
        self._body = body
        self._names = names

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The 404, or the tenant's answer."""
        if self._names(request):
            return httpx.Response(404, text=self._body, request=request)
        return self._inner.handle_request(request)


def names_one(request: httpx.Request) -> bool:
    """Whether a request names a token."""
    return "/vppTokens/" in request.url.path


def names_all(request: httpx.Request) -> bool:
    """Whether a request is a LIST."""
    return request.method == "GET" and request.url.path.endswith("/vppTokens")


def answering(tenant: Tenant, body: str, names: Callable[[httpx.Request], bool] = names_one, **more: Any) -> Run:
    """A run in which such requests are answered with a 404."""
    return Run(tenant, around=lambda inner: Answers(inner, body, names), **more)


def a_token(tenant: Tenant, **members: Any) -> VppTokenState:
    """A token that was created and synced."""
    return Run(tenant).create(token_inputs(vpptoken(), deletionProtection=False, **members)).state


@pytest.mark.parametrize("body", UNPROVEN.values(), ids=UNPROVEN)
def test_a_404_that_is_no_proof_changes_nothing(tenant: Tenant, body: str) -> None:
    """A read, a change, a deletion and an import that are answered with such a 404 fail, and say what it may mean."""
    state = a_token(tenant)
    changed = token_inputs(None, displayName="Other", deletionProtection=False)
    calls: list[Callable[[Run], object]] = [
        lambda run: run.refresh(state),
        lambda run: run.up(state, changed),
        lambda run: run.delete(state),
        lambda run: run.assembly.tokens.find(state.id),
        lambda run: run.create(token_inputs(None, adoptTokenId=state.id)),
        lambda run: run.operate(LICENSE_SYNC, {"vppTokenId": state.id}),
    ]
    for call in calls:
        run = answering(tenant, body)
        with pytest.raises(NotFound, match="does not prove that it was deleted, so nothing was changed") as refused:
            call(run)
        assert "scope tags" in str(refused.value)
        assert "proxy" in str(refused.value)
        assert LIST not in run.requests
    assert [one.id for one in tenant.tokens] == [state.id]


def test_a_404_of_graph_for_a_token_that_is_listed(tenant: Tenant) -> None:
    """Where a LIST has the token, Graph's own 404 is contradicted: a read and a deletion fail and change nothing."""
    state = a_token(tenant)
    calls: list[Callable[[Run], object]] = [
        lambda run: run.refresh(state),
        lambda run: run.delete(state),
    ]
    for call in calls:
        run = answering(tenant, PLAIN)
        with pytest.raises(NotFound, match=r"but still lists it\. Nothing was changed"):
            call(run)
        assert run.requests == [LIST]
    assert [one.id for one in tenant.tokens] == [state.id]


def test_a_listing_that_cannot_be_read_whole_is_no_witness(tenant: Tenant) -> None:
    """A LIST with an entry that is no token does not prove that a token is gone."""
    state = a_token(tenant)
    tenant.delete(state.id)

    class Foreign(httpx.BaseTransport):
        def __init__(self, inner: httpx.BaseTransport) -> None:
            self._inner = inner

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if names_all(request):
                return httpx.Response(200, json={"value": [{"displayName": "No id"}]}, request=request)
            return self._inner.handle_request(request)

    with pytest.raises(NotFound, match="lists an entry that cannot be read"):
        Run(tenant, around=Foreign).refresh(state)


def test_a_listing_that_is_not_found_removes_nothing(tenant: Tenant) -> None:
    """A 404 of the LIST says nothing of its tokens: neither a refresh of many nor one of a deleted token trusts it."""
    first, second = a_token(tenant), Run(tenant).create(token_inputs(vpptoken("Monroe"), displayName="Monroe")).state
    run = answering(tenant, PLAIN, names_all)
    now = run.refresh(first)
    assert now is not None
    assert now.observed == first.observed
    with pytest.raises(NotFound, match="listing the tokens: 404"):
        run.refresh(second)
    tenant.delete(first.id)
    with pytest.raises(NotFound, match="listing the tokens: 404"):
        answering(tenant, PLAIN, names_all).refresh(first)


def test_a_404_of_the_list_before_a_create_stops_it(tenant: Tenant) -> None:
    """Without a look at the tenant nothing is created."""
    run = answering(tenant, PLAIN, names_all)
    with pytest.raises(GraphError):
        run.create(token_inputs(vpptoken()))
    assert run.requests == []
    assert tenant.tokens == []


def test_a_404_during_a_wait_is_waited_out(tenant: Tenant) -> None:
    """A LIST and a GET that answer 404 while a sync is waited for do not end the wait at once, nor lose the token."""
    left = [2]

    def at_first(request: httpx.Request) -> bool:
        if not names_all(request) or not tenant.tokens or left[0] == 0:
            return False
        left[0] -= 1
        return True

    outcome = answering(tenant, PLAIN, at_first).create(token_inputs(vpptoken()))
    assert outcome.failure is None
    assert [one.id for one in tenant.tokens] == [outcome.state.id]
    assert left == [0]


def test_a_404_that_lasts_ends_a_wait_and_keeps_the_token(tenant: Tenant) -> None:
    """A wait that sees only 404 ends with that error; the id is kept, and the next update syncs again."""
    outcome = answering(tenant, TAGS, lambda request: names_all(request) and bool(tenant.tokens)).create(
        token_inputs(vpptoken())
    )
    assert isinstance(outcome.failure, NotFound)
    assert outcome.state.sync_pending
    assert [one.id for one in tenant.tokens] == [outcome.state.id]


def test_a_sync_of_a_token_that_cannot_be_seen_stays(tenant: Tenant) -> None:
    """The refresh of a LicenseSync drops its record only with its token."""
    token_id = a_token(tenant).id
    kept = Run(tenant).operate(LICENSE_SYNC, {"vppTokenId": token_id})
    with pytest.raises(NotFound):
        answering(tenant, TAGS).refresh_operation(kept)
    tenant.delete(token_id)
    assert Run(tenant).refresh_operation(kept) is None


def test_what_both_witnesses_say_is_believed(tenant: Tenant) -> None:
    """A token that was deleted by hand is gone for a read, an import and a deletion."""
    state = a_token(tenant)
    tenant.delete(state.id)
    assert Run(tenant).refresh(state) is None
    Run(tenant).delete(state)
    run = Run(tenant)
    with pytest.raises(InvalidRequest, match="There is no token"):
        run.assembly.tokens.find(state.id)
    assert run.requests == [GET, LIST]


def test_a_sync_that_is_not_found_after_an_upload_keeps_the_token(tenant: Tenant) -> None:
    """A 404 of syncLicenses after a create is reported with the new state, and the id is kept."""
    outcome = answering(
        tenant, TAGS, lambda request: request.url.path.endswith("/syncLicenses") or names_one(request)
    ).create(token_inputs(vpptoken()))
    assert isinstance(outcome.failure, NotFound)
    assert (outcome.state.id, outcome.state.sync_pending) == (tenant.tokens[0].id, True)


def test_requests_of_a_change_are_as_few_as_before(tenant: Tenant) -> None:
    """The second witness costs nothing while all is well."""
    state = a_token(tenant)
    run = Run(tenant)
    run.up(state, token_inputs(None, displayName="Other", deletionProtection=False))
    assert run.requests == [PATCH]
    later = Run(tenant)
    later.delete(state)
    assert later.requests == [DELETE]


def test_a_question_that_is_answered_with_such_a_404_fails(tenant: Tenant) -> None:
    """A function that asks for a token, an app or an app's token takes only Graph's own 404 for "there is none"."""
    state = a_token(tenant)
    app_id = next(iter(tenant.list_apps().apps))["id"]
    for names in (names_one, lambda request: "/mobileApps/" in request.url.path):
        queries = answering(tenant, TAGS, names).assembly.queries
        with pytest.raises(NotFound, match="does not prove that it was deleted"):
            queries.by_id(state.id) if names is names_one else queries.by_app(app_id)
    with pytest.raises(NotFound, match="does not prove that it was deleted"):
        answering(tenant, TAGS).assembly.queries.by_app(app_id)


def test_a_token_that_goes_before_its_revocation(tenant: Tenant) -> None:
    """A token that is deleted between the look at it and the request is reported as deleted: nothing was revoked."""
    token_id = a_token(tenant).id

    def gone(request: httpx.Request) -> bool:
        if request.url.path.endswith("/revokeLicenses"):
            tenant.delete(token_id)
            return True
        return False

    with pytest.raises(TokenGone, match=f"Token {token_id} was not found"):
        answering(tenant, PLAIN, gone).operate(LICENSE_REVOCATION, {"vppTokenId": token_id})


def test_a_listing_from_before_is_no_witness(tenant: Tenant) -> None:
    """A LIST that lacked a token before Graph answered 404 for it proves nothing: a later one is asked."""
    first, second, third = (
        Run(tenant).create(token_inputs(vpptoken(place), displayName=place)).state
        for place in ("Adams", "Monroe", "York")
    )
    answers = [0]

    class Lagging(httpx.BaseTransport):
        """The first LIST lacks the third token, and a GET of it is not found."""

        def __init__(self, inner: httpx.BaseTransport) -> None:
            self._inner = inner

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = self._inner.handle_request(request)
            response.read()
            if names_all(request):
                answers[0] += 1
                listed = response.json()["value"]
                shown = [one for one in listed if answers[0] > 1 or one["id"] != third.id]
                return httpx.Response(200, json={"value": shown}, request=request)
            if request.url.path.endswith(third.id):
                return httpx.Response(404, text=PLAIN, request=request)
            return httpx.Response(response.status_code, headers=response.headers, content=response.content)

    run = Run(tenant, around=Lagging)
    assert run.refresh(first) is not None
    assert run.refresh(second) is not None
    with pytest.raises(NotFound, match=r"but still lists it\. Nothing was changed"):
        run.refresh(third)


@pytest.mark.parametrize("token_id", ["", ".", "..", "x" * 1001])
def test_an_id_that_is_none_drops_no_record(tenant: Tenant, token_id: str) -> None:
    """A record whose id was edited is an error: nothing was asked, so nothing is proven."""
    state = a_token(tenant)
    with pytest.raises(NotFound, match=r"^\".*\" cannot be an id in Microsoft Graph\. Nothing was sent\.$"):
        Run(tenant).refresh(replace(state, observed=replace(state.observed, id=token_id)))


def test_an_action_that_a_scope_tag_forbids_says_so(tenant: Tenant) -> None:
    """A 404 of an action with Intune's words about tags is not taken for an action that Graph does not know."""
    token_id = a_token(tenant).id
    run = answering(tenant, TAGS, lambda request: request.url.path.endswith("/syncLicenses"))
    with pytest.raises(NotFound, match="Check the scope tags"):
        run.operate(LICENSE_SYNC, {"vppTokenId": token_id})
