"""Licences synced and counted on demand, and reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Tenant, emulator, token_file
from project import Project, YamlProject, traces

if TYPE_CHECKING:
    from pathlib import Path

SYNC = "POST vppTokens/{id}/syncLicenses"
SYNCED = ["GET vppTokens/{id}", SYNC]
COUNT = "POST vppTokens/syncLicenseCounts"
WITHOUT_CREDENTIALS = {"ARM_CLIENT_ID": "", "ARM_CLIENT_SECRET": "", "ARM_TENANT_ID": ""}


def test_synced_on_demand(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A sync runs at create and where its triggers change, and nothing else sends one."""
    project = each_door
    there = tenant.upload(token_file(tmp_path), displayName="Lincoln")
    tenant.log()
    for triggers in (["monday", {"build": 1}], ["tuesday", {"build": 2}]):
        project.declare_operation("nightly", "LicenseSync", there, triggers=triggers)
        previewed = project.preview("--diff", **WITHOUT_CREDENTIALS)
        assert f"Syncs the licences of token {there}" in previewed.text
        assert tenant.log() == []
        done = project.up()
        assert done.ok, done.text
        assert tenant.requests() == SYNCED
        outputs, wanted = project.outputs("nightly"), {"state": "valid", "lastSyncStatus": "completed"}
        assert outputs == {**outputs, **wanted, "triggers": triggers, "syncPending": False}
        assert project.records()["nightly"]["id"] == there
        assert project.up("--expect-no-changes").ok
        assert tenant.log() == []
    project.operations["nightly"]["wait_for_sync"] = False
    changed = project.up()
    note = f"Changes waitForSync of the LicenseSync of token {there} in the state only."
    assert note in changed.text.replace("wait_for_sync", "waitForSync")
    assert tenant.log() == []
    assert project.refresh("--expect-no-changes").ok
    assert tenant.requests() == ["GET vppTokens/{id}"]
    assert project.destroy().ok
    assert tenant.log() == []


def test_a_failed_sync_is_tried_again(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A sync that fails fails the run where the door can without losing the id, else is a warning; the next retries."""
    project = each_door
    there = tenant.upload(token_file(tmp_path), displayName="Lincoln")
    project.declare_operation("nightly", "LicenseSync", there)
    tenant.fail({"sync": "failed", "times": 1})
    tenant.log()
    failed = project.up()
    assert failed.ok == (not isinstance(project, YamlProject))
    assert "The licence sync of Lincoln failed." in failed.text
    assert tenant.requests() == SYNCED
    assert project.records()["nightly"]["id"] == there
    assert project.outputs("nightly")["syncPending"] is True
    assert project.refresh().ok
    tenant.log()
    again = project.up()
    assert again.ok, again.text
    assert tenant.requests() == SYNCED
    assert project.outputs("nightly")["syncPending"] is False
    assert project.up("--expect-no-changes").ok
    assert tenant.log() == []


def test_a_running_sync_is_joined(tmp_path: Path, engine: dict[str, str]) -> None:
    """A sync that Intune is about to already is waited for, without a second one."""
    for door in (Project, YamlProject):
        folder = tmp_path / door.__name__
        folder.mkdir()
        with emulator(folder, "--sync-seconds", "3600") as tenant:
            project = door.start(folder, engine, tenant)
            there = tenant.upload(token_file(folder), displayName="Lincoln")
            project.declare_operation("begun", "LicenseSync", there, wait_for_sync=False)
            tenant.log()
            assert project.up().ok
            assert tenant.requests() == SYNCED
            assert project.outputs("begun")["lastSyncStatus"] == "inProgress"
            project.declare_operation("joining", "LicenseSync", there)
            command = project.begin("up", "--yes", "--skip-preview")
            tenant.wait_for("GET vppTokens/{id}")
            tenant.advance(3600)
            text, _ = command.communicate(timeout=60)
            assert command.returncode == 0, text
            assert project.outputs("joining")["lastSyncStatus"] == "completed"
            assert tenant.writes() == []
            assert traces(folder, *project.displayed, text) == []


def test_counted_on_demand(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """All tokens are counted with one request, at create and where the triggers change."""
    project = each_door
    token_file(tmp_path)
    for day in (1, 2):
        project.declare_operation("count", "LicenseCountSync", triggers={"day": day})
        previewed = project.preview(**WITHOUT_CREDENTIALS)
        assert "Counts the licences of all tokens" in previewed.text
        assert tenant.log() == []
        done = project.up()
        assert done.ok, done.text
        assert tenant.requests() == [COUNT]
        for quiet in (project.up("--expect-no-changes"), project.refresh("--expect-no-changes")):
            assert quiet.ok, quiet.text
        assert tenant.requests() == []
    assert project.records()["count"]["id"] == tenant.environment["ARM_TENANT_ID"]
    assert project.destroy().ok
    assert tenant.requests() == []


def test_a_report_of_licenses(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """What an app has in use and to spare, by token, is an output of the stack, for one request; v1.0 has no such."""
    project = yaml_project
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    assert project.up().ok
    token_id = project.token()["id"]
    bundle_id = next(iter(tenant.licenses(token_id)))
    tenant.licenses(token_id, **{bundle_id: 5})
    project.declare_operation("count", "LicenseCountSync")
    assert project.up().ok
    report = {"function": "intune-vpp:getLicensesForApp", "arguments": {"bundleId": bundle_id}}
    project.more = {
        "variables": {"report": {"fn::invoke": report}},
        "outputs": {"licenses": "${report.licenses}"},
    }
    tenant.log()
    done = project.up()
    assert done.ok, done.text
    assert tenant.requests() == [f"GET vppTokens/getLicensesForApp(bundleId='{bundle_id}')"]
    (shown,) = project.stack_outputs()["licenses"]
    about = {"appleId": "apps@contoso.example", "organizationName": "Contoso", "vppTokenId": token_id}
    assert shown == {**shown, **about, "usedLicenseCount": 5}
    assert shown["availableLicenseCount"] > 0
    project.operations.clear()
    project.declared.clear()
    refused = project.preview(INTUNE_VPP_GRAPH_VERSION="v1.0")
    assert not refused.ok
    assert "getLicensesForApp needs Graph's beta:" in refused.text
    assert tenant.requests() == []
