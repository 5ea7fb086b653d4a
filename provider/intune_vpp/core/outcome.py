"""What every write and operation returns, so that a later failure never loses a write that worked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from intune_vpp.core.errors import IntuneVppError

State = TypeVar("State")
Outputs = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome(Generic[State]):
    """The id and state after a write or operation that was started, and what went wrong after that.

    The state is a VppTokenState, or the outputs of an operation by Graph's names.
    """

    id: str
    state: State
    failure: IntuneVppError | None = None
