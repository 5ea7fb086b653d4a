"""The issue of the nightly check on GitHub, with a `gh` that has its issues in a file."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from pipelines.stand_ins import copy_example, install_gh, issues_in
from pipelines.steps import EXAMPLE

if TYPE_CHECKING:
    from pathlib import Path

GITHUB = {
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "contoso/vpp-tokens",
    "GITHUB_RUN_ID": "7",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout, and a `gh` beside it."""
    project = tmp_path / "project"
    copy_example(EXAMPLE, project)
    install_gh(tmp_path / "bin", tmp_path / "issues.json")
    return project


def _issue(project: Path, verb: str, findings: str | None = None) -> None:
    """One run of the script, after a check that found this; None where the check did not run."""
    (project / "findings.txt").unlink(missing_ok=True)
    if findings is not None:
        (project / "findings.txt").write_text(findings)
    path = f"{project.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **GITHUB, "PATH": path}
    subprocess.run([str(project / "scripts" / "issue.sh"), verb], cwd=project, env=environment, check=True)


def test_one_issue_at_most(project: Path) -> None:
    """The first red night opens an issue, later ones bring it up to date, a green one closes it, the next is new."""
    issues = project.parent / "issues.json"
    _issue(project, "close", "ok: …\n")
    assert issues_in(issues) == []
    _issue(project, "open", "warning: Lincoln expires in 12 days.\n")
    _issue(project, "open", "warning: Lincoln expires in 11 days.\nchange: 1 to update\n")
    (issue,) = issues_in(issues)
    assert (issue["state"], issue["title"]) == ("open", "VPP tokens need attention")
    assert "\n    warning: Lincoln expires in 11 days.\n    change: 1 to update\n" in issue["body"]
    assert "https://github.example/contoso/vpp-tokens/actions/runs/7" in issue["body"]
    _issue(project, "close", "ok: …\n")
    _issue(project, "open", "warning: York expires in 30 days.\n")
    assert [one["state"] for one in issues_in(issues)] == ["closed", "open"]


def test_a_check_that_did_not_finish(project: Path) -> None:
    """Where the check has left no findings, the issue says that it did not finish."""
    _issue(project, "open")
    (issue,) = issues_in(project.parent / "issues.json")
    assert "    error: The check did not finish. The log of this run shows why." in issue["body"]
