"""The demonstration passes, and fails against a tenant that does not work."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from harness import ROOT
from intune_vpp_emulator.members import Version
from intune_vpp_emulator.serve import serve
from intune_vpp_emulator.tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEMO = ROOT / "examples" / "01-renew-a-token" / "demo.py"


class IgnoresPatches(Tenant):
    """A tenant that answers PATCH as if all were well, and changes nothing."""

    def patch(self, token_id: str, body: Mapping[str, Any], *, version: Version = Version.BETA) -> dict[str, Any]:
        """Answer the token as it was."""
        del body
        return self.get(token_id, version=version)


def _demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI")}
    command = [sys.executable, str(DEMO), *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=280, check=False)


def test_the_demonstration(engine: dict[str, str]) -> None:
    """`make demo` ends with status 0 after all its steps."""
    del engine
    done = _demo()
    assert done.returncode == 0, done.stdout
    assert "All 9 steps passed" in done.stdout


def test_the_demonstration_can_fail(engine: dict[str, str], tmp_path: Path) -> None:
    """Against a tenant that answers PATCH without applying it, it fails at the renewal and names the check."""
    del engine
    with serve(IgnoresPatches(sync_seconds=0)) as tenant:
        env_file = tmp_path / "tenant.env"
        env_file.write_text("".join(f"{name}={value}\n" for name, value in tenant.environment.items()))
        done = _demo("--tenant", str(env_file))
    assert done.returncode == 1
    assert "This check failed: it expires later now" in done.stdout
