"""What all waits for Intune share: the time limit, the result, and the errors of an interruption."""

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
"""How long a wait lasts before it fails."""

TRIES_AGAIN = "The next update tries again."


@dataclass(frozen=True, slots=True)
class WaitResult:
    """The result of a wait: success if `failure` is None; `warning` then says what is unusual."""

    failure: IntuneVppError | None = None
    warning: str | None = None


def stopped_before(what: str) -> WaitInterrupted:
    """Return the error for a stop before a request; `what` is what did not happen, such as `licences were counted`."""
    return WaitInterrupted(f"Stopped before {what}: nothing was started.")


@contextmanager
def beginning(what: str) -> Iterator[None]:
    """Wraps the requests before an operation starts: an interruption then means that nothing was started."""
    try:
        yield
    except WaitInterrupted:
        raise stopped_before(what) from None


def in_words(allowed: timedelta) -> str:
    """Return a duration for a message, such as `20 minutes` or `90 seconds`."""
    seconds = allowed.total_seconds()
    number, unit = (seconds, "second") if seconds % 60 else (seconds / 60, "minute")
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"
