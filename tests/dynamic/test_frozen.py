"""What stands in every user's state, in literal words: none of it may ever change."""

from __future__ import annotations

import base64
import pickle

import pytest
from pulumi.dynamic.dynamic import serialize_provider

import intune_vpp.dynamic
from dynamic.programs import run
from intune_vpp.dynamic import VppToken, VppTokenProvider
from intune_vpp.dynamic.provider import INPUTS

PICKLED = {
    4: "gASVNwAAAAAAAACMG2ludHVuZV92cHAuZHluYW1pYy5wcm92aWRlcpSMEFZwcFRva2VuUHJvdmlkZXKUk5QpgZQu",
    5: "gAWVNwAAAAAAAACMG2ludHVuZV92cHAuZHluYW1pYy5wcm92aWRlcpSMEFZwcFRva2VuUHJvdmlkZXKUk5QpgZQu",
}
"""The provider as each record of a state carries it, by pickle's default protocol (5 from Python 3.14 on)."""


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
    assert INPUTS == "__inputs"
    assert intune_vpp.dynamic.__all__ == ["VppToken", "VppTokenProvider"]


def test_what_a_program_registers() -> None:
    """The type token and the provider's record, which is no secret: a secret would be encrypted at every step."""
    (made,) = run(lambda: VppToken("lincoln")).made

    assert (made.typ, made.name, made.custom) == ("pulumi-python:dynamic/intune-vpp:VppToken", "lincoln", True)
    assert made.inputs == {"__provider": PICKLED[pickle.DEFAULT_PROTOCOL]}
