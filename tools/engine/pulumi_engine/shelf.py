"""The folder of an installed engine: complete or absent, and written by one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .pins import PROGRAMS, key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .progress import Progress


def cache() -> Path:
    """The folder of files that can be created again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "intune-vpp"


def complete(folder: Path, programs: Iterable[str] = PROGRAMS) -> bool:
    """Whether `folder` has these programs, by default all of an engine."""
    return all(os.access(folder / name, os.X_OK) for name in programs)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The folder of the engine that the pins describe: `<engines>/<key>/bin`."""

    engines: Path
    key: str

    @classmethod
    def of_the_pins(cls) -> Shelf:
        """The one in the user's cache."""
        return cls(cache() / "engine", key())

    @property
    def folder(self) -> Path:
        """The binaries, once installed."""
        return self.engines / self.key / "bin"

    def filled(self, programs: Iterable[str] = PROGRAMS) -> bool:
        """Whether the engine is installed, with these programs."""
        return complete(self.folder, programs)

    @contextlib.contextmanager
    def locked(self, progress: Progress) -> Iterator[None]:
        """Hold the lock, after waiting for its holder. The system releases the lock of a process that ends."""
        self.engines.mkdir(parents=True, exist_ok=True)
        with (self.engines / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress.say("Another process is installing the engine. Waiting for it.")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def workshop(self, progress: Progress) -> Iterator[Path]:
        """A temporary folder on the disk of the final one; always removed afterwards."""
        for left_by_a_killed_run in self.engines.glob(".making-*"):
            shutil.rmtree(left_by_a_killed_run, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=".making-", dir=self.engines))
        try:
            yield folder
        finally:
            if any(folder.iterdir()):  # perhaps gigabytes, which takes seconds
                progress.say("Removing temporary files.")
            shutil.rmtree(folder, ignore_errors=True)

    def put(self, made: Path) -> None:
        """Move the folder that contains `bin` to its final place, in one step."""
        place = self.engines / self.key
        if place.exists():  # incomplete
            shutil.rmtree(place)
        made.rename(place)
