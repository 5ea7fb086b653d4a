"""Licences taken back, once: how that ends, what a user sees of it, and what interrupts it."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

from harness import SECONDS_FOR_A_COMMAND, Tenant, emulator, kill, token_file
from project import Project, YamlProject, interrupt, traces

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

REVOKE = "POST vppTokens/{id}/revokeLicenses"
REVOKED = ["GET vppTokens/{id}", REVOKE, "GET vppTokens"]
FOREVER = ("--sync-seconds", "0", "--revoke-seconds", "3600")
AGAIN = "To revoke again, replace this resource."
INTERRUPTED = "Interrupted. Whatever was already started continues in Intune. The next pulumi up continues from there."


def test_revoked(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """Preview says what cannot be undone and sends nothing; one POST revokes, and nothing after it sends another."""
    project = each_door
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    assert project.up().ok
    token_id = project.token()["id"]
    project.declare_operation("retire", "LicenseRevocation", "lincoln", notify_managed_devices=True)
    tenant.log()
    without_credentials = {"ARM_CLIENT_ID": "", "ARM_CLIENT_SECRET": "", "ARM_TENANT_ID": ""}
    previewed = project.preview(**without_credentials)
    assert previewed.ok, previewed.text
    expected = f"Revokes all licences of Lincoln (token {token_id}). This cannot be undone."
    assert f"warning: {expected}" in previewed.text
    assert tenant.log() == []
    done = project.up()
    assert done.ok, done.text
    sent = tenant.log()
    assert tenant.shown(sent) == REVOKED
    bodies = [one["body"] for one in sent if one["path"].endswith("/revokeLicenses")]
    assert bodies == [{"notifyManagedDevices": True, "revokeUntrackedLicenses": False}]
    made, outputs = project.records()["retire"], project.outputs("retire")
    assert made["id"] == f"{token_id}/{outputs['startDateTime']}"
    assert outputs["totalLicensesCount"] > 0
    ended = {"actionName": "revokeLicenses", "actionState": "done", "actionFailureReason": "none"}
    assert outputs == {**outputs, **ended, "failedLicensesCount": 0, "vppTokenId": token_id}

    assert project.up("--expect-no-changes").ok
    project.declare_operation("retire", "LicenseRevocation", "lincoln", notify_managed_devices=False)
    changed = project.up()
    assert changed.ok, changed.text
    assert "in the state only." in changed.text
    assert tenant.log() == []
    assert project.refresh().ok
    for quiet in (project.up("--expect-no-changes"), project.refresh("--expect-no-changes")):
        assert quiet.ok, quiet.text
    assert tenant.writes() == []
    assert project.destroy().ok
    assert tenant.requests() == ["DELETE vppTokens/{id}"]


def test_failed(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A revocation that failed fails each run with its reason, cure and counts, until it is replaced by hand."""
    project = each_door
    there = tenant.upload(token_file(tmp_path), displayName="Lincoln")
    tenant.fail({"revoke": {**_FAILED, "failedLicensesCount": 7}})
    project.declare_operation("retire", "LicenseRevocation", there)
    tenant.log()
    failed = project.up()
    assert not failed.ok
    assert f"The licences of Lincoln could not be revoked (7 of 7): {_REASON}. {AGAIN}" in failed.text
    assert "Traceback" not in failed.text
    assert tenant.requests() == REVOKED
    record, outputs = project.records()["retire"], project.outputs("retire")
    assert record["id"].startswith(f"{there}/")
    assert outputs == {**outputs, **_FAILED, "failedLicensesCount": 7}

    for again in (project.up(), project.refresh(), project.up()):
        expected = f"could not be revoked (7 of 7): {_REASON}. {AGAIN}"
        # A refresh sees the name too.
        name = f"Lincoln (token {there})" if again.text.startswith("Refreshing") else f"token {there}"
        assert f"The licences of {name} {expected}" in again.text
        assert again.ok == again.text.startswith("Refreshing")
    assert tenant.requests() == ["GET vppTokens/{id}"]
    assert project.records()["retire"]["id"] == record["id"]

    replaced = project.up("--replace", record["urn"])
    assert replaced.ok, replaced.text
    assert "This cannot be undone." in replaced.text
    assert tenant.requests() == REVOKED
    assert project.outputs("retire")["actionState"] == "done"
    for quiet in (project.up("--expect-no-changes"), project.refresh("--expect-no-changes")):
        assert quiet.ok, quiet.text
    assert tenant.writes() == []


def test_failed_in_part(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A revocation that failed in part is a warning with both counts, in each run, and nothing is sent again."""
    project = each_door
    there = [tenant.upload(token_file(tmp_path, name), displayName=name) for name in ("Lincoln", "York")]
    tenant.fail(*({"revoke": {**_FAILED, "actionState": end, **_IN_PART}} for end in ("done", "failed")))
    for token_id in there:
        project.declare_operation(f"retire-{token_id}", "LicenseRevocation", token_id)
    tenant.log()
    done = project.up()
    assert done.ok, done.text
    for name in ("Lincoln", "York"):
        assert f"warning: 3 of 7 licences of {name} could not be revoked: {_REASON}." in done.text
    assert tenant.writes() == [REVOKE] * 2
    expected = [project.outputs(f"retire-{token_id}") for token_id in there]
    assert {one["actionState"] for one in expected} == {"done", "failed"}
    assert [one["failedLicensesCount"] for one in expected] == [3, 3]
    again = project.up("--expect-no-changes")
    assert again.ok, again.text
    for token_id in there:
        assert f"warning: 3 of 7 licences of token {token_id} could not be revoked: {_REASON}. {AGAIN}" in again.text
    quiet = project.refresh("--expect-no-changes")
    assert quiet.ok, quiet.text
    assert tenant.writes() == []


def test_two_of_one_token(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """Two revocations of one token are refused in preview, though one was there before, whichever comes first."""
    project = each_door
    there = tenant.upload(token_file(tmp_path), displayName="Lincoln")
    project.declare_operation("one", "LicenseRevocation", there)
    assert project.up().ok
    tenant.log()
    project.declare_operation("two", "LicenseRevocation", there.upper())
    refused = project.preview()
    assert not refused.ok
    expected = 'The resource "(one|two)" already revokes the licences|"(one|two)" and "(two|one)" revoke the licences'
    assert re.search(expected, refused.text)
    assert tenant.log() == []


def test_interrupted(tmp_path: Path, engine: dict[str, str]) -> None:
    """Ctrl-C ends the wait and keeps the revocation; the next update goes on waiting for it, without a second POST."""
    with emulator(tmp_path, *FOREVER) as tenant:
        project = YamlProject.start(tmp_path, engine, tenant)
        there = tenant.upload(token_file(tmp_path), displayName="Lincoln")
        project.declare_operation("retire", "LicenseRevocation", there)
        command = _begun(project, tenant)
        text = interrupt(command)
        kept = project.records()["retire"]
        assert kept["id"].startswith(f"{there}/"), text
        assert project.export()["deployment"].get("pending_operations") in (None, [])
        tenant.log()

        previewed = project.preview("--diff")
        assert "Continues waiting for the revocation of the licences of" in previewed.text
        assert tenant.log() == []
        project.operations["retire"]["opts"] = {"custom_timeouts": {"update": "3s"}}
        late = project.up()
        assert not late.ok
        assert "did not end within 3 seconds (it is pending). Run pulumi again to continue waiting." in late.text
        assert project.outputs("retire")["actionState"] == "pending"
        tenant.advance(3600)
        resumed = project.up()
        assert resumed.ok, resumed.text
        assert project.outputs("retire")["actionState"] == "done"
        assert project.records()["retire"]["id"] == kept["id"]
        assert tenant.writes() == []
        for quiet in (project.refresh("--expect-no-changes"), project.up("--expect-no-changes")):
            assert quiet.ok, quiet.text
        assert traces(tmp_path, *project.displayed, text) == []


def test_interrupted_while_graph_keeps_silent(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """Ctrl-C before Graph has answered the revocation keeps its id; the next update follows it to its end."""
    project = yaml_project
    there = tenant.upload(token_file(tmp_path), displayName="Lincoln")
    project.declare_operation("retire", "LicenseRevocation", there)
    tenant.fail({"method": "POST", "path": "*/revokeLicenses", "when": "after", "delay": 60})
    command = project.begin("up", "--yes", "--skip-preview")
    tenant.suffer()
    text = interrupt(command)
    assert INTERRUPTED in text
    kept = project.records()["retire"]
    assert kept["id"].startswith(f"{there}/"), text
    tenant.log()
    resumed = project.up()
    assert resumed.ok, resumed.text
    assert project.outputs("retire")["actionState"] == "done"
    assert project.records()["retire"]["id"] == kept["id"]
    assert tenant.writes() == []


def test_interrupted_on_the_dynamic_door(tmp_path: Path, engine: dict[str, str]) -> None:
    """Where Ctrl-C reaches no provider the wait goes on to its end, and that end is kept."""
    with emulator(tmp_path, *FOREVER) as tenant:
        project = Project.start(tmp_path, engine, tenant)
        there = tenant.upload(token_file(tmp_path), displayName="Lincoln")
        project.declare_operation("retire", "LicenseRevocation", there)
        command = _begun(project, tenant)
        os.kill(command.pid, signal.SIGINT)
        tenant.advance(3600)
        text, _ = command.communicate(timeout=SECONDS_FOR_A_COMMAND)
        assert command.returncode != 0
        assert project.outputs("retire")["actionState"] == "done", text
        tenant.log()
        done = project.up()
        assert done.ok, done.text
        assert tenant.requests() == []
        assert traces(tmp_path, *project.displayed, text) == []


def test_killed(tmp_path: Path, engine: dict[str, str]) -> None:
    """A run that was killed leaves no record; the next one joins the revocation that runs, without a second POST."""
    for door in (Project, YamlProject):
        folder = tmp_path / door.__name__
        folder.mkdir()
        with emulator(folder, *FOREVER) as tenant:
            project = door.start(folder, engine, tenant)
            there = tenant.upload(token_file(folder), displayName="Lincoln")
            project.declare_operation("retire", "LicenseRevocation", there)
            kill(_begun(project, tenant))
            assert "retire" not in project.records()
            tenant.log()
            # A killed engine leaves its lock.
            assert project.pulumi("cancel", "--yes").ok
            again = project.begin("up", "--yes", "--skip-preview")
            tenant.wait_for("GET vppTokens/{id}")
            tenant.advance(3600)
            text, _ = again.communicate(timeout=SECONDS_FOR_A_COMMAND)
            assert again.returncode == 0, text
            assert "that is already running" in text
            assert project.outputs("retire")["actionState"] == "done"
            assert tenant.writes() == []
            assert project.up("--expect-no-changes").ok


_FAILED = {"actionState": "failed", "actionFailureReason": "expiredVppToken", "totalLicensesCount": 7}
_IN_PART = {"failedLicensesCount": 3}
_REASON = "the token has expired (expiredVppToken). Renew it with a new content token from Apple"


def _begun(project: Project, tenant: Tenant) -> subprocess.Popen[str]:
    """An update whose revocation has begun."""
    tenant.log()
    command = project.begin("up", "--yes", "--skip-preview")
    tenant.wait_for(REVOKE)
    tenant.log()
    return command
