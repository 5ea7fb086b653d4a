"""What the provider processes of one run tell each other."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

import pytest

from intune_vpp.host.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path

RUN, OTHER_RUN = "127.0.0.1:40001", "127.0.0.1:40002"
TOKEN = "22222222-2222-4222-8222-222222222222"


def test_processes_of_a_run_share_it(tmp_path: Path) -> None:
    """What one process notes, another one of the same engine sees, and none of another engine."""
    one, other, stranger = Ledger(RUN, tmp_path), Ledger(RUN, tmp_path), Ledger(OTHER_RUN, tmp_path)
    one.note(TOKEN)

    assert (one.has(TOKEN), other.has(TOKEN), stranger.has(TOKEN), other.has("7")) == (True, True, False, False)
    other.strike(TOKEN)
    assert not one.has(TOKEN)


def test_nothing_is_left(tmp_path: Path) -> None:
    """A process takes its notes away when it ends, and the last one the folder."""
    one, other = Ledger(RUN, tmp_path), Ledger(RUN, tmp_path)
    one.note(TOKEN)
    other.note("7")
    one.close()
    assert (other.has(TOKEN), other.has("7")) == (False, True)
    other.close()
    other.close()

    assert list(tmp_path.iterdir()) == []


def test_the_notes_of_a_killed_run_grow_old(tmp_path: Path) -> None:
    """A note that nobody took away stops counting after a day: an engine may get the same port again."""
    Ledger(RUN, tmp_path).note(TOKEN)
    (note,) = tmp_path.glob("*/*")
    before = time.time() - 25 * 3600
    os.utime(note, (before, before))

    assert not Ledger(RUN, tmp_path).has(TOKEN)


def test_without_an_engine_nobody_shares_it(tmp_path: Path) -> None:
    """A process that no engine started notes nothing."""
    alone = Ledger("", tmp_path)
    alone.note(TOKEN)
    alone.strike(TOKEN)
    alone.close()

    assert not alone.has(TOKEN)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("token_id", ["../../escape", "a/b", "."])
def test_an_odd_id_stays_within(tmp_path: Path, token_id: str) -> None:
    """Whatever an id holds, its note is a file in the run's folder, for its owner alone."""
    ledger = Ledger(RUN, tmp_path / "notes")
    ledger.note(token_id)

    assert ledger.has(token_id)
    (folder,) = (tmp_path / "notes").iterdir()
    (note,) = folder.iterdir()
    assert list(tmp_path.iterdir()) == [tmp_path / "notes"]
    assert (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(note.stat().st_mode)) == (0o700, 0o600)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Where there is no place for notes, nothing fails."""
    (tmp_path / "file").write_text("")
    ledger = Ledger(RUN, tmp_path / "file")
    ledger.note(TOKEN)
    ledger.strike(TOKEN)
    ledger.close()

    assert not ledger.has(TOKEN)
