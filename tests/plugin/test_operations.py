"""The operations over a live channel, each call as the engine makes it: what holds for every one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from builders import Record
from intune_vpp.core.operations import OPERATIONS
from intune_vpp.engine.unknowns import SENTINELS
from plugin.door import DIFF, KINDS, SIGNATURE, Door, output, partial_failure, plain, secret, struct
from tenant_in_process import uploaded

if TYPE_CHECKING:
    from plugin.conftest import Open
    from plugin.door import Listener
    from tenant_in_process import RefusesSyncs

NAMES = [operation.name for operation in OPERATIONS]
BY_NAME = {operation.name: operation for operation in OPERATIONS}
LATER = min(SENTINELS)
UNKNOWN = rpc.UNKNOWN
OTHER = "33333333-3333-4333-8333-333333333333"


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


@pytest.fixture
def token_id(tenant: RefusesSyncs) -> str:
    """The id of a token that is there."""
    return uploaded(tenant)


def details(answer: Any) -> dict[str, tuple[str, bool]]:
    """Kind, and whether it is about inputs, of each path; consistent with the rest of the answer."""
    paths = dict(answer.detailedDiff)
    assert answer.hasDetailedDiff
    assert answer.changes == (DIFF.DIFF_SOME if paths else DIFF.DIFF_NONE)
    assert list(answer.diffs) == sorted(paths)
    assert list(answer.replaces) == sorted(path for path, one in paths.items() if one.kind == KINDS.UPDATE_REPLACE)
    return {path: (KINDS.Kind.Name(one.kind), one.inputDiff) for path, one in paths.items()}


@pytest.mark.parametrize("name", NAMES)
def test_check_is_idempotent(provider: Door, token_id: str, name: str) -> None:
    """What Check answered is answered as it is when it is checked once more, with old inputs and without."""
    door = provider.about(name)
    once = door.good(asked(name, token_id))
    assert once == asked(name, token_id)
    assert door.good(once) == door.good(once, once) == once


@pytest.mark.parametrize("name", NAMES)
def test_a_life(start: Open, tenant: RefusesSyncs, token_id: str, name: str) -> None:
    """Created it shows all its inputs and every output; then Diff and Read are quiet, and deleting it does nothing."""
    given = asked(name, token_id)
    kept = start().about(name).made(given)
    properties = {prop.name for prop in BY_NAME[name].properties}
    assert set(kept.outputs) == properties
    assert {key: kept.outputs[key] for key in given} == given
    assert kept.outputs["tenantId"] == tenant.directory.tenant_id

    assert details(start().about(name).planned(kept, given)) == {}
    found = start().about(name).read(kept)
    assert (found.id, plain(found.properties), plain(found.inputs)) == (kept.id, kept.outputs, kept.inputs)

    before = tenant.get(token_id)
    for _ in range(2):
        start().about(name).delete(kept)
    assert tenant.get(token_id) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_preview_promises_nothing_else(start: Open, tenant: RefusesSyncs, token_id: str, name: str) -> None:
    """All that Create and Update say in preview comes true, and nothing is done for it."""
    door, given = start().about(name), asked(name, token_id)
    answer = door.ask(
        "Create", provider_pb2.CreateRequest(urn=door.urn, properties=struct(door.good(given)), preview=True)
    )
    assert answer.id == ""
    assert (tenant.get(token_id)["tokenActionResults"], plain(answer.properties)) == ([], given)
    kept = start().about(name).made(given)
    other = asked(name, token_id, waitForSync=None, notifyManagedDevices=None, triggers=["other"])
    other = {key: value for key, value in other.items() if key in given}
    promised = plain(start().about(name).update(kept, other, preview=True).properties)
    runs = "triggers" in given
    stays = {"tenantId"} if runs else set(kept.outputs) - set(given)
    assert promised == {**other, **{key: kept.outputs[key] for key in stays}}
    came = start().about(name).updated(kept, other)
    assert {key: came.outputs.get(key) for key in promised} == promised
    assert came.id == kept.id
    gone = set(given) - set(other)
    assert gone.isdisjoint(came.outputs)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("later", "shown"),
    [
        (LATER, UNKNOWN),
        (secret(LATER), secret(UNKNOWN)),
        (output(), UNKNOWN),
        ({"a": [LATER], "b": 1}, {"a": UNKNOWN, "b": 1}),
        ([{"a": LATER}], [{"a": UNKNOWN}]),
    ],
)
def test_unknown_inputs(provider: Door, tenant: RefusesSyncs, name: str, later: Any, shown: Any) -> None:
    """What only the update will know passes Check and stays unknown in preview, in whatever form it comes."""
    given = dict.fromkeys((prop.name for prop in BY_NAME[name].inputs), LATER)
    expected = dict.fromkeys(given, UNKNOWN)
    if "triggers" in given:
        given, expected = {**given, "triggers": later}, {**expected, "triggers": shown}
    door = provider.about(name)
    checked = door.good(given)
    request = provider_pb2.CreateRequest(urn=door.urn, properties=struct(checked), preview=True)
    assert checked == plain(door.ask("Create", request).properties) == expected
    assert tenant.tokens == []


@pytest.mark.parametrize(
    ("name", "differing", "expected"),
    [
        ("LicenseSync", {"triggers": ["x"]}, {"triggers": ("UPDATE", True)}),
        ("LicenseSync", {"triggers": None}, {"triggers": ("DELETE", True)}),
        ("LicenseSync", {"triggers": {"build": 7, "of": [LATER]}}, {"triggers": ("UPDATE", True)}),
        ("LicenseSync", {"waitForSync": None}, {"waitForSync": ("DELETE", True)}),
        ("LicenseSync", {"vppTokenId": OTHER}, {"vppTokenId": ("UPDATE_REPLACE", True)}),
        ("LicenseSync", {"vppTokenId": LATER}, {"vppTokenId": ("UPDATE", True)}),
        (
            "LicenseSync",
            {"vppTokenId": OTHER, "triggers": 1},
            {"vppTokenId": ("UPDATE_REPLACE", True), "triggers": ("UPDATE", True)},
        ),
        ("LicenseRevocation", {"vppTokenId": OTHER}, {"vppTokenId": ("UPDATE_REPLACE", True)}),
        ("LicenseRevocation", {"notifyManagedDevices": False}, {"notifyManagedDevices": ("UPDATE", True)}),
        ("LicenseRevocation", {"revokeUntrackedLicenses": None}, {"revokeUntrackedLicenses": ("DELETE", True)}),
        ("LicenseCountSync", {"triggers": "x"}, {"triggers": ("UPDATE", True)}),
        ("LicenseCountSync", {"triggers": None}, {"triggers": ("DELETE", True)}),
    ],
)
def test_what_differs_is_shown(
    start: Open, token_id: str, name: str, differing: dict[str, Any], expected: dict[str, tuple[str, bool]]
) -> None:
    """Each difference is shown at its input; another token replaces, and nothing else does."""
    kept = start().about(name).made(asked(name, token_id))
    assert details(start().about(name).planned(kept, asked(name, token_id, **differing))) == expected


def test_an_input_that_comes_is_shown_as_such(start: Open, token_id: str) -> None:
    """What was not there before is added."""
    kept = start().about("LicenseSync").made({"vppTokenId": token_id})
    planned = start().about("LicenseSync").planned(kept, asked("LicenseSync", token_id))
    assert details(planned) == {"triggers": ("ADD", True), "waitForSync": ("ADD", True)}


@pytest.mark.parametrize("name", NAMES)
def test_ignored_changes(start: Open, token_id: str, name: str) -> None:
    """What the program tells the engine to ignore does not differ."""
    kept = start().about(name).made(asked(name, token_id))
    inputs = {name: not value if isinstance(value, bool) else "other" for name, value in kept.inputs.items()}
    assert details(start().about(name).diff(kept, inputs, ignoring=tuple(kept.inputs))) == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_preview_that_does_nothing(start: Open, token_id: str, name: str) -> None:
    """Where an update does nothing again its preview promises what was reported; where it runs, that is open."""
    kept = start().about(name).made(asked(name, token_id))
    reported = {prop.name for prop in BY_NAME[name].properties if not prop.sent} & set(kept.outputs)
    assert len(reported) > 1
    flag = next((prop.name for prop in BY_NAME[name].inputs if prop.default is not None), None)
    if flag is not None:
        promised = plain(
            start().about(name).update(kept, {**kept.inputs, flag: not kept.inputs[flag]}, preview=True).properties
        )
        assert promised == {**kept.outputs, flag: not kept.inputs[flag]}
    if "triggers" in kept.inputs:
        promised = plain(start().about(name).update(kept, {**kept.inputs, "triggers": 8}, preview=True).properties)
        assert reported & set(promised) == {"tenantId"}


@pytest.mark.parametrize("name", ["LicenseSync", "LicenseCountSync"])
def test_secret_triggers_stay_secret(start: Open, token_id: str, name: str) -> None:
    """Triggers that hold a secret are marked in all that is answered, and their text is nowhere without the mark."""

    def marked(properties: dict[str, Any]) -> bool:
        shown = properties["triggers"]
        return bool(shown[SIGNATURE] == secret("")[SIGNATURE] and "hunter2" not in str({**properties, "triggers": 0}))

    given = asked(name, token_id, triggers={"key": secret("hunter2"), "build": 1})
    kept = start().about(name).made(given)
    assert marked(kept.inputs)
    assert marked(kept.outputs)
    found = start().about(name).read(kept)
    assert marked(plain(found.properties))
    assert marked(plain(found.inputs))
    door = start().about(name)
    assert details(door.planned(kept, given)) == {}
    again = door.updated(kept, asked(name, token_id, triggers=[secret("hunter2"), 2]))
    assert marked(again.inputs)
    assert marked(again.outputs)
    preview = door.update(kept, again.inputs, preview=True)
    assert marked(plain(preview.properties))


def test_secret_triggers_stay_secret_in_a_failure(start: Open, tenant: RefusesSyncs, token_id: str) -> None:
    """What is reported to the engine of a sync that failed has the marks too."""
    tenant.edit_by_hand(token_id, {"state": "invalid"})
    with pytest.raises(grpc.RpcError) as caught:
        start().about("LicenseSync").made(asked("LicenseSync", token_id, triggers=secret("hunter2")))
    reported = partial_failure(caught.value)
    assert reported.id == token_id
    for properties in (reported.properties, reported.inputs):
        assert plain(properties)["triggers"] == secret("hunter2")


def test_what_is_planned_is_reported_under_its_resource(start: Open, engine: Listener, token_id: str) -> None:
    """In preview a revocation is announced as a warning that it cannot be undone, under its own URN."""
    door = start().about("LicenseRevocation")
    inputs = struct(door.good({"vppTokenId": token_id}))
    door.ask("Create", provider_pb2.CreateRequest(urn=door.urn, properties=inputs, preview=True))
    said = f"Revokes all licences of token {token_id}. This cannot be undone."
    assert (door.urn, "WARNING", said) in engine.about


@pytest.mark.parametrize("name", NAMES)
def test_what_was_done_is_not_announced_again(start: Open, engine: Listener, token_id: str, name: str) -> None:
    """A later run says nothing, also where the operation was given nothing."""
    given = {"vppTokenId": token_id} if name != "LicenseCountSync" else {}
    kept = start().about(name).made(given)
    before = [one for one in engine.about if one[1] != "DEBUG"]
    assert len(before) == 1
    start().about(name).planned(kept, given)
    assert [one for one in engine.about if one[1] != "DEBUG"] == before


def test_each_operation_runs_once(start: Open, tenant: RefusesSyncs, token_id: str) -> None:
    """A revocation that is created is one action in the tenant; previews, reads, updates and deletions add none."""
    name = "LicenseRevocation"
    kept = start().about(name).made(asked(name, token_id))
    assert kept.id == f"{token_id}/{kept.outputs['startDateTime']}"
    assert kept.outputs["actionState"] == "done"
    start().about(name).planned(kept, asked(name, token_id, notifyManagedDevices=False))
    updated = start().about(name).updated(kept, asked(name, token_id, notifyManagedDevices=False))
    start().about(name).read(updated)
    start().about(name).delete(updated)
    assert len(tenant.get(token_id)["tokenActionResults"]) == 1
    assert updated.outputs == {**kept.outputs, "notifyManagedDevices": False}


def test_a_trigger_runs_again(start: Open, tenant: RefusesSyncs, token_id: str) -> None:
    """A changed trigger syncs once more; the id stays, and the new date is reported."""
    name = "LicenseSync"
    kept = start().about(name).made(asked(name, token_id))
    again = start().about(name).updated(kept, asked(name, token_id, triggers="other"))
    assert again.id == kept.id == token_id
    assert again.outputs["lastSyncDateTime"] > kept.outputs["lastSyncDateTime"]
    assert again.outputs["lastSyncDateTime"] == tenant.get(token_id)["lastSyncDateTime"]


def test_a_sync_goes_with_its_token(start: Open, tenant: RefusesSyncs, token_id: str) -> None:
    """Read finds nothing where the token is gone; a revocation that was done stays."""
    sync = start().about("LicenseSync").made(asked("LicenseSync", token_id))
    revoked = start().about("LicenseRevocation").made(asked("LicenseRevocation", token_id))
    tenant.delete(token_id)
    assert start().about("LicenseSync").read(sync) == provider_pb2.ReadResponse()
    found = start().about("LicenseRevocation").read(revoked)
    assert Record(found.id, plain(found.inputs), plain(found.properties)) == revoked
