"""What the workflows of this repository must not lose when they are changed; `make check` runs the linter on them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

FOLDER = Path(__file__).resolve().parents[2] / ".github" / "workflows"
TEXTS = {path.name: path.read_text() for path in sorted(FOLDER.iterdir())}
WORKFLOWS: dict[str, dict[str, Any]] = {name: YAML(typ="safe").load(text) for name, text in TEXTS.items()}
RELEASE = WORKFLOWS["release.yml"]["jobs"]
PUBLISHES = {"pypi", "npm", "nuget", "go", "maven"}

PERMISSIONS: dict[str, dict[str, dict[str, str]]] = {
    "ci.yml": {"gate": {"contents": "read"}},
    "release.yml": {
        "version": {"contents": "read"},
        "prerelease": {"contents": "write"},
        "archive": {"contents": "read"},
        "packages": {"contents": "read"},
        "attach": {"contents": "write", "id-token": "write", "attestations": "write"},
        "pypi": {"id-token": "write"},
        "npm": {"id-token": "write"},
        "nuget": {"id-token": "write"},
        "go": {"contents": "write"},
        "maven": {},
        "smoke": {"contents": "read", "attestations": "read"},
        "promote": {"contents": "write"},
    },
}
"""All that each job needs: a new permission is a decision."""


@pytest.mark.parametrize("name", TEXTS)
def test_actions_are_pinned(name: str) -> None:
    """Each action is named by its full commit, with its version in a comment."""
    used = re.findall(r"uses: (\S+)(.*)", TEXTS[name])
    assert used
    assert all(re.fullmatch(r"[^@]+@[0-9a-f]{40}", action) for action, _ in used)
    assert all(re.fullmatch(r" # v\d+\.\d+\.\d+", version) for _, version in used)


def test_one_version_of_each_action() -> None:
    """An action is of the same commit in every workflow, the example's included."""
    examples = (FOLDER.parents[1] / "examples").glob("*/.github/workflows/*.yml")
    used = re.findall(r"uses: (\S+)", "\n".join([*TEXTS.values(), *(path.read_text() for path in examples)]))
    assert len(set(used)) == len({action.partition("@")[0] for action in used})


@pytest.mark.parametrize("name", TEXTS)
def test_permissions(name: str) -> None:
    """No workflow has a permission of its own, each job those of the table, and no checkout leaves its token behind."""
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {}
    assert {job: given["permissions"] for job, given in workflow["jobs"].items()} == PERMISSIONS[name]
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_every_job_ends() -> None:
    """Each job has a time limit."""
    assert all(job["timeout-minutes"] <= 90 for workflow in WORKFLOWS.values() for job in workflow["jobs"].values())


def test_the_order_of_a_release() -> None:
    """Nothing is published before the archives are attached, and only the smoke test makes a release the latest."""
    assert all(RELEASE[job]["needs"] == "attach" for job in PUBLISHES)
    assert set(RELEASE["attach"]["needs"]) == {"prerelease", "archive", "packages"}
    assert {RELEASE[job]["needs"] for job in ("prerelease", "archive", "packages")} == {"version"}
    assert set(RELEASE["smoke"]["needs"]) == PUBLISHES
    assert RELEASE["promote"]["needs"] == "smoke"
    assert [name for name in RELEASE if "--latest" in str(RELEASE[name])] == ["promote"]
    assert "--prerelease" in str(RELEASE["prerelease"])
    assert [job for job in RELEASE if "if" in RELEASE[job] or "continue-on-error" in str(RELEASE[job])] == []


def test_nothing_is_skipped() -> None:
    """The workflow fails where an artefact cannot be built, unlike `make dist`."""
    builds = [step["run"] for job in RELEASE.values() for step in job["steps"] if "tools/dist " in step.get("run", "")]
    built = [line for line in builds if line.startswith("python tools/dist")]
    assert len(built) == 2
    assert all(line.endswith("--complete") for line in built)


def test_secrets() -> None:
    """Only the job for Maven Central, which has no trusted publishing, names a secret."""
    assert [name for name, job in RELEASE.items() if "secrets." in str(job)] == ["maven"]
    assert "secrets." not in TEXTS["ci.yml"]


def test_a_tag_is_never_code() -> None:
    """No script contains an expression that whoever names a tag or a branch could fill."""
    scripts = [
        step["run"]
        for workflow in WORKFLOWS.values()
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]
    inserted = {found for script in scripts for found in re.findall(r"\$\{\{ *(\S+)", script)}
    assert inserted <= {"matrix.platform"}
