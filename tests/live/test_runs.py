"""Whole runs of the kit: what they send, what they leave unchanged, when they refuse, and what they report."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from live import reading, story
from live.__main__ import DONE, NOT_BEGUN
from live.kit import Kit
from live.probe import NotProbed
from live.wire import TOKENS

if TYPE_CHECKING:
    from live.probe import Finding, Session

ROOT = Path(__file__).resolve().parents[2]
PATH = f"/beta{TOKENS}"


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
