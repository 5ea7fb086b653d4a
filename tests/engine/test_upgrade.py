"""A stack that an older version has left, under the real engine; `tests/upgrade` reads its resources without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import emulator
from intune_vpp_emulator.state_file import keep
from project import Project, YamlProject
from upgrade.recorded import matching_tenant, resources
from upgrade.story import VERSIONS, declare, put_files

if TYPE_CHECKING:
    from pathlib import Path

KINDS: dict[str, type[Project]] = {"dynamic": Project, "plugin": YamlProject}


@pytest.mark.parametrize("door", KINDS)
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_recorded_stack(tmp_path: Path, engine: dict[str, str], version: Path, door: str) -> None:
    """Preview sends nothing and finds nothing to do; a refresh finds no drift, and neither warns."""
    state = tmp_path / "tenant.json"
    keep(matching_tenant(version, door), state)
    with emulator(tmp_path, "--state", str(state)) as tenant:
        project = KINDS[door].start(tmp_path, engine, tenant)
        put_files(version, tmp_path)
        declare(project, resources(version, door)["york"].record.id)
        imported = project.pulumi("stack", "import", "--file", str(version / f"{door}.json"))
        assert imported.ok, imported.text
        previewed = project.preview("--expect-no-changes")
        assert previewed.ok, previewed.text
        assert tenant.requests() == []
        refreshed = project.refresh("--expect-no-changes")
        assert refreshed.ok, refreshed.text
        assert tenant.writes() == []
        assert "warning" not in (previewed.text + refreshed.text).lower()
