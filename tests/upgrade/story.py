"""The program whose states are recorded, and with which today's code must find nothing to do."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from project import Project

STATES = Path(__file__).parent / "states"
VERSIONS = sorted(STATES.iterdir())
"""A folder for each version of which states are recorded."""
DOORS = ("dynamic", "plugin")
FILES = {"lincoln": "Lincoln", "york": "York"}
"""The token of each file, and its location."""


def put_files(recorded: Path, folder: Path) -> None:
    """Copy the recorded token files to where the program reads them."""
    for name in FILES:
        shutil.copy(recorded / f"{name}.txt", folder / f"{name}.vpptoken")


def declare(project: Project, adopted: str) -> None:
    """Declare a token with all inputs but one, a token that was adopted by that id, and each operation."""
    folder = project.folder.parent
    project.declare(
        token=str(folder / "lincoln.vpptoken"),
        organization_name="Contoso",
        display_name="Lincoln",
        country_or_region="GB",
        automatically_update_apps=True,
        role_scope_tag_ids=["0", "7"],
        apple_device_app_delivery_protocol_type="declarativeDeviceManagement",
        claim_token_management_from_external_mdm=True,
        expected_location_name="Lincoln",
        wait_for_sync=True,
        deletion_protection=True,
        revoke_licenses_on_delete=True,
    )
    project.declare("york", token=str(folder / "york.vpptoken"), adopt_token_id=adopted)
    project.declare_operation("nightly", "LicenseSync", "york", triggers=["monday", 1, {"deep": [True]}])
    project.declare_operation(
        "revoked", "LicenseRevocation", "lincoln", notify_managed_devices=True, revoke_untracked_licenses=False
    )
    project.declare_operation("count", "LicenseCountSync", triggers="monday")
