"""Revocations of licences, from their start to their end: `LicenseRevocation`, and the one before a token is deleted.

A revocation cannot be undone, and a second one also takes the licences that were assigned after the first. So it is
never sent twice: one that runs is joined, and one whose answer was lost counts as started and is looked for in Graph.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from intune_vpp.core import operations, revocation, times
from intune_vpp.core.errors import GraphError, NotFound, RevocationFailed, TokenGone, WaitInterrupted
from intune_vpp.core.operations import LICENSE_REVOCATION
from intune_vpp.core.outcome import Outcome, Outputs
from intune_vpp.core.revocation import Result, Watch
from intune_vpp.core.waiting import TIME_ALLOWED, WaitResult, stopped_before
from intune_vpp.lifecycle.operations import OperationLifecycle, present, token_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from intune_vpp.core.errors import IntuneVppError
    from intune_vpp.core.vpp_token import VppToken


class LicenseRevocations(OperationLifecycle):
    """`revokeLicenses`: started once, or joined where a revocation runs already, and followed to its end."""

    operation = LICENSE_REVOCATION

    def _run(self, inputs: Mapping[str, Any], timeout: timedelta) -> Outcome[Outputs]:
        """Revoke all licences of a token, and wait until Intune has finished."""
        requested = times.text(self._clock.now())
        with self._on_token(inputs):
            seen, watch = self.begin(
                token_id(inputs),
                notify_managed_devices=inputs.get("notifyManagedDevices") is True,
                revoke_untracked_licenses=inputs.get("revokeUntrackedLicenses") is True,
                timeout=timeout,
            )
        self._ownership.set_label(seen.id, seen.label)
        return self._follow(watch, seen, inputs, {"requestedDateTime": requested})

    def begin(
        self,
        named: str,
        *,
        notify_managed_devices: bool = False,
        revoke_untracked_licenses: bool = False,
        timeout: timedelta,
        known: VppToken | None = None,
    ) -> tuple[VppToken, Watch]:
        """Start the revocation for the token with the id `named`, or join the one that runs.

        Returns the token before it, and what to follow. `known` is the token as seen by an earlier run: where Graph's
        answer lags, a revocation of that time must not pass for the new one. Raises GraphError, SettingsError and
        WaitInterrupted: nothing was started then.
        """
        what = f"the licences of token {named} were revoked"
        with self._alone_with(named, what) as seen:
            previous = revocation.starts(seen) | (revocation.starts(known) if known else frozenset())
            joined = revocation.running(seen)
            if joined is not None:
                self._report_joined(joined, seen, options=notify_managed_devices or revoke_untracked_licenses)
                watch = Watch(
                    started_at=self._clock.now(),
                    allowed=timeout,
                    start=joined.start_date_time,
                    previous=previous - {joined.start_date_time},
                )
                return seen, watch
            request = partial(
                self._tokens.revoke_licenses,
                seen.id,
                notify_managed_devices=notify_managed_devices,
                revoke_untracked_licenses=revoke_untracked_licenses,
            )
            try:
                self._clock.unless_stopped(request)
            except WaitInterrupted as stopped:
                # The engine must not see a revocation start after it asked to stop, but one that was sent goes on.
                if not stopped.asked:
                    raise stopped_before(what) from None
            except GraphError as error:
                if revocation.was_refused(error):
                    raise (self._listing.explain(seen.id, error) if isinstance(error, NotFound) else error) from None
                answer = f"HTTP {error.status} {error.code}".rstrip() if error.status else "no readable answer"
                what = f"The answer to the revocation of the licences of {seen.label} was lost ({answer})."
                self._reporter.warn(f"{what} Waiting to see whether it started; do not start another.")
            self._listing.written(seen.id)
            now = self._clock.now()
            return seen, Watch(started_at=now, allowed=timeout, previous=previous, requested_at=now)

    def _report_joined(self, joined: Result, seen: VppToken, *, options: bool) -> None:
        self._reporter.info(f"Waiting for the revocation of the licences of {seen.label} that is already running.")
        if options:
            start = joined.start_date_time
            which = f"The revocation that started at {start}" if start else "The pending revocation"
            what = "may not use notifyManagedDevices and revokeUntrackedLicenses as set here"
            self._reporter.warn(f"{which} {what}: Intune does not show its options.")

    def follow(self, watch: Watch, seen: VppToken) -> tuple[VppToken, Result | None, WaitResult]:
        """Wait for a revocation; the token as seen last, the last result that was seen, and how the wait ended."""
        last: Result | None = None

        def evaluate(observed: VppToken, now: datetime) -> WaitResult | None:
            nonlocal last, watch
            found = revocation.find(watch, observed)
            if found is not None:
                # Kept: a later listing may lag, or show a newer revocation beside this one.
                last, watch = found, replace(watch, start=found.start_date_time)
            return revocation.evaluate(watch, observed, now)

        observed, ended = self._waiting.wait(
            evaluate,
            seen,
            until=watch.started_at + watch.allowed,
            contains=lambda listed: revocation.contains(watch, listed),
        )
        return observed, last, ended

    def _follow(
        self,
        watch: Watch,
        seen: VppToken,
        inputs: Mapping[str, Any],
        results: Mapping[str, Any],
        operation_id: str | None = None,
    ) -> Outcome[Outputs]:
        """Follow a revocation; its outputs are `results` and what was seen of it."""
        observed, last, ended = self.follow(watch, seen)
        results = {**results, "previousStartDateTimes": sorted(watch.previous)}
        if last is not None:
            results |= revocation.result_to(last)
        start = last.start_date_time if last else None
        made = operation_id or f"{observed.id}/{start or results['requestedDateTime']}"
        return self._result(made, inputs, results, revocation.with_cure(ended))

    def _resume(
        self, operation_id: str, before: Mapping[str, Any], inputs: Mapping[str, Any], timeout: timedelta
    ) -> Outcome[Outputs]:
        """Wait for a revocation that an earlier run has started. Never starts one."""
        named, results = token_id(inputs), operations.results(self.operation, before)
        try:
            seen = self._clock.unless_stopped(partial(self._listing.get, named))
        except TokenGone:
            what = f"Token {named} was deleted before the revocation of its licences was confirmed."
            failure = RevocationFailed(f"{what} Intune no longer reports it. Remove this resource from the program.")
            outputs = {**results, **operations.echoed_inputs(self.operation, inputs)}
            return Outcome(operation_id, outputs, failure)
        return self._follow(self._watch(before, timeout), seen, inputs, results, operation_id)

    def read(self, operation_id: str, before: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The revocation as Graph shows it now, or as it was seen last if Graph no longer shows it.

        It never counts as deleted, even if its token is: the engine would create it, and so revoke, again.
        """
        self._require_tenant(operation_id, before)
        watch, found = self._watch(before, TIME_ALLOWED), None
        ended = revocation.result_from(before).has_ended
        with suppress(TokenGone):
            observed = self._listing.one(token_id(before))
            self._ownership.set_label(observed.id, observed.label)
            if not ended and not revocation.contains(watch, observed):
                # A listing may lag, and whether it carries this member is not documented.
                observed = self._listing.get(observed.id)
            found = revocation.find(watch, observed)
        outputs = {**before, **(revocation.result_to(found) if found else {})}
        warning = self._unresolved(outputs).warning
        if warning and not ended:
            self._reporter.warn(warning)
        return present(outputs)

    def unresolved_failure(self, outputs: Mapping[str, Any]) -> IntuneVppError | None:
        """The failure of the revocation, until the resource is replaced."""
        return self._unresolved(outputs).failure

    def _unresolved(self, outputs: Mapping[str, Any]) -> WaitResult:
        label = self._ownership.describe(str(outputs.get("vppTokenId")))
        return revocation.unresolved(revocation.result_from(outputs), label)

    def _watch(self, before: Mapping[str, Any], timeout: timedelta) -> Watch:
        return Watch(
            started_at=self._clock.now(),
            allowed=timeout,
            start=before.get("startDateTime"),
            previous=frozenset(before.get("previousStartDateTimes") or ()),
            requested_at=times.parse(before.get("requestedDateTime")),
        )
