"""`SHA256SUMS`, in the form that `sha256sum --check` reads."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAME = "SHA256SUMS"


def write(out: Path) -> Path:
    """Write the checksum of every file of a folder."""
    files = sorted(path for path in out.iterdir() if path.is_file() and path.name != NAME)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    sums = out / NAME
    sums.write_text("".join(lines), encoding="utf-8", newline="\n")
    return sums
