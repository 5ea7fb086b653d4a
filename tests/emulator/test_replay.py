"""The emulator beside recordings of tenants: of the live kit, and of the public."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from captures import BEHAVIOR, PUBLIC, Capture, from_document, load, runs
from emulator.captured import COPIES
from emulator.client import a_tenant
from emulator.replay import different, replay
from intune_vpp_emulator.behavior import names
from live.kit import Kit

if TYPE_CHECKING:
    from pathlib import Path

    from intune_vpp_emulator.tenant import Tenant


def behaving(behavior: dict[str, Any] | None = None) -> Tenant:
    """A tenant on a clock of its own, with these options."""
    tenant = a_tenant()
    tenant.behave(behavior or {})
    return tenant


def recorded(folder: Path, **behavior: Any) -> list[Capture]:
    """The recordings of a whole run of the kit against a tenant with these options."""
    kit = Kit(folder)
    kit.upload("Lincoln", displayName="Quagga")
    kit.upload("Denver")
    kit.tenant.behave(behavior)
    kit.create("Springfield", "--expired-file", kit.file(days=-1), "--renewal-file", kit.file(days=300))
    return kit.recordings()


def test_public_captures_are_answered_alike() -> None:
    """The requests of public captures are answered by the emulator as they were by Graph."""
    public = [*(from_document(name, document) for name, document in COPIES.items()), *load(PUBLIC)]
    assert [one for one in public if one.replayable]
    assert [found for one in public for found in replay([one])] == []


def test_recordings_are_answered_alike() -> None:
    """The recordings that were sent back are answered alike by the emulator, with the options of their tenant."""
    for folder in runs():
        options = folder / BEHAVIOR
        behavior = json.loads(options.read_text(encoding="utf-8")) if options.exists() else {}
        assert replay(load(folder), behaving(behavior)) == [], folder.name


def test_a_run_is_replayed(tmp_path: Path) -> None:
    """What the kit has recorded of an emulated tenant, another one answers in the same way."""
    captures = recorded(tmp_path)
    assert len([one for one in captures if one.replayable]) > 100
    assert replay(captures) == []


@pytest.mark.parametrize(
    ("behavior", "difference"),
    [
        ({"tokenEncoding": "base64"}, "the tenant answered 400, the emulator 201"),
        ({"unreadableFiles": "invalid"}, "the tenant answered 201, the emulator 400"),
        ({"gzip": "415"}, "the tenant answered 415, the emulator 200"),
    ],
)
def test_a_tenant_that_behaves_otherwise_is_noticed(tmp_path: Path, behavior: dict[str, Any], difference: str) -> None:
    """A recording shows how its tenant differs from the emulator, until the emulator has the same option."""
    captures = recorded(tmp_path, **behavior)
    assert difference in {one.partition(": ")[2] for one in replay(captures)}
    assert replay(captures, behaving(behavior)) == []
    assert len(names()) > len(behavior)


def test_a_new_member_is_noticed(tmp_path: Path) -> None:
    """A member that the emulator does not have is a difference, and so is one of another kind."""
    first = recorded(tmp_path)[0]
    entity = {**first.answer["value"][0], "newMember": "[newMember 1]"}
    other = replace(first, answer={**first.answer, "value": [entity]})
    (found,) = replay([other])
    assert "newMember, in the emulator" in found

    assert list(different({"a": 1}, {"a": "1"})) == ["answer.a is int, in the emulator str"]
    assert list(different({"code": "X"}, {"code": "Y"})) == ["answer.code is X, in the emulator Y"]
    seconds, ticks = "2026-09-25T17:09:22Z", "2026-09-25T17:09:22.0000000Z"
    assert list(different([seconds], [ticks])) == [f"answer[0] is written {seconds}, in the emulator {ticks}"]
    assert list(different({"a": None, "b": "0001-01-01T00:00:00Z"}, {"a": 1, "b": ticks})) == []
    assert list(different({"message": '{"a": 1}'}, {"message": "flat"})) == [
        "answer.message is dict, in the emulator str"
    ]
