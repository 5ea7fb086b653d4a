"""How the application of a tenant is made."""

from __future__ import annotations

import pytest

from intune_vpp_emulator.app import create_app
from tenant_in_process import new_tenant


def test_no_function_is_compiled_that_builds_urls() -> None:
    """No rule of an application can build its URL, which keeps an application cheap to make."""
    for rule in create_app(new_tenant()).url_map.iter_rules():
        with pytest.raises(NotImplementedError):
            rule.build({})
