"""Graph's v1.0, which can sync licences, and neither revoke nor count them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness import Tenant, token_file

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project

CURE = "set intune-vpp:graphVersion (INTUNE_VPP_GRAPH_VERSION) to beta."


def test_v1(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """On v1.0 a preview refuses what v1.0 does not have, names the cure and sends nothing; a sync works."""
    project = each_door
    project.environment["INTUNE_VPP_GRAPH_VERSION"] = "v1.0"
    there = tenant.upload(token_file(tmp_path), displayName="Lincoln")
    tenant.log()
    for kind, token_id in (("LicenseRevocation", there), ("LicenseCountSync", None)):
        project.operations.clear()
        project.declare_operation("refused", kind, token_id)
        refused = project.preview()
        assert not refused.ok
        assert f"A {kind} needs Graph's beta: {CURE}" in refused.text
        assert "Traceback" not in refused.text
    project.operations.clear()
    project.declare(
        token=str(token_file(tmp_path, "york", location="York")),
        data_sharing_consent_granted=None,
        revoke_licenses_on_delete=True,
    )
    refused = project.preview()
    assert not refused.ok
    assert re.search("revoke(LicensesOnDelete|_licenses_on_delete) needs Graph's beta", refused.text)
    assert "out, or set intune-vpp:graphVersion (INTUNE_VPP_GRAPH_VERSION) to beta." in refused.text
    assert tenant.log() == []

    project.declared.clear()
    project.declare_operation("nightly", "LicenseSync", there, triggers=["1"])
    done = project.up()
    assert done.ok, done.text
    sent = [f"{one['method']} {one['path']}" for one in tenant.log() if "vppTokens" in one["path"]]
    path = f"/v1.0/deviceAppManagement/vppTokens/{there}"
    assert sent == [f"GET {path}", f"POST {path}/syncLicenses"]
    assert project.outputs("nightly")["lastSyncStatus"] == "completed"
