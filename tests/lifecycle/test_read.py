"""Tokens are read: one by one GET, many at once by shared pages."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from builders import NEXT_YEAR, NOW, token_inputs, vpptoken
from intune_vpp.core import graph_json, times
from intune_vpp.core.vpp_token import TokenFile, VppTokenArgs, VppTokenState
from run_in_process import DELETE, GET, LIST, PATCH, REVOKED, SYNCED, Run, stored
from tenant_in_process import Interrupted, new_tenant

if TYPE_CHECKING:
    from intune_vpp.core.operations import Operation
    from intune_vpp_emulator.tenant import Tenant

MANY, PAGE = 250, 100


def states(tenant: Tenant, count: int) -> list[VppTokenState]:
    """Tokens with nothing managed but their names, as a state would know them."""
    found = []
    for number in range(count):
        file = vpptoken(f"Location {number}", expires=NEXT_YEAR + timedelta(minutes=number))
        members = {"token": file, "appleId": "vpp@contoso.example", "displayName": f"Token {number}"}
        observed = graph_json.token_from(tenant.create_by_hand(members))
        applied = TokenFile("sha256:" + "0" * 64, observed.expiration_date_time, observed.organization_name)
        state = VppTokenState(
            observed=observed,
            tenant_id=tenant.directory.tenant_id,
            inputs=VppTokenArgs(display_name=observed.display_name, token=applied.fingerprint, token_file=applied),
            observed_at=times.text(NOW),
            token_file=applied,
            shown_expiration=observed.expiration_date_time,
        )
        found.append(stored(state))
    return found


def test_one_token_is_one_request(tenant: Tenant) -> None:
    """A single read is one GET of that token."""
    (state,) = states(tenant, 1)
    run = Run(tenant)
    assert run.refresh(state) == state
    assert run.requests == [GET]


def test_gone_token_reads_as_gone(tenant: Tenant) -> None:
    """A token that was deleted by hand is gone, whichever way it was looked for."""
    first, second = states(tenant, 2)
    tenant.delete(first.id)
    tenant.delete(second.id)
    run = Run(tenant)
    assert run.refresh(first) is None
    # A 404 alone proves nothing, and neither does a listing alone.
    assert run.requests == [GET, LIST]
    assert run.refresh(second) is None
    # A listing from before the 404 is no witness of it.
    assert run.requests == [GET, LIST, GET, LIST]


def test_many_reads_share_pages() -> None:
    """A refresh of many tokens costs their pages and one GET."""
    tenant = new_tenant(page_size=PAGE)
    known = states(tenant, MANY)
    run = Run(tenant)
    assert [run.refresh(state) for state in known] == known
    assert run.requests == [GET, LIST, LIST, LIST]
    assert len(run.requests) <= math.ceil(MANY / PAGE) + 2


def test_many_threads_share_pages() -> None:
    """The same holds when the engine asks for all at once."""
    tenant = new_tenant(page_size=PAGE)
    known = states(tenant, MANY)
    run = Run(tenant)
    with ThreadPoolExecutor(32) as threads:
        assert list(threads.map(run.refresh, known)) == known
    assert sorted(run.requests) == sorted([GET, LIST, LIST, LIST])
    assert run.sign_ins == 1


def test_old_pages_are_read_again(tenant: Tenant) -> None:
    """A listing answers for three minutes; after that the tenant is asked once more."""
    known = states(tenant, 3)
    run = Run(tenant)
    for state in known:
        run.refresh(state)
    assert run.requests == [GET, LIST]
    tenant.edit_by_hand(known[0].id, {"displayName": "Renamed"})
    tenant.clock.advance(181)
    now = run.refresh(known[0])
    assert now is not None
    assert now.observed.display_name == "Renamed"
    # What a listing shows otherwise than the state is confirmed.
    assert run.requests == [GET, LIST, LIST, GET]


def test_write_makes_a_listing_old(tenant: Tenant) -> None:
    """A token that was written since the listing is asked for itself."""
    known = states(tenant, 2)
    run = Run(tenant)
    for state in known:
        run.refresh(state)
    changed = run.up(known[1], {"displayName": "Renamed"}).state
    now = run.refresh(changed)
    assert now is not None
    assert now.observed.display_name == "Renamed"
    assert run.requests == [GET, LIST, PATCH, GET]


def test_deleted_token_is_read_as_gone_at_once(tenant: Tenant) -> None:
    """What this run has deleted is gone for the rest of it."""
    known = states(tenant, 2)
    run = Run(tenant)
    for state in known:
        run.refresh(state)
    unprotected = Run(tenant).up(known[1], {"displayName": "Token 1", "deletionProtection": False}).state
    run.delete(unprotected)
    assert run.refresh(unprotected) is None
    assert run.requests == [GET, LIST, DELETE, GET, LIST]


@pytest.mark.parametrize("kept", ["GB", "gb"])
def test_read_keeps_the_spelling_of_the_program(tenant: Tenant, kept: str) -> None:
    """Inputs keep the user's spelling while Graph says what it said before."""
    state = Run(tenant).create(token_inputs(vpptoken(), countryOrRegion=kept)).state
    now = Run(tenant).refresh(state)
    assert now is not None
    assert now.inputs == state.inputs
    assert (now.inputs.country_or_region, now.observed.country_or_region) == (kept, "gb")


def test_read_notes_when_it_looked(tenant: Tenant) -> None:
    """The state knows when Graph was asked last."""
    (state,) = states(tenant, 1)
    tenant.clock.advance(3600)
    now = Run(tenant).refresh(state)
    assert now is not None
    assert (state.observed_at, now.observed_at) == ("2026-11-01T12:00:00Z", "2026-11-01T13:00:00Z")


@pytest.mark.parametrize("operation", [SYNCED, REVOKED])
def test_a_listing_from_before_an_operation_is_not_believed(operation: Operation) -> None:
    """A read after a sync or a revocation has started shows it, though an older listing is still fresh."""
    tenant = new_tenant(sync_seconds=60, revoke_seconds=60)
    first, second = states(tenant, 2)
    run = Run(tenant, time=Interrupted(tenant.clock))
    for state in (first, second):
        run.assembly.tokens.read(state)
    assert run.requests == [GET, LIST]
    run.operate(operation, {"vppTokenId": second.id})
    read = run.assembly.tokens.read(second)
    assert read is not None
    (shown,) = tenant.tokens[1:]
    observed = graph_json.token_from(tenant.get(shown.id))
    assert read.observed == observed
    assert observed.last_sync_status == "inProgress" or observed.token_action_results
