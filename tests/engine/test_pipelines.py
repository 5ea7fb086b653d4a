"""The example's pipelines: their shell steps, taken out of the workflow files, from the first preview to a red night."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from harness import emulator, token_file
from pipelines import steps
from pipelines.stand_ins import copy_example, install_az, install_gh, install_installers, issues_in
from project import PLUGIN, Project, install_command, traces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness import Tenant
    from pipelines.steps import Run

DRIFT = "By hand was changed outside of Pulumi: displayName."
EXPIRY = "York expires in 19 days, on "
WARNING_DAYS = {"INTUNE_VPP_EXPIRY_WARNING_DAYS": "10"}
"""York's token is for 20 days: so long nobody is warned."""


class Runner:
    """A machine with a checkout of the example and the commands of a runner, on a tenant, and what it displayed."""

    def __init__(self, folder: Path, engine: Mapping[str, str], tenant: Tenant) -> None:
        """Prepare the machine, a vault with both token files, and an empty stack."""
        self.folder, self.tenant, self.displayed = folder, tenant, [""]
        self.checkout, self.issues = folder / "checkout", folder / "issues.json"
        copy_example(steps.EXAMPLE, self.checkout)
        install_command(self.checkout / ".venv" / "bin" / PLUGIN, "intune_vpp")
        commands, vault = folder / "bin", folder / "contoso-vpp"
        install_az(commands, vault)
        install_gh(commands, self.issues)
        install_installers(commands, self.checkout)
        vault.mkdir()
        for name, days in (("lincoln", 300), ("york", 20)):
            token_file(vault, name, location=name.title(), days=days).rename(vault / f"vpp-{name}")
        state = folder / "state"
        state.mkdir()
        # What is not the tenant's: the job gets from its workflow what signs in.
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI")},
            **engine,
            **{name: value for name, value in tenant.environment.items() if name.startswith("INTUNE_VPP_")},
            "PATH": f"{commands}{os.pathsep}{engine['PATH']}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "for a test",
        }
        self.settings = {"KEY_VAULT": "contoso-vpp", "PULUMI_BACKEND_URL": f"file://{state}"}
        made = {**self.environment, **self.settings}
        subprocess.run(["pulumi", "stack", "init", "prod"], cwd=self.checkout, env=made, check=True)  # noqa: S607
