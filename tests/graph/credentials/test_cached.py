"""The access token that is kept in memory."""

from __future__ import annotations

import threading
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
        (0, (0, 0), ("token-1", "token-2")),
        (-5, (0, 0), ("token-1", "token-2")),
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
    """A setting that cannot be used is named already."""

    def sign_in() -> AccessToken:
        raise SettingsError("The file x cannot be read.")

    with pytest.raises(SettingsError, match=r"^The file x cannot be read\.$"):
        CachedCredential(sign_in, "The sign-in method is the test.").access_token()


def test_an_access_token_does_not_show() -> None:
    """Its text is in no repr."""
    assert "tell-nobody" not in repr(AccessToken("tell-nobody", 1))
