"""The fence: what the kit may write."""

from __future__ import annotations

import pytest

from live.wire import TOKENS, Fence, OutsideFence


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", TOKENS),
        ("PATCH", f"{TOKENS}/b"),
        ("PATCH", f"{TOKENS}/a/x"),
        ("PATCH", f"{TOKENS}/"),
        ("DELETE", f"{TOKENS}/a"),
        ("POST", f"{TOKENS}/b/syncLicenses"),
        ("POST", f"{TOKENS}/a/revokeLicenses"),
        ("POST", f"{TOKENS}/syncLicenseCounts"),
        ("PATCH", "/deviceAppManagement/mobileApps/a"),
        ("PUT", f"{TOKENS}/a"),
    ],
)
def test_the_fence(method: str, path: str) -> None:
    """Whatever a probe does, nothing but the named token is written, and that one is not deleted."""
    fence = Fence(named="a")
    fence.check("PATCH", f"{TOKENS}/a")
    fence.check("POST", f"{TOKENS}/a/syncLicenses")
    fence.check("GET", f"{TOKENS}/b")
    with pytest.raises(OutsideFence):
        fence.check(method, path)
    with pytest.raises(OutsideFence):
        Fence().check(method, path)


@pytest.mark.parametrize("odd", ["../mobileApps/a", "a%2f..", "a?x=1", "a#", "a\\b", "a b", "a.b", "a\n"])
@pytest.mark.parametrize(("method", "tail"), [("PATCH", ""), ("DELETE", ""), ("POST", "/syncLicenses")])
def test_the_fence_refuses_odd_paths(method: str, tail: str, odd: str) -> None:
    """A path that may lead elsewhere than it seems to is not written, not even that of a token of the run."""
    with pytest.raises(OutsideFence):
        Fence(named=odd, created=[odd]).check(method, f"{TOKENS}/{odd}{tail}")
