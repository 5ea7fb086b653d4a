"""One run of the engine on the provider below its doors: a fresh provider process on a tenant that lives on.

A `Run` calls what the engine calls, in the engine's order, keeps states the way the engine does, and shows which
requests reached Graph meanwhile.
"""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from intune_vpp.assembly import Assembly, connect_to_graph
from intune_vpp.core import pulumi_state, revocation
from intune_vpp.core.errors import WaitInterrupted
from intune_vpp.core.operations import LICENSE_COUNT_SYNC, LICENSE_REVOCATION, LICENSE_SYNC
from intune_vpp.core.outcome import Outcome
from intune_vpp.core.resource_type import UNKNOWN
from intune_vpp.core.waiting import TIME_ALLOWED
from intune_vpp.settings import read
from intune_vpp_emulator.app import ROOT, create_app
from intune_vpp_emulator.tenant import Tenant
from tenant_in_process import Interrupted, RecordingReporter, TenantTime, configuration, new_tenant, uploaded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from intune_vpp.core.diff import Plan
    from intune_vpp.core.errors import IntuneVppError
    from intune_vpp.core.operations import Operation
    from intune_vpp.core.outcome import Outputs
    from intune_vpp.core.token_check import Checked
    from intune_vpp.core.token_diff import TokenPlan
    from intune_vpp.core.vpp_token import VppTokenState
    from intune_vpp_emulator.directory import AppRegistration

LIST = ("GET", "/vppTokens")
POST = ("POST", "/vppTokens")
GET = ("GET", "/vppTokens/{id}")
PATCH = ("PATCH", "/vppTokens/{id}")
DELETE = ("DELETE", "/vppTokens/{id}")
SYNC = ("POST", "/vppTokens/{id}/syncLicenses")
REVOKE = ("POST", "/vppTokens/{id}/revokeLicenses")
COUNT = ("POST", "/vppTokens/syncLicenseCounts")

SYNCED = LICENSE_SYNC
REVOKED = LICENSE_REVOCATION
COUNTED = LICENSE_COUNT_SYNC

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_GRAPH = re.compile(r"/(beta|v1\.0)/deviceAppManagement")


@dataclass(frozen=True)
class OperationRecord:
    """What the engine keeps of an operation, and the failure that was reported to it."""

    operation: Operation
    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    failure: IntuneVppError | None = None

    def __getitem__(self, name: str) -> Any:
        return self.outputs.get(name)


class Run:
    """One run of the engine. `around` may wrap the transport, `time` may watch the clock."""

    def __init__(
        self,
        tenant: Tenant,
        *,
        app: AppRegistration | None = None,
        settings: Mapping[str, str] | None = None,
        around: Callable[[httpx.BaseTransport], httpx.BaseTransport] = lambda transport: transport,
        time: TenantTime | None = None,
    ) -> None:
        # An empty setting takes away the tenant's own.
        asked = {**configuration(tenant, app), **(settings or {})}
        # An application of its own, so that its log holds this run and nothing else.
        transport = httpx.WSGITransport(app=create_app(tenant))
        http = httpx.Client(transport=around(transport))
        self._control = httpx.Client(transport=transport, base_url=ROOT)
        self.reporter = RecordingReporter()
        self.time = time or TenantTime(tenant.clock)
        self.assembly = Assembly(
            read({name: value for name, value in asked.items() if value != ""}, {}),
            self.reporter,
            clock=self.time,
            connect=partial(connect_to_graph, http=http),
        )

    # The calls for a token.

    def check(self, inputs: Mapping[str, Any], before: VppTokenState | None = None) -> Checked:
        """Check, as the engine calls it: with the old inputs where there are any."""
        olds, location = (before.inputs, before.observed.location_name) if before else (None, UNKNOWN)
        return self.assembly.preview.check_token(inputs, olds, location=location)

    def refusal(self, inputs: Mapping[str, Any], before: VppTokenState | None = None) -> str:
        """The one reason why Check will not have these inputs."""
        (problem,) = self.check(inputs, before).problems
        return problem.reason

    def preview(self, before: VppTokenState, inputs: Mapping[str, Any]) -> TokenPlan:
        """Check and Diff."""
        checked = self.check(inputs, before)
        assert checked.problems == ()
        return self.assembly.preview.plan_token(before, checked.args)

    def create(self, inputs: Mapping[str, Any], *, timeout: timedelta = TIME_ALLOWED) -> Outcome[VppTokenState]:
        """Check and Create."""
        checked = self.check(inputs)
        assert checked.problems == ()
        return _kept(self.assembly.tokens.create(checked.args, timeout=timeout))

    def up(
        self, before: VppTokenState, inputs: Mapping[str, Any], *, timeout: timedelta = TIME_ALLOWED
    ) -> Outcome[VppTokenState]:
        """Check, Diff and, where a change is due, Update; without one the engine keeps the new inputs."""
        checked = self.check(inputs, before)
        assert checked.problems == ()
        if not self.assembly.preview.plan_token(before, checked.args):
            return Outcome(before.id, stored(replace(before, inputs=checked.args)))
        return _kept(self.assembly.tokens.update(before, checked.args, timeout=timeout))

    def refresh(self, before: VppTokenState) -> VppTokenState | None:
        """Read, None where the token is gone."""
        now = self.assembly.tokens.read(before)
        if now is None:
            return None
        self.assembly.preview.warn_of(now, just_read=True)
        return stored(now)

    def drift(self, before: VppTokenState) -> TokenPlan:
        """What a refresh would show as changed: Read, and Diff the other way round."""
        now = self.refresh(before)
        assert now is not None
        return self.assembly.preview.plan_token(now, before.inputs)

    def delete(self, before: VppTokenState) -> None:
        """Delete."""
        self.assembly.tokens.delete(before)

    # The calls for an operation.

    def check_operation(self, operation: Operation, inputs: Mapping[str, Any], *, creates: bool) -> None:
        """Check, which must find no problem."""
        assert self.assembly.preview.check_operation(operation, inputs, creates=creates) == []

    def operate(
        self, operation: Operation, inputs: Mapping[str, Any], *, timeout: timedelta = TIME_ALLOWED
    ) -> OperationRecord:
        """Check and Create."""
        self.check_operation(operation, inputs, creates=True)
        return _recorded(operation, inputs, self.assembly.operation(operation).run(inputs, timeout))

    def plan_operation(self, record: OperationRecord, inputs: Mapping[str, Any]) -> Plan:
        """Check and Diff."""
        self.check_operation(record.operation, inputs, creates=False)
        return self.assembly.preview.plan_operation(record.operation, record.outputs, inputs)

    def update_operation(
        self, record: OperationRecord, inputs: Mapping[str, Any] | None = None, *, timeout: timedelta = TIME_ALLOWED
    ) -> OperationRecord:
        """Check, Diff and Update: where something differs or is to go on, and where it failed the last time."""
        asked = record.inputs if inputs is None else inputs
        plan = self.plan_operation(record, asked)
        assert plan.replaces == ()
        assert plan or record.failure
        result = self.assembly.operation(record.operation).update(record.id, record.outputs, asked, timeout)
        assert result.id == record.id
        return _recorded(record.operation, asked, result)

    def refresh_operation(self, record: OperationRecord) -> OperationRecord | None:
        """Read, and Diff the other way round, which must show nothing; None where it is gone."""
        found = self.assembly.operation(record.operation).read(record.id, record.outputs)
        if found is None:
            return None
        assert not self.assembly.preview.plan_operation(record.operation, found, record.inputs)
        return OperationRecord(record.operation, record.id, record.inputs, _through_the_engine(record.operation, found))

    # What reached the tenant.

    @property
    def log(self) -> list[dict[str, Any]]:
        """All that was asked of the tenant in this run, sign-in included."""
        entries = self._control.get("/_emulator/requests").json()
        assert isinstance(entries, list)
        return entries

    @property
    def requests(self) -> list[tuple[str, str]]:
        """The requests to Graph: method and the shape of the path."""
        return [
            (entry["method"], _ID.sub("{id}", _GRAPH.sub("", entry["path"])))
            for entry in self.log
            if _GRAPH.match(entry["path"])
        ]

    @property
    def sign_ins(self) -> int:
        """How many access tokens were asked for."""
        return sum(entry["path"].endswith("/oauth2/v2.0/token") for entry in self.log)

    def bodies(self, method: str) -> list[dict[str, Any]]:
        """The bodies that went along with a method, secrets masked."""
        return [entry["body"] for entry in self.log if entry["method"] == method and _GRAPH.match(entry["path"])]


def stored(state: VppTokenState) -> VppTokenState:
    """A state after it went to the engine and came back."""
    return pulumi_state.state_from(state.id, pulumi_state.state_to(state))


def _kept(outcome: Outcome[VppTokenState]) -> Outcome[VppTokenState]:
    return replace(outcome, state=stored(outcome.state))


def _recorded(operation: Operation, inputs: Mapping[str, Any], result: Outcome[Outputs]) -> OperationRecord:
    assert None not in result.state.values()
    assert {name for name in result.state if name[:2] != "__"} <= {prop.name for prop in operation.properties}
    return OperationRecord(operation, result.id, inputs, _through_the_engine(operation, result.state), result.failure)


def _through_the_engine(operation: Operation, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """What a door reads of what it answered: the engine gives all numbers back as floats."""
    return pulumi_state.operation_from(operation, json.loads(json.dumps(outputs), parse_int=float))


def at_once(operation: Operation, **options: Any) -> tuple[list[OperationRecord], list[tuple[str, str]]]:
    """What two resources of a run keep of an operation on one token, the second looking early; their requests."""
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
        kept = list(threads.map(lambda _: run.operate(operation, inputs), range(2)))
    return kept, run.requests


def interrupted(tenant: Tenant, *, pause: int = 1) -> OperationRecord:
    """A revocation that somebody did not wait for, as kept."""
    token_id = uploaded(tenant)
    kept = Run(tenant, time=Interrupted(tenant.clock, pause)).operate(REVOKED, {"vppTokenId": token_id})
    assert isinstance(kept.failure, WaitInterrupted)
    return kept


def unresolved_failure(record: OperationRecord) -> IntuneVppError | None:
    """What the next update would say of a revocation."""
    return revocation.unresolved(revocation.result_from(record.outputs), "Lincoln").failure
