"""A listing may leave blank what a GET shows: only what a GET shows is drift."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from builders import NEXT_YEAR, token_inputs, vpptoken
from intune_vpp_emulator.members import Version
from intune_vpp_emulator.refusals import intune_bad_request
from intune_vpp_emulator.tenant import Page, Tenant
from run_in_process import GET, LIST, PATCH, POST, SYNC, Run
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from intune_vpp.core.vpp_token import VppTokenState

TAGS = ["0", "7"]
LISTED: dict[str, dict[str, Any]] = {
    "no scope tags": {"roleScopeTagIds": []},
    "scope tags that are null": {"roleScopeTagIds": None},
    "the default scope tag only": {"roleScopeTagIds": ["0"]},
    "no display name": {"displayName": None},
    "an older expiration": {"expirationDateTime": "2028-11-09T00:00:00Z"},
    "another state": {"state": "invalid"},
    "no location": {"locationName": None},
}


class Blanking(Tenant):
    """A tenant whose LIST shows some members otherwise than its GET."""

    listed: dict[str, Any]
    breaks = False

    def list_tokens(self, **options: Any) -> Page:
        """A page of them, as this tenant lists them."""
        page = super().list_tokens(**options)
        return Page([{**one, **self.listed} for one in page.tokens], page.after)

    def get(self, token_id: str, *, version: Version = Version.BETA) -> dict[str, Any]:
        """One token, or a failure."""
        if self.breaks:
            raise intune_bad_request("Not now.")
        return super().get(token_id, version=version)


def blanking(listed: dict[str, Any], **options: Any) -> Blanking:
    """A tenant whose LIST shows these members."""
    tenant = new_tenant(Blanking, **options)
    assert isinstance(tenant, Blanking)
    tenant.listed = listed
    return tenant


def made(tenant: Tenant, number: int) -> tuple[dict[str, Any], VppTokenState]:
    """A token with scope tags, and its state."""
    location = f"Location {number}"
    file = vpptoken(location, expires=NEXT_YEAR.replace(minute=number % 60, second=7))
    basis = {"displayName": location, "roleScopeTagIds": TAGS, "expectedLocationName": location, "waitForSync": False}
    inputs = token_inputs(file, **basis)
    return inputs, Run(tenant).create(inputs).state


@pytest.mark.parametrize("listed", LISTED.values(), ids=LISTED)
def test_what_only_a_listing_shows_is_no_drift(listed: dict[str, Any]) -> None:
    """What a listing shows otherwise than the state costs a GET of that token, and the GET counts, run after run."""
    tenant = blanking(listed)
    made(tenant, 1)
    inputs, state = made(tenant, 2)
    for _ in range(2):
        run = Run(tenant)
        run.assembly.tokens.read(state)
        now = run.refresh(state)
        assert now is not None
        assert run.requests == [GET, LIST, GET]
        assert (now.inputs, now.observed.role_scope_tag_ids) == (state.inputs, ("0", "7"))
        update = Run(tenant)
        state = update.up(now, inputs).state
        assert update.requests == []


def test_drift_that_a_get_shows_is_told(tenant: Tenant) -> None:
    """What somebody changed is shown by the listing and by the GET: it is drift, and is sent again."""
    made(tenant, 1)
    inputs, state = made(tenant, 2)
    tenant.edit_by_hand(state.id, {"roleScopeTagIds": ["0"]})
    run = Run(tenant)
    run.assembly.tokens.read(state)
    assert [change.property.name for change in run.drift(state).changes] == ["roleScopeTagIds"]
    assert run.requests == [GET, LIST, GET]
    now = Run(tenant).refresh(state)
    assert now is not None
    again = Run(tenant)
    again.up(now, inputs)
    assert again.bodies("PATCH") == [{"roleScopeTagIds": TAGS}]


def test_listing_that_equals_the_state_costs_no_get() -> None:
    """A refresh of many tokens costs its pages and two GETs, though nightly syncs moved dates and one token drifted."""
    count, page = 60, 25
    tenant = new_tenant(page_size=page)
    states = [made(tenant, number)[1] for number in range(count)]
    moved = {"lastSyncStatus": "failed", "lastSyncDateTime": "2026-11-02T03:00:00Z"}
    for state in states:
        tenant.edit_by_hand(state.id, {**moved, "countryOrRegion": "FR"})
    tenant.edit_by_hand(states[-1].id, {"displayName": "Renamed"})
    run = Run(tenant)
    assert [bool(run.drift(state)) for state in states] == [False] * (count - 1) + [True]
    assert sorted(run.requests) == sorted([GET, *[LIST] * math.ceil(count / page), GET])


@pytest.mark.parametrize("listed", [LISTED["no scope tags"], LISTED["no location"]], ids=["tags", "location"])
def test_wait_that_polls_such_a_listing(listed: dict[str, Any]) -> None:
    """What the polls of a wait show otherwise than Graph's answer to the write is confirmed by one GET."""
    tenant = blanking(listed)
    run = Run(tenant)
    inputs = token_inputs(vpptoken(), roleScopeTagIds=TAGS, expectedLocationName="Lincoln")
    outcome = run.create(inputs)
    assert run.requests == [LIST, POST, SYNC, LIST, GET]
    assert (outcome.failure, run.reporter.warnings) == (None, [])
    assert (outcome.state.observed.role_scope_tag_ids, outcome.state.observed.location_name) == (("0", "7"), "Lincoln")
    assert not Run(tenant).preview(outcome.state, inputs)


def test_wait_whose_confirmation_fails() -> None:
    """The write is kept where that GET fails, and the next refresh is quiet."""
    tenant = blanking(LISTED["no scope tags"])
    tenant.breaks = True
    inputs = token_inputs(vpptoken(), roleScopeTagIds=TAGS)
    outcome = Run(tenant).create(inputs)
    assert (outcome.failure, outcome.state.sync_pending) == (None, False)
    tenant.breaks = False
    assert not Run(tenant).drift(outcome.state)
    assert not Run(tenant).preview(outcome.state, inputs)


def test_import_is_no_listing() -> None:
    """All that an import makes inputs of comes from a GET."""
    tenant = blanking(LISTED["no scope tags"])
    states = [made(tenant, number)[1] for number in (1, 2)]
    run = Run(tenant)
    found = [run.assembly.tokens.find(state.id) for state in states]
    assert [one.inputs.role_scope_tag_ids for one in found] == [("0", "7")] * 2
    assert run.requests == [GET, GET]


def test_change_of_another_member_sends_no_tags() -> None:
    """After such refreshes an update sends what the program changed, and nothing else."""
    tenant = blanking(LISTED["the default scope tag only"])
    made(tenant, 1)
    inputs, state = made(tenant, 2)
    run = Run(tenant)
    run.assembly.tokens.read(state)
    now = run.refresh(state)
    assert now is not None
    update = Run(tenant)
    update.up(now, {**inputs, "displayName": "Monroe"})
    assert (update.requests, update.bodies("PATCH")) == ([PATCH], [{"displayName": "Monroe"}])
