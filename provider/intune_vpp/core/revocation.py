"""The state of a licence revocation: (what was started, what Graph shows now) → keep waiting, or the result.

Graph answers `revokeLicenses` without content and reports progress in the token's `tokenActionResults`
(https://learn.microsoft.com/graph/api/resources/intune-onboarding-vpptokenrevokelicensesactionresult). Nothing there
names the request that started a revocation, so it is identified by a start that was not there before the request.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from intune_vpp.core import times
from intune_vpp.core.enums import ENDED, ActionState, FailureReason
from intune_vpp.core.errors import (
    Cure,
    GraphUnavailable,
    GraphUnreachable,
    RequestNotSent,
    RevocationFailed,
    RevocationTimedOut,
    SignInRefused,
)
from intune_vpp.core.resource_type import camel_case
from intune_vpp.core.vpp_token import VppToken
from intune_vpp.core.waiting import TIME_ALLOWED, WaitResult, in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.core.errors import GraphError
    from intune_vpp.core.vpp_token import VppToken

RESULT_TYPE = "#microsoft.graph.vppTokenRevokeLicensesActionResult"

REPLACE_IT = "To revoke again, replace this resource."

CLOCK_TOLERANCE = timedelta(hours=1)
"""How much earlier than this machine's time of the request, by Intune's clock, a revocation may have started.

Graph may omit an old revocation from one answer and show it in the next. It must not count as the new one, because a
token is deleted once that one has ended.
"""

_RUNNING = frozenset({ActionState.PENDING, ActionState.ACTIVE})
_REASONS: Mapping[str, tuple[str, str]] = {
    FailureReason.APPLE_FAILURE: ("Apple's service failed", "Try again later"),
    FailureReason.INTERNAL_ERROR: ("Intune had an internal error", "Try again later"),
    FailureReason.EXPIRED_VPP_TOKEN: ("the token has expired", "Renew it with a new content token from Apple"),
    FailureReason.EXPIRED_APPLE_PUSH_NOTIFICATION_CERTIFICATE: (
        "the tenant's Apple push notification certificate has expired",
        "Renew that certificate in Intune",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One revocation to follow, from `started_at` for as long as `allowed`.

    It is identified by its `start` once that was seen; until then it is the newest whose start is not among `previous`,
    the starts that Graph showed before the request, and not more than `CLOCK_TOLERANCE` before `requested_at`.
    """

    started_at: datetime
    allowed: timedelta = TIME_ALLOWED
    start: str | None = None
    previous: frozenset[str] = frozenset()
    requested_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Graph's report of one revocation; absent members are None, unknown enum members pass through."""

    action_name: str | None = None
    action_state: str | None = None
    start_date_time: str | None = None
    last_updated_date_time: str | None = None
    total_licenses_count: int | None = None
    failed_licenses_count: int | None = None
    action_failure_reason: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the revocation has ended."""
        return self.action_state in ENDED

    @property
    def took_all(self) -> bool:
        """Whether Graph states that all licences were revoked. The deletion of a token depends on it."""
        return self.action_state == ActionState.DONE and self.failed_licenses_count == 0 and self.has_no_reason

    @property
    def has_no_reason(self) -> bool:
        """Whether Graph gives no reason of a failure."""
        return not self.action_failure_reason or self.action_failure_reason == FailureReason.NONE


def was_refused(error: GraphError) -> bool:
    """Whether a request for a revocation certainly started nothing: it was not sent, or Graph itself refused it.

    Every other outcome counts as started, since a second revocation takes licences that were assigned meanwhile: no
    answer, a 408, a 5xx, and an error without Graph's code, which a proxy may send after it passed the request on.
    """
    if isinstance(error, (RequestNotSent, SignInRefused)):
        return True
    return bool(error.code) and not isinstance(error, (GraphUnavailable, GraphUnreachable))


def results(observed: VppToken) -> list[Result]:
    """The revocations of a token, in Graph's order."""
    shown = observed.token_action_results or ()
    return [result_from(one) for one in shown if one.get("@odata.type") == RESULT_TYPE]


def starts(observed: VppToken) -> frozenset[str]:
    """When the revocations of a token started."""
    return frozenset(one.start_date_time for one in results(observed) if one.start_date_time)


def running(observed: VppToken) -> Result | None:
    """The revocation of a token that has not ended, the newest if there are several.

    A pending one may have no start yet. An entry with neither a start nor a running state is a blank, not a revocation.
    """
    unended = [one for one in results(observed) if not one.has_ended]
    return _newest([one for one in unended if one.start_date_time or one.action_state in _RUNNING])


def find(watch: Watch, observed: VppToken) -> Result | None:
    """The watched revocation among the results that a token shows now, None if it is not among them."""
    started = [one for one in results(observed) if one.start_date_time]
    if watch.start is not None:
        return next((one for one in started if _same_start(one.start_date_time, watch.start)), None)
    new = [one for one in started if not any(_same_start(one.start_date_time, was) for was in watch.previous)]
    return _newest([one for one in new if not _started_long_before(one, watch.requested_at)])


def contains(watch: Watch, observed: VppToken) -> bool:
    """Whether a token shows the watched revocation; a pending one without a start may be it."""
    return find(watch, observed) is not None or (watch.start is None and running(observed) is not None)


def evaluate(watch: Watch, observed: VppToken, now: datetime) -> WaitResult | None:
    """How the watched revocation ended; None while it is still running and the time allowed has not passed."""
    result = find(watch, observed)
    if result is not None and result.has_ended:
        return verdict(result, observed.label)
    if now - watch.started_at < watch.allowed:
        return None
    revoking = f"revocation of the licences of {observed.label}"
    if not contains(watch, observed):
        cure = "First check in Intune whether the licences were revoked."
        if watch.start is not None:
            what = f"The {revoking} disappeared from Intune (it started at {watch.start})."
            return WaitResult(RevocationFailed(f"{what} {cure}"))
        what = f"Intune did not show the {revoking} within {in_words(watch.allowed)}; it may not have started."
        return WaitResult(RevocationFailed(f"{what} {cure}"))
    shown = result or running(observed)
    state = (shown and shown.action_state) or "in an unknown state"
    what = f"The {revoking} did not end within {in_words(watch.allowed)} (it is {state})."
    return WaitResult(RevocationTimedOut(what, cure=Cure.WAIT_AGAIN))


def verdict(result: Result, label: str) -> WaitResult:
    """Return the failure of an ended revocation, or a warning if some licences remain; empty while it runs."""
    if not result.has_ended:
        return WaitResult()
    total, failed = result.total_licenses_count or 0, max(0, result.failed_licenses_count or 0)
    because = _because(result)
    if result.action_state == ActionState.DONE and not failed:
        doubtful = f"The revocation of the licences of {label} is done, but Intune also reports a failure: {because}."
        return WaitResult(warning=None if result.has_no_reason else doubtful)
    if failed and failed < total and result.action_state in {ActionState.DONE, ActionState.FAILED}:
        return WaitResult(warning=f"{failed} of {total} licences of {label} could not be revoked: {because}.")
    if result.action_state == ActionState.CANCELED:
        return WaitResult(RevocationFailed(f"The revocation of the licences of {label} was cancelled: {because}."))
    if result.action_state == ActionState.NOT_SUPPORTED:
        what = f"Intune does not support revoking the licences of {label}"
        return WaitResult(RevocationFailed(f"{what}: {because}."))
    counted = f" ({failed} of {total})" if 0 < failed <= total else ""
    return WaitResult(RevocationFailed(f"The licences of {label} could not be revoked{counted}: {because}."))


def unresolved(result: Result, label: str) -> WaitResult:
    """Return `verdict` with how to revoke again: the failure or warning remains until the resource is replaced."""
    return with_cure(verdict(result, label))


def with_cure(ended: WaitResult) -> WaitResult:
    """The same result, with how to revoke again if waiting longer does not help."""
    failure = ended.failure
    if isinstance(failure, RevocationFailed) and not isinstance(failure, RevocationTimedOut):
        failure = RevocationFailed(f"{failure} {REPLACE_IT}")
    return WaitResult(failure, ended.warning and f"{ended.warning} {REPLACE_IT}")


def result_to(result: Result) -> dict[str, Any]:
    """Return a result as outputs, by Graph's names."""
    return {camel_case(field.name): getattr(result, field.name) for field in fields(result)}


def result_from(members: Mapping[str, Any]) -> Result:
    """A result from outputs, or from an item of `tokenActionResults`; the kinds of its members were checked before."""
    return Result(**{field.name: members.get(camel_case(field.name)) for field in fields(Result)})


def _because(result: Result) -> str:
    if result.has_no_reason:
        return "Intune gives no reason"
    reason = result.action_failure_reason or ""
    if reason not in _REASONS:
        return f"Intune gives the reason {reason}"
    what, cure = _REASONS[reason]
    return f"{what} ({reason}). {cure}"


def _same_start(one: str | None, other: str | None) -> bool:
    # To the second: Graph may write fewer digits of a fraction, and a token has no two revocations in one second.
    return one == other or times.same_second(one, other)


def _started_long_before(one: Result, requested_at: datetime | None) -> bool:
    start = times.parse(one.start_date_time)
    return start is not None and requested_at is not None and start < requested_at - CLOCK_TOLERANCE


def _newest(found: list[Result]) -> Result | None:
    long_ago = datetime.min.replace(tzinfo=UTC)
    return max(found, key=lambda one: times.parse(one.start_date_time) or long_ago, default=None)
