"""Whose tenant it is: credentials that are missing, wrong, weak or old, and states that belong elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from builders import token_inputs, vpptoken
from intune_vpp.core.errors import PermissionMissing, SettingsError, SignInRefused, WrongTenant
from run_in_process import DELETE, GET, LIST, POST, Run
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant


@pytest.fixture
def elsewhere() -> Tenant:
    """Another tenant than the one in the state."""
    return new_tenant()


def test_state_of_another_tenant_is_refused(tenant: Tenant, elsewhere: Tenant) -> None:
    """Read, Update and Delete refuse to work in another tenant than the state's, and Graph is asked nothing."""
    inputs = token_inputs(vpptoken(), deletionProtection=False)
    state = Run(tenant).create(inputs).state
    run = Run(elsewhere)
    with pytest.raises(WrongTenant) as refused:
        run.refresh(state)
    assert str(refused.value) == (
        f"Lincoln belongs to tenant {tenant.directory.tenant_id}, but the credentials belong to tenant "
        f"{elsewhere.directory.tenant_id}. Nothing was changed. Use the credentials of tenant "
        f"{tenant.directory.tenant_id}."
    )
    with pytest.raises(WrongTenant):
        run.up(state, token_inputs(vpptoken(), displayName="Monroe"))
    later = Run(elsewhere)
    with pytest.raises(WrongTenant):
        later.delete(state)
    assert (run.log, later.log) == ([], [])
    assert [one.id for one in tenant.tokens] == [state.id]


def test_tenant_is_known_by_its_domain(tenant: Tenant, elsewhere: Tenant) -> None:
    """A tenant that is configured by a domain is found by OpenID discovery, once, and is the same tenant."""
    inputs = token_inputs(vpptoken())
    state = Run(tenant, settings={"tenantId": tenant.directory.domain}).create(inputs).state
    assert state.tenant_id == tenant.directory.tenant_id
    same = Run(tenant)
    assert not same.drift(state)
    other = Run(elsewhere, settings={"tenantId": elsewhere.directory.domain})
    for _ in range(2):
        with pytest.raises(WrongTenant):
            other.refresh(state)
    assert other.requests == []
    assert len(other.log) == 1


def test_tenant_in_capitals_is_the_same(tenant: Tenant) -> None:
    """A GUID in capitals names the same tenant."""
    state = (
        Run(tenant, settings={"tenantId": tenant.directory.tenant_id.upper()}).create(token_inputs(vpptoken())).state
    )
    assert state.tenant_id == tenant.directory.tenant_id
    assert not Run(tenant).drift(state)


def test_missing_credentials_are_named(tenant: Tenant) -> None:
    """Without credentials a preview goes on, and an update fails by naming what to set, before anything is sent."""
    inputs = token_inputs(vpptoken())
    state = Run(tenant).create(inputs).state
    run = Run(tenant, settings={"tenantId": "", "clientId": "", "clientSecret": ""})
    assert run.preview(state, {**inputs, "displayName": "Monroe"})
    with pytest.raises(SettingsError) as refused:
        run.create(inputs)
    assert [name for name in ("ARM_TENANT_ID", "ARM_CLIENT_ID", "ARM_CLIENT_SECRET") if name in str(refused.value)] == [
        "ARM_TENANT_ID",
        "ARM_CLIENT_ID",
        "ARM_CLIENT_SECRET",
    ]
    assert run.log == []


def test_one_missing_credential_is_named_alone(tenant: Tenant) -> None:
    """Only what is missing is asked for."""
    run = Run(tenant, settings={"clientSecret": ""})
    with pytest.raises(SettingsError, match="ARM_CLIENT_SECRET") as refused:
        run.create(token_inputs(vpptoken()))
    assert "ARM_CLIENT_ID" not in str(refused.value)


def test_wrong_secret_is_refused(tenant: Tenant) -> None:
    """A wrong client secret is reported as that, without the secret, and nothing reaches Graph."""
    run = Run(tenant, settings={"clientSecret": "not-the-one"})
    with pytest.raises(SignInRefused) as refused:
        run.create(token_inputs(vpptoken()))
    assert "client secret is wrong" in str(refused.value)
    assert "not-the-one" not in str(refused.value)
    assert run.requests == []


def test_app_without_permission_fails_and_names_it(tenant: Tenant) -> None:
    """An app registration without permission gets an error that names the one to grant, and nothing is created."""
    run = Run(tenant, app=tenant.directory.visitor)
    with pytest.raises(PermissionMissing, match=r"DeviceManagementServiceConfig\.ReadWrite\.All, with admin consent"):
        run.create(token_inputs(vpptoken()))
    assert run.requests == [LIST]


def test_app_that_may_only_read_cannot_write(tenant: Tenant) -> None:
    """An app that may only read refreshes, and gets an error that names what it lacks when it writes."""
    state = Run(tenant).create(token_inputs(vpptoken())).state
    run = Run(tenant, app=tenant.directory.reader)
    assert not run.drift(state)
    with pytest.raises(PermissionMissing, match=r"DeviceManagementServiceConfig\.ReadWrite\.All"):
        run.create(token_inputs(vpptoken("Monroe"), displayName="Monroe"))
    assert run.requests == [GET, LIST, POST]
    assert len(tenant.tokens) == 1


def test_app_that_may_not_delete_fails(tenant: Tenant) -> None:
    """A refused deletion is an error, and the token stays."""
    state = Run(tenant).create(token_inputs(vpptoken(), deletionProtection=False)).state
    run = Run(tenant, app=tenant.directory.reader)
    with pytest.raises(PermissionMissing):
        run.delete(state)
    assert run.requests == [DELETE]
    assert len(tenant.tokens) == 1


def test_run_signs_in_once(tenant: Tenant) -> None:
    """One access token serves a run."""
    run = Run(tenant)
    for location in ("Lincoln", "Monroe"):
        run.create(token_inputs(vpptoken(location), displayName=location))
    assert run.sign_ins == 1


def test_access_token_that_ran_out_is_renewed_once(tenant: Tenant) -> None:
    """When an hour passes within a run, the refused request is sent once more with a new access token."""
    run = Run(tenant)
    run.create(token_inputs(vpptoken(), waitForSync=False))
    tenant.clock.advance(3700)
    run.create(token_inputs(vpptoken("Monroe"), displayName="Monroe", waitForSync=False))
    assert run.requests == [LIST, POST, POST, POST]
    assert [entry["status"] for entry in run.log if entry["method"] == "POST" and "vppTokens" in entry["path"]] == [
        201,
        401,
        201,
    ]
    assert run.sign_ins == 2
    assert len(tenant.tokens) == 2


def test_state_that_names_no_tenant_is_served(tenant: Tenant) -> None:
    """A state of an older version, which does not name its tenant, is read, and named by the next write."""
    text = vpptoken()
    state = replace(Run(tenant).create(token_inputs(text)).state, tenant_id="")
    run = Run(tenant)
    assert run.refresh(state) is not None
    assert run.requests == [GET]
    assert run.up(state, token_inputs(text, displayName="Monroe")).state.tenant_id == tenant.directory.tenant_id
