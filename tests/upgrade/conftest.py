"""The versions of which states are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from upgrade.story import VERSIONS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=VERSIONS, ids=lambda version: version.name)
def version(request: pytest.FixtureRequest) -> Path:
    """The states of a version."""
    found: Path = request.param
    return found
