"""One project through both doors, and a stack that moves from one to the other."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from harness import Tenant, emulator, token_file
from project import DYNAMIC_TYPE, PLUGIN, Project, YamlProject, install_command, traces

if TYPE_CHECKING:
    from pathlib import Path

_OF_ONE_TENANT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|20\d\d-\d\d-\d\dT[\d:.]+Z")


@pytest.mark.parametrize("about", ["tokens", "licenses"])
def test_the_doors_are_equal(tmp_path: Path, engine: dict[str, str], about: str) -> None:
    """The same inputs leave the same outputs and the same requests, whichever door they went through."""
    first = token_file(tmp_path, "first")
    second = token_file(tmp_path, "second", days=350)
    both = []
    for door in (Project, YamlProject):
        folder = tmp_path / door.__name__
        folder.mkdir()
        with emulator(folder, "--sync-seconds", "0", "--revoke-seconds", "0") as tenant:
            project = door.start(folder, engine, tenant)
            tokens, licenses = partial(_story, second=second), _story_of_licenses
            both.append((tokens if about == "tokens" else licenses)(project, tenant, first))
    dynamic, plugin = both
    for step, (by_dynamic, by_plugin) in enumerate(zip(dynamic, plugin, strict=True), start=1):
        assert by_plugin == by_dynamic, f"step {step}"


def _story(project: Project, tenant: Tenant, first: Path, second: Path) -> list[Any]:
    both = []

    def tell() -> None:
        seen = [one for one in tenant.log() if one["path"].startswith("/beta")]
        requests = [(one["method"], _plain(one["path"]), one["body"]) for one in seen]
        outputs = [_plain(project.outputs(name)) for name in project.tokens()]
        inputs = [_plain(one["inputs"]) for one in project.tokens().values()]
        both.append((requests, outputs, inputs))

    project.declare(token=str(first), display_name="Lincoln", country_or_region="GB", role_scope_tag_ids=["0", "7"])
    assert project.up().ok
    tell()
    project.declare(display_name="Lincoln School", automatically_update_apps=True)
    project.declare(token=str(second))
    assert project.up().ok
    tell()
    tenant.edit(project.token()["id"], countryOrRegion="us", state="assignedToExternalMDM")
    assert project.refresh().ok
    tell()
    project.declare(claim_token_management_from_external_mdm=True, country_or_region=None)
    assert project.up().ok
    tell()
    assert project.destroy().ok
    tell()
    return both


def _story_of_licenses(project: Project, tenant: Tenant, first: Path) -> list[Any]:
    both = []

    def tell(*, side_by_side: bool = False) -> None:
        seen = [one for one in tenant.log() if one["path"].startswith("/beta")]
        requests = [(one["method"], _plain(one["path"]), one["body"]) for one in seen]
        if side_by_side:
            # What several resources do at once has no order.
            requests.sort(key=repr)
        records = {
            name: one for name, one in project.records().items() if name in {*project.declared, *project.operations}
        }
        both.append((requests, {name: _plain([one["id"], one["outputs"]]) for name, one in records.items()}))

    project.declare(token=str(first), display_name="Lincoln", revoke_licenses_on_delete=True)
    assert project.up().ok
    # One by one, so that the requests have an order.
    project.declare_operation("nightly", "LicenseSync", "lincoln", triggers=["monday", 1, {"deep": [True]}])
    assert project.up().ok
    project.declare_operation("count", "LicenseCountSync", triggers="monday")
    assert project.up().ok
    tenant.fail({"revoke": {"actionState": "failed", "actionFailureReason": "novel", "failedLicensesCount": 1}})
    project.declare_operation("partly", "LicenseRevocation", "lincoln", revoke_untracked_licenses=True)
    assert project.up().ok
    tell()
    tenant.fail({"revoke": {"actionState": "canceled"}})
    del project.operations["partly"]
    project.declare_operation("failing", "LicenseRevocation", "lincoln")
    assert not project.up().ok
    tell()
    assert project.refresh().ok
    tell(side_by_side=True)
    assert project.up("--replace", project.records()["failing"]["urn"]).ok
    project.declare_operation("nightly", "LicenseSync", "lincoln", triggers=["tuesday"])
    assert project.up().ok
    tell()
    assert project.destroy().ok
    tell(side_by_side=True)
    return both


def _plain(value: Any) -> Any:
    """A value without what belongs to one door or one tenant: secret marks, `__` names, ids and instants."""
    match value:
        case {"plaintext": _}:
            return "a secret"
        case dict():
            return {name: _plain(one) for name, one in value.items() if not name.startswith("__")}
        case list():
            return [_plain(one) for one in value]
        case str():
            return _OF_ONE_TENANT.sub("*", value)
        case _:
            return value


def test_a_stack_moves(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """By an alias a token goes from the dynamic provider to the plugin without a write, and all goes on as ever."""
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln", country_or_region="GB")
    project.declare("york", token=str(token_file(tmp_path, "york", location="York")), display_name="York")
    assert project.up().ok
    before = project.tokens()
    tenant.log()
    install_command(tmp_path / "plugin" / PLUGIN, "intune_vpp")
    moved = YamlProject(project.folder, project.environment, project.declared, project.displayed)
    moved.declare(opts={"aliases": [{"type": DYNAMIC_TYPE}]})
    moved.declare("york", opts={"aliases": [before["york"]["urn"]]})
    previewed = moved.preview("--diff")
    assert previewed.ok, previewed.text
    done = moved.up()
    assert done.ok, done.text
    assert project.tokens() == {}
    after = moved.tokens()
    assert {name: one["id"] for name, one in after.items()} == {name: one["id"] for name, one in before.items()}
    for name in after:
        assert not [member for member in after[name]["inputs"] if member.startswith("__")]
        moved.declare(name, opts={})
    for again in (moved.up("--expect-no-changes"), moved.refresh("--expect-no-changes")):
        assert again.ok, again.text
    assert tenant.writes() == []
    moved.declare(token=str(token_file(tmp_path, "second", days=350)))
    assert moved.up().ok
    assert tenant.writes() == ["PATCH vppTokens/{id}", "POST vppTokens/{id}/syncLicenses"]
    assert moved.destroy().ok
    assert tenant.writes() == ["DELETE vppTokens/{id}"] * 2
    assert traces(tmp_path, *moved.displayed) == []
