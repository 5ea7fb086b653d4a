"""What the provider processes of one run tell each other."""

from __future__ import annotations

import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from intune_vpp.host.ledger import Ledger

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


def test_the_first_claims(tmp_path: Path) -> None:
    """What one process claims for somebody is theirs in each, until it ends; the name is no file left behind."""
    one, other, stranger = Ledger(RUN, tmp_path), Ledger(RUN, tmp_path), Ledger(OTHER_RUN, tmp_path)

    assert one.claim("revocation-7", "urn:a") == "urn:a"
    assert [other.claim("revocation-7", user) for user in ("urn:b", "urn:a")] == ["urn:a", "urn:a"]
    assert stranger.claim("revocation-7", "urn:b") == "urn:b"
    assert len(list(tmp_path.glob("*/*"))) == 2
    one.close()
    assert other.claim("revocation-7", "urn:b") == "urn:b"
    other.close()
    stranger.close()
    assert list(tmp_path.iterdir()) == []


def test_many_claim_at_once(tmp_path: Path) -> None:
    """However many ask at once, one of them is the first, for all."""
    ledgers = [Ledger(RUN, tmp_path) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        firsts = list(threads.map(lambda number: ledgers[number].claim("x", f"urn:{number}"), range(8)))

    assert len(set(firsts)) == 1


def test_a_claim_grows_old_too(tmp_path: Path) -> None:
    """What the process of a killed run has claimed is free after a day."""
    Ledger(RUN, tmp_path).claim("x", "urn:a")
    (note,) = tmp_path.glob("*/*")
    before = time.time() - 25 * 3600
    os.utime(note, (before, before))

    assert Ledger(RUN, tmp_path).claim("x", "urn:b") == "urn:b"
    assert Ledger(RUN, tmp_path).claim("x", "urn:c") == "urn:b"


def test_without_an_engine_nobody_shares_it(tmp_path: Path) -> None:
    """A process that no engine started notes nothing."""
    alone = Ledger("", tmp_path)
    alone.note(TOKEN)
    assert [alone.claim("x", user) for user in ("urn:a", "urn:b")] == ["urn:a", "urn:b"]
    alone.strike(TOKEN)
    alone.close()

    assert not alone.has(TOKEN)
    assert list(tmp_path.iterdir()) == []


def test_a_user_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody says where Pulumi's home is nothing is noted; where somebody does it is there."""

    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("PULUMI_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    alone = Ledger(RUN)
    alone.note(TOKEN)
    assert not alone.has(TOKEN)

    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    ledger = Ledger(RUN)
    ledger.note(TOKEN)
    assert (ledger.has(TOKEN), list(tmp_path.iterdir())) == (True, [tmp_path / "intune-vpp"])


@pytest.mark.parametrize("token_id", ["../../escape", "a/b", "."])
def test_an_odd_id_stays_within(tmp_path: Path, token_id: str) -> None:
    """Whatever an id holds, its note is a file in the run's folder, for its owner alone."""
    ledger = Ledger(RUN, tmp_path / "notes")
    ledger.note(token_id)
    ledger.claim(f"revocation-{token_id}", "urn:a")

    assert ledger.has(token_id)
    (folder,) = (tmp_path / "notes").iterdir()
    notes = list(folder.iterdir())
    assert list(tmp_path.iterdir()) == [tmp_path / "notes"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(note.stat().st_mode) for note in notes] == [0o600] * 2


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Where there is no place for notes, nothing fails."""
    (tmp_path / "file").write_text("")
    ledger = Ledger(RUN, tmp_path / "file")
    ledger.note(TOKEN)
    assert ledger.claim("x", "urn:a") == "urn:a"
    ledger.strike(TOKEN)
    ledger.close()

    assert not ledger.has(TOKEN)
