"""What is left when the engine alone is killed: no provider that goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness import Tenant, end, is_running, started_by, token_file

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project

PROVIDERS = ("-m pulumi.dynamic", "-m intune_vpp")
NAMES = ("lincoln", "york", "derby", "leeds")


def test_the_provider_ends_with_its_engine(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """After a SIGKILL of the engine its provider is gone, and has sent nothing beyond what was under way."""
    for name in NAMES:
        each_door.declare(name, token=str(token_file(tmp_path, name, location=name)), display_name=name)
    tenant.fail({"method": "POST", "path": "*/vppTokens", "delay": 5, "times": len(NAMES)})
    command = each_door.begin("up", "--yes", "--skip-preview")
    tenant.suffer()
    started = started_by(command.pid)
    providers = [pid for pid, args in started.items() if any(one in args for one in PROVIDERS)]
    try:
        assert providers, started
        end(command.pid)
        deadline = time.monotonic() + 30
        while left := [pid for pid in providers if is_running(pid)]:
            assert time.monotonic() < deadline, f"{left} of {started} outlived the engine"
            time.sleep(0.05)
    finally:
        for pid in started:
            end(pid)
        command.communicate(timeout=30)
    deadline = time.monotonic() + 30
    while (writes := tenant.writes_so_far()).count("POST vppTokens") < len(NAMES):
        assert time.monotonic() < deadline, f"the requests under way were not logged, only {writes}"
        time.sleep(0.1)
    assert writes == ["POST vppTokens"] * len(NAMES)
