"""The folder of the project as a plugin: what Pulumi's own language host makes of PulumiPlugin.yaml."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness import ROOT, Tenant, token_file
from project import PLUGIN, YamlProject, install_command

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def empty_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment in which only the folder was installed, as Pulumi's language host does it."""
    folder = tmp_path_factory.mktemp("empty")
    python = folder / "venv" / "bin" / "python"
    constraints = ("--constraint", str(ROOT / "constraints.txt"))
    for command in (
        [sys.executable, "-m", "venv", "venv"],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *constraints, str(ROOT)],
    ):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280, check=False)
        assert done.returncode == 0, done.stderr
    return python


def test_in_an_empty_environment(
    yaml_project: YamlProject, tenant: Tenant, tmp_path: Path, empty_environment: Path
) -> None:
    """Installed from its folder and run as `pulumi.run.plugin` runs it, it needs nothing else for a token's life."""
    project = yaml_project
    install_command(tmp_path / "plugin" / PLUGIN, "pulumi.run.plugin", "intune-vpp", python=str(empty_environment))
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln", deletion_protection=False)
    for done in (project.up(), project.refresh("--expect-no-changes"), project.destroy()):
        assert done.ok, done.text
    assert [one.split()[0] for one in tenant.requests()] == ["GET", "POST", "POST", "GET", "GET", "DELETE"]
    packages = subprocess.run(
        [empty_environment, "-m", "pip", "list", "--format=freeze"],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert "intune-vpp==" in packages
    assert "Flask" not in packages
