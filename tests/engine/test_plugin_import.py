"""Tokens that exist already: imported, adopted, read, and asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from harness import Tenant, token_file
from project import PLUGIN_TYPE

if TYPE_CHECKING:
    from pathlib import Path

    from project import YamlProject

NOBODY = "00000000-0000-4000-8000-000000000000"


def test_import(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """The command and the option import by one GET; given its file the token is quiet, and a missing id is an error."""
    project = yaml_project
    first, second = token_file(tmp_path, "first"), token_file(tmp_path, "second", location="York")
    ids = [tenant.upload(first, displayName="Lincoln"), tenant.upload(second, displayName="York")]
    tenant.log()
    missing = project.pulumi("import", PLUGIN_TYPE, "nobody", NOBODY, "--yes", "--skip-preview")
    assert not missing.ok
    assert f'There is no token "{NOBODY}" in tenant' in missing.text
    imported = project.pulumi("import", PLUGIN_TYPE, "lincoln", ids[0], "--yes", "--skip-preview", "--protect=false")
    assert imported.ok, imported.text
    # A token that is not found is also looked for in a listing.
    assert tenant.requests() == ["GET vppTokens/{id}", "GET vppTokens", "GET vppTokens/{id}"]

    project.declare(token=str(first), display_name="Lincoln", deletion_protection=None)
    project.declare("york", token=str(second), display_name="York", opts={"import": ids[1]}, deletion_protection=None)
    previewed = project.preview()
    assert previewed.ok, previewed.text
    assert "1 to import" in previewed.text
    tenant.log()
    done = project.up()
    assert done.ok, done.text
    assert tenant.requests() == ["GET vppTokens/{id}"]
    del project.declared["york"]["opts"]
    for _ in range(2):
        quiet = project.up("--expect-no-changes")
        assert quiet.ok, quiet.text
    assert {one["id"] for one in project.tokens().values()} == set(ids)
    refreshed = project.refresh("--expect-no-changes")
    assert refreshed.ok, refreshed.text
    assert {one["inputs"]["token"][:7] for one in project.tokens().values()} == {"sha256:"}
    project.declare("nobody", token=str(first), opts={"import": NOBODY})
    absent = project.up()
    assert f'There is no token "{NOBODY}" in tenant' in absent.text
    assert tenant.writes() == []


def test_adoption_and_reading(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """`adoptTokenId` takes a token over without a write, and `get` reads one that stays unmanaged."""
    project = yaml_project
    file = token_file(tmp_path)
    adopted = tenant.upload(file, displayName="Lincoln")
    read = tenant.upload(token_file(tmp_path, "second", location="York"), displayName="York")
    tenant.log()
    project.more["resources"] = {"york": {"type": PLUGIN_TYPE, "get": {"id": read}}}
    project.more["outputs"] = {"place": "${york.locationName}"}
    project.declare(token=str(file), display_name="Lincoln", adopt_token_id=adopted)
    assert "Adopts token" in project.preview().text
    done = project.up()
    assert done.ok, done.text
    assert project.token()["id"] == adopted
    assert project.up("--expect-no-changes").ok
    assert project.stack_outputs()["place"] == "York"
    assert tenant.writes() == []
    project.more["resources"]["york"]["get"]["id"] = NOBODY
    assert not project.up().ok
    project.more.clear()
    project.declared.clear()
    assert "DELETE vppTokens/{id}" not in tenant.writes()


def test_functions(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """A program asks for one token, for those that match, and for what a file says; a token not there is an error."""
    project = yaml_project
    near, far = token_file(tmp_path, "near", days=20), token_file(tmp_path, "far", days=200, location="York")
    ids = {"near": tenant.upload(near, displayName="Lincoln"), "far": tenant.upload(far, displayName="York")}
    tenant.log()
    soon = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"

    def ask(function: str, **arguments: object) -> dict[str, object]:
        return {"fn::invoke": {"function": f"intune-vpp:{function}", "arguments": arguments}}

    project.more["variables"] = {
        "byId": ask("getVppToken", id=ids["far"]),
        "byLocation": ask("getVppToken", locationName="Lincoln"),
        "byName": ask("getVppToken", displayName="York"),
        "all": ask("getVppTokens"),
        "soon": ask("getVppTokens", expiresBefore=soon),
        "invalid": ask("getVppTokens", state="invalid"),
        "file": ask("parseTokenFile", token={"fn::fileAsset": str(far)}),
        "text": ask("parseTokenFile", token={"fn::secret": {"fn::readFile": str(near)}}),
    }
    project.more["outputs"] = {
        "ids": ["${byId.id}", "${byLocation.id}", "${byName.id}"],
        "all": "${all.vppTokens}",
        "soon": "${soon.vppTokens[0].id}",
        "invalid": "${invalid.vppTokens}",
        "file": "${file.expirationDateTime}",
        "text": "${text.organizationName}",
        "tenant": "${byId.tenantId}",
        "expires": "${byId.expirationDateTime}",
    }
    done = project.up()
    assert done.ok, done.text
    found = project.stack_outputs()
    assert found["ids"] == [ids["far"], ids["near"], ids["far"]]
    assert {one["id"] for one in found["all"]} == set(ids.values())
    assert (found["soon"], found["invalid"], found["text"]) == (ids["near"], [], "Contoso")
    assert found["file"][:19] == found["expires"][:19]
    assert found["tenant"] == tenant.environment["ARM_TENANT_ID"]
    assert tenant.writes() == []
    for wrong, sentence in (
        (ask("getVppToken", displayName="Nowhere"), "Nowhere"),
        (ask("getVppToken"), "exactly one of id, displayName, locationName, mobileAppId"),
        (ask("parseTokenFile", token="hello"), "is not base64"),
    ):
        project.more |= {"variables": {"wrong": wrong}, "outputs": {"wrong": "${wrong}"}}
        refused = project.preview()
        assert not refused.ok
        assert sentence in refused.text, json.dumps(refused.text)
