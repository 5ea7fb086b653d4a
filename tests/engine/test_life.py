"""The life of one token under the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import Tenant, token_file

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project

CREATED = ["GET vppTokens", "POST vppTokens", "POST vppTokens/{id}/syncLicenses"]
RENEWED = ["PATCH vppTokens/{id}", "POST vppTokens/{id}/syncLicenses"]


def test_create_change_renew_destroy(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """One id lives through creation, a quiet run, a change, a renewal and its end, each with the fewest requests."""
    project.declare(token=str(token_file(tmp_path, "first")), display_name="Lincoln", country_or_region="GB")
    assert project.up().ok
    assert tenant.requests() == CREATED
    created = project.token()
    for again in (project.up("--expect-no-changes"), project.refresh("--expect-no-changes"), project.up()):
        assert again.ok, again.text
    # The sync ended at once, so that no listing was seen since the create: the first refresh asks for one.
    assert tenant.requests() == ["GET vppTokens/{id}", "GET vppTokens"]

    project.declare(organization_name="Contoso Schools", display_name="Lincoln School", wait_for_sync=True)
    assert project.up().ok
    sent = tenant.log()
    assert [(one["method"], one["body"]) for one in sent if one["path"].startswith("/beta")] == [
        ("PATCH", {"displayName": "Lincoln School", "organizationName": "Contoso Schools"})
    ]

    project.declare(token=str(token_file(tmp_path, "second", days=360, organization="Contoso Schools")))
    renewed = project.up()
    assert "Renews Lincoln School in place" in renewed.text
    assert tenant.requests() == RENEWED
    assert project.token()["id"] == created["id"]
    assert project.outputs()["expirationDateTime"] > created["outputs"]["expirationDateTime"]

    assert project.destroy().ok
    assert tenant.requests() == ["DELETE vppTokens/{id}"]
    assert project.tokens() == {}


def test_everything_can_be_read_back(project: Project, tmp_path: Path) -> None:
    """All members of Graph's token are in the outputs, `token` as its fingerprint, and the record stays small."""
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln", role_scope_tag_ids=["0"])
    assert project.up().ok
    outputs = project.outputs()
    ten = {
        "organizationName": "Contoso",
        "vppTokenAccountType": "business",
        "appleId": "apps@contoso.example",
        "state": "valid",
        "lastSyncStatus": "completed",
    }
    assert {name: outputs[name] for name in ten} == ten
    for timestamp in ("expirationDateTime", "lastSyncDateTime", "lastModifiedDateTime"):
        assert outputs[timestamp].endswith("Z")
    assert outputs["token"] == outputs["tokenFile"]["fingerprint"]
    assert outputs["tokenFile"]["expirationDateTime"] == outputs["expirationDateTime"]
    assert len(outputs["token"]) == len("sha256:") + 64
    assert outputs["locationName"] == "Lincoln"


@pytest.mark.parametrize("status", ["none", "inProgress", "completed", "failed"])
def test_each_sync_status_is_read_back(project: Project, tenant: Tenant, tmp_path: Path, status: str) -> None:
    """`lastSyncStatus` shows each of its members after a refresh."""
    project.declare(token=str(token_file(tmp_path)), wait_for_sync=False)
    assert project.up().ok
    tenant.edit(project.token()["id"], lastSyncStatus=status)
    refreshed = project.refresh()
    assert project.outputs()["lastSyncStatus"] == status
    assert ("The last licence sync of" in refreshed.text) == (status == "failed")


def test_drift_is_shown_and_put_right(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """What was edited by hand shows in refresh; the next update sends that member and no other."""
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln", country_or_region="GB")
    assert project.up().ok
    tenant.edit(project.token()["id"], displayName="By hand", automaticallyUpdateApps=True)
    tenant.log()
    shown = project.refresh("--diff")
    assert "By hand was changed outside of Pulumi: display_name" in shown.text
    assert project.up("--diff").ok
    sent = [one["body"] for one in tenant.log() if one["method"] == "PATCH"]
    assert sent == [{"displayName": "Lincoln"}]


def test_renewed_in_the_portal(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A renewal by hand shows once; the older file is then refused, and the very file that was uploaded is quiet."""
    project.declare(token=str(token_file(tmp_path, "first")), display_name="Lincoln")
    assert project.up().ok
    second = token_file(tmp_path, "second", days=350)
    tenant.edit(project.token()["id"], token=second.read_text())
    tenant._call("POST", "clock", {"advanceSeconds": 60})
    tenant.log()
    assert "was renewed outside of Pulumi" in project.refresh().text
    assert project.refresh("--expect-no-changes").ok
    refused = project.preview()
    assert not refused.ok
    assert "was renewed elsewhere" in refused.text
    project.declare(token=str(second))
    assert project.up("--expect-no-changes").ok
    assert tenant.writes() == []


def test_gone_in_the_portal(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A token deleted by hand is gone after refresh and created again by the next update."""
    project.declare(token=str(token_file(tmp_path)))
    assert project.up().ok
    tenant.delete(project.token()["id"])
    assert project.refresh().ok
    assert project.tokens() == {}
    tenant.log()
    assert project.up().ok
    assert tenant.requests() == CREATED


def test_protection(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A protected token survives destroy without a request, and the sentence names the cure."""
    project.declare(token=str(token_file(tmp_path)), deletion_protection=True)
    assert project.up().ok
    tenant.log()
    refused = project.destroy()
    assert not refused.ok
    assert "Set deletion_protection to false" in refused.text
    assert tenant.requests() == []
    project.declare(deletion_protection=False)
    assert project.up().ok
    assert tenant.requests() == []
    assert project.destroy().ok


def test_near_its_end(project: Project, tmp_path: Path) -> None:
    """Preview warns of a token that expires within the days configured, and its exit status stays that of success."""
    project.declare(token=str(token_file(tmp_path, days=40)))
    assert project.up().ok
    assert "expires in" not in project.preview().text
    warned = project.preview("--expect-no-changes", INTUNE_VPP_EXPIRY_WARNING_DAYS="45")
    assert "expires in 39 days" in warned.text
    assert warned.ok


def test_bad_states_are_reported(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """Each state in which a token does not work is reported in refresh and in the next preview, with its cure."""
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    assert project.up().ok
    for state in ("invalid", "expired", "assignedToExternalMDM", "duplicateLocationId", "somethingNew"):
        tenant.edit(project.token()["id"], state=state)
        shown = project.refresh().text + project.preview().text
        assert project.outputs()["state"] == state
        assert shown.count(f"Lincoln is {state} in Intune") == (0 if state == "somethingNew" else 4)
