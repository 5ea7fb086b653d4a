"""What the example's workflows must not lose when they are changed; `make check` runs the linters on them."""

from __future__ import annotations

import re

import pytest

from pipelines.steps import AZURE, EXAMPLE, GITHUB, azure_jobs, connection_of, load

WORKFLOWS = {path.name: load(path) for path in sorted(GITHUB.iterdir())}
JOBS = {f"{file}:{name}": job for file, workflow in WORKFLOWS.items() for name, job in workflow["jobs"].items()}
PERMISSIONS = {"contents": "read", "id-token": "write"}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_on_github(name: str) -> None:
    """It has a time limit, runs one at a time, is never cancelled half-way, and has no permission that it can spare."""
    job = JOBS[name]
    assert job["timeout-minutes"] <= 30
    assert job["concurrency"]["cancel-in-progress"] is False
    more = {"issues": "write"} if name == "nightly.yml:check" else {}
    assert job["permissions"] == {**PERMISSIONS, **more}


def test_permissions_are_those_of_the_jobs() -> None:
    """No workflow has a permission of its own."""
    assert [workflow["permissions"] for workflow in WORKFLOWS.values()] == [{}] * 2


def test_actions_are_pinned() -> None:
    """Each action is named by its commit, with its version in a comment, the same in every job."""
    texts = [path.read_text() for path in GITHUB.iterdir()]
    used = re.findall(r"uses: (\S+)(.*)", "\n".join(texts))
    assert len(used) == 4 * len(JOBS)
    assert all(re.fullmatch(r"\S+@[0-9a-f]{40}", action) for action, _ in used)
    assert all(re.fullmatch(r" # v\d+\.\d+\.\d+", version) for _, version in used)
    assert len({action for action, _ in used}) == len({action.partition("@")[0] for action, _ in used})


def test_only_the_apply_writes() -> None:
    """Only the job behind the protected environment signs in as the writer, and it runs on main alone."""
    writers = {name for name, job in JOBS.items() if "WRITER_CLIENT_ID" in str(job)}
    assert writers == {name for name, job in JOBS.items() if "environment" in job} == {"tokens.yml:apply"}
    assert JOBS["tokens.yml:apply"]["if"] == "github.event_name != 'pull_request' && github.ref == 'refs/heads/main'"
    connections = {name: {connection_of(step) for step in steps} - {None} for name, steps in azure_jobs().items()}
    assert connections == {"preview": {"intune-vpp-reader"}, "apply": {"intune-vpp"}, "check": {"intune-vpp-reader"}}
    apply = load(AZURE[0])["stages"][1]
    assert "eq(variables['Build.SourceBranch'], 'refs/heads/main')" in apply["condition"]
    assert apply["jobs"][0]["environment"] == "production"


def test_the_report_of_the_nightly_run() -> None:
    """The nightly run reports its findings after a failure and after the time limit, which cancels the job."""
    on_github = {step["name"]: step.get("if") for step in JOBS["nightly.yml:check"]["steps"] if "run" in step}
    in_azure = {step["displayName"]: step.get("condition") for step in azure_jobs()["check"] if "bash" in step}
    assert on_github["Open or update the issue"] == "failure() || cancelled()"
    assert in_azure["Report"] == "or(failed(), canceled())"


def test_no_secret() -> None:
    """No file of the example names a secret of the pipeline, other than the one that each run makes for itself."""
    texts = {path.name: path.read_text() for path in (*GITHUB.iterdir(), *AZURE, EXAMPLE / "Pulumi.yaml")}
    assert [name for name, text in texts.items() if re.search(r"secrets\.|SECRET|PASSPHRASE", text)] == []


def test_token_files_are_removed() -> None:
    """Each job removes the token files in a step that always runs, also where the job was cancelled."""
    shells = [[step for step in job["steps"] if "run" in step] for job in JOBS.values()]
    assert all({"always()"} == {one["if"] for one in steps if one["run"] == "rm -rf token-files"} for steps in shells)
    others = azure_jobs().values()
    assert all(
        {"always()"} == {one["condition"] for one in steps if one.get("bash") == "rm -rf token-files"}
        for steps in others
    )
