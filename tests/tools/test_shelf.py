"""The place of an engine: whole or not at all, made by one at a time."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING

import pytest

from pulumi_engine import pins
from pulumi_engine.progress import Progress
from pulumi_engine.shelf import Shelf, cache
from tools import fakes

if TYPE_CHECKING:
    from pathlib import Path

    from tools.fakes import Machine


@pytest.fixture
def shelf(machine: Machine) -> Shelf:
    """The place that the pins name."""
    machine.engines.mkdir(parents=True)
    return Shelf.of_the_pins()


def test_at_once(shelf: Shelf) -> None:
    """An engine is put into place by a rename: until then nothing stands there, afterwards all of it."""
    with shelf.workshop(Progress(io.StringIO())) as workshop:
        made = fakes.engine(workshop / "made" / "bin")
        inode = made.stat().st_ino
        assert not shelf.filled()
        assert not shelf.folder.parent.exists()
        shelf.put(made.parent)
        assert shelf.filled()
        assert shelf.folder.stat().st_ino == inode


def test_workshop_goes(shelf: Shelf, machine: Machine) -> None:
    """The place of work is removed after a failure too, with whatever stands in it."""

    def fail() -> None:
        with shelf.workshop(Progress(io.StringIO())) as workshop:
            fakes.engine(workshop / "made" / "bin")
            raise OSError

    with pytest.raises(OSError, match=r"^$"):
        fail()
    assert not machine.left()


def test_killed_run(shelf: Shelf, machine: Machine) -> None:
    """What a run that was killed has left behind is removed by the next."""
    fakes.engine(machine.engines / ".making-old" / "bin")
    with shelf.workshop(Progress(io.StringIO())) as workshop:
        assert machine.left() == [workshop.name]


@pytest.mark.parametrize("missing", fakes.PROGRAMS)
def test_incomplete(shelf: Shelf, tmp_path: Path, missing: str) -> None:
    """A folder that lacks a program is not taken for an engine, and is replaced by a whole one."""
    fakes.engine(shelf.folder)
    (shelf.folder / missing).unlink()
    assert not shelf.filled()
    shelf.put(fakes.engine(tmp_path / "made" / "bin").parent)
    assert shelf.filled()


def test_two_at_once(shelf: Shelf, machine: Machine) -> None:
    """A second run waits for the first, says so, and takes what the first has made."""
    machine.path.mkdir()
    with shelf.locked(Progress(io.StringIO())):
        second = machine.start()
        assert second.stderr is not None
        assert second.stderr.readline() == "Another process is installing the engine. Waiting for it.\n"
        fakes.engine(shelf.folder)
    output, errors = second.communicate(timeout=30)
    assert (output, errors, second.returncode) == (f"{shelf.folder}\n", "", 0)


def test_cache(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache is where XDG_CACHE_HOME says, else below the home folder."""
    assert cache() == machine.root / "cache" / "intune-vpp"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache() == machine.root / ".cache" / "intune-vpp"


def test_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another checksum, of the download or of a module, is another place; so is another line of our own program."""
    before = pins.key()
    shutil.copytree(pins.GO_FOLDER, tmp_path / "go")
    monkeypatch.setattr(pins, "GO_FOLDER", tmp_path / "go")
    assert pins.key() == before
    with (tmp_path / "go" / "engine" / "go.sum").open("a") as sums:
        sums.write("example.test/module v1.0.0 h1:=\n")
    other_module = pins.key()
    (tmp_path / "go" / "engine" / "language-host" / "more.go").write_text("package main\n")
    other_program = pins.key()
    monkeypatch.setitem(pins.DOWNLOAD_SHA256, pins.platform_name(), "0" * 64)
    assert len({before, other_module, other_program, pins.key()}) == 4
