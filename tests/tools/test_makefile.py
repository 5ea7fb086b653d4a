"""The Makefile on machines that are set up otherwise than ours."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make setup` reads, in a folder without an environment."""
    (tmp_path / "tools").mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "tools/install.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def _planned(checkout: Path, *arguments: str, **variables: str) -> str:
    """The commands that `make setup` would run."""
    make = shutil.which("make")
    assert make is not None
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHON", "MAKEFLAGS"}}
    targets = arguments if {"demo", "live"} & set(arguments) else ("setup", *arguments)
    command = [make, "--no-print-directory", "--dry-run", *targets]
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
    planned = _planned(checkout, *arguments, **variables).splitlines()
    (install,) = (line for line in planned if "tools/install.py" in line)
    python = install.split(" tools/install.py")[0].strip()
    assert Path(python).name.startswith("python3")


def test_a_python_that_is_named(checkout: Path) -> None:
    """One that is named is taken."""
    assert "/opt/python3.12 tools/install.py dev" in _planned(checkout, PYTHON="/opt/python3.12")
    assert "/opt/python3.12 tools/install.py dev" in _planned(checkout, "PYTHON=/opt/python3.12", PYTHON="")


def test_the_demonstration_installs_its_own_part(checkout: Path) -> None:
    """`make demo` installs the emulator and what it displays with, and `make` after it the rest."""
    assert "tools/install.py emulator,demo" in _planned(checkout, "demo")


def test_the_live_kit_writes_only_by_the_command_line(checkout: Path) -> None:
    """Options of `make live` come from the command line of make; a variable of the shell does not make it write."""
    asked = _planned(checkout, "live", "WRITE=1", "CLAIM=0", "TOKEN_ID=3f2a", "TOKEN_FILE=a b.vpptoken")
    ended = " ".join(asked.replace("\\\n", " ").split("-m live")[1].split())
    assert ended == "--write --token-id '3f2a' --token-file 'a b.vpptoken'"

    odd = 'O\'Neill $HOME "x".vpptoken'
    asked = _planned(checkout, "live", f"TOKEN_FILE={odd.replace('$', '$$')}")
    assert shlex.split(asked.replace("\\\n", " ").split("-m live")[1]) == ["--token-file", odd]

    shell = _planned(checkout, "live", WRITE="1", TOKEN_ID="3f2a", CREATE="1")
    assert "--" not in shell.split("-m live")[1]
