"""Fake programs and a fake machine to run them on."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pulumi_engine import pins

ENGINE_TOOL = Path(__file__).resolve().parents[2] / "tools" / "engine"
PROGRAMS = (
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resource-pulumi-python",
    "pulumi-language-yaml",
    "pulumi-language-nodejs",
    "pulumi-language-go",
)

GO = """
import os, pathlib, sys
verb, arguments = sys.argv[1], sys.argv[2:]
if verb == "env":
    print({version!r})
elif verb == "list":
    for name in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
        script = pathlib.Path(os.environ["GOMODCACHE"], {sdk!r}, "python", name)
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text("a script")
    print("go: downloading example.test/module v1.0.0", "example/one", "example/two", sep="\\n")
elif verb == "build":
    {build}
    folder = pathlib.Path(next(each[3:] for each in arguments if each.startswith("-o=")))
    folder.mkdir(exist_ok=True)
    for command in (each for each in arguments if not each.startswith("-")):
        program = folder / command.rpartition("/")[2]
        program.write_text("#!/bin/sh\\necho v3.259.0\\n")
        program.chmod(0o755)
"""


def script(path: Path, body: str, interpreter: str = "/bin/sh") -> Path:
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{interpreter}\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def pulumi(folder: Path, version: str) -> Path:
    """A `pulumi` that says `version`, and nothing else."""
    return script(folder / "pulumi", f"echo {version}")


def engine(folder: Path) -> Path:
    """A folder with all the programs of an engine."""
    for name in PROGRAMS:
        script(folder / name, "echo v3.259.0")
    return folder


@dataclass(frozen=True, slots=True)
class Machine:
    """A PATH of one folder, a cache, and nothing else."""

    root: Path

    @property
    def path(self) -> Path:
        """The one folder of PATH."""
        return self.root / "path"

    @property
    def engines(self) -> Path:
        """Where engines are kept."""
        return self.root / "cache" / "intune-vpp" / "engine"

    @property
    def variables(self) -> dict[str, str]:
        """The environment."""
        closed = "http://127.0.0.1:1"
        folders = {"PATH": str(self.path), "XDG_CACHE_HOME": str(self.root / "cache"), "HOME": str(self.root)}
        return folders | {"https_proxy": closed, "HTTPS_PROXY": closed, "no_proxy": "127.0.0.1"}

    def go(self, *, version: str = f"go{pins.ENGINE.oldest_go}", build: str = "pass") -> Path:
        """Put a `go` on PATH that builds in no time, after the Python statement `build`."""
        sdk = f"{pins.PULUMI}/sdk/v3"
        body = GO.format(version=version, sdk=f"{sdk}@{pins.ENGINE.version(sdk)}", build=build)
        return script(self.path / "go", body, f"{sys.executable} -IS")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `python tools/engine`."""
        command = [sys.executable, str(ENGINE_TOOL), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self.variables, stdout=pipe, stderr=pipe, text=True)

    def run(self, *arguments: str) -> tuple[int | None, str, str]:
        """Run `python tools/engine`: exit status, output, errors."""
        with self.start(*arguments) as process:
            output, errors = process.communicate(timeout=30)
        return process.returncode, output, errors

    def left(self) -> list[str]:
        """What stands in the folder of engines, but for the lock."""
        return sorted(each.name for each in self.engines.glob("*") if each.name != ".lock")
