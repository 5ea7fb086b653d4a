"""How a token comes under management, reported before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import given

from builders import args, file
from core.case_tables import attributes, each
from core.strategies import args as any_args
from intune_vpp.core import messages
from intune_vpp.core.resource_type import UNKNOWN

if TYPE_CHECKING:
    from intune_vpp.core.vpp_token import VppTokenArgs


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What is asked for beside a file that is good until 2027-11-01, and what is reported of it."""

    case: str
    asks: dict[str, Any] = field(default_factory=dict)
    message: str | None = None


@each("arrival", Arrival)
def test_how_an_arrival_is_reported(case: Arrival) -> None:
    """A reviewer reads whether a token is created or taken over, and nothing where only the update will know."""
    assert messages.arrival(args(file(), **attributes(case.asks))) == case.message


@given(any_args(unknowns=True))
def test_any_arrival_can_be_reported(asked: VppTokenArgs) -> None:
    """Whatever is asked for, what is unknown is never reported as known."""
    message = messages.arrival(asked)
    if UNKNOWN in {asked.adopt_token_id, asked.token_file} and not isinstance(asked.adopt_token_id, str):
        assert message is None
    assert str(UNKNOWN) not in (message or "")
