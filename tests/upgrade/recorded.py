"""The recorded states, and a tenant that is as each of them shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from builders import Record
from intune_vpp_emulator.members import MEMBERS
from tenant_in_process import RefusesSyncs, prompt_tenant

if TYPE_CHECKING:
    from pathlib import Path

OF_A_READ = "__observedAt"
"""The one output that each read changes: its time."""


@dataclass(frozen=True)
class Resource:
    """A recorded resource; its secrets are open."""

    name: str
    kind: str
    record: Record
    text: str | None
    """The text of its token file."""


def resources(version: Path, door: str) -> dict[str, Resource]:
    """The resources of this provider in a recorded stack, by name."""
    exported = json.loads((version / f"{door}.json").read_text())["deployment"]["resources"]
    return {one.name: one for one in (_resource(version, found) for found in exported) if one is not None}


def matching_tenant(version: Path, door: str) -> RefusesSyncs:
    """A tenant that has the tokens of a recorded stack, with the members that their outputs show."""
    tenant = prompt_tenant()
    tokens = [one for one in resources(version, door).values() if one.text]
    ids = {tenant.create_by_hand({"token": one.text, "appleId": "x"})["id"]: one.record for one in tokens}
    tenant.tokens = [
        replace(one, id=ids[one.id].id, members={**one.members, **_members(ids[one.id])}) for one in tenant.tokens
    ]
    tenant.directory = replace(tenant.directory, tenant_id=tokens[0].record.outputs["tenantId"])
    return tenant


def opened(value: Any) -> Any:
    """A value as exported or as answered, without the marks of secrets."""
    match value:
        case {"plaintext": str(text)}:
            return opened(json.loads(text))
        case {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": inside}:
            return opened(inside)
        case dict():
            return {name: opened(one) for name, one in value.items()}
        case list():
            return [opened(one) for one in value]
        case _:
            return value


def without_time(outputs: dict[str, Any]) -> dict[str, Any]:
    """Outputs without the time of the read."""
    return {name: value for name, value in opened(outputs).items() if name != OF_A_READ}


def _resource(version: Path, found: dict[str, Any]) -> Resource | None:
    name, kind = found["urn"].rpartition("::")[2], found["type"].rpartition(":")[2]
    if "intune-vpp:" not in found["type"] or "inputs" not in found:
        return None
    file = version / f"{name}.txt"
    record = Record(found["id"], opened(found["inputs"]), opened(found["outputs"]))
    return Resource(name, kind, record, file.read_text() if file.exists() else None)


def _members(record: Record) -> dict[str, Any]:
    """The members that Graph shows of a token, with its id."""
    return {name: value for name, value in record.outputs.items() if name in MEMBERS} | {"id": record.id, "token": None}
