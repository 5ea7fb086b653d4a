"""A Pulumi project that the real `pulumi` runs: in Python on the dynamic door, or in YAML on the plugin."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from harness import SECONDS_FOR_A_COMMAND

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Tenant

DYNAMIC_TYPE = "pulumi-python:dynamic/intune-vpp:VppToken"
PLUGIN_TYPE = "intune-vpp:index:VppToken"
PLUGIN = "pulumi-resource-intune-vpp"

PROGRAM = """\
import json, os
import pulumi
from intune_vpp import dynamic
from intune_vpp.dynamic import VppToken

declared, operations, tokens = json.loads(os.environ["TOKENS"]), json.loads(os.environ["OPERATIONS"]), {}
for name, given in declared.items():
    options = pulumi.ResourceOptions(**given.pop("opts", {}))
    token = given.pop("token", None)
    token = pulumi.FileAsset(token) if token else None
    tokens[name] = made = VppToken(name, token=token, opts=options, **given)
    pulumi.export(name, {"state": made.state, "sync": made.last_sync_status, "file": made.token_file})
for name, given in operations.items():
    kind = getattr(dynamic, given.pop("kind"))
    if given.get("vpp_token_id") in tokens:
        given["vpp_token_id"] = tokens[given["vpp_token_id"]].id
    kind(name, opts=pulumi.ResourceOptions(**given.pop("opts", {})), **given)
"""
"""A program that declares the tokens and operations that the environment names."""


@dataclass
class Command:
    """What one command of `pulumi` did."""

    ok: bool
    text: str

    def errors(self) -> str:
        """The lines that say what went wrong."""
        return "\n".join(line for line in self.text.splitlines() if "error" in line.lower())


@dataclass
class Project:
    """A Pulumi project with a stack, in a folder of its own."""

    folder: Path
    environment: dict[str, str]
    declared: dict[str, dict[str, Any]] = field(default_factory=dict)
    displayed: list[str] = field(default_factory=list)
    operations: dict[str, dict[str, Any]] = field(default_factory=dict)
    type: str = DYNAMIC_TYPE

    @classmethod
    def start(cls, folder: Path, engine: dict[str, str], tenant: Tenant, program: str = PROGRAM) -> Self:
        """Write the program and make the stack."""
        work = folder / "project"
        work.mkdir()
        (work / "Pulumi.yaml").write_text("name: contoso\nruntime: python\n")
        (work / "__main__.py").write_text(program)
        return cls.open(work, engine, tenant)

    @classmethod
    def open(cls, work: Path, engine: dict[str, str], tenant: Tenant) -> Self:
        """Make the stack of a program that is there; its state and Pulumi's home lie beside its folder."""
        state = work.parent / "state"
        state.mkdir(exist_ok=True)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI")},
            **engine,
            **tenant.environment,
            "PULUMI_HOME": str(work.parent / "home"),
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "for a test",
        }
        project = cls(work, environment)
        made = project.pulumi("stack", "init", "test")
        assert made.ok, made.text
        return project

    def pulumi(self, *arguments: str, **environment: str) -> Command:
        """Run one command; what it prints is remembered."""
        command = self.begin(*arguments, **environment)
        try:
            text, _ = command.communicate(timeout=SECONDS_FOR_A_COMMAND)
        except subprocess.TimeoutExpired:
            os.killpg(command.pid, signal.SIGKILL)
            raise
        self.displayed.append(text)
        return Command(command.returncode == 0, text)

    def begin(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start one command, in a process group of its own."""
        return subprocess.Popen(
            ["pulumi", "--non-interactive", "--color", "never", *arguments],  # noqa: S607 - the engine comes first on PATH
            cwd=self.folder,
            env={
                **self.environment,
                "TOKENS": json.dumps(self.declared),
                "OPERATIONS": json.dumps(self.operations),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def up(self, *options: str, **environment: str) -> Command:
        """`pulumi up` without a preview before it."""
        return self.pulumi("up", "--yes", "--skip-preview", *options, **environment)

    def preview(self, *options: str, **environment: str) -> Command:
        """`pulumi preview`."""
        return self.pulumi("preview", *options, **environment)

    def refresh(self, *options: str, **environment: str) -> Command:
        """`pulumi refresh` without a preview before it."""
        return self.pulumi("refresh", "--yes", "--skip-preview", *options, **environment)

    def destroy(self, *options: str, **environment: str) -> Command:
        """`pulumi destroy` without a preview before it."""
        return self.pulumi("destroy", "--yes", "--skip-preview", *options, **environment)

    def declare(self, name: str = "lincoln", **arguments: Any) -> None:
        """Let the program declare a token: what every token needs, and what the test is about."""
        basis = {
            "apple_id": "apps@contoso.example",
            "vpp_token_account_type": "business",
            "data_sharing_consent_granted": True,
            "deletion_protection": False,
        }
        self.declared[name] = {**basis, **self.declared.get(name, {}), **arguments}

    def declare_operation(self, name: str, kind: str, vpp_token_id: str | None = None, **arguments: Any) -> None:
        """Let the program run an operation; a token is named by its resource here, or by its id in the tenant."""
        of = {"vpp_token_id": vpp_token_id} if vpp_token_id else {}
        self.operations[name] = {"kind": kind, **of, **arguments}

    def records(self) -> dict[str, dict[str, Any]]:
        """All records in the state, by resource name."""
        return {one["urn"].rsplit("::", 1)[1]: one for one in self.export()["deployment"].get("resources") or []}

    def tokens(self) -> dict[str, dict[str, Any]]:
        """The records of the tokens in the state, by resource name."""
        return {name: one for name, one in self.records().items() if one["type"] == self.type}

    def token(self, name: str = "lincoln") -> dict[str, Any]:
        """One record."""
        return self.tokens()[name]

    def outputs(self, name: str = "lincoln") -> dict[str, Any]:
        """One resource's outputs, secrets opened."""
        opened = {key: _opened(value) for key, value in self.records()[name]["outputs"].items()}
        return dict(opened)

    def export(self) -> dict[str, Any]:
        """`stack export --show-secrets`."""
        exported: dict[str, Any] = json.loads(self.pulumi("stack", "export", "--show-secrets").text)
        return exported


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
        tokens = {name: _resource(given) for name, given in self.declared.items()}
        operations = {name: self._operation(**given) for name, given in self.operations.items()}
        return {
            "name": "contoso",
            "runtime": "yaml",
            "plugins": {"providers": [{"name": "intune-vpp", "path": "../plugin"}]},
            **self.more,
            "resources": {**self.more.get("resources", {}), **tokens, **operations},
            "outputs": {**{name: f"${{{name}.state}}" for name in tokens}, **self.more.get("outputs", {})},
        }

    def _operation(self, *, kind: str, opts: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
        members = {_camel(name): value for name, value in given.items()}
        if members.get("vppTokenId") in self.declared:
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


def interrupt(command: subprocess.Popen[str]) -> str:
    """Press Ctrl-C in a command's terminal: it fails within seconds, whatever it waits for. All that it displayed."""
    os.killpg(command.pid, signal.SIGINT)
    pressed = time.monotonic()
    text, _ = command.communicate(timeout=SECONDS_FOR_A_COMMAND)
    assert time.monotonic() - pressed < 15
    assert command.returncode != 0
    return text


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


def _opened(value: Any) -> Any:
    if isinstance(value, dict) and "plaintext" in value:
        return json.loads(value["plaintext"])
    return value
