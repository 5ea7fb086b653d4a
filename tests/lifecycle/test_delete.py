"""A token is deleted, unless it is protected, gone, or another resource's by now."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from builders import NEXT_YEAR, token_inputs, vpptoken
from intune_vpp.core.errors import Cure, DeletionRefused
from run_in_process import DELETE, LIST, PATCH, POST, Run

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant


def test_unprotected_token_is_deleted(tenant: Tenant) -> None:
    """Deleting is one DELETE."""
    state = Run(tenant).create(token_inputs(vpptoken(), deletionProtection=False)).state
    run = Run(tenant)
    run.delete(state)
    assert run.requests == [DELETE]
    assert tenant.tokens == []
    assert run.reporter.said == []


@pytest.mark.parametrize("protection", [True, None])
def test_protected_token_stays(tenant: Tenant, protection: bool | None) -> None:  # noqa: FBT001 - a parameter
    """Protection, on when left out, refuses without a request and names the cure."""
    state = Run(tenant).create(token_inputs(vpptoken(), deletionProtection=protection)).state
    run = Run(tenant)
    with pytest.raises(DeletionRefused) as refused:
        run.delete(state)
    expected = (
        "Lincoln was not deleted: deletionProtection is on, because deleting a token deletes its apps and all their "
        "assignments."
    )
    assert (str(refused.value), refused.value.cure) == (expected, Cure.UNPROTECT)
    assert run.log == []


def test_protection_is_taken_off_by_an_update(tenant: Tenant) -> None:
    """The cure works: an update without a request, then the deletion."""
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text)).state
    run = Run(tenant)
    unprotected = run.up(state, token_inputs(text, deletionProtection=False)).state
    assert run.requests == []
    later = Run(tenant)
    later.delete(unprotected)
    assert later.requests == [DELETE]


def test_token_that_is_gone_is_deleted(tenant: Tenant) -> None:
    """A token that somebody deleted by hand is success, and said so."""
    state = Run(tenant).create(token_inputs(vpptoken(), deletionProtection=False)).state
    tenant.delete(state.id)
    run = Run(tenant)
    run.delete(state)
    # A 404 alone proves nothing: the listing is the second witness.
    assert run.requests == [DELETE, LIST]
    assert run.reporter.said == [("info", "Lincoln was already deleted.")]


def test_deleted_token_is_created_anew_in_the_same_run(tenant: Tenant) -> None:
    """Deleted before its replacement is made, a token is not taken for one that is there."""
    text = vpptoken()
    inputs = token_inputs(text, deletionProtection=False, waitForSync=False)
    state = Run(tenant).create(inputs).state
    run = Run(tenant)
    run.create(token_inputs(vpptoken("Monroe"), displayName="Monroe", waitForSync=False))
    run.delete(state)
    created = run.create(inputs).state
    assert run.requests == [LIST, POST, DELETE, POST]
    assert created.id != state.id


def test_token_that_the_program_still_has_is_left_alone(tenant: Tenant) -> None:
    """The old half of a replacement, whenever the engine asks for its deletion, stays without a request."""
    inputs = token_inputs(vpptoken(), deletionProtection=False)
    state = Run(tenant).create(inputs).state
    planned, named = Run(tenant), Run(tenant)
    planned.preview(state, inputs)
    named.check(inputs)
    for run in (planned, named):
        run.delete(state)
        assert run.requests == []
        assert (
            run.reporter.infos[-1]
            == f"Lincoln was not deleted: another resource of this program manages token {state.id}."
        )


def test_file_that_another_token_was_made_of_keeps_nothing(tenant: Tenant) -> None:
    """A token whose file another token of this run was renewed with is the program's no longer."""
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text, deletionProtection=False)).state
    early = vpptoken("Monroe", expires=NEXT_YEAR - timedelta(days=9))
    other = Run(tenant).create(token_inputs(early, displayName="Monroe")).state
    run = Run(tenant)
    run.up(other, token_inputs(text, displayName="Monroe", waitForSync=False))
    run.delete(state)
    # The file has moved the other token to Lincoln, so Intune calls it a duplicate, which is looked up.
    assert run.requests == [PATCH, LIST, DELETE]
    assert [one.id for one in tenant.tokens] == [other.id]


def test_replacement_becomes_an_update(tenant: Tenant) -> None:
    """Where the engine replaces what it was to update (`replaceOnChanges`), the token is updated and stays."""
    state = Run(tenant).create(token_inputs(vpptoken(), deletionProtection=False)).state
    inputs = token_inputs(vpptoken(expires=NEXT_YEAR + timedelta(days=9)), displayName="New", deletionProtection=False)
    for order in ("create first", "delete first"):
        run = Run(tenant)
        run.preview(state, inputs)
        if order == "delete first":
            run.delete(state)
        assert run.create(inputs).state.id == state.id
        run.delete(state)
        assert LIST not in run.requests[:1]
        assert DELETE not in run.requests
        assert len(tenant.tokens) == 1


def test_two_resources_of_one_token(tenant: Tenant) -> None:
    """If two resources of a state have the same token, the replacement of either one keeps it and creates none."""
    state = Run(tenant).create(token_inputs(vpptoken(), deletionProtection=False)).state
    renewed = token_inputs(vpptoken(expires=NEXT_YEAR + timedelta(days=9)), deletionProtection=False)
    run = Run(tenant)
    run.preview(state, renewed)
    run.preview(state, token_inputs(vpptoken(), displayName="Other", deletionProtection=False))

    assert run.create(renewed).state.id == state.id
    run.delete(state)
    assert POST not in run.requests
    assert [one.id for one in tenant.tokens] == [state.id]
