"""The resources that run an operation: the table of each.

Graph calls what can be done to a vppToken an action (https://learn.microsoft.com/graph/api/resources/
intune-onboarding-vpptoken, Methods). Such a resource runs one: it creates nothing in the tenant, and deleting it undoes
nothing. Inputs and outputs are plain property maps by Graph's names, described by the tables here; the outputs repeat
the inputs that were used, so that both doors see a change of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from intune_vpp.core.enums import ENDED
from intune_vpp.core.resource_type import Compare, Kind, Property, ResourceType, Sent
from intune_vpp.core.vpp_token import ACTION_RESULT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _input(attribute: str, kind: Kind, **more: Any) -> Property:
    return Property(attribute=attribute, kind=kind, sent=Sent.PROVIDER_ONLY, **more)


@dataclass(frozen=True, kw_only=True)
class Operation(ResourceType):
    """A type of resource that runs an operation.

    A change of `triggers` runs it again, a change of `vppTokenId` replaces the resource; any other input counts the
    next time it runs. `pending` says, from the outputs, whether the end of its last run is unconfirmed; `progress` is
    the output that shows its progress.
    """

    pending: Callable[[Mapping[str, Any]], bool] = lambda _: False
    progress: str | None = None


_TARGET = _input("vpp_token_id", Kind.GUID, compare=Compare.CASELESS, required=True)
_TRIGGERS = _input("triggers", Kind.JSON)
_TENANT = Property(attribute="tenant_id", kind=Kind.GUID)

LICENSE_SYNC: Final = Operation(
    name="LicenseSync",
    properties=(
        _TARGET,
        _TRIGGERS,
        _input("wait_for_sync", Kind.BOOL, default=True),
        _TENANT,
        Property(attribute="state"),
        Property(attribute="last_sync_status"),
        Property(attribute="last_sync_date_time", kind=Kind.TIME),
        Property(attribute="sync_pending", kind=Kind.BOOL),
    ),
    pending=lambda outputs: outputs.get("syncPending") is True,
    progress="syncPending",
)
LICENSE_REVOCATION: Final = Operation(
    name="LicenseRevocation",
    beta_only=True,
    properties=(
        _TARGET,
        _input("notify_managed_devices", Kind.BOOL, default=False),
        _input("revoke_untracked_licenses", Kind.BOOL, default=False),
        _TENANT,
        Property(attribute="requested_date_time", kind=Kind.TIME),
        Property(attribute="previous_start_date_times", kind=Kind.STRINGS),
        *ACTION_RESULT,
    ),
    pending=lambda outputs: outputs.get("actionState") not in ENDED,
    progress="actionState",
)
LICENSE_COUNT_SYNC: Final = Operation(
    name="LicenseCountSync",
    beta_only=True,
    properties=(_TRIGGERS, _TENANT, Property(attribute="requested_date_time", kind=Kind.TIME)),
)
OPERATIONS: Final = (LICENSE_SYNC, LICENSE_REVOCATION, LICENSE_COUNT_SYNC)


def results(operation: Operation, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs that are not inputs: the results of the operation."""
    names = [prop.name for prop in operation.properties if not prop.sent]
    return {name: outputs[name] for name in names if outputs.get(name) is not None}


def echoed_inputs(operation: Operation, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs that repeat the inputs."""
    return {prop.name: inputs[prop.name] for prop in operation.inputs if inputs.get(prop.name) is not None}
