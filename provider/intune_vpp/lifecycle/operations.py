"""The operations: sync the licences of a token, revoke them, count those of all tokens.

Each runs at create and again when its triggers change; deleting one does nothing in the tenant. What goes wrong
after it was started is returned beside the outputs, in `OperationResult.failure`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from intune_vpp.core import operations, pulumi_state, revocation, sync, times
from intune_vpp.core.errors import RevocationFailed, StateError, TokenGone
from intune_vpp.core.model import camel_case
from intune_vpp.core.operations import LICENSE_COUNT_SYNC, LICENSE_REVOCATION, LICENSE_SYNC, Operation, OperationResult
from intune_vpp.core.revocation import Watch
from intune_vpp.core.waiting import TIME_ALLOWED, WaitResult, beginning
from intune_vpp.lifecycle import tenancy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    from intune_vpp.core.errors import IntuneVppError
    from intune_vpp.core.model import VppToken
    from intune_vpp.core.ports import Clock, Reporter, VppTokens
    from intune_vpp.lifecycle.listing import TokenListing
    from intune_vpp.lifecycle.ownership import Ownership
    from intune_vpp.lifecycle.revoking import Revoking
    from intune_vpp.lifecycle.syncing import Syncing


class OperationLifecycle(ABC):
    """All that happens to the resources of one type of action in a process.

    `inputs` and `outputs` are property maps by the table of `action`. What is raised is a GraphError, WrongTenant,
    SettingsError, RevocationFailed or WaitInterrupted; then nothing was begun, or the next try finds it.
    """

    operation: ClassVar[Operation]

    def __init__(self, tokens: VppTokens, reporter: Reporter, clock: Clock) -> None:
        self._tokens = tokens
        self._reporter = reporter
        self._clock = clock

    @abstractmethod
    def run(self, inputs: Mapping[str, Any], timeout: timedelta) -> OperationResult:
        """Run the operation; `timeout` is how long to wait for its end."""

    def update(
        self, operation_id: str, before: Mapping[str, Any], inputs: Mapping[str, Any], timeout: timedelta
    ) -> OperationResult:
        """Act again where a trigger changed, go on with what had not ended, and otherwise only take the inputs over."""
        plan = operations.plan(self.operation, before, inputs)
        if plan.runs:
            self._require_tenant(operation_id, before)
            return self.run(inputs, timeout)
        if plan.resumes:
            self._require_tenant(operation_id, before)
            return self._resume(operation_id, before, inputs, timeout)
        outputs = {**operations.results(self.operation, before), **operations.echoed_inputs(self.operation, inputs)}
        return OperationResult(operation_id, outputs, self.unresolved_failure(before))

    def read(self, operation_id: str, before: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The outputs as Graph tells them now; None where what it was done to is gone, and it could be done again."""
        self._require_tenant(operation_id, before)
        return before

    def unresolved_failure(self, outputs: Mapping[str, Any]) -> IntuneVppError | None:
        """The failure that remains from the last run, None where there is none."""
        del outputs
        return None

    def _resume(
        self, operation_id: str, before: Mapping[str, Any], inputs: Mapping[str, Any], timeout: timedelta
    ) -> OperationResult:
        del operation_id, before
        return self.run(inputs, timeout)

    @contextmanager
    def _there(self, inputs: Mapping[str, Any]) -> Iterator[None]:
        """What begins the act on a token. Raises TokenGone, naming where it was looked for."""
        token_id = _token_id(inputs)
        with beginning(f"anything was done to token {token_id}"):
            tenant_id = self._clock.unless_stopped(self._tokens.tenant_id)
        try:
            yield
        except TokenGone:
            what = f"Token {token_id} was not found in tenant {tenant_id}. It was deleted, or it belongs to another"
            raise TokenGone(f"{what} tenant: use the same provider as its VppToken.") from None

    def _require_tenant(self, operation_id: str, before: Mapping[str, Any]) -> None:
        tenancy.require(self._tokens, before.get("tenantId") or "", f"{self.operation.name} {operation_id}")

    def _result(
        self, operation_id: str, inputs: Mapping[str, Any], told: Mapping[str, Any], ended: WaitResult | None = None
    ) -> OperationResult:
        if ended is not None and ended.warning:
            self._reporter.warn(ended.warning)
        outputs = {**operations.echoed_inputs(self.operation, inputs), "tenantId": self._tokens.tenant_id(), **told}
        present = {name: value for name, value in outputs.items() if value is not None}
        return OperationResult(operation_id, present, ended.failure if ended else None)


class LicenseSyncs(OperationLifecycle):
    """`syncLicenses` on demand."""

    operation = LICENSE_SYNC

    def __init__(
        self, tokens: VppTokens, reporter: Reporter, clock: Clock, *, listing: TokenListing, syncing: Syncing
    ) -> None:
        super().__init__(tokens, reporter, clock)
        self._listing = listing
        self._syncing = syncing

    def run(self, inputs: Mapping[str, Any], timeout: timedelta) -> OperationResult:
        """Sync the licences, unless Intune is about to already; wait for the end where that is wanted."""
        with self._there(inputs):
            seen, observed = self._syncing.begin(_token_id(inputs))
        ended = None
        if inputs.get("waitForSync") is not False:
            watch = sync.Watch(started_at=self._clock.now(), allowed=timeout, stale_state=seen.state)
            observed, ended = self._syncing.follow(watch, seen, observed)
        pending = ended is not None and ended.failure is not None
        return self._result(seen.id, inputs, {**_shown(observed), "syncPending": pending}, ended)

    def read(self, operation_id: str, before: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The token's syncs as they stand now."""
        self._require_tenant(operation_id, before)
        try:
            observed = self._listing.one(operation_id)
        except TokenGone:
            return None
        shown = {**before, **_shown(observed)}
        return {name: value for name, value in shown.items() if value is not None}


class LicenseRevocations(OperationLifecycle):
    """`revokeLicenses`, once."""

    operation = LICENSE_REVOCATION

    def __init__(  # noqa: PLR0913 - the parts, wired in one place
        self,
        tokens: VppTokens,
        reporter: Reporter,
        clock: Clock,
        *,
        listing: TokenListing,
        revoking: Revoking,
        ownership: Ownership,
    ) -> None:
        super().__init__(tokens, reporter, clock)
        self._listing = listing
        self._revoking = revoking
        self._ownership = ownership

    def run(self, inputs: Mapping[str, Any], timeout: timedelta) -> OperationResult:
        """Revoke all licences of the token and wait until Intune is done."""
        with self._there(inputs):
            seen, watch = self._revoking.begin(
                _token_id(inputs),
                notify_managed_devices=inputs.get("notifyManagedDevices") is True,
                revoke_untracked_licenses=inputs.get("revokeUntrackedLicenses") is True,
                timeout=timeout,
            )
        self._ownership.set_label(seen.id, seen.label)
        return self._follow(watch, seen, inputs)

    def read(self, operation_id: str, before: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The revocation as Graph tells of it now; what was told last, where it no longer does.

        It is never gone: what was done stays done, and must not be done again because a token was deleted.
        """
        self._require_tenant(operation_id, before)
        found, watch = None, self._watch(before)
        ended = revocation.result_from(before).has_ended
        with suppress(TokenGone):
            observed = self._listing.one(_token_id(before))
            self._ownership.set_label(observed.id, observed.label)
            if not ended and not revocation.shows(watch, observed):
                # A listing may lag, or not carry this member.
                observed = self._listing.get(observed.id)
            found = revocation.find(watch, observed)
        now = {**before, **(revocation.result_to(found) if found else {})}
        if found:
            now.pop(pulumi_state.EARLIER, None)
        warning = self._unresolved(now).warning
        if warning and not ended:
            self._reporter.warn(warning)
        return {name: value for name, value in now.items() if value is not None}

    def unresolved_failure(self, outputs: Mapping[str, Any]) -> IntuneVppError | None:
        """The failure of the revocation, until the resource is replaced."""
        return self._unresolved(outputs).failure

    def _unresolved(self, outputs: Mapping[str, Any]) -> WaitResult:
        return revocation.unresolved(
            revocation.result_from(outputs), self._ownership.describe(str(outputs.get(_TOKEN)))
        )

    def _resume(
        self, operation_id: str, before: Mapping[str, Any], inputs: Mapping[str, Any], timeout: timedelta
    ) -> OperationResult:
        token_id = _token_id(inputs)
        try:
            seen = self._clock.unless_stopped(partial(self._listing.get, token_id))
        except TokenGone:
            what = f"Token {token_id} was deleted before the revocation of its licences was confirmed."
            failure = RevocationFailed(f"{what} Intune no longer reports it. Remove this resource from the program.")
            kept = {name: value for name, value in before.items() if name == pulumi_state.EARLIER}
            return OperationResult(
                operation_id,
                {
                    **operations.results(self.operation, before),
                    **kept,
                    **operations.echoed_inputs(self.operation, inputs),
                },
                failure,
            )
        return self._follow(self._watch(before, timeout), seen, inputs, operation_id, before)

    def _follow(
        self,
        watch: Watch,
        seen: VppToken,
        inputs: Mapping[str, Any],
        operation_id: str | None = None,
        before: Mapping[str, Any] | None = None,
    ) -> OperationResult:
        observed, result, ended = self._revoking.follow(watch, seen)
        ended = WaitResult(revocation.with_cure(ended.failure), revocation.how_again(ended.warning))
        requested = times.text(watch.requested_at)
        start = result.start_date_time if result else None
        told: dict[str, Any] = {"requestedDateTime": requested}
        if result is not None:
            told |= revocation.result_to(result)
        elif watch.start is None and watch.earlier is not None:
            # What goes on with it must not take one of these for it.
            told[pulumi_state.EARLIER] = sorted(watch.earlier)
        told = {**(operations.results(self.operation, before) if before else {}), **told}
        return self._result(operation_id or f"{observed.id}/{start or requested}", inputs, told, ended)

    def _watch(self, before: Mapping[str, Any], timeout: timedelta = TIME_ALLOWED) -> Watch:
        now = self._clock.now()
        start = before.get("startDateTime")
        requested_at = times.parse(before.get("requestedDateTime")) or now
        earlier = before.get(pulumi_state.EARLIER)
        return Watch(
            requested_at=requested_at,
            since=now,
            start=start,
            earlier=None if earlier is None else frozenset(earlier),
            allowed=timeout,
        )


class LicenseCountSyncs(OperationLifecycle):
    """`syncLicenseCounts`, for all tokens at once."""

    operation = LICENSE_COUNT_SYNC

    def run(self, inputs: Mapping[str, Any], timeout: timedelta) -> OperationResult:
        """Ask Intune to count; Intune does not report when it has finished."""
        del timeout
        with beginning("licences were counted"):
            tenant_id = self._clock.unless_stopped(self._tokens.tenant_id)
        self._clock.unless_stopped(self._tokens.sync_license_counts)
        return self._result(tenant_id, inputs, {"requestedDateTime": times.text(self._clock.now())})


_TOKEN = "vppTokenId"  # noqa: S105 - the name of an input
_SHOWN = ("state", "last_sync_status", "last_sync_date_time")


def _token_id(properties: Mapping[str, Any]) -> str:
    """The token that an operation is about. Raises StateError where a state does not say so."""
    found = properties.get(_TOKEN)
    if not isinstance(found, str):
        raise StateError(f"The state of this resource has no {_TOKEN}. Add it with `pulumi state edit`.")
    return found


def _shown(observed: VppToken) -> dict[str, Any]:
    return {camel_case(name): getattr(observed, name) for name in _SHOWN}
