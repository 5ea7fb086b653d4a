"""What the provider processes of one run tell each other: which tokens came under management, which lose licences.

Each provider resource has a process of its own, and so has each door: where a resource moves from one to another and
is renamed in the same step, the process that deletes the old half must know that the new half has the token. What
they share is the engine, by its address. The notes are files in Pulumi's own home, where nobody else writes, named by
ids, and hold URNs of resources at most, which are no secret; each process takes its own away when it ends.
"""

from __future__ import annotations

import os
import re
import threading
import time
from contextlib import suppress
from pathlib import Path

_LONGEST_RUN = 24 * 3600
"""Seconds after which a note is that of a run whose process was killed."""


class Ledger:
    """The notes of the run whose engine is at `address`; where there is none, nobody shares it."""

    def __init__(self, address: str, folder: Path | None = None) -> None:
        run = re.sub(r"\W", "-", address)
        home = folder or _home()
        self._folder = home / run if address and home else None
        self._own: set[Path] = set()

    def note(self, token_id: str) -> None:
        """A resource of this run has this token from now on."""
        # Where there is no folder to write to, a run with one provider process is as safe as before.
        with suppress(OSError):
            if (note := self._place(token_id)) is not None:
                note.touch(mode=0o600)
                self._own.add(note)

    def claim(self, what: str, user: str) -> str:
        """Who was the first of this run to claim something, of whatever process: `user`, or another one."""
        with suppress(OSError):
            if (note := self._place(what)) is None:
                return user
            while not self._put(note, user):
                # It may be gone again: then it is free.
                with suppress(FileNotFoundError):
                    if self._is_of_this_run(note):
                        return note.read_text()
                    note.unlink()
        return user

    def _put(self, note: Path, text: str) -> bool:
        """Write a note, unless there is one; whole at once, or not at all: nobody reads half a name."""
        mine = note.with_name(f"{note.name}.{os.getpid()}.{threading.get_ident()}")
        mine.touch(mode=0o600)
        try:
            mine.write_text(text)
            note.hardlink_to(mine)
        except FileExistsError:
            return False
        finally:
            mine.unlink(missing_ok=True)
        self._own.add(note)
        return True

    def strike(self, token_id: str) -> None:
        """The token was deleted."""
        if self._folder is not None:
            with suppress(OSError):
                (self._folder / _name(token_id)).unlink()

    def has(self, token_id: str) -> bool:
        """Whether a resource of this run, of whatever process, has noted this token."""
        if self._folder is None:
            return False
        with suppress(OSError):
            return self._is_of_this_run(self._folder / _name(token_id))
        return False

    def close(self) -> None:
        """Take the own notes away, and the folder with the last of them."""
        # A call may note something meanwhile.
        for note in tuple(self._own):
            with suppress(OSError):
                note.unlink()
        if self._folder is not None:
            with suppress(OSError):
                self._folder.rmdir()

    def _place(self, name: str) -> Path | None:
        if self._folder is None:
            return None
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder / _name(name)

    @staticmethod
    def _is_of_this_run(note: Path) -> bool:
        return time.time() - note.stat().st_mtime < _LONGEST_RUN


def _home() -> Path | None:
    """Where this user's notes are, None for a user without a home."""
    if named := os.environ.get("PULUMI_HOME"):
        return Path(named) / "intune-vpp"
    try:
        return Path.home() / ".pulumi" / "intune-vpp"
    except RuntimeError:
        return None


def _name(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]", "_", key)
