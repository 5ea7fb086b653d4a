"""The SDKs that `pulumi package gen-sdk` writes from schema.json, as packages of their languages."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from release import tarball
from release.commands import ROOT, DistError, find, run
from release.versions import version

if TYPE_CHECKING:
    from collections.abc import Callable


def python(source: Path, out: Path) -> None:
    """A wheel and a source distribution."""
    run(sys.executable, "-m", "build", "--outdir", str(out), folder=source)


def nodejs(source: Path, out: Path) -> None:
    """A tarball of npm with the compiled SDK."""
    npm = find("npm")
    run(npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", folder=source)
    run(npm, "run", "build", folder=source)
    for file in ("package.json", "README.md"):
        shutil.copyfile(source / file, source / "bin" / file)
    run(npm, "pack", "--pack-destination", str(out), folder=source / "bin")


def go(source: Path, out: Path) -> None:
    """The folder of the module, in an archive: a Go module is published by a tag of the repository."""
    run(find("go"), "mod", "tidy", folder=source, environment={"GOWORK": "off"})
    tarball.pack(source, out / f"intune-vpp-sdk-go-v{version()}.tar.gz")


def dotnet(source: Path, out: Path) -> None:
    """A package of NuGet."""
    options = ("--configuration", "Release", f"-p:Version={version()}", "--output", str(out))
    run(find("dotnet"), "pack", *options, folder=source)


def java(source: Path, out: Path) -> None:
    """The JAR files, and the Gradle project that publishes them."""
    archive = out / f"intune-vpp-sdk-java-v{version()}.tar.gz"
    tarball.pack(source, archive)
    run(find("gradle"), "build", folder=source, environment={"PACKAGE_VERSION": version()})
    for jar in (source / "build" / "libs").glob("*.jar"):
        shutil.copyfile(jar, out / jar.name)


_PACKERS = {"python": python, "nodejs": nodejs, "go": go, "dotnet": dotnet, "java": java}
_TOOLS = {"nodejs": "npm", "go": "go", "dotnet": "dotnet", "java": "gradle"}


def build(language: str, out: Path) -> None:
    """Write the SDK of a language and pack it.

    Raises MissingToolError if a tool of the language, or Pulumi's host of it, is missing. Raises DistError if a tool
    fails.
    """
    if language in _TOOLS:
        find(_TOOLS[language])
    engine = _engine()
    find(f"pulumi-language-{language}", path=engine["PATH"])
    with tempfile.TemporaryDirectory(prefix="intune-vpp-dist-") as work:
        schema = str(ROOT / "schema.json")
        written = ("package", "gen-sdk", schema, "--language", language, "--out", work)
        home = {"PULUMI_HOME": str(Path(work) / "home")}
        run(find("pulumi", path=engine["PATH"]), *written, environment={**engine, **home})
        source = Path(work) / language
        shutil.copyfile(ROOT / "LICENSE", source / "LICENSE")
        _PACKERS[language](source, out)


LANGUAGES: dict[str, Callable[[Path], None]] = {language: partial(build, language) for language in _PACKERS}


def _engine() -> dict[str, str]:
    """Return the variables of the engine that `make engine` provides."""
    command = [sys.executable, str(ROOT / "tools" / "engine"), "--ready", "--json"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        raise DistError("There is no engine that writes SDKs: run `make engine` first.")
    environment: dict[str, str] = json.loads(found.stdout.splitlines()[-1])["environment"]
    return environment
