"""Licences are counted anew on demand, and asked for by app."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from intune_vpp.core.errors import Conflict, SettingsError, WrongTenant
from intune_vpp_emulator.tenant import Tenant
from run_in_process import COUNT, COUNTED, Run
from tenant_in_process import CONFLICT, RefusesSyncs, new_tenant, uploaded

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Graph

OF_APP = "/vppTokens/getLicensesForApp(bundleId='{}')"


def test_licences_are_counted(tenant: Tenant) -> None:
    """One POST for all tokens and nothing to wait for; its id is the tenant's."""
    token_id = uploaded(tenant)
    used = tenant.use_licenses(token_id, {})
    app = next(name for name, number in used.items() if number)
    tenant.use_licenses(token_id, {app: 0})
    run = Run(tenant)
    kept = run.operate(COUNTED, {"triggers": {"day": "monday"}})
    assert run.requests == [COUNT]
    assert (kept.id, kept.failure) == (tenant.directory.tenant_id, None)
    assert kept.outputs == {
        "triggers": {"day": "monday"},
        "tenantId": tenant.directory.tenant_id,
        "requestedDateTime": "2026-11-01T12:00:01Z",
    }
    assert run.reporter.said == [("info", "Counts the licences of all tokens.")]
    assert [one["usedLicenseCount"] for one in tenant.licenses_for_app(app)] == [0]


def test_a_trigger_counts_again(tenant: Tenant) -> None:
    """A changed trigger is one more POST; an unchanged one is none, and a refresh asks nobody."""
    kept = Run(tenant).operate(COUNTED, {"triggers": 1})
    tenant.clock.advance(60)
    run = Run(tenant)
    assert not run.plan_operation(kept, {"triggers": 1})
    assert run.refresh_operation(kept) == kept
    assert run.log == []
    again = run.update_operation(kept, {"triggers": 2})
    assert run.requests == [COUNT]
    assert (again["triggers"], again["requestedDateTime"]) == (2, "2026-11-01T12:01:00Z")
    without = Run(tenant).update_operation(again, {})
    assert (without["triggers"], without.failure) == (None, None)


def test_another_tenants_count_is_refused(tenant: Tenant) -> None:
    """With another tenant's credentials a refresh and a new count are refused."""
    kept = Run(tenant).operate(COUNTED, {"triggers": 1})
    run = Run(new_tenant())
    with pytest.raises(WrongTenant):
        run.refresh_operation(kept)
    with pytest.raises(WrongTenant):
        run.update_operation(kept, {"triggers": 2})
    assert run.requests == []


def test_a_count_that_is_refused_leaves_nothing_behind() -> None:
    """A refusal is an error, and at an update the old state stays."""
    tenant = new_tenant(RefusesSyncs)
    kept = Run(tenant).operate(COUNTED, {"triggers": 1})
    tenant.refusal = CONFLICT
    with pytest.raises(Conflict):
        Run(tenant).operate(COUNTED, {})
    with pytest.raises(Conflict):
        Run(tenant).update_operation(kept, {"triggers": 2})


def test_licences_of_an_app(tenant: Tenant) -> None:
    """One request answers the licences of each token that has the app, as they were counted last."""
    token_id = uploaded(tenant)
    used = tenant.use_licenses(token_id, {})
    app, number = next(iter(used.items()))
    run = Run(tenant)
    (found,) = run.assembly.queries.licenses_for_app(app)
    assert (found.vpp_token_id, found.used_license_count) == (token_id, number)
    assert (found.apple_id, found.organization_name) == ("vpp@contoso.example", "Contoso")
    assert found.available_license_count >= 0
    assert run.requests == [("GET", OF_APP.format(app))]
    assert run.assembly.queries.licenses_for_app("com.example.nobody") == []


@pytest.mark.parametrize(
    "bundle_id",
    [
        "it's.an'app'",
        "a/b",
        "a?b=c#d",
        "100%",
        "a b",
        "')/$metadata",
        "..",
        "'",
        "+",
        "a%2Fb",
        "a%27b",
    ],
)
def test_bundle_ids_of_every_kind(bundle_id: str) -> None:
    """Whatever stands in a bundle id, that app is asked for and no other path."""
    asked: list[str] = []

    class Asked(Tenant):
        def licenses_for_app(self, bundle_id: str) -> list[Graph]:
            asked.append(bundle_id)
            return super().licenses_for_app(bundle_id)

    assert Run(new_tenant(Asked)).assembly.queries.licenses_for_app(bundle_id) == []
    assert asked == [bundle_id]


def test_v1_does_not_have_them(tenant: Tenant) -> None:
    """Neither is asked of v1.0, which takes their names for tokens; the sentence names the cure."""
    run = Run(tenant, settings={"graphVersion": "v1.0"})
    cure = r"needs Graph's beta: set intune-vpp:graphVersion \(INTUNE_VPP_GRAPH_VERSION\) to beta\.$"
    with pytest.raises(SettingsError, match=f"^getLicensesForApp {cure}"):
        run.assembly.queries.licenses_for_app("com.example.reader")
    with pytest.raises(SettingsError, match=f"^syncLicenseCounts {cure}"):
        run.assembly.operation(COUNTED).run({}, timedelta(minutes=1))
    assert run.requests == []
