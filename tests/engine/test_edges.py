"""What the pages say of edges: forced replacements, another tenant, a run without credentials and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Tenant, emulator, token_file

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project


def test_the_edges(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A forced replacement with a new file uploads a second token; a rename with another display name is refused."""
    project = each_door
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln", wait_for_sync=False)
    assert project.up().ok
    tenant.log()
    project.declare(token=str(token_file(tmp_path, "second", days=350)))
    assert project.up("--replace", project.token()["urn"]).ok
    assert tenant.writes() == ["POST vppTokens", "DELETE vppTokens/{id}"]
    project.declared["renamed"] = {**project.declared.pop("lincoln"), "display_name": "Lincoln School"}
    refused = project.up()
    assert not refused.ok
    assert "with another display name or Apple ID" in refused.text
    assert tenant.writes() == []

    project.declare("renamed", display_name="Lincoln", deletion_protection=True)
    assert project.up().ok
    project.declare("renamed", token=str(token_file(tmp_path, "third", days=360)))
    assert not project.up("--replace", project.token("renamed")["urn"]).ok
    again = project.up()
    assert not again.ok
    assert "If the resource is pending deletion, remove it with pulumi state delete" in again.text
    assert tenant.writes() == ["POST vppTokens"]


def test_another_tenant_is_not_noticed_without_changes(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """An `up` without changes asks nothing, whatever tenant the credentials belong to; a refresh refuses."""
    project = each_door
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    assert project.up().ok
    tenant.log()
    with emulator(tmp_path) as other:
        quiet = project.up("--expect-no-changes", **other.environment)
        assert quiet.ok, quiet.text
        assert not project.refresh(**other.environment).ok
        assert other.requests() == tenant.requests() == []


def test_without_credentials_and_files(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A preview without either leaves tokens that exist as they are, and refuses a new one."""
    project = each_door
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    assert project.up().ok
    tenant.log()
    nobody = dict.fromkeys(("ARM_TENANT_ID", "ARM_CLIENT_ID", "ARM_CLIENT_SECRET"), "")
    project.declare(token=None)
    previewed = project.preview("--expect-no-changes", **nobody)
    assert previewed.ok, previewed.text
    project.declare("york", token=None, display_name="York")
    refused = project.preview(**nobody)
    assert not refused.ok
    assert "token is required to create a VppToken" in refused.text
    assert tenant.requests() == []
