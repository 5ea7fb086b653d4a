"""What all operations share: each runs at create and again when its triggers change; deleting one undoes nothing.

`lifecycle/sync.py` and `lifecycle/revocation.py` contain the operations on one token. An error after the start of an
operation is returned with its outputs, in `Outcome.failure`.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from intune_vpp.core import diff, operations, times
from intune_vpp.core.errors import Cure, StateError, TokenGone, WaitInterrupted
from intune_vpp.core.operations import LICENSE_COUNT_SYNC, Operation
from intune_vpp.core.outcome import Outcome, Outputs
from intune_vpp.core.waiting import WaitResult, beginning, stopped_before
from intune_vpp.lifecycle import tenancy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    from intune_vpp.core.errors import IntuneVppError
    from intune_vpp.core.ports import Clock, Reporter, VppTokens
    from intune_vpp.core.vpp_token import VppToken
    from intune_vpp.lifecycle.listing import TokenListing
    from intune_vpp.lifecycle.ownership import Ownership
    from intune_vpp.lifecycle.waiting import Waiting


class OperationLifecycle(ABC):
    """One type of operation in a process: run, update and read.

    `inputs` and `outputs` are property maps by the table of `operation`; `timeout` is how long to wait for the end.
    The methods raise GraphError, WrongTenant, SettingsError, StateError and WaitInterrupted: nothing was started then.
    """

    operation: ClassVar[Operation]

    def __init__(  # noqa: PLR0913, PLR0917 - the parts, wired in one place
        self,
        tokens: VppTokens,
        listing: TokenListing,
        waiting: Waiting,
        ownership: Ownership,
        reporter: Reporter,
        clock: Clock,
    ) -> None:
        self._tokens = tokens
        self._listing = listing
        self._waiting = waiting
        self._ownership = ownership
        self._reporter = reporter
        self._clock = clock
        self._beginning: dict[str, threading.Lock] = {}
        self._followed: set[str] = set()
        """The ids, in lower case, of the tokens on which this process has started the operation."""

    def run(self, inputs: Mapping[str, Any], timeout: timedelta) -> Outcome[Outputs]:
        """Run the operation."""
        with self._clock.time_limit(timeout):
            return self._run(inputs, timeout)

    @abstractmethod
    def _run(self, inputs: Mapping[str, Any], timeout: timedelta) -> Outcome[Outputs]: ...

    def update(
        self, operation_id: str, before: Mapping[str, Any], inputs: Mapping[str, Any], timeout: timedelta
    ) -> Outcome[Outputs]:
        """Run it again if a trigger changed, resume a wait that did not end, or else store the new inputs only."""
        with self._clock.time_limit(timeout):
            return self._update(operation_id, before, inputs, timeout)

    def _update(
        self, operation_id: str, before: Mapping[str, Any], inputs: Mapping[str, Any], timeout: timedelta
    ) -> Outcome[Outputs]:
        plan = diff.plan_operation(self.operation, before, inputs)
        if plan.runs:
            self._require_tenant(operation_id, before)
            return self._run(inputs, timeout)
        if plan.pending:
            self._require_tenant(operation_id, before)
            return self._resume(operation_id, before, inputs, timeout)
        outputs = {**operations.results(self.operation, before), **operations.echoed_inputs(self.operation, inputs)}
        return Outcome(operation_id, outputs, self.unresolved_failure(before))

    def read(self, operation_id: str, before: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The outputs as Graph shows them now.

        None if the token was deleted: the engine then drops the resource, and the operation can run on another token.
        """
        self._require_tenant(operation_id, before)
        return before

    def unresolved_failure(self, outputs: Mapping[str, Any]) -> IntuneVppError | None:
        """Return the failure that remains from the last run, or None if it succeeded."""
        del outputs
        return None

    def _resume(
        self, operation_id: str, before: Mapping[str, Any], inputs: Mapping[str, Any], timeout: timedelta
    ) -> Outcome[Outputs]:
        del operation_id, before
        return self._run(inputs, timeout)

    @contextmanager
    def _on_token(self, inputs: Mapping[str, Any]) -> Iterator[None]:
        """Wraps the start of the operation on a token. Raises TokenGone with the tenant that was asked."""
        named = token_id(inputs)
        with beginning(f"anything was done to token {named}"):
            tenant_id = self._clock.unless_stopped(self._tokens.tenant_id)
        try:
            yield
        except TokenGone:
            what = f"Token {named} was not found in tenant {tenant_id}."
            why = "It was deleted, or it belongs to another tenant."
            cure = "If its VppToken uses another provider, set the same one here."
            raise TokenGone(f"{what} {why} {cure}") from None

    @contextmanager
    def _alone_with(self, named: str, what: str) -> Iterator[VppToken]:
        """The token before an operation starts; `what` says, for an interruption, what was not started.

        Two resources of a program may be for one token. Only one of them starts at a time, so that the second sees
        what the first has started, and joins it.
        """
        with self._beginning.setdefault(named.lower(), threading.Lock()):
            # Not from a listing: an operation that ran when that was made would pass for one that runs now.
            with beginning(what):
                seen = self._clock.unless_stopped(partial(self._listing.get, named))
            yield seen

    def _require_tenant(self, operation_id: str, before: Mapping[str, Any]) -> None:
        tenancy.require(self._tokens, before.get("tenantId") or "", f"{self.operation.name} {operation_id}")

    def _result(
        self, operation_id: str, inputs: Mapping[str, Any], results: Mapping[str, Any], ended: WaitResult | None = None
    ) -> Outcome[Outputs]:
        if ended is not None and ended.warning:
            self._reporter.warn(ended.warning)
        outputs = {**operations.echoed_inputs(self.operation, inputs), "tenantId": self._tokens.tenant_id(), **results}
        return Outcome(operation_id, present(outputs), ended.failure if ended else None)


class LicenseCountSyncs(OperationLifecycle):
    """`syncLicenseCounts`, for all tokens at once."""

    operation = LICENSE_COUNT_SYNC

    def _run(self, inputs: Mapping[str, Any], timeout: timedelta) -> Outcome[Outputs]:
        """Ask Intune to count. There is nothing to wait for: Intune does not report when it has finished."""
        del timeout
        what = "licences were counted"
        with beginning(what):
            tenant_id = self._clock.unless_stopped(self._tokens.tenant_id)
        try:
            self._clock.unless_stopped(self._tokens.sync_license_counts)
        except WaitInterrupted as stopped:
            raise (stopped if stopped.asked else stopped_before(what)) from None
        return self._result(tenant_id, inputs, {"requestedDateTime": times.text(self._clock.now())})


def token_id(properties: Mapping[str, Any]) -> str:
    """Return the id of the token of an operation. Raises StateError if the state does not have it."""
    found = properties.get("vppTokenId")
    if not isinstance(found, str):
        raise StateError("The state of this resource has no vppTokenId.", cure=Cure.ADD_TO_STATE)
    return found


def present(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs that have a value."""
    return {name: value for name, value in outputs.items() if value is not None}
