"""Pulumi deletes and creates; the token stays. Every way in which the two halves of a replacement meet, or do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Tenant, token_file
from project import DYNAMIC_TYPE, Project

if TYPE_CHECKING:
    from pathlib import Path

URN = f"urn:pulumi:test::contoso::{DYNAMIC_TYPE}::"
FAILS = {
    "apple_id": "apps@contoso.example",
    "vpp_token_account_type": "business",
    "adopt_token_id": "00000000-0000-4000-8000-000000000000",
}
"""A resource whose creation fails, so that a run ends before its deletions."""


def test_a_replacement_in_two_runs(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """Where the run fails between the new half and the old one, the next run leaves the token alone."""
    project.declare("a", token=str(token_file(tmp_path)), display_name="Lincoln")
    assert project.up().ok
    token_id = project.token("a")["id"]
    tenant.log()
    for options in (["--replace", f"{URN}a"], []):
        if not options:
            project.declared["b"] = project.declared.pop("a")
        project.declared["bad"] = FAILS
        assert not project.up(*options).ok
        del project.declared["bad"]
        assert project.up().ok
        assert project.up("--expect-no-changes").ok
    project.declared["c"] = project.declared.pop("b")
    assert project.up("--target", f"{URN}c").ok
    assert set(project.tokens()) == {"b", "c"}
    assert project.up().ok
    assert tenant.writes() == []
    assert {name: record["id"] for name, record in project.tokens().items()} == {"c": token_id}


def test_options_that_replace(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """`replaceOnChanges` and `deleteBeforeReplace`, alone and together, PATCH the token that is there."""
    project.declare(token=str(token_file(tmp_path, "first")), display_name="Lincoln")
    assert project.up().ok
    token_id = project.token()["id"]
    tenant.log()
    project.declare(token=str(token_file(tmp_path, "second", days=350)), opts={"replace_on_changes": ["token"]})
    renewed = project.up()
    assert renewed.ok, renewed.text
    assert tenant.writes() == ["PATCH vppTokens/{id}", "POST vppTokens/{id}/syncLicenses"]
    together = {"replace_on_changes": ["displayName"], "delete_before_replace": True}
    project.declare(display_name="Lincoln School", opts=together)
    assert project.up().ok
    assert tenant.writes() == ["PATCH vppTokens/{id}"]
    project.declare(opts={"delete_before_replace": True})
    assert project.up("--replace", f"{URN}lincoln").ok
    assert project.up("--expect-no-changes").ok
    assert tenant.writes() == []
    assert project.token()["id"] == token_id


def test_two_resources_that_share_a_token(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """Where a program's mistake gave two resources one token, removing one of them keeps it."""
    file = str(token_file(tmp_path))
    project.declare("x", token=file, display_name="Lincoln")
    assert project.up().ok
    project.declare("v", token=file, display_name="Lincoln")
    assert project.up("--target", f"{URN}v").ok
    assert len({record["id"] for record in project.tokens().values()}) == 1
    del project.declared["v"]
    tenant.log()
    assert project.up().ok
    assert tenant.writes() == []
    assert set(project.tokens()) == {"x"}


def test_a_removal_is_a_removal(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A token whose resource and file are gone from the program is deleted, and so is all of it by `destroy`."""
    for name, days in (("one", 200), ("two", 210)):
        project.declare(name, token=str(token_file(tmp_path, name, days=days, location=name)), display_name=name)
    assert project.up().ok
    tenant.log()
    del project.declared["one"]
    assert project.up().ok
    assert tenant.writes() == ["DELETE vppTokens/{id}"]
    assert project.destroy("--run-program").ok
    assert tenant.writes() == ["DELETE vppTokens/{id}"]


def test_a_wrong_location_fails_the_run(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A token of another location is kept in the state, and fails this and every run until the program is right."""
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln", expected_location_name="Hull")
    for requests in (3, 0):
        failed = project.up()
        assert not failed.ok
        assert 'is for the location "Lincoln", but "Hull" is expected' in failed.errors()
        assert "Traceback" not in failed.text
        assert len(tenant.requests()) == requests
    assert project.token()["id"]
    project.declare(expected_location_name="Lincoln")
    assert project.up().ok
    assert project.up("--expect-no-changes").ok
    assert tenant.requests() == []
