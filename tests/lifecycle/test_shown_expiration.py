"""Intune may show another expiration than the file has: rounded, or shifted by a time zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from builders import token_inputs, vpptoken
from intune_vpp.core.errors import DuplicateToken
from intune_vpp.core.vpp_token import UNSEEN_FINGERPRINT
from intune_vpp_emulator.clock import moment, to_the_second
from intune_vpp_emulator.tenant import Tenant
from run_in_process import GET, LIST, PATCH, POST, SYNC, Run
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from collections.abc import Callable

    from intune_vpp.core.vpp_token import VppTokenState
    from intune_vpp_emulator.members import Version
    from intune_vpp_emulator.vpp_token import VppToken

    Shows = Callable[[datetime], datetime]

SOON = datetime(2027, 1, 30, 16, 41, 7, tzinfo=UTC)
LATER = datetime(2027, 11, 1, 20, 23, 11, tzinfo=UTC)


def midnight(when: datetime) -> datetime:
    """The start of a day."""
    return when.replace(hour=0, minute=0, second=0)


ZONES: dict[str, Shows] = {
    "two hours later": lambda when: when + timedelta(hours=2),
    "eight hours earlier": lambda when: when - timedelta(hours=8),
    "a zone with quarters": lambda when: when + timedelta(hours=5, minutes=45),
}
MINUTES: dict[str, Shows] = {
    "cut to the minute": lambda when: when.replace(second=0),
    "up to the minute": lambda when: when.replace(second=0) + timedelta(minutes=1),
}
DAYS: dict[str, Shows] = {
    "cut to the hour": lambda when: when.replace(minute=0, second=0),
    "cut to the day": midnight,
    "up to the day": lambda when: midnight(when) + timedelta(days=1),
    "some minutes later": lambda when: when + timedelta(minutes=7, seconds=3),
}


class Inexact(Tenant):
    """A tenant that shows expirations in its own way."""

    shows: ClassVar[Shows]

    def _answer(self, token: VppToken, version: Version) -> dict[str, Any]:
        answer = super()._answer(token, version)
        shown = type(self).shows(moment(answer["expirationDateTime"]))
        return {**answer, "expirationDateTime": to_the_second(shown)}


def tenant_that(shows: Shows) -> Tenant:
    """A tenant that shows expirations like this."""
    return new_tenant(type("Tenant", (Inexact,), {"shows": staticmethod(shows)}))


def each_of(*ways: dict[str, Shows]) -> pytest.MarkDecorator:
    """Run a test for each way of showing an expiration."""
    cases = {name: shows for way in ways for name, shows in way.items()}
    return pytest.mark.parametrize("shows", cases.values(), ids=cases)


def refreshed(tenant: Tenant, state: VppTokenState) -> VppTokenState:
    """The state after a refresh of its own, which has nothing to say."""
    run = Run(tenant)
    assert not run.drift(state)
    assert run.reporter.said == []
    now = Run(tenant).refresh(state)
    assert now is not None
    return now


@each_of(ZONES, MINUTES, DAYS)
@pytest.mark.parametrize("waits", [True, False])
def test_own_upload_is_never_taken_for_another(shows: Shows, waits: bool) -> None:  # noqa: FBT001 - pytest passes it
    """After a creation and after a renewal, refreshes are quiet and the same program plans nothing, time after time."""
    tenant = tenant_that(shows)
    first, second = (token_inputs(vpptoken(expires=when), waitForSync=waits) for when in (SOON, LATER))
    state = Run(tenant).create(first).state
    for inputs in (first, second):
        run = Run(tenant)
        state = run.up(state, inputs).state
        assert run.reporter.warnings == []
        for _ in range(2):
            tenant.clock.advance(60)
            state = refreshed(tenant, state)
            again = Run(tenant)
            assert not again.preview(state, inputs)
            assert again.reporter.said == []


@each_of(ZONES, MINUTES, DAYS)
def test_renewal_elsewhere_is_told_once(shows: Shows) -> None:
    """A later upload by hand is a move from what Intune showed before: told by one refresh, an older file refused."""
    tenant = tenant_that(shows)
    inputs = token_inputs(vpptoken(expires=SOON))
    state = refreshed(tenant, Run(tenant).create(inputs).state)
    tenant.edit_by_hand(state.id, {"token": vpptoken(expires=LATER)})
    tenant.clock.advance(10)
    assert Run(tenant).drift(state).renews
    now = Run(tenant).refresh(state)
    assert now is not None
    assert (now.inputs.token, now.shown_expiration) == (UNSEEN_FINGERPRINT, None)
    assert "renewed elsewhere" in Run(tenant).refusal(inputs, now)
    refreshed(tenant, now)


@each_of(ZONES, MINUTES, DAYS)
@pytest.mark.parametrize("waits", [True, False])
def test_renewal_elsewhere_with_a_file_of_the_next_day_is_told(shows: Shows, waits: bool) -> None:  # noqa: FBT001
    """What Intune showed is remembered exactly, by the wait or by a refresh: any later expiration is told."""
    tenant = tenant_that(shows)
    inputs = token_inputs(vpptoken(expires=LATER), waitForSync=waits)
    state = Run(tenant).create(inputs).state
    state = state if waits else refreshed(tenant, state)
    tenant.edit_by_hand(state.id, {"token": vpptoken(expires=LATER + timedelta(days=1, minutes=4))})
    tenant.clock.advance(10)
    assert Run(tenant).drift(state).renews


@each_of(ZONES, MINUTES)
def test_very_file_of_a_renewal_elsewhere_is_quiet(shows: Shows) -> None:
    """The file that was uploaded by hand counts as applied, and no refresh marks it again."""
    tenant = tenant_that(shows)
    state = Run(tenant).create(token_inputs(vpptoken(expires=SOON))).state
    uploaded = vpptoken(expires=LATER)
    tenant.edit_by_hand(state.id, {"token": uploaded})
    tenant.clock.advance(10)
    now = Run(tenant).refresh(state)
    assert now is not None
    run = Run(tenant)
    taken = run.up(now, token_inputs(uploaded)).state
    assert run.requests == []
    taken = refreshed(tenant, taken)
    assert not Run(tenant).preview(taken, token_inputs(uploaded))


@each_of(DAYS)
def test_very_file_of_a_renewal_elsewhere_is_uploaded_again(shows: Shows) -> None:
    """Where only the day can be told, the file that was uploaded by hand is uploaded once more, and then quiet."""
    tenant = tenant_that(shows)
    state = Run(tenant).create(token_inputs(vpptoken(expires=SOON))).state
    uploaded = vpptoken(expires=LATER)
    tenant.edit_by_hand(state.id, {"token": uploaded})
    tenant.clock.advance(10)
    now = Run(tenant).refresh(state)
    assert now is not None
    run = Run(tenant)
    outcome = run.up(now, token_inputs(uploaded))
    assert (run.requests, outcome.failure) == ([PATCH, SYNC, LIST], None)
    assert not Run(tenant).preview(refreshed(tenant, outcome.state), token_inputs(uploaded))


@each_of(ZONES, MINUTES)
def test_lost_state_finds_its_token(shows: Shows) -> None:
    """A program without its state adopts what it created, with a warning that names both times, and stays quiet."""
    tenant = tenant_that(shows)
    inputs = token_inputs(vpptoken(expires=LATER))
    lost = Run(tenant).create(inputs).state
    run = Run(tenant)
    found = run.create(inputs).state
    assert (run.requests, found.id) == ([LIST], lost.id)
    (warning,) = run.reporter.warnings
    assert f"Intune shows {lost.observed.expiration_date_time} as the expiration of Lincoln" in warning
    assert not Run(tenant).preview(refreshed(tenant, found), inputs)


@each_of(DAYS)
def test_lost_state_where_only_the_day_is_shown(shows: Shows) -> None:
    """Where only the day can be told, a program without its state uploads a second token and says which one to keep."""
    tenant = tenant_that(shows)
    inputs = token_inputs(vpptoken(expires=LATER))
    lost = Run(tenant).create(inputs).state
    tenant.clock.advance(60)
    outcome = Run(tenant).create(inputs)
    assert isinstance(outcome.failure, DuplicateToken)
    assert f"Keep {lost.id}" in str(outcome.failure)


@each_of(ZONES, MINUTES)
@pytest.mark.parametrize(
    "members", [{"displayName": "Monroe"}, {"appleId": "other@contoso.example"}, {"displayName": None}]
)
def test_less_evidence_needs_the_labels(shows: Shows, members: dict[str, Any]) -> None:
    """A token of another name or Apple ID, or without a name, whose expiration is not exact is another token."""
    tenant = tenant_that(shows)
    there = {"appleId": "vpp@contoso.example", "displayName": "Lincoln", "token": vpptoken(expires=LATER), **members}
    tenant.create_by_hand(there)
    run = Run(tenant)
    run.create(token_inputs(vpptoken("Roosevelt", expires=LATER), waitForSync=False))
    # The listing may have left out the name: the token itself is asked.
    assert run.requests == [LIST, *([GET] if members == {"displayName": None} else []), POST]


def test_exact_expiration_is_preferred() -> None:
    """Where one token has the very second of the file, another one that has it but for a time zone is no candidate."""
    tenant = new_tenant()
    there = {"appleId": "vpp@contoso.example", "displayName": "Lincoln"}
    for shift in (timedelta(hours=-1), timedelta(0), timedelta(hours=3)):
        tenant.create_by_hand({**there, "token": vpptoken(f"Location {shift}", expires=LATER + shift)})
    found = Run(tenant).create(token_inputs(vpptoken(expires=LATER), waitForSync=False)).state
    assert found.id == tenant.tokens[1].id


@pytest.mark.parametrize(
    "apart",
    [timedelta(seconds=20), timedelta(minutes=4), timedelta(hours=1, seconds=1), timedelta(hours=7, minutes=38)],
)
def test_two_downloads_of_one_day_are_two_tokens(apart: timedelta) -> None:
    """Files of two locations that were downloaded on one day make two tokens, though all else is equal."""
    tenant = new_tenant()
    Run(tenant).create(token_inputs(vpptoken("Lincoln", expires=LATER)))
    run = Run(tenant)
    outcome = run.create(token_inputs(vpptoken("Roosevelt", expires=LATER + apart), waitForSync=False))
    assert (run.requests, outcome.failure) == ([LIST, POST], None)


@each_of(ZONES, MINUTES)
def test_imported_token_is_quiet(shows: Shows) -> None:
    """After an import the file that Intune has counts as applied."""
    tenant = tenant_that(shows)
    uploaded = {"token": vpptoken(expires=LATER), "appleId": "vpp@contoso.example", "displayName": "Lincoln"}
    token_id = tenant.create_by_hand(uploaded)["id"]
    imported = Run(tenant).assembly.tokens.find(token_id)
    run = Run(tenant)
    assert not run.up(imported, token_inputs(uploaded["token"])).failure
    assert run.requests == []


@each_of(DAYS)
def test_imported_token_of_which_the_day_is_shown(shows: Shows) -> None:
    """Where only the day can be told, the file is uploaded once more after an import, and never refused."""
    tenant = tenant_that(shows)
    uploaded = {"token": vpptoken(expires=LATER), "appleId": "vpp@contoso.example", "displayName": "Lincoln"}
    token_id = tenant.create_by_hand(uploaded)["id"]
    run = Run(tenant)
    outcome = run.up(run.assembly.tokens.find(token_id), token_inputs(uploaded["token"]))
    assert run.requests == [GET, PATCH, SYNC, LIST]
    assert not Run(tenant).preview(refreshed(tenant, outcome.state), token_inputs(uploaded["token"]))


def test_state_of_an_older_version_learns_what_is_shown() -> None:
    """A state without the member is no reason to call the own upload another's: a refresh adds it."""
    tenant = tenant_that(ZONES["two hours later"])
    inputs = token_inputs(vpptoken(expires=LATER))
    state = Run(tenant).create(inputs).state
    now = refreshed(tenant, replace(state, shown_expiration=None))
    assert now.shown_expiration == state.shown_expiration == to_the_second(LATER + timedelta(hours=2))


def test_expiration_that_lags_is_not_remembered() -> None:
    """The old expiration, shown for a while after a renewal, is not taken for that of the new file."""
    lagging = [True]
    tenant = tenant_that(lambda when: SOON if lagging else when)
    state = Run(tenant).create(token_inputs(vpptoken(expires=SOON))).state
    renewed = Run(tenant).up(state, token_inputs(vpptoken(expires=LATER)))
    assert renewed.failure is None
    assert (renewed.state.shown_expiration, refreshed(tenant, renewed.state).shown_expiration) == (None, None)
    lagging.clear()
    assert refreshed(tenant, renewed.state).shown_expiration == to_the_second(LATER)
