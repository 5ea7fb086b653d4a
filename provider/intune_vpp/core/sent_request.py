"""What may be shown of a request that was sent; a debug line and a span show nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class SentRequest:
    """One request as it was sent once, to Graph or to a service of the sign-in, without secrets.

    `path` has no query. `status` is None without an answer; then `error` is the name of the error's type. `request_id`
    is that of the answer, empty if it has none. `tries` is 1 for the first attempt, and one more for each repetition.
    """

    method: str
    host: str
    path: str
    status: int | None
    request_id: str
    tries: int
    started: datetime
    ended: datetime
    error: str = ""

    def __str__(self) -> str:
        """Return the debug line."""
        seconds = (self.ended - self.started).total_seconds()
        about = [f"request id {self.request_id}"] if self.request_id else []
        about += [f"try {self.tries}", f"{seconds:.3f} s"]
        return f"{self.method} {self.path}: {self.error or self.status} ({', '.join(about)})"


Record: TypeAlias = Callable[[SentRequest], None]
"""Takes note of a request that was sent. Raises nothing, and does not wait."""


def ignore(_sent: SentRequest) -> None:
    """Take no note of a request: a `Record` for when nothing is traced."""
