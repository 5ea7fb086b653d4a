"""The oldest SDK that pyproject.toml allows, installed into an environment of its own, through both doors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import venv
from typing import TYPE_CHECKING

import pytest

from harness import PROXIES, ROOT, Tenant, token_file
from project import PLUGIN, Project, YamlProject, install_command, traces

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 600
"""Most of it installs packages."""

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _oldest() -> str:
    (requirement,) = (one for one in _PROJECT["dependencies"] if re.match(r"pulumi\b", one))
    found = re.search(r">=([\d.]+)", requirement)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with this package and the oldest SDK; what that does not limit is as constraints.txt pins it."""
    folder = tmp_path_factory.mktemp("oldest")
    venv.create(folder / "venv", with_pip=True)
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    kept = [pin for pin in pins if not pin.startswith(("pulumi==", "protobuf=="))]
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join([*kept, f"pulumi=={_oldest()}"]))
    found: Path = folder / "venv" / "bin" / "python"
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", str(constraints)]
    done = subprocess.run(
        [found, *install, "--editable", str(ROOT)],
        env={**os.environ, **PROXIES},
        capture_output=True,
        text=True,
        timeout=SECONDS - 120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return found


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("door", [Project, YamlProject], ids=["dynamic", "plugin"])
def test_the_oldest_sdk(door: type[Project], python: Path, tenant: Tenant, tmp_path: Path) -> None:
    """With the oldest SDK allowed, both doors create, then find nothing to do, then renew and destroy."""
    project = door.start(tmp_path, _engine(python), tenant)
    install_command(tmp_path / "plugin" / PLUGIN, "intune_vpp", python=str(python))
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln", organization_name="Contoso")
    created = project.up()
    assert created.ok, created.text
    quiet = project.preview("--expect-no-changes", "--refresh")
    assert quiet.ok, quiet.text
    assert tenant.writes() == ["POST vppTokens", "POST vppTokens/{id}/syncLicenses"]
    project.declare(token=str(token_file(tmp_path, "second", days=350)))
    renewed = project.up()
    assert renewed.ok, renewed.text
    assert tenant.writes() == ["PATCH vppTokens/{id}", "POST vppTokens/{id}/syncLicenses"]
    destroyed = project.destroy()
    assert destroyed.ok, destroyed.text
    assert tenant.writes() == ["DELETE vppTokens/{id}"]
    assert traces(tmp_path, *project.displayed) == []


def test_one_floor() -> None:
    """The tool that finds an engine asks for the version that the SDK's range begins with, and so do its pages."""
    pins = (ROOT / "tools" / "engine" / "pulumi_engine" / "pins.py").read_text()
    assert f"OLDEST = ({_oldest().replace('.', ', ')}, 0)" in pins
    for page in ("README.md", "tools/engine/README.md"):
        assert _oldest() in (ROOT / page).read_text(), page


def _engine(python: Path) -> dict[str, str]:
    """The environment in which `pulumi` runs programs with that interpreter."""
    command = [sys.executable, str(ROOT / "tools" / "engine"), "--ready", "--json", "--python", str(python)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    environment: dict[str, str] = json.loads(found.stdout.splitlines()[-1])["environment"]
    return environment
