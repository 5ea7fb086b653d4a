"""States that older versions recorded through the dynamic providers, read by today's."""

from __future__ import annotations

import base64
import pickle
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from dynamic.calls import bare, checked
from dynamic.conftest import begin, engine, environment, start  # noqa: F401 - fixtures
from upgrade.recorded import Resource, matching_tenant, resources, without_time

if TYPE_CHECKING:
    from pathlib import Path

    from dynamic.conftest import Begin, Start
    from intune_vpp.dynamic import VppTokenProvider
    from intune_vpp.dynamic.operation_providers import OperationProvider
    from tenant_in_process import RefusesSyncs

# The fixtures are used by the names that they are imported by.
# ruff: noqa: F811


@pytest.fixture
def tenant(version: Path) -> RefusesSyncs:
    """The tenant of those states."""
    return matching_tenant(version, "dynamic")


def asked(resource: Resource) -> dict[str, Any]:
    """The inputs as the program gives them."""
    inputs = {name: value for name, value in bare(resource.record.inputs).items() if name != "tokenFile"}
    return inputs | ({"token": pulumi.StringAsset(resource.text)} if resource.text else {})


def started(resource: Resource, start: Start, begin: Begin) -> VppTokenProvider | OperationProvider:
    """The provider of a resource, which is the one that its record names."""
    provider = start() if resource.kind == "VppToken" else begin(resource.kind)
    named = pickle.loads(base64.b64decode(resource.record.inputs["__provider"]))  # noqa: S301 - recorded by us
    assert type(named) is type(provider)
    return provider


def test_no_change(start: Start, begin: Begin, tenant: RefusesSyncs, version: Path) -> None:
    """The same program finds nothing to update, with each resource, and nothing is sent that writes."""
    before = tenant.tokens
    for resource in resources(version, "dynamic").values():
        provider, kept = started(resource, start, begin), resource.record
        inputs = checked(provider, asked(resource), kept.inputs)
        assert bare(inputs) == bare(kept.inputs), resource.name
        assert provider.diff(kept.id, kept.outputs, inputs).changes is False, resource.name
    assert tenant.tokens == before


def test_no_drift(start: Start, begin: Begin, tenant: RefusesSyncs, version: Path) -> None:
    """A refresh returns each resource as it was recorded, but for the time of the read."""
    before = tenant.tokens
    for resource in resources(version, "dynamic").values():
        kept = resource.record
        answer = started(resource, start, begin).read(kept.id, kept.outputs)
        assert answer.id == kept.id
        assert without_time(bare(answer.outs or {})) == without_time(bare(kept.outputs)), resource.name
        assert bare(answer.inputs or {}) == bare(kept.inputs), resource.name
    assert tenant.tokens == before
