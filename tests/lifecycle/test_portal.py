"""Somebody works in the portal: what is drift, what is not, and how a token renewed there comes back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from builders import NEXT_YEAR, NOW, token_inputs, vpptoken
from intune_vpp.core import stoken, times
from intune_vpp.core.vpp_token import UNSEEN_FINGERPRINT, TokenFile, VppTokenState
from run_in_process import LIST, PATCH, SYNC, Run

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant

SOON = NOW + timedelta(days=90)
NEWEST = NEXT_YEAR + timedelta(days=30)


def refreshed(tenant: Tenant, state: VppTokenState) -> VppTokenState:
    """The state after a refresh of its own."""
    now = Run(tenant).refresh(state)
    assert now is not None
    return now


def renewed_by_hand(tenant: Tenant) -> tuple[str, str, VppTokenState]:
    """A token of the first file, into which somebody uploaded the second; the state knows the first."""
    first, second = vpptoken(expires=SOON), vpptoken(expires=NEXT_YEAR)
    state = Run(tenant).create(token_inputs(first)).state
    tenant.edit_by_hand(state.id, {"token": second})
    tenant.clock.advance(10)
    return first, second, state


def test_member_that_nobody_manages_is_no_drift(tenant: Tenant) -> None:
    """What the program leaves out may be changed by hand, unreported and for good."""
    inputs = token_inputs(vpptoken())
    state = Run(tenant).create(inputs).state
    tenant.edit_by_hand(state.id, {"countryOrRegion": "FR", "automaticallyUpdateApps": True})
    run = Run(tenant)
    assert not run.drift(state)
    now = refreshed(tenant, state)
    assert now.inputs == state.inputs
    assert (now.observed.country_or_region, now.observed.automatically_update_apps) == ("fr", True)
    later = Run(tenant)
    later.up(now, inputs)
    assert later.requests == []
    assert run.reporter.said == []


@pytest.mark.parametrize(
    ("member", "asked", "edited"),
    [
        ("displayName", "Lincoln", "Lincoln (old)"),
        ("appleId", "vpp@contoso.example", "somebody@contoso.example"),
        ("automaticallyUpdateApps", True, False),
        ("countryOrRegion", "GB", "fr"),
        ("roleScopeTagIds", ["0"], ["0", "9"]),
    ],
)
def test_managed_member_is_reported_and_put_back(tenant: Tenant, member: str, asked: object, edited: object) -> None:
    """What the program manages and somebody changed is shown by a refresh and sent again by the next update."""
    inputs = token_inputs(vpptoken(), **{member: asked})
    state = Run(tenant).create(inputs).state
    tenant.edit_by_hand(state.id, {member: edited})
    refresh = Run(tenant)
    assert [change.property.name for change in refresh.drift(state).changes] == [member]
    assert refresh.reporter.infos[-1].endswith(f"was changed outside of Pulumi: {member}.")
    now = refreshed(tenant, state)
    run = Run(tenant)
    back = run.up(now, inputs).state
    assert run.requests == [PATCH]
    assert run.bodies("PATCH") == [{member: asked}]
    assert not Run(tenant).drift(back)


@pytest.mark.parametrize("member", ["displayName", "countryOrRegion"])
def test_managed_member_that_is_cleared_is_put_back(tenant: Tenant, member: str) -> None:
    """What the program manages and somebody emptied is drift as well, and comes back."""
    inputs = token_inputs(vpptoken(), **{member: "US"})
    state = Run(tenant).create(inputs).state
    tenant.edit_by_hand(state.id, {member: None})
    assert [change.property.name for change in Run(tenant).drift(state).changes] == [member]
    run = Run(tenant)
    run.up(refreshed(tenant, state), inputs)
    assert run.bodies("PATCH") == [{member: "US"}]


def test_renewal_by_hand_is_shown_once(tenant: Tenant) -> None:
    """A refresh marks a token that was renewed in the portal; the refresh after it is quiet."""
    _, _, state = renewed_by_hand(tenant)
    run = Run(tenant)
    assert run.drift(state).renews
    assert run.reporter.infos == ["Lincoln was renewed outside of Pulumi: it now expires on 2027-11-01."]
    now = refreshed(tenant, state)
    marked = TokenFile(UNSEEN_FINGERPRINT, times.text(NEXT_YEAR), "Contoso")
    assert (now.token_file, now.inputs.token_file, now.inputs.token) == (marked, marked, UNSEEN_FINGERPRINT)
    again = Run(tenant)
    assert not again.drift(now)
    assert again.reporter.infos == []


def test_older_file_is_refused_after_a_renewal_by_hand(tenant: Tenant) -> None:
    """With the old file still in place the next Check refuses, and says which file belongs there."""
    first, _, state = renewed_by_hand(tenant)
    now = refreshed(tenant, state)
    run = Run(tenant)
    assert run.refusal(token_inputs(first), now) == (
        "This token was renewed elsewhere and expires on 2027-11-01 in Intune; the token file here expires on "
        "2027-01-30. Use the file that was uploaded, or a newer download. To leave renewals to others, ignore the "
        "changes of both token and appleId (ignoreChanges). "
        "To continue without this token, pass its URN to --exclude."
    )
    assert run.log == []


def test_very_file_of_a_renewal_by_hand_is_quiet(tenant: Tenant) -> None:
    """The file that was uploaded by hand counts as applied: nothing is sent, neither now nor after the next refresh."""
    _, second, state = renewed_by_hand(tenant)
    now = refreshed(tenant, state)
    run = Run(tenant)
    taken = run.up(now, token_inputs(second)).state
    assert run.requests == []
    assert run.reporter.said == []
    assert taken.inputs.token == stoken.parse(second.encode()).fingerprint
    assert not Run(tenant).drift(taken)
    again = Run(tenant)
    assert not again.preview(refreshed(tenant, taken), token_inputs(second))
    assert again.reporter.said == []


def test_very_file_of_a_renewal_by_hand_survives_another_change(tenant: Tenant) -> None:
    """An update of another member with that very file sends that member and no token."""
    _, second, state = renewed_by_hand(tenant)
    run = Run(tenant)
    changed = run.up(refreshed(tenant, state), token_inputs(second, displayName="Monroe")).state
    assert run.requests == [PATCH]
    assert run.bodies("PATCH") == [{"displayName": "Monroe"}]
    assert not Run(tenant).preview(refreshed(tenant, changed), token_inputs(second, displayName="Monroe"))


def test_newer_file_renews_after_a_renewal_by_hand(tenant: Tenant) -> None:
    """A file that is newer than the one uploaded by hand renews as ever, and is the one applied then."""
    _, _, state = renewed_by_hand(tenant)
    inputs = token_inputs(vpptoken(expires=NEWEST))
    run = Run(tenant)
    outcome = run.up(refreshed(tenant, state), inputs)
    assert run.requests == [PATCH, SYNC, LIST]
    assert outcome.state.observed.expiration_date_time == times.text(NEWEST)
    assert outcome.state.token_file is not None
    assert outcome.state.token_file.seen
    assert not Run(tenant).preview(refreshed(tenant, outcome.state), inputs)


def test_file_taken_as_applied_is_not_sent_again_when_it_has_expired(tenant: Tenant) -> None:
    """A program that nobody touched plans nothing for a token whose file, once taken as applied, has expired."""
    _, second, state = renewed_by_hand(tenant)
    taken = Run(tenant).up(refreshed(tenant, state), token_inputs(second)).state
    tenant.clock.advance(timedelta(days=400).total_seconds())
    run = Run(tenant)
    run.up(refreshed(tenant, taken), token_inputs(second))
    assert run.requests == []
    assert "expired" in " ".join(run.reporter.warnings)


def test_invalid_token_is_reported_by_refresh_and_preview(tenant: Tenant) -> None:
    """What is wrong with a token is said by a refresh, and by each preview after it with the day it was seen."""
    inputs = token_inputs(vpptoken())
    state = Run(tenant).create(inputs).state
    tenant.edit_by_hand(state.id, {"state": "invalid", "lastSyncStatus": "failed"})
    refresh = Run(tenant)
    now = refresh.refresh(state)
    assert now is not None
    assert refresh.reporter.warnings == [
        (
            "Lincoln is invalid in Intune (seen 2026-11-01). Apple no longer accepts it: usually its Managed Apple "
            "Account has a new password or was disabled. Download the content token again and renew it."
        ),
        (
            "The last licence sync of Lincoln failed on 2026-11-01 (seen 2026-11-01): "
            "new licences do not appear until one succeeds."
        ),
    ]
    preview = Run(tenant)
    assert not preview.preview(now, inputs)
    assert preview.reporter.warnings == refresh.reporter.warnings


def test_expiry_is_reported_in_time(tenant: Tenant) -> None:
    """Within the configured days before it expires, Check of a new file, refresh and preview all say so."""
    inputs = token_inputs(vpptoken(expires=NOW + timedelta(days=25)))
    run = Run(tenant)
    state = run.create(inputs).state
    assert run.reporter.warnings == [
        (
            "The token file of Lincoln expires in 25 days, on 2026-11-26. "
            "Download a new content token from Apple and renew it before then."
        )
    ]
    preview = Run(tenant)
    preview.preview(state, inputs)
    assert preview.reporter.warnings == [
        "Lincoln expires in 24 days, on 2026-11-26. Download a new content token from Apple and renew it before then."
    ]
    relaxed = Run(tenant, settings={"expiryWarningDays": "7"})
    relaxed.preview(state, inputs)
    assert relaxed.reporter.warnings == []


def test_renewal_by_a_colleague_is_left_alone(tenant: Tenant) -> None:
    """Under `ignoreChanges: [token, appleId]` nothing of a renewal from another account is put back."""
    first, second = vpptoken(expires=SOON), vpptoken(expires=NEXT_YEAR)
    state = Run(tenant).create(token_inputs(first)).state
    tenant.edit_by_hand(state.id, {"token": second, "appleId": "colleague@contoso.example"})
    tenant.clock.advance(10)
    now = refreshed(tenant, state)
    # For an ignored input the engine hands over the old value.
    ignoring_token = token_inputs(str(now.inputs.token))
    run = Run(tenant)
    assert run.preview(now, ignoring_token).members == ("apple_id",)
    assert not run.preview(now, {**ignoring_token, "appleId": now.inputs.apple_id})
    assert run.requests == []
