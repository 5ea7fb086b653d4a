"""A token that is there already is taken over: a rename, a forced replacement, a lost state."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from builders import NEXT_YEAR, token_inputs, vpptoken
from intune_vpp.core.errors import AdoptionRefused
from run_in_process import GET, LIST, PATCH, POST, SYNC, Run

if TYPE_CHECKING:
    from intune_vpp.core.vpp_token import VppTokenState
    from intune_vpp_emulator.tenant import Tenant


def by_hand(tenant: Tenant, text: str, **members: object) -> str:
    """The id of a token that somebody uploaded in the portal."""
    uploaded = {"token": text, "appleId": "vpp@contoso.example", "displayName": "Lincoln", **members}
    token_id = tenant.create_by_hand(uploaded)["id"]
    assert isinstance(token_id, str)
    return token_id


def taken_over(state: VppTokenState) -> str:
    """The warning of a take-over."""
    return (
        f"Token {state.id} (Lincoln) was created from this file before, so it was adopted instead of created. If "
        "another stack manages it, remove it from one of the stacks' states. If this stack contains it twice, remove "
        "the older resource from the state: destroying it would delete the token."
    )


def test_rename_takes_over_and_leaves_alone(tenant: Tenant) -> None:
    """A resource with a new name takes the token over; the deletion of the old name leaves it alone."""
    inputs = token_inputs(vpptoken())
    old = Run(tenant).create(inputs).state
    run = Run(tenant)
    outcome = run.create(inputs)
    run.delete(old)
    assert run.requests == [LIST]
    assert run.reporter.warnings == []
    assert run.reporter.infos == [
        "Creates Lincoln (valid until 2027-11-01), or adopts the token already created from this file.",
        taken_over(old),
        f"Lincoln was not deleted: another resource of this program manages token {old.id}.",
    ]
    assert (outcome.failure, outcome.state.id) == (None, old.id)
    assert outcome.state.token_file == old.token_file
    assert [one.id for one in tenant.tokens] == [old.id]
    later = Run(tenant)
    assert not later.preview(outcome.state, inputs)
    assert not later.drift(outcome.state)


def test_forced_replacement_keeps_the_id(tenant: Tenant) -> None:
    """`--replace` creates nothing and deletes nothing; members that changed with it are one PATCH without the file."""
    text = vpptoken()
    old = Run(tenant).create(token_inputs(text, deletionProtection=False, countryOrRegion="US")).state
    run = Run(tenant)
    replaced = run.create(token_inputs(text, deletionProtection=False, countryOrRegion="GB")).state
    run.delete(old)
    assert run.requests == [LIST, PATCH]
    assert run.bodies("PATCH") == [{"countryOrRegion": "GB"}]
    assert replaced.id == old.id
    assert replaced.observed.country_or_region == "gb"
    assert [one.id for one in tenant.tokens] == [old.id]


def test_lost_state_finds_its_token(tenant: Tenant) -> None:
    """A program without its state takes over what it created, and syncs what was never synced."""
    inputs = token_inputs(vpptoken())
    lost = Run(tenant).create({**inputs, "waitForSync": False}).state
    run = Run(tenant)
    found = run.create(inputs).state
    assert run.requests == [LIST, SYNC, LIST]
    assert run.reporter.warnings == []
    assert taken_over(lost) in run.reporter.infos
    assert (found.id, found.sync_pending, found.observed.last_sync_status) == (lost.id, False, "completed")


def test_lost_state_of_a_token_that_need_not_wait(tenant: Tenant) -> None:
    """Without waiting, a take-over needs no request beside the LIST, and is what the creation was."""
    inputs = token_inputs(vpptoken(), waitForSync=False)
    lost = Run(tenant).create(inputs).state
    run = Run(tenant)
    found = run.create(inputs).state
    assert run.requests == [LIST]
    # The LIST before the create has shown that there is no duplicate; only an upload shows the encoding of the file.
    assert found == replace(lost, look_for_duplicates=False, token_encoding=None)
    assert not Run(tenant).preview(found, inputs)


@pytest.mark.parametrize(
    "members",
    [{"appleId": "other@contoso.example"}, {"displayName": "Monroe"}],
)
def test_token_of_other_members_is_not_taken_over(tenant: Tenant, members: dict[str, str]) -> None:
    """A token that was made from the same file under another name or Apple ID is refused before anything is sent.

    Adopting it, as the sentence says, manages it.
    """
    text = vpptoken()
    token_id = by_hand(tenant, text, **members)
    shown = {"displayName": "Lincoln", "appleId": "vpp@contoso.example", **members}
    run = Run(tenant)
    with pytest.raises(AdoptionRefused) as refused:
        run.create(token_inputs(text, waitForSync=False))
    assert str(refused.value) == (
        "The tenant already has a token created from this file, with another display name or Apple ID: "
        f'{token_id} ("{shown["displayName"]}", Apple ID {shown["appleId"]}). Nothing was created. '
        f"To manage that token, set adoptTokenId to {token_id}."
    )
    assert run.requests == [LIST]
    adopted = Run(tenant).create(token_inputs(text, waitForSync=False, adoptTokenId=token_id)).state
    assert [one.id for one in tenant.tokens] == [adopted.id] == [token_id]


@pytest.mark.parametrize(
    "other",
    [vpptoken(organization="Fabrikam"), vpptoken(expires=NEXT_YEAR + timedelta(seconds=1))],
    ids=["organization", "expiration"],
)
def test_token_of_another_file_is_not_taken_over(tenant: Tenant, other: str) -> None:
    """A token of another organization, or that expires in another second, is another token."""
    by_hand(tenant, other)
    run = Run(tenant)
    run.create(token_inputs(vpptoken("Monroe"), waitForSync=False))
    assert run.requests == [LIST, POST]


def test_spelling_does_not_hide_a_token(tenant: Tenant) -> None:
    """An Apple ID in another case, and a name that the program leaves out, are the same token."""
    text = vpptoken()
    token_id = by_hand(tenant, text)
    run = Run(tenant)
    inputs = token_inputs(text, appleId="VPP@contoso.example", displayName=None, waitForSync=False)
    assert run.create(inputs).state.id == token_id
    assert run.requests == [LIST]


def test_two_candidates_are_refused(tenant: Tenant) -> None:
    """Two tokens that could be this one are an error that lists both ids, and nothing is created."""
    text = vpptoken()
    ids = [by_hand(tenant, text), by_hand(tenant, text)]
    run = Run(tenant)
    with pytest.raises(AdoptionRefused) as refused:
        run.create(token_inputs(text))
    assert str(refused.value) == (
        f'2 tokens of the tenant were created from this file: {ids[0]} ("Lincoln", Apple ID vpp@contoso.example), '
        f'{ids[1]} ("Lincoln", Apple ID vpp@contoso.example). Nothing was created. Set adoptTokenId to the id of the '
        "right one, or delete the others in Intune."
    )
    assert run.requests == [LIST]


def test_token_of_another_resource_is_not_taken_over(tenant: Tenant) -> None:
    """A token that was met as another resource in this run stays that resource's: the new one is created."""
    text, twin = vpptoken(), vpptoken("Monroe")
    state = Run(tenant).create(token_inputs(text)).state
    run = Run(tenant)
    run.up(state, token_inputs(text))
    created = run.create(token_inputs(twin, waitForSync=False)).state
    assert run.requests == [LIST, POST]
    assert created.id != state.id


def test_token_created_in_this_run_is_not_taken_over(tenant: Tenant) -> None:
    """Two new resources alike in all but their files become two tokens."""
    run = Run(tenant)
    ids = {
        run.create(token_inputs(vpptoken(location), waitForSync=False)).state.id for location in ("Lincoln", "Monroe")
    }
    assert run.requests == [LIST, POST, POST]
    assert len(ids) == 2


def test_take_over_puts_members_right(tenant: Tenant) -> None:
    """What the program manages and the token has otherwise is sent by one PATCH, never the file."""
    text = vpptoken()
    token_id = by_hand(tenant, text, countryOrRegion="fr", automaticallyUpdateApps=True)
    inputs = token_inputs(text, countryOrRegion="US", roleScopeTagIds=["0"], waitForSync=False)
    run = Run(tenant)
    state = run.create(inputs).state
    assert run.requests == [LIST, PATCH]
    assert run.bodies("PATCH") == [{"countryOrRegion": "US"}]
    assert (state.id, state.observed.automatically_update_apps) == (token_id, True)
    assert not Run(tenant).preview(state, inputs)


def test_take_over_checks_the_location(tenant: Tenant) -> None:
    """A token that is taken over must be for the location that is expected."""
    text = vpptoken("Monroe")
    by_hand(tenant, text)
    outcome = Run(tenant).create(token_inputs(text, expectedLocationName="Lincoln", waitForSync=False))
    assert 'for the location "Monroe", but "Lincoln" is expected' in str(outcome.failure)


def test_rename_with_an_adoption_leaves_alone_too(tenant: Tenant) -> None:
    """A token that is adopted under another name in the same run is left alone by the deletion of the old one."""
    text = vpptoken()
    old = Run(tenant).create(token_inputs(text, deletionProtection=False)).state
    run = Run(tenant)
    assert run.create(token_inputs(text, adoptTokenId=old.id)).state.id == old.id
    run.delete(old)
    assert run.requests == [GET]
    assert [one.id for one in tenant.tokens] == [old.id]


def test_second_resource_with_the_same_token_is_reported(tenant: Tenant) -> None:
    """A resource declared before the one that has the token takes it over; the program's mistake is then named."""
    inputs = token_inputs(vpptoken())
    first = Run(tenant).create(inputs).state
    run = Run(tenant)
    run.create(inputs)
    run.preview(first, inputs)
    assert taken_over(first) in run.reporter.infos
    assert run.reporter.warnings == [
        f"Two resources of this program manage token {first.id}. Remove one of them from the program.",
    ]


@pytest.mark.parametrize(("name", "adopted"), [("Lincoln", True), ("Other", False), (None, False)])
def test_an_organization_that_intune_does_not_name(tenant: Tenant, name: str | None, adopted: bool) -> None:  # noqa: FBT001 - a table
    """A token without its organization is the program's only where display name and Apple ID say so; else refused."""
    text = vpptoken()
    token_id = by_hand(tenant, text, displayName="Lincoln")
    tenant.edit_by_hand(token_id, {"organizationName": None})
    run = Run(tenant)
    if adopted:
        assert run.create(token_inputs(text, waitForSync=False)).state.id == token_id
    else:
        with pytest.raises(AdoptionRefused, match=token_id):
            run.create(token_inputs(text, displayName=name, waitForSync=False))
    # The listing may have left out the organization: the token itself is asked.
    assert run.requests == [LIST, GET]
