"""Licences through the plugin, from a program in YAML: sync, revoke, count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Tenant, token_file

if TYPE_CHECKING:
    from pathlib import Path

    from yaml_project import YamlProject


def test_thin(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """Thin."""
    project = yaml_project
    project.want(token=str(token_file(tmp_path)), display_name="Lincoln", deletion_protection=False)
    project.more = {
        "resources": {
            "nightly": {
                "type": "intune-vpp:LicenseSync",
                "properties": {"vppTokenId": "${lincoln.id}", "triggers": ["1"]},
            },
            "retire": {"type": "intune-vpp:LicenseRevocation", "properties": {"vppTokenId": "${lincoln.id}"}},
            "count": {"type": "intune-vpp:LicenseCountSync", "properties": {"triggers": {"a": 1}}},
        }
    }
    print(project.wanted)
    print(project.preview().text)
    print(project.up().text)
    print(tenant.log())
    import json

    print(json.dumps(project.export(), indent=1))
    print(project.up("--expect-no-changes").text)
    print(project.refresh().text)
    print(project.destroy().text)
    print(tenant.requests())
    assert 0
