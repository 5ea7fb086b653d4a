"""Which `pulumi` of the user's is good enough."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from pulumi_engine import on_path
from pulumi_engine.errors import UnavailableError
from pulumi_engine.progress import Progress
from tools import fakes

if TYPE_CHECKING:
    from tools.fakes import Machine


@pytest.mark.parametrize("version", ["v3.235.0", "3.259.0", "v3.300.1-alpha.1"])
def test_taken(machine: Machine, version: str) -> None:
    """One that is new enough and has a Python language host is taken, without a word."""
    fakes.pulumi(machine.path, version)
    fakes.script(machine.path / "pulumi-language-python", "")
    said = io.StringIO()
    assert on_path.take(Progress(said)) == machine.path
    assert not said.getvalue()


@pytest.mark.parametrize("version", ["v3.234.9", "v2.300.0", "v4.0.0", "hello"])
def test_passed_over(machine: Machine, version: str) -> None:
    """One that is too old, too new or tells no version is passed over with a sentence that names it."""
    found = fakes.pulumi(machine.path, version)
    fakes.script(machine.path / "pulumi-language-python", "")
    said = io.StringIO()
    with pytest.raises(UnavailableError, match=str(found)):
        on_path.take(Progress(said))
    assert said.getvalue().startswith(f"Not used: {found} ")


def test_failing(machine: Machine) -> None:
    """One that fails is passed over."""
    fakes.script(machine.path / "pulumi", "exit 1")
    with pytest.raises(UnavailableError, match="does not report its version"):
        on_path.take(Progress(io.StringIO()))


def test_without_host(machine: Machine) -> None:
    """One without a Python language host is passed over."""
    fakes.pulumi(machine.path, "v3.259.0")
    with pytest.raises(UnavailableError, match="no pulumi-language-python was found beside it or on PATH"):
        on_path.take(Progress(io.StringIO()))


def test_host_behind_a_link(machine: Machine) -> None:
    """The host may stand beside what a symbolic link on PATH leads to, as the engine itself looks there."""
    machine.path.mkdir()
    (machine.path / "pulumi").symlink_to(fakes.pulumi(machine.root / "opt", "v3.259.0"))
    fakes.script(machine.root / "opt" / "pulumi-language-python", "")
    assert on_path.take(Progress(io.StringIO())) == machine.path


def test_none(machine: Machine) -> None:
    """Where there is none, that is said by the caller, if at all."""
    said = io.StringIO()
    with pytest.raises(UnavailableError, match="There is no pulumi on PATH"):
        on_path.take(Progress(said))
    assert not machine.path.exists()
    assert not said.getvalue()
