"""A project in YAML on the plugin, written anew before each command from what a test wants."""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from harness import PLUGIN_TYPE, Project, Tenant

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

PLUGIN = "pulumi-resource-intune-vpp"


@dataclass
class YamlProject(Project):
    """A Pulumi project whose tokens are declared in YAML; `more` is whatever else its program says."""

    type: str = PLUGIN_TYPE
    more: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def start(cls, folder: Path, engine: dict[str, str], tenant: Tenant, program: str = "") -> Self:
        """Write the program and make the stack."""
        del program
        work = folder / "project"
        work.mkdir()
        install_command(folder / "plugin" / PLUGIN, "intune_vpp")
        return cls.open(work, engine, tenant)

    def begin(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start one command, with the program as it is wanted now."""
        # What is JSON is YAML.
        (self.folder / "Pulumi.yaml").write_text(json.dumps(self._program(), indent=2))
        return super().begin(*arguments, **environment)

    def stack_outputs(self) -> dict[str, Any]:
        """The outputs of the stack, secrets opened."""
        found: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json", "--show-secrets").text)
        return found

    def _program(self) -> dict[str, Any]:
        tokens = {name: _resource(given) for name, given in self.wanted.items()}
        acts = {name: self._operation(**given) for name, given in self.acts.items()}
        return {
            "name": "story",
            "runtime": "yaml",
            "plugins": {"providers": [{"name": "intune-vpp", "path": "../plugin"}]},
            **self.more,
            "resources": {**self.more.get("resources", {}), **tokens, **acts},
            "outputs": {**{name: f"${{{name}.state}}" for name in tokens}, **self.more.get("outputs", {})},
        }

    def _operation(self, *, kind: str, opts: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
        members = {_camel(name): value for name, value in given.items()}
        if members.get("vppTokenId") in self.wanted:
            members["vppTokenId"] = f"${{{members['vppTokenId']}.id}}"
        return {
            "type": f"intune-vpp:index:{kind}",
            "properties": members,
            "options": {_camel(name): value for name, value in (opts or {}).items()},
        }


def install_command(path: Path, *arguments: str, python: str = sys.executable) -> None:
    """Make a command of a module and its first arguments: a Python, with the packages that it finds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec "{python}" -m {" ".join(arguments)} "$@"\n')
    path.chmod(0o755)


def traces(folder: Path, *shown: str) -> list[str]:
    """Where secrets of the token files of a folder are to be found: in what was shown, and in any other file there."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    texts = [path.read_text().strip() for path in files if path.suffix == ".vpptoken"]
    assert texts, "there was nothing to search for"
    needles = [needle for text in texts for needle in (text, json.loads(base64.b64decode(text))["token"])]
    haystacks = {str(path): path.read_bytes().decode(errors="replace") for path in files if path.suffix != ".vpptoken"}
    assert any("/state/.pulumi/" in name for name in haystacks), "the state was not searched"
    haystacks |= {f"shown as number {number}": text for number, text in enumerate(shown, start=1)}
    return [name for name, text in haystacks.items() if any(needle in text for needle in needles)]


def _resource(given: dict[str, Any]) -> dict[str, Any]:
    members = {_camel(name): value for name, value in given.items() if value is not None}
    options = members.pop("opts", {})
    token = members.get("token")
    if isinstance(token, str):
        members["token"] = {"fn::fileAsset": token}
    return {
        "type": PLUGIN_TYPE,
        "properties": members,
        "options": {_camel(name): value for name, value in options.items()},
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
