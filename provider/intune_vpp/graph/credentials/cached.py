"""Keeps one access token in memory until shortly before it expires; concurrent requests share one sign-in."""

from __future__ import annotations

import copy
import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from intune_vpp.core.errors import GraphError, IntuneVppError, RequestNotSent, SignInRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from intune_vpp.graph.credentials.method import AccessToken, SignIn

_log = logging.getLogger(__name__)
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
    """Makes one sign-in for all requests.

    `explanation` names the method and what chose it: each GraphError ends with it.
    """

    def __init__(self, sign_in: SignIn, explanation: str, *, now: Callable[[], float] = time.time) -> None:
        self._sign_in = sign_in
        self._explanation = explanation
        self._now = now
        self._lock = threading.Lock()
        self._current: AccessToken | None = None
        self._replaced_at = self._expires_at = 0.0
        self._failures = 0
        self._failure: IntuneVppError | None = None

    def access_token(self) -> str:
        """Return the access token. Signs in if none is cached, or if the cached one expires soon."""
        failures = self._failures
        # Concurrent requests share one sign-in, and its failure: they wait here for the first one.
        with self._lock:
            if self._failure is not None and self._failures != failures:
                raise copy.copy(self._failure)
            if self._current is None or self._now() >= self._replaced_at:
                self._current = self._replacement()
            return self._current.text

    def forget(self, access_token: str) -> None:
        """Drop this access token; one that was issued after it is kept."""
        with self._lock:
            if self._current is not None and self._current.text == access_token:
                self._current = None

    def _replacement(self) -> AccessToken:
        try:
            issued = self._signed_in()
        except IntuneVppError as error:
            if isinstance(error, RequestNotSent) and self._current is not None and self._now() < self._expires_at:
                # The sign-in may work again before this one ends.
                return self._current
            self._current, self._failure = None, error
            self._failures += 1
            raise
        self._expires_at = self._now() + issued.expires_in
        # An access token that lives for minutes only is used for half of its life.
        self._replaced_at = self._now() + max(issued.expires_in - _MARGIN, issued.expires_in / 2)
        _log.debug(self._explanation)
        return issued

    def _signed_in(self) -> AccessToken:
        try:
            issued = self._sign_in()
            if not issued.expires_in > 0:
                today = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
                raise SignInRefused(f"The new access token has already expired: check the clock, which says {today}.")
        except GraphError as error:
            error.args = (f"{error} {self._explanation}",)
            raise
        return issued
