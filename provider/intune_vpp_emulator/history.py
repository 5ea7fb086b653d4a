"""What a tenant was: the tokens as they were before each write, for reads that lag."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from .behavior import LONGEST_LAG

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .vpp_token import VppToken

_KEPT = timedelta(seconds=LONGEST_LAG)


class History:
    """The writes that the longest lag reaches back to, each with what it replaced."""

    def __init__(self) -> None:
        self._writes: deque[tuple[datetime, str, VppToken | None]] = deque()

    def note(self, now: datetime, token_id: str, before: VppToken | None) -> None:
        """Remember a write of `now` and the token before it, None if there was none."""
        while self._writes and self._writes[0][0] < now - _KEPT:
            self._writes.popleft()
        self._writes.append((now, token_id, before))

    def tokens(self, tokens: Mapping[str, VppToken], at: datetime) -> dict[str, VppToken]:
        """What the tokens, which are those of now, were at `at`, in the order of their creation."""
        undone = {token_id: before for when, token_id, before in reversed(self._writes) if when > at}
        past = {**tokens, **undone}
        found = [one for one in past.values() if one is not None]
        return {one.id: one for one in sorted(found, key=lambda one: one.number)}
