"""A listing may leave blank what tells whose token it is: the token itself is asked before it is judged."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest

from builders import APPLE_ID, NEXT_YEAR, token_inputs, vpptoken
from intune_vpp.core.errors import AdoptionRefused, DuplicateToken, GraphUnavailable, SyncFailed
from intune_vpp_emulator.tenant import Page, Tenant
from run_in_process import GET, LIST, PATCH, POST, SYNC, Run
from tenant_in_process import new_tenant, uploaded

BLANKS: dict[str, frozenset[str]] = {
    "organization": frozenset({"organizationName"}),
    "expiration": frozenset({"expirationDateTime"}),
    "both": frozenset({"organizationName", "expirationDateTime"}),
    "Apple ID": frozenset({"appleId"}),
    "labels": frozenset({"appleId", "displayName"}),
    "location": frozenset({"locationName"}),
    "all": frozenset(
        {"organizationName", "expirationDateTime", "appleId", "displayName", "locationName", "roleScopeTagIds"}
    ),
}
each_of_blanks = pytest.mark.parametrize("blanks", BLANKS.values(), ids=BLANKS)
TAGS = ["0", "7"]


def inputs_of(text: str, **members: Any) -> dict[str, Any]:
    """The inputs of a token with scope tags, which nobody waits for."""
    return token_inputs(text, **{"roleScopeTagIds": TAGS, "waitForSync": False, **members})


@each_of_blanks
@pytest.mark.parametrize(
    "members",
    [{}, {"organizationName": "Contoso", "expectedLocationName": "Lincoln"}, {"displayName": None}],
    ids=["defaults", "organization", "no name"],
)
def test_lost_state_finds_its_token(blanks: frozenset[str], members: dict[str, Any]) -> None:
    """A program without its state adopts what it created, as a GET shows it; it uploads and patches nothing."""
    tenant = new_tenant(list_blanks=blanks)
    inputs = inputs_of(vpptoken(), **members)
    lost = Run(tenant).create(inputs).state
    run = Run(tenant)
    outcome = run.create(inputs)
    assert (outcome.state.id, outcome.failure) == (lost.id, None)
    assert run.reporter.warnings == []
    assert set(run.requests) <= {LIST, GET}
    assert outcome.state.observed == lost.observed


@each_of_blanks
def test_token_of_another_name_is_named_as_a_get_shows_it(blanks: frozenset[str]) -> None:
    """A token from the same file under another name and Apple ID is refused, with both in the sentence."""
    tenant = new_tenant(list_blanks=blanks)
    text = vpptoken()
    there = {"token": text, "displayName": "By hand", "appleId": "other@contoso.example"}
    token_id = tenant.create_by_hand(there)["id"]
    run = Run(tenant)
    with pytest.raises(AdoptionRefused) as refused:
        run.create(inputs_of(text))
    assert f'{token_id} ("By hand", Apple ID other@contoso.example)' in str(refused.value)
    assert POST not in run.requests


@each_of_blanks
def test_token_of_another_file_is_not_taken(blanks: frozenset[str]) -> None:
    """A token of another organization, or of another file of this one, is another token; each is asked at most once."""
    tenant = new_tenant(list_blanks=blanks)
    expires = NEXT_YEAR + timedelta(seconds=11)
    tenant.create_by_hand({"token": vpptoken("A", organization="Fabrikam"), "appleId": APPLE_ID})
    tenant.create_by_hand({"token": vpptoken("B", expires=expires), "appleId": APPLE_ID, "displayName": "Lincoln"})
    run = Run(tenant)
    for location in ("Lincoln", "Monroe"):
        outcome = run.create(inputs_of(vpptoken(location), displayName=location))
        assert outcome.failure is None
    assert len(tenant.tokens) == 4
    assert run.requests.count(POST) == 2
    assert run.requests.count(LIST) == 1
    assert run.requests.count(GET) <= 2


@pytest.mark.parametrize("at_once", [1, 3])
def test_many_creates_of_one_organization(at_once: int) -> None:
    """Where all expirations are blank, each token is asked once in a process, not once for each create."""
    count = 12
    tenant = new_tenant(list_blanks=frozenset({"expirationDateTime"}), page_size=5)
    for number in range(count):
        uploaded(tenant, f"Location {number}")
    run = Run(tenant)
    files = [vpptoken(f"New {number}") for number in range(3)]
    with ThreadPoolExecutor(at_once) as threads:
        made = list(threads.map(lambda text: run.create(inputs_of(text)), files))
    assert len({one.id for one in made}) == len(files)
    assert sorted(run.requests) == sorted([*[LIST] * math.ceil(count / 5), *[GET] * count, *[POST] * 3])


def test_tenant_without_blanks_costs_no_get() -> None:
    """A create in a tenant whose listing shows all members asks for no single token, whether it adopts or not."""
    tenant = new_tenant()
    inputs = inputs_of(vpptoken(), organizationName="Contoso", expectedLocationName="Lincoln")
    lost = Run(tenant).create(inputs).state
    for number in range(10):
        uploaded(tenant, f"Location {number}")
    run = Run(tenant)
    assert run.create(inputs).state.id == lost.id
    run.create(inputs_of(vpptoken("Monroe")))
    assert run.requests == [LIST, POST]


def test_deleted_token_is_not_adopted() -> None:
    """A token that was deleted after the listing is no obstacle: the file is uploaded."""

    class Deleting(Tenant):
        doomed = ""

        def get(self, token_id: str, **options: Any) -> dict[str, Any]:
            if token_id == self.doomed:
                self.doomed = ""
                self.delete(token_id)
            return super().get(token_id, **options)

    tenant = new_tenant(Deleting, list_blanks=frozenset({"expirationDateTime"}))
    inputs = inputs_of(vpptoken())
    tenant.doomed = Run(tenant).create(inputs).state.id
    run = Run(tenant)
    outcome = run.create(inputs)
    assert (outcome.failure, [one.id for one in tenant.tokens]) == (None, [outcome.state.id])
    assert run.requests == [LIST, GET, LIST, POST]


class Failing(httpx.BaseTransport):
    """A connection on which the first GET of a token fails as often as it is repeated."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self._fails = 5

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        if self._fails and request.method == "GET" and "/vppTokens/" in request.url.path:
            self._fails -= 1
            return httpx.Response(503, json={"error": {"code": "ServiceUnavailable", "message": "Not now."}})
        return self._inner.handle_request(request)


def test_get_that_fails_creates_nothing() -> None:
    """Where the token cannot be asked nothing is uploaded, and the next create of the process asks again."""
    tenant = new_tenant(list_blanks=frozenset({"organizationName"}))
    inputs = inputs_of(vpptoken())
    lost = Run(tenant).create(inputs).state
    run = Run(tenant, around=Failing)
    with pytest.raises(GraphUnavailable):
        run.create(inputs)
    assert run.create(inputs).state.id == lost.id
    assert POST not in run.requests


def test_create_whose_answer_was_lost() -> None:
    """After a create without an answer the tokens are listed, and asked, once more, and the new one is found."""

    class Losing(httpx.BaseTransport):
        def __init__(self, inner: httpx.BaseTransport) -> None:
            self._inner = inner
            self._loses = True

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = self._inner.handle_request(request)
            if self._loses and request.method == "POST" and request.url.path.endswith("/vppTokens"):
                self._loses = False
                raise httpx.ReadTimeout("", request=request)
            return answer

    tenant = new_tenant(list_blanks=frozenset({"expirationDateTime"}))
    uploaded(tenant, "Monroe")
    run = Run(tenant, around=Losing)
    inputs = inputs_of(vpptoken())
    outcome = run.create(inputs)
    assert (outcome.failure, len(tenant.tokens)) == (None, 2)
    assert run.requests == [LIST, GET, POST, LIST, GET, GET]


@each_of_blanks
def test_listing_that_blanks_what_no_input_manages(blanks: frozenset[str]) -> None:
    """A refresh keeps each member that a GET shows, also where the program does not manage it."""
    tenant = new_tenant(list_blanks=blanks)
    other = Run(tenant).create(inputs_of(vpptoken("Monroe"), displayName="Monroe")).state
    inputs = token_inputs(vpptoken(), displayName=None)
    state = Run(tenant).create(inputs).state
    run = Run(tenant)
    run.refresh(other)
    now = run.refresh(state)
    assert now is not None
    assert now.observed == run.assembly.tokens.find(state.id).observed
    assert run.requests == [GET, LIST, GET, GET]
    assert not Run(tenant).preview(now, inputs)


@each_of_blanks
def test_create_that_waits(blanks: frozenset[str]) -> None:
    """After a wait the state has what a GET shows, in one request beside the polls."""
    tenant = new_tenant(list_blanks=blanks)
    run = Run(tenant)
    outcome = run.create(token_inputs(vpptoken()))
    assert (outcome.failure, run.reporter.warnings) == (None, [])
    assert run.requests == [LIST, POST, SYNC, LIST, GET]
    shown = outcome.state.observed
    assert (shown.organization_name, shown.display_name, shown.location_name) == ("Contoso", "Lincoln", "Lincoln")
    assert (shown.expiration_date_time, shown.apple_id) == ("2027-11-01T12:00:00Z", APPLE_ID)


@each_of_blanks
def test_twin_is_found(blanks: frozenset[str]) -> None:
    """Another run uploads the same file meanwhile: the write fails with both ids, whatever the listing leaves blank."""

    class Twins(Tenant):
        twin = False

        def sync_licenses(self, token_id: str, **options: Any) -> dict[str, Any]:
            if not self.twin:
                self.twin = True
                self.create_by_hand({"token": text, "appleId": APPLE_ID, "displayName": "Lincoln"})
            return super().sync_licenses(token_id, **options)

    text = vpptoken()
    tenant = new_tenant(Twins, list_blanks=blanks)
    tenant.create_by_hand({"token": vpptoken("Monroe"), "appleId": APPLE_ID, "displayName": "Monroe"})
    outcome = Run(tenant).create(token_inputs(text))
    assert isinstance(outcome.failure, DuplicateToken)
    assert all(one.id in str(outcome.failure) for one in tenant.tokens[1:])
    assert outcome.state.duplicate_token_ids == (tenant.tokens[2].id,)


@each_of_blanks
def test_tokens_of_one_organization_are_no_twins(blanks: frozenset[str]) -> None:
    """Tokens of other locations are asked for no duplicates, and are none."""
    tenant = new_tenant(list_blanks=blanks)
    for location in ("Monroe", "Roosevelt"):
        uploaded(tenant, location)
    run = Run(tenant)
    outcome = run.create(token_inputs(vpptoken()))
    assert (outcome.failure, outcome.state.duplicate_token_ids) == (None, ())
    found = Run(tenant).refresh(outcome.state)
    assert found is not None
    assert found.duplicate_token_ids == ()


@pytest.mark.parametrize("blanks", [frozenset[str](), BLANKS["expiration"], BLANKS["all"]], ids=["none", "one", "all"])
def test_invalid_token_is_not_taken_for_an_unreadable_file(blanks: frozenset[str]) -> None:
    """A token that its sync shows as invalid, with the expiration of its file, is not uploaded in another encoding."""

    class Invalid(Tenant):
        def list_tokens(self, **options: Any) -> Page:
            for one in self.tokens:
                self.edit_by_hand(one.id, {"state": "invalid"})
            return super().list_tokens(**options)

    run = Run(new_tenant(Invalid, list_blanks=blanks))
    outcome = run.create(token_inputs(vpptoken()))
    assert isinstance(outcome.failure, SyncFailed)
    assert "invalid" in str(outcome.failure)
    assert PATCH not in run.requests
    assert outcome.state.token_file is not None
