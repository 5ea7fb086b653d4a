"""What goes wrong half-way: the id is kept, and the next update puts it right."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness import TOKENS, Tenant, emulator, token_file
from project import YamlProject, interrupt, traces

if TYPE_CHECKING:
    from pathlib import Path

SYNC = "POST vppTokens/{id}/syncLicenses"


def test_half_done(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """A sync that fails after a creation or a renewal is a partial failure; the next update tries that alone again."""
    project = yaml_project
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    project.declare("york", token=str(token_file(tmp_path, "york", location="York")), display_name="York")
    tenant.fail({"sync": "failed", "times": 2})
    failed = project.up()
    assert not failed.ok
    assert "The licence sync of Lincoln failed" in failed.text
    ids = {name: one["id"] for name, one in project.tokens().items()}
    assert set(ids) == {"lincoln", "york"}
    assert project.outputs()["syncPending"] is True
    tenant.log()
    again = project.up()
    assert again.ok, again.text
    assert tenant.writes() == [SYNC, SYNC]
    assert project.outputs()["syncPending"] is False

    project.declare(token=str(token_file(tmp_path, "second", days=350)), display_name="Lincoln School")
    tenant.fail({"sync": "failed", "times": 1})
    failed = project.up()
    assert not failed.ok
    assert project.outputs()["displayName"] == "Lincoln School"
    assert tenant.writes() == ["PATCH vppTokens/{id}", SYNC]
    again = project.up()
    assert again.ok, again.text
    assert tenant.writes() == [SYNC]
    quiet = project.up("--expect-no-changes")
    assert quiet.ok, quiet.text
    assert {name: one["id"] for name, one in project.tokens().items()} == ids


def test_refused_and_lost(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """What Graph refuses leaves nothing behind, a lost answer no second token, and a duplicate location is reported."""
    project = yaml_project
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    tenant.fail({"method": "POST", "path": TOKENS, "status": 403})
    refused = project.up()
    assert not refused.ok
    assert "Traceback" not in refused.text
    assert project.tokens() == {}
    tenant.fail({"method": "POST", "path": TOKENS, "status": 500, "when": "after"})
    tenant.log()
    found = project.up()
    assert found.ok, found.text
    assert f"Token {project.token()['id']} (Lincoln) was created." in found.text
    assert tenant.writes() == ["POST vppTokens", SYNC]

    project.declare("twin", token=str(token_file(tmp_path, "twin", days=200)), display_name="Twin")
    twin = project.up()
    assert not twin.ok
    assert "has a duplicate in this tenant" in twin.text
    assert set(project.tokens()) == {"lincoln", "twin"}


def test_waiting(tmp_path: Path, engine: dict[str, str]) -> None:
    """`customTimeouts` bound the wait for a sync, Ctrl-C ends it within seconds, and both keep the id."""
    with emulator(tmp_path, "--sync-seconds", "3600") as slow:
        project = YamlProject.start(tmp_path, engine, slow)
        project.declare(token=str(token_file(tmp_path)), opts={"custom_timeouts": {"create": "3s", "update": "20m"}})
        started = time.monotonic()
        late = project.up()
        assert not late.ok
        assert time.monotonic() - started < 15
        token_id = project.token()["id"]
        assert project.outputs()["syncPending"] is True

        project.declare("york", token=str(token_file(tmp_path, "york", location="York")))
        slow.log()
        command = project.begin("up", "--yes", "--skip-preview")
        slow.wait_for(SYNC)
        text = interrupt(command)
        kept = {name: one["id"] for name, one in project.tokens().items()}
        assert set(kept) == {"lincoln", "york"}, text
        assert kept["lincoln"] == token_id
        assert project.export()["deployment"].get("pending_operations") in (None, [])
        for name in kept:
            project.declare(name, wait_for_sync=False)
        done = project.up()
        assert done.ok, done.text
        assert {name: one["id"] for name, one in project.tokens().items()} == kept
        assert traces(tmp_path, *project.displayed, text) == []
