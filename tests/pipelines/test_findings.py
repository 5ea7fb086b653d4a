"""What the nightly check reads in the report of a preview; the reports have the shape that the engine writes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.steps import EXAMPLE

if TYPE_CHECKING:
    from pathlib import Path

URN = "urn:pulumi:prod::vpp-tokens::intune-vpp:index:VppToken::lincoln"
EXPIRES = "Lincoln expires in 12 days, on 2026-12-11. Download a new content token from Apple and renew it before then."
RENAMED = "By hand was changed outside of Pulumi: displayName."


def said(severity: str, message: str) -> dict[str, str]:
    """A diagnostic; the engine repeats the severity before warnings and errors, and ends each with a line break."""
    prefix = "" if severity == "info" else f"{severity}: "
    return {"urn": URN, "message": f"{prefix}{message}\n", "severity": severity}


def preview(*diagnostics: dict[str, str], **summary: int) -> dict[str, Any]:
    """A report; one without diagnostics lacks that member."""
    report: dict[str, Any] = {"config": {}, "steps": [], "duration": 1, "changeSummary": summary}
    return {**report, "diagnostics": list(diagnostics)} if diagnostics else report


OK = "ok: Intune and the program agree, and no token needs attention."
UNFINISHED = "error: The preview did not finish. The log of this run shows why."
REPORTS = {
    "nothing": (json.dumps(preview(same=3)), [OK]),
    "only notes": (json.dumps(preview(said("info", "A note."), same=3)), [OK]),
    "a warning": (json.dumps(preview(said("warning", EXPIRES), same=3)), [f"warning: {EXPIRES}"]),
    "a warning, twice": (json.dumps(preview(*[said("warning", EXPIRES)] * 2, same=3)), [f"warning: {EXPIRES}"]),
    "drift": (
        json.dumps(preview(said("info", RENAMED), same=2, update=1)),
        [f"info: {RENAMED}", "change: 1 to update"],
    ),
    "gone": (json.dumps(preview(create=1, same=2)), ["change: 1 to create"]),
    "an error": (
        json.dumps({"steps": [], "diagnostics": [said("error", "Entra refused the sign-in: AADSTS7000222.")]}),
        ["error: Entra refused the sign-in: AADSTS7000222."],
    ),
    "several lines": (json.dumps(preview(said("error", "one\n  two"), same=1)), ["error: one two"]),
    "no end": (json.dumps({"config": {}, "steps": []}), [UNFINISHED]),
    "nothing at all": ("", [UNFINISHED]),
    "no JSON": ("error: no stack named 'prod' found", [UNFINISHED]),
}


@pytest.mark.parametrize("case", REPORTS)
def test_findings(case: str, tmp_path: Path) -> None:
    """Warnings, errors and changes are lines, once each, and fail the step; a report without them is a line, too."""
    report, lines = REPORTS[case]
    (tmp_path / "preview.json").write_text(report)
    command = [sys.executable, str(EXAMPLE / "scripts" / "findings.py"), "preview.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == lines
    assert done.returncode == (lines != [OK])
    assert done.stderr == ""
