"""What holds for every test: no variable of the person who runs them reaches the provider."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see no credentials and no settings but their own."""
    for name in list(os.environ):
        if name.startswith(("ARM_", "AZURE_", "INTUNE_VPP_")):
            monkeypatch.delenv(name)
