"""A state that somebody edited, over the plugin's channel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from builders import Record, fresh_vpptoken
from plugin.door import URN, Door, inputs, plain, struct
from tenant_in_process import uploaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenant_in_process import RefusesSyncs

ODD: dict[str, Any] = {"roleScopeTagIds": {"hunter2": "hunter2"}}
REFUSAL = (
    "The state of this resource has a member roleScopeTagIds that is not a list of strings. "
    "Correct or remove that member with `pulumi state edit`."
)
CALLS: dict[str, Callable[[Door, Record], object]] = {
    "Diff": lambda door, kept: door.diff(kept, inputs()),
    "Read": lambda door, kept: door.read(kept),
    "Update": lambda door, kept: door.update(kept, inputs()),
    "preview": lambda door, kept: door.update(kept, inputs(), preview=True),
    "Delete": lambda door, kept: door.delete(kept),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_member_of_the_wrong_type(provider: Door, tenant: RefusesSyncs, call: str) -> None:
    """Each call says which member it is and how it is corrected, sends nothing, and works once it is removed."""
    made = provider.made(inputs(fresh_vpptoken()))
    broken = replace(made, outputs={**made.outputs, **ODD})

    with pytest.raises(grpc.RpcError) as caught:
        CALLS[call](provider, broken)

    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.FAILED_PRECONDITION, REFUSAL)
    assert [token.id for token in tenant.tokens] == [made.id]
    assert provider.read(made).id == made.id


@pytest.mark.parametrize("preview", [True, False])
def test_inputs_of_the_wrong_type(provider: Door, *, preview: bool) -> None:
    """So do inputs that did not pass Check, in a creation and in old inputs."""
    checked = provider.good(inputs(fresh_vpptoken()))
    odd = struct({**checked, **ODD})

    with pytest.raises(grpc.RpcError) as caught:
        provider.ask("Create", provider_pb2.CreateRequest(urn=URN, properties=odd, preview=preview))
    assert caught.value.details() == REFUSAL
    assert provider.checked(inputs(fresh_vpptoken()), {**checked, **ODD}) == ({}, [("", REFUSAL)])


def test_an_operation_without_its_token(provider: Door, tenant: RefusesSyncs) -> None:
    """A revocation whose state lost its vppTokenId says so, and asks for nothing."""
    door = provider.about("LicenseRevocation")
    made = door.made({"vppTokenId": uploaded(tenant)})
    cut = replace(made, outputs={name: value for name, value in made.outputs.items() if name != "vppTokenId"})

    with pytest.raises(grpc.RpcError) as caught:
        door.read(cut)

    assert caught.value.details() == ("The state of this resource has no vppTokenId. Add it with `pulumi state edit`.")


def test_counts_stay_whole(provider: Door, tenant: RefusesSyncs) -> None:
    """The engine gives numbers back as floats; what is reported of a revocation has whole ones."""
    door = provider.about("LicenseRevocation")
    made = door.made({"vppTokenId": uploaded(tenant)})
    failed = {"actionState": "failed", "totalLicensesCount": 43.0, "failedLicensesCount": 43.0}

    with pytest.raises(grpc.RpcError, match=r"\(43 of 43\)"):
        door.update(replace(made, outputs={**made.outputs, **failed}), plain(struct(made.inputs)))
