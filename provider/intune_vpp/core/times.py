"""Reads and writes timestamps as Graph and Apple format them.

Graph's text is kept unchanged, because Python stores fewer than its seven fractional digits; it is parsed to compare.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_NEVER = "0001"
"""The year of a date that was never set: Graph writes .NET's smallest date, `0001-01-01T00:00:00Z`, for it."""

_LONGEST = 64
"""Characters: a timestamp with an offset and all digits that anybody writes has fewer."""


def is_never(text: str) -> bool:
    """Whether a timestamp means "never set": any date in the year 1."""
    return text.startswith(_NEVER)


def parse(text: str | None) -> datetime | None:
    """Return the instant in UTC; None if the text is absent, never set, or not a timestamp with an offset."""
    # A cache must not hold on to a text of megabytes.
    return None if not text or len(text) > _LONGEST or is_never(text) else _instant(text)


@lru_cache(maxsize=1024)  # A read compares the same few timestamps about twenty times.
def _instant(text: str) -> datetime | None:
    try:
        # Apple writes the offset without a colon (`+0000`), which fromisoformat accepts since Python 3.11.
        instant = datetime.fromisoformat(text)
        return None if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def text(instant: datetime) -> str:
    """Return the instant to the second in UTC: `2027-10-01T00:00:00Z`."""
    # Not strftime: its %Y leaves out the zeros of early years.
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def day(timestamp: str | None) -> str:
    """Return the date of a timestamp for a message; `an unknown date` if the timestamp is missing or invalid."""
    instant = parse(timestamp)
    return instant.date().isoformat() if instant else "an unknown date"


def expired(timestamp: str | None, now: datetime) -> str:
    """Return `expired on <date>` for a message, with today's date: the clock of this machine may be wrong."""
    return f"expired on {day(timestamp)} (today is {day(text(now))} by the clock of this machine)"


def same_second(one: str | None, other: str | None) -> bool:
    """Whether two timestamps name the same second; an absent one equals none."""
    return between(one, other) == timedelta(0)


def second(timestamp: str | None) -> datetime | None:
    """Return the instant without the fraction of its second; None if it is absent."""
    instant = parse(timestamp)
    return instant and instant.replace(microsecond=0)


def is_whole_minute(timestamp: str | None) -> bool:
    """Whether a timestamp has no seconds; false if it is absent."""
    instant = parse(timestamp)
    return instant is not None and instant == instant.replace(second=0, microsecond=0)


def between(one: str | None, other: str | None) -> timedelta | None:
    """Return the whole seconds from `one` to `other`; None if either is absent."""
    first, last = second(one), second(other)
    return None if first is None or last is None else last - first


def earlier(one: str | None, other: str | None, *, by: timedelta = timedelta(0)) -> bool:
    """Whether `one` is before `other` by at least a second more than `by`; false if either is absent."""
    apart = between(one, other)
    return apart is not None and apart > by
