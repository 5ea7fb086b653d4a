"""Reads `customTimeouts` from the engine's requests."""

from __future__ import annotations

from datetime import timedelta

from intune_vpp.core.waiting import TIME_ALLOWED

_LONGEST = 366 * 24 * 3600.0
"""Seconds. A much longer timeout would overflow the date at which the wait ends."""


def time_allowed(seconds: float) -> timedelta:
    """Return how long to wait for Intune: the seconds of `customTimeouts`, or the default if they are 0."""
    return timedelta(seconds=min(seconds, _LONGEST)) if seconds > 0 else TIME_ALLOWED
