"""A tenant that outlives its process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from emulator.fake_tenant import (
    a_body,
    a_client,
    a_file,
    a_tenant,
    fail_next_sync,
    script_next_revocation,
    synced,
)
from intune_vpp_emulator.state_file import UnusableStateError, keep, restore, write_private

if TYPE_CHECKING:
    from pathlib import Path

    from intune_vpp_emulator.tenant import Tenant


def restored(path: Path) -> Tenant:
    """A new tenant made the date in the file."""
    tenant = a_tenant()
    restore(tenant, path)
    return tenant


def test_everything_comes_back(tmp_path: Path) -> None:
    """Identity, clock, tokens, a running sync and a lagging renewal survive; the next token gets a new number."""
    path = tmp_path / "state.json"
    before = a_tenant(sync_seconds=60, renewal_lag_seconds=600)
    keep(before, path)
    made = before.create(a_body(displayName="Büro"))["id"]
    a_client(before).post("/_emulator/clock", json={"advanceSeconds": 3600})
    before.patch(made, {"token": a_file(days=365)})
    before.sync_licenses(made)

    after = restored(path)

    assert after.directory == before.directory
    assert after.tokens == before.tokens
    assert after.clock.now() == before.clock.now()
    for tenant in (before, after):
        tenant.clock.advance(60)
    assert after.get(made) == before.get(made)
    after.create(a_body("Denver"))
    assert [one.number for one in after.tokens] == [1, 2]


def test_apps_and_a_doomed_sync_come_back(tmp_path: Path) -> None:
    """The apps of a token survive with their dates, and a sync that was started to fail still fails."""
    path = tmp_path / "state.json"
    before = a_tenant(sync_seconds=60)
    keep(before, path)
    made = before.create(a_body())["id"]
    before.sync_licenses(made)
    before.clock.advance(60)
    fail_next_sync(before)
    before.sync_licenses(made)

    after = restored(path)

    assert after.tokens == before.tokens
    assert after.list_apps() == before.list_apps()
    assert len(after.list_apps().apps) in {2, 3}
    after.clock.advance(60)
    assert after.get(made)["lastSyncStatus"] == "failed"


def test_a_file_from_before_there_were_apps_is_taken(tmp_path: Path) -> None:
    """A file that knows nothing of apps makes tokens that have none until they sync."""
    path = tmp_path / "state.json"
    before = a_tenant()
    keep(before, path)
    before.create(a_body())
    document = json.loads(path.read_text())
    for name in ("imported", "sync_fails", "revocations"):
        del document["vppTokens"][0][name]
    path.write_text(json.dumps(document))

    assert restored(path).tokens == before.tokens


def test_a_file_from_before_there_were_licenses_is_taken(tmp_path: Path) -> None:
    """Apps in a file that knows nothing of their licences have as many in use as after a first sync."""
    path = tmp_path / "state.json"
    before = a_tenant(sync_seconds=0)
    keep(before, path)
    synced(before)
    before.sync_license_counts()
    document = json.loads(path.read_text())
    for name in ("used", "counted"):
        del document["vppTokens"][0]["imported"][name]
    path.write_text(json.dumps(document))

    assert restored(path).tokens == before.tokens


def test_actions_and_licenses_come_back(tmp_path: Path) -> None:
    """Results, a revocation that runs and what it is to end with survive, and so do licences used but not counted."""
    path = tmp_path / "state.json"
    before = a_tenant(sync_seconds=0, revoke_seconds=60)
    keep(before, path)
    made = synced(before)
    before.revoke_licenses(made, {"notifyManagedDevices": True})
    before.clock.advance(60)
    app = before.list_apps().apps[0]["bundleId"]
    before.use_licenses(made, {app: 5})
    script_next_revocation(before, actionState="failed", actionFailureReason="internalError", failedLicensesCount=2)
    before.revoke_licenses(made, {"notifyManagedDevices": True})

    after = restored(path)

    assert after.tokens == before.tokens
    for tenant in (before, after):
        tenant.clock.advance(60)
    assert after.get(made) == before.get(made)
    assert [one["actionState"] for one in after.get(made)["tokenActionResults"]] == ["done", "failed"]
    assert after.use_licenses(made, {}) == before.use_licenses(made, {}) == {**after.use_licenses(made, {}), app: 2}


def test_every_change_is_kept(tmp_path: Path) -> None:
    """Create, patch, sync, edit, revoke and delete are in the file when they are answered."""
    path = tmp_path / "state.json"
    tenant = a_tenant()
    keep(tenant, path)

    made = tenant.create(a_body())["id"]
    for act in (
        lambda: tenant.patch(made, {"displayName": "Books"}),
        lambda: tenant.sync_licenses(made),
        lambda: tenant.edit_by_hand(made, {"state": "invalid"}),
        lambda: tenant.revoke_licenses(made, {"notifyManagedDevices": False}),
        tenant.sync_license_counts,
        lambda: tenant.delete(made),
    ):
        act()
        assert restored(path).tokens == tenant.tokens


def test_the_file_is_private_and_holds_no_stoken(tmp_path: Path) -> None:
    """The file belongs to its owner alone and does not hold the text of a token file."""
    path = tmp_path / "state.json"
    tenant, text = a_tenant(), a_file()
    keep(tenant, path)
    tenant.create(a_body(token=text))

    assert path.stat().st_mode & 0o777 == 0o600
    assert text[40:80] not in path.read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["state.json"]


def test_no_file_is_no_state(tmp_path: Path) -> None:
    """Where nothing was kept, the tenant stays as fresh as it is."""
    tenant = a_tenant()
    before = tenant.directory
    restore(tenant, tmp_path / "state.json")

    assert tenant.directory == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"directory": {}}', '{"directory": 1}', "\0"])
def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path, text: str) -> None:
    """A file of another kind is refused in one sentence that names it."""
    path = tmp_path / "state.json"
    path.write_text(text)

    with pytest.raises(UnusableStateError, match=r"state\.json is not a state file"):
        restored(path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """When the new text cannot be put in place, the old one stays and nothing is left lying about."""
    path = tmp_path / "state.json"
    write_private(path, json.dumps(1))
    with pytest.raises(UnicodeEncodeError):
        write_private(path, "\ud800")

    assert path.read_text() == "1"
    assert len(list(tmp_path.iterdir())) == 1
