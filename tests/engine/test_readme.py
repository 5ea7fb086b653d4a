"""The README's programs, as they stand there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness import ROOT, Project, Tenant, token_file
from yaml_project import PLUGIN, install_command

if TYPE_CHECKING:
    from pathlib import Path

README = (ROOT / "README.md").read_text()
REVOKE = ["GET vppTokens/{id}", "POST vppTokens/{id}/revokeLicenses", "GET vppTokens"]


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.+?)```", README, re.DOTALL)


def test_the_program_of_the_readme(engine: dict[str, str], tenant: Tenant, tmp_path: Path) -> None:
    """Copied from the README beside a file of that name, the program creates a token that is valid and synced."""
    project = Project.start(tmp_path, engine, tenant, _blocks("python")[0])
    token_file(project.folder, "lincoln")
    done = project.up()
    assert done.ok, done.text
    outputs = project.outputs()
    assert (outputs["state"], outputs["lastSyncStatus"], outputs["displayName"]) == ("valid", "completed", "Lincoln")
    assert f'expires: "{outputs["expirationDateTime"]}"' in done.text


def test_what_it_says_to_add(engine: dict[str, str], tenant: Tenant, tmp_path: Path) -> None:
    """What the README adds to that program syncs in each build and revokes once, by the requests that it names."""
    first, sync, revoke = _blocks("python")
    project = Project.start(tmp_path, engine, tenant, first)
    token_file(project.folder, "lincoln")
    program = project.folder / "__main__.py"
    assert project.up().ok
    tenant.log()
    program.write_text(first + sync)
    done = project.up(BUILD_ID="1")
    assert done.ok, done.text
    assert project.up(BUILD_ID="1").ok
    assert project.up(BUILD_ID="2").ok
    assert tenant.requests() == ["GET vppTokens/{id}", "POST vppTokens/{id}/syncLicenses"] * 2
    program.write_text(first + sync + revoke)
    previewed = project.preview(BUILD_ID="2")
    assert "This revokes all licences of Lincoln" in previewed.text
    assert "It cannot be undone" in previewed.text
    done = project.up(BUILD_ID="2")
    assert done.ok, done.text
    assert project.up(BUILD_ID="2").ok
    assert tenant.requests() == REVOKE


def test_the_program_in_yaml(engine: dict[str, str], tenant: Tenant, tmp_path: Path) -> None:
    """The README's resources in YAML, taken together, sync and count in each build, by the requests that it names."""
    token, licences = (block for block in _blocks("yaml") if "resources:\n" in block)
    project = _in_yaml(engine, tenant, tmp_path, licences.replace("resources:\n", token))
    done = project.up("--config", "build=1")
    assert done.ok, done.text
    assert "from $PATH" not in done.text
    tenant.log()
    done = project.up("--config", "build=2")
    assert done.ok, done.text
    assert tenant.requests() == [
        "GET vppTokens/{id}",
        "POST vppTokens/{id}/syncLicenses",
        "POST vppTokens/syncLicenseCounts",
        "GET vppTokens/getLicensesForApp(bundleId='com.example.reader')",
    ]


def test_the_function_in_yaml(engine: dict[str, str], tenant: Tenant, tmp_path: Path) -> None:
    """What the README asks is answered in preview, by one request; its filter counts case."""
    (asked,) = (block for block in _blocks("yaml") if "getVppTokens" in block)
    project = _in_yaml(engine, tenant, tmp_path, asked)
    due, late = token_file(tmp_path, "due", days=30), token_file(tmp_path, "late", location="York", days=5000)
    tenant.upload(due, displayName="Due")
    tenant.upload(late, displayName="Late")
    tenant.log()
    previewed = project.preview()
    assert previewed.ok, previewed.text
    assert '"Due"' in previewed.text
    assert '"Late"' not in previewed.text
    assert tenant.requests() == ["GET vppTokens"]
    (project.folder / "Pulumi.yaml").write_text(
        (project.folder / "Pulumi.yaml").read_text().replace("Contoso", "contoso")
    )
    assert '"Due"' not in project.preview().text


def _in_yaml(engine: dict[str, str], tenant: Tenant, folder: Path, program: str) -> Project:
    """A project of a program in YAML beside `lincoln.vpptoken`, which finds the plugin as the README says."""
    (found,) = (block for block in _blocks("yaml") if "plugins:\n" in block)
    work = folder / "project"
    (work / ".venv").mkdir(parents=True)
    install_command(work / ".venv" / "bin" / PLUGIN, "intune_vpp")
    (work / "Pulumi.yaml").write_text(f"name: story\nruntime: yaml\n{found}{program}")
    token_file(work, "lincoln")
    return Project.open(work, engine, tenant)
