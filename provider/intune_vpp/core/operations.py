"""The resources that run an operation: their inputs and outputs, and what a change of them leads to.

Graph calls what can be done to a vppToken an action (https://learn.microsoft.com/graph/api/resources/
intune-onboarding-vpptoken, Methods). Such a resource runs one: it creates nothing in the tenant, and deleting it undoes
nothing. Inputs and outputs are plain property maps by Graph's names, described by the tables here; the outputs repeat
the inputs that were used, so that both doors see a change of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from intune_vpp.core.check import Policy, Problem, needs_beta, type_error
from intune_vpp.core.enums import ENDED
from intune_vpp.core.model import ACTION_RESULT, UNKNOWN, Compare, Kind, Property, Sent, same

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from intune_vpp.core.errors import IntuneVppError


def _input(attribute: str, kind: Kind, **more: Any) -> Property:
    return Property(attribute=attribute, kind=kind, sent=Sent.PROVIDER_ONLY, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One type of resource: its `name` in Pulumi, its inputs and outputs, and whether v1.0 lacks it.

    A change of `triggers` runs it again, one of `vppTokenId` replaces it; any other counts for its next run. `pending`
    says by the outputs whether the end of the last run is still unknown; `progress` names the output that shows that.
    """

    name: str
    properties: tuple[Property, ...]
    beta_only: bool = False
    pending: Callable[[Mapping[str, Any]], bool] = lambda _: False
    progress: str | None = None

    @property
    def inputs(self) -> tuple[Property, ...]:
        """What a program gives."""
        return tuple(prop for prop in self.properties if prop.sent)


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


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What Pulumi keeps of an operation that was started, and what went wrong after that."""

    id: str
    outputs: Mapping[str, Any]
    failure: IntuneVppError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an update leads to: the inputs that differ, and whether it `runs` the operation again.

    `resumes` says that it waits for an operation whose end is not known yet; `replaces` names the changed inputs that
    replace the resource.
    """

    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    runs: bool = False
    resumes: bool = False

    def __bool__(self) -> bool:
        return bool(self.changed) or self.resumes


def check(operation: Operation, inputs: Mapping[str, Any], policy: Policy) -> list[Problem]:
    """The problems with the inputs; where there are any, nothing may be sent."""
    known = {prop.name: prop for prop in operation.inputs}
    problems = [
        Problem("", f"{name} is not an input of a {operation.name}.")
        for name in inputs
        if name not in known and not name.startswith("__")
    ]
    if operation.beta_only and not policy.beta:
        problems.append(Problem("", needs_beta(f"A {operation.name}")))
    for prop in operation.inputs:
        value = inputs.get(prop.name)
        if value is None and prop.required:
            problems.append(Problem("", f"{prop.name} is required: the id of a vppToken."))
        elif value is not None and value is not UNKNOWN and (reason := type_error(prop, value)):
            problems.append(Problem("", reason))
    return problems


def plan(
    operation: Operation, before: Mapping[str, Any], inputs: Mapping[str, Any], ignoring: Collection[str] = ()
) -> Plan:
    """What an update from the outputs `before` to `inputs` leads to; names in `ignoring` count as they were."""
    compared = [prop for prop in operation.inputs if prop.name not in ignoring]
    changed = tuple(prop.name for prop in compared if not same(prop, before.get(prop.name), inputs.get(prop.name)))
    # An id that is not known yet replaces nothing: the engine asks so about all that hangs on a token that it replaces,
    # and the token stays. Once the id is known it asks again.
    known = inputs.get(_TARGET.name) is not UNKNOWN
    replaces = tuple(name for name in changed if name == _TARGET.name and known)
    return Plan(changed=changed, replaces=replaces, runs=_TRIGGERS.name in changed, resumes=operation.pending(before))


def results(operation: Operation, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs that are not inputs: the results of the operation."""
    names = [prop.name for prop in operation.properties if not prop.sent]
    return {name: outputs[name] for name in names if outputs.get(name) is not None}


def echoed_inputs(operation: Operation, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs that repeat the inputs."""
    return {prop.name: inputs[prop.name] for prop in operation.inputs if inputs.get(prop.name) is not None}
