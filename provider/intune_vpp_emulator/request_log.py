"""The log of requests; secrets are masked before they are kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from .clock import to_the_tick

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Request

_SECRET = frozenset({"token", "client_secret", "client_assertion", "assertion", "password", "refresh_token"})
_KEPT = 100_000


class RequestLog:
    """The latest 100,000 requests."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._lock = Lock()

    def note(self, request: Request, status: int | None, now: datetime) -> None:
        """Add one request with the status of its answer; None where the connection ended without one."""
        entry = {
            "time": to_the_tick(now),
            "method": request.method,
            "path": request.path,
            "status": status,
            "body": masked(_body(request)),
        }
        with self._lock:
            self._entries.append(entry)

    def entries(self) -> list[dict[str, Any]]:
        """The requests in the order of their answers."""
        with self._lock:
            return list(self._entries)

    def clear(self) -> None:
        """Remove them."""
        with self._lock:
            self._entries.clear()


def masked(value: Any) -> Any:
    """The same JSON with `***` for each value that has the name of a secret."""
    if isinstance(value, list):
        return [masked(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _masked_member(name, one) for name, one in value.items()}
    return value


def _masked_member(name: str, value: Any) -> Any:
    return "***" if name.lower() in _SECRET and value is not None else masked(value)


def _body(request: Request) -> Mapping[str, Any]:
    if request.mimetype == "application/x-www-form-urlencoded":
        return request.form.to_dict()
    document = request.get_json(silent=True, cache=True) if request.mimetype == "application/json" else None
    return document if isinstance(document, dict) else {}
