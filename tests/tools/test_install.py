"""`tools/install.py` installs into `.venv`, whatever the user's variables say."""

from __future__ import annotations

import json
import os
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


@pytest.mark.parametrize(
    ("variables", "index", "uv"),
    [
        ({}, None, True),
        ({"PIP_INDEX_URL": "https://packages.example/simple"}, "https://packages.example/simple", True),
        ({"PIP_EXTRA_INDEX_URL": "https://packages.example/simple"}, None, False),
        ({"PIP_NO_INDEX": "1"}, None, False),
    ],
)
def test_uv_asks_the_index_that_pip_is_told(
    variables: dict[str, str],
    index: str | None,
    uv: bool,  # noqa: FBT001 - a table
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The index of pip is that of uv, which is not used if pip is told other places that it does not know."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    INSTALL["pip_settings"].cache_clear()

    assert INSTALL["environment"]().get("UV_DEFAULT_INDEX") == index
    assert INSTALL["UNKNOWN_TO_UV"].isdisjoint(INSTALL["pip_settings"]()) is uv
    INSTALL["pip_settings"].cache_clear()
