"""The access token that is kept in memory."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from intune_vpp.core.errors import RequestNotSent, SettingsError, SignInRefused
from intune_vpp.graph.credentials.cached import CachedCredential
from intune_vpp.graph.credentials.method import AccessToken

if TYPE_CHECKING:
    from collections.abc import Iterable


class SignIns:
    """Numbered access tokens that live as long as given; the last lifetime stays."""

    def __init__(self, *lifetimes: float) -> None:
        self.lifetimes = list(lifetimes)
        self.made = 0

    def __call__(self) -> AccessToken:
        """The next one."""
        self.made += 1
        return AccessToken(f"token-{self.made}", self.lifetimes[min(self.made, len(self.lifetimes)) - 1])


@pytest.mark.parametrize(
    ("lifetime", "moments", "tokens"),
    [
        (3600, (0, 3299, 3300, 6599), ("token-1", "token-1", "token-2", "token-2")),
        (600, (0, 299, 300), ("token-1", "token-1", "token-2")),
        (60, (0, 29, 30, 59, 60), ("token-1", "token-1", "token-2", "token-2", "token-3")),
    ],
)
def test_it_is_replaced_before_its_end(lifetime: float, moments: Iterable[float], tokens: Iterable[str]) -> None:
    """Five minutes before its end, or after half of a short life, an access token is replaced."""
    clock = [1_000_000.0]
    credential = CachedCredential(SignIns(lifetime), "", now=lambda: clock[0])

    found = []
    for moment in moments:
        clock[0] = 1_000_000.0 + moment
        found.append(credential.access_token())
    assert tuple(found) == tokens


@pytest.mark.parametrize("lifetime", [0, -5, float("nan")])
def test_one_that_has_expired_already(lifetime: float) -> None:
    """An access token that is new and expired is refused with the clock, instead of one sign-in for each request."""
    credential = CachedCredential(SignIns(lifetime), "Sign-in method: test.")

    with pytest.raises(SignInRefused, match=r"^The new access token has already expired: check the clock, which says "):
        credential.access_token()


def test_a_failed_renewal() -> None:
    """While an access token is valid, a renewal that was not sent is tried again at the next request."""
    clock, sign_ins = [0.0], SignIns(3600)
    failures: list[Exception] = []

    def sign_in() -> AccessToken:
        if failures:
            raise failures[0]
        return sign_ins()

    credential = CachedCredential(sign_in, "", now=lambda: clock[0])
    assert credential.access_token() == "token-1"
    failures.append(RequestNotSent("Nobody."))
    clock[0] = 3500
    assert credential.access_token() == "token-1"
    clock[0] = 3600
    with pytest.raises(RequestNotSent):
        credential.access_token()
    failures.clear()
    assert credential.access_token() == "token-2"
    failures.append(SignInRefused("No."))
    clock[0] = 7000
    with pytest.raises(SignInRefused):
        credential.access_token()


def test_many_threads_share_a_failure() -> None:
    """Those that waited for a sign-in that failed get its error; a later request tries again."""
    begun, go, made = threading.Event(), threading.Event(), []

    def sign_in() -> AccessToken:
        made.append(1)
        begun.set()
        go.wait(timeout=20)
        raise SignInRefused("No.", status=401, code="x")

    credential = CachedCredential(sign_in, "How.")
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(credential.access_token)
        assert begun.wait(timeout=20)
        waiting = [threads.submit(credential.access_token) for _ in range(7)]
        while sum(one.running() for one in waiting) < 7:
            time.sleep(0.01)
        # A running call may not have come to the lock: give it a moment. One that comes too late signs in itself.
        time.sleep(0.1)
        go.set()
        errors = [one.exception(timeout=20) for one in (first, *waiting)]
    assert {(type(one), str(one), getattr(one, "code", "")) for one in errors} == {(SignInRefused, "No. How.", "x")}
    assert len(made) < 8
    before = len(made)
    with pytest.raises(SignInRefused):
        credential.access_token()
    assert len(made) == before + 1


def test_many_threads_make_one_sign_in() -> None:
    """However many requests ask at once, one sign-in serves them all."""
    sign_ins, together = SignIns(3600), threading.Barrier(16)
    credential = CachedCredential(sign_ins, "")

    def ask() -> str:
        together.wait(timeout=20)
        return credential.access_token()

    with ThreadPoolExecutor(16) as threads:
        found = [threads.submit(ask) for _ in range(16)]
        assert {one.result(timeout=20) for one in found} == {"token-1"}
    assert sign_ins.made == 1


def test_a_revoked_one_is_forgotten_by_value() -> None:
    """A refusal of an access token that was already replaced leaves its successor."""
    sign_ins = SignIns(3600)
    credential = CachedCredential(sign_ins, "")
    credential.forget("token-1")
    first = credential.access_token()
    for _ in range(16):
        credential.forget(first)
        credential.access_token()

    assert (credential.access_token(), sign_ins.made) == ("token-2", 2)


@pytest.mark.parametrize("error", [SignInRefused("No.", status=401, code="x"), RequestNotSent("Nobody.", status=503)])
def test_an_error_names_the_method(error: SignInRefused | RequestNotSent) -> None:
    """Each failed sign-in ends with the method; class, status and code stay, and the next request tries again."""
    failures: list[Exception] = [error]
    sign_ins = SignIns(3600)

    def sign_in() -> AccessToken:
        if failures:
            raise failures.pop()
        return sign_ins()

    credential = CachedCredential(sign_in, "The sign-in method is the test, because it is set.")
    said = str(error)
    with pytest.raises(type(error)) as caught:
        credential.access_token()

    assert caught.value is error
    assert str(error) == f"{said} The sign-in method is the test, because it is set."
    assert credential.access_token() == "token-1"


def test_a_setting_names_itself() -> None:
    """A SettingsError keeps its text: it names its setting already."""

    def sign_in() -> AccessToken:
        raise SettingsError("The file x cannot be read.")

    with pytest.raises(SettingsError, match=r"^The file x cannot be read\.$"):
        CachedCredential(sign_in, "The sign-in method is the test.").access_token()


def test_an_access_token_does_not_show() -> None:
    """The repr of an access token omits its text."""
    assert "tell-nobody" not in repr(AccessToken("tell-nobody", 1))
