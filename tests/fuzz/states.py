"""What an engine keeps of each resource, and what becomes of it when somebody edits it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from fuzz.strategies import STATES, Odd, changed
from intune_vpp.core.operations import OPERATIONS
from tenant_in_process import uploaded

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant

NAMES = ["VppToken", *(operation.name for operation in OPERATIONS)]
SECONDS = 0.2
"""How long a call may wait for Intune."""

_EVERY: dict[str, Any] = {
    "triggers": {"build": 7, "of": ["monday", True]},
    "waitForSync": True,
    "notifyManagedDevices": True,
    "revokeUntrackedLicenses": False,
}
_MORE = {
    "LicenseRevocation": {"previousStartDateTimes": ["2026-10-01T12:00:00Z"], "actionState": "active"},
    "VppToken": {"syncPending": True},
}


@dataclass(frozen=True)
class Kept:
    """What the engine keeps of a resource, and what the program asks for next."""

    id: str
    outputs: dict[str, Any]
    olds: dict[str, Any]
    news: dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """A resource of a type as its provider made it, for the token of an id."""

    name: str
    kept: Kept
    token_id: str


Edits = dict[str, list[Odd]]
EDITS = st.fixed_dictionaries({}, optional=dict.fromkeys(("outputs", "olds", "news"), STATES)).filter(bool)


def asked(name: str, token_id: str) -> dict[str, Any]:
    """What a program asks of an operation, every input of it."""
    (operation,) = (operation for operation in OPERATIONS if operation.name == name)
    return {prop.name: {**_EVERY, "vppTokenId": token_id}[prop.name] for prop in operation.inputs}


def edited(resource: Resource, edits: Edits, tenant: Tenant) -> Kept:
    """The same of a token that was uploaded just now, to a tenant without others, and with these edits."""
    tenant.tokens = []
    anew = json.loads(json.dumps(asdict(resource.kept)).replace(resource.token_id, uploaded(tenant)))
    anew["outputs"] |= _MORE.get(resource.name, {})
    return Kept(**anew | {part: changed(anew[part], odds, within=True) for part, odds in edits.items()})
