"""The yardstick shows the engine the changes of the program, and nothing else of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pulumi.runtime.proto import provider_pb2

from benchmark.pairs import CASES
from plugin.door import asset, plain, secret, struct
from yardstick.servicer import Yardstick

if TYPE_CHECKING:
    from pathlib import Path

CONTEXT: Any = None
RECORD = {
    "inputs": {"displayName": "Lincoln", "token": "sha256:1", "appleId": "it@contoso.example"},
    "outputs": {"state": "valid"},
}


@pytest.fixture
def yardstick(tmp_path: Path) -> Yardstick:
    """A yardstick with a record."""
    record = tmp_path / "record.json"
    record.write_text(json.dumps(RECORD))
    made = Yardstick(record, tmp_path / "schema.json")
    made.Configure(provider_pb2.ConfigureRequest(), CONTEXT)
    return made


def checked(yardstick: Yardstick, name: str, file_hash: str) -> provider_pb2.CheckResponse:
    """The inputs for a program with this display name and this file."""
    file = secret(asset(path="./a.vpptoken", hash=file_hash))
    news = struct({"displayName": name, "token": file, "appleId": "another"})
    return yardstick.Check(provider_pb2.CheckRequest(news=news), CONTEXT)


def test_the_inputs_are_the_records_with_the_changes_of_the_program(yardstick: Yardstick) -> None:
    """Check returns the record, so that the state has its size, with the name and the file of the program."""
    expected = {"displayName": "Denver", "token": "aa", "appleId": "it@contoso.example"}
    assert plain(checked(yardstick, "Denver", "aa").inputs) == expected


@pytest.mark.parametrize(
    ("name", "file_hash", "changes"), [("Denver", "aa", 1), ("Denver", "bb", 2), ("Boise", "aa", 2)]
)
def test_a_change_of_the_program_is_a_change(yardstick: Yardstick, name: str, file_hash: str, changes: int) -> None:
    """Diff reports a change exactly if the name or the file is another one: 1 is none, 2 is some."""
    before = checked(yardstick, "Denver", "aa").inputs
    request = provider_pb2.DiffRequest(old_inputs=before, news=checked(yardstick, name, file_hash).inputs)
    assert yardstick.Diff(request, CONTEXT).changes == changes


def test_each_case_has_its_command() -> None:
    """The cases run in the order in which each needs the one before."""
    assert list(CASES) == ["create", "no-op", "one change", "renew all", "refresh", "destroy"]
    assert CASES["no-op"].command[-1] == "--expect-no-changes"
