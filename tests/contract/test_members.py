"""The provider's table and the emulator's, made apart from each other, against what Microsoft published."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET  # the captures are our own files

import pytest

from intune_vpp.core.resource_type import Sent
from intune_vpp.core.vpp_token import VPP_TOKEN
from intune_vpp_emulator.members import MEMBERS

BETA_ONLY = {
    "appleDeviceAppDeliveryProtocolType",
    "claimTokenManagementFromExternalMdm",
    "dataSharingConsentGranted",
    "displayName",
    "locationName",
    "roleScopeTagIds",
    "tokenActionResults",
}
IN_BOTH = {
    "appleId",
    "automaticallyUpdateApps",
    "countryOrRegion",
    "expirationDateTime",
    "lastModifiedDateTime",
    "lastSyncDateTime",
    "lastSyncStatus",
    "organizationName",
    "state",
    "token",
    "vppTokenAccountType",
}
"""graph.vppToken: v1.0 of 2026-08-03, beta of 2026-07-28 (github.com/microsoftgraph/msgraph-metadata, schemas/)."""

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "graph" / "captures"


def test_the_provider_knows_every_member() -> None:
    """All members of Graph's vppToken are in the table, beta-only ones marked, and nothing else comes from Graph."""
    from_graph = {prop.name for prop in VPP_TOKEN.observed} | {"token"}
    assert from_graph == BETA_ONLY | IN_BOTH
    assert {prop.name for prop in VPP_TOKEN.observed if prop.beta_only} == BETA_ONLY
    sent = {prop.name for prop in VPP_TOKEN.properties if prop.sent is Sent.MEMBER}
    assert sent <= BETA_ONLY | IN_BOTH


def test_the_emulator_knows_every_member() -> None:
    """The pretend tenant has the same members, whatever the provider believes."""
    assert set(MEMBERS) - {"id", "@odata.type"} == BETA_ONLY | IN_BOTH


@pytest.mark.parametrize("capture", sorted(CAPTURES.glob("csdl-beta-Fairfax*.xml")) or [None])
def test_the_lists_are_microsofts(capture: Path | None) -> None:
    """Where the published metadata is at hand, its members are those written down here."""
    if capture is None:
        return
    entity = ET.fromstring(capture.read_text())  # noqa: S314
    names = {found.attrib["Name"] for found in entity.iter() if found.tag.endswith("Property")}
    assert names == BETA_ONLY | IN_BOTH
