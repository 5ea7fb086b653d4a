"""The wheel and the source distribution of the provider."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from release.commands import run

if TYPE_CHECKING:
    from pathlib import Path


def build(out: Path) -> None:
    """Build both."""
    run(sys.executable, "-m", "build", "--outdir", str(out))
