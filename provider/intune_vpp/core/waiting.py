"""What all waits for Intune share: the time limit, and the result."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from intune_vpp.core.errors import WaitInterrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from intune_vpp.core.errors import IntuneVppError

TIME_ALLOWED = timedelta(minutes=20)
"""How long something may take before the wait is given up."""

TRIES_AGAIN = "The next update tries again."


@dataclass(frozen=True, slots=True)
class WaitResult:
    """The wait is over: well where `failure` is None, and `warning` then says what is odd all the same."""

    failure: IntuneVppError | None = None
    warning: str | None = None


def stopped_before(what: str) -> WaitInterrupted:
    """The engine asked to stop before something was asked for in Intune."""
    return WaitInterrupted(f"Stopped before {what}: nothing was started.")


@contextmanager
def beginning(what: str) -> Iterator[None]:
    """Wraps the requests before an operation starts: an interruption then means that nothing was started."""
    try:
        yield
    except WaitInterrupted:
        raise stopped_before(what) from None


def in_words(allowed: timedelta) -> str:
    """A time allowed, for a sentence."""
    minutes, seconds = divmod(allowed.total_seconds(), 60)
    return f"{minutes:g} minutes" if not seconds else f"{allowed.total_seconds():g} seconds"
