"""The names in recorded states against those that today's code writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from upgrade.names import paths, written
from upgrade.recorded import resources
from upgrade.story import DOORS, VERSIONS

if TYPE_CHECKING:
    from pathlib import Path

MIGRATIONS: dict[str, str] = {}
"""For each name that is no longer written, the test that shows how its value is read: `VppToken.__unlisted`."""

BY_OTHERS = {"__provider", "tokenActionResults[].@odata.type"}
"""The name that Pulumi's SDK adds, and one of Graph's that the provider passes on."""

each_version = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)


def names(version: Path) -> dict[str, dict[str, list[str]]]:
    """The names that a version could write."""
    found: dict[str, Any] = json.loads((version / "names.json").read_text())
    return found


@each_version
def test_no_name_is_lost(version: Path) -> None:
    """Each name that a version could write is one that today's code writes, or has a migration."""
    today = written()
    lost = {
        f"{kind}.{name}"
        for kind, by_door in names(version).items()
        for door, found in by_door.items()
        for name in set(found).difference(today.get(kind, {}).get(door, []))
    }
    assert lost - set(MIGRATIONS) == set()


@each_version
@pytest.mark.parametrize("door", DOORS)
def test_a_record_has_only_known_names(version: Path, door: str) -> None:
    """The list of names is whole: no recorded resource has another one."""
    for resource in resources(version, door).values():
        found = {*paths(resource.record.inputs), *paths(resource.record.outputs)} - BY_OTHERS
        assert found - set(names(version)[resource.kind][door]) == set(), resource.name


@each_version
@pytest.mark.parametrize("door", DOORS)
def test_a_record_of_each_kind(version: Path, door: str) -> None:
    """Each type of resource was recorded, and of a token all names but those of an exception."""
    found = resources(version, door)
    assert {resource.kind for resource in found.values()} == set(names(version))
    tokens = [resource.record for resource in found.values() if resource.kind == "VppToken"]
    recorded = {path for one in tokens for part in (one.inputs, one.outputs) for path in paths(part)}
    missing = set(names(version)["VppToken"][door]) - recorded
    exceptions = ("__inputs", "__unlisted", "duplicateTokenIds", "tokenFile.state")
    assert [path for path in missing if not path.startswith(exceptions)] == []


def test_a_renamed_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that the code writes differently is no longer among those that it writes."""
    before = set(written()["VppToken"]["plugin"])
    monkeypatch.setattr("intune_vpp.core.pulumi_state.SHOWN_EXPIRATION", "__shown")
    after = set(written()["VppToken"]["plugin"])
    assert before - after == {"__shownExpiration"}
