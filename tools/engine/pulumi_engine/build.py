"""The third way: built from Pulumi's Go modules, which takes `go` and about five minutes on two cores."""

from __future__ import annotations

import os
import re
import shutil
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from . import commands, pins
from .errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .pins import GoModule
    from .progress import Progress

# Enforce the checksums, whatever GOFLAGS says; and keep Go's module cache removable.
MODULE_FLAGS = ("-mod=readonly", "-modcacherw")
_NO_DEBUG_INFORMATION = "-dwarf=false"
# The last pattern that matches a package counts.
COMPILER_FLAGS = (
    f"-gcflags=all=-N -l {_NO_DEBUG_INFORMATION}",
    *(f"-gcflags={packages}={_NO_DEBUG_INFORMATION}" for packages in pins.OPTIMIZED),
)
PYTHON_SCRIPT = "pulumi-language-python-exec"
SCRIPTS = (f"cmd/{PYTHON_SCRIPT}", "dist/pulumi-resource-pulumi-python")  # in the source of the SDK
LAST_LINES = 12
_SECONDS_BEFORE_AN_ESTIMATE = 15.0


def build(workshop: Path, progress: Progress, *, demo: bool = False) -> Path:
    """Build the engine and its language hosts in `workshop`, or only what the demonstration needs.

    Returns the folder of the binaries.
    """
    folder = workshop / "built" / "bin"
    folder.mkdir(parents=True)
    version = pins.ENGINE.version(f"{pins.PULUMI}/pkg/v3")
    cost = f"about {'five' if demo else 'six'} minutes on two cores and, temporarily, 4 GB of disk"
    progress.say(f"Building Pulumi {version} from source: {cost}.")
    modules = pins.BUILT_FOR_THE_DEMO if demo else (*pins.BUILT_FOR_THE_DEMO, *pins.BUILT_AS_WELL)
    go = _compile(modules, folder, workshop, progress)
    _copy_scripts(Path(go.environment["GOMODCACHE"]), folder)
    _name_hosts(folder)
    return folder


def add_hosts(engine: Path, workshop: Path, progress: Progress) -> Path:
    """Copy the engine that was built for the demonstration, and add the other hosts; the folder of the binaries."""
    folder = workshop / "built" / "bin"
    shutil.copytree(engine, folder, symlinks=True)
    progress.say("Building the other language hosts from source: about three minutes on two cores.")
    _compile(pins.BUILT_AS_WELL, folder, workshop, progress)
    _name_hosts(folder)
    return folder


def _compile(modules: Sequence[GoModule], folder: Path, workshop: Path, progress: Progress) -> _Go:
    go = _Go(_go_command(), _environment(workshop), progress)
    go.check(pins.ENGINE)
    for module in modules:
        go.build(module, folder / module.place)
    return go


def _go_command() -> Path:
    found = shutil.which("go")
    if found is None:
        raise UnavailableError("There is no go on PATH.")
    return Path(found)


def _environment(workshop: Path) -> dict[str, str]:
    """The user's environment with its proxies and checksum settings; our own caches, and this machine as target."""
    kept = {name: value for name, value in os.environ.items() if name not in {"GOOS", "GOARCH"}}
    folders = {name: workshop / name.lower() for name in ("GOMODCACHE", "GOCACHE", "GOTMPDIR")}
    for folder in folders.values():
        folder.mkdir()
    ours = {"CGO_ENABLED": "0", "GO111MODULE": "on", "GOWORK": "off"}
    # The compiler collects garbage less often: a twentieth less time, and up to 1 GB for a package.
    fast = {"GOGC": "400"}
    return fast | kept | ours | {name: str(folder) for name, folder in folders.items()}


def _copy_scripts(module_cache: Path, folder: Path) -> None:
    sdk = f"{pins.PULUMI}/sdk/v3"
    for script in SCRIPTS:
        source = module_cache / f"{sdk}@{pins.ENGINE.version(sdk)}" / "python" / script
        shutil.copyfile(source, folder / source.name).chmod(0o755)


def _name_hosts(folder: Path) -> None:
    """Name our own program as each host that has a runner."""
    # The Python runner expects its script beside itself.
    script = folder / pins.RUNNERS / PYTHON_SCRIPT
    for runner in script.parent.iterdir():
        if runner != script:
            (folder / runner.name).unlink(missing_ok=True)
            (folder / runner.name).symlink_to(pins.LANGUAGE_HOST)
    script.unlink(missing_ok=True)
    script.symlink_to(Path("..") / PYTHON_SCRIPT)


@dataclass(frozen=True, slots=True)
class _Go:
    path: Path
    environment: dict[str, str]
    progress: Progress

    def check(self, module: GoModule) -> None:
        """Refuse a Go that is too old. A Go that may download a newer one does so here."""
        output = self._run(module, ["env", "GOVERSION"], "looking at Go")
        said = " ".join((*output.others, *output.notes))  # such as `go1.26.0 X:boringcrypto`
        if _numbers(said) < _numbers(f"go{module.oldest_go}"):
            raise UnavailableError(f"Go {module.oldest_go} or newer is required; {self.path} is {said}.")

    def build(self, module: GoModule, folder: Path) -> None:
        """Build the module's commands. It downloads the modules first, so that the number of packages is known."""
        selected = (*MODULE_FLAGS, f"-tags={pins.GO_TAGS}")
        needed = self._run(module, ["list", "-deps", *selected, *module.commands], "fetching module {}")
        flags = ("-v", "-trimpath", *COMPILER_FLAGS, f"-ldflags={module.linker_flags}", f"-o={folder}{os.sep}")
        total = len(needed.others)
        self._run(module, ["build", *selected, *flags, *module.commands], f"compiling package {{}} of {total}", total)

    def _run(self, module: GoModule, arguments: Sequence[str], state: str, total: int = 0) -> _Output:
        output, started = _Output(), self.progress.clock()

        def heard(line: str | None) -> None:
            output.add(line)
            left = _left(self.progress.clock() - started, output.count, total)
            self.progress.update(f"{module.name}: {state.format(output.count)}{left}")

        command = [str(self.path), *arguments]
        status = commands.run(command, folder=module.folder, environment=self.environment, heard=heard)
        if status:
            raise UnavailableError(f"`go {arguments[0]}` ended with status {status}:\n{output.last_words}")
        return output


def _left(seconds: float, done: int, total: int) -> str:
    """Return about how long the rest takes, empty while that cannot be told: the last packages take longer."""
    if not 0 < done < total or seconds < _SECONDS_BEFORE_AN_ESTIMATE:
        return ""
    return f", about {max(round(seconds / done * (total - done) / 60), 1)} min more"


@dataclass(slots=True)
class _Output:
    """The output of Go: one line for each package or module; all other lines are messages."""

    others: list[str] = field(default_factory=list)
    downloads: int = 0
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))

    def add(self, line: str | None) -> None:
        if not line:
            return
        if line.startswith("go: downloading "):
            self.downloads += 1
        elif " " in line:
            self.notes.append(line)
        else:
            self.others.append(line)

    @property
    def count(self) -> int:
        return len(self.others) or self.downloads

    @property
    def last_words(self) -> str:
        return "\n".join(f"    {line}" for line in self.notes)


def _numbers(version: str) -> tuple[int, ...]:
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", version)
    return tuple(int(part or 0) for part in found.groups()) if found else (0,)
