"""Two runs that upload the same file leave two tokens: each names which, and which to keep."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from builders import NEXT_YEAR, token_inputs, vpptoken
from intune_vpp.core.errors import DuplicateToken
from intune_vpp_emulator.tenant import Tenant
from run_in_process import GET, LIST, POST, SYNC, Run, stored
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from intune_vpp.core.vpp_token import VppTokenState


class Raced(Tenant):
    """A tenant in which another run uploads the same file while this one's POST is on its way."""

    other = ""

    def create(self, body: dict[str, Any], **options: Any) -> dict[str, Any]:  # type: ignore[override]
        """Two tokens, and the answer of the second."""
        if not self.other:
            self.other = super().create(dict(body), **options)["id"]
        return super().create(body, **options)


@pytest.fixture
def raced() -> Raced:
    """The tenant of two runs."""
    return new_tenant(Raced)


def test_a_duplicate_fails_the_create_that_made_it(raced: Raced) -> None:
    """The listing that the sync wait polls shows it: a warning has both ids and which to keep; the new id is kept."""
    run = Run(raced)
    outcome = run.create(token_inputs(vpptoken()))
    assert isinstance(outcome.failure, DuplicateToken)
    said = str(outcome.failure)
    assert f"Token {outcome.state.id}" in said
    assert f"has a duplicate in this tenant: {raced.other} (" in said
    assert f"Keep {raced.other}" in said
    assert run.requests == [LIST, POST, SYNC, LIST]
    assert outcome.state.duplicate_token_ids == (raced.other,)
    (warning,) = preview_warnings(raced, outcome.state)
    assert warning.startswith(f"Lincoln has a duplicate in the tenant (seen 2026-11-01): token {raced.other}.")


def preview_warnings(tenant: Tenant, state: VppTokenState) -> list[str]:
    """What a preview warns of, but for the state that Graph itself reports."""
    run = Run(tenant)
    run.assembly.preview.warn_of(state)
    return [one for one in run.reporter.warnings if "has a duplicate" in one]


def test_both_runs_keep_the_same_token(raced: Raced) -> None:
    """Whichever token a run made, it is advised to keep the same one: or two people would delete both."""
    mine = Run(raced).create(token_inputs(vpptoken())).state
    run = Run(raced)
    theirs = replace(mine, observed=replace(mine.observed, id=raced.other), look_for_duplicates=True)
    run.refresh(theirs)
    kept = {one.partition("Keep ")[2].split(",")[0].split(" ")[0] for one in run.reporter.warnings if "Keep " in one}
    assert kept == {raced.other}


V1 = {"graphVersion": "v1.0"}


def unseen(tenant: Tenant) -> VppTokenState:
    """A token with a duplicate that its create did not see; v1.0 does not show that Intune calls it one."""
    inputs = token_inputs(vpptoken(), waitForSync=False, displayName=None, dataSharingConsentGranted=None)
    run = Run(tenant, settings=V1)
    outcome = run.create(inputs)
    assert outcome.failure is None
    assert run.requests == [LIST, POST]
    return outcome.state


@pytest.mark.parametrize("deleted", ["the other one", "none"])
def test_the_next_refresh_reports_it_where_nothing_was_waited_for(raced: Raced, deleted: str) -> None:
    """A create that does not wait sees no listing: the first refresh makes one, later ones only while it matters."""
    state = unseen(raced)
    assert state.look_for_duplicates
    if deleted == "the other one":
        raced.delete(raced.other)
    run = Run(raced, settings=V1)
    now = run.refresh(state)
    assert now is not None
    assert run.requests == [GET, LIST]
    warned = [one for one in run.reporter.warnings if "has a duplicate in this tenant" in one]
    assert len(warned) == (deleted == "none")
    assert now.duplicate_token_ids == (() if warned == [] else (raced.other,))
    if warned:
        raced.delete(raced.other)
    later = Run(raced, settings=V1)
    healed = later.refresh(now)
    assert healed is not None
    assert healed.duplicate_token_ids == ()
    assert later.requests == ([GET, LIST] if warned else [GET])
    last = Run(raced, settings=V1)
    last.refresh(healed)
    assert last.requests == [GET]


def test_a_listing_that_fails_does_not_fail_the_refresh(raced: Raced) -> None:
    """The look for duplicates is no reason to fail a read; the next one looks again."""
    state = unseen(raced)
    run = Run(raced, settings=V1)
    run._control.post("/_emulator/faults", json=[{"method": "GET", "path": "*/vppTokens", "status": 503, "times": 9}])
    now = run.refresh(state)
    assert now is not None
    assert now.look_for_duplicates
    assert run.requests == [GET, *[LIST] * 5]


def test_a_token_of_another_file_is_no_duplicate(tenant: Tenant) -> None:
    """Tokens of other locations and other files are none, in a wait and in a refresh."""
    first = Run(tenant).create(token_inputs(vpptoken("Monroe"), displayName="Monroe")).state
    later = NEXT_YEAR + timedelta(days=3)
    second = Run(tenant).create(token_inputs(vpptoken("Adams", expires=later), displayName="Adams"))
    assert second.failure is None
    run = Run(tenant)
    for state in (first, second.state):
        now = run.refresh(state)
        assert now is not None
        assert now.duplicate_token_ids == ()
    assert run.reporter.warnings == []


def test_a_location_that_intune_calls_duplicate(tenant: Tenant) -> None:
    """A token of the same location, made from another file, is named with its id and name where Intune flags it."""
    first = Run(tenant).create(token_inputs(vpptoken())).state
    other = vpptoken(expires=NEXT_YEAR + timedelta(days=3))
    outcome = Run(tenant).create(token_inputs(other, displayName="Lincoln 2"))
    assert isinstance(outcome.failure, DuplicateToken)
    assert f'{first.id} ("Lincoln", Apple ID vpp@contoso.example)' in str(outcome.failure)
    assert f"Keep {first.id}" in str(outcome.failure)
    again = Run(tenant)
    assert isinstance(again.up(outcome.state, token_inputs(other, displayName="Lincoln 2")).failure, DuplicateToken)


def test_a_duplicate_that_was_there_before_is_a_warning(tenant: Tenant) -> None:
    """A renewal of the token that Intune syncs succeeds, and warns of its duplicate."""
    state = Run(tenant).create(token_inputs(vpptoken())).state
    Run(tenant).create(token_inputs(vpptoken(expires=NEXT_YEAR + timedelta(days=3)), displayName="Lincoln 2"))
    run = Run(tenant)
    renewed = run.up(state, token_inputs(vpptoken(expires=NEXT_YEAR + timedelta(days=9))))
    assert renewed.failure is None
    assert [one for one in run.reporter.warnings if f"Keep {state.id}" in one] != []
    assert renewed.state.duplicate_token_ids == ()


def test_what_the_state_keeps_of_it(raced: Raced) -> None:
    """The ids survive the state; a token without a duplicate has nothing of it in its record."""
    outcome = Run(raced).create(token_inputs(vpptoken()))
    assert stored(outcome.state) == outcome.state
    alone = Run(new_tenant()).create(token_inputs(vpptoken())).state
    assert (alone.duplicate_token_ids, alone.look_for_duplicates) == ((), False)
