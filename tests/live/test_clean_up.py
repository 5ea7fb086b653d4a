"""What a run leaves: it deletes what it has created and nothing else, and notes what it could not undo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness import PROXIES, emulator, token_file
from intune_vpp_emulator.members import Version
from intune_vpp_emulator.tenant import Graph, Tenant
from live.__main__ import DONE, FAILED
from live.kit import Kit
from live.wire import TOKENS
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from collections.abc import Mapping


ROOT = Path(__file__).resolve().parents[2]
PATH = f"/beta{TOKENS}"


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
