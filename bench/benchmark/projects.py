"""Pulumi projects with the same tokens, one for a door and one for its yardstick."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from benchmark import plugins
from benchmark.peaks import watching
from benchmark.results import State
from harness import ROOT
from intune_vpp_emulator.apple import make_token
from project import Project

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "bench"
_STACK = "test"
_PLUGIN = "plugin"
_RECORD = "record.json"
_PROGRAM = "Pulumi.yaml"
_DECLARED = "tokens.json"
"""The tokens of a program in Python; a program in YAML declares its own."""

_TYPE_ENDS = ":VppToken"
_SITE = "Site"
DAYS = 300
"""How long a file is valid."""

_SECONDS_FOR_A_COMMAND = 900
"""Pulumi writes the whole state for each of its steps: a refresh of 3,000 tokens takes minutes."""

_FAILED = re.compile(r":VppToken .*\*\*\w+ failed.*?\*\*(?: error: (.*))?")
"""The last line that Pulumi prints about a token that failed, with its first error."""

_OF_THE_HOST = {"sourcePosition", "stackTrace"}
"""The place of a resource in the program. Pulumi's YAML host adds 2 kB of call stack, for every provider."""


@dataclass(frozen=True, slots=True)
class Run:
    """One command of `pulumi`: its seconds, how many tokens failed, the first error, and the plugin's peak memory."""

    seconds: float
    failures: int
    error: str = ""
    megabytes: float = 0.0


def create(folder: Path, entry: str, tokens: int, environment: dict[str, str], *, site: str = _SITE) -> Project:
    """Create a project that runs the plugin of this entry point, with an empty stack; `site` begins each location."""
    work = folder / "project"
    plugins.make(work / _PLUGIN, entry)
    program = {
        "name": _NAME,
        "runtime": "yaml",
        "plugins": {"providers": [{"name": "intune-vpp", "path": "./plugin"}]},
        "resources": _resources(tokens, site),
    }
    # JSON is YAML.
    (work / _PROGRAM).write_text(json.dumps(program, indent=1))
    return _open(folder, tokens, environment, site)


def create_dynamic(folder: Path, program: str, tokens: int, environment: dict[str, str]) -> Project:
    """Create a project that runs one of `bench/programs`, on the dynamic provider, with an empty stack."""
    work = folder / "project"
    shutil.copytree(plugins.BENCH / "programs" / program, work)
    host = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
    (work / _PROGRAM).write_text(json.dumps({"name": _NAME, "runtime": host}))
    (work / _DECLARED).write_text(json.dumps({"resources": _resources(tokens, _SITE)}))
    return _open(folder, tokens, environment, _SITE)


def _open(folder: Path, tokens: int, environment: dict[str, str], site: str) -> Project:
    """Write the files of the tokens, and make the stack."""
    work, state = folder / "project", folder / "state"
    state.mkdir()
    write_files(work, tokens, site=site)
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


def write_files(work: Path, tokens: int, *, site: str = _SITE, days: int = DAYS) -> set[str]:
    """Write a new file for each token that expires in so many days; return their expirations as Graph writes them."""
    # Each file expires in another second, as Apple's do: files that expire together count as one.
    first = datetime.now(UTC) + timedelta(days=days)
    expires = [first + timedelta(seconds=number) for number in range(tokens)]
    for number, moment in enumerate(expires):
        text = make_token("Contoso", location_of(number, site), moment)
        (work / f"{name_of(number, site)}.vpptoken").write_text(text)
    return {f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in expires}


def rename_first(project: Project, name: str) -> None:
    """Change the display name of the first token in the program."""
    declared = project.folder / _DECLARED
    file = declared if declared.exists() else project.folder / _PROGRAM
    program = json.loads(file.read_text())
    next(iter(program["resources"].values()))["properties"]["displayName"] = name
    file.write_text(json.dumps(program, indent=1))


def run(project: Project, *command: str) -> float:
    """Run a command of `pulumi`, and return its seconds. Raises RuntimeError if it fails."""
    began = time.perf_counter()
    done = project.pulumi(*command)
    took = time.perf_counter() - began
    if not done.ok:
        raise RuntimeError(f"The command pulumi {command[0]} failed:\n{done.text}")
    return took


def attempt(project: Project, *command: str) -> Run:
    """Run a command of `pulumi` in which resources may fail. Raises subprocess.TimeoutExpired after a quarter hour."""
    began = time.perf_counter()
    with watching(project.folder / _PLUGIN) as watch:
        process = project.begin(*command)
        try:
            text, _ = process.communicate(timeout=_SECONDS_FOR_A_COMMAND)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
    took = time.perf_counter() - began
    errors = _FAILED.findall(text)
    # A command may also fail as a whole.
    failures = max(len(errors), process.returncode != 0)
    error = errors[0] if errors else text.strip().rpartition("\n")[2] if failures else ""
    return Run(took, failures, error, watch.megabytes)


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


def name_of(number: int, site: str = _SITE) -> str:
    """Return the name of a resource, which is also that of its file."""
    return f"{site.lower()}-{number:04}"


def location_of(number: int, site: str = _SITE) -> str:
    """Return the location of a token, which is also its display name."""
    return f"{site} {number:04}"


def _resources(tokens: int, site: str) -> dict[str, Any]:
    return {name_of(number, site): _token(number, site) for number in range(tokens)}


def _token(number: int, site: str) -> dict[str, Any]:
    return {
        "type": "intune-vpp:VppToken",
        "properties": {
            "token": {"fn::fileAsset": f"./{name_of(number, site)}.vpptoken"},
            "appleId": "apps@contoso.example",
            "displayName": location_of(number, site),
            "vppTokenAccountType": "business",
            "dataSharingConsentGranted": True,
            "deletionProtection": False,
            "waitForSync": False,
        },
    }
