"""What stands in every user's state, in literal words: none of it may ever change."""

from __future__ import annotations

import base64
import pickle
from typing import Any

import pytest
from pulumi.dynamic.dynamic import serialize_provider

import intune_vpp.dynamic
from dynamic.programs import run
from intune_vpp.core import pulumi_state
from intune_vpp.dynamic import VppToken, VppTokenProvider

PICKLED = {
    4: "gASVNwAAAAAAAACMG2ludHVuZV92cHAuZHluYW1pYy5wcm92aWRlcpSMEFZwcFRva2VuUHJvdmlkZXKUk5QpgZQu",
    5: "gAWVNwAAAAAAAACMG2ludHVuZV92cHAuZHluYW1pYy5wcm92aWRlcpSMEFZwcFRva2VuUHJvdmlkZXKUk5QpgZQu",
}
"""The provider as each record of a state carries it, by pickle's default protocol (5 from Python 3.14 on)."""

OPERATIONS: dict[str, dict[str, Any]] = {
    "LicenseCountSync": {},
    "LicenseCountSyncProvider": {},
    "LicenseRevocation": {"vpp_token_id": "22222222-2222-4222-8222-222222222222"},
    "LicenseRevocationProvider": {},
    "LicenseSync": {"vpp_token_id": "22222222-2222-4222-8222-222222222222"},
    "LicenseSyncProvider": {},
}
"""The names of the operations' classes, with the arguments that a resource needs."""


def test_the_record_is_the_same_each_time() -> None:
    """The pickled provider is this very text: another one would show as a change of every token of every user."""
    assert serialize_provider(VppTokenProvider()) == PICKLED[pickle.DEFAULT_PROTOCOL]
    assert serialize_provider(VppTokenProvider()) == PICKLED[pickle.DEFAULT_PROTOCOL]


@pytest.mark.parametrize("protocol", PICKLED)
def test_an_old_record_still_works(protocol: int) -> None:
    """A provider from a state is today's class, without a single attribute."""
    revived = pickle.loads(base64.b64decode(PICKLED[protocol]))  # noqa: S301 - the literal above

    assert type(revived) is VppTokenProvider
    assert vars(revived) == {}


def test_the_record_is_a_reference() -> None:
    """It carries names and no code: 66 bytes, so that whoever upgrades runs the new code on the old state."""
    content = base64.b64decode(PICKLED[4])

    assert len(content) == 66
    assert b"intune_vpp.dynamic.provider" in content
    assert b"VppTokenProvider" in content


def test_the_names() -> None:
    """Import paths, class names and the key of the inputs within the outputs."""
    assert (VppTokenProvider.__module__, VppTokenProvider.__qualname__) == (
        "intune_vpp.dynamic.provider",
        "VppTokenProvider",
    )
    assert (VppToken.__module__, VppToken.__qualname__) == ("intune_vpp.dynamic.resource", "VppToken")
    assert pulumi_state.APPLIED == "__inputs"
    assert intune_vpp.dynamic.__all__ == [*sorted({"VppToken", "VppTokenProvider"} | set(OPERATIONS))]


@pytest.mark.parametrize("name", [name for name in OPERATIONS if not name.endswith("Provider")])
def test_the_actions_record(name: str) -> None:
    """Operations are references too, by names and modules that stay, under type tokens that stay."""
    provider = getattr(intune_vpp.dynamic, f"{name}Provider")
    (made,) = run(lambda: getattr(intune_vpp.dynamic, name)("one", **OPERATIONS[name]), preview=True).made

    assert (provider.__module__, provider.__qualname__) == ("intune_vpp.dynamic.operation_providers", f"{name}Provider")
    assert serialize_provider(provider()) == made.inputs["__provider"]
    content = base64.b64decode(made.inputs["__provider"])
    assert b"intune_vpp.dynamic.operation_providers" in content
    assert len(content) < 100
    assert (made.typ, made.custom) == (f"pulumi-python:dynamic/intune-vpp:{name}", True)


def test_what_a_program_registers() -> None:
    """The type token and the provider's record, which is no secret: a secret would be encrypted at every step."""
    (made,) = run(lambda: VppToken("lincoln")).made

    assert (made.typ, made.name, made.custom) == ("pulumi-python:dynamic/intune-vpp:VppToken", "lincoln", True)
    assert made.inputs == {"__provider": PICKLED[pickle.DEFAULT_PROTOCOL]}
