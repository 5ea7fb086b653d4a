"""A token whose licences were to be revoked is only deleted where Graph says outright that they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from builders import token_inputs, vpptoken
from intune_vpp.core.errors import Cure, RevocationFailed
from intune_vpp_emulator.tenant import Page, Tenant
from run_in_process import DELETE, Run
from tenant_in_process import WithoutRevocations, new_tenant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.core.vpp_token import VppTokenState

ASKED: dict[str, Any] = {"deletionProtection": False, "revokeLicensesOnDelete": True}


def a_token(tenant: Tenant, **more: Any) -> VppTokenState:
    """A token whose licences are to be revoked with it."""
    return Run(tenant).create(token_inputs(vpptoken(), **ASKED, **more)).state


class Odd(Tenant):
    """A tenant that shows revocations with these members."""

    odd: Mapping[str, Any] = {}

    def list_tokens(self, **options: Any) -> Page:
        """A page in which they stand."""
        page = super().list_tokens(**options)
        for token in page.tokens:
            token["tokenActionResults"] = [{**one, **self.odd} for one in token.get("tokenActionResults") or []]
        return page


class Lagging(Tenant):
    """A tenant that shows of a revocation only what was there when it began to lag, and by id nothing at all."""

    lags: list[dict[str, Any]] | None = None

    def get(self, token_id: str, **options: Any) -> dict[str, Any]:
        """The token without its results."""
        shown = super().get(token_id, **options)
        return shown if self.lags is None else {**shown, "tokenActionResults": None}

    def list_tokens(self, **options: Any) -> Page:
        """A page with older results."""
        page = super().list_tokens(**options)
        if self.lags is not None:
            for token in page.tokens:
                token["tokenActionResults"] = self.lags
        return page


def test_an_older_one_that_went_well_is_not_taken_for_it() -> None:
    """However much Graph lags: a revocation that was in the token's last state is not taken for the new one."""
    tenant = new_tenant(Lagging)
    state = a_token(tenant)
    tenant.revoke_licenses(state.id, {"notifyManagedDevices": False})
    tenant.clock.advance(600)
    read = Run(tenant).assembly.tokens.read(state)
    assert read is not None
    tenant.lags = tenant.get(state.id)["tokenActionResults"]
    assert [one["actionState"] for one in tenant.lags] == ["done"]
    run = Run(tenant)
    with pytest.raises(RevocationFailed, match=r"^Lincoln was not deleted\. Intune did not show the revocation of"):
        run.delete(read)
    assert DELETE not in run.requests


@pytest.mark.parametrize(
    "odd",
    [
        {"failedLicensesCount": None},
        {"failedLicensesCount": "3"},
        {"failedLicensesCount": -1},
        {"failedLicensesCount": 3.0},
        {"actionFailureReason": "appleFailure"},
    ],
)
def test_what_graph_does_not_say_outright(odd: dict[str, Any]) -> None:
    """Done, but with a count or a reason that does not say that all went well: the token stays."""
    tenant = new_tenant(Odd)
    state = a_token(tenant)
    tenant.odd = odd
    run = Run(tenant)
    with pytest.raises(RevocationFailed, match="was not deleted"):
        run.delete(state)
    assert DELETE not in run.requests


def test_an_action_that_graph_does_not_know() -> None:
    """A 404 of the action does not make a token deleted that is there."""
    tenant = new_tenant(WithoutRevocations)
    state = a_token(tenant)
    run = Run(tenant)
    with pytest.raises(
        RevocationFailed, match=r"does not offer revokeLicenses at this endpoint \(404\)\. Nothing was done\."
    ) as failed:
        run.delete(state)
    assert failed.value.cure is Cure.DELETE_WITHOUT_REVOKING
    assert DELETE not in run.requests
    assert run.reporter.said == []


def test_a_token_that_the_program_adopts() -> None:
    """The old half of a forced replacement is left alone, where the program names the token to adopt."""
    tenant = new_tenant(Tenant)
    state = a_token(tenant)
    run = Run(tenant)
    run.assembly.preview.check_token({"adoptTokenId": state.id.upper(), **ASKED}, None)
    run.delete(state)
    assert run.requests == []
    assert len(tenant.tokens) == 1
