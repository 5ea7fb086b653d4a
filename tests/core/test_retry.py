"""When a request is sent again, and how long before: the table of retries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.case_tables import each, value
from intune_vpp.core.retry import Attempt, RetryPolicy, retry_after

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
POLICY = RetryPolicy()
THROTTLED = Attempt(status=429, throttled=True)
FAILED = Attempt(status=503)


@dataclass(frozen=True, kw_only=True)
class Header:
    """An answer's headers, and the seconds that they ask for."""

    case: str
    seconds: float | str
    asked: str | None = None
    date: str | None = None


@each("retry_after", Header)
def test_retry_after(case: Header) -> None:
    """Seconds and dates are read; what is not a number of seconds that can pass is as if it was absent."""
    headers = {"Retry-After": case.asked, "Date": case.date}

    assert retry_after({name: text for name, text in headers.items() if text is not None}, NOW) == value(case.seconds)


@given(asked=st.text(max_size=60), date=st.text(max_size=60))
def test_any_header_is_read(asked: str, date: str) -> None:
    """No text raises an error, and what is found is never negative."""
    found = retry_after({"Retry-After": asked, "Date": date}, NOW)

    assert found is None or found >= 0


@given(
    then=st.datetimes(max_value=datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001 - a bound
    answered=st.datetimes(max_value=datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001 - a bound
)
def test_any_date_counts_from_the_answer(then: datetime, answered: datetime) -> None:
    """A date asks for the time between the answer's `Date` and itself, or for none if it has passed."""
    headers = {"Retry-After": format_datetime(then, usegmt=True), "Date": format_datetime(answered, usegmt=True)}

    found = retry_after(headers, NOW)

    # Years before 100 are read as years of two digits.
    if then.year >= 100 <= answered.year:
        expected = then.replace(microsecond=0) - answered.replace(microsecond=0)
        assert found == max(expected.total_seconds(), 0.0)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What an attempt has shown, and which requests are sent again after it."""

    case: str
    again: str
    status: int | None = None
    sent: bool = True
    final: bool = False
    throttled: bool = False


@each("retry", Row)
@pytest.mark.parametrize("idempotent", [True, False])
def test_which_requests_are_sent_again(case: Row, *, idempotent: bool) -> None:
    """A temporary failure repeats a request; one that must not run twice only if it certainly had no effect."""
    attempt = Attempt(status=case.status, sent=case.sent, final=case.final, throttled=case.throttled)

    seconds = POLICY.wait(attempt, 1, idempotent=idempotent, jitter=0)

    assert (seconds is not None) is {"always": True, "if idempotent": idempotent, "never": False}[case.again]


@pytest.mark.parametrize(("attempt", "most"), [(FAILED, 5), (Attempt(sent=False), 5), (THROTTLED, 30)])
def test_the_last_attempt(attempt: Attempt, most: int) -> None:
    """A failure ends the attempts after 5, throttling after 30."""
    assert POLICY.wait(attempt, most - 1, idempotent=True, jitter=0) is not None
    assert POLICY.wait(attempt, most, idempotent=True, jitter=0) is None
    assert POLICY.wait(attempt, most + 1, idempotent=True, jitter=0) is None


def test_the_caps_are_those_of_the_policy() -> None:
    """A policy may allow other numbers of attempts."""
    policy = RetryPolicy(attempts=1, throttled_attempts=2)

    assert policy.wait(FAILED, 1, idempotent=True, jitter=0) is None
    assert policy.wait(THROTTLED, 1, idempotent=True, jitter=0) == 1.0
    assert policy.wait(THROTTLED, 2, idempotent=True, jitter=0) is None


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_the_waits_grow_to_their_maximum(jitter: float) -> None:
    """Without `Retry-After` each wait is twice the last, up to 30 seconds, and a part of a second is added to each."""
    waits = [POLICY.wait(THROTTLED, number, idempotent=True, jitter=jitter) for number in range(1, 9)]

    assert waits == [seconds + jitter for seconds in (1, 2, 4, 8, 16, 30, 30, 30)]


def test_the_growth_has_an_end() -> None:
    """No number of attempts overflows."""
    policy = RetryPolicy(throttled_attempts=10**6)

    assert policy.wait(THROTTLED, 10**6 - 1, idempotent=True, jitter=0) == 30.0


@pytest.mark.parametrize("asked", [0.5, 3.0, 315.0, 86_400.0, 1e308])
@pytest.mark.parametrize("jitter", [0.0, 1.0])
@pytest.mark.parametrize("status", [429, 503])
def test_what_the_server_asks_is_never_cut_short(asked: float, jitter: float, status: int) -> None:
    """`Retry-After` replaces the growing wait, whatever it is, also of a failure; the jitter is added to it."""
    attempt = Attempt(status=status, throttled=status == 429, retry_after=asked)

    assert POLICY.wait(attempt, 4, idempotent=True, jitter=jitter) == asked + jitter


@pytest.mark.parametrize("asked", [0.0, None])
def test_a_wait_of_zero_seconds_does_not_help(asked: float | None) -> None:
    """A server that asks for no wait gets the growing one, or all attempts would be made in an instant."""
    attempt = Attempt(status=429, throttled=True, retry_after=asked)

    assert [POLICY.wait(attempt, number, idempotent=False, jitter=0) for number in (1, 2, 3)] == [1.0, 2.0, 4.0]


def test_the_time_of_all_attempts() -> None:
    """A request outside an operation is repeated for as long as a wait lasts: 20 minutes."""
    assert POLICY.timeout == timedelta(minutes=20)
