"""Pulumi projects with the same program, one for the plugin and one for the yardstick."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from benchmark import plugins
from benchmark.results import State
from harness import ROOT
from intune_vpp_emulator.apple import make_token
from project import Project

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "bench"
_STACK = "test"
_RECORD = "record.json"
_TYPE_ENDS = ":VppToken"

_OF_THE_HOST = {"sourcePosition", "stackTrace"}
"""The place of a resource in the program. Pulumi's YAML host adds 2 kB of call stack, for every provider."""


def create(folder: Path, entry: str, tokens: int, environment: dict[str, str]) -> Project:
    """Create a project that runs the plugin of this entry point, with an empty stack."""
    work, state = folder / "project", folder / "state"
    plugins.make(work / "plugin", entry)
    state.mkdir()
    # JSON is YAML.
    (work / "Pulumi.yaml").write_text(json.dumps(_program(work, tokens), indent=1))
    project = Project(
        work,
        {
            **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI")},
            **environment,
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "for a benchmark",
            "INTUNE_VPP_BENCH_RECORD": str(folder.parent / _RECORD),
            "INTUNE_VPP_BENCH_SCHEMA": str(ROOT / "schema.json"),
        },
    )
    run(project, "stack", "init", _STACK)
    return project


def run(project: Project, *command: str) -> float:
    """Run a command of `pulumi`, and return its seconds. Raises RuntimeError if it fails."""
    began = time.perf_counter()
    done = project.pulumi(*command)
    took = time.perf_counter() - began
    if not done.ok:
        raise RuntimeError(f"The command pulumi {command[0]} failed:\n{done.text}")
    return took


def state_of(project: Project) -> State | None:
    """Return the size of the longest token record in the state file, or None if the state has no token."""
    file = project.folder.parent / "state" / ".pulumi" / "stacks" / _NAME / f"{_STACK}.json"
    resources: list[dict[str, Any]] = json.loads(file.read_bytes())["checkpoint"]["latest"].get("resources") or []
    records = [one for one in resources if one["type"].endswith(_TYPE_ENDS)]
    bare = [{name: value for name, value in one.items() if name not in _OF_THE_HOST} for one in records]
    return State(max(map(_length, bare)), max(map(_length, records))) if records else None


def keep_record(project: Project) -> None:
    """Store the record of one token, which the yardstick returns for each of its tokens."""
    kept = project.pulumi("stack", "export", "--show-secrets")
    resources: list[dict[str, Any]] = json.loads(kept.text)["deployment"]["resources"]
    token = next(one for one in resources if one["type"].endswith(_TYPE_ENDS))
    record = {kind: {name: _opened(value) for name, value in token[kind].items()} for kind in ("inputs", "outputs")}
    (project.folder.parents[1] / _RECORD).write_text(json.dumps(record))


def _length(record: dict[str, Any]) -> int:
    """Return the bytes of a record on the disk, where the engine writes no white space."""
    return len(json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode())


def _opened(value: Any) -> Any:
    return json.loads(value["plaintext"]) if isinstance(value, dict) and "plaintext" in value else value


def _program(work: Path, tokens: int) -> dict[str, Any]:
    return {
        "name": _NAME,
        "runtime": "yaml",
        "plugins": {"providers": [{"name": "intune-vpp", "path": "./plugin"}]},
        "resources": {f"site-{number:04}": _token(work, number) for number in range(tokens)},
    }


def _token(work: Path, number: int) -> dict[str, Any]:
    location = f"Site {number:04}"
    file = work / f"site-{number:04}.vpptoken"
    file.write_text(make_token("Contoso", location, datetime.now(UTC) + timedelta(days=300, seconds=number)))
    return {
        "type": "intune-vpp:VppToken",
        "properties": {
            "token": {"fn::fileAsset": f"./{file.name}"},
            "appleId": "apps@contoso.example",
            "displayName": location,
            "vppTokenAccountType": "business",
            "dataSharingConsentGranted": True,
            "deletionProtection": False,
            "waitForSync": False,
        },
    }
