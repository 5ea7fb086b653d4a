"""The Makefile on machines that are set up otherwise than ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make setup` reads, in a folder without an environment."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def _planned(checkout: Path, *arguments: str, **variables: str) -> str:
    """The commands that `make setup` would run."""
    make = shutil.which("make")
    assert make is not None
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHON", "MAKEFLAGS"}}
    command = [make, "--dry-run", "setup", *arguments]
    planned = subprocess.run(
        command, cwd=checkout, env={**environment, **variables}, capture_output=True, text=True, check=True
    )
    return planned.stdout


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [([], {}), ([], {"PYTHON": ""}), ([], {"PYTHON": " "}), (["PYTHON="], {}), (["PYTHON="], {"PYTHON": ""})],
)
def test_without_a_python(checkout: Path, arguments: list[str], variables: dict[str, str]) -> None:
    """A variable PYTHON that is empty is the same as none: the Makefile finds an interpreter itself."""
    (venv,) = (line for line in _planned(checkout, *arguments, **variables).splitlines() if "-m venv" in line)
    python = venv.split(" -m venv")[0].strip()
    assert Path(python).name.startswith("python3")


def test_a_python_that_is_named(checkout: Path) -> None:
    """One that is named is taken."""
    assert "/opt/python3.12 -m venv .venv" in _planned(checkout, PYTHON="/opt/python3.12")
    assert "/opt/python3.12 -m venv .venv" in _planned(checkout, "PYTHON=/opt/python3.12", PYTHON="")
