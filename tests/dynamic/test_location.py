"""A token for another location than expected, through the dynamic door."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from builders import fresh_vpptoken
from dynamic.calls import changes, inputs, made, updated
from intune_vpp.core.errors import RenewalRefused, WrongLocation
from tenant_in_process import UNAVAILABLE

if TYPE_CHECKING:
    from dynamic.conftest import Start
    from engine_room.engine import Engine
    from tenant_in_process import RefusesSyncs


def test_a_wrong_location_keeps_the_state(start: Start, tenant: RefusesSyncs, engine: Engine) -> None:
    """A file of another location is warned of, and the token it made is known (the program then fails the run)."""
    kept = made(start(), inputs(fresh_vpptoken(location="Roosevelt"), expectedLocationName="Lincoln"))

    (warning,) = engine.logged("WARNING")
    assert warning.startswith(f'Token {kept.id} is for the location "Roosevelt", but "Lincoln" is expected. ')
    assert [token.id for token in tenant.tokens] == [kept.id]
    assert warning.endswith("or correct expected_location_name. The token is kept in the state.")
    assert kept.outputs["locationName"] == "Roosevelt"


def test_a_wrong_location_stays_loud(start: Start, engine: Engine) -> None:
    """While the program expects another location each run is an update that fails, which no input shows: True."""
    file = fresh_vpptoken(location="Roosevelt")
    asked = inputs(file, expectedLocationName="Lincoln")
    kept = made(start(), asked)
    assert changes(start(), kept, asked) is True
    again = updated(start(), kept, asked)
    assert len(engine.logged("WARNING")) == 2
    assert again.outputs == {**kept.outputs, "__observedAt": again.outputs["__observedAt"]}
    assert engine.logged("INFO")[-1].startswith(
        'Fails: Lincoln is for the location "Roosevelt", but "Lincoln" is expected'
    )

    for expected in ("Roosevelt", None):
        right = inputs(file, expectedLocationName=expected)
        assert changes(start(), again, right) is None
        cured = updated(start(), again, right)
        assert changes(start(), cured, right) is False
        assert cured.outputs.get("expectedLocationName") == expected
    assert len(engine.logged("WARNING")) == 2


def test_a_refresh_is_quiet_about_what_is_to_be_done(start: Start, tenant: RefusesSyncs) -> None:
    """What a program did not ask for in this run is no change: no sync to repeat, no location to put right."""
    tenant.refusal = UNAVAILABLE
    asked = inputs(fresh_vpptoken(location="Roosevelt"), waitForSync=True, expectedLocationName="Lincoln")
    kept = made(start(), asked)
    provider = start()
    result = provider.read(kept.id, kept.outputs)

    assert result.outs is not None
    assert result.outs["syncPending"] is True
    assert provider.diff(kept.id, result.outs, kept.inputs).changes is False


def test_an_adoption_at_another_location(start: Start, tenant: RefusesSyncs) -> None:
    """A token at another location than expected is not adopted, and not changed."""
    token_id = tenant.create_by_hand({"token": fresh_vpptoken(location="Roosevelt"), "appleId": "vpp@contoso.example"})[
        "id"
    ]

    with pytest.raises(WrongLocation, match=r"in adopt_token_id, or correct expected_location_name\.$"):
        made(start(), inputs(None, adoptTokenId=token_id, displayName="Ours", expectedLocationName="Lincoln"))

    assert tenant.tokens[0].members["displayName"] is None


def test_the_right_file_is_the_cure_though_it_is_older(start: Start, engine: Engine) -> None:
    """This door is told no location in Check, and yet does not refuse the file that puts a misplaced token right."""
    right, mistaken = fresh_vpptoken(days=200), fresh_vpptoken(days=201, location="Roosevelt")
    kept = made(start(), inputs(right, expectedLocationName="Lincoln"))
    misplaced = updated(start(), kept, inputs(mistaken, expectedLocationName="Lincoln"))
    assert misplaced.outputs["locationName"] == "Roosevelt"

    cured = updated(start(), misplaced, inputs(right, expectedLocationName="Lincoln"))

    assert "locationName" not in cured.outputs
    assert changes(start(), cured, inputs(right, expectedLocationName="Lincoln")) is False
    assert len([warning for warning in engine.logged("WARNING") if "Roosevelt" in warning]) == 1


def test_an_older_file_of_the_right_location(start: Start, tenant: RefusesSyncs, engine: Engine) -> None:
    """Where a location is expected the preview warns of an older file, and the update refuses it."""
    kept = made(start(), inputs(fresh_vpptoken(days=300), expectedLocationName="Lincoln"))
    older = inputs(fresh_vpptoken(days=200), expectedLocationName="Lincoln")
    provider = start()

    assert changes(provider, kept, older) is None
    assert engine.logged("WARNING")[-1].startswith("The update of Lincoln will be refused: ")
    with pytest.raises(RenewalRefused, match="with an older one"):
        updated(provider, kept, older)
    assert tenant.tokens[0].members["expirationDateTime"] == kept.outputs["expirationDateTime"]
