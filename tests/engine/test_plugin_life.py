"""The life of one token through the plugin, from a program in YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Tenant, token_file

if TYPE_CHECKING:
    from pathlib import Path

    from project import YamlProject

CREATED = ["GET vppTokens", "POST vppTokens", "POST vppTokens/{id}/syncLicenses"]
RENEWED = ["PATCH vppTokens/{id}", "POST vppTokens/{id}/syncLicenses"]


def test_create_change_renew_destroy(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """One id lives through creation, quiet runs, a change, a renewal and its end, each with the fewest requests."""
    project = yaml_project
    project.declare(token=str(token_file(tmp_path, "first")), display_name="Lincoln", country_or_region="GB")
    without_credentials = {"ARM_CLIENT_ID": "", "ARM_CLIENT_SECRET": "", "ARM_TENANT_ID": ""}
    previewed = project.preview(**without_credentials)
    assert previewed.ok, previewed.text
    assert tenant.log() == []
    done = project.up()
    assert done.ok, done.text
    assert tenant.requests() == CREATED
    created = project.token()
    for again in (project.up("--expect-no-changes"), project.refresh("--expect-no-changes")):
        assert again.ok, again.text
    # The sync ended at once, so that no listing was seen since the create: the first refresh asks for one.
    assert tenant.requests() == ["GET vppTokens/{id}", "GET vppTokens"]

    project.declare(organization_name="Contoso Schools", display_name="Lincoln School", wait_for_sync=True)
    changed = project.up("--diff")
    assert '~ displayName     : "Lincoln" => "Lincoln School"' in changed.text, changed.text
    sent = tenant.log()
    assert [(one["method"], one["body"]) for one in sent if one["path"].startswith("/beta")] == [
        ("PATCH", {"displayName": "Lincoln School", "organizationName": "Contoso Schools"})
    ]

    project.declare(token=str(token_file(tmp_path, "second", days=360, organization="Contoso Schools")))
    previewed = project.preview("--diff")
    for shown in (previewed, project.up("--diff")):
        assert "Renews Lincoln School in place" in shown.text
        assert '~ token    : "sha256:' in shown.text
        assert "~ expirationDateTime: " in shown.text
    assert tenant.requests() == RENEWED
    assert project.token()["id"] == created["id"]
    assert project.outputs()["expirationDateTime"] > created["outputs"]["expirationDateTime"]

    project.declare(deletion_protection=None)
    assert project.up().ok
    assert "Set deletionProtection to false" in project.destroy().text
    project.declare(deletion_protection=False)
    assert project.up().ok
    assert tenant.requests() == []
    assert project.destroy().ok
    assert tenant.requests() == ["DELETE vppTokens/{id}"]
    assert project.tokens() == {}


def test_what_others_do_in_the_portal(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """Edits are shown and put right, a renewal is taken as it is, a deletion leads to a new token."""
    project = yaml_project
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln", country_or_region="GB")
    assert project.up().ok
    tenant.edit(project.token()["id"], displayName="By hand", automaticallyUpdateApps=True)
    tenant.log()
    shown = project.refresh("--diff")
    assert "By hand was changed outside of Pulumi: displayName" in shown.text
    restored = project.up("--diff")
    assert '~ displayName: "By hand" => "Lincoln"' in restored.text, restored.text
    assert [one["body"] for one in tenant.log() if one["method"] == "PATCH"] == [{"displayName": "Lincoln"}]

    second = token_file(tmp_path, "second", days=350)
    tenant.edit(project.token()["id"], token=second.read_text())
    tenant.advance(60)
    tenant.log()
    assert "was renewed outside of Pulumi" in project.refresh().text
    assert project.refresh("--expect-no-changes").ok
    refused = project.preview()
    assert "was renewed elsewhere" in refused.text
    assert not refused.ok
    project.declare(token=str(second))
    assert project.up("--expect-no-changes").ok
    assert tenant.writes() == []

    tenant.edit(project.token()["id"], state="invalid")
    assert "Lincoln is invalid in Intune" in project.refresh().text
    tenant.delete(project.token()["id"])
    assert project.refresh().ok
    assert project.tokens() == {}
    tenant.log()
    assert project.up().ok
    assert tenant.requests() == CREATED


def test_engine_options(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """`ignoreChanges`, `protect`, `--target`, `--replace`, a taint and `retainOnDelete` do what Pulumi says they do."""
    project = yaml_project
    project.declare(token=str(token_file(tmp_path, "first")), display_name="Lincoln")
    assert project.up().ok
    record = project.token()
    tenant.log()
    project.declare(
        token=str(token_file(tmp_path, "second", days=350)), display_name="Other", opts={"ignore_changes": ["token"]}
    )
    ignored = project.up()
    assert ignored.ok, ignored.text
    assert [sorted(one["body"]) for one in tenant.log() if one["method"] == "PATCH"] == [["displayName"]]
    assert project.up("--expect-no-changes").ok

    project.declare(display_name="Targeted", opts={"protect": True, "retain_on_delete": True})
    project.declare("second", token=str(token_file(tmp_path, "third", location="Elsewhere")), display_name="Second")
    targeted = project.up("--target", record["urn"])
    assert targeted.ok, targeted.text
    assert set(project.tokens()) == {"lincoln"}
    assert not project.destroy().ok
    project.declare(opts={"retain_on_delete": False}, deletion_protection=True)
    tenant.log()
    replaced = project.up("--replace", record["urn"], "--target", record["urn"])
    assert replaced.ok, replaced.text
    assert "so it was adopted instead of created" in replaced.text
    assert project.pulumi("state", "taint", record["urn"]).ok
    assert project.up("--target", record["urn"]).ok
    assert project.token()["id"] == record["id"]
    project.declare(opts={"retain_on_delete": True})
    assert project.up("--target", record["urn"]).ok
    del project.declared["lincoln"]
    assert project.up().ok
    assert set(project.tokens()) == {"second"}
    assert tenant.writes() == ["POST vppTokens", "POST vppTokens/{id}/syncLicenses"], "those of the second"
