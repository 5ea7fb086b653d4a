"""Every member that Graph's types of licences have, as it stands in a state file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import Tenant, token_file

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project

STATES = ["unknown", "valid", "expired", "invalid", "assignedToExternalMDM", "duplicateLocationId", "novelState"]
SYNC_STATUSES = ["none", "inProgress", "completed", "failed", "novelStatus"]
ACCOUNT_TYPES = ["business", "education"]
ACTION_STATES = ["none", "pending", "canceled", "active", "done", "failed", "notSupported", "novelActionState"]
FAILURE_REASONS = [
    "none",
    "appleFailure",
    "internalError",
    "expiredVppToken",
    "expiredApplePushNotificationCertificate",
    "novelReason",
]
SUBTYPE = "#microsoft.graph.vppTokenRevokeLicensesActionResult"
BASE = {
    "@odata.type": "#microsoft.graph.vppTokenActionResult",
    "actionName": "novelAction",
    "actionState": "active",
    "lastUpdatedDateTime": "2026-02-03T04:05:07.0000000Z",
    "startDateTime": "2026-02-03T04:05:06.0000000Z",
}
STRANGER = {"@odata.type": "#microsoft.graph.vppTokenNovelActionResult", "novel": {"members": [1, True, "x"]}}


def test_each_member_is_read_back(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """Each member of the five enumerations, those not known yet too, and each of both results stands in the state."""
    project = each_door
    names = [f"token-{number}" for number in range(len(ACTION_STATES))]
    for name in names:
        project.declare(name, token=str(token_file(tmp_path, name, location=name)), display_name=name)
        project.declare_operation(f"retire-{name}", "LicenseRevocation", name)
    done = project.up()
    assert done.ok, done.text
    written, records = {}, project.records()
    for number, name in enumerate(names):
        written[name] = _members(number, records[f"retire-{name}"]["outputs"]["startDateTime"])
        tenant.edit(records[name]["id"], **written[name])
    refreshed = project.refresh()
    assert refreshed.ok, refreshed.text
    records = project.records()
    for name in names:
        outputs = records[name]["outputs"]
        assert {member: outputs[member] for member in written[name]} == written[name]
        result = {**written[name]["tokenActionResults"][0]}
        assert result.pop("@odata.type") == SUBTYPE
        revocation = records[f"retire-{name}"]["outputs"]
        assert {member: revocation[member] for member in result} == result
    exported = project.pulumi("stack", "export").text
    for member in (*STATES, *SYNC_STATUSES, *ACCOUNT_TYPES, *ACTION_STATES, *FAILURE_REASONS):
        assert f'"{member}"' in exported


def _members(number: int, start: str) -> dict[str, Any]:
    def one_of(members: list[str]) -> str:
        return members[number % len(members)]

    result = {
        "@odata.type": SUBTYPE,
        "actionName": "revokeLicenses",
        "actionState": one_of(ACTION_STATES),
        "actionFailureReason": one_of(FAILURE_REASONS),
        "startDateTime": start,
        "lastUpdatedDateTime": "2026-02-03T04:05:08.0000000Z",
        "totalLicensesCount": 7 + number,
        "failedLicensesCount": number,
    }
    return {
        "state": one_of(STATES),
        "lastSyncStatus": one_of(SYNC_STATUSES),
        "vppTokenAccountType": one_of(ACCOUNT_TYPES),
        "tokenActionResults": [result, BASE, STRANGER],
    }
