"""`customTimeouts`, as the engine hands them on."""

from __future__ import annotations

from datetime import timedelta

from intune_vpp.core.waiting import TIME_ALLOWED

_LONGEST = 366 * 24 * 3600.0


def patience(timeout: float) -> timedelta:
    """How long to wait for what goes on in Intune: what `customTimeouts` says, in seconds, or what is usual."""
    return timedelta(seconds=min(timeout, _LONGEST)) if timeout > 0 else TIME_ALLOWED
