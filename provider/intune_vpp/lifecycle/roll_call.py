"""Which tokens this run has met as resources: whose a token is, and which must not be deleted.

The engine runs the old and the new half of a rename or a forced replacement in one process. The new half takes the
token over; the old half, deleted afterwards, must leave it alone.
"""

from __future__ import annotations

import threading


class RollCall:
    """Ids of tokens by what happened to them in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, str | None] = {}
        self._arrived: set[str] = set()
        self._reserved: set[str] = set()

    def meet(self, token_id: str, fingerprint: str | None) -> None:
        """A resource that was there before has this token, with this file."""
        with self._lock:
            self._files[token_id] = fingerprint

    def arrive(self, token_id: str, fingerprint: str | None) -> None:
        """A resource has created or taken over this token."""
        with self._lock:
            self._files[token_id] = fingerprint
            self._arrived.add(token_id)

    def leave(self, token_id: str) -> None:
        """The token was deleted: its file is free again."""
        with self._lock:
            self._files.pop(token_id, None)

    def met(self, token_id: str) -> bool:
        """Whether some resource of this run has the token."""
        with self._lock:
            return token_id in self._files

    def arrived(self, token_id: str) -> bool:
        """Whether a resource created it or took it over in this run."""
        with self._lock:
            return token_id in self._arrived

    def reserve(self, fingerprint: str) -> str | None:
        """Keep a file for the creation under way; where it is in use already, the words for its user instead."""
        with self._lock:
            user = next((f"token {token_id}" for token_id, file in self._files.items() if file == fingerprint), None)
            if user is None and fingerprint in self._reserved:
                user = "one that is just being created"
            if user is None:
                self._reserved.add(fingerprint)
            return user

    def release(self, fingerprint: str) -> None:
        """The creation is over: its token is known by now, or the file is free for another attempt."""
        with self._lock:
            self._reserved.discard(fingerprint)
