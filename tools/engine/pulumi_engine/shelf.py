"""Where an engine is kept: whole or not at all, and made by one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .pins import REQUIRED, key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .progress import Progress


def cache() -> Path:
    """The folder of everything that can be had again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "intune-vpp"


def complete(folder: Path) -> bool:
    """Whether all the programs of an engine stand in `folder`."""
    return all(os.access(folder / name, os.X_OK) for name in REQUIRED)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The place of one engine, the one that the pins make: `<engines>/<key>/bin`."""

    engines: Path
    key: str

    @classmethod
    def of_the_pins(cls) -> Shelf:
        """The one in the user's cache."""
        return cls(cache() / "engine", key())

    @property
    def folder(self) -> Path:
        """The binaries, once there."""
        return self.engines / self.key / "bin"

    def filled(self) -> bool:
        """Whether the engine is there."""
        return complete(self.folder)

    @contextlib.contextmanager
    def locked(self, progress: Progress) -> Iterator[None]:
        """Keep other processes out; wait for the one that is in. A lock ends with its process, however that ends."""
        self.engines.mkdir(parents=True, exist_ok=True)
        with (self.engines / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress.say("Another run is making the engine already; waiting for it.")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def workshop(self, progress: Progress) -> Iterator[Path]:
        """A folder to make an engine in, on the same disk as its place; it is removed again, whatever happens."""
        for left_by_a_killed_run in self.engines.glob(".making-*"):
            shutil.rmtree(left_by_a_killed_run, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=".making-", dir=self.engines))
        try:
            yield folder
        finally:
            if any(folder.iterdir()):  # gigabytes, perhaps: seconds of silence
                progress.say("Removing what it took to get there.")
            shutil.rmtree(folder, ignore_errors=True)

    def put(self, made: Path) -> None:
        """Put the folder that holds `bin` into place, in one step."""
        place = self.engines / self.key
        if place.exists():  # something took programs out of it
            shutil.rmtree(place)
        made.rename(place)
