"""`pulumi do`, which calls the plugin without a program. The built engine reads its input files as PCL only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness import Tenant, token_file
from project import PLUGIN, PLUGIN_TYPE, Command, YamlProject, traces

if TYPE_CHECKING:
    from pathlib import Path

WARNING = "pulumi do stores its input file, including this token's text, unencrypted in the stack's state"
REST = """
displayName = "Omaha"
appleId = "apps@contoso.example"
vppTokenAccountType = "business"
dataSharingConsentGranted = true
"""


@pytest.fixture
def project(tmp_path: Path, engine: dict[str, str], tenant: Tenant) -> YamlProject:
    """A project with a stack, and the plugin installed."""
    project = YamlProject.start(tmp_path, engine, tenant)
    command = str(tmp_path / "plugin" / PLUGIN)
    installed = project.pulumi("plugin", "install", "resource", "intune-vpp", "0.1.0", "--file", command)
    assert installed.ok, installed.text
    return project


def _do(project: YamlProject, *arguments: str) -> Command:
    return project.pulumi("do", "--package", "intune-vpp@0.1.0", PLUGIN_TYPE, *arguments)


def test_list(project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """`list` shows ids and names of all tokens; each filter of `getVppTokens` is a flag; one request each."""
    lincoln = tenant.upload(token_file(tmp_path, days=20), displayName="Lincoln", organizationName="Contoso")
    york = tenant.upload(token_file(tmp_path, "york", organization="Fabrikam", location="York"), displayName="York")
    tenant.edit(york, state="expired")
    tenant.log()

    def listed(*flags: str) -> dict[str, str]:
        done = _do(project, "list", *flags)
        assert done.ok, done.text
        return {one["id"]: one["name"] for one in json.loads(done.text)}

    assert listed() == {lincoln: "Lincoln", york: "York"}
    assert listed("--organization-name", "Contoso") == {lincoln: "Lincoln"}
    assert listed("--state", "expired", "--expires-before", "2999-01-01T00:00:00Z") == {york: "York"}
    assert tenant.requests() == ["GET vppTokens"] * 3
    refused = _do(project, "list", "--expires-before", "soon")
    assert not refused.ok
    assert "expiresBefore must be a timestamp with an offset" in refused.text


@pytest.mark.parametrize("given", ['"{text}"', 'stringAsset("{text}")'])
def test_a_text_is_warned_of(project: YamlProject, tmp_path: Path, given: str) -> None:
    """A text in the input file is warned of in the preview, before Pulumi stores that file in its state."""
    text = token_file(tmp_path).read_text()
    (project.folder / "in.pp").write_text(f"token = {given.format(text=text)}{REST}")
    created = _do(project, "create", "omaha", "--input", "pcl", "--input-file", "in.pp", "--yes")
    assert created.ok, created.text
    assert WARNING in created.text.partition("Updating")[0]
    assert text in json.dumps(project.export()), "Pulumi does not store it any more: the warning and the README can go"


def test_a_file_is_not(project: YamlProject, tmp_path: Path) -> None:
    """A file asset leaves no trace of the token and no warning."""
    token_file(project.folder, "omaha")
    (project.folder / "in.pp").write_text(f'token = fileAsset("omaha.vpptoken"){REST}')
    created = _do(project, "create", "omaha", "--input", "pcl", "--input-file", "in.pp", "--yes")
    assert created.ok, created.text
    assert WARNING not in created.text
    assert traces(tmp_path, *project.displayed) == []


def test_other_commands_are_not(project: YamlProject, tmp_path: Path) -> None:
    """A text is not warned of where Pulumi stores no input file: in a program, and with `--stateless`."""
    project.declare(token={"fn::secret": token_file(tmp_path).read_text()}, display_name="Lincoln")
    previewed = project.preview()
    assert previewed.ok, previewed.text
    assert WARNING not in previewed.text
    text = token_file(tmp_path, "stateless").read_text()
    (project.folder / "in.pp").write_text(f'token = "{text}"{REST}')
    command = ("--package", "intune-vpp@0.1.0", "--stateless", PLUGIN_TYPE, "create")
    created = project.pulumi("do", *command, "--input", "pcl", "--input-file", "in.pp", "--yes")
    assert created.ok, created.text
    assert WARNING not in created.text
    assert text not in json.dumps(project.export())
