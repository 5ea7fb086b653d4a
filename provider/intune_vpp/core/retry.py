"""Decides whether a request is sent again, and when: (what came back, the attempt, the time left) → a wait or None.

The words are those of `stamina` (https://stamina.hynek.me). What Graph answers when it throttles is in Microsoft's
guidance (https://learn.microsoft.com/graph/throttling): `Retry-After` is promised on a 429, Intune often omits it, and
it also throttles with status 500.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from intune_vpp.core.waiting import TIME_ALLOWED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

_TEMPORARY = (408, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one attempt has shown.

    `status` is None if there was no answer; `sent` says whether the request may have been sent, `final` that another
    attempt would end in the same way. `throttled` says that it was refused because there were too many requests,
    `retry_after` is how many seconds the answer asks to wait.
    """

    status: int | None = None
    sent: bool = True
    final: bool = False
    throttled: bool = False
    retry_after: float | None = None

    @property
    def was_not_processed(self) -> bool:
        """Whether it is certain that the request had no effect, so that even a create may be sent again."""
        return not self.sent or self.throttled

    @property
    def is_temporary(self) -> bool:
        """Whether another attempt may succeed."""
        return not self.final and (self.was_not_processed or self.status is None or self.status in _TEMPORARY)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often a request is sent, and how long the waits are.

    `attempts` limits those that failed, `throttled_attempts` those that were throttled; `timeout` limits the time of
    all attempts where the operation has no limit of its own. The waits grow from `wait_initial` seconds by the factor
    `wait_exp_base` to `wait_max`, and up to `wait_jitter` seconds are added to each.
    """

    attempts: int = 5
    throttled_attempts: int = 30
    timeout: timedelta = TIME_ALLOWED
    wait_initial: float = 1.0
    wait_exp_base: float = 2.0
    wait_max: float = 30.0
    wait_jitter: float = 1.0

    def wait(self, attempt: Attempt, number: int, *, idempotent: bool, jitter: float) -> float | None:
        """Return the seconds to wait before the request is sent again; None if it must not be.

        `number` counts the attempts from 1, `jitter` is a random number from 0 to 1. `Retry-After` is never cut short.
        Zero, or what is not a number of seconds, is no wait that helps: the waits then grow as without it.
        """
        if not attempt.is_temporary or not (idempotent or attempt.was_not_processed):
            return None
        if number >= (self.throttled_attempts if attempt.throttled else self.attempts):
            return None
        spread = jitter * self.wait_jitter
        if attempt.retry_after:
            return attempt.retry_after + spread
        # The exponent is limited, because a float has an end.
        grown = self.wait_initial * self.wait_exp_base ** min(number - 1, 100)
        return min(grown, self.wait_max) + spread


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds of `Retry-After`, which is a number, perhaps a fraction, or an HTTP date.

    None if it is absent, negative, or neither of them; 0 for a date in the past. A date counts from the answer's own
    `Date`, because the clock of this machine, `now`, may be wrong.
    """
    asked = headers.get("Retry-After", "")
    try:
        seconds = float(asked)
    except ValueError:
        then = _date(asked)
        answered = _date(headers.get("Date", "")) or now
        return None if then is None else max((then - answered).total_seconds(), 0.0)
    return seconds if 0 <= seconds < math.inf else None


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    # The zone -0000 says that the time is in UTC, and nothing else.
    return found if found.tzinfo else found.replace(tzinfo=UTC)
