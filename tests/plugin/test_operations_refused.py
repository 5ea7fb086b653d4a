"""What the operations refuse over a live channel, each with one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest

from plugin.door import Door, asset, secret
from plugin.test_operations import NAMES, OTHER, asked
from tenant_in_process import uploaded

if TYPE_CHECKING:
    from plugin.conftest import Open
    from tenant_in_process import RefusesSyncs


@pytest.mark.parametrize("name", NAMES)
def test_an_import_is_refused(provider: Door, name: str) -> None:
    """An operation can be neither imported nor looked up: the sentence says what can be done."""
    with pytest.raises(grpc.RpcError) as caught:
        provider.about(name).imported(OTHER)

    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert caught.value.details() == (
        f"A {name} is an operation: it can be neither imported nor looked up. Declare one in the program to run it."
    )


@pytest.mark.parametrize(
    ("name", "news", "reason"),
    [
        ("LicenseSync", {}, "vppTokenId is required to create a LicenseSync."),
        ("LicenseRevocation", {"vppTokenId": secret("hunter2")}, "vppTokenId must be an id (a GUID)."),
        ("LicenseCountSync", {"triggers": asset(text="hunter2")}, "triggers cannot contain assets"),
        ("LicenseCountSync", {"triggers": [secret(asset(text="hunter2"))]}, "triggers cannot contain assets"),
        ("LicenseRevocation", {"vppTokenId": OTHER, "triggers": "hunter2"}, "triggers is not an input of a License"),
    ],
)
def test_what_is_refused(provider: Door, name: str, news: dict[str, Any], reason: str) -> None:
    """A refusal is one sentence that names no property, since the engine would print its value."""
    _, failures = provider.about(name).checked(news)
    ((prop, said),) = failures
    assert prop == ""
    assert said.startswith(reason)
    assert "hunter2" not in said


def test_v1_refuses_in_preview(start: Open, tenant: RefusesSyncs) -> None:
    """What v1.0 lacks is refused by Check with the setting to change; a sync is none of it."""
    token_id = uploaded(tenant)
    refused = {}
    for name in NAMES:
        _, failures = start(graphVersion="v1.0").about(name).checked(asked(name, token_id))
        refused[name] = [reason for _, reason in failures]
    assert refused.pop("LicenseSync") == []
    for name, (reason,) in refused.items():
        assert reason.startswith(f"A {name} needs Graph's beta:")
    assert tenant.get(token_id)["tokenActionResults"] == []
