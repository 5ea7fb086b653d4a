"""`python tools/engine` as a person, the demonstration and the tests call it."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from pulumi_engine import pins
from pulumi_engine.environment import environment
from pulumi_engine.progress import Progress
from pulumi_engine.shelf import Shelf
from tools import fakes

if TYPE_CHECKING:
    from pathlib import Path

    from tools.fakes import Machine


def test_builds_once(machine: Machine) -> None:
    """The first run builds and the last line of its output is the folder; the second only says it."""
    machine.go()
    folder = Shelf.of_the_pins().folder
    status, output, errors = machine.run()
    assert (status, output.splitlines()[-1]) == (0, str(folder))
    assert "from source: about six minutes" in errors
    assert machine.left() == [folder.parent.name]
    (machine.path / "go").unlink()
    assert machine.run() == (0, f"{folder}\n", "")


def test_demo_first(machine: Machine) -> None:
    """With --demo only a part is built; the next run without it adds the rest, and one with it takes the whole."""
    machine.go()
    folder = Shelf.of_the_pins().folder
    status, output, errors = machine.run("--demo")
    assert (status, output) == (0, f"{folder}\n")
    assert "from source: about five minutes" in errors
    assert machine.run("--ready", "--demo") == (0, f"{folder}\n", "")
    partly = "There is no pulumi on PATH. The installed engine runs Python programs only: run `make engine` first.\n"
    assert machine.run("--ready") == (1, "", partly)
    status, output, errors = machine.run()
    assert (status, output) == (0, f"{folder}\n")
    assert "Building the other language hosts" in errors
    (machine.path / "go").unlink()
    assert machine.run("--ready") == machine.run("--demo") == (0, f"{folder}\n", "")


def test_hosts_not_added(machine: Machine) -> None:
    """If the other hosts cannot be built, the engine of the demonstration stays."""
    machine.go()
    assert machine.run("--demo")[0] == 0
    machine.go(build="sys.exit('main.go:1:1: no space left on device')")
    status, _, errors = machine.run()
    assert status == 1
    assert "built from source: `go build` ended with status 1" in errors
    assert machine.run("--ready", "--demo")[0] == 0


def test_no_way(machine: Machine) -> None:
    """When no way works, one line says why for each and one what to do; nothing is left and nothing is traced."""
    fakes.pulumi(machine.path, "v3.100.0")
    machine.go(version="go1.21.3")
    status, output, errors = machine.run()
    assert (status, output) == (1, "")
    lines = errors[errors.index("No Pulumi engine was found") :].splitlines()
    assert lines[1].startswith(f"  pulumi on PATH: {machine.path / 'pulumi'} is 3.100.0;")
    assert lines[2].startswith("  the vendor's build: ")
    assert lines[3].startswith("  built from source: Go ")
    assert lines[4].startswith("Install Pulumi (https://www.pulumi.com/docs/install/) or Go ")
    assert len(lines) == 5
    assert "Traceback" not in errors
    assert not machine.left()


def test_broken_result(machine: Machine) -> None:
    """An engine that does not run is not put into place."""
    script = machine.go()
    script.write_text(script.read_text().replace("echo v3.259.0", "exit 1"))
    status, _, errors = machine.run()
    assert status == 1
    assert "built from source: The result does not run on this machine." in errors
    assert not machine.left()


def test_cache_not_writable(machine: Machine) -> None:
    """A cache that cannot be written to is a sentence."""
    machine.engines.parent.parent.write_text("a file where a folder should be")
    status, _, errors = machine.run()
    assert status == 1
    assert errors.startswith("The engine could not be installed: ")
    assert len(errors.splitlines()) == 1


def test_ready(machine: Machine) -> None:
    """With --ready nothing is ever made: it takes what is there, or says what to run."""
    machine.go()
    status, output, errors = machine.run("--ready")
    assert (status, output) == (1, "")
    assert errors == "There is no pulumi on PATH. No engine has been installed yet: run `make engine` first.\n"
    assert not machine.left()
    fakes.engine(Shelf.of_the_pins().folder)
    assert machine.run("--ready")[0] == 0


def test_json(machine: Machine) -> None:
    """With --json the last line is the folder and the variables of an isolated run."""
    fakes.engine(machine.path)
    status, output, _ = machine.run("--json", "--home", str(machine.root / "home"))
    answer = json.loads(output.splitlines()[-1])
    assert status == 0
    assert answer["folder"] == str(machine.path)
    assert answer["environment"]["PULUMI_HOME"] == str(machine.root / "home")
    assert answer["environment"]["PULUMI_PYTHON_CMD"] == sys.executable
    assert answer["environment"]["PATH"].endswith(f"{os.pathsep}{machine.path}")


def test_environment(tmp_path: Path) -> None:
    """The engine is first on PATH, then the interpreter; a virtual environment is named where there is one."""
    python = tmp_path / "venv" / "bin" / "python"
    plain = environment(tmp_path / "engine", python=python, home=tmp_path / "home", path="/usr/bin")
    assert plain["PATH"].split(os.pathsep) == [str(tmp_path / "engine"), str(python.parent), "/usr/bin"]
    assert plain["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert "VIRTUAL_ENV" not in plain
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    virtual = environment(tmp_path / "engine", python=python, home=tmp_path / "home", path="/usr/bin")
    assert virtual["VIRTUAL_ENV"] == str(tmp_path / "venv")


def test_log_stays_short() -> None:
    """Where lines stay, the state is written every eight seconds, not at each change."""
    times = iter([0.0, *range(100)])
    stream = io.StringIO()
    progress = Progress(stream, clock=lambda: next(times))
    for count in range(100):
        progress.update(f"package {count}")
    assert stream.getvalue().splitlines() == [f"  package {count} ({count} s)" for count in range(8, 100, 8)]


def test_closed_terminal() -> None:
    """A terminal that was closed does not keep a run from cleaning up."""

    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    Progress(Gone()).say("Nobody reads this.")


def test_terminal_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the state is one line that is rewritten and never wraps; a sentence takes its place."""
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((20, 24)))
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    progress = Progress(stream, clock=lambda: 0.0)
    progress.update("a state that is longer than the terminal is wide")
    progress.say("A sentence.")
    assert stream.getvalue() == "\r\x1b[K  a state that is l\r\x1b[KA sentence.\n"


@pytest.mark.parametrize(
    ("system", "machine_name", "vendor"),
    [
        ("Linux", "x86_64", "linux-x64"),
        ("Linux", "aarch64", "linux-arm64"),
        ("Darwin", "x86_64", "darwin-x64"),
        ("Darwin", "arm64", "darwin-arm64"),
    ],
)
def test_pinned(monkeypatch: pytest.MonkeyPatch, system: str, machine_name: str, vendor: str) -> None:
    """For each platform of developers the vendor's file is pinned by its name and its checksum."""
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine_name)
    pinned = pins.tarball()
    assert pinned is not None
    assert pinned.address == f"https://get.pulumi.com/releases/sdk/pulumi-v{pins.DOWNLOAD_VERSION}-{vendor}.tar.gz"
    assert len(bytes.fromhex(pinned.sha256)) == 32


def test_stamps() -> None:
    """The engine gets its version, without which the Automation API refuses it."""
    version = pins.ENGINE.version(f"{pins.PULUMI}/pkg/v3")
    assert f"-X {pins.PULUMI}/sdk/v3/go/common/version.Version={version}" in pins.ENGINE.linker_flags
