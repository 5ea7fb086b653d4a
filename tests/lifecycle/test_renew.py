"""A token is renewed in place, and never backwards or sideways."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from builders import NEXT_YEAR, NOW, token_inputs, vpptoken
from intune_vpp.core import stoken, times
from intune_vpp.core.errors import AdoptionRefused, GraphError, RenewalRefused, TokenFileError
from intune_vpp.core.token_check import TokenFileContent
from intune_vpp.core.vpp_token import TokenFile, VppTokenState
from intune_vpp_emulator.tenant import Tenant
from run_in_process import LIST, PATCH, SYNC, Run
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from collections.abc import Mapping

SOON = NOW + timedelta(days=20)
LATER = NEXT_YEAR + timedelta(days=30)


def created(tenant: Tenant, text: str) -> VppTokenState:
    """A token of this file, from an earlier run."""
    return Run(tenant).create(token_inputs(text)).state


def test_newer_file_renews_in_place(tenant: Tenant) -> None:
    """A newer file is one PATCH that holds the file alone, one sync, and the same id."""
    state = created(tenant, vpptoken(expires=SOON))
    text = vpptoken(expires=NEXT_YEAR)
    run = Run(tenant)
    outcome = run.up(state, token_inputs(text))
    assert run.requests == [PATCH, SYNC, LIST]
    assert run.bodies("PATCH") == [{"token": "***"}]
    assert run.reporter.infos == [
        (
            "Renews Lincoln in place (expires 2026-11-21 → 2027-11-01); id is kept, and the apps if the file is for "
            "the same location."
        )
    ]
    assert outcome.failure is None
    assert outcome.state.id == state.id
    assert outcome.state.observed.expiration_date_time == times.text(NEXT_YEAR)
    assert outcome.state.token_file == TokenFile(
        stoken.parse(text.encode()).fingerprint, times.text(NEXT_YEAR), "Contoso"
    )
    assert not Run(tenant).preview(outcome.state, token_inputs(text))
    assert not Run(tenant).drift(outcome.state)


def test_renewal_need_not_wait(tenant: Tenant) -> None:
    """Without waiting, a renewal is one PATCH; the expiration that lags behind is no drift afterwards."""
    state = created(tenant, vpptoken(expires=SOON))
    inputs = token_inputs(vpptoken(), waitForSync=False)
    run = Run(tenant)
    outcome = run.up(state, inputs)
    assert run.requests == [PATCH]
    assert outcome.state.observed.expiration_date_time == times.text(SOON)
    assert not Run(tenant).preview(outcome.state, inputs)
    assert not Run(tenant).drift(outcome.state)
    tenant.clock.advance(60)
    assert not Run(tenant).drift(outcome.state)


def test_claim_goes_along_with_a_renewal(tenant: Tenant) -> None:
    """Each renewal sends the claim again, whatever was sent before."""
    text = vpptoken(expires=SOON)
    state = Run(tenant).create(token_inputs(text, claimTokenManagementFromExternalMdm=True)).state
    run = Run(tenant)
    run.up(state, token_inputs(vpptoken(), claimTokenManagementFromExternalMdm=True))
    assert run.bodies("PATCH") == [{"claimTokenManagementFromExternalMdm": True, "token": "***"}]


def test_renewal_and_change_are_one_request(tenant: Tenant) -> None:
    """A newer file and another name go together."""
    state = created(tenant, vpptoken(expires=SOON))
    run = Run(tenant)
    run.up(state, token_inputs(vpptoken(), displayName="Monroe"))
    assert run.requests == [PATCH, SYNC, LIST]
    assert run.bodies("PATCH") == [{"displayName": "Monroe", "token": "***"}]


def test_older_file_is_refused(tenant: Tenant) -> None:
    """A file that expires earlier than the one Intune has is refused by Check, with both dates and the way around."""
    state = created(tenant, vpptoken(expires=NEXT_YEAR))
    run = Run(tenant)
    assert run.refusal(token_inputs(vpptoken(expires=SOON)), state) == (
        "The token file expires on 2026-11-21, before the token in Intune (2027-11-01). "
        "Refusing to replace a newer token with an older one. "
        "Use the newer file, or download this location's content token again: a new download expires later. "
        "To continue without this token, pass its URN to --exclude."
    )
    assert run.log == []


def test_older_file_may_cure_an_invalid_token(tenant: Tenant) -> None:
    """While Intune calls the token invalid, an older file that still works renews it."""
    state = created(tenant, vpptoken(expires=NEXT_YEAR))
    tenant.edit_by_hand(state.id, {"state": "invalid"})
    refreshed = Run(tenant).refresh(state)
    assert refreshed is not None
    cure = token_inputs(vpptoken(expires=SOON))
    run = Run(tenant)
    outcome = run.up(refreshed, cure)
    assert run.requests == [PATCH, SYNC, LIST]
    assert (outcome.failure, outcome.state.observed.state) == (None, "valid")
    assert not Run(tenant).preview(outcome.state, cure)


def test_file_of_another_organization_is_refused(tenant: Tenant) -> None:
    """A changed file of another organization is refused by Check, unless the organization changes with it."""
    state = created(tenant, vpptoken(expires=SOON))
    other = vpptoken(organization="Fabrikam")
    run = Run(tenant)
    assert run.refusal(token_inputs(other), state).startswith(
        'The token file belongs to the organization "Fabrikam", but the token in Intune belongs to "Contoso".'
    )
    assert run.log == []
    assert Run(tenant).up(state, token_inputs(other, organizationName="Fabrikam")).failure is None


def test_expired_file_that_was_never_applied_is_refused(tenant: Tenant) -> None:
    """A file that has expired cannot come into being, nor renew."""
    expired = vpptoken(expires=NOW - timedelta(days=1))
    assert (
        Run(tenant)
        .refusal(token_inputs(expired))
        .startswith("The token file expired on 2026-10-31 (today is 2026-11-01 ")
    )


def test_expired_file_that_was_applied_is_not_in_the_way(tenant: Tenant) -> None:
    """The file applied last is never refused, not even after it expired: other members still change."""
    text = vpptoken(expires=SOON)
    state = created(tenant, text)
    tenant.clock.advance(timedelta(days=40).total_seconds())
    refreshed = Run(tenant).refresh(state)
    assert refreshed is not None
    assert refreshed.observed.state == "expired"
    run = Run(tenant)
    run.up(refreshed, token_inputs(text, displayName="Monroe"))
    assert run.requests == [PATCH]
    assert run.bodies("PATCH") == [{"displayName": "Monroe"}]


def test_update_guards_again(tenant: Tenant) -> None:
    """A file that Check could not judge against Intune is judged by Update, before anything is sent."""
    state = created(tenant, vpptoken(expires=NEXT_YEAR))
    run = Run(tenant)
    # As after the inputs were edited by hand: Check sees no file that was applied.
    checked = run.check(token_inputs(vpptoken(expires=SOON)))
    with pytest.raises(RenewalRefused, match="with an older one"):
        run.assembly.tokens.update(state, checked.args)
    assert run.requests == []


def test_renewal_needs_the_text_of_its_file(tenant: Tenant) -> None:
    """A renewal in a process that never saw the file is refused before anything is sent."""
    state = created(tenant, vpptoken(expires=SOON))
    planned = Run(tenant).check(token_inputs(vpptoken()), state).args
    run = Run(tenant)
    with pytest.raises(TokenFileError, match="this run did not read it"):
        run.assembly.tokens.update(state, planned)
    assert run.requests == []


def test_same_file_renews_one_resource(tenant: Tenant) -> None:
    """A file that has renewed one resource of the program is refused to another one, which keeps its location."""
    lincoln = created(tenant, vpptoken("Lincoln", expires=SOON))
    later = SOON + timedelta(seconds=1)
    other = Run(tenant).create(token_inputs(vpptoken("Monroe", expires=later), displayName="Monroe")).state
    text = vpptoken("Lincoln")
    run = Run(tenant)
    run.up(lincoln, token_inputs(text))
    with pytest.raises(AdoptionRefused, match="Another resource of this program already uses this token file"):
        run.up(other, token_inputs(text, displayName="Monroe"))
    assert run.requests == [PATCH, SYNC, LIST]


def test_fingerprint_stands_for_its_file(tenant: Tenant) -> None:
    """The old fingerprint passes as input (`ignoreChanges`) and changes nothing."""
    state = created(tenant, vpptoken())
    run = Run(tenant)
    assert state.token_file is not None
    assert not run.preview(state, token_inputs(state.token_file.fingerprint))
    assert run.refusal(token_inputs("sha256:" + "0" * 64), state).startswith(
        "The token is a fingerprint, but its file has not been read in this run."
    )


def test_fingerprint_of_a_file_met_in_this_run_passes(tenant: Tenant) -> None:
    """A fingerprint whose text Check has read stands for that text."""
    state = created(tenant, vpptoken(expires=SOON))
    text = vpptoken()
    run = Run(tenant)
    run.check(token_inputs(text), state)
    assert run.up(state, token_inputs(stoken.parse(text.encode()).fingerprint)).failure is None
    assert run.requests == [PATCH, SYNC, LIST]


def test_misnamed_file_warns_in_preview(tenant: Tenant) -> None:
    """A file named after another location is reported before it is applied."""
    state = created(tenant, vpptoken(expires=SOON))
    file = TokenFileContent(vpptoken().encode(), file_name="sToken_for_Monroe.vpptoken")
    run = Run(tenant)
    assert run.preview(state, {**token_inputs(None), "token": file}).renews
    assert run.reporter.warnings == [
        (
            'The token file of Lincoln is named after "Monroe", but the token in Intune is for "Lincoln". '
            "Check that it is the right file."
        )
    ]


def test_refused_renewal_may_be_tried_again_in_the_same_run() -> None:
    """A file whose PATCH was refused is still this token's to try, and still nobody else's."""

    class OnceBroken(Tenant):
        refusals = 2  # one for each encoding

        def patch(self, token_id: str, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
            if self.refusals:
                self.refusals -= 1
                body = {**body, "token": "garbage"}
            return super().patch(token_id, body, **options)

    tenant = new_tenant(OnceBroken)
    state = created(tenant, vpptoken(expires=SOON))
    inputs = token_inputs(vpptoken())
    run = Run(tenant)
    with pytest.raises(GraphError, match="400 BadRequest"):
        run.up(state, inputs)
    assert run.up(state, inputs).failure is None


def test_what_the_guard_will_say_is_said_before(tenant: Tenant) -> None:
    """Where an update half failed, the engine's inputs name an older file: the plan then warns of the refusal."""
    state = created(tenant, vpptoken(expires=SOON))
    run = Run(tenant)
    earlier = token_inputs(vpptoken(expires=SOON - timedelta(days=1)))
    args = run.assembly.preview.check_token(earlier, None).args
    run.assembly.preview.plan_token(state, args)
    (warning,) = [one for one in run.reporter.warnings if "refused" in one]
    assert warning.startswith("The update of Lincoln will be refused: The token file expires on ")
