"""A listing that does not show a revocation: the token itself is asked, and no second one is begun."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import token_inputs, vpptoken
from intune_vpp_emulator.tenant import Page, Tenant
from run_in_process import DELETE, GET, LIST, REVOKE, REVOKED, Run, interrupted
from tenant_in_process import LosesRevocationAnswers, new_tenant, slow, uploaded


class ListsWithoutResults(Tenant):
    """A tenant whose listings carry no results of actions."""

    def list_tokens(self, **options: Any) -> Page:
        """Leave them out."""
        page = super().list_tokens(**options)
        bare = [{name: value for name, value in one.items() if name != "tokenActionResults"} for one in page.tokens]
        return replace(page, tokens=bare)


class ListsWithoutResultsAndLosesAnswers(ListsWithoutResults, LosesRevocationAnswers):
    """The same, and the answer to a revocation is lost."""


@pytest.mark.parametrize("kind", [ListsWithoutResults, ListsWithoutResultsAndLosesAnswers])
def test_it_is_followed_at_its_token(kind: type[Tenant]) -> None:
    """It is done when it is done, and begun once, whether its answer came or not."""
    tenant = slow(kind)
    token_id = uploaded(tenant)
    run = Run(tenant)
    kept = run.operate(REVOKED, {"vppTokenId": token_id})
    assert (kept.failure, kept["actionState"]) == (None, "done")
    assert run.requests == [GET, REVOKE, *[LIST, GET] * len(run.time.slept)]


def test_the_token_goes_after_it() -> None:
    """A deletion sees that all licences were taken back."""
    tenant = new_tenant(ListsWithoutResults, revoke_seconds=20)
    state = Run(tenant).create(token_inputs(vpptoken(), deletionProtection=False, revokeLicensesOnDelete=True)).state
    run = Run(tenant)
    run.delete(state)
    assert run.requests == [GET, REVOKE, *[LIST, GET] * len(run.time.slept), DELETE]
    assert tenant.tokens == []


def test_a_refresh_sees_it() -> None:
    """A refresh asks the token where the listing that many share does not show it, until it has ended."""
    tenant = slow(ListsWithoutResults)
    kept = interrupted(tenant, pause=2)
    tenant.clock.advance(3600)
    run = Run(tenant)
    seen = [run.refresh_operation(kept) for _ in range(2)]
    assert [one and one["actionState"] for one in seen] == ["done", "done"]
    assert run.requests == [GET, LIST, GET]
    assert seen[0] is not None
    run.refresh_operation(seen[0])
    assert run.requests == [GET, LIST, GET]
