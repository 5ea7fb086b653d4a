"""The tenant that the tests of a lifecycle share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant


@pytest.fixture
def tenant() -> Tenant:
    """An empty tenant whose clock stands still until somebody sleeps."""
    return new_tenant()
