"""The clock of an emulated tenant, which can be moved, and stopped by tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def _real_time() -> datetime:
    return datetime.now(UTC)


def moment(text: str) -> datetime:
    """The aware moment of an ISO 8601 text; UTC where it has no offset."""
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def to_the_second(when: datetime) -> str:
    """Graph's text of a date from Apple: without a fraction."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_the_tick(when: datetime) -> str:
    """Graph's text of a date of its own: seven digits, one more than Python has."""
    tick = when.microsecond * 7 % 10
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}{tick}Z"


class Clock:
    """The tenant's time: that of the source, and by how much it was advanced."""

    def __init__(self, source: Callable[[], datetime] = _real_time) -> None:
        self._source = source
        self._ahead = timedelta(0)

    @classmethod
    def still(cls, at: datetime) -> Clock:
        """A clock that stays at `at` (aware) until it is advanced."""
        stood = at.astimezone(UTC)
        return cls(lambda: stood)

    @property
    def ahead(self) -> timedelta:
        """By how much this clock is ahead of its source."""
        return self._ahead

    def now(self) -> datetime:
        """The tenant's time, aware, in UTC."""
        return self._source() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move by `seconds`, which may be negative; raises OverflowError, and does not move, beyond the year 9999."""
        ahead = self._ahead + timedelta(seconds=seconds)
        _ = self._source() + ahead + timedelta(days=366)  # room for what ends after now
        self._ahead = ahead

    def set(self, now: datetime) -> None:
        """Move to `now` (aware)."""
        self.advance((now - self.now()).total_seconds())
