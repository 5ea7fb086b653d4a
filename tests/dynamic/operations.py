"""The actions' providers of the dynamic door, called as the engine calls them, and what it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from intune_vpp.dynamic import LicenseCountSyncProvider, LicenseRevocationProvider, LicenseSyncProvider

if TYPE_CHECKING:
    from pulumi.dynamic import CheckResult, CreateResult, UpdateResult

    from intune_vpp.dynamic.operation_providers import OperationProvider

PROVIDERS: dict[str, type[OperationProvider]] = {
    "LicenseSync": LicenseSyncProvider,
    "LicenseRevocation": LicenseRevocationProvider,
    "LicenseCountSync": LicenseCountSyncProvider,
}
RECORD = "gASVRAAAAAAAAACM"
"""What the SDK puts beside inputs and outputs, as good as."""


@dataclass
class Kept:
    """What the engine keeps: id, inputs and outputs, with the SDK's record in each."""

    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


def recorded(properties: dict[str, Any] | None) -> dict[str, Any]:
    """Properties with the SDK's record."""
    return {**(properties or {}), "__provider": RECORD}


def checked(provider: OperationProvider, news: dict[str, Any], olds: dict[str, Any] | None = None) -> dict[str, Any]:
    """Inputs that nothing is wrong with."""
    answer: CheckResult = provider.check(olds or {}, recorded(news))
    assert answer.failures == []
    return recorded(answer.inputs)


def refusals(provider: OperationProvider, news: dict[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with inputs: property and reason of each."""
    return [(one.property, one.reason) for one in provider.check({}, recorded(news)).failures]


def made(provider: OperationProvider, news: dict[str, Any]) -> Kept:
    """Check and Create."""
    inputs = checked(provider, news)
    answer: CreateResult = provider.create(inputs)
    return Kept(answer.id, inputs, recorded(answer.outs))


def changes(provider: OperationProvider, kept: Kept, news: dict[str, Any]) -> tuple[bool | None, list[str]]:
    """Check and Diff: whether something changes, and what replaces."""
    answer = provider.diff(kept.id, kept.outputs, checked(provider, news, kept.inputs))
    return answer.changes, answer.replaces or []


def updated(provider: OperationProvider, kept: Kept, news: dict[str, Any]) -> Kept:
    """Check and Update."""
    inputs = checked(provider, news, kept.inputs)
    answer: UpdateResult = provider.update(kept.id, kept.outputs, inputs)
    return Kept(kept.id, inputs, recorded(answer.outs))
