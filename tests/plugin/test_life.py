"""A token from its creation to its deletion, each step as the engine asks for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2

from builders import Record, day, fresh_vpptoken
from plugin.door import DIFF, URN, Door, inputs, plain, secret, struct

if TYPE_CHECKING:
    from plugin.conftest import Open
    from tenant_in_process import RefusesSyncs

NOBODY = "22222222-2222-4222-8222-222222222222"


def previewed(door: Door, checked: dict[str, Any]) -> dict[str, Any]:
    """What Create promises in preview."""
    request = provider_pb2.CreateRequest(urn=URN, properties=struct(checked), preview=True)
    answer = door.ask("Create", request)
    assert answer.id == ""
    return plain(answer.properties)


def broken_promises(promised: dict[str, Any], outputs: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What a preview has shown otherwise than it came."""
    return {name: (one, outputs.get(name)) for name, one in promised.items() if outputs.get(name) != one}


def test_create(start: Open, tenant: RefusesSyncs) -> None:
    """The outputs are what Graph reports, the file's description, and what the provider does with the token."""
    kept = start().made(inputs(secret(fresh_vpptoken()), waitForSync=True))

    assert [token.id for token in tenant.tokens] == [kept.id]
    assert kept.outputs["tokenFile"] == kept.inputs["tokenFile"]
    assert {name: kept.outputs[name] for name in ("token", "tenantId", "displayName", "state", "syncPending")} == {
        "token": kept.inputs["token"],
        "tenantId": tenant.directory.tenant_id,
        "displayName": "Lincoln",
        "state": "valid",
        "syncPending": False,
    }


@pytest.mark.parametrize(
    "differing",
    [
        {},
        {"waitForSync": True},
        {"organizationName": "Contoso", "expectedLocationName": "Lincoln", "deletionProtection": False},
        {"countryOrRegion": "GB", "roleScopeTagIds": ["7", "0"], "automaticallyUpdateApps": True},
        {"appleId": "VPP@contoso.example", "appleDeviceAppDeliveryProtocolType": "declarativeDeviceManagement"},
    ],
)
def test_a_preview_of_a_creation_promises_nothing_else(start: Open, differing: dict[str, Any]) -> None:
    """All that Create says in preview comes true; what only Graph knows is left open; no request is made."""
    asked = inputs(fresh_vpptoken(), **differing)
    provider = start()
    promised = previewed(provider, provider.good(asked))
    kept = start().made(asked)

    assert broken_promises(promised, kept.outputs) == {}
    assert {"token", "tokenFile", "waitForSync", "deletionProtection"} <= set(promised)
    assert {"state", "tenantId", "displayName", "countryOrRegion"}.isdisjoint(promised)


def test_a_preview_with_unknown_inputs(provider: Door) -> None:
    """What is unknown stays unknown, and a flag that is left out means what it means."""
    later = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    checked = provider.good(inputs(secret(later), deletionProtection=later))

    assert previewed(provider, checked) == {
        "token": later,
        "tokenFile": later,
        "deletionProtection": later,
        "waitForSync": False,
        "revokeLicensesOnDelete": False,
    }


@pytest.mark.parametrize(
    "differing",
    [
        {"displayName": "York"},
        {"waitForSync": True},
        {"deletionProtection": False},
        {"expectedLocationName": "Lincoln"},
        {"token": None},
        {"token": fresh_vpptoken(days=350)},
        {"token": fresh_vpptoken(days=350), "waitForSync": True, "organizationName": "Contoso"},
    ],
)
def test_a_preview_of_an_update_promises_nothing_else(start: Open, differing: dict[str, Any]) -> None:
    """All that Update says in preview comes true, the tenant included; the id is none of it."""
    asked = inputs(fresh_vpptoken())
    kept = start().made(asked)
    news = {**asked, **differing}
    provider = start()
    promised = plain(provider.update(kept, provider.good(news, kept.inputs), preview=True).properties)
    updated = start().updated(kept, news)

    assert broken_promises(promised, updated.outputs) == {}
    assert {"tenantId", "tokenFile", "waitForSync"} <= set(promised)


def test_quiet_after_each_step(start: Open, tenant: RefusesSyncs) -> None:
    """After a creation, a renewal and a change, Read finds nothing new and Diff nothing to do; the id stays."""
    steps = [
        inputs(fresh_vpptoken(days=100), countryOrRegion="GB", roleScopeTagIds=["7", "0"], deletionProtection=False),
        inputs(fresh_vpptoken(days=300), countryOrRegion="us", waitForSync=True),
        inputs(None, displayName="Lincoln School", automaticallyUpdateApps=True),
    ]
    kept = start().made(steps[0])
    for asked in steps:
        kept = start().updated(kept, asked)
        provider = start()
        assert provider.planned(kept, asked).changes == DIFF.DIFF_NONE
        read = provider.read(kept)
        assert (read.id, plain(read.inputs)) == (kept.id, kept.inputs)
        now = Record(read.id, plain(read.inputs), plain(read.properties))
        assert provider.planned(now, asked).changes == DIFF.DIFF_NONE
        kept = now

    assert [token.id for token in tenant.tokens] == [kept.id]
    assert tenant.get(kept.id)["displayName"] == "Lincoln School"


def test_an_import(start: Open) -> None:
    """From the id alone come outputs and inputs that Check takes; with the program's own there is nothing to do."""
    asked = inputs(fresh_vpptoken(), countryOrRegion="GB", waitForSync=None)
    made = start().made(asked)
    provider = start()
    read = provider.imported(made.id)
    kept = Record(read.id, plain(read.inputs), plain(read.properties))
    checked = provider.good(kept.inputs, kept.inputs)

    assert kept.id == made.id
    assert checked == kept.inputs
    assert provider.diff(kept, checked).changes == DIFF.DIFF_NONE
    assert start().planned(kept, {**asked, "deletionProtection": True}).changes == DIFF.DIFF_NONE
    updated = start().updated(kept, asked)
    assert updated.outputs["token"] == made.outputs["token"]
    assert start().planned(updated, asked).changes == DIFF.DIFF_NONE


def test_what_is_not_there(start: Open, tenant: RefusesSyncs) -> None:
    """An import of an id that is not there is refused in words, a refresh of a token that is gone answers nothing."""
    kept = start().made(inputs(fresh_vpptoken()))
    tenant.delete(kept.id)
    for token_id in (NOBODY, ".", "..", ""):
        with pytest.raises(grpc.RpcError) as caught:
            start().imported(token_id)
        assert f'There is no token "{token_id}" in tenant' in (caught.value.details() or "")
    answer = start().read(kept)
    assert answer.id == ""
    assert not answer.HasField("properties")
    assert not answer.HasField("inputs")


def test_what_is_only_looked_up(start: Open) -> None:
    """A resource without inputs gets none from a refresh; a token file in the state of a lookup is refused."""
    kept = start().made(inputs(fresh_vpptoken()))
    found = start().imported(kept.id)
    again = start().read(Record(kept.id, {}, plain(found.properties)))
    shown, shown_again = plain(found.properties), plain(again.properties)
    assert shown_again == {**shown, "__observedAt": shown_again["__observedAt"]}
    assert not again.inputs.fields
    with pytest.raises(grpc.RpcError) as caught:
        start().read(Record(kept.id, {}, {"token": secret(fresh_vpptoken())}))
    assert "A lookup must not contain token" in (caught.value.details() or "")


def test_delete(start: Open, tenant: RefusesSyncs) -> None:
    """It succeeds, and once more when there is nothing left to delete, in the same process and in the next."""
    kept = start().made(inputs(fresh_vpptoken(), deletionProtection=False))
    provider = start()
    provider.delete(kept)
    provider.delete(kept)
    start().delete(kept)

    assert tenant.tokens == []


@pytest.mark.parametrize("protection", [None, True])
def test_a_protected_token(start: Open, tenant: RefusesSyncs, protection: object) -> None:
    """Delete refuses, and says what to do; once the protection is off in the state it deletes."""
    asked = inputs(fresh_vpptoken(), deletionProtection=protection)
    kept = start().made(asked)
    with pytest.raises(grpc.RpcError) as caught:
        start().delete(kept)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert (caught.value.details() or "").startswith("Lincoln was not deleted: deletionProtection is on")
    assert len(tenant.tokens) == 1
    start().delete(start().updated(kept, {**asked, "deletionProtection": False}))

    assert tenant.tokens == []


def test_a_forced_replacement(start: Open, tenant: RefusesSyncs) -> None:
    """Create in the place of a token takes it over, and Delete of the old half leaves it alone."""
    asked = inputs(fresh_vpptoken(), deletionProtection=False)
    kept = start().made(asked)
    provider = start()
    new = provider.made(asked)
    provider.delete(kept)

    assert [token.id for token in tenant.tokens] == [kept.id] == [new.id]


def test_an_adoption(start: Open, tenant: RefusesSyncs) -> None:
    """A token that was made by hand is adopted by its id, and no second one made."""
    file = fresh_vpptoken()
    by_hand = tenant.create_by_hand({"token": file, "appleId": "vpp@contoso.example"})
    provider = start()
    asked = {"adoptTokenId": by_hand["id"], "token": file, "displayName": "Lincoln", "waitForSync": False}
    promised = previewed(provider, provider.good(asked))
    kept = start().made(asked)

    assert kept.id == by_hand["id"]
    assert [token.id for token in tenant.tokens] == [kept.id]
    assert broken_promises(promised, kept.outputs) == {}
    with pytest.raises(grpc.RpcError) as caught:
        start().made({"adoptTokenId": NOBODY})
    assert f"The token to adopt, {NOBODY}, was not found" in (caught.value.details() or "")


def test_another_tenant(start: Open) -> None:
    """Read, Update and Delete refuse to work on a token that the state has in another tenant."""
    kept = start().made(inputs(fresh_vpptoken(), deletionProtection=False))
    strange = Record(kept.id, kept.inputs, {**kept.outputs, "tenantId": NOBODY})
    provider = start()
    for step in (provider.read, provider.delete, lambda one: provider.update(one, kept.inputs)):
        with pytest.raises(grpc.RpcError) as caught:
            step(strange)
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert f"belongs to tenant {NOBODY}" in (caught.value.details() or "")


def test_an_update_without_the_file(start: Open) -> None:
    """A process that was not given the text of a new file says so, and sends nothing."""
    kept = start().made(inputs(fresh_vpptoken(days=200)))
    renewed = start().good(inputs(fresh_vpptoken(days=300)), kept.inputs)
    with pytest.raises(grpc.RpcError) as caught:
        start().update(kept, renewed)

    assert "this run did not read it" in (caught.value.details() or "")
    assert start().read(kept).properties["tokenFile"] == struct_pb2.Struct(
        fields=struct(kept.outputs["tokenFile"]).fields
    )


def test_a_preview_without_a_file_promises_the_one_applied(start: Open) -> None:
    """Where the program names no file any more, an update leaves the file that was applied, and its preview says so."""
    kept = start().made(inputs(fresh_vpptoken()))
    news = {name: value for name, value in inputs(None, displayName="Other").items() if value is not None}
    door = start()
    checked = door.good(news, kept.inputs)
    promised = plain(door.update(kept, checked, preview=True).properties)
    updated = start().updated(kept, news)
    for name in ("token", "tokenFile"):
        assert promised[name] == updated.outputs[name]


def test_a_shifted_expiration_is_remembered(start: Open, tenant: RefusesSyncs) -> None:
    """What Intune shows of the own upload is no renewal elsewhere, after a refresh and after the next update."""
    file = fresh_vpptoken()
    kept = start().made(inputs(file))
    shown = (day(300) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    tenant.edit_by_hand(kept.id, {"expirationDateTime": shown})
    for name in ("Lincoln", "Lincoln (new)"):
        kept = start().updated(kept, inputs(file, displayName=name))
        answer = start().read(kept)
        assert plain(answer.inputs) == kept.inputs
        kept = Record(kept.id, kept.inputs, plain(answer.properties))
        assert kept.outputs["__shownExpiration"] == shown
        assert start().planned(kept, inputs(file, displayName=name)).changes == DIFF.DIFF_NONE
