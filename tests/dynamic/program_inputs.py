"""The inputs of a school's token, as the engine hands them to the dynamic door, what it keeps, and its tenants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from builders import apart
from intune_vpp_emulator.apple import make_token
from intune_vpp_emulator.members import Version
from intune_vpp_emulator.refusals import IntuneRefusal
from intune_vpp_emulator.tenant import Graph, Tenant

if TYPE_CHECKING:
    from intune_vpp.dynamic import VppTokenProvider

RECORD = "gASVNwAAAAAAAACMG2ludHVuZV92cHAuZHluYW1pYy5wcm92aWRlcpSMEFZwcFRva2VuUHJvdmlkZXKUk5QpgZQu"
"""What the SDK puts beside the inputs."""


def day(days: float) -> datetime:
    """So many days from now: the provider's process has the system's clock."""
    return datetime.now(UTC) + timedelta(days=days)


def text(
    *, days: float = 300, expires: datetime | None = None, organization: str = "Contoso", location: str = "Lincoln"
) -> str:
    """The text of a new token file, which ends so many days from now, or then."""
    return make_token(organization, location, expires or day(days) + apart(location))


def inputs(token: object = None, **differing: Any) -> dict[str, Any]:
    """What a program asks for; None leaves an input out."""
    asked = {
        "token": token,
        "appleId": "vpp@contoso.example",
        "vppTokenAccountType": "business",
        "displayName": "Lincoln",
        "dataSharingConsentGranted": True,
        "waitForSync": False,
        "__provider": RECORD,
        **differing,
    }
    return {name: value for name, value in asked.items() if value is not None}


class Unsyncable(Tenant):
    """A tenant that fails to sync."""

    healed = False

    def sync_licenses(self, token_id: str, *, version: Version = Version.BETA) -> Graph:
        """Refuse, until it is healed."""
        if not self.healed:
            raise IntuneRefusal(503, "ServiceUnavailable", "The licence service is away.")
        return super().sync_licenses(token_id, version=version)


@dataclass
class Kept:
    """What the engine keeps of one token: id, inputs and outputs."""

    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


def made(provider: VppTokenProvider, asked: dict[str, Any]) -> Kept:
    """A token, checked and created."""
    checked = provider.check({}, asked)
    assert checked.failures == []
    result = provider.create(checked.inputs)
    return Kept(result.id, checked.inputs, result.outs or {})


def changes(provider: VppTokenProvider, kept: Kept, asked: dict[str, Any]) -> bool | None:
    """What Diff says to these inputs, checked."""
    checked = provider.check(kept.inputs, asked)
    assert checked.failures == []
    return provider.diff(kept.id, kept.outputs, checked.inputs).changes


def updated(provider: VppTokenProvider, kept: Kept, asked: dict[str, Any]) -> Kept:
    """The token, checked and updated."""
    checked = provider.check(kept.inputs, asked)
    assert checked.failures == []
    return Kept(kept.id, checked.inputs, provider.update(kept.id, kept.outputs, checked.inputs).outs or {})
