"""Packs a folder so that the same files make the same bytes."""

from __future__ import annotations

import gzip
import tarfile
from typing import TYPE_CHECKING

from release.commands import source_date

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM, _FILE = 0o755, 0o644


def pack(folder: Path, archive: Path) -> None:
    """Pack the content of a folder, whose files stand at the root of the archive."""
    with (
        archive.open("wb") as stream,
        gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=source_date()) as compressed,
        # An engine before 3.247 refuses an archive with a link: what a link points to is packed in its place.
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.GNU_FORMAT, dereference=True) as tar,
    ):
        for path in sorted(folder.rglob("*")):
            tar.add(path, path.relative_to(folder).as_posix(), recursive=False, filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Remove what depends on the machine: owner, time and the mask of permissions."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = source_date()
    entry.mode = _PROGRAM if entry.isdir() or entry.mode & 0o100 else _FILE
    return entry
