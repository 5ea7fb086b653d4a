"""A kit with an emulated tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from live.kit import Kit

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    """A tenant with two tokens."""
    made = Kit(tmp_path)
    made.upload("Lincoln")
    made.upload("Denver")
    return made
