"""The README's program, as it stands there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness import ROOT, Project, Tenant, token_file

if TYPE_CHECKING:
    from pathlib import Path


def test_the_program_of_the_readme(engine: dict[str, str], tenant: Tenant, tmp_path: Path) -> None:
    """Copied from the README beside a file of that name, the program creates a token that is valid and synced."""
    (program,) = re.findall(r"```python\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    project = Project.start(tmp_path, engine, tenant, program)
    token_file(project.folder, "lincoln")
    done = project.up()
    assert done.ok, done.text
    outputs = project.outputs()
    assert (outputs["state"], outputs["lastSyncStatus"], outputs["displayName"]) == ("valid", "completed", "Lincoln")
    assert f'expires: "{outputs["expirationDateTime"]}"' in done.text
