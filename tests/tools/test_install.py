"""`tools/install.py` installs into `.venv`, whatever the user's variables say."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTALL = runpy.run_path(str(ROOT / "tools" / "install.py"))
LIST = ("list", "--offline", "--format", "json")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The interpreter of another, empty environment."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "other")], check=True)
    return tmp_path / "other" / "bin" / "python"


@pytest.mark.skipif(not (ROOT / ".venv" / "bin" / "uv").exists(), reason="pip has installed the project")
@pytest.mark.parametrize("names", [("UV_PYTHON",), ("UV_SYSTEM_PYTHON", "PATH"), ("VIRTUAL_ENV",)])
def test_uv_installs_into_the_projects_environment(
    names: tuple[str, ...], other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of uv work on `.venv`, also where a variable names another environment or the system."""
    values = {"UV_PYTHON": other, "UV_SYSTEM_PYTHON": 1, "PATH": other.parent, "VIRTUAL_ENV": other.parents[1]}
    for name in names:
        monkeypatch.setenv(name, str(values[name]))
    uv, *options = INSTALL["uv"](*LIST)

    listed = subprocess.run([uv, *options], env=INSTALL["environment"](), cwd=ROOT, capture_output=True, check=True)

    assert "intune-vpp" in {one["name"] for one in json.loads(listed.stdout)}
