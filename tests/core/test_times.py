"""Instants as Graph and Apple write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strategies import INSTANTS, NEVER, TIMESTAMPS
from intune_vpp.core import times

LIKE_TIMESTAMPS = st.text("0123456789-:TZW+. ", max_size=30)
ANY_TEXT = st.none() | st.text(st.characters(), max_size=30) | LIKE_TIMESTAMPS | TIMESTAMPS


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-09-25T17:09:22Z", datetime(2026, 9, 25, 17, 9, 22, tzinfo=UTC)),
        ("2026-07-17T14:50:53.5002993Z", datetime(2026, 7, 17, 14, 50, 53, 500299, tzinfo=UTC)),
        ("2016-12-31T23:57:57.2481234-08:00", datetime(2017, 1, 1, 7, 57, 57, 248123, tzinfo=UTC)),
        ("2030-11-08T22:33:22+0000", datetime(2030, 11, 8, 22, 33, 22, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("2026-09-25T17:09:22", None),
        ("2026-09-25", None),
        ("2026-13-25T17:09:22Z", None),
        ("tomorrow", None),
        ("", None),
        (None, None),
    ],
)
def test_what_a_timestamp_says(text: str | None, read: datetime | None) -> None:
    """A timestamp with an offset is an instant in UTC; what is absent, never set or unreadable is none."""
    assert times.parse(text) == read


@given(ANY_TEXT, ANY_TEXT)
def test_no_text_is_too_odd(one: str | None, other: str | None) -> None:
    """Whatever a text is, it is read, shown and compared without an error."""
    assert times.day(one)
    assert not (times.same_second(one, other) and times.earlier(one, other))
    assert not (times.earlier(one, other) and times.earlier(other, one))
    assert times.same_second(one, other) is times.same_second(other, one)
    assert times.same_second(one, one) is (times.parse(one) is not None)


@given(INSTANTS, st.integers(-14, 14))
def test_an_instant_survives_being_written(instant: datetime, hours: int) -> None:
    """An instant of any year and offset, written and read again, is itself to the second."""
    elsewhere = instant.astimezone(timezone(timedelta(hours=hours))) if 1 < instant.year < 9999 else instant
    written = times.text(elsewhere)
    assert times.parse(written) == instant.replace(microsecond=0)
    assert (len(written), written[-1]) == (20, "Z")
    assert times.day(written) == written[:10]


def test_a_text_of_megabytes_is_not_kept() -> None:
    """A text that is too long for a timestamp is none, and nothing holds on to it."""
    before = times._instant.cache_info().currsize
    assert times.parse("2027-01-01T00:00:00." + "0" * 100 + "Z") is None
    assert times._instant.cache_info().currsize == before


def test_a_day_that_is_not_known_is_said_so() -> None:
    """A sentence about a date that is absent or unreadable has words for it."""
    assert times.day(None) == times.day(NEVER[0]) == times.day("soon") == "an unknown date"


@pytest.mark.parametrize("never", NEVER)
def test_a_date_that_was_never_set(never: str) -> None:
    """Each spelling of the year 1 is no instant."""
    assert times.is_never(never)
    assert times.parse(never) is None


@pytest.mark.parametrize(
    ("one", "other", "same", "earlier"),
    [
        ("2027-11-01T12:00:00Z", "2027-11-01T12:00:00.9999999Z", True, False),
        ("2027-11-01T12:00:00Z", "2027-11-01T04:00:00-08:00", True, False),
        ("2027-11-01T12:00:00.9Z", "2027-11-01T12:00:01Z", False, True),
        ("2027-11-01T12:00:01Z", "2027-11-01T12:00:00.9Z", False, False),
        (None, "2027-11-01T12:00:00Z", False, False),
        ("2027-11-01T12:00:00Z", None, False, False),
        (None, None, False, False),
    ],
)
def test_instants_are_compared_by_the_second(
    one: str | None,
    other: str | None,
    same: bool,  # noqa: FBT001 - a column of the table
    earlier: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Fractions and offsets make no difference; what is absent equals nothing and is before nothing."""
    assert times.same_second(one, other) is same
    assert times.earlier(one, other) is earlier
