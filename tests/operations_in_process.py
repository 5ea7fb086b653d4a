"""Actions below the doors, over an emulated tenant in the same process: what the engine asks, and what it keeps."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from intune_vpp.core import pulumi_state, revocation
from intune_vpp.core.errors import WaitInterrupted
from intune_vpp.core.operations import LICENSE_COUNT_SYNC, LICENSE_REVOCATION, LICENSE_SYNC
from intune_vpp.core.waiting import TIME_ALLOWED
from intune_vpp_emulator.faults import Faults
from intune_vpp_emulator.refusals import IntuneRefusal
from intune_vpp_emulator.tenant import Tenant
from tenant_in_process import Run, TenantTime, new_tenant, vpptoken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from datetime import datetime, timedelta

    from intune_vpp.core.diff import Plan
    from intune_vpp.core.errors import IntuneVppError
    from intune_vpp.core.operations import Operation
    from intune_vpp.core.outcome import Outcome, Outputs
    from intune_vpp.core.ports import T
    from intune_vpp_emulator.clock import Clock

REVOKE = ("POST", "/vppTokens/{id}/revokeLicenses")
COUNT = ("POST", "/vppTokens/syncLicenseCounts")

SYNCED = LICENSE_SYNC
REVOKED = LICENSE_REVOCATION
COUNTED = LICENSE_COUNT_SYNC


@dataclass(frozen=True)
class Kept:
    """What the engine keeps of an action, and the failure that was reported to it."""

    operation: Operation
    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    failure: IntuneVppError | None = None

    def __getitem__(self, name: str) -> Any:
        return self.outputs.get(name)


class Interrupted(TenantTime):
    """Time in which the engine asks the provider to stop during a pause."""

    def __init__(self, clock: Clock, pause: int = 1) -> None:
        super().__init__(clock)
        self._pause = pause

    def sleep(self, seconds: float) -> None:
        """Let time pass until that pause."""
        if len(self.slept) + 1 == self._pause:
            raise WaitInterrupted("The wait was interrupted.")
        super().sleep(seconds)


class StopRequested(TenantTime):
    """Time in which the engine asks the provider to stop during call number `during`; with 0, before the first call.

    The caller does not get the answer of that call, unless it is `answered`.
    """

    def __init__(self, clock: Clock, *, during: int, answered: bool = False) -> None:
        super().__init__(clock)
        self._left = during
        self._answered = answered

    def wait_for(self, answer: Future[T], timeout: float | None = None) -> T:
        """A call that is waited for is one of them."""
        return self.unless_stopped(answer.result, timeout)

    def unless_stopped(self, call: Callable[[], T], timeout: float | None = None) -> T:
        """Make the calls until then, and that one."""
        if self._left == 0:
            raise WaitInterrupted("The wait was interrupted.")
        self._left -= 1
        answer = super().unless_stopped(call, timeout)
        if self._left == 0 and not self._answered:
            raise WaitInterrupted("The wait was interrupted.", asked=True)
        return answer

    def sleep(self, seconds: float) -> None:
        """No time passes once the engine has asked."""
        if self._left == 0:
            raise WaitInterrupted("The wait was interrupted.")
        super().sleep(seconds)


class Clocked(TenantTime):
    """The machine's time, before the tenant's or after it."""

    def __init__(self, clock: Clock, ahead: timedelta) -> None:
        super().__init__(clock)
        self._ahead = ahead

    def now(self) -> datetime:
        """The machine's time."""
        return super().now() + self._ahead


def uploaded(tenant: Tenant, location: str = "Lincoln", **members: Any) -> str:
    """The id of a token that was uploaded by hand and synced."""
    made = tenant.create_by_hand(
        {"token": vpptoken(location), "appleId": "vpp@contoso.example", "displayName": location, **members}
    )
    tenant.sync_licenses(made["id"])
    tenant.clock.advance(tenant.sync_seconds)
    return str(made["id"])


def script(tenant: Tenant, **end: Any) -> None:
    """Let the result of the revocation that starts next end with these members."""
    tenant.ends_of_revocations.append(Faults([{"revoke": end}]).for_revocation)


def checked(run: Run, operation: Operation, inputs: Mapping[str, Any], *, creates: bool) -> None:
    """Check, where nothing is to be wrong."""
    assert run.assembly.preview.check_operation(operation, inputs, creates=creates) == []


def done(run: Run, operation: Operation, inputs: Mapping[str, Any], *, timeout: timedelta = TIME_ALLOWED) -> Kept:
    """Check and Create."""
    checked(run, operation, inputs, creates=True)
    return _kept(operation, inputs, run.assembly.operation(operation).run(inputs, timeout))


def planned(run: Run, kept: Kept, inputs: Mapping[str, Any]) -> Plan:
    """Check and Diff."""
    checked(run, kept.operation, inputs, creates=False)
    return run.assembly.preview.plan_operation(kept.operation, kept.outputs, inputs)


def updated(
    run: Run, kept: Kept, inputs: Mapping[str, Any] | None = None, *, timeout: timedelta = TIME_ALLOWED
) -> Kept:
    """Check, Diff and Update: where something differs or is to go on, and where it failed the last time."""
    asked = kept.inputs if inputs is None else inputs
    plan = planned(run, kept, asked)
    assert plan.replaces == ()
    assert plan or kept.failure
    result = run.assembly.operation(kept.operation).update(kept.id, kept.outputs, asked, timeout)
    assert result.id == kept.id
    return _kept(kept.operation, asked, result)


def refreshed(run: Run, kept: Kept) -> Kept | None:
    """Read, and Diff the other way round, which must show nothing; None where it is gone."""
    found = run.assembly.operation(kept.operation).read(kept.id, kept.outputs)
    if found is None:
        return None
    assert not run.assembly.preview.plan_operation(kept.operation, found, kept.inputs)
    return Kept(kept.operation, kept.id, kept.inputs, _through_the_engine(kept.operation, found))


def at_once(operation: Operation, **options: Any) -> tuple[list[Kept], list[tuple[str, str]]]:
    """What two resources of a run keep of an action on one token, the second looking early; their requests."""
    second_looked = threading.Event()

    class Slow(Tenant):
        looks = 0

        def get(self, token_id: str, **options: Any) -> dict[str, Any]:
            shown = super().get(token_id, **options)
            self.looks += 1
            if self.looks == 2:
                second_looked.set()
            else:
                # Time for the second to look before the first has begun, if nothing keeps it from that.
                second_looked.wait(0.3)
            return shown

    class Patient(TenantTime):
        def sleep(self, seconds: float) -> None:
            assert second_looked.wait(5)
            super().sleep(seconds)

    tenant = new_tenant(Slow, **options)
    inputs = {"vppTokenId": uploaded(tenant)}
    run = Run(tenant, time=Patient(tenant.clock))
    with ThreadPoolExecutor(2) as threads:
        kept = list(threads.map(lambda _: done(run, operation, inputs), range(2)))
    return kept, run.requests


def unresolved_failure(kept: Kept) -> IntuneVppError | None:
    """What the next update would say of a revocation."""
    return revocation.unresolved(revocation.result_from(kept.outputs), "Lincoln").failure


def _kept(operation: Operation, inputs: Mapping[str, Any], result: Outcome[Outputs]) -> Kept:
    assert None not in result.state.values()
    assert {name for name in result.state if name[:2] != "__"} <= {prop.name for prop in operation.properties}
    return Kept(operation, result.id, inputs, _through_the_engine(operation, result.state), result.failure)


def _through_the_engine(operation: Operation, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """What a door reads of what it answered: the engine gives all numbers back as floats."""
    return pulumi_state.operation_from(operation, json.loads(json.dumps(outputs), parse_int=float))


def slow(kind: type[Tenant] = Tenant, **options: Any) -> Tenant:
    """A tenant whose revocations take a minute."""
    return new_tenant(kind, revoke_seconds=60, **options)


def interrupted(tenant: Tenant, *, pause: int = 1) -> Kept:
    """A revocation that somebody did not wait for, as kept."""
    token_id = uploaded(tenant)
    kept = done(Run(tenant, time=Interrupted(tenant.clock, pause)), REVOKED, {"vppTokenId": token_id})
    assert isinstance(kept.failure, WaitInterrupted)
    return kept


class WithoutRevocations(Tenant):
    """A tenant that does not know the action."""

    def revoke_licenses(self, token_id: str, body: Mapping[str, Any]) -> None:
        """Answer as for what is not there."""
        del token_id, body
        raise IntuneRefusal(404, "ResourceNotFound", "No such action.")


class LosesRevocationAnswers(Tenant):
    """A tenant whose answers to revocations are lost, before or after it has revoked."""

    revokes = True

    def revoke_licenses(self, token_id: str, body: Mapping[str, Any]) -> None:
        """Revoke or not, and answer with a gateway's time-out."""
        if self.revokes:
            super().revoke_licenses(token_id, body)
        raise IntuneRefusal(504, "GatewayTimeout", "Too late.")
