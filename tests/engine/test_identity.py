"""Which token is whose: renames, replacements, lost states, other tenants, and what the engine's options do to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Tenant, emulator, token_file
from project import Project

if TYPE_CHECKING:
    from pathlib import Path


def test_a_rename_keeps_the_token(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """Under a new name without an alias the token is taken over, not created again, and not deleted."""
    project.declare("old", token=str(token_file(tmp_path)), display_name="Lincoln")
    assert project.up().ok
    before = project.token("old")["id"]
    tenant.log()
    for old, new, options in (("old", "new", ()), ("new", "newer", ("--refresh",))):
        project.declared[new] = project.declared.pop(old)
        renamed = project.up(*options)
        assert renamed.ok, renamed.text
        assert {name: record["id"] for name, record in project.tokens().items()} == {new: before}
    assert tenant.writes() == []


def test_a_forced_replacement_keeps_the_token(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """`up --replace` and a taint end with the same token under management; nothing is created or deleted."""
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln", deletion_protection=True)
    assert project.up().ok
    record = project.token()
    tenant.log()
    replaced = project.up("--replace", record["urn"])
    assert replaced.ok, replaced.text
    assert "so it was adopted instead of created" in replaced.text
    assert project.pulumi("state", "taint", record["urn"]).ok
    assert project.up().ok
    assert project.token()["id"] == record["id"]
    assert tenant.writes() == []


def test_a_lost_state_finds_its_tokens(tmp_path: Path, engine: dict[str, str], tenant: Tenant) -> None:
    """A new state over an old tenant takes its tokens over with one listing and no write."""
    files = {name: token_file(tmp_path, name, location=name, days=200 + len(name)) for name in ("one", "three")}
    ids = []
    for attempt in ("first", "second"):
        (tmp_path / attempt).mkdir()
        project = Project.start(tmp_path / attempt, engine, tenant)
        for name, file in files.items():
            project.declare(name, token=str(file), display_name=name)
        assert project.up().ok
        ids.append({name: record["id"] for name, record in project.tokens().items()})
        seen = tenant.requests()
    assert ids[0] == ids[1]
    assert seen == ["GET vppTokens"]


def test_another_tenant(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A state of one tenant under credentials of another changes neither tenant nor itself."""
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    assert project.up().ok
    before = project.token()
    tenant.log()
    with emulator(tmp_path) as other:
        elsewhere = other.environment
        project.declare(display_name="Other", deletion_protection=False)
        for attempt in (project.refresh(**elsewhere), project.up(**elsewhere), project.destroy(**elsewhere)):
            assert not attempt.ok
            assert "Nothing was changed. Use the credentials of tenant" in attempt.text
        assert other.requests() == []
    assert tenant.requests() == []
    after = project.token()
    assert [after[part] for part in ("id", "inputs", "outputs")] == [
        before[part] for part in ("id", "inputs", "outputs")
    ]


def test_one_file_for_two_resources(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """The same file under two resources is refused, and only one token is created."""
    file = str(token_file(tmp_path))
    project.declare("one", token=file, display_name="one")
    project.declare("two", token=file, display_name="two", opts={})
    failed = project.up("--parallel", "1")
    assert not failed.ok
    assert "Another resource of this program already uses this token file" in failed.text
    assert len([one for one in tenant.requests() if one == "POST vppTokens"]) == 1


def test_adoption(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A token uploaded by hand is adopted by its id without a write, and the next run is quiet."""
    file = token_file(tmp_path)
    members = {"token": file.read_text(), "appleId": "apps@contoso.example", "vppTokenAccountType": "business"}
    by_hand = tenant._call("POST", "portal", {**members, "displayName": "Lincoln"})
    tenant.edit(by_hand["id"], lastSyncStatus="completed", lastSyncDateTime="2026-11-01T00:00:00Z")
    project.declare(token=str(file), display_name="Lincoln", adopt_token_id=by_hand["id"])
    preview = project.preview()
    assert "Adopts token" in preview.text
    assert project.up().ok
    assert project.token()["id"] == by_hand["id"]
    assert project.up("--expect-no-changes").ok
    assert tenant.requests() == ["GET vppTokens/{id}"]
    project.declare("other", token=str(token_file(tmp_path, "other")), adopt_token_id="0" * 8 + by_hand["id"][8:])
    assert "was not found in this tenant" in project.up().text


def test_a_token_uploaded_by_hand(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A token that a person made from the same file under another name is refused before anything is sent.

    The sentence names it and the cure, and the cure works.
    """
    project, file = each_door, token_file(tmp_path)
    by_hand = tenant.upload(file, displayName="By hand", appleId="person@contoso.example")
    project.declare(token=str(file), display_name="Lincoln")
    refused = project.up()
    assert not refused.ok
    assert f'{by_hand} ("By hand", Apple ID person@contoso.example). Nothing was created.' in refused.text
    assert tenant.writes() == []
    project.declare(adopt_token_id=by_hand)
    assert project.up().ok
    assert [one["body"] for one in tenant.log() if one["method"] != "GET" and one["path"].startswith("/beta")] == [
        {"appleId": "apps@contoso.example", "displayName": "Lincoln"}
    ]
    assert project.token()["id"] == by_hand


def test_two_uploads_of_one_file_at_once(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A file that somebody uploads while the run does fails the run: it names both ids and the one to keep."""
    project, file = each_door, token_file(tmp_path)
    project.declare(token=str(file), display_name="Lincoln")
    tenant.fail({"method": "POST", "path": "*/vppTokens", "delay": 4})
    command = project.begin("up", "--yes", "--skip-preview")
    tenant.suffer()
    other = tenant.upload(file, displayName="By hand")
    text, _ = command.communicate(timeout=120)
    assert command.returncode != 0
    mine = project.token()
    assert mine["id"] != other
    assert f"has a duplicate in this tenant: {other}" in text
    assert f"Keep {other}" in text
    assert mine["outputs"]["duplicateTokenIds"] == [other]
    tenant.delete(other)
    assert project.refresh().ok
    healed = project.up()
    assert healed.ok, healed.text
    assert "duplicateTokenIds" not in project.token()["outputs"]
    assert project.token()["id"] == mine["id"]


def test_engine_options(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """`ignoreChanges`, `protect`, `--target` and `retainOnDelete` do what Pulumi says they do."""
    project.declare(token=str(token_file(tmp_path, "first")), display_name="Lincoln")
    assert project.up().ok
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
    targeted = project.up("--target", project.token()["urn"])
    assert targeted.ok, targeted.text
    assert set(project.tokens()) == {"lincoln"}
    assert not project.destroy().ok
    project.declare(opts={"retain_on_delete": True})
    assert project.up().ok
    del project.declared["lincoln"]
    assert project.up().ok
    assert "DELETE vppTokens/{id}" not in tenant.writes()


def test_unknown_values_in_preview(tmp_path: Path, engine: dict[str, str], tenant: Tenant) -> None:
    """A file and members that only the update will know are previewed as such, and applied when known."""
    program = """\
import os
import pulumi
from intune_vpp.dynamic import VppToken

class Later(pulumi.dynamic.ResourceProvider):
    def create(self, props):
        return pulumi.dynamic.CreateResult("later", {"name": props["given"]})

class Known(pulumi.dynamic.Resource):
    name: pulumi.Output[str]
    def __init__(self, given):
        super().__init__(Later(), "known", {"given": given, "name": None})

known = Known(os.environ["NAME"])
VppToken("lincoln", token=pulumi.Output.secret(known.name).apply(lambda name: open(os.environ["FILE"]).read()),
    apple_id="apps@contoso.example", vpp_token_account_type="business", data_sharing_consent_granted=True,
    display_name=known.name, role_scope_tag_ids=["0", known.name.apply(lambda name: "7")], deletion_protection=False)
"""
    project = Project.start(tmp_path, engine, tenant, program)
    settings = {"NAME": "Lincoln", "FILE": str(token_file(tmp_path))}
    previewed = project.preview(**settings)
    assert previewed.ok, previewed.text
    assert tenant.log() == []
    assert project.up(**settings).ok
    outputs = project.outputs()
    assert (outputs["displayName"], sorted(outputs["roleScopeTagIds"])) == ("Lincoln", ["0", "7"])
