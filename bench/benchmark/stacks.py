"""Makes a stack of many tokens that exist in the tenant, without creating them one by one."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from benchmark import projects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from benchmark.tenant import Uploaded
    from project import Project

_TYPE = "intune-vpp:index:VppToken"


def adopt(project: Project, uploaded: Iterable[Uploaded], tokens: Iterable[Mapping[str, Any]]) -> None:
    """Add records of uploaded tokens to a stack that has one, copies of its record with the members that Graph shows.

    Each is what the provider would have stored: a refresh finds no drift.
    """
    export = json.loads(project.pulumi("stack", "export").text)
    resources: list[dict[str, Any]] = export["deployment"]["resources"]
    model = next(one for one in resources if one["type"] == _TYPE)
    fingerprints = {one.display_name: one.fingerprint for one in uploaded}
    shown = [one for one in tokens if one["displayName"] in fingerprints]
    resources += [_record(model, token, fingerprints[token["displayName"]]) for token in shown]
    file = project.folder / "stack.json"
    file.write_text(json.dumps(export))
    projects.run(project, "stack", "import", "--file", file.name)


def count(project: Project) -> int:
    """Return the number of tokens in a stack."""
    export = json.loads(project.pulumi("stack", "export").text)
    return sum(one["type"] == _TYPE for one in export["deployment"].get("resources", []))


def _record(model: Mapping[str, Any], token: Mapping[str, Any], fingerprint: str) -> dict[str, Any]:
    record: dict[str, Any] = copy.deepcopy(dict(model))
    record["urn"] = f"{record['urn'].rpartition('::')[0]}::{token['displayName'].lower().replace(' ', '-')}"
    record["id"] = token["id"]
    for properties in (record["inputs"], record["outputs"]):
        properties.update({name: token[name] for name in properties if token.get(name) is not None})
        properties["token"] = fingerprint
        properties["tokenFile"] |= {"fingerprint": fingerprint, "expirationDateTime": token["expirationDateTime"]}
    return record
