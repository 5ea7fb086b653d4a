"""A token comes into being: what is sent, once for a run and once for a token, and what is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from builders import NEXT_YEAR, NOW, token_inputs, vpptoken
from intune_vpp.core import stoken, times
from intune_vpp.core.errors import AdoptionRefused, Cure, TokenFileError
from intune_vpp.core.resource_type import UNKNOWN
from intune_vpp.core.vpp_token import TokenFile, VppTokenArgs
from intune_vpp_emulator.tenant import Tenant
from run_in_process import LIST, POST, SYNC, Run
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_created_token_is_synced_and_kept(tenant: Tenant) -> None:
    """Creating costs one LIST, one POST and one sync, whose end is seen by polling."""
    run = Run(tenant)
    text = vpptoken()
    outcome = run.create(token_inputs(text, countryOrRegion="GB"))
    fingerprint = stoken.parse(text.encode()).fingerprint
    assert run.requests == [LIST, POST, SYNC, LIST]
    assert outcome.failure is None
    state = outcome.state
    assert state.token_file == TokenFile(fingerprint, times.text(NEXT_YEAR), "Contoso")
    assert state.inputs.token == fingerprint
    assert (state.tenant_id, state.sync_pending) == (tenant.directory.tenant_id, False)
    assert state.observed.last_sync_status == "completed"
    assert (state.observed.location_name, state.observed.country_or_region) == ("Lincoln", "gb")
    assert run.reporter.warnings == []


def test_body_of_a_creation_has_only_what_is_managed(tenant: Tenant) -> None:
    """What the program leaves out is in no body."""
    run = Run(tenant)
    run.create(token_inputs(vpptoken(), displayName=None, waitForSync=False, deletionProtection=False))
    assert run.bodies("POST") == [
        {
            "@odata.type": "#microsoft.graph.vppToken",
            "appleId": "vpp@contoso.example",
            "vppTokenAccountType": "business",
            "dataSharingConsentGranted": True,
            "token": "***",
        }
    ]


def test_claim_goes_along_with_a_creation(tenant: Tenant) -> None:
    """A claim is sent when the token is created."""
    run = Run(tenant)
    run.create(token_inputs(vpptoken(), claimTokenManagementFromExternalMdm=True, waitForSync=False))
    assert run.bodies("POST")[0]["claimTokenManagementFromExternalMdm"] is True


def test_creation_need_not_wait(tenant: Tenant) -> None:
    """Without waiting there is no sync, and nothing pending."""
    run = Run(tenant)
    outcome = run.create(token_inputs(vpptoken(), waitForSync=False))
    assert run.requests == [LIST, POST]
    assert run.time.slept == []
    assert (outcome.state.observed.last_sync_status, outcome.state.sync_pending) == ("none", False)


def test_tenant_is_listed_once_in_a_run(tenant: Tenant) -> None:
    """The second creation of a run needs no second LIST."""
    run = Run(tenant)
    for location in ("Lincoln", "Monroe"):
        run.create(token_inputs(vpptoken(location), displayName=location, waitForSync=False))
    assert run.requests == [LIST, POST, POST]


def test_first_preview_after_a_creation_is_quiet(tenant: Tenant) -> None:
    """The program that created a token plans nothing in the next run, and a refresh finds nothing."""
    inputs = token_inputs(vpptoken(), countryOrRegion="GB", roleScopeTagIds=["0"], automaticallyUpdateApps=True)
    state = Run(tenant).create(inputs).state
    run = Run(tenant)
    assert not run.preview(state, inputs)
    assert run.requests == []
    assert not run.drift(state)
    assert run.reporter.said == []


def test_preview_of_a_new_token_sends_nothing(tenant: Tenant) -> None:
    """Check asks Graph nothing and keeps the secret out of what it returns."""
    run = Run(tenant)
    text = vpptoken()
    checked = run.check(token_inputs(text))
    assert checked.args.token == stoken.parse(text.encode()).fingerprint
    assert run.log == []


def test_same_file_serves_one_resource(tenant: Tenant) -> None:
    """A second resource with the same file is refused before anything is sent for it."""
    run = Run(tenant)
    text = vpptoken()
    first = run.create(token_inputs(text, waitForSync=False)).state
    with pytest.raises(
        AdoptionRefused, match=f"Another resource of this program already uses this token file .*{first.id}"
    ):
        run.create(token_inputs(text, displayName="Monroe", waitForSync=False))
    assert run.requests == [LIST, POST]


def test_file_of_an_existing_resource_serves_no_new_one(tenant: Tenant) -> None:
    """A file that a resource of the program has since an earlier run is refused to a new one."""
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text)).state
    run = Run(tenant)
    run.up(state, token_inputs(text))
    with pytest.raises(AdoptionRefused, match="Give each resource its own file"):
        run.create(token_inputs(text, displayName="Monroe"))
    assert run.requests == []


def test_same_file_twice_at_once_is_one_token() -> None:
    """Two resources with the same file, created side by side, end in one token and one refusal."""
    text = vpptoken()
    outcomes: list[object] = []

    class Meanwhile(Tenant):
        def create(self, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
            if not outcomes:
                outcomes.append("under way")
                with ThreadPoolExecutor(1) as other:
                    second = other.submit(run.create, token_inputs(text, displayName="Monroe", waitForSync=False))
                    outcomes.append(second.exception(timeout=5))
            return super().create(body, **options)

    tenant = new_tenant(Meanwhile)
    run = Run(tenant)
    run.create(token_inputs(text, waitForSync=False))
    assert isinstance(outcomes[1], AdoptionRefused)
    assert len(tenant.tokens) == 1


def test_creation_is_reported_in_preview(tenant: Tenant) -> None:
    """A reviewer reads what would be created and how long it is good for, and that a token already there is taken."""
    run = Run(tenant)
    run.check(token_inputs(vpptoken()))
    nameless = vpptoken(expires=NOW + timedelta(days=90))
    run.check(token_inputs(nameless, displayName=None))
    file = stoken.parse(nameless.encode()).fingerprint[:15]
    assert run.reporter.infos == [
        "Creates Lincoln (valid until 2027-11-01), or adopts the token already created from this file.",
        f"Creates Contoso (file {file}…) (valid until 2027-01-30), or adopts the token already created from this file.",
    ]


@pytest.mark.parametrize("differing", [{"token": UNKNOWN}, {"adoptTokenId": UNKNOWN}, {"token": None}])
def test_creation_that_cannot_be_planned_is_not_reported(tenant: Tenant, differing: dict[str, Any]) -> None:
    """What only the update will know, and what is refused, is not reported as a creation."""
    run = Run(tenant)
    run.check({**token_inputs(vpptoken()), **differing})
    assert run.reporter.infos == []


def test_change_is_not_reported_as_a_creation(tenant: Tenant) -> None:
    """A token that is there already is not created in preview."""
    inputs = token_inputs(vpptoken())
    state = Run(tenant).create(inputs).state
    run = Run(tenant)
    run.check(inputs, state)
    assert run.reporter.infos == []


def test_creation_that_failed_may_be_tried_again_in_the_same_run() -> None:
    """A refused creation leaves its file free for the next attempt."""

    class FirstRefused(Tenant):
        attempts = 0

        def create(self, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
            self.attempts += 1
            return super().create({} if self.attempts == 1 else body, **options)

    run = Run(new_tenant(FirstRefused))
    inputs = token_inputs(vpptoken(), waitForSync=False)
    with pytest.raises(Exception, match="400 BadRequest"):
        run.create(inputs)
    assert run.create(inputs).failure is None
    assert run.requests == [LIST, POST, POST]


def test_creation_needs_the_text_of_its_file(tenant: Tenant) -> None:
    """A creation from the state alone, in a process that never saw the file, is refused with the cure."""
    asked = Run(tenant).check(token_inputs(vpptoken())).args
    run = Run(tenant)
    with pytest.raises(TokenFileError, match=r"this run did not read it\.$") as refused:
        run.assembly.tokens.create(asked)
    assert refused.value.cure is Cure.GIVE_FILE
    with pytest.raises(TokenFileError, match="this run did not read it"):
        run.assembly.tokens.create(VppTokenArgs())
    assert run.requests == []


def test_v1_creates_without_what_only_beta_knows(tenant: Tenant) -> None:
    """Graph's v1.0 is asked at its own address, without the members that only beta has."""
    run = Run(tenant, settings={"graphVersion": "v1.0"})
    inputs = token_inputs(vpptoken(), displayName=None, dataSharingConsentGranted=None)
    state = run.create(inputs).state
    assert run.requests == [LIST, POST, SYNC, LIST]
    assert {entry["path"].split("/")[1] for entry in run.log if "vppTokens" in entry["path"]} == {"v1.0"}
    assert (state.observed.location_name, state.observed.state) == (None, "valid")
    again = Run(tenant, settings={"graphVersion": "v1.0"})
    assert not again.preview(state, inputs)
    assert not again.drift(state)


def test_v1_refuses_what_only_beta_knows(tenant: Tenant) -> None:
    """An input that v1.0 does not know is named by Check, with the cure."""
    run = Run(tenant, settings={"graphVersion": "v1.0"})
    reasons = [problem.reason for problem in run.check(token_inputs(vpptoken())).problems]
    assert reasons == [
        f"{name} needs Graph's beta: leave {name} out, "
        "or set intune-vpp:graphVersion (INTUNE_VPP_GRAPH_VERSION) to beta."
        for name in ("displayName", "dataSharingConsentGranted")
    ]


def test_new_file_that_ends_soon(tenant: Tenant) -> None:
    """A file that expires within the warning days is accepted with a warning; an unchanged one without."""
    ending = vpptoken(expires=NOW + timedelta(days=3))
    expected = "expires in 3 days, on 2026-11-04. Download a new content token from Apple and renew it before then."
    run = Run(tenant)
    named = run.check(token_inputs(ending))
    run.check(token_inputs(ending, displayName=UNKNOWN))
    run.check(token_inputs(vpptoken()))
    assert run.reporter.warnings == [
        f"The token file of Lincoln {expected}",
        f"The token file of Contoso (file {str(named.args.token)[:15]}…) {expected}",
    ]
    before = Run(tenant).create(token_inputs(ending)).state
    unchanged = Run(tenant)
    unchanged.check(token_inputs(ending), before)
    assert unchanged.reporter.warnings == []


def test_warning_days_are_a_setting(tenant: Tenant) -> None:
    """A file that ends in 3 days is not worth a warning to somebody who asked for two."""
    run = Run(tenant, settings={"expiryWarningDays": "2"})
    run.check(token_inputs(vpptoken(expires=NOW + timedelta(days=3))))
    assert run.reporter.warnings == []
