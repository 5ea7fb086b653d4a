"""States that older versions recorded through the plugin, read by today's plugin over a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from plugin.conftest import engine, environment, provider, start  # noqa: F401 - fixtures
from plugin.door import DIFF, asset, plain, secret
from upgrade.recorded import Resource, matching_tenant, opened, resources, without_time

if TYPE_CHECKING:
    from pathlib import Path

    from plugin.door import Door
    from tenant_in_process import RefusesSyncs

# The fixtures are used by the names that they are imported by.
# ruff: noqa: F811


@pytest.fixture
def tenant(version: Path) -> RefusesSyncs:
    """The tenant of those states."""
    return matching_tenant(version, "plugin")


def asked(resource: Resource) -> dict[str, Any]:
    """The inputs as the program gives them."""
    inputs = {name: value for name, value in resource.record.inputs.items() if name != "tokenFile"}
    return inputs | ({"token": secret(asset(text=resource.text))} if resource.text else {})


def test_no_change(provider: Door, tenant: RefusesSyncs, version: Path) -> None:
    """The same program finds nothing to update, with each resource, and nothing is sent that writes."""
    before = tenant.tokens
    for resource in resources(version, "plugin").values():
        door = provider.about(resource.kind)
        kept = resource.record
        inputs = door.good(asked(resource), kept.inputs)
        assert opened(inputs) == kept.inputs, resource.name
        assert door.diff(kept, inputs).changes == DIFF.DIFF_NONE, resource.name
    assert tenant.tokens == before


def test_no_drift(provider: Door, tenant: RefusesSyncs, version: Path) -> None:
    """A refresh returns each resource as it was recorded, but for the time of the read."""
    before = tenant.tokens
    for resource in resources(version, "plugin").values():
        door = provider.about(resource.kind)
        answer = door.read(resource.record)
        assert answer.id == resource.record.id
        assert without_time(plain(answer.properties)) == without_time(resource.record.outputs), resource.name
        assert opened(plain(answer.inputs)) == resource.record.inputs, resource.name
    assert tenant.tokens == before
