"""What a debug line and a span may show of a request; they show nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class SentRequest:
    """One attempt of a request, to Graph or to a service of the sign-in, without secrets.

    `path` has no query. `status` is None if there was no answer; then `error` is the type of the error. `request_id` is
    that of the answer, empty if it has none. `tries` is 1 for the first attempt, 2 for the first retry.
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
"""Records a request that was sent. Must not raise an error, and must not wait."""


def ignore(_sent: SentRequest) -> None:
    """Record nothing: the `Record` of a process without traces."""
