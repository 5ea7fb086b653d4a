"""The tools, importable, and for `tools/engine` a machine of its own, with a PATH, a cache and no way out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.extend(str(Path(__file__).parents[2] / "tools" / name) for name in ("dist", "engine", "reference", "registry"))

from tools.fakes import Machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine whose PATH is one empty folder; requests over TLS end at a closed port of loopback."""
    made = Machine(tmp_path)
    for name, value in made.variables.items():
        monkeypatch.setenv(name, value)
    return made
