"""Explicit providers: several tenants in one program, and a configuration that only the update knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import Tenant, emulator, token_file

if TYPE_CHECKING:
    from pathlib import Path

    from project import YamlProject

CREATED = ["GET vppTokens", "POST vppTokens", "POST vppTokens/{id}/syncLicenses"]


def test_two_tenants(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """Each token goes to the tenant of its provider; a token never moves on to another tenant by itself."""
    project = yaml_project
    with emulator(tmp_path, "--sync-seconds", "0") as other:
        project.more["resources"] = {"north": _provider(tenant), "south": _provider(other)}
        for name, provider in (("lincoln", "north"), ("york", "south")):
            file = token_file(tmp_path, name, location=name)
            project.declare(name, token=str(file), display_name=name, opts={"provider": f"${{{provider}}}"})
        done = project.up()
        assert done.ok, done.text
        assert (tenant.requests(), other.requests()) == (CREATED, CREATED)
        tenants = {name: project.outputs(name)["tenantId"] for name in ("lincoln", "york")}
        assert tenants == {
            "lincoln": tenant.environment["ARM_TENANT_ID"],
            "york": other.environment["ARM_TENANT_ID"],
        }
        assert project.up("--expect-no-changes").ok
        assert project.refresh("--expect-no-changes").ok
        assert (tenant.requests(), other.requests()) == (["GET vppTokens/{id}", "GET vppTokens"],) * 2

        project.more["resources"]["north"] = _provider(other)
        project.declare(display_name="Lincoln")
        moved = project.up()
        assert not moved.ok
        assert "Nothing was changed. Use the credentials of tenant" in moved.text
        assert (tenant.writes(), other.writes()) == ([], [])
        project.more["resources"]["north"] = _provider(tenant)
        assert project.up().ok
        assert project.destroy().ok
        assert other.writes() == ["DELETE vppTokens/{id}"]


def test_configuration_known_late(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """A provider whose tenant only the update will know is previewed without a request, and applied then."""
    project = yaml_project
    project.declare("first", token=str(token_file(tmp_path, "first")), display_name="First")
    project.more["resources"] = {"late": _provider(tenant, tenantId="${first.tenantId}")}
    second = token_file(tmp_path, "second", location="York")
    project.declare("second", token=str(second), display_name="${first.locationName}", opts={"provider": "${late}"})
    previewed = project.preview("--diff")
    assert previewed.ok, previewed.text
    assert tenant.log() == []
    done = project.up()
    assert done.ok, done.text
    assert project.outputs("second")["displayName"] == "Lincoln"
    assert project.up("--expect-no-changes").ok
    for wrong, sentence in (
        ({"graphVersion": "v3"}, "graphVersion"),
        ({"tenant": "contoso"}, "tenant"),
        ({"graphEndpoint": "http://graph.example"}, "must be an https:// URL"),
    ):
        project.more["resources"]["late"] = _provider(tenant, **wrong)
        refused = project.preview()
        assert not refused.ok
        assert sentence in refused.text


def _provider(there: Tenant, /, **more: str) -> dict[str, Any]:
    environment = there.environment
    properties = {
        "tenantId": environment["ARM_TENANT_ID"],
        "clientId": environment["ARM_CLIENT_ID"],
        "clientSecret": {"fn::secret": environment["ARM_CLIENT_SECRET"]},
        "graphEndpoint": environment["INTUNE_VPP_GRAPH_ENDPOINT"],
        "authorityHost": environment["INTUNE_VPP_AUTHORITY_HOST"],
        "caBundlePath": environment["INTUNE_VPP_CA_BUNDLE_PATH"],
        **more,
    }
    return {"type": "pulumi:providers:intune-vpp", "properties": properties}
