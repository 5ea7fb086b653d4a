"""Diff over a live channel: what an update would change, property by property."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from builders import Record, fresh_vpptoken
from core.strategies import args, states
from intune_vpp.core import pulumi_state
from intune_vpp.engine.unknowns import SENTINELS, to_engine
from plugin.door import Door, asset, details, inputs, output, plain, secret

if TYPE_CHECKING:
    from intune_vpp.core.vpp_token import VppTokenArgs, VppTokenState
    from plugin.conftest import Open
    from tenant_in_process import RefusesSyncs

LATER = min(SENTINELS)


def test_nothing_changed(start: Open) -> None:
    """The same inputs are no change: in another process, case, order or wrapping, and without the file."""
    file = fresh_vpptoken()
    asked = inputs(file, countryOrRegion="US", roleScopeTagIds=["0", "7"])
    kept = start().made(asked)

    for again in (
        asked,
        {**asked, "countryOrRegion": "us", "roleScopeTagIds": ["7", "0"]},
        {**asked, "token": secret(asset(text=file)), "displayName": secret(output(value="Lincoln"))},
        {**asked, "token": None, "appleId": "VPP@contoso.example", "countryOrRegion": None},
        {**asked, "deletionProtection": True, "claimTokenManagementFromExternalMdm": True},
    ):
        assert details(start().planned(kept, again)) == {}


@pytest.mark.parametrize(
    ("differing", "expected"),
    [
        ({"displayName": "Lincoln School"}, {"displayName": ("UPDATE", True)}),
        ({"displayName": LATER}, {"displayName": ("UPDATE", True)}),
        ({"organizationName": LATER}, {"organizationName": ("UPDATE", True)}),
        ({"countryOrRegion": "US"}, {"countryOrRegion": ("ADD", True)}),
        ({"countryOrRegion": LATER}, {"countryOrRegion": ("ADD", True)}),
        ({"roleScopeTagIds": ["7"]}, {"roleScopeTagIds": ("UPDATE", True)}),
        ({"waitForSync": None}, {"waitForSync": ("UPDATE", True)}),
        ({"deletionProtection": False}, {"deletionProtection": ("UPDATE", True)}),
        ({"expectedLocationName": None}, {"expectedLocationName": ("DELETE", True)}),
        ({"token": LATER}, {"token": ("UPDATE", True)}),
        ({"displayName": None}, {}),
    ],
)
def test_one_change(start: Open, differing: dict[str, Any], expected: dict[str, tuple[str, bool]]) -> None:
    """Each is shown under its own name, what was not there as added, what is not there any more as deleted."""
    file = fresh_vpptoken()
    asked = inputs(file, expectedLocationName="Lincoln")
    kept = start().made(asked)
    assert details(start().planned(kept, {**asked, **differing})) == expected


def test_a_renewal_shows_what_the_file_says(start: Open) -> None:
    """Another file is shown by its fingerprint and its end; another organization too."""
    kept = start().made(inputs(fresh_vpptoken(days=200)))
    renewal = {"token": ("UPDATE", True), "tokenFile.expirationDateTime": ("UPDATE", False)}
    assert details(start().planned(kept, inputs(fresh_vpptoken(days=300)))) == renewal

    renamed = inputs(fresh_vpptoken(days=300, organization="Fabrikam"), organizationName="Fabrikam")
    assert details(start().planned(kept, renamed)) == {
        **renewal,
        "tokenFile.organizationName": ("UPDATE", False),
        "organizationName": ("UPDATE", True),
    }


def test_the_first_file_of_an_imported_token(start: Open, tenant: RefusesSyncs) -> None:
    """A file that ends later than the one in Intune is shown as a change, with its end."""
    imported = start().made(inputs(fresh_vpptoken(days=200)))
    read = start().imported(imported.id)
    kept = Record(imported.id, plain(read.inputs), plain(read.properties))
    assert [token.id for token in tenant.tokens] == [kept.id]
    file = fresh_vpptoken(days=300)

    assert details(start().planned(kept, inputs(file)))["tokenFile.expirationDateTime"] == ("UPDATE", False)


def test_what_only_an_output_shows(start: Open, tenant: RefusesSyncs) -> None:
    """A sync to repeat, a claim and a wrong location are shown by the output that asks for the update."""
    file = fresh_vpptoken()
    kept = start().made(inputs(file))
    pending = Record(kept.id, kept.inputs, {**kept.outputs, "syncPending": True})
    asked = {**kept.inputs, "expectedLocationName": "York"}
    elsewhere = Record(kept.id, asked, {**kept.outputs, "__inputs": asked})
    external = Record(kept.id, kept.inputs, {**kept.outputs, "state": "assignedToExternalMDM"})
    claim = inputs(file, claimTokenManagementFromExternalMdm=True)

    assert details(start().planned(pending, inputs(file))) == {}
    assert details(start().planned(pending, inputs(file, waitForSync=True))) == {
        "syncPending": ("UPDATE", False),
        "waitForSync": ("UPDATE", True),
    }
    assert details(start().planned(elsewhere, inputs(file, expectedLocationName="York"))) == {
        "locationName": ("UPDATE", False)
    }
    assert details(start().planned(external, claim)) == {"state": ("UPDATE", False)}
    assert len(tenant.tokens) == 1


def test_ignored_changes(start: Open) -> None:
    """A property that is to be ignored is none of the changes, named alone or by a path into it."""
    kept = start().made(inputs(fresh_vpptoken(days=200), roleScopeTagIds=["0"]))
    provider = start()
    changed = provider.good(inputs(fresh_vpptoken(days=300), displayName="York", roleScopeTagIds=["7"]), kept.inputs)

    assert set(details(provider.diff(kept, changed, ignoring=("displayName", "roleScopeTagIds[0]")))) == {
        "token",
        "tokenFile.expirationDateTime",
    }
    assert set(details(provider.diff(kept, changed, ignoring=("token",)))) == {"displayName", "roleScopeTagIds"}
    everything = ("token", "displayName", "roleScopeTagIds")
    assert details(provider.diff(kept, changed, ignoring=everything)) == {}


def test_a_refresh_asks_the_other_way_round(start: Open, tenant: RefusesSyncs) -> None:
    """What was edited by hand is shown against the inputs of the state, without a Check before."""
    kept = start().made(inputs(fresh_vpptoken()))
    tenant.edit_by_hand(kept.id, {"displayName": "By hand"})
    provider = start()
    read = provider.read(kept)
    now = Record(kept.id, plain(read.inputs), plain(read.properties))

    assert details(provider.diff(now, kept.inputs)) == {"displayName": ("UPDATE", True)}
    assert details(provider.diff(now, now.inputs)) == {}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=states(args(unknowns=False)), asked=args(unknowns=True))
def test_the_answer_agrees_with_itself(provider: Door, state: VppTokenState, asked: VppTokenArgs) -> None:
    """Some change or none, the names and the details say the same, for whatever state and inputs."""
    kept = Record(state.id, _written(pulumi_state.args_to(state.inputs)), _written(pulumi_state.state_to(state)))

    details(provider.diff(kept, _written(pulumi_state.args_to(asked))))


def _written(properties: dict[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = to_engine(properties)
    return written
