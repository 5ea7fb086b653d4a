"""The one clock of a pretend tenant: it can be pushed forward, and tests can hold it still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def _real_time() -> datetime:
    return datetime.now(UTC)


def moment(text: str) -> datetime:
    """The aware moment that an ISO 8601 text means; UTC where it names no offset."""
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def to_the_second(when: datetime) -> str:
    """Graph's text for a date that came from Apple: no fraction."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_the_tick(when: datetime) -> str:
    """Graph's text for a date of its own: seven digits, one more than Python keeps."""
    tick = when.microsecond * 7 % 10
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}{tick}Z"


class Clock:
    """Time as the tenant sees it: the source's time plus what was advanced."""

    def __init__(self, source: Callable[[], datetime] = _real_time) -> None:
        self._source = source
        self._ahead = timedelta(0)

    @classmethod
    def still(cls, at: datetime) -> Clock:
        """A clock that stands at `at` (aware) until it is advanced."""
        stood = at.astimezone(UTC)
        return cls(lambda: stood)

    @property
    def ahead(self) -> timedelta:
        """How far this clock runs ahead of its source."""
        return self._ahead

    def now(self) -> datetime:
        """The tenant's time, aware, in UTC."""
        return self._source() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move by `seconds`; a negative number goes back. OverflowError, and no move, beyond the year 9999."""
        ahead = self._ahead + timedelta(seconds=seconds)
        _ = self._source() + ahead + timedelta(days=366)  # room for what ends after now
        self._ahead = ahead

    def set(self, now: datetime) -> None:
        """Jump so that it is `now` (aware)."""
        self.advance((now - self.now()).total_seconds())
