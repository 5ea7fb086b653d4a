"""Building from source, with a fake Go."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_engine import build, commands, pins, shelf
from pulumi_engine.errors import UnavailableError
from pulumi_engine.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from tools.fakes import Machine

HOSTS = ("pulumi-language-go", "pulumi-language-nodejs", "pulumi-language-python")
SILENT = "import time; time.sleep(60)"


def built(workshop: Path) -> Path:
    """Build in `workshop`."""
    workshop.mkdir()
    return build.build(workshop, Progress(io.StringIO()))


def test_complete(machine: Machine) -> None:
    """What comes of it is a whole engine: the engine, its hosts, and the scripts out of the SDK's source."""
    machine.go()
    folder = built(machine.root / "workshop")
    assert shelf.complete(folder)
    assert (folder / "pulumi-language-yaml").exists()
    assert all((folder / host).exists() for host in HOSTS)


def test_runners(machine: Machine) -> None:
    """Our own program stands under the name of each host that has a runner, wherever the folder is put later."""
    machine.go()
    moved = built(machine.root / "workshop").rename(machine.root / "moved")
    assert {host: (moved / host).resolve() for host in HOSTS} == dict.fromkeys(HOSTS, moved / "language-host")
    runners = {each.name for each in (moved / "runners").iterdir() if each.exists()}
    assert runners == {*HOSTS, "pulumi-language-python-exec"}  # a script that the Python runner looks for there


def test_for_the_demonstration(machine: Machine) -> None:
    """The demonstration needs the engine and the Python host alone: the other hosts are not built."""
    machine.go()
    workshop = machine.root / "workshop"
    workshop.mkdir()
    folder = build.build(workshop, Progress(io.StringIO()), demo=True)
    assert shelf.complete(folder, pins.FOR_THE_DEMO)
    assert {each.name for each in folder.iterdir()} == {*pins.FOR_THE_DEMO, "language-host", "runners"}
    assert (folder / "pulumi-language-python").resolve() == folder / "language-host"
    assert (folder / "runners" / "pulumi-language-python-exec").exists()


def test_hosts_added(machine: Machine) -> None:
    """What the demonstration left out is added to a copy of its engine, without building the engine again."""
    machine.go()
    first, second = machine.root / "first", machine.root / "second"
    first.mkdir()
    second.mkdir()
    begun = build.build(first, Progress(io.StringIO()), demo=True)
    machine.go(build="assert not any(each.endswith('cmd/pulumi') for each in arguments)")
    folder = build.add_hosts(begun, second, Progress(io.StringIO()))
    assert shelf.complete(folder)
    assert not shelf.complete(begun)
    assert {(folder / host).resolve() for host in HOSTS} == {folder / "language-host"}
    assert (folder / "runners" / "pulumi-language-python-exec").exists()


def test_optimized_packages(machine: Machine) -> None:
    """No package is optimized but those in which a run spends its time: the last pattern that matches counts."""
    seen = machine.root / "seen"
    machine.go(build=f"pathlib.Path({str(seen)!r}).write_text(chr(10).join(arguments))")
    built(machine.root / "workshop")
    patterns = [line.split("=") for line in seen.read_text().splitlines() if line.startswith("-gcflags=")]
    assert patterns[0][1:3] == ["all", "-N -l -dwarf"]
    assert [pattern[1] for pattern in patterns[1:]] == list(pins.OPTIMIZED)
    assert not any("-N" in part or "-l" in part for pattern in patterns[1:] for part in pattern[2:])


@pytest.mark.parametrize("version", ["go1.26.5", "go1.20", "devel"])
def test_old_go(machine: Machine, version: str) -> None:
    """A Go that is too old is named with the version that is needed."""
    machine.go(version=version)
    with pytest.raises(
        UnavailableError, match=f"Go {re.escape(pins.ENGINE.oldest_go)} or newer is required; .* is {version}"
    ):
        built(machine.root / "workshop")


def test_unusual_go(machine: Machine) -> None:
    """A Go of one's own, or one with experiments, says more than its number and will do."""
    for version in (f"go{pins.ENGINE.oldest_go} X:boringcrypto", "devel go1.99-abcdef Sat Nov 21"):
        machine.go(version=version)
        assert shelf.complete(built(machine.root / version))


def test_no_go(machine: Machine) -> None:
    """Without Go it says so."""
    with pytest.raises(UnavailableError, match="There is no go on PATH"):
        built(machine.root / "workshop")


def test_last_words(machine: Machine) -> None:
    """When Go fails, the last of what it wrote stands in the sentence."""
    machine.go(build="sys.exit('main.go:1:1: no space left on device')")
    with pytest.raises(UnavailableError, match=r"`go build` ended with status 1:\n    main\.go:1:1: no space left"):
        built(machine.root / "workshop")


def test_own_caches(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go's caches are of this build alone, on the same disk; its settings of checksums are the user's."""
    monkeypatch.setenv("GOMODCACHE", "/elsewhere")
    monkeypatch.setenv("GOOS", "plan9")
    monkeypatch.setenv("GOSUMDB", "off")
    seen = machine.root / "seen"
    names = ("GOMODCACHE", "GOCACHE", "GOTMPDIR", "GOOS", "GOSUMDB")
    machine.go(build=f"pathlib.Path({str(seen)!r}).write_text(repr([os.environ.get(each) for each in {names}]))")
    workshop = machine.root / "workshop"
    built(workshop)
    folders = [str(workshop / name) for name in ("gomodcache", "gocache", "gotmpdir")]
    assert seen.read_text() == repr([*folders, None, "off"])


def test_silence_is_heard(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a command is silent the clock goes on being shown."""
    monkeypatch.setattr(commands, "TICK", 0.01)
    go = machine.go(build="import time; time.sleep(0.2); print('example/one')")
    heard: list[str | None] = []
    go_build = [str(go), "build", f"-o={machine.root}/"]
    assert commands.run(go_build, folder=machine.root, environment=dict(os.environ), heard=heard.append) == 0
    assert None in heard
    assert [line for line in heard if line is not None] == ["example/one"]


@pytest.mark.parametrize("ending", commands.ENDINGS)
def test_interrupted_while_it_starts(machine: Machine, monkeypatch: pytest.MonkeyPatch, ending: signal.Signals) -> None:
    """A signal that comes while Go is being started ends what was started."""
    started: list[subprocess.Popen[str]] = []

    class Interrupted(subprocess.Popen[str]):
        def __init__(self, *args: Any, **options: Any) -> None:
            started.append(self)
            super().__init__(*args, **options)
            signal.raise_signal(ending)

    before = signal.signal(ending, signal.default_int_handler)
    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            commands.run(
                [str(machine.go(build=SILENT)), "build"], folder=machine.root, environment=os.environ, heard=print
            )
        assert signal.getsignal(ending) is signal.default_int_handler
    finally:
        signal.signal(ending, before)
    assert [one.returncode for one in started] == [-signal.SIGKILL]


@pytest.mark.parametrize("ending", commands.ENDINGS)
def test_interrupted(machine: Machine, ending: signal.Signals) -> None:
    """Ctrl-C ends Go and Go's own children, leaves nothing half-built, and shows no traceback."""
    alive = machine.root / "alive"  # open for writing as long as one of them runs
    os.mkfifo(alive)
    child = f"subprocess.Popen([sys.executable, '-c', {SILENT!r}], pass_fds=[alive])"
    machine.go(
        build=f"import subprocess; alive = os.open({str(alive)!r}, os.O_WRONLY); {child}; "
        f"os.write(alive, b'x'); {SILENT}"
    )
    with machine.start() as process, alive.open("rb", buffering=0) as pulse:
        assert pulse.read(1) == b"x"
        process.send_signal(ending)
        _, errors = process.communicate(timeout=30)
        assert pulse.read(1) == b""
    assert process.returncode == 130
    assert errors.endswith("Stopped. The next run starts over.\n")
    assert "Traceback" not in errors
    assert not machine.left()


@pytest.mark.parametrize(
    ("seconds", "done", "total", "said"),
    [
        (5.0, 100, 200, ""),
        (60.0, 0, 200, ""),
        (60.0, 50, 0, ""),
        (60.0, 200, 200, ""),
        (60.0, 50, 200, ", about 3 min more"),
        (60.0, 199, 200, ", about 1 min more"),
    ],
)
def test_how_long_the_rest_takes(seconds: float, done: int, total: int, said: str) -> None:
    """The progress says how long the rest takes, once that can be told from what is done."""
    assert build._left(seconds, done, total) == said
