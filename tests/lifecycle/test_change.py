"""Members change: a PATCH holds what changed and nothing else, and often there is no PATCH at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from builders import token_inputs, vpptoken
from intune_vpp.core.errors import TokenGone
from intune_vpp_emulator.tenant import Tenant
from run_in_process import LIST, PATCH, SYNC, Run
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.mark.parametrize(
    ("member", "before", "after"),
    [
        ("appleId", "vpp@contoso.example", "apps@contoso.example"),
        ("vppTokenAccountType", "business", "education"),
        ("displayName", "Lincoln", "Lincoln Elementary"),
        ("countryOrRegion", "us", "gb"),
        ("automaticallyUpdateApps", True, False),
        ("dataSharingConsentGranted", True, False),
        ("roleScopeTagIds", ["0"], ["0", "7"]),
        ("appleDeviceAppDeliveryProtocolType", "default", "declarativeDeviceManagement"),
    ],
)
def test_changed_member_alone_is_sent(tenant: Tenant, member: str, before: object, after: object) -> None:
    """Each managed member is changed by one PATCH that holds it and nothing else, without a sync."""
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text, **{member: before})).state
    run = Run(tenant)
    outcome = run.up(state, token_inputs(text, **{member: after}))
    assert run.requests == [PATCH]
    assert run.bodies("PATCH") == [{member: after}]
    assert outcome.failure is None
    assert (outcome.state.id, outcome.state.token_file) == (state.id, state.token_file)
    assert not Run(tenant).preview(outcome.state, token_inputs(text, **{member: after}))


def test_many_changed_members_are_one_request(tenant: Tenant) -> None:
    """Members that change together are sent together."""
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text, countryOrRegion="US")).state
    run = Run(tenant)
    run.up(state, token_inputs(text, countryOrRegion="US", displayName="Monroe", automaticallyUpdateApps=True))
    assert run.requests == [PATCH]
    assert run.bodies("PATCH") == [{"displayName": "Monroe", "automaticallyUpdateApps": True}]
    assert run.reporter.infos == [
        "Changes displayName, automaticallyUpdateApps of Lincoln in place; id and apps are kept."
    ]


def test_same_program_sends_nothing(tenant: Tenant) -> None:
    """No change, no request, not even a sign-in."""
    inputs = token_inputs(vpptoken())
    state = Run(tenant).create(inputs).state
    run = Run(tenant)
    assert run.up(state, inputs).state == state
    assert run.log == []
    assert run.reporter.said == []


@pytest.mark.parametrize("option", ["waitForSync", "deletionProtection"])
def test_options_of_the_provider_need_no_request(tenant: Tenant, option: str) -> None:
    """What only the provider does with a token changes in the state alone, and is quiet afterwards."""
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text)).state
    run = Run(tenant)
    changed = run.up(state, token_inputs(text, **{option: False})).state
    assert run.requests == []
    assert run.reporter.infos == [f"Changes {option} of Lincoln in the state only, without a request."]
    assert changed.observed == state.observed
    assert not Run(tenant).preview(changed, token_inputs(text, **{option: False}))
    # True is what leaving it out means.
    assert not Run(tenant).preview(state, token_inputs(text, **{option: True}))
    assert Run(tenant).preview(changed, token_inputs(text))


def test_input_that_is_left_out_again_is_left_alone(tenant: Tenant) -> None:
    """A member that the program no longer names is neither cleared nor reported."""
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text, countryOrRegion="US")).state
    run = Run(tenant)
    run.up(state, token_inputs(text))
    assert run.requests == []


def test_token_may_be_left_out_afterwards(tenant: Tenant) -> None:
    """A program without the file changes the other members and keeps what is known of the file."""
    state = Run(tenant).create(token_inputs(vpptoken())).state
    run = Run(tenant)
    changed = run.up(state, token_inputs(None, displayName="Monroe")).state
    assert run.requests == [PATCH]
    assert changed.token_file == state.token_file


@pytest.mark.parametrize(
    ("member", "before", "after"),
    [
        ("countryOrRegion", "GB", "gb"),
        ("appleId", "vpp@contoso.example", "VPP@Contoso.example"),
        ("roleScopeTagIds", ["0", "7"], ["7", "0"]),
    ],
)
def test_another_spelling_is_no_change(tenant: Tenant, member: str, before: object, after: object) -> None:
    """Countries and Apple IDs compare without case, scope tags as a set."""
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text, **{member: before})).state
    run = Run(tenant)
    assert not run.preview(state, token_inputs(text, **{member: after}))
    assert not run.drift(state)


@pytest.mark.parametrize(
    ("member", "before", "after", "says"),
    [
        ("roleScopeTagIds", ["0"], ["0", "7"], "roleScopeTagIds 0 for Lincoln, not 0, 7 as requested."),
        ("roleScopeTagIds", ["0"], [], "roleScopeTagIds 0 for Lincoln, not none as requested."),
        ("automaticallyUpdateApps", False, True, "automaticallyUpdateApps false for Lincoln, not true as requested."),
        ("countryOrRegion", "US", "GB", 'countryOrRegion "us" for Lincoln, not "GB" as requested.'),
    ],
)
def test_a_member_that_graph_keeps_is_shown_as_in_the_program(
    member: str, before: object, after: object, says: str
) -> None:
    """The warning of a value that Intune does not take has no spelling of Python: lists and booleans are plain."""

    class KeepsOneMember(Tenant):
        def patch(self, token_id: str, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
            return super().patch(token_id, {name: body[name] for name in body if name != member}, **options)

    tenant = new_tenant(KeepsOneMember)
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text, **{member: before})).state
    run = Run(tenant)
    run.up(state, token_inputs(text, **{member: after}))
    assert run.reporter.warnings == [f"Intune shows {says}"]


def test_organization_that_graph_keeps_is_a_warning() -> None:
    """Where Graph answers 200 and keeps its own organization, one warning has both names, and no change is planned."""

    class IgnoresOrganizations(Tenant):
        def patch(self, token_id: str, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
            return super().patch(token_id, {name: body[name] for name in body if name != "organizationName"}, **options)

    tenant = new_tenant(IgnoresOrganizations)
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text, organizationName="Contoso")).state
    renamed = token_inputs(text, organizationName="Fabrikam")
    run = Run(tenant)
    outcome = run.up(state, renamed)
    assert run.bodies("PATCH") == [{"organizationName": "Fabrikam"}]
    assert run.reporter.warnings == [
        'Intune shows organizationName "Contoso" for Lincoln, not "Fabrikam" as requested.'
    ]
    assert outcome.failure is None
    later = Run(tenant)
    assert not later.preview(outcome.state, renamed)
    assert not later.drift(outcome.state)
    assert later.reporter.said == []


def test_organization_is_sent_like_any_member(tenant: Tenant) -> None:
    """Where Graph takes another organization, the update is silent."""
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text, organizationName="Contoso")).state
    run = Run(tenant)
    outcome = run.up(state, token_inputs(text, organizationName="Fabrikam"))
    assert run.bodies("PATCH") == [{"organizationName": "Fabrikam"}]
    assert outcome.state.observed.organization_name == "Fabrikam"
    assert run.reporter.warnings == []


def test_claim_alone_is_no_change(tenant: Tenant) -> None:
    """A claim is an operation: naming it for a healthy token plans nothing."""
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text)).state
    assert not Run(tenant).preview(state, token_inputs(text, claimTokenManagementFromExternalMdm=True))


@pytest.mark.parametrize("at_hand", [True, False])
def test_location_that_another_mdm_took_is_claimed_back(*, at_hand: bool) -> None:
    """Seen with another MDM, the location is claimed by one PATCH, with the file where it is at hand, and synced."""

    class Claimable(Tenant):
        def patch(self, token_id: str, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
            if body.get("claimTokenManagementFromExternalMdm"):
                self.edit_by_hand(token_id, {"state": "valid"})
            return super().patch(token_id, body, **options)

    tenant = new_tenant(Claimable)
    claiming = token_inputs(None, claimTokenManagementFromExternalMdm=True)
    file = {"token": vpptoken()}
    state = Run(tenant).create(claiming | file).state
    inputs = claiming | file if at_hand else claiming
    tenant.edit_by_hand(state.id, {"state": "assignedToExternalMDM"})
    refreshed = Run(tenant).refresh(state)
    assert refreshed is not None
    run = Run(tenant)
    outcome = run.up(refreshed, inputs)
    assert run.requests[:2] == [PATCH, SYNC]
    assert run.bodies("PATCH") == [
        {"claimTokenManagementFromExternalMdm": True} | ({"token": "***"} if at_hand else {})
    ]
    assert run.reporter.infos == ["Claims the location of Lincoln from another MDM; id and apps are kept."]
    needs_file = (
        "Lincoln is assignedToExternalMDM in Intune (seen 2026-11-01). Another MDM manages this location, and claiming "
        "it needs the token file as well: pass it in token."
    )
    assert run.reporter.warnings == ([] if at_hand else [needs_file])
    assert (outcome.failure, outcome.state.observed.state) == (None, "valid")
    assert not Run(tenant).preview(outcome.state, inputs)


def test_claim_is_no_drift(tenant: Tenant) -> None:
    """A refresh that finds the location with another MDM warns of it; to claim it is for the update."""
    inputs = token_inputs(vpptoken(), claimTokenManagementFromExternalMdm=True)
    state = Run(tenant).create(inputs).state
    tenant.edit_by_hand(state.id, {"state": "assignedToExternalMDM"})
    refresh = Run(tenant)
    assert not refresh.drift(state)
    assert refresh.reporter.infos == []
    will_claim = (
        "Lincoln is assignedToExternalMDM in Intune (seen 2026-11-01). Another MDM manages this location; the next "
        "update claims it."
    )
    assert set(refresh.reporter.warnings) == {will_claim}
    now = Run(tenant).refresh(state)
    assert now is not None
    assert Run(tenant).preview(now, inputs).claims


def test_location_with_another_mdm_is_not_taken_unasked(tenant: Tenant) -> None:
    """Without the claim nothing is planned, and the cure is reported."""
    inputs = token_inputs(vpptoken())
    state = Run(tenant).create(inputs).state
    tenant.edit_by_hand(state.id, {"state": "assignedToExternalMDM"})
    refreshed = Run(tenant).refresh(state)
    assert refreshed is not None
    run = Run(tenant)
    assert not run.preview(refreshed, inputs)
    assert run.reporter.warnings == [
        (
            "Lincoln is assignedToExternalMDM in Intune (seen 2026-11-01). Another MDM manages this location. "
            "Claim it (claimTokenManagementFromExternalMdm: true, together with the token file), or remove it there."
        )
    ]


def test_one_way_change_warns(tenant: Tenant) -> None:
    """A change of the delivery protocol is reported as one that may not be undone."""
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text)).state
    run = Run(tenant)
    run.preview(state, token_inputs(text, appleDeviceAppDeliveryProtocolType="declarativeDeviceManagement"))
    assert run.reporter.warnings == [
        (
            "Changing appleDeviceAppDeliveryProtocolType of Lincoln may be irreversible: Intune does not allow "
            "switching back for individual apps."
        )
    ]


def test_change_of_a_token_that_is_gone_is_reported(tenant: Tenant) -> None:
    """A change of a token that somebody deleted fails and says what to do; nothing is created."""
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text)).state
    tenant.delete(state.id)
    run = Run(tenant)
    with pytest.raises(
        TokenGone,
        match=r"was deleted in Intune: Microsoft Graph returned 404 and does not list it\. Refresh the stack, then",
    ):
        run.up(state, token_inputs(text, displayName="Monroe"))
    assert run.requests == [PATCH, LIST]
    assert tenant.tokens == []
