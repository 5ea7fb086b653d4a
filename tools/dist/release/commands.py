"""Starts the tools that build artefacts; what is the same for all of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_OLDEST = 315532800
"""1980-01-01, before which a ZIP file knows no time."""


class DistError(Exception):
    """An artefact could not be built; its text is one sentence."""


class MissingToolError(DistError):
    """A program that an artefact needs is not on PATH."""


def find(tool: str, path: str | None = None) -> str:
    """Return the path of a program. Raises MissingToolError if it is not on PATH."""
    found = shutil.which(tool, path=path)
    if found is None:
        raise MissingToolError(f"{tool} is not on PATH.")
    return found


def run(*command: str, folder: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    """Run a tool. Raises DistError, with the output of the tool, if it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **reproducible(), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise DistError(f"{' '.join(command)} failed with status {done.returncode}:\n{done.stdout}")


@cache
def source_date() -> int:
    """Return the time that all files in artefacts have: SOURCE_DATE_EPOCH, or else the time of the last commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    asked = ("git", "log", "-1", "--format=%ct")
    shown = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return int(shown) if shown else _OLDEST


def reproducible() -> dict[str, str]:
    """Return the variables that make tools write the same bytes each time."""
    return {"SOURCE_DATE_EPOCH": str(source_date()), "PYTHONHASHSEED": "0"}
