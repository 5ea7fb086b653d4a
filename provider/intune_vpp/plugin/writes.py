"""What the Create and Update of all resources share: how long they may take, and how their outcome is answered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from intune_vpp.core.waiting import TIME_ALLOWED
from intune_vpp.engine import cures
from intune_vpp.plugin import property_values
from intune_vpp.plugin.grpc_errors import PartialFailure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf import struct_pb2

    from intune_vpp.core.outcome import Outcome

_LONGEST = 366 * 24 * 3600.0
"""Seconds. A much longer timeout would overflow the date at which the wait ends."""


def time_allowed(seconds: float) -> timedelta:
    """Return how long to wait for Intune: the seconds of `customTimeouts`, or the default if they are 0."""
    return timedelta(seconds=min(seconds, _LONGEST)) if seconds > 0 else TIME_ALLOWED


def settled(
    outcome: Outcome[Any], outputs: Mapping[str, Any], inputs: Mapping[str, Any], secrets: frozenset[str]
) -> struct_pb2.Struct:
    """The new outputs for the engine; the properties named in `secrets` are marked secret.

    Raises PartialFailure if a step after the write failed: the engine then stores outputs and inputs all the same.
    """
    encoded = property_values.encode(outputs, secrets=secrets)
    if outcome.failure is not None:
        kept = property_values.encode(inputs, secrets=secrets)
        raise PartialFailure(outcome.id, outputs=encoded, inputs=kept, why=cures.sentence(outcome.failure))
    return encoded
