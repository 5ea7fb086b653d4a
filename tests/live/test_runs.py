"""Whole runs of the kit: what they send, what they leave unchanged, when they refuse, and what a killed one leaves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness import PROXIES, emulator, token_file
from intune_vpp_emulator.members import Version
from intune_vpp_emulator.tenant import Graph, Tenant
from live import reading, story
from live.__main__ import DONE, FAILED, NOT_BEGUN
from live.kit import Kit
from live.probe import NotProbed
from live.wire import TOKENS, Fence, OutsideFence
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from live.probe import Finding, Session

ROOT = Path(__file__).resolve().parents[2]
PATH = f"/beta{TOKENS}"


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    """A tenant with two tokens."""
    made = Kit(tmp_path)
    made.upload("Lincoln")
    made.upload("Denver")
    return made


def test_a_run_without_options_only_reads(kit: Kit) -> None:
    """Without options each request is a GET, no token changes, and each probe that writes says what it needs."""
    before = kit.stored()

    assert kit.run() == DONE

    assert kit.requests()
    assert kit.writes() == []
    assert kit.stored() == before
    asked = {probe.name for probe in story.PROBES if probe.reach == "reads"}
    others = {one["probe"]: one["detail"] for one in kit.lines() if one["probe"] not in asked}
    assert len(others) > 20
    assert all(detail.startswith("needs --write") for detail in others.values())


def test_a_run_on_a_named_token(kit: Kit) -> None:
    """With a token and a file, the writes are those of that token alone, and only its file and syncs are new."""
    token_id = kit.upload("Springfield", displayName="Spare", countryOrRegion="gb")
    others, before = kit.stored(without=token_id), dict(kit.tenant.get(token_id))

    assert kit.write(token_id, "--token-file", kit.file(days=400)) == DONE

    assert kit.stored(without=token_id) == others
    assert {path.split("/vppTokens/")[1] for _, path in kit.writes()} == {token_id, f"{token_id}/syncLicenses"}
    assert {method for method, _ in kit.writes()} == {"PATCH", "POST"}
    after = kit.tenant.get(token_id)
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {"expirationDateTime", "lastModifiedDateTime", "lastSyncDateTime", "lastSyncStatus"}
    assert not kit.note.exists()
    assert kit.findings()["renewal-lag"] == "later"
    assert kit.details()["patch-appleId"] == "needs --write --create"


def test_a_run_with_a_token_of_its_own(kit: Kit) -> None:
    """With --create everything is tried, and at the end the tenant is as before, to the last byte."""
    before = kit.stored()
    more = ("--renewal-file", kit.file(days=300), "--other-location-file", kit.file("Dover", days=250))

    assert kit.create("Springfield", *more) == DONE

    assert kit.stored() == before
    assert not [path for _, path in kit.writes() for one in before if one in path]
    assert not kit.note.exists()
    not_probed = {name for name, finding in kit.findings().items() if finding == "not probed"}
    assert re.search(r"apps: \d before a sync, \d after it, \d of them the same$", kit.details()["other-location"])
    assert all(kit.details()[name].startswith("needs ") for name in not_probed)
    assert not_probed == {
        "claim",
        "claimed-file",
        "duplicate-in-v1",
        "expired-file",
        "hanging-sync",
        "password-change",
        "scope-tags",
    }


def test_an_empty_tenant(tmp_path: Path) -> None:
    """In a tenant without tokens a token of the kit also answers the questions that only need one to read."""
    kit = Kit(tmp_path)

    assert kit.run() == DONE
    needs = {name for name, detail in kit.details().items() if detail == "needs a tenant with a token"}
    assert needs == {"list-members", "id-case", "shown-members", "hidden-secret"}

    (kit.report / "findings.jsonl").unlink()
    assert kit.create() == DONE
    assert {kit.findings()[name] for name in needs} == {"same", "ignored", "shown", "null"}
    assert kit.tenant.tokens == []


def test_without_credentials_nothing_is_sent(tmp_path: Path) -> None:
    """Without credentials the command ends with status 2 and one sentence that says what to set."""
    ended = subprocess.run(
        [sys.executable, "-m", "live"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == NOT_BEGUN
    assert ended.stdout.startswith("Nothing was sent, because no credentials are set: set ARM_TENANT_ID,")
    assert len(ended.stdout.splitlines()) == 1
    assert ended.stderr == ""
    assert list(tmp_path.iterdir()) == []


REFUSED: list[tuple[list[str], str]] = [
    (["--write"], "--write needs either --token-id or --create"),
    (["--token-id", "{id}"], "both need --write"),
    (["--create"], "both need --write"),
    (["--write", "--create", "--token-id", "{id}"], "needs either --token-id or --create"),
    (["--write", "--create"], "--create needs --token-file and --apple-id"),
    (["--write", "--token-id", "33333333-3333-4333-8333-333333333333"], "cannot be read (404 ResourceNotFound)"),
    (["--write", "--token-id", "{id}", "--token-file", "{early}"], "expires earlier than the one in Intune"),
    (["--write", "--token-id", "{id}", "--token-file", "{foreign}"], "is of another organization"),
    (["--write", "--token-id", "{id}", "--renewal-file", "{foreign}"], "is of another organization"),
    (["--write", "--token-id", "{id}", "--token-file", "{missing}"], "cannot be read (No such file or directory)"),
    (["--write", "--create", "--apple-id", "a@b.example", "--token-file", "{twin}"], "of the same organization"),
]


@pytest.mark.parametrize(("arguments", "reason"), REFUSED)
def test_refused_before_a_write(
    kit: Kit, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that could write to a wrong token ends with status 2 before its first write."""
    values = {
        "id": kit.tenant.tokens[0].id,
        "early": kit.file(days=10),
        "foreign": kit.file("Elsewhere", organization="Fabrikam", days=500),
        "missing": str(kit.folder / "none.vpptoken"),
        "twin": kit.file(days=365.2),
    }

    assert kit.run(*(one.format(**values) for one in arguments)) == NOT_BEGUN

    assert reason in capsys.readouterr().out
    assert kit.writes() == []


def test_a_token_in_use_is_refused(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    """A token whose licences are used is not written, unless --allow-used says so."""
    token_id = kit.tenant.tokens[0].id
    kit.tenant.sync_licenses(token_id)
    kit.tenant.clock.advance(60)
    apps = kit.tenant.use_licenses(token_id, {})
    kit.tenant.use_licenses(token_id, {next(iter(apps)): 1})
    kit.tenant.sync_license_counts()

    assert kit.write(token_id) == NOT_BEGUN
    assert "assignments or used licences" in capsys.readouterr().out
    assert kit.writes() == []

    assert kit.write(token_id, "--allow-used") == DONE
    assert kit.writes() != []


def test_apps_that_cannot_be_read_are_refused(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the apps cannot be read, the token may be in use, and is not written."""
    kit.faults.add([{"method": "GET", "path": "/beta/deviceAppManagement/mobileApps", "status": 403, "times": 9}])

    assert kit.write(kit.tenant.tokens[0].id) == NOT_BEGUN

    assert "cannot all be read, so it may be in use" in capsys.readouterr().out
    assert kit.writes() == []


def test_tokens_that_cannot_be_listed(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the permission to list the tokens, no probe is asked."""
    kit.faults.add([{"method": "GET", "path": PATH, "status": 403, "times": 9}])

    assert kit.run() == NOT_BEGUN

    assert "cannot be listed (403 Forbidden)" in capsys.readouterr().out
    assert not (kit.report / "findings.jsonl").exists()


def test_an_incomplete_list_is_refused(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a page of the tokens cannot be read, a token of the location may be on it, and none is created."""
    kit.tenant.behave({"pageSize": 1})
    link = "https://elsewhere.example/beta/deviceAppManagement/vppTokens?$skiptoken=1"
    body = {"value": [], "@odata.nextLink": link}
    kit.faults.add([{"method": "GET", "path": PATH, "status": 200, "body": body, "times": 9}])

    assert kit.create() == NOT_BEGUN

    assert "needs a list of all tokens" in capsys.readouterr().out
    assert kit.writes() == []


@pytest.mark.parametrize(
    ("status", "needs"), [(404, "needs a token that can be read"), (200, "needs a tenant that shows displayName")]
)
def test_what_is_not_shown_is_not_changed(kit: Kit, status: int, needs: str) -> None:
    """A member whose value cannot be read is not changed, because it could not be changed back."""
    token_id = kit.tenant.tokens[0].id
    rule = {"method": "GET", "path": f"{PATH}/*", "status": status, "body": {}, "times": 9}
    with kit.session("--write", "--token-id", token_id) as session:
        kit.faults.add([rule])
        probe = next(one for one in story.PROBES if one.name == "patch-displayName")
        with pytest.raises(NotProbed, match=needs):
            probe.run(session)
    assert kit.writes() == []
    assert not kit.note.exists()


class Duplicates(Tenant):
    """A tenant that shows each token as one of Lincoln."""

    def get(self, token_id: str, **options: Any) -> Graph:
        """Show it."""
        return {**super().get(token_id, **options), "locationName": "Lincoln"}


@pytest.mark.parametrize("location", ["Springfield", "Lincoln"])
def test_a_second_token_of_a_location_stops_the_run(
    tmp_path: Path, location: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A token of the kit that turns out to be for the location of another one is deleted, and no other is created."""
    kit = Kit(tmp_path, new_tenant(Duplicates if location == "Springfield" else Tenant, sync_seconds=60))
    kit.upload("Lincoln")
    before = kit.stored()

    assert kit.create(location) == FAILED

    assert kit.stored() == before
    assert [method for method, _ in kit.writes()] == ["POST", "DELETE"]
    assert "The tenant has a token for the location" in capsys.readouterr().out
    assert not kit.note.exists()


def test_a_file_that_is_never_read(kit: Kit) -> None:
    """Where no token can be created, the probes that need one are not asked, and nothing is left."""
    kit.faults.add([{"method": "POST", "path": PATH, "status": 400, "times": 9}])

    assert kit.create() == DONE

    assert kit.findings()["create-encoding"] == "neither"
    assert kit.findings()["patch-appleId"] == "not probed"
    assert {method for method, _ in kit.writes()} == {"POST"}


def test_a_lost_answer_to_a_create(kit: Kit) -> None:
    """A token whose creation was not answered is found by its display name at the end, and deleted."""
    before = kit.stored()
    kit.faults.add([{"method": "POST", "path": PATH, "status": 504, "when": "after", "times": 1}])

    assert kit.create() == DONE

    assert kit.findings()["create-encoding"] == "not probed"
    assert len([one for one in kit.writes() if one[0] == "POST"]) == 1
    assert kit.stored() == before
    assert not kit.note.exists()


@pytest.mark.parametrize(("lag", "status"), [(30, DONE), (600, FAILED)])
def test_a_lost_answer_and_a_list_that_lags(tmp_path: Path, lag: int, status: int) -> None:
    """A token that is listed late is waited for; one that is not listed in time stays in the note, with its name."""
    kit = Kit(tmp_path, new_tenant(list_lag_seconds=lag))
    kit.upload("Denver")
    kit.tenant.clock.advance(lag)
    before = kit.stored()
    kit.faults.add([{"method": "POST", "path": PATH, "status": 504, "when": "after", "times": 1}])

    assert kit.create() == status

    left = [str(one.members["displayName"]) for one in kit.tenant.tokens if one.id not in before]
    assert len(left) == (status == FAILED)
    assert kit.note.exists() == (status == FAILED)
    assert all(name in kit.note.read_text() for name in left)


class Upserts(Tenant):
    """A tenant that renames the token that it has, instead of creating another one."""

    def create(self, body: Mapping[str, Any], *, version: Version = Version.BETA) -> Graph:
        """Rename it."""
        (first, *_) = self.tokens
        return super().patch(first.id, {"displayName": body["displayName"]}, version=version)


@pytest.mark.parametrize("lost", [False, True])
def test_a_token_from_before_the_run_is_never_deleted(tmp_path: Path, *, lost: bool) -> None:
    """A create that is answered with the id of another token, or lost and listed as one, deletes nothing."""
    kit = Kit(tmp_path, new_tenant(Upserts))
    token_id = kit.upload("Lincoln")
    if lost:
        kit.faults.add([{"method": "POST", "path": PATH, "status": 504, "when": "after", "times": 1}])

    assert kit.create() == FAILED

    assert [one.id for one in kit.tenant.tokens] == [token_id]
    assert [method for method, _ in kit.writes()] == ["POST"]
    assert "Delete none that you had before the run" in kit.note.read_text()
    assert token_id not in kit.note.read_text()


@pytest.mark.parametrize("answered", [None, 7, "", "b", "../mobileApps/11111111-1111-4111-8111-111111111111"])
def test_an_answer_without_an_id_stops_the_run(kit: Kit, answered: object, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no id in the answer to a create is never part of a path, and the run stops."""
    before = kit.stored()
    body = {"id": answered, "state": "valid"}
    kit.faults.add([{"method": "POST", "path": PATH, "status": 201, "body": body, "times": 9}])

    assert kit.create() == FAILED

    assert "is not the id of a new token" in capsys.readouterr().out
    assert [method for method, _ in kit.writes()] == ["POST"]
    assert kit.stored() == before
    assert "Delete the token" not in kit.note.read_text()


@pytest.mark.parametrize("option", ["--other-location-file", "--claimed-file", "--renewal-file"])
def test_a_further_file_of_a_location_in_use_stops_the_run(kit: Kit, option: str) -> None:
    """Where a further file turns out to be for the location of another token, the kit deletes its own before a sync."""
    before = kit.stored()

    assert kit.create("Springfield", option, kit.file("Lincoln", days=250)) == FAILED

    assert kit.stored() == before
    methods = [(method, path.rpartition("/")[2]) for method, path in kit.writes()]
    assert methods[-1][0] == "DELETE"
    last_upload = max(at for at, (method, _) in enumerate(methods) if method in {"POST", "PATCH"})
    assert methods[last_upload][1] != "syncLicenses"
    assert not kit.note.exists()


class TurnsInvalid(Tenant):
    """A tenant that finds some seconds after an upload that it cannot use the file."""

    def patch(self, token_id: str, body: Mapping[str, Any], **options: Any) -> Graph:
        """Change it."""
        changed = super().patch(token_id, body, **options)
        if "token" in body:
            self.uploaded = self.clock.now()
        return changed

    def get(self, token_id: str, **options: Any) -> Graph:
        """Show it."""
        uploaded = getattr(self, "uploaded", None)
        is_late = uploaded is not None and self.clock.now() - uploaded > timedelta(seconds=20)
        return {**super().get(token_id, **options), **({"state": "invalid"} if is_late else {})}


def test_a_renewal_that_turns_invalid_is_noted(tmp_path: Path) -> None:
    """A named token that turns invalid some seconds after a renewal stays in the note, and the status is 1."""
    kit = Kit(tmp_path, new_tenant(TurnsInvalid, renewal_lag_seconds=0))
    token_id = kit.upload("Springfield")

    assert kit.write(token_id, "--token-file", kit.file(days=400)) == FAILED

    assert f"Upload the token file of {token_id} again" in kit.note.read_text()


def test_a_renewal_that_is_not_shown_is_noted(tmp_path: Path) -> None:
    """A named token that does not show the expiration of its file stays in the note, although it is valid."""
    kit = Kit(tmp_path, new_tenant(renewal_lag_seconds=99999))
    token_id = kit.upload("Springfield")

    assert kit.write(token_id, "--token-file", kit.file(days=400)) == FAILED

    assert f"Upload the token file of {token_id} again" in kit.note.read_text()


def test_a_renewal_that_is_refused_needs_no_note(kit: Kit) -> None:
    """Where Graph refuses the file, the named token is as before, and nothing is left to do."""
    token_id = kit.upload("Springfield")
    kit.faults.add([{"method": "PATCH", "path": f"{PATH}/*", "status": 400, "times": 99}])

    assert kit.write(token_id, "--token-file", kit.file(days=400)) == DONE

    assert kit.findings()["renewal-lag"] == "refused"
    assert not kit.note.exists()


def test_rows_without_an_id(kit: Kit) -> None:
    """Rows of the list without an id are left out by the probes that need one."""
    kit.faults.add([{"method": "GET", "path": PATH, "status": 200, "body": {"value": [{"state": "x"}]}, "times": 99}])

    assert kit.run() == DONE

    assert len(kit.lines()) == len(story.PROBES)
    assert kit.details()["list-members"] == "needs a tenant with a token"


def test_a_probe_that_fails_does_not_end_the_others(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe that fails is unclear, with the type of the error and not its text, and the others are asked."""

    def fail(_session: Session) -> Finding:
        raise KeyError("Fabrikam")

    first, *others = reading.READING
    monkeypatch.setattr(reading, "READING", (replace(first, run=fail), *others))

    assert kit.run() == DONE

    assert (kit.findings()[first.name], kit.details()[first.name]) == ("unclear", "failed (KeyError)")
    assert len(kit.lines()) == len(story.PROBES)
    assert "Fabrikam" not in kit.written()


def test_what_cannot_be_undone_is_noted(kit: Kit) -> None:
    """A token of the kit that Graph does not delete stays in the note, with its id, and the status is 1."""
    kit.faults.add([{"method": "DELETE", "path": f"{PATH}/*", "status": 400, "times": 99}])

    assert kit.create() == FAILED

    (left,) = (one.id for one in kit.tenant.tokens[2:])
    assert left in kit.note.read_text()


class KilledAtChange(Tenant):
    """A tenant at whose first change of a name the machine of the kit loses its power."""

    def patch(self, token_id: str, body: Mapping[str, Any], **options: Any) -> Graph:
        """Change it, and end."""
        changed = super().patch(token_id, body, **options)
        if "displayName" in body:
            raise SystemExit
        return changed


def test_an_interrupted_run_leaves_what_it_has(tmp_path: Path) -> None:
    """A run that ends at a change of the token leaves the findings until then, and a note with the value before."""
    kit = Kit(tmp_path, new_tenant(KilledAtChange, sync_seconds=60))
    token_id = kit.upload("Lincoln", displayName="iPads of the library")

    with pytest.raises(SystemExit):
        kit.write(token_id)

    assert len(kit.lines()) > 10
    note = kit.note.read_text()
    assert f"displayName = 'iPads of the library' of the token {token_id}" in note
    assert "Do not send it with the findings" in note


class Interrupted(Tenant):
    """A tenant during whose first change of a name somebody presses Ctrl-C."""

    pressed = False

    def patch(self, token_id: str, body: Mapping[str, Any], **options: Any) -> Graph:
        """Change it."""
        if "displayName" in body and not self.pressed:
            self.pressed = True
            raise KeyboardInterrupt
        return super().patch(token_id, body, **options)


def test_ctrl_c_lets_the_kit_delete_its_token(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After Ctrl-C the kit deletes the token that it has created, and ends with status 1."""
    kit = Kit(tmp_path, new_tenant(Interrupted, sync_seconds=60))
    kit.upload("Lincoln")
    before = kit.stored()

    assert kit.create() == FAILED

    assert kit.stored() == before
    assert not kit.note.exists()
    assert capsys.readouterr().out.endswith("Interrupted.\n")


def test_a_killed_run_leaves_a_note(tmp_path: Path) -> None:
    """A process that is killed while a token of its own exists leaves a note with the id of the token."""
    with emulator(tmp_path, "--sync-seconds", "3600") as tenant:
        file = token_file(tmp_path, "spare", location="Springfield")
        arguments = ["--write", "--create", "--token-file", str(file), "--apple-id", "spare@contoso.example"]
        arguments += ["--report", str(tmp_path / "report")]
        with subprocess.Popen(
            [sys.executable, "-m", "live", *arguments],
            cwd=tmp_path,
            env={**os.environ, **PROXIES, **tenant.environment, "PYTHONPATH": str(ROOT / "tests")},
            stdout=subprocess.DEVNULL,
        ) as kit:
            tenant.wait_for("POST vppTokens/{id}/syncLicenses")
            kit.send_signal(signal.SIGKILL)
        (left,) = tenant.tokens()

    note = (tmp_path / "report" / "CLEAN-UP.txt").read_text()
    assert f"its id is {left['id']}" in note
    assert left["displayName"] in note


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", TOKENS),
        ("PATCH", f"{TOKENS}/b"),
        ("PATCH", f"{TOKENS}/a/x"),
        ("PATCH", f"{TOKENS}/"),
        ("DELETE", f"{TOKENS}/a"),
        ("POST", f"{TOKENS}/b/syncLicenses"),
        ("POST", f"{TOKENS}/a/revokeLicenses"),
        ("POST", f"{TOKENS}/syncLicenseCounts"),
        ("PATCH", "/deviceAppManagement/mobileApps/a"),
        ("PUT", f"{TOKENS}/a"),
    ],
)
def test_the_fence(method: str, path: str) -> None:
    """Whatever a probe does, nothing but the named token is written, and that one is not deleted."""
    fence = Fence(named="a")
    fence.check("PATCH", f"{TOKENS}/a")
    fence.check("POST", f"{TOKENS}/a/syncLicenses")
    fence.check("GET", f"{TOKENS}/b")
    with pytest.raises(OutsideFence):
        fence.check(method, path)
    with pytest.raises(OutsideFence):
        Fence().check(method, path)


@pytest.mark.parametrize("odd", ["../mobileApps/a", "a%2f..", "a?x=1", "a#", "a\\b", "a b", "a.b", "a\n"])
@pytest.mark.parametrize(("method", "tail"), [("PATCH", ""), ("DELETE", ""), ("POST", "/syncLicenses")])
def test_the_fence_refuses_odd_paths(method: str, tail: str, odd: str) -> None:
    """A path that may lead elsewhere than it seems to is not written, not even that of a token of the run."""
    with pytest.raises(OutsideFence):
        Fence(named=odd, created=[odd]).check(method, f"{TOKENS}/{odd}{tail}")


def test_the_report(kit: Kit) -> None:
    """Each probe has a line of JSON and a row with its question, finding, possible findings and what it decides."""
    kit.run()

    lines = kit.lines()
    assert [one["probe"] for one in lines] == [probe.name for probe in story.PROBES]
    assert all(one["question"].endswith("?") and one["decides"] and one["outcomes"] for one in lines)
    numbers = [range(one["recordings"][0], one["recordings"][1] + 1) for one in lines if one["recordings"]]
    recorded = [number for group in numbers for number in group]
    assert recorded == list(range(recorded[0], len(kit.recordings()) + 1))
    table = (kit.report / "findings.md").read_text().splitlines()
    rows = [row for row in table if row.startswith("| ")][2:]
    assert len(rows) == len(story.PROBES)
    assert len({row.count("|") for row in rows}) == 1


def test_what_decides_exists() -> None:
    """Each file, guess and option that a probe names as what follows its finding exists."""
    from intune_vpp_emulator import behavior, guesses  # noqa: PLC0415

    provider, options = ROOT / "provider" / "intune_vpp", {f"--{one.replace('_', '-')}" for one in behavior.names()}
    for probe in story.PROBES:
        files = re.findall(r"[a-z]+/[a-z_]+\.py|\bsettings\.py", probe.decides)
        assert files or "tokenEncoding" in probe.decides or "README" in probe.decides or "lifecycle" in probe.decides
        assert all((provider / one).exists() for one in files), probe.name
        assert set(re.findall(r"--[a-z-]+", probe.decides)) <= options, probe.name
        assert set(re.findall(r"guess ([a-z0-9-]+)", probe.decides)) <= set(guesses.GUESSES), probe.name


def test_every_open_question_has_a_probe() -> None:
    """There are at least as many probes as open questions, and none has a name twice."""
    names = [probe.name for probe in story.PROBES]
    assert len(set(names)) == len(names) >= 17
