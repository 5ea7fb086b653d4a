"""How a revocation of licences stands: (what was begun, what is seen now) → wait, or ended, and how.

Graph answers a revocation with no content; how it goes on is told in the token's `tokenActionResults`
(https://learn.microsoft.com/graph/api/resources/intune-onboarding-vpptokenrevokelicensesactionresult). Nothing there
names the request that began it, so it is known by its start.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from intune_vpp.core import times
from intune_vpp.core.enums import ENDED, ActionState, FailureReason
from intune_vpp.core.errors import RevocationFailed, RevocationTimedOut
from intune_vpp.core.model import VppToken, camel_case
from intune_vpp.core.waiting import TIME_ALLOWED, WaitResult, in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.core.errors import IntuneVppError

RESULT_TYPE = "#microsoft.graph.vppTokenRevokeLicensesActionResult"

OUT_OF_SIGHT = timedelta(minutes=1)
"""How long a revocation that was seen may be missing from a token's results before it is believed to be gone."""

REPLACE_IT = "To revoke again, replace this resource: pulumi up --replace, with its URN (pulumi stack --show-urns)."

UNANSWERED = timedelta(seconds=20)
"""How long a revocation whose answer was lost may take to show before it is believed not to have begun."""

SKEW = timedelta(minutes=5)
"""How far Graph's clock may be behind ours."""

LONG_BEFORE = timedelta(hours=1)
"""What began so long before the request, by two clocks, is not what it began, whatever was seen before it."""

_UNDER_WAY = frozenset({ActionState.PENDING, ActionState.ACTIVE})
_REASONS = {
    FailureReason.APPLE_FAILURE: "Apple's service failed. Try again later",
    FailureReason.INTERNAL_ERROR: "Intune had an internal error. Try again later",
    FailureReason.EXPIRED_VPP_TOKEN: "the token has expired. Renew it with a new content token from Apple",
    FailureReason.EXPIRED_APPLE_PUSH_NOTIFICATION_CERTIFICATE: (
        "the tenant's Apple push notification certificate has expired. Renew that certificate in Intune"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One revocation to follow: by its `start` where that is known, else the newest that was not there before it.

    `earlier` are the starts that were there before it, None where nobody knows them: then those count that began since
    it was requested, by two clocks. `seen_at` is when it was seen last, `allowed` how long to wait from `since` at all.
    """

    requested_at: datetime
    since: datetime
    seen_at: datetime | None = None
    start: str | None = None
    earlier: frozenset[str] | None = None
    allowed: timedelta = TIME_ALLOWED


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What Graph tells of one revocation; members that are not there are None, enum members pass through."""

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


def results(observed: VppToken) -> list[Result]:
    """The revocations of a token, in Graph's order."""
    told = observed.token_action_results or ()
    return [result_from(one) for one in told if one.get("@odata.type") == RESULT_TYPE]


def starts(observed: VppToken) -> frozenset[str]:
    """When the revocations of a token began."""
    return frozenset(one.start_date_time for one in results(observed) if one.start_date_time)


def running(observed: VppToken) -> Result | None:
    """The revocation of a token that has not ended, the newest where there are several.

    One that waits may have no start yet; what has neither a start nor a state of one under way never was.
    """
    open_ = [one for one in results(observed) if not one.has_ended]
    return _newest([one for one in open_ if one.start_date_time or one.action_state in _UNDER_WAY])


def find(watch: Watch, observed: VppToken) -> Result | None:
    """The watched revocation among the results that a token shows now, None where there is none."""
    found = [one for one in results(observed) if one.start_date_time]
    if watch.start is not None:
        return next((one for one in found if _same_start(one.start_date_time, watch.start)), None)
    first = watch.requested_at - (SKEW if watch.earlier is None else LONG_BEFORE)
    earlier = watch.earlier or ()
    late = [one for one in found if _began(one) >= first]
    return _newest([one for one in late if not any(_same_start(one.start_date_time, start) for start in earlier)])


def shows(watch: Watch, observed: VppToken) -> bool:
    """Whether a token shows what is watched; one that waits shows no start yet, and may be the one."""
    return find(watch, observed) is not None or (watch.start is None and running(observed) is not None)


def evaluate(watch: Watch, observed: VppToken, now: datetime) -> WaitResult | None:
    """How the revocation ended; None while it is still running."""
    result = find(watch, observed)
    if result is not None and result.has_ended:
        return verdict(result, observed.label)
    waited, unseen = now - watch.since, now - (watch.seen_at or watch.since)
    if result is None and watch.start is not None and unseen >= min(OUT_OF_SIGHT, watch.allowed):
        what = f"Intune no longer shows the revocation of {observed.label} that began at {watch.start}."
        return WaitResult(RevocationFailed(f"{what} Check in Intune whether its licences were revoked."))
    # One that waits shows no start yet, and may be the one.
    shown = result or running(observed)
    asked = now - watch.requested_at
    overdue = waited >= min(OUT_OF_SIGHT, watch.allowed) and asked >= max(TIME_ALLOWED, watch.allowed)
    if overdue and (shown, watch.start, watch.seen_at) == (None, None, None):
        what = f"Intune shows no revocation of the licences of {observed.label} since {times.text(watch.requested_at)}"
        return WaitResult(RevocationFailed(f"{what}. It may never have started. Check in Intune."))
    if waited >= watch.allowed:
        what = f"The revocation of the licences of {observed.label} did not end within {in_words(watch.allowed)}"
        return WaitResult(
            RevocationTimedOut(f"{what} ({_stands(shown, watch)}). Run pulumi again to continue waiting.")
        )
    return None


def _stands(shown: Result | None, watch: Watch) -> str:
    if shown is None:
        return "Intune does not show it"
    start = shown.start_date_time
    long = f" since {start}" if start and _began(shown) < watch.since - LONG_BEFORE else ""
    return f"it is {shown.action_state or 'in an unknown state'}{long}"


def verdict(result: Result, label: str) -> WaitResult:
    """What to say of a revocation: a failure, or a warning where some licences are left; nothing while it goes on."""
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


def _because(result: Result) -> str:
    reason = result.action_failure_reason
    if result.has_no_reason:
        return "Intune gives no reason"
    words = next((words for known, words in _REASONS.items() if known == reason), None)
    return f"{words} ({reason})" if words else f"Intune gives the reason {reason}"


def _same_start(one: str | None, other: str | None) -> bool:
    """Whether two starts are one: to the second, where one is written without a fraction of it."""
    first, second = times.parse(one), times.parse(other)
    if first is None or second is None:
        return one == other
    if not first.microsecond or not second.microsecond:
        return times.same_second(one, other)
    return first == second


def _newest(found: list[Result]) -> Result | None:
    return max(found, key=_began, default=None)


def _began(result: Result) -> datetime:
    return times.parse(result.start_date_time) or datetime.min.replace(tzinfo=UTC)


def with_cure(failure: IntuneVppError | None) -> IntuneVppError | None:
    """The failure, and where only doing it again can help, how that is done."""
    lost = isinstance(failure, RevocationFailed) and not isinstance(failure, RevocationTimedOut)
    return RevocationFailed(f"{failure} {REPLACE_IT}") if lost else failure


def how_again(sentence: str | None) -> str | None:
    """A sentence, with how a revocation is done once more."""
    return sentence and f"{sentence} {REPLACE_IT}"


def result_to(result: Result) -> dict[str, Any]:
    """A result as outputs."""
    return {camel_case(field.name): getattr(result, field.name) for field in fields(result)}


def result_from(members: Mapping[str, Any]) -> Result:
    """What Graph tells of a revocation, from outputs or from one of `tokenActionResults`, each read by kind before."""
    return Result(**{field.name: members.get(camel_case(field.name)) for field in fields(Result)})


def unresolved(result: Result, label: str) -> WaitResult:
    """The failure or warning of a revocation that remains until the resource is replaced."""
    ended = verdict(result, label)
    return WaitResult(with_cure(ended.failure), how_again(ended.warning))
