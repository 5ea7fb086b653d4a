"""Microsoft Graph at its worst, with the real engine: nothing is lost, nothing is created twice, nothing hangs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from harness import Tenant, end, started_by, token_file
from project import Project, YamlProject, interrupt

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("lincoln", "york", "derby", "leeds")
POST, PATCH, DELETE = "POST vppTokens", "PATCH vppTokens/{id}", "DELETE vppTokens/{id}"
SYNC = "POST vppTokens/{id}/syncLicenses"
LIST, GET = "GET vppTokens", "GET vppTokens/{id}"
TIMEOUT = "INTUNE_VPP_REQUEST_TIMEOUT_SECONDS"
PROVIDERS = ("-m pulumi.dynamic", "-m intune_vpp")

THROTTLED = {"status": 429, "headers": {"Retry-After": "1"}}
UNAVAILABLE = {"status": 503}
DROPPED_BEFORE, DROPPED_AFTER = {"drop": True, "when": "before"}, {"drop": "reset", "when": "after"}
ACTED = {"when": "after"}
DRIPS = {"drip": 1}
ROUTES = {
    POST: ("POST", "*/vppTokens"),
    PATCH: ("PATCH", "*/vppTokens/*"),
    DELETE: ("DELETE", "*/vppTokens/*"),
    SYNC: ("POST", "*/syncLicenses"),
    LIST: ("GET", "*/vppTokens"),
    GET: ("GET", "*/vppTokens/*"),
    "discovery": ("GET", "*/openid-configuration"),
    "sign-in": ("POST", "*/oauth2/v2.0/token"),
}


def fail(tenant: Tenant, request: str, *faults: dict[str, Any]) -> None:
    """Let each of these faults happen to one request of a kind."""
    method, path = ROUTES[request]
    tenant.fail(*({"method": method, "path": path, **fault} for fault in faults))


def ids(project: Project) -> list[str]:
    """The ids in the state."""
    return sorted(one["id"] for one in project.tokens().values())


def test_a_life_needs_no_second_run(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """Requests of each kind are throttled, refused, dropped and answered too slowly, and each command succeeds.

    Each fault costs one more request, and none where a listing shows that the token was created.
    """
    project = each_door
    # Long enough for a busy machine: each drip takes as long.
    project.environment[TIMEOUT] = "8"
    for name in NAMES:
        project.declare(name, token=str(token_file(tmp_path, name, location=name)), display_name=name)
    fail(tenant, "discovery", UNAVAILABLE)
    fail(tenant, "sign-in", THROTTLED, DROPPED_AFTER)
    fail(tenant, LIST, THROTTLED, UNAVAILABLE)
    fail(tenant, POST, THROTTLED, {**UNAVAILABLE, **ACTED}, DROPPED_AFTER, DRIPS)
    fail(tenant, SYNC, THROTTLED, UNAVAILABLE, DROPPED_BEFORE, DROPPED_AFTER)
    created = project.up()
    assert created.ok, created.text
    assert Counter(tenant.writes()) == {POST: 4 + 1, SYNC: 4 + 4}
    kept = ids(project)
    assert kept == sorted(one["id"] for one in tenant.tokens())

    for name in NAMES:
        project.declare(name, display_name=f"{name} school")
    fail(tenant, PATCH, THROTTLED, UNAVAILABLE, DROPPED_BEFORE, DROPPED_AFTER, DRIPS)
    changed = project.up()
    assert changed.ok, changed.text
    assert tenant.writes() == [PATCH] * (4 + 5)
    assert {one["displayName"] for one in tenant.tokens()} == {f"{name} school" for name in NAMES}

    # A change that a listing shows is confirmed by a GET.
    for token_id in kept[:2]:
        tenant.edit(token_id, displayName="by hand")
    tenant.log()
    fail(tenant, LIST, THROTTLED, DRIPS)
    fail(tenant, GET, THROTTLED, UNAVAILABLE)
    refreshed = project.refresh()
    assert refreshed.ok, refreshed.text
    # Whether a read that begins alone is a GET or shares the listing depends on when the others begin.
    assert len(tenant.requests()) <= 1 + 2 + 2 + 4
    assert [one["outputs"]["displayName"] for one in project.tokens().values()].count("by hand") == 2

    tenant.clear()
    fail(tenant, DELETE, THROTTLED, UNAVAILABLE, DROPPED_BEFORE, DROPPED_AFTER)
    destroyed = project.destroy()
    assert destroyed.ok, destroyed.text
    assert tenant.writes() == [DELETE] * (4 + 4)
    assert tenant.tokens() == []


def test_an_upload_that_did_not_arrive(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """An upload that did not arrive is repeated in the same run, after half a minute of listings without the token."""
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    fail(tenant, POST, DROPPED_BEFORE)
    created = project.up()
    assert created.ok, created.text
    assert "The answer to the upload of Lincoln was lost: looking for the token for up to 30 seconds." in created.text
    assert tenant.writes() == [POST, POST, SYNC]
    assert ids(project) == [one["id"] for one in tenant.tokens()]


def test_time_for_no_second_upload(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """If `customTimeouts` end the search for a lost upload, the run fails; the next run finds or creates the token."""
    project = yaml_project
    project.environment[TIMEOUT] = "3"
    project.declare(
        token=str(token_file(tmp_path)), display_name="Lincoln", opts={"custom_timeouts": {"create": "12s"}}
    )
    fail(tenant, POST, DROPPED_BEFORE)
    failed = project.up()
    assert not failed.ok
    assert "The request may have been processed; the next run checks before repeating it." in failed.errors()
    assert tenant.writes() == [POST]
    assert tenant.tokens() == []

    # Without a limit for the whole answer, each of these would take twenty minutes.
    fail(tenant, POST, DRIPS)
    fail(tenant, LIST, {**DRIPS, "after": 1, "times": "always"})
    failed = project.up()
    assert not failed.ok
    assert "did not finish its answer in time" in failed.errors()
    assert tenant.writes() == [POST]
    assert project.tokens() == {}

    tenant.clear()
    found = project.up()
    assert found.ok, found.text
    assert tenant.writes() == [SYNC]
    assert ids(project) == [one["id"] for one in tenant.tokens()]


def test_ctrl_c(yaml_project: YamlProject, tenant: Tenant, tmp_path: Path) -> None:
    """Ctrl-C ends an upload without an answer, and a long wait before a retry; the next run finds or creates."""
    project = yaml_project
    for name in NAMES[:2]:
        project.declare(name, token=str(token_file(tmp_path, name, location=name)), display_name=name)
    fail(tenant, POST, {**ACTED, "delay": 60}, {"status": 429, "headers": {"Retry-After": "300"}})
    command = project.begin("up", "--yes", "--skip-preview")
    tenant.suffer()
    # The log has a request once it is answered.
    tenant.wait_for(POST)
    text = interrupt(command)
    assert "It may have been processed; the next run checks." in text
    assert project.tokens() == {}
    assert len(tenant.tokens()) == 1
    assert tenant.writes() == [POST]

    settled = project.up()
    assert settled.ok, settled.text
    assert Counter(tenant.writes()) == {POST: 1, SYNC: 2}
    assert ids(project) == sorted(one["id"] for one in tenant.tokens())


def test_ctrl_c_that_no_provider_hears(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """On the dynamic door an upload that is not answered ends by its own limit, and the token is found."""
    project.environment[TIMEOUT] = "3"
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    fail(tenant, POST, {**ACTED, "delay": 60})
    command = project.begin("up", "--yes", "--skip-preview")
    tenant.suffer()
    interrupt(command)
    settled = project.up()
    assert settled.ok, settled.text
    assert POST not in tenant.writes()
    assert ids(project) == [one["id"] for one in tenant.tokens()]


def test_a_provider_that_is_killed(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A provider that is killed between the upload and its answer fails the run, and the next one finds the token."""
    project = each_door
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    fail(tenant, POST, {**ACTED, "delay": 60})
    command = project.begin("up", "--yes", "--skip-preview")
    tenant.suffer()
    for pid, arguments in started_by(command.pid).items():
        if any(one in arguments for one in PROVIDERS):
            end(pid)
    command.communicate(timeout=60)
    assert command.returncode != 0
    assert project.tokens() == {}
    tenant.log()
    found = project.up()
    assert found.ok, found.text
    assert tenant.writes() == [SYNC]
    assert ids(project) == [one["id"] for one in tenant.tokens()]
