"""What holds for every test: no variable of the person who runs them reaches the provider."""

from __future__ import annotations

import os
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see no credentials and no settings but their own."""
    for name in list(os.environ):
        if name.startswith(("ARM_", "AZURE_", "INTUNE_VPP_")):
            monkeypatch.delenv(name)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say, as the last thing, what ran, what did not, and how much of it was with the real engine."""
    passed = [report for report in terminalreporter.stats.get("passed", []) if report.when == "call"]
    skipped = terminalreporter.stats.get("skipped", [])
    with_engine = sum("engine" in report.keywords for report in passed)
    terminalreporter.section("what ran")
    terminalreporter.line(f"passed: {len(passed)}, of these with the real engine: {with_engine}")
    terminalreporter.line(f"skipped: {', '.join(sorted(report.nodeid for report in skipped)) or 'none'}")
