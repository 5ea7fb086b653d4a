"""The stories of the documentation: commands and files of its pages, run in their order as a reader would."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import documentation
from harness import ROOT, token_file
from project import PLUGIN, Project, install_command, traces

if TYPE_CHECKING:
    from harness import Tenant

SECONDS = 280
README, DOORS, LICENCES, FIRST = "README.md", "docs/doors.md", "docs/licences.md", "docs/tutorials/first-token.md"
REVOKE = ["GET vppTokens/{id}", "POST vppTokens/{id}/revokeLicenses", "GET vppTokens"]


class Reader:
    """Somebody with a shell, an installed provider and a tenant, who follows the pages in one folder."""

    def __init__(self, folder: Path, engine: dict[str, str], tenant: Tenant) -> None:
        self.work = folder / "vpp-tokens"
        commands = self.work / ".venv" / "bin"
        install_command(commands / PLUGIN, "intune_vpp")
        install_command(commands / "intune-vpp-emulator", "intune_vpp_emulator")
        lines = [f"{name}={value}\n" for name, value in tenant.environment.items()]
        (self.work / "tenant.env").write_text("".join(lines))
        self.environment = {**documentation.shell(engine, folder, commands), **tenant.environment}
        self.displayed: list[str] = []

    def follow(self, story: str, page: str) -> None:
        """Do what a page says."""
        told = documentation.story(story, page)
        self.displayed.append(documentation.run(told, self.work, self.environment, seconds=SECONDS))

    def begin(self) -> Path:
        """Create the token of the first tutorial; its program."""
        program = self.work / "Pulumi.yaml"
        program.write_text(documentation.file_of("first-token", "Pulumi.yaml", FIRST))
        self.create()
        return program

    def create(self) -> None:
        """Create a stack and the token of the program in it."""
        token_file(self.work, "lincoln")
        commands = documentation.Block("this test", 0, "pulumi stack init prod; pulumi up\n", marked=True)
        documentation.run([commands], self.work, self.environment, seconds=SECONDS)

    def download(self, *, days: int) -> None:
        """Download the content token of Lincoln, which expires in so many days."""
        token_file(Path(self.environment["HOME"]) / "Downloads", "sToken_for_Lincoln", days=days)

    def lock(self, stack: str) -> None:
        """Leave the lock of a run that was killed."""
        folder = Path(self.environment["HOME"]).parent / "state/.pulumi/locks/organization/vpp-tokens" / stack
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "0f1e2d3c.json").write_text('{"pid": 1, "username": "runner", "hostname": "gone"}')

    def add_properties(self, story: str, page: str) -> None:
        """Add the properties that a page shows to the token of the program."""
        (block,) = documentation.story(story, page)
        more = textwrap.indent(block.text, " " * 6)
        program = self.work / "Pulumi.yaml"
        program.write_text(program.read_text().replace("    properties:\n", f"    properties:\n{more}"))


@pytest.fixture
def reader(tmp_path: Path, engine: dict[str, str], tenant: Tenant) -> Reader:
    """A reader with a tenant in which a sync takes no time."""
    return Reader(tmp_path, engine, tenant)


def test_the_first_token(reader: Reader, tenant: Tenant, tmp_path: Path) -> None:
    """The tutorial creates a token and renews it in place, prints what it shows, and no secret is anywhere."""
    reader.follow("first-token", FIRST)
    sync = "POST vppTokens/{id}/syncLicenses"
    assert tenant.writes() == ["POST vppTokens", sync, "PATCH vppTokens/{id}", sync]
    assert traces(tmp_path, *reader.displayed) == []


def test_forty_tokens(reader: Reader, tenant: Tenant, tmp_path: Path) -> None:
    """The tutorial adopts 40 tokens, renews the one with a newer file, and creates only that of a new location."""
    folder = reader.work / "token-files"
    folder.mkdir()
    for number in range(40):
        location = f"School{number:02}"
        file = token_file(folder, f"sToken_for_{location}", location=location)
        tenant.upload(file, displayName=f"Token of {location}")
        if number < 2:
            file.unlink()
    token_file(folder, "sToken_for_School39", days=350, location="School39")
    token_file(folder, "sToken_for_Ashby", location="Ashby")
    tenant.log()
    reader.follow("forty-tokens", "docs/tutorials/forty-tokens.md")
    sync = "POST vppTokens/{id}/syncLicenses"
    assert sorted(tenant.writes()) == ["PATCH vppTokens/{id}", "POST vppTokens", sync, sync]
    assert traces(tmp_path, *reader.displayed) == []


def test_runbooks_of_a_token(reader: Reader, tenant: Tenant) -> None:
    """The runbooks for what happens to a token repair it, each after it has happened."""
    reader.begin()
    (token,) = tenant.tokens()

    reader.download(days=310)
    reader.follow("yearly-renewal", "docs/runbooks/yearly-renewal.md")

    other = tenant.upload(reader.work / "lincoln.vpptoken", displayName="By hand")
    tenant.edit(token["id"], state="duplicateLocationId")
    reader.follow("duplicates", "docs/runbooks/duplicates.md")
    tenant.delete(other)
    tenant.edit(token["id"], state="valid")
    reader.follow("duplicates-settled", "docs/runbooks/duplicates.md")

    tenant.edit(token["id"], state="invalid")
    reader.download(days=305)
    reader.follow("invalid-token", "docs/runbooks/invalid-token.md")

    tenant.edit(token["id"], state="assignedToExternalMDM")
    reader.follow("claimed", "docs/runbooks/claimed-by-another-mdm.md")
    reader.add_properties("claimed-property", "docs/runbooks/claimed-by-another-mdm.md")
    reader.follow("claimed-now", "docs/runbooks/claimed-by-another-mdm.md")


def test_runbooks_of_a_stack(reader: Reader, tenant: Tenant, tmp_path: Path) -> None:
    """The runbooks for what happens to a stack leave the token as it is, until it is retired."""
    program, retiring = reader.begin(), "docs/runbooks/moving-or-retiring-a-location.md"
    (token,) = tenant.tokens()
    tenant.log()

    reader.lock("prod")
    reader.follow("killed-runner", "docs/runbooks/killed-runner.md")
    shutil.rmtree(tmp_path / "state" / ".pulumi")
    reader.follow("lost-state", "docs/runbooks/lost-state.md")
    reader.follow("moving", "docs/runbooks/moving-between-stacks.md")
    reader.follow("leaving", "docs/runbooks/leaving-the-product.md")
    reader.environment["TOKEN_ID"] = token["id"]
    reader.follow("taking-over", "docs/runbooks/taking-over-a-tenant.md")
    assert tenant.writes() == []

    reader.add_properties("retire-properties", retiring)
    reader.follow("retire", retiring)
    program.write_text(program.read_text().partition("resources:")[0])
    reader.follow("retired", retiring)
    assert tenant.writes() == ["POST vppTokens/{id}/revokeLicenses", "DELETE vppTokens/{id}"]
    assert traces(tmp_path, *reader.displayed) == []


def test_the_emulated_tenant(engine: dict[str, str], tenant: Tenant, tmp_path: Path) -> None:
    """The commands to try it run in a shell without EDITOR, with the README's program pasted where they ask for it."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / ".venv").symlink_to(sys.prefix)
    (checkout / "tools").symlink_to(ROOT / "tools")
    lines = [f"{name}={value}\n" for name, value in tenant.environment.items()]
    (checkout / "tenant.env").write_text("".join(lines))
    own = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI") and name != "EDITOR"}
    quiet = {name: value for name, value in engine.items() if name.startswith("PULUMI_") and value == "true"}
    environment = {**own, **quiet, "PULUMI_HOME": str(tmp_path / "home"), "PULUMI_SKIP_CONFIRMATIONS": "true"}
    told = documentation.story("emulator", "docs/emulator.md")
    program = documentation.file_of("program-python", "__main__.py", README)
    documentation.run(told, checkout, environment, seconds=SECONDS, pasted=program)
    assert tenant.writes() == ["POST vppTokens", "POST vppTokens/{id}/syncLicenses"]


def test_the_tutorial_in_python(reader: Reader, tenant: Tenant) -> None:
    """The tutorial's program in Python creates the token that its program in YAML creates."""
    reader.follow("first-token-python", FIRST)
    reader.create()
    (token,) = tenant.tokens()
    assert (token["state"], token["lastSyncStatus"], token["displayName"]) == ("valid", "completed", "Lincoln")


def test_the_licences_in_python(engine: dict[str, str], tenant: Tenant, tmp_path: Path) -> None:
    """What the page adds to the README's program syncs in each build and revokes once, by the page's requests."""
    first = documentation.file_of("program-python", "__main__.py", README)
    sync = documentation.file_of("licences-python", "sync.py", LICENCES)
    revoke = documentation.file_of("licences-python", "revoke.py", LICENCES)
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
    """The pages' resources in YAML, taken together, sync and count in each build, then revoke, by their requests."""
    token = documentation.file_of("program-yaml", "resources.yaml", README)
    licences = documentation.file_of("licences-yaml", "sync.yaml", LICENCES)
    revocation = documentation.file_of("licences-yaml", "revoke.yaml", LICENCES)
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
    """What the page asks is answered in preview, by one request; its filter counts case."""
    soon = (datetime.now(UTC) + timedelta(days=90)).strftime("%Y-%m-%dT00:00:00Z")
    asked = documentation.file_of("function-yaml", "due.yaml", DOORS).replace("2028-01-31T00:00:00Z", soon)
    assert soon in asked
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
    token = documentation.file_of("program-yaml", "resources.yaml", README)
    project = _in_yaml(engine, tenant, tmp_path, token, named=False)
    folder = project.folder / ".venv" / "bin"
    on_path = project.preview(PATH=f"{folder}{os.pathsep}{project.environment['PATH']}")
    assert on_path.ok, on_path.text
    assert f"warning: using {PLUGIN} from $PATH at {folder / PLUGIN}" in on_path.text
    (command,) = re.findall(r"`pulumi (plugin install .+?)`", documentation.page(DOORS))
    installed = project.pulumi(*command.split())
    assert installed.ok, installed.text
    elsewhere = os.pathsep.join(
        one for one in project.environment["PATH"].split(os.pathsep) if not (Path(one) / PLUGIN).exists()
    )
    found = project.preview(PATH=elsewhere)
    assert found.ok, found.text
    assert "from $PATH" not in found.text


def _in_yaml(engine: dict[str, str], tenant: Tenant, folder: Path, program: str, *, named: bool = True) -> Project:
    """A project of a program in YAML beside `lincoln.vpptoken`, which finds the plugin as the page says.

    `named` says whether `Pulumi.yaml` tells where it is.
    """
    found = documentation.file_of("program-yaml", "plugins.yaml", DOORS)
    work = folder / "project"
    (work / ".venv").mkdir(parents=True)
    install_command(work / ".venv" / "bin" / PLUGIN, "intune_vpp")
    (work / "Pulumi.yaml").write_text(f"name: contoso\nruntime: yaml\n{found if named else ''}{program}")
    token_file(work, "lincoln")
    return Project.open(work, engine, tenant)
