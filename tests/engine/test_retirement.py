"""A token that takes its licences back before it goes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness import SECONDS_FOR_A_COMMAND, Tenant, emulator, token_file
from project import YamlProject, interrupt, traces

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project

REVOKE, DELETE = "POST vppTokens/{id}/revokeLicenses", "DELETE vppTokens/{id}"
REVOKED = ["GET vppTokens/{id}", REVOKE, "GET vppTokens"]


def test_retired(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """Destroy revokes, waits and deletes; where not all could be revoked the token stays, and why is reported."""
    project = each_door
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    assert project.up().ok
    tenant.log()
    project.declare(revoke_licenses_on_delete=True)
    changed = project.up()
    assert changed.ok, changed.text
    assert tenant.log() == []
    made = project.token()
    failed = {"actionState": "failed", "actionFailureReason": "internalError", "totalLicensesCount": 7}
    for failures in (7, 3):
        tenant.fail({"revoke": {**failed, "failedLicensesCount": failures}})
        refused = project.destroy()
        assert not refused.ok
        assert "Lincoln was not deleted. " in refused.text
        assert "To delete it anyway, set revoke" in refused.text
        assert f"{failures} of 7" in refused.text
        assert "Intune had an internal error (internalError). Try again later." in refused.text
        assert project.token()["id"] == made["id"]
        assert tenant.requests() == REVOKED
    done = project.destroy()
    assert done.ok, done.text
    assert tenant.requests() == [*REVOKED, DELETE]
    assert project.tokens() == {}


def test_a_retirement_that_takes_long(tmp_path: Path, engine: dict[str, str]) -> None:
    """`customTimeouts` and Ctrl-C end the wait of a deletion; the next one waits for the revocation that was begun."""
    with emulator(tmp_path, "--sync-seconds", "0", "--revoke-seconds", "3600") as tenant:
        project = YamlProject.start(tmp_path, engine, tenant)
        file = str(token_file(tmp_path))
        timeouts = {"custom_timeouts": {"delete": "3s"}}
        project.declare(token=file, display_name="Lincoln", revoke_licenses_on_delete=True, opts=timeouts)
        assert project.up().ok
        tenant.log()
        started = time.monotonic()
        late = project.destroy()
        assert not late.ok
        assert time.monotonic() - started < 15
        assert "Lincoln was not deleted. " in late.text
        assert "did not end within 3 seconds" in late.text
        assert tenant.writes() == [REVOKE]
        command = project.begin("destroy", "--yes", "--skip-preview")
        tenant.wait_for("GET vppTokens/{id}")
        interrupted = interrupt(command)
        assert tenant.writes() == []
        assert set(project.tokens()) == {"lincoln"}

        command = project.begin("destroy", "--yes", "--skip-preview")
        tenant.wait_for("GET vppTokens/{id}")
        tenant.advance(3600)
        text, _ = command.communicate(timeout=SECONDS_FOR_A_COMMAND)
        assert command.returncode == 0, text
        assert tenant.writes() == [DELETE]
        assert project.tokens() == {}
        assert traces(tmp_path, *project.displayed, interrupted, text) == []
