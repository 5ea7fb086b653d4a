"""Decides whether a request is repeated: (the result of an attempt, its number) → seconds to wait, or None.

The names are those of `stamina` (https://stamina.hynek.me). Microsoft promises `Retry-After` on a 429
(https://learn.microsoft.com/graph/throttling); Intune often omits it, and also throttles with status 500.
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
    """The result of one attempt.

    `status` is None if there was no answer. `sent` is whether the request may have been sent, `final` whether another
    attempt would fail in the same way, `throttled` whether the server refused it because there were too many requests.
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

    `attempts` limits the attempts that failed, `throttled_attempts` those that were throttled. `timeout` limits the
    time of all attempts if the operation has no time limit. The waits grow from `wait_initial` seconds by the factor
    `wait_exp_base` up to `wait_max` seconds, and a random 0 to `wait_jitter` seconds are added to each.
    """

    attempts: int = 5
    throttled_attempts: int = 30
    timeout: timedelta = TIME_ALLOWED
    wait_initial: float = 1.0
    wait_exp_base: float = 2.0
    wait_max: float = 30.0
    wait_jitter: float = 1.0

    def wait(self, attempt: Attempt, number: int, *, idempotent: bool, jitter: float) -> float | None:
        """Return the seconds to wait before the request is repeated; None if it must not be repeated.

        `number` counts from 1: the throttled attempts if this one was throttled, otherwise the failed ones. `jitter` is
        a random number from 0 to 1. `Retry-After` is never shortened; if it is 0 or unreadable, the waits grow as
        without it, because attempts without a wait would soon use up their number.
        """
        if not attempt.is_temporary or not (idempotent or attempt.was_not_processed):
            return None
        if number >= (self.throttled_attempts if attempt.throttled else self.attempts):
            return None
        spread = jitter * self.wait_jitter
        if attempt.retry_after:
            return attempt.retry_after + spread
        # The exponent is limited, because a larger float power raises OverflowError.
        grown = self.wait_initial * self.wait_exp_base ** min(number - 1, 100)
        return min(grown, self.wait_max) + spread


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds of `Retry-After`, which is a number (possibly a fraction) or an HTTP date.

    None if it is absent, negative or unreadable; 0 for a date in the past. A date is compared with the `Date` header of
    the answer, because the local clock may be wrong, and with `now` only if that header is missing.
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
    # For the zone -0000 Python returns a time without a zone, which is in UTC.
    return found if found.tzinfo else found.replace(tzinfo=UTC)
