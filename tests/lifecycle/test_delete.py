"""A token is deleted, unless it is protected, gone, or another resource's by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from intune_vpp.core.errors import DeletionRefused
from tenant_in_process import DELETE, LIST, POST, Run, vpptoken, wanted

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant


def test_unprotected_token_is_deleted(tenant: Tenant) -> None:
    """Deleting is one DELETE."""
    state = Run(tenant).create(wanted(vpptoken(), deletionProtection=False)).state
    run = Run(tenant)
    run.delete(state)
    assert run.requests == [DELETE]
    assert tenant.tokens == []
    assert run.voice.said == []


@pytest.mark.parametrize("protection", [True, None])
def test_protected_token_stays(tenant: Tenant, protection: bool | None) -> None:  # noqa: FBT001 - a parameter
    """Protection, on when left out, refuses without a request and names the cure."""
    state = Run(tenant).create(wanted(vpptoken(), deletionProtection=protection)).state
    run = Run(tenant)
    with pytest.raises(DeletionRefused) as refused:
        run.delete(state)
    assert str(refused.value) == (
        "Lincoln is protected: deleting a token deletes its apps and all their assignments. "
        "Set deletionProtection to false, run an update, then delete it."
    )
    assert run.log == []


def test_protection_is_taken_off_by_an_update(tenant: Tenant) -> None:
    """The cure works: an update without a request, then the deletion."""
    text = vpptoken()
    state = Run(tenant).create(wanted(text)).state
    run = Run(tenant)
    unprotected = run.up(state, wanted(text, deletionProtection=False)).state
    assert run.requests == []
    run.delete(unprotected)
    assert run.requests == [DELETE]


def test_token_that_is_gone_is_deleted(tenant: Tenant) -> None:
    """A token that somebody deleted by hand is success, and said so."""
    state = Run(tenant).create(wanted(vpptoken(), deletionProtection=False)).state
    tenant.delete(state.id)
    run = Run(tenant)
    run.delete(state)
    assert run.requests == [DELETE]
    assert run.voice.said == [("note", "Lincoln was deleted already.")]


def test_deleted_token_is_created_anew_in_the_same_run(tenant: Tenant) -> None:
    """Deleted before its replacement is made, a token is not taken for one that is there."""
    text = vpptoken()
    inputs = wanted(text, deletionProtection=False, waitForSync=False)
    state = Run(tenant).create(inputs).state
    run = Run(tenant)
    run.create(wanted(vpptoken("Monroe"), displayName="Monroe", waitForSync=False))
    run.delete(state)
    created = run.create(inputs).state
    assert run.requests == [LIST, POST, DELETE, POST]
    assert created.id != state.id


def test_planned_and_deleted_token_is_created_anew_in_the_same_run(tenant: Tenant) -> None:
    """The same holds where the run has planned the token before it deleted it."""
    text = vpptoken()
    inputs = wanted(text, deletionProtection=False, waitForSync=False)
    state = Run(tenant).create(inputs).state
    run = Run(tenant)
    run.preview(state, inputs)
    run.delete(state)
    created = run.create(inputs).state
    assert run.requests == [DELETE, LIST, POST]
    assert created.id != state.id
