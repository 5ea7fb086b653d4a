"""The counts of a revocation, in words."""

from __future__ import annotations

from typing import Any

from intune_vpp.core import revocation
from intune_vpp.core.revocation import Result


def test_counts_from_a_state_are_whole() -> None:
    """A failure that is told from a state, where the engine keeps numbers as floats, has counts without a fraction."""
    from_state: dict[str, Any] = {"total_licenses_count": 43.0, "failed_licenses_count": 43.0}
    failure = revocation.verdict(Result(action_state="failed", **from_state), "Lincoln").failure
    assert "(43 of 43)" in str(failure)
