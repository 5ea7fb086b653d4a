"""Keeps the access token of a sign-in in memory, for all threads, until shortly before it expires."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from intune_vpp.core.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Callable

    from intune_vpp.graph.credentials.method import AccessToken, SignIn

_MARGIN = 300.0
"""Seconds before its end at which an access token is replaced, so that no request arrives with an expired one."""


class Credential(Protocol):
    """A way to sign in. Its methods are called by several threads at once."""

    def access_token(self) -> str:
        """Return an access token for Graph. Raises SettingsError, SignInRefused and RequestNotSent."""

    def forget(self, access_token: str) -> None:
        """Drop this access token, because Graph did not accept it.

        A newer one is kept: several requests may have failed with the same access token, one after the other.
        """


class CachedCredential:
    """Makes one sign-in for all requests. `explanation` says which method it is and why; each error ends with it."""

    def __init__(self, sign_in: SignIn, explanation: str, *, now: Callable[[], float] = time.time) -> None:
        self._sign_in = sign_in
        self._explanation = explanation
        self._now = now
        self._lock = threading.Lock()
        self._current: AccessToken | None = None
        self._replaced_at = 0.0

    def access_token(self) -> str:
        """Return the access token; signs in if there is none, or if it expires soon."""
        # Concurrent requests share one sign-in: they wait here for the first one.
        with self._lock:
            if self._current is None or self._now() >= self._replaced_at:
                self._current = None
                self._current = self._signed_in()
                # An access token that lives for minutes only is used for half of its life.
                lifetime = self._current.expires_in
                self._replaced_at = self._now() + max(lifetime - _MARGIN, lifetime / 2)
            return self._current.text

    def forget(self, access_token: str) -> None:
        """Drop this access token; one that was issued after it is kept."""
        with self._lock:
            if self._current is not None and self._current.text == access_token:
                self._current = None

    def _signed_in(self) -> AccessToken:
        try:
            return self._sign_in()
        except GraphError as error:
            error.args = (f"{error} {self._explanation}",)
            raise
