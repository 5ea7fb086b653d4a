"""Providers of the dynamic door, called as the engine calls them, and what it keeps."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import builders
from builders import Record
from intune_vpp.dynamic import LicenseCountSyncProvider, LicenseRevocationProvider, LicenseSyncProvider

if TYPE_CHECKING:
    from intune_vpp.dynamic import VppTokenProvider
    from intune_vpp.dynamic.operation_providers import OperationProvider

PROVIDERS: dict[str, type[OperationProvider]] = {
    "LicenseSync": LicenseSyncProvider,
    "LicenseRevocation": LicenseRevocationProvider,
    "LicenseCountSync": LicenseCountSyncProvider,
}
PICKLE = "gASVNwAAAAAAAACMG2ludHVuZV92cHAuZHluYW1pYy5wcm92aWRlcpSMEFZwcFRva2VuUHJvdmlkZXKUk5QpgZQu"
"""The pickled provider, which the SDK puts beside the inputs and outputs."""

inputs = partial(builders.token_inputs, waitForSync=False, __provider=PICKLE)
"""The inputs of a token as the engine hands them to this door."""


def pickled(properties: dict[str, Any] | None) -> dict[str, Any]:
    """Properties with the SDK's pickled provider."""
    return {**(properties or {}), "__provider": PICKLE}


def bare(properties: dict[str, Any]) -> dict[str, Any]:
    """Properties without it, as the provider answers them."""
    return {name: value for name, value in properties.items() if name != "__provider"}


def checked(
    provider: VppTokenProvider | OperationProvider, news: dict[str, Any], olds: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Inputs that nothing is wrong with, as the engine keeps them."""
    answer = provider.check(olds or {}, pickled(news))
    assert answer.failures == []
    return pickled(answer.inputs)


def refusals(provider: OperationProvider, news: dict[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with inputs: property and reason of each."""
    return [(one.property, one.reason) for one in provider.check({}, pickled(news)).failures]


def made(provider: VppTokenProvider | OperationProvider, news: dict[str, Any]) -> Record:
    """Check and Create."""
    kept = checked(provider, news)
    answer = provider.create(kept)
    assert "__provider" not in (answer.outs or {})
    return Record(answer.id, kept, pickled(answer.outs))


def diff(
    provider: VppTokenProvider | OperationProvider, record: Record, news: dict[str, Any]
) -> tuple[bool | None, list[str]]:
    """Check and Diff: whether something changes, and what replaces the resource."""
    answer = provider.diff(record.id, record.outputs, checked(provider, news, record.inputs))
    return answer.changes, answer.replaces or []


def changes(provider: VppTokenProvider | OperationProvider, record: Record, news: dict[str, Any]) -> bool | None:
    """Check and Diff: whether something changes."""
    return diff(provider, record, news)[0]


def updated(provider: VppTokenProvider | OperationProvider, record: Record, news: dict[str, Any]) -> Record:
    """Check and Update."""
    kept = checked(provider, news, record.inputs)
    return Record(record.id, kept, pickled(provider.update(record.id, record.outputs, kept).outs))
