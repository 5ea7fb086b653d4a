"""A token that is named by its id comes under management instead of a new one being created."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from builders import NEXT_YEAR, NOW, token_inputs, vpptoken
from intune_vpp.core import times
from intune_vpp.core.errors import AdoptionRefused, RenewalRefused, TokenFileError
from intune_vpp_emulator.tenant import Tenant
from run_in_process import GET, LIST, PATCH, SYNC, Run
from tenant_in_process import new_tenant

SOON = NOW + timedelta(days=90)


@pytest.fixture
def text() -> str:
    """The file in the portal."""
    return vpptoken(expires=SOON)


@pytest.fixture
def token_id(tenant: Tenant, text: str) -> str:
    """A token that somebody uploaded in the portal, synced since."""
    members = {"token": text, "appleId": "vpp@contoso.example", "displayName": "Lincoln"}
    found = tenant.create_by_hand(members)["id"]
    tenant.sync_licenses(found)
    tenant.clock.advance(60)
    assert isinstance(found, str)
    return found


def test_very_file_is_not_sent(tenant: Tenant, token_id: str, text: str) -> None:
    """With the file that is there already, adopting is one GET, and the run after it is quiet."""
    inputs = token_inputs(text, adoptTokenId=token_id)
    run = Run(tenant)
    outcome = run.create(inputs)
    assert run.requests == [GET]
    renews = "Its file (valid until 2027-01-30) renews the token if it is newer than the one in Intune"
    said = f"Adopts token {token_id}; nothing is created. {renews}; an older one is refused."
    assert run.reporter.said == [("info", said)]
    assert (outcome.failure, outcome.state.id) == (None, token_id)
    assert outcome.state.sync_pending is False
    later = Run(tenant)
    assert not later.preview(outcome.state, inputs)
    assert not later.drift(outcome.state)
    assert later.reporter.said == []


def test_members_that_differ_are_sent(tenant: Tenant, token_id: str, text: str) -> None:
    """What differs is one PATCH, without the file and without a sync."""
    run = Run(tenant)
    run.create(token_inputs(text, adoptTokenId=token_id, displayName="Monroe"))
    assert run.requests == [GET, PATCH]
    assert run.bodies("PATCH") == [{"displayName": "Monroe"}]


def test_newer_file_renews_what_is_adopted(tenant: Tenant, token_id: str) -> None:
    """With a newer file, adopting renews in place, says so, and syncs."""
    run = Run(tenant)
    inputs = token_inputs(vpptoken(expires=NEXT_YEAR), adoptTokenId=token_id)
    outcome = run.create(inputs)
    assert run.requests == [GET, PATCH, SYNC, LIST]
    assert run.bodies("PATCH") == [{"token": "***"}]
    assert (outcome.failure, outcome.state.id) == (None, token_id)
    assert outcome.state.observed.expiration_date_time == times.text(NEXT_YEAR)
    renews = f"Renews Lincoln in place (expires 2027-01-30 → {NEXT_YEAR:%Y-%m-%d}); "
    assert [said for _, said in run.reporter.said if said.startswith(renews)] != []
    assert not Run(tenant).preview(outcome.state, inputs)


def test_file_may_be_left_out(tenant: Tenant, token_id: str) -> None:
    """Adopting needs no file; with it the other needs fall away too."""
    run = Run(tenant)
    state = run.create({"adoptTokenId": token_id, "displayName": "Lincoln"}).state
    assert run.requests == [GET]
    assert (state.id, state.token_file) == (token_id, None)
    assert not Run(tenant).preview(state, {"adoptTokenId": token_id, "displayName": "Lincoln"})


def test_older_file_is_refused(tenant: Tenant, token_id: str) -> None:
    """A file older than what the token has is refused before anything is changed."""
    run = Run(tenant)
    with pytest.raises(RenewalRefused, match="expires on 2027-01-30 in Intune; the token file here expires on 2027-01"):
        run.create(token_inputs(vpptoken(expires=SOON - timedelta(days=10)), adoptTokenId=token_id))
    assert run.requests == [GET]
    assert [said for _, said in run.reporter.said if said.startswith("Renews")] == []


def test_file_of_another_organization_is_refused(tenant: Tenant, token_id: str) -> None:
    """A file of another organization than the token's is refused before anything is changed."""
    run = Run(tenant)
    with pytest.raises(RenewalRefused, match='"Fabrikam", but the token in Intune belongs to "Contoso"'):
        run.create(token_inputs(vpptoken(organization="Fabrikam"), adoptTokenId=token_id))
    assert run.requests == [GET]


def test_missing_token_is_an_error(tenant: Tenant, text: str) -> None:
    """An id that is not there creates nothing, and Graph's own refusal is not reported beside it."""
    missing = str(uuid.uuid4())
    run = Run(tenant)
    with pytest.raises(AdoptionRefused) as refused:
        run.create(token_inputs(text, adoptTokenId=missing))
    assert str(refused.value) == (
        f"The token to adopt, {missing}, was not found in this tenant. "
        "Check adoptTokenId, or omit it to create a token."
    )
    assert refused.value.__suppress_context__
    assert refused.value.__cause__ is None
    assert run.requests == [GET, LIST]
    assert tenant.tokens == []


def test_token_of_another_resource_is_refused(tenant: Tenant, token_id: str, text: str) -> None:
    """A token belongs to one resource of a program."""
    run = Run(tenant)
    run.create(token_inputs(text, adoptTokenId=token_id))
    with pytest.raises(
        AdoptionRefused, match=f"Another resource of this program already manages token {token_id}. Remove one"
    ):
        run.create({"adoptTokenId": token_id})
    assert run.bodies("PATCH") == []


def test_adopted_twice_in_other_letters_is_refused(text: str) -> None:
    """An id is the same one in capitals, as it is to Graph."""

    class Caseless(Tenant):
        def get(self, token_id: str, **options: Any) -> dict[str, Any]:
            return super().get(token_id.lower(), **options)

    tenant = new_tenant(Caseless)
    token_id = tenant.create_by_hand({"token": text, "appleId": "vpp@contoso.example"})["id"]
    run = Run(tenant)
    run.create({"adoptTokenId": token_id})
    with pytest.raises(AdoptionRefused, match=f"already manages token {token_id}"):
        run.create({"adoptTokenId": token_id.upper()})


def test_adoption_is_read_at_creation_only(tenant: Tenant, token_id: str, text: str) -> None:
    """Afterwards the id may be dropped or changed without a plan."""
    state = Run(tenant).create(token_inputs(text, adoptTokenId=token_id)).state
    assert not Run(tenant).preview(state, token_inputs(text))
    assert not Run(tenant).preview(state, token_inputs(text, adoptTokenId=str(uuid.uuid4())))


def test_adopted_token_that_expires_is_left_alone(tenant: Tenant, token_id: str, text: str) -> None:
    """A program that nobody touched plans nothing for an adopted token whose file has expired since."""
    inputs = token_inputs(text, adoptTokenId=token_id)
    state = Run(tenant).create(inputs).state
    tenant.clock.advance(timedelta(days=100).total_seconds())
    now = Run(tenant).refresh(state)
    assert now is not None
    assert now.observed.state == "expired"
    run = Run(tenant)
    run.up(now, inputs)
    assert run.requests == []


def test_renewal_by_hand_of_an_adopted_token_is_seen(tenant: Tenant, token_id: str, text: str) -> None:
    """Renewed in the portal after it was adopted, a token is not renewed backwards by the file it was adopted with."""
    inputs = token_inputs(text, adoptTokenId=token_id)
    state = Run(tenant).create(inputs).state
    tenant.edit_by_hand(token_id, {"token": vpptoken(expires=NEXT_YEAR)})
    tenant.clock.advance(60)
    now = Run(tenant).refresh(state)
    assert now is not None
    run = Run(tenant)
    assert "was renewed elsewhere and expires on 2027-11-01" in run.refusal(inputs, now)


def test_renewal_by_hand_is_seen_where_the_file_came_later(tenant: Tenant, token_id: str, text: str) -> None:
    """Named only after the adoption, as after an import, a file is refused once the portal has a newer one."""
    bare = {"adoptTokenId": token_id, "displayName": "Lincoln"}
    state = Run(tenant).create(bare).state
    taken = Run(tenant).up(state, {**bare, "token": text}).state
    tenant.edit_by_hand(token_id, {"token": vpptoken(expires=NEXT_YEAR)})
    tenant.clock.advance(60)
    now = Run(tenant).refresh(taken)
    assert now is not None
    assert "was renewed elsewhere" in Run(tenant).refusal({**bare, "token": text}, now)


def test_expired_file_is_refused(tenant: Tenant, token_id: str) -> None:
    """A file that has expired between Check and Create is refused, and nothing is changed."""
    run = Run(tenant)
    checked = run.check(token_inputs(vpptoken(expires=SOON + timedelta(days=1)), adoptTokenId=token_id))
    tenant.clock.advance(timedelta(days=95).total_seconds())
    with pytest.raises(TokenFileError, match="was never applied"):
        run.assembly.tokens.create(checked.args)
    assert set(run.requests) == {GET}
