"""What names from outside can do to the terminal, and to a pipeline that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Tenant, token_file

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project

FORGED = "Lin\x1b]0;owned\x07\x1b[2Jcoln \u202eevil\x9b31m\r\n::error::forged\r\n##vso[task.complete result=Failed]"
SHOWN = (
    "Lin\ufffd]0;owned\ufffd\ufffd[2Jcoln \ufffdevil\ufffd31m\ufffd\ufffd::error::forged\ufffd\ufffd# #vso["
    "task.complete result=Failed]"
)


def test_a_name_with_escapes_and_lines(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """Warnings, notes and errors show it on one printable line; the program itself cannot ask for such a name."""
    project = each_door
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln", deletion_protection=True)
    assert project.up().ok
    tenant.edit(project.token()["id"], displayName=FORGED, state="invalid")

    refreshed = project.refresh()
    assert refreshed.ok, refreshed.text
    assert f"warning: {SHOWN} is invalid in Intune" in refreshed.text
    refused = project.destroy()
    assert not refused.ok
    assert f"{SHOWN} was not deleted: deletion" in refused.text
    for run in (refreshed, refused):
        assert [character for character in run.text if not character.isprintable() and character not in "\n\t"] == []
        assert [line for line in run.text.splitlines() if line.lstrip().startswith("::") or "##" in line] == []

    project.declare(display_name=FORGED)
    asked = project.preview()
    assert not asked.ok
    assert "must be a single line of text without control characters." in asked.text
    assert "owned" not in asked.errors()
