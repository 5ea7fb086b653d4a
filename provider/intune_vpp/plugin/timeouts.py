"""`customTimeouts`, as the engine hands them on."""

from __future__ import annotations

from datetime import timedelta

from intune_vpp.core.waiting import TIME_ALLOWED

_LONGEST = 366 * 24 * 3600.0


def time_allowed(seconds: float) -> timedelta:
    """How long to wait for what goes on in Intune: what `customTimeouts` says, in seconds, or what is usual."""
    return timedelta(seconds=min(seconds, _LONGEST)) if seconds > 0 else TIME_ALLOWED
