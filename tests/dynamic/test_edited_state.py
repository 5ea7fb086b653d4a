"""A state that somebody edited, on the dynamic door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from builders import fresh_vpptoken
from dynamic.calls import PROVIDERS, inputs, made
from intune_vpp.core.errors import StateError
from tenant_in_process import uploaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from builders import Record
    from dynamic.conftest import Begin, Start
    from intune_vpp.dynamic import VppTokenProvider
    from tenant_in_process import RefusesSyncs

# The state has Graph's names: the sentence does not speak of `display_name` here.
REFUSAL = (
    "The state of this resource has a member displayName that is not a string. "
    "Correct or remove that member with `pulumi state edit`."
)
ODD: dict[str, Any] = {"displayName": {"hunter2": "hunter2"}}
CALLS: dict[str, Callable[[VppTokenProvider, Record, dict[str, Any]], object]] = {
    "diff": lambda provider, kept, outputs: provider.diff(kept.id, outputs, kept.inputs),
    "read": lambda provider, kept, outputs: provider.read(kept.id, outputs),
    "create": lambda provider, kept, _: provider.create({**kept.inputs, **ODD}),
    "update": lambda provider, kept, outputs: provider.update(kept.id, outputs, kept.inputs),
    "delete": lambda provider, kept, outputs: provider.delete(kept.id, outputs),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_member_of_the_wrong_type(start: Start, tenant: RefusesSyncs, call: str) -> None:
    """Each call says which member it is, by the name that the state has, and how it is corrected."""
    kept = made(start(), inputs(fresh_vpptoken()))

    with pytest.raises(StateError) as caught:
        CALLS[call](start(), kept, {**kept.outputs, **ODD})

    assert str(caught.value) == REFUSAL
    assert [token.id for token in tenant.tokens] == [kept.id]


def test_old_inputs_of_the_wrong_type(start: Start) -> None:
    """So does a Check, as a failure."""
    kept = made(start(), inputs(fresh_vpptoken()))

    answer = start().check({**kept.inputs, **ODD}, inputs(fresh_vpptoken()))

    assert [(one.property, one.reason) for one in answer.failures] == [("", REFUSAL)]


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_operation_with_a_member_of_the_wrong_type(begin: Begin, tenant: RefusesSyncs, name: str) -> None:
    """So do the calls of an operation."""
    provider = begin(name)
    kept = made(provider, {} if name == "LicenseCountSync" else {"vppTokenId": uploaded(tenant)})
    outputs = {**kept.outputs, "tenantId": 7.0}

    for call in (
        lambda: provider.diff(kept.id, outputs, kept.inputs),
        lambda: provider.read(kept.id, outputs),
        lambda: provider.update(kept.id, outputs, kept.inputs),
    ):
        with pytest.raises(StateError, match=r"has a member tenantId that is not a string\. Correct"):
            call()
