"""The provider's table and the emulator's, made apart from each other, against what Microsoft published.

`metadata/` has the entity type of each version of Graph as Microsoft publishes it, and the commit that it comes from.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from intune_vpp.core.resource_type import Sent
from intune_vpp.core.vpp_token import VPP_TOKEN
from intune_vpp_emulator.members import MEMBERS


def published(version: str) -> set[str]:
    """The names of the properties that Microsoft's metadata of a version gives a vppToken."""
    text = Path(__file__).with_name("metadata").joinpath(f"vppToken-{version}.xml").read_text()
    return {one.attrib["Name"] for one in ET.fromstring(text).iter("Property")}  # noqa: S314 - our own file


V1, BETA = published("v1.0"), published("beta")


def test_the_provider_knows_every_member() -> None:
    """All members of Graph's vppToken are in the table, beta-only ones marked, and nothing else comes from Graph."""
    assert V1 < BETA
    assert {prop.name for prop in VPP_TOKEN.observed} | {"token"} == BETA
    assert {prop.name for prop in VPP_TOKEN.observed if prop.beta_only} == BETA - V1
    assert {prop.name for prop in VPP_TOKEN.properties if prop.sent is Sent.MEMBER} <= BETA


def test_the_emulator_knows_every_member() -> None:
    """The emulated tenant has the same members, whatever the provider believes."""
    assert set(MEMBERS) - {"id", "@odata.type"} == BETA
