"""The sToken enters nothing that the engine can write down, in whatever shape it comes to the plugin."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness import Tenant, token_file

if TYPE_CHECKING:
    from pathlib import Path

    from project import YamlProject

SHAPES: dict[str, Any] = {
    "file-asset": lambda path: {"fn::fileAsset": path},
    "secret-file-asset": lambda path: {"fn::secret": {"fn::fileAsset": path}},
    "string": lambda path: {"fn::readFile": path},
    "secret": lambda path: {"fn::secret": {"fn::readFile": path}},
    "string-asset": lambda path: {"fn::stringAsset": {"fn::readFile": path}},
}


def test_no_shape_leaves_a_trace(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """Created and renewed by a plan, with all that can be written down: the fixture finds no secret in any of it."""
    project = yaml_project
    project.environment |= {"PULUMI_DEBUG_COMMANDS": "1", "PULUMI_EXPERIMENTAL": "1"}
    for days in (200, 300):
        for shape, given in SHAPES.items():
            file = token_file(tmp_path, f"{shape}-{days}", days=days, location=shape)
            project.declare(shape, token=given(str(file)))
        plan, events = tmp_path / f"plan-{days}.json", tmp_path / f"events-{days}.json"
        previewed = project.preview("--diff", "--save-plan", str(plan), "--event-log", f"{events}-of-preview")
        assert previewed.ok, previewed.text
        done = project.up("--diff", "--debug", "--plan", str(plan), "--event-log", str(events))
        assert done.ok, done.text
    methods = [one["method"] for one in tenant.log() if one["path"].startswith("/beta")]
    assert methods.count("POST") == len(SHAPES) * 3, "one creation and two syncs for each"
    assert methods.count("PATCH") == len(SHAPES)
    assert "intune_vpp.graph.sender: PATCH" in "".join(project.displayed), "the debug lines were not there to search"

    older = token_file(tmp_path, "older", days=100, location="string")
    project.declared = {"string": {**project.declared["string"], "token": SHAPES["string"](str(older))}}
    refused = project.preview("--diff")
    assert not refused.ok
    assert "with an older one" in refused.text
    project.declared.clear()
    project.declare(token=SHAPES["secret"](str(token_file(tmp_path))), display_name="Lincoln")
    steps = json.loads(project.preview("--json").text)["steps"]
    assert {one["op"] for one in steps if "VppToken" in one["urn"]} >= {"create"}
    refused = project.up("--debug", "--diff", "--event-log", str(tmp_path / "e.json"), ARM_CLIENT_SECRET="wrong")
    assert "The client secret is wrong" in refused.text
