"""Diff, Create, Read, Update and Delete through the dynamic door, against an emulated tenant in the process."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from builders import Record, day, fresh_vpptoken
from dynamic.calls import bare, changes, inputs, made, updated
from intune_vpp.core.errors import AdoptionRefused, DeletionRefused, PermissionMissing, TokenFileError
from intune_vpp_emulator.members import Version
from tenant_in_process import UNAVAILABLE

if TYPE_CHECKING:
    from dynamic.conftest import Start
    from engine_room.engine import Engine
    from tenant_in_process import RefusesSyncs

STRING_SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
GONE = "22222222-2222-4222-8222-222222222222"


def test_a_token_is_created(start: Start, tenant: RefusesSyncs) -> None:
    """Create answers Graph's id and every output, the inputs among them under a name that the engine does not show."""
    file = fresh_vpptoken()
    kept = made(start(), inputs(file))

    assert [token.id for token in tenant.tokens] == [kept.id]
    assert kept.outputs["__inputs"] == bare(kept.inputs)
    assert kept.outputs["token"] == kept.inputs["token"]
    assert kept.outputs["tokenFile"] == kept.inputs["tokenFile"]
    assert {name: kept.outputs[name] for name in ("tenantId", "displayName", "state", "deletionProtection")} == {
        "tenantId": tenant.directory.tenant_id,
        "displayName": "Lincoln",
        "state": "valid",
        "deletionProtection": True,
    }
    assert file not in repr(kept.outputs)


def test_a_creation_that_graph_refuses_is_raised(start: Start, tenant: RefusesSyncs) -> None:
    """Where nothing was created the error is raised, and says what to do."""
    visitor = tenant.directory.visitor
    provider = start(clientId=visitor.client_id, clientSecret=visitor.client_secret)

    with pytest.raises(PermissionMissing, match="admin consent"):
        made(provider, inputs(fresh_vpptoken()))

    assert tenant.tokens == []


def test_a_creation_without_the_text_is_raised(start: Start, tenant: RefusesSyncs) -> None:
    """A process that was not given the file sends nothing."""
    checked = start().check({}, inputs(fresh_vpptoken())).inputs

    with pytest.raises(TokenFileError, match="this run did not read it"):
        start().create(checked)

    assert tenant.tokens == []


def test_nothing_changed(start: Start) -> None:
    """The same inputs are no change: also from another process, in another case, and in another order."""
    file = fresh_vpptoken()
    kept = made(start(), inputs(file, countryOrRegion="US", roleScopeTagIds=["0", "7"]))

    assert changes(start(), kept, inputs(file, countryOrRegion="US", roleScopeTagIds=["0", "7"])) is False
    assert changes(start(), kept, inputs(file, countryOrRegion="us", roleScopeTagIds=["7", "0"])) is False
    assert changes(start(), kept, inputs(None, appleId="VPP@contoso.example")) is False


@pytest.mark.parametrize(
    "differing",
    [
        {"displayName": "Lincoln Elementary"},
        {"countryOrRegion": "US"},
        {"automaticallyUpdateApps": True},
        {"deletionProtection": False},
        {"expectedLocationName": "Lincoln"},
        {"roleScopeTagIds": ["7"]},
        {"displayName": STRING_SENTINEL},
        {"token": STRING_SENTINEL},
    ],
)
def test_a_change_is_shown_by_the_engine(start: Start, differing: dict[str, Any]) -> None:
    """Where the inputs differ Diff leaves the display to the engine: None."""
    file = fresh_vpptoken()
    kept = made(start(), inputs(file))

    assert changes(start(), kept, {**inputs(file), **differing}) is None


def test_a_renewal_is_shown_by_the_engine(start: Start, engine: Engine) -> None:
    """Another file is shown by the engine too, and reported in a sentence."""
    kept = made(start(), inputs(fresh_vpptoken(days=200)))

    assert changes(start(), kept, inputs(fresh_vpptoken(days=300))) is None
    _, renewal = engine.logged("INFO")
    assert renewal.startswith("Renews Lincoln in place (expires ")


def test_what_the_engine_cannot_see_is_said_outright(start: Start, tenant: RefusesSyncs) -> None:
    """A sync to repeat and a location to claim change no input: True."""
    file = fresh_vpptoken()
    tenant.refusal = UNAVAILABLE
    unsynced = made(start(), inputs(file, waitForSync=True))
    assert changes(start(), unsynced, inputs(file, waitForSync=True)) is True

    tenant.edit_by_hand(unsynced.id, {"state": "assignedToExternalMDM"})
    lost = start().read(unsynced.id, unsynced.outputs)
    claim = inputs(file, claimTokenManagementFromExternalMdm=True, waitForSync=None)
    assert changes(start(), Record(unsynced.id, unsynced.inputs, lost.outs or {}), claim) is True


def test_a_file_after_a_renewal_elsewhere_is_said_outright(start: Start, tenant: RefusesSyncs) -> None:
    """When Intune holds a file that came another way, the old inputs may name the new file already: True."""
    old, portal, new = fresh_vpptoken(days=200), fresh_vpptoken(days=300), fresh_vpptoken(days=400)
    kept = made(start(), inputs(old))
    tenant.patch(kept.id, {"token": portal}, version=Version.BETA)
    result = start().read(kept.id, kept.outputs)
    refreshed = Record(kept.id, result.inputs or {}, result.outs or {})

    assert refreshed.inputs["token"] == "renewed elsewhere"
    assert changes(start(), refreshed, inputs(portal)) is False
    assert changes(start(), refreshed, inputs(new)) is True


def test_refresh_shows_what_moved(start: Start, tenant: RefusesSyncs, engine: Engine) -> None:
    """Diff from what Read found to the inputs before it is a change, reported as drift."""
    file = fresh_vpptoken()
    kept = made(start(), inputs(file))
    tenant.edit_by_hand(kept.id, {"displayName": "Edited"})
    provider = start()
    result = provider.read(kept.id, kept.outputs)

    assert (result.id, result.inputs) == (kept.id, {**bare(kept.inputs), "displayName": "Edited"})
    assert result.outs is not None
    assert result.outs["displayName"] == "Edited"
    assert result.outs["__inputs"] == result.inputs
    assert provider.diff(kept.id, result.outs, kept.inputs).changes is None
    assert engine.logged("INFO")[1:] == ["Edited was changed outside of Pulumi: display_name."]


def test_read_is_quiet(start: Start) -> None:
    """Reading right after creating finds the inputs as they were."""
    kept = made(start(), inputs(fresh_vpptoken()))
    result = start().read(kept.id, kept.outputs)

    assert (result.id, result.inputs) == (kept.id, bare(kept.inputs))
    assert start().diff(kept.id, result.outs or {}, kept.inputs).changes is False


def test_a_token_that_is_gone(start: Start, tenant: RefusesSyncs) -> None:
    """Read answers an empty id, which is how the engine hears it; deleting it once more is no error."""
    kept = made(start(), inputs(fresh_vpptoken(), deletionProtection=False))
    tenant.delete(kept.id)

    result = start().read(kept.id, kept.outputs)
    start().delete(kept.id, kept.outputs)

    assert (result.id, result.outs, result.inputs) == ("", {}, None)


def test_read_warns(start: Start, tenant: RefusesSyncs, engine: Engine) -> None:
    """A token in trouble is reported at every refresh."""
    kept = made(start(), inputs(fresh_vpptoken()))
    tenant.edit_by_hand(kept.id, {"state": "invalid"})
    start().read(kept.id, kept.outputs)

    (warning,) = engine.logged("WARNING")
    assert warning.startswith("Lincoln is invalid in Intune (seen 20")


def test_an_update_and_a_renewal(start: Start, tenant: RefusesSyncs) -> None:
    """Update keeps the id, sends what changed, and answers the new state."""
    old, new = fresh_vpptoken(days=200), fresh_vpptoken(days=300)
    kept = made(start(), inputs(old))

    renamed = updated(start(), kept, inputs(old, displayName="Lincoln Elementary"))
    renewed = updated(start(), renamed, inputs(new, displayName="Lincoln Elementary"))

    assert renewed.outputs["displayName"] == "Lincoln Elementary"
    assert renewed.outputs["token"] == renewed.inputs["token"] != kept.outputs["token"]
    assert renewed.outputs["__inputs"] == bare(renewed.inputs)
    assert [token.id for token in tenant.tokens] == [kept.id]
    assert changes(start(), renewed, inputs(new, displayName="Lincoln Elementary")) is False


def test_a_failed_sync_keeps_the_state(start: Start, tenant: RefusesSyncs, engine: Engine) -> None:
    """This door has no partial failure: the new state is answered, a warning says what failed, the next up repeats."""
    file = fresh_vpptoken()
    tenant.refusal = UNAVAILABLE
    kept = made(start(), inputs(file, waitForSync=True))

    (warning,) = engine.logged("WARNING")
    assert "The licence service is away. This is usually temporary" in warning
    assert warning.endswith("The token is kept in the state.")
    assert (kept.id, kept.outputs["syncPending"], engine.logged("ERROR")) == (tenant.tokens[0].id, True, [])

    tenant.refusal = None
    tenant.edit_by_hand(kept.id, {"lastSyncStatus": "completed", "lastSyncDateTime": "2026-01-01T00:00:00Z"})
    assert changes(start(), kept, inputs(file, waitForSync=True)) is True
    again = updated(start(), kept, inputs(file, waitForSync=True))
    assert again.outputs["syncPending"] is False
    assert changes(start(), again, inputs(file, waitForSync=True)) is False


def test_a_protected_token_is_not_deleted(start: Start, tenant: RefusesSyncs) -> None:
    """Protection is on when nothing was said, and when the state is too old to say."""
    kept = made(start(), inputs(fresh_vpptoken()))

    for outputs in (kept.outputs, {"displayName": "Lincoln"}):
        with pytest.raises(DeletionRefused, match="Set deletion_protection to false, run pulumi up, then delete it"):
            start().delete(kept.id, outputs)

    assert len(tenant.tokens) == 1


def test_a_token_is_deleted(start: Start, tenant: RefusesSyncs) -> None:
    """Without protection the token goes."""
    kept = made(start(), inputs(fresh_vpptoken(), deletionProtection=False))
    start().delete(kept.id, kept.outputs)

    assert tenant.tokens == []


def test_an_adoption(start: Start, tenant: RefusesSyncs) -> None:
    """An existing token is taken over by its id, without a file; one that is not there is an error."""
    token_id = tenant.create_by_hand({"token": fresh_vpptoken(), "appleId": "vpp@contoso.example"})["id"]
    adopt = inputs(None, adoptTokenId=token_id, displayName="Ours")
    kept = made(start(), adopt)

    assert (kept.id, kept.outputs["displayName"]) == (token_id, "Ours")
    assert (kept.outputs["token"], "tokenFile" in kept.outputs) == ("renewed elsewhere", False)
    assert changes(start(), kept, adopt) is False
    with pytest.raises(AdoptionRefused, match=f"The token to adopt, {GONE}, was not found.*Check adopt_token_id"):
        made(start(), inputs(None, adoptTokenId=GONE))


def test_a_shifted_expiration_is_remembered(start: Start, tenant: RefusesSyncs) -> None:
    """What Intune shows of the own upload is no renewal elsewhere, after a refresh and after the next update."""
    file, expires = fresh_vpptoken(), day(300)
    kept = made(start(), inputs(file))
    shown = (expires + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    tenant.edit_by_hand(kept.id, {"expirationDateTime": shown})
    for name in ("Lincoln", "Lincoln (new)"):
        kept = updated(start(), kept, inputs(file, displayName=name))
        provider = start()
        result = provider.read(kept.id, kept.outputs)
        assert (result.outs or {})["__shownExpiration"] == shown
        assert result.inputs == bare(kept.inputs)
        kept = Record(kept.id, kept.inputs, result.outs or {})
        assert changes(start(), kept, inputs(file, displayName=name)) is False
