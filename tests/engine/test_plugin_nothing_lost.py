"""Steps in which a token, or what was said of it, could be lost through the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import TOKENS, Tenant, emulator, token_file
from project import YamlProject, interrupt

if TYPE_CHECKING:
    from pathlib import Path

PASSES = {"method": "GET", "path": "*/vppTokens", "times": 1, "delay": 0.01}
"""The listing before the first creation is let through."""


def test_what_was_applied_counts(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """After an update that half failed, a value put back is sent, one that stays is not, and protection holds."""
    project = yaml_project
    first, second = str(token_file(tmp_path)), str(token_file(tmp_path, "second", days=330))
    project.declare(token=first, display_name="Lincoln", automatically_update_apps=False)
    assert project.up().ok
    tenant.fail({"sync": "failed"})
    project.declare(token=second, display_name="York", automatically_update_apps=True, deletion_protection=True)
    assert "The licence sync of York failed" in project.up().text
    tenant.log()

    assert "York was not deleted: deletionProtection is on" in project.destroy().text
    project.declare(token=first)
    assert "The token file expires on" in project.preview().text  # engines since 3.261 let Check refuse it
    assert tenant.requests() == []
    project.declare(token=second, display_name="Lincoln")
    assert project.up().ok
    patches = [one["body"] for one in tenant.log() if one["method"] == "PATCH"]
    assert patches == [{"displayName": "Lincoln"}]
    record = project.token()
    for said in ("displayName", "automaticallyUpdateApps", "deletionProtection"):
        assert record["inputs"][said] == record["outputs"][said]
    assert project.up("--expect-no-changes").ok
    assert project.refresh("--expect-no-changes").ok


def test_a_rename_to_another_provider(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """A resource that is renamed and moved to another provider in one step keeps its token, by an alias."""
    project = yaml_project
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    assert project.up().ok
    kept = project.token()["id"]
    options = {"provider": "${other}", "aliases": [{"name": "lincoln"}]}
    project.declared["moved"] = {**project.declared.pop("lincoln"), "opts": options}
    project.more = {"resources": {"other": {"type": "pulumi:providers:intune-vpp"}}}
    tenant.log()
    moved = project.up()
    assert moved.ok, moved.text
    assert tenant.writes() == []
    assert {name: one["id"] for name, one in project.tokens().items()} == {"moved": kept}
    assert project.refresh("--expect-no-changes").ok
    assert project.destroy().ok
    assert tenant.writes() == ["DELETE vppTokens/{id}"]


def test_graph_out_of_reach_for_a_moment(engine: dict[str, str], tmp_path: Path) -> None:
    """A look that fails while a sync goes on does not fail the creation."""
    with emulator(tmp_path, "--sync-seconds", "3") as slow:
        project = YamlProject.start(tmp_path, engine, slow)
        project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
        slow.fail(PASSES, {"method": "GET", "path": "*/vppTokens", "status": 503})
        done = project.up()
        assert done.ok, done.text
        listings = [one["status"] for one in slow.log() if (one["method"], one["path"]) == ("GET", TOKENS)]
        assert listings[:2] == [200, 503]


def test_a_signal_while_graph_keeps_silent(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """Ctrl-C ends a wait whose request gets no answer at once; the id is kept, and the next run goes on."""
    project = yaml_project
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    tenant.fail({"method": "POST", "path": "*/syncLicenses", "delay": 60})
    command = project.begin("up", "--yes", "--skip-preview")
    tenant.suffer()
    text = interrupt(command)
    assert "Interrupted. Whatever was already started continues in Intune." in text
    kept = project.token()["id"]
    assert project.up().ok
    assert project.token()["id"] == kept


def test_an_import_of_nothing(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """An id that is none is refused, and nothing is imported: a dot would name the collection in an address."""
    token_file(tmp_path)
    for token_id in (".", "..", "22222222-2222-4222-8222-222222222222"):
        refused = yaml_project.pulumi("import", "--yes", "intune-vpp:index:VppToken", "lincoln", token_id)
        assert not refused.ok
        assert f'There is no token "{token_id}" in tenant' in refused.text
    assert yaml_project.tokens() == {}
    assert {one for one in tenant.requests() if not one.startswith("GET vppTokens")} == set()


def test_answers_of_404_that_prove_nothing(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """A listing that is not found, a proxy's page and a scope tag fail a refresh or a destroy, and drop no record."""
    project = yaml_project
    for name, days in (("lincoln", 300), ("york", 301), ("adams", 302)):
        file = token_file(tmp_path, name, days=days, location=name)
        project.declare(name, token=str(file), display_name=name)
    assert project.up().ok
    ids = {name: one["id"] for name, one in project.tokens().items()}

    tenant.fail({"method": "GET", "path": "*/vppTokens", "status": 404, "times": 2})
    refreshed = project.refresh()
    assert not refreshed.ok
    assert "(listing the tokens: 404" in refreshed.text
    assert {name: one["id"] for name, one in project.tokens().items()} == ids

    page = {"headers": {"Content-Type": "text/html"}, "body": "<html><h1>404 Not Found</h1></html>"}
    tenant.fail({"method": "DELETE", "path": "*/vppTokens/*", "status": 404, "times": 3, **page})
    destroyed = project.destroy()
    assert not destroyed.ok
    assert "This does not prove that it was deleted, so nothing was changed" in destroyed.text
    assert {name: one["id"] for name, one in project.tokens().items()} == ids

    tenant.clear()
    tenant.delete(ids["york"])
    assert project.refresh().ok
    assert set(project.tokens()) == {"lincoln", "adams"}
