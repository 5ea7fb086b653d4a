"""The SDKs that Pulumi writes from the plugin, compiled. What writes them in a built engine: tools/engine/README.md."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from harness import PROXIES, ROOT
from project import PLUGIN, install_command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECONDS = 900
"""Go first compiles Pulumi's own SDK, where nothing has done so before; the others are done in half a minute."""

_SHOWN = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Sdk(ABC):
    """An SDK in a folder, and the tools of its language."""

    folder: Path
    environment: Mapping[str, str]

    language: ClassVar[str]
    """As `--language` has it."""
    shown_as: ClassVar[str]
    """As the schema marks programs."""
    needs: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[str | None] = None
    display_name: ClassVar[str] = "displayName"
    """How a program spells that input."""

    @abstractmethod
    def compile(self) -> None:
        """Compile the SDK, with all that it needs."""

    @abstractmethod
    def check(self, programs: Mapping[str, str], folder: str) -> subprocess.CompletedProcess[str]:
        """Compile programs that use it, in a folder of their own."""

    def programs(self) -> dict[str, str]:
        """Every program of this language in the schema's descriptions, and the example's."""
        shown = {
            f"{kind}_{number}": program
            for kind, description in _descriptions()
            for number, (language, program) in enumerate(_SHOWN.findall(description))
            if language == self.shown_as
        }
        if self.example is not None:
            shown["example"] = (ROOT / "examples" / self.example).read_text()
        return shown

    def run(self, *command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a tool, in the SDK's folder unless another one is named."""
        return subprocess.run(
            command,
            cwd=folder or self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS - 20,
            check=False,
        )

    def must(self, *command: str) -> None:
        """Run a tool that must find nothing wrong."""
        done = self.run(*command)
        assert done.returncode == 0, done.stdout


class Python(Sdk):
    """Installed, byte-compiled and imported; programs pass the strict checks of mypy."""

    language = "python"
    shown_as = "python"
    display_name = "display_name"

    def compile(self) -> None:
        """Install it into an environment of its own."""
        venv.create(self._venv, with_pip=True)
        install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        self.must(str(self._python), *install, "--constraint", str(ROOT / "constraints.txt"), ".")
        self.must(str(self._python), "-m", "compileall", "-q", "pulumi_intune_vpp")
        self.must(str(self._python), "-I", "-c", "import pulumi_intune_vpp, pulumi_intune_vpp.config")

    def check(self, programs: Mapping[str, str], folder: str) -> subprocess.CompletedProcess[str]:
        """Ask mypy, which finds the SDK there."""
        place = self.folder.parent / folder
        place.mkdir()
        for name, program in programs.items():
            (place / f"{name}.py").write_text(program)
        options = (
            "--strict",
            "--config-file=",
            f"--cache-dir={place / 'cache'}",
            f"--python-executable={self._python}",
        )
        # Elsewhere, or it would check the source beside it, which the generator does not write for strict checks.
        return self.run(sys.executable, "-m", "mypy", *options, ".", folder=place)

    @property
    def _venv(self) -> Path:
        return self.folder.parent / "venv"

    @property
    def _python(self) -> Path:
        return self._venv / "bin" / "python"


class TypeScript(Sdk):
    """Compiled by its own script; programs import what would be published."""

    language = "nodejs"
    shown_as = "typescript"
    needs = ("node", "npm")
    example = "05-typescript/index.ts"

    def compile(self) -> None:
        """Run its own script, and put the description where a published package has it."""
        self.must("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
        self.must("npm", "run", "build")
        shutil.copyfile(self.folder / "package.json", self.folder / "bin" / "package.json")

    def check(self, programs: Mapping[str, str], folder: str) -> subprocess.CompletedProcess[str]:
        """Ask tsc, with the options of the example."""
        place = self.folder / folder
        place.mkdir()
        for name, program in programs.items():
            (place / f"{name}.ts").write_text(program)
        options = json.loads((ROOT / "examples" / "05-typescript" / "tsconfig.json").read_text())["compilerOptions"]
        options |= {"types": ["node"], "skipLibCheck": True, "paths": {"pulumi-intune-vpp": ["../bin"]}, "baseUrl": "."}
        (place / "tsconfig.json").write_text(json.dumps({"compilerOptions": options}))
        return self.run("node_modules/.bin/tsc", "--project", folder)


class Go(Sdk):
    """Built and vetted; programs are packages of the same module."""

    language = "go"
    shown_as = "go"
    needs = ("go",)
    example = "06-go/main.go"
    display_name = "DisplayName"

    def compile(self) -> None:
        """Build and vet it, with the version of Pulumi's SDK in the example.

        The generator names the oldest that it allows, and not every module proxy has all that this one depends on.
        """
        example = (ROOT / "examples" / "06-go" / "go.mod").read_text()
        required = re.search(r"^require (\S+) (\S+)$", example, re.MULTILINE)
        assert required is not None
        self.must("go", "mod", "edit", f"-require={required[1]}@{required[2]}")
        self.must("go", "mod", "tidy")
        self.must("go", "build", "./...")
        self.must("go", "vet", "./...")

    def check(self, programs: Mapping[str, str], folder: str) -> subprocess.CompletedProcess[str]:
        """Vet packages of the same module."""
        for name, program in programs.items():
            place = self.folder / folder / name
            place.mkdir(parents=True)
            (place / "main.go").write_text(program)
        return self.run("go", "vet", f"./{folder}/...")


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("kind", [Python, TypeScript, Go], ids=lambda kind: kind.language)
def test_gen_sdk(kind: type[Sdk], engine: dict[str, str], tmp_path: Path) -> None:
    """What `pulumi package gen-sdk` writes compiles, and so does every program that we show; a wrong name does not."""
    sdk = _written(kind, engine, tmp_path)
    sdk.compile()
    programs = sdk.programs()
    assert {"VppToken", "getVppToken", "getVppTokens", "parseTokenFile"} <= {name.split("_")[0] for name in programs}
    checked = sdk.check(programs, "programs")
    assert checked.returncode == 0, checked.stdout
    right = next(program for name, program in programs.items() if name.startswith("VppToken"))
    wrong = right.replace(sdk.display_name, f"{sdk.display_name}s")
    refused = sdk.check({"wrong": wrong}, "wrong")
    assert refused.returncode != 0
    assert f"{sdk.display_name}s" in refused.stdout


def _written(kind: type[Sdk], engine: dict[str, str], folder: Path) -> Sdk:
    """The SDK that `pulumi package gen-sdk` writes from the plugin."""
    host = f"pulumi-language-{kind.language}"
    for required in (host, *kind.needs):
        if shutil.which(required, path=engine["PATH"]) is None:
            pytest.skip(f"needs {required}, which is neither on PATH nor beside pulumi")
    install_command(folder / "plugin" / PLUGIN, "intune_vpp")
    own = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI")}
    sdk = kind(folder, {**own, **PROXIES, **engine, "PULUMI_HOME": str(folder / "home"), "GOWORK": "off"})
    source = str(folder / "plugin" / PLUGIN)
    sdk.must("pulumi", "package", "gen-sdk", source, "--language", kind.language, "--out", "sdk")
    return kind(folder / "sdk" / kind.language, sdk.environment)


def _descriptions() -> list[tuple[str, str]]:
    """The descriptions of resources and functions, each with the name of what it describes."""
    schema: dict[str, Any] = json.loads((ROOT / "schema.json").read_text())
    described = {**schema["resources"], **schema["functions"]}
    return [(token.rpartition(":")[2], found["description"]) for token, found in described.items()]
