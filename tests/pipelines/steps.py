"""The shell steps of the example's workflows, taken out of their files and run as a runner would.

Steps that use an action or another task do nothing here: the tools that they install are there, or have stand-ins.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from harness import ROOT, SECONDS_FOR_A_COMMAND

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EXAMPLE = ROOT / "examples" / "10-pipelines"
GITHUB = EXAMPLE / ".github" / "workflows"
AZURE = (EXAMPLE / "azure-pipelines.yml", EXAMPLE / "azure-pipelines-nightly.yml")
OIDC_ON_GITHUB = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
"""What a job has only with the permission `id-token: write`."""
AFTER_SUCCESS = ("always()", "success()", "succeeded()")
AFTER_FAILURE = ("always()", "failure() || cancelled()", "or(failed(), canceled())")
"""The conditions of the steps that run while all others were successful, and of those that run after a failure."""


@dataclass(frozen=True)
class Step:
    """A shell step: its script, when it runs, and its own variables."""

    name: str
    script: str
    condition: str = "success()"
    environment: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    """Those with which the runner starts bash: GitHub's stops at the first failure, that of Azure Pipelines goes on."""


@dataclass(frozen=True)
class Run:
    """What the steps of a job did."""

    ok: bool
    text: str
    ran: list[str]


def load(path: Path) -> Any:
    """The content of a workflow file."""
    return YAML(typ="safe", pure=True).load(path.read_text())


def github(file: str, job: str, variables: Mapping[str, str]) -> tuple[list[Step], dict[str, str]]:
    """The shell steps of a job on GitHub, and the variables of the job, with the `vars` filled in."""
    workflow = load(GITHUB / file)
    declared = workflow["jobs"][job]
    environment = _filled({**workflow.get("env", {}), **declared.get("env", {})}, variables)
    steps = [
        Step(
            one["name"],
            one["run"],
            one.get("if", "success()"),
            _filled(one.get("env", {}), variables),
            ("-eo", "pipefail"),
        )
        for one in declared["steps"]
        if "run" in one
    ]
    if declared["permissions"].get("id-token") == "write":
        environment |= {name: variables[name] for name in OIDC_ON_GITHUB if name in variables}
    return steps, environment


def subject_on_github(file: str, job: str) -> str:
    """The subject of the tokens that GitHub issues to a job."""
    declared = load(GITHUB / file)["jobs"][job]
    if "environment" in declared:
        return f"repo:contoso/tablets:environment:{declared['environment']}"
    of_pull_request = "github.event_name == 'pull_request'" in declared["if"]
    return f"repo:contoso/tablets:{'pull_request' if of_pull_request else 'ref:refs/heads/main'}"


def azure(job: str, variables: Mapping[str, str], connections: Mapping[str, Mapping[str, str]]) -> list[Step]:
    """The shell steps of a job in Azure Pipelines.

    Those of the task `AzureCLI@2` get the variables of its service connection.
    """
    return [
        _step(one, variables, connections)
        for one in azure_jobs()[job]
        if "bash" in one or one.get("task") == "AzureCLI@2"
    ]


def connection_of(step: Mapping[str, Any]) -> str | None:
    """The service connection that a step in Azure Pipelines uses."""
    connection: str | None = step.get("inputs", {}).get("azureSubscription")
    return connection


def azure_jobs() -> dict[str, list[dict[str, Any]]]:
    """The steps of each job in Azure Pipelines."""
    pipelines = [load(path) for path in AZURE]
    jobs = [job for one in pipelines for stage in one.get("stages", [one]) for job in stage["jobs"]]
    return {
        job.get("job") or job["deployment"]: job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]
        for job in jobs
    }


def run(steps: list[Step], folder: Path, environment: Mapping[str, str]) -> Run:
    """Run the steps in their order; after one that fails, only those that want it."""
    ok, shown, ran = True, [], []
    for step in steps:
        if step.condition not in (AFTER_SUCCESS if ok else AFTER_FAILURE):
            continue
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", *step.options, "-c", step.script],  # noqa: S607 - any bash will do
            cwd=folder,
            env={**environment, **step.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS_FOR_A_COMMAND,
            check=False,
        )
        ok = ok and done.returncode == 0
        shown.append(done.stdout)
        ran.append(step.name)
    return Run(ok, "".join(shown), ran)


def _step(one: Mapping[str, Any], variables: Mapping[str, str], connections: Mapping[str, Mapping[str, str]]) -> Step:
    inputs = one.get("inputs", {})
    own = {name: re.sub(r"\$\((.+?)\)", lambda found: variables[found[1]], value) for name, value in _env(one)}
    return Step(
        one["displayName"],
        one.get("bash") or inputs["inlineScript"],
        one.get("condition", "succeeded()"),
        {**connections.get(connection_of(one) or "", {}), **own},
    )


def _env(one: Mapping[str, Any]) -> list[tuple[str, str]]:
    return list(one.get("env", {}).items())


def _filled(environment: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """Each expression replaced by its value; one that no test knows is a KeyError."""
    return {
        name: re.sub(r"\$\{\{ (?:vars\.)?(.+?) \}\}", lambda found: variables[found[1]], value)
        for name, value in environment.items()
    }
