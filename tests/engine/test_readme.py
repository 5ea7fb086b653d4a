"""The README's programs, as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from harness import ROOT, Tenant, emulator, token_file
from project import PLUGIN, Project, install_command

README = (ROOT / "README.md").read_text()
REVOKE = ["GET vppTokens/{id}", "POST vppTokens/{id}/revokeLicenses", "GET vppTokens"]


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.+?)```", README, re.DOTALL)


def test_what_to_try(engine: dict[str, str], tenant: Tenant, tmp_path: Path) -> None:
    """The commands to try it run in a shell without EDITOR, with the program pasted where they ask for it."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / ".venv").symlink_to(sys.prefix)
    (checkout / "tools").symlink_to(ROOT / "tools")
    lines = [f"{name}={value}\n" for name, value in tenant.environment.items()]
    (checkout / "tenant.env").write_text("".join(lines))
    (block,) = re.findall(
        r"((?:^    .+\n)+)", README.partition("In another terminal")[2].partition("For YAML")[0], re.MULTILINE
    )
    own = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI") and name != "EDITOR"}
    quiet = {name: value for name, value in engine.items() if name.startswith("PULUMI_") and value == "true"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],  # noqa: S607 - any bash will do
        cwd=checkout,
        env={**own, **quiet, "PULUMI_HOME": str(tmp_path / "home"), "PULUMI_SKIP_CONFIRMATIONS": "true"},
        input=_blocks("python")[0],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert tenant.writes() == ["POST vppTokens", "POST vppTokens/{id}/syncLicenses"]


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
    assert "Revokes all licences of Lincoln" in previewed.text
    assert "This cannot be undone" in previewed.text
    done = project.up(BUILD_ID="2")
    assert done.ok, done.text
    assert project.up(BUILD_ID="2").ok
    assert tenant.requests() == REVOKE


def test_the_program_in_yaml(engine: dict[str, str], tenant: Tenant, tmp_path: Path) -> None:
    """The README's resources in YAML, taken together, sync and count in each build, then revoke, by its requests."""
    token, licences, revocation = (block for block in _blocks("yaml") if "resources:\n" in block)
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
        "GET vppTokens/getLicensesForApp(bundleId='example.fabrikam.numbergarden')",
    ]
    assert "availableLicenseCount" in done.text
    program = project.folder / "Pulumi.yaml"
    goodbye, revoked = revocation.removeprefix("resources:\n").split("outputs:\n")
    together = program.read_text().replace("resources:\n", f"resources:\n{goodbye}")
    program.write_text(together.replace("outputs:\n", f"outputs:\n{revoked}"))
    done = project.up("--config", "build=2")
    assert done.ok, done.text
    assert [one for one in tenant.requests() if "getLicensesForApp" not in one] == REVOKE
    assert '"done"' in done.text


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


def test_where_pulumi_finds_the_plugin(engine: dict[str, str], tenant: Tenant, tmp_path: Path) -> None:
    """Without `plugins:` it is found on PATH, with a warning, or where `pulumi plugin install` has put it, without."""
    (token,) = (block for block in _blocks("yaml") if "resources:\n" in block and "License" not in block)
    project = _in_yaml(engine, tenant, tmp_path, token, named=False)
    folder = project.folder / ".venv" / "bin"
    on_path = project.preview(PATH=f"{folder}{os.pathsep}{project.environment['PATH']}")
    assert on_path.ok, on_path.text
    assert f"warning: using {PLUGIN} from $PATH at {folder / PLUGIN}" in on_path.text
    (command,) = re.findall(r"`pulumi (plugin install .+?)`", README)
    installed = project.pulumi(*command.split())
    assert installed.ok, installed.text
    elsewhere = os.pathsep.join(
        one for one in project.environment["PATH"].split(os.pathsep) if not (Path(one) / PLUGIN).exists()
    )
    found = project.preview(PATH=elsewhere)
    assert found.ok, found.text
    assert "from $PATH" not in found.text


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


def _in_yaml(engine: dict[str, str], tenant: Tenant, folder: Path, program: str, *, named: bool = True) -> Project:
    """A project of a program in YAML beside `lincoln.vpptoken`, which finds the plugin as the README says.

    `named` says whether `Pulumi.yaml` tells where it is.
    """
    (found,) = (block for block in _blocks("yaml") if "plugins:\n" in block)
    work = folder / "project"
    (work / ".venv").mkdir(parents=True)
    install_command(work / ".venv" / "bin" / PLUGIN, "intune_vpp")
    (work / "Pulumi.yaml").write_text(f"name: contoso\nruntime: yaml\n{found if named else ''}{program}")
    token_file(work, "lincoln")
    return Project.open(work, engine, tenant)
