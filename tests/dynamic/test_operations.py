"""The operations through the dynamic door: each call of the engine, against an emulated tenant in the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from builders import Record
from dynamic.calls import PICKLE, checked, diff, made, pickled, refusals, updated
from intune_vpp.core.errors import SettingsError, TokenGone
from intune_vpp.core.operations import OPERATIONS
from intune_vpp.core.waiting import TIME_ALLOWED
from intune_vpp.lifecycle import sync
from intune_vpp_emulator.faults import Faults
from tenant_in_process import script, uploaded

if TYPE_CHECKING:
    from dynamic.conftest import Begin
    from engine_room.engine import Engine
    from tenant_in_process import RefusesSyncs

NAMES = [operation.name for operation in OPERATIONS]
BY_NAME = {operation.name: operation for operation in OPERATIONS}
LATER = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
OTHER = "33333333-3333-4333-8333-333333333333"
REVOCATION = "LicenseRevocation"


@pytest.fixture
def token_id(tenant: RefusesSyncs) -> str:
    """The id of a token that is there."""
    return uploaded(tenant)


def asked(name: str, token_id: str, **more: Any) -> dict[str, Any]:
    """What a program asks for, every input of it; None leaves one out."""
    every: dict[str, Any] = {
        "vppTokenId": token_id,
        "triggers": {"build": 7, "of": ["monday", True]},
        "waitForSync": True,
        "notifyManagedDevices": True,
        "revokeUntrackedLicenses": False,
    }
    inputs = {prop.name: every[prop.name] for prop in BY_NAME[name].inputs}
    return {key: value for key, value in {**inputs, **more}.items() if value is not None}


@pytest.mark.parametrize("name", NAMES)
def test_check_answers_what_it_was_given(begin: Begin, token_id: str, name: str) -> None:
    """Inputs come out as they went in, without what is None and what is the SDK's own; once more, they are the same."""
    once = begin(name).check({}, pickled({**asked(name, token_id), "waitForSync": None})).inputs
    assert once == {key: value for key, value in asked(name, token_id).items() if key != "waitForSync"}
    assert checked(begin(name), once, once) == pickled(once)


@pytest.mark.parametrize("name", NAMES)
def test_a_life(begin: Begin, tenant: RefusesSyncs, token_id: str, name: str) -> None:
    """Created it has every output; then Diff and Read are quiet, and deleting it twice does nothing."""
    given = asked(name, token_id)
    kept = made(begin(name), given)
    assert set(kept.outputs) == {*(prop.name for prop in BY_NAME[name].properties), "__provider"}
    assert {key: kept.outputs[key] for key in given} == given
    assert kept.outputs["tenantId"] == tenant.directory.tenant_id

    assert diff(begin(name), kept, given) == (False, [])
    found = begin(name).read(kept.id, kept.outputs)
    assert (found.id, found.outs, found.inputs) == (kept.id, kept.outputs, given)
    assert begin(name).diff(kept.id, found.outs or {}, kept.inputs).changes is False

    before = tenant.get(token_id)
    for _ in range(2):
        begin(name).delete(kept.id, kept.outputs)
    assert tenant.get(token_id) == before


@pytest.mark.parametrize(
    ("name", "differing", "expected"),
    [
        ("LicenseSync", {"triggers": ["x"]}, (None, [])),
        ("LicenseSync", {"triggers": None}, (None, [])),
        ("LicenseSync", {"triggers": [{"a": LATER}]}, (None, [])),
        ("LicenseSync", {"waitForSync": False}, (None, [])),
        ("LicenseSync", {"vppTokenId": OTHER, "triggers": 1}, (True, ["vppTokenId"])),
        ("LicenseSync", {"vppTokenId": LATER}, (None, [])),
        (REVOCATION, {"vppTokenId": OTHER}, (True, ["vppTokenId"])),
        (REVOCATION, {"notifyManagedDevices": None}, (None, [])),
        ("LicenseCountSync", {"triggers": "x"}, (None, [])),
    ],
)
def test_what_differs(begin: Begin, token_id: str, name: str, differing: dict[str, Any], expected: object) -> None:
    """What differs in the inputs the engine shows itself; only another token replaces."""
    kept = made(begin(name), asked(name, token_id))
    assert diff(begin(name), kept, asked(name, token_id, **differing)) == expected


def test_what_no_input_shows_is_said_outright(begin: Begin, tenant: RefusesSyncs, token_id: str) -> None:
    """A sync to repeat and a revocation that goes on change no input: True."""
    tenant.ends_of_syncs.append(Faults([{"sync": "failed"}]).for_sync)
    sync = made(begin("LicenseSync"), asked("LicenseSync", token_id))
    revoked = made(begin(REVOCATION), asked(REVOCATION, token_id))
    going_on = Record(revoked.id, revoked.inputs, {**revoked.outputs, "actionState": "active"})
    assert diff(begin("LicenseSync"), sync, asked("LicenseSync", token_id)) == (True, [])
    assert diff(begin(REVOCATION), going_on, asked(REVOCATION, token_id)) == (True, [])


@pytest.mark.parametrize("later", [LATER, [LATER], {"a": LATER}, [{"a": [LATER]}]])
def test_triggers_that_are_not_known_yet(begin: Begin, token_id: str, later: Any) -> None:
    """What only the update will know goes back to the engine in its own spelling, wherever it stands."""
    answer = begin("LicenseCountSync").check({}, pickled({"triggers": later}))
    assert answer.failures == []
    assert LATER in str(answer.inputs)
    assert "UNKNOWN" not in str(answer.inputs)
    assert checked(begin("LicenseSync"), {"vppTokenId": token_id, "waitForSync": LATER})["waitForSync"] == LATER


@pytest.mark.parametrize(
    ("name", "news", "reason"),
    [
        ("LicenseSync", {}, "vpp_token_id is required to create a LicenseSync."),
        (REVOCATION, {"vppTokenId": "Lincoln"}, "vpp_token_id must be an id (a GUID)."),
        (
            REVOCATION,
            {"vppTokenId": OTHER, "notifyManagedDevices": 1},
            "notify_managed_devices must be true or false.",
        ),
        (REVOCATION, {"vppTokenId": OTHER, "triggers": 1}, "triggers is not an input of a LicenseRevocation."),
        ("LicenseCountSync", {"triggers": [pulumi.StringAsset("hunter2")]}, "triggers cannot contain assets"),
    ],
)
def test_what_is_refused(begin: Begin, name: str, news: dict[str, Any], reason: str) -> None:
    """A refusal is one sentence in a program's words, which names no property, since its value would be printed."""
    ((prop, said),) = refusals(begin(name), news)
    assert prop == ""
    assert said.startswith(reason)
    assert "hunter2" not in said


def test_v1_refuses(begin: Begin, token_id: str) -> None:
    """What v1.0 lacks is refused by Check; a sync is none of it."""
    said = {name: refusals(begin(name, graphVersion="v1.0"), asked(name, token_id)) for name in NAMES}
    assert said.pop("LicenseSync") == []
    assert all("needs Graph's beta" in reason for ((_, reason),) in said.values())
    assert len(said) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_configuration_that_cannot_be(begin: Begin, token_id: str, name: str) -> None:
    """What is wrong with the configuration is a failure of Check, and an error of the calls that send something."""
    provider = begin(name, graphVersion="v7")
    ((_, said),) = refusals(provider, asked(name, token_id))
    assert "graphVersion" in said
    with pytest.raises(SettingsError, match="graphVersion"):
        provider.create(pickled(asked(name, token_id)))


def test_what_is_planned_is_reported(begin: Begin, engine: Engine, token_id: str) -> None:
    """A revocation is announced as a warning, a sync as a note, what changes in the state in a program's words."""
    checked(begin(REVOCATION), {"vppTokenId": token_id})
    assert engine.logged("WARNING") == [f"Revokes all licences of token {token_id}. This cannot be undone."]
    kept = made(begin("LicenseSync"), asked("LicenseSync", token_id))
    diff(begin("LicenseSync"), kept, asked("LicenseSync", token_id, waitForSync=False))
    assert engine.logged("INFO") == [
        f"Syncs the licences of token {token_id}.",
        f"Changes wait_for_sync of the LicenseSync of token {token_id} in the state only.",
    ]


def test_a_failed_revocation_keeps_its_id(begin: Begin, tenant: RefusesSyncs, engine: Engine, token_id: str) -> None:
    """This door has no partial failure: all that is known is answered, and a warning says what failed."""
    script(tenant, actionState="failed", actionFailureReason="expiredVppToken")
    kept = made(begin(REVOCATION), {"vppTokenId": token_id})
    assert (kept.outputs["actionState"], kept.outputs["actionFailureReason"]) == ("failed", "expiredVppToken")
    assert kept.id == f"{token_id}/{kept.outputs['startDateTime']}"
    _, failed = engine.logged("WARNING")
    assert failed.startswith("The licences of Lincoln could not be revoked (")
    assert diff(begin(REVOCATION), kept, {"vppTokenId": token_id}) == (False, [])
    after = updated(begin(REVOCATION), kept, {"vppTokenId": token_id, "notifyManagedDevices": True})
    assert after.outputs == {**kept.outputs, "notifyManagedDevices": True}
    assert "could not be revoked" in engine.logged("WARNING")[-1]
    assert len(tenant.get(token_id)["tokenActionResults"]) == 1


def test_a_revocation_is_gone_on_with(
    begin: Begin, tenant: RefusesSyncs, engine: Engine, token_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wait that ran out keeps what was begun; the next update follows it without a second one."""
    monkeypatch.setattr("intune_vpp.dynamic.operation_providers.TIME_ALLOWED", TIME_ALLOWED / 6000)
    tenant.revoke_seconds = 600
    kept = made(begin(REVOCATION), {"vppTokenId": token_id})
    assert kept.outputs["actionState"] == "pending"
    assert engine.logged("WARNING")[-1].endswith("(it is pending). Run pulumi again to continue waiting.")
    tenant.clock.advance(600)
    well = updated(begin(REVOCATION), kept, {"vppTokenId": token_id})
    assert well.outputs["actionState"] == "done"
    assert engine.logged("INFO") == []
    assert len(tenant.get(token_id)["tokenActionResults"]) == 1


def test_a_failed_sync_is_tried_again(begin: Begin, tenant: RefusesSyncs, engine: Engine, token_id: str) -> None:
    """A sync that failed is kept as pending with a warning, and repeated by the next update."""
    tenant.ends_of_syncs.append(Faults([{"sync": "failed"}]).for_sync)
    kept = made(begin("LicenseSync"), {"vppTokenId": token_id})
    (warning,) = engine.logged("WARNING")
    assert warning == (
        "The licence sync of Lincoln failed. Intune gives no reason; check the tenant status. "
        "The next update tries again."
    )
    assert (kept.id, kept.outputs["syncPending"]) == (token_id, True)
    well = updated(begin("LicenseSync"), kept, {"vppTokenId": token_id})
    assert well.outputs["syncPending"] is False


def test_a_trigger_runs_again(begin: Begin, token_id: str) -> None:
    """A changed trigger syncs once more, and the new one is kept."""
    kept = made(begin("LicenseSync"), {"vppTokenId": token_id, "triggers": 1})
    again = updated(begin("LicenseSync"), kept, {"vppTokenId": token_id, "triggers": 2})
    assert again.outputs["triggers"] == 2
    assert again.outputs["lastSyncDateTime"] > kept.outputs["lastSyncDateTime"]


def test_a_token_that_is_gone(begin: Begin, tenant: RefusesSyncs, token_id: str) -> None:
    """A sync goes with its token, a revocation that was done stays; neither can be done to it any more."""
    sync = made(begin("LicenseSync"), {"vppTokenId": token_id})
    revoked = made(begin(REVOCATION), {"vppTokenId": token_id})
    tenant.delete(token_id)
    gone = begin("LicenseSync").read(sync.id, sync.outputs)
    assert (gone.id, gone.outs, gone.inputs) == ("", {}, None)
    assert begin(REVOCATION).read(revoked.id, revoked.outputs).outs == revoked.outputs
    for name in ("LicenseSync", REVOCATION):
        with pytest.raises(TokenGone):
            made(begin(name), {"vppTokenId": token_id})


def test_errors_speak_of_arguments(begin: Begin, token_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is raised below the door is spelled as a program writes it."""

    def fail(*_: object) -> None:
        raise TokenGone("Look at vppTokenId.")

    monkeypatch.setattr(sync.LicenseSyncs, "run", fail)
    with pytest.raises(TokenGone, match=r"^Look at vpp_token_id\.$"):
        begin("LicenseSync").create({"vppTokenId": token_id, "__provider": PICKLE})
