"""What holds for every test: nothing of the person or the shell that runs them reaches the provider."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("thorough", max_examples=2000, deadline=None, print_blob=True)
settings.register_profile("everyday", deadline=None)
if profile := os.environ.get("HYPOTHESIS_PROFILE", "" if os.environ.get("CI") else "everyday"):
    # Where neither is set (in CI), Hypothesis chooses its own: the same examples each time, without a deadline.
    settings.load_profile(profile)


CODE_BLOCKS = "code blocks of the documentation"
"""The property by which `tests/docs` says how many blocks run."""


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """A shell that runs the tests in the background lets them ignore SIGINT, and every process they start with them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


_SETTINGS = ("ARM_", "AZURE", "INTUNE_VPP_", "ACTIONS_ID_TOKEN_", "SYSTEM_", "IDENTITY_", "IMDS_", "MSI_")
"""How the variables begin that a provider and MSAL read."""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see no credentials, settings and proxies but their own."""
    for name in list(os.environ):
        if name.startswith(_SETTINGS) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    # Somebody who runs the tests may be signed in to the Azure CLI.
    monkeypatch.setenv("ARM_USE_CLI", "false")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say, as the last thing, what ran, what did not, and how much of it was with the real engine."""
    passed = [report for report in terminalreporter.stats.get("passed", []) if report.when == "call"]
    skipped = terminalreporter.stats.get("skipped", [])
    with_engine = sum("engine" in report.keywords for report in passed)
    terminalreporter.section("what ran")
    terminalreporter.line(f"passed: {len(passed)}, of these with the real engine: {with_engine}")
    terminalreporter.line(f"skipped: {', '.join(sorted(report.nodeid for report in skipped)) or 'none'}")
    for name, value in (found for report in passed for found in report.user_properties if found[0] == CODE_BLOCKS):
        terminalreporter.line(f"{name}: {value}")
