"""What a refresh makes of the last state: drift is what moved since the provider looked last."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hypothesis import given

from builders import NEXT_YEAR, args, described, file, observed, state
from core.case_tables import attributes, each, value
from core.strategies import args as any_args
from core.strategies import states, tokens
from intune_vpp.core import drift, messages, times, token_diff
from intune_vpp.core.pulumi_state import args_from, args_to
from intune_vpp.core.vpp_token import UNSEEN_FINGERPRINT, TokenFile, VppToken, VppTokenState

LATER = "2026-11-02T06:00:00Z"


@dataclass(frozen=True, kw_only=True)
class Refresh:
    """What was asked for and seen, what is seen now, and what the state says then.

    `shown` is the expiration that Intune showed for the file applied last.
    """

    case: str
    asked: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    says: dict[str, Any] = field(default_factory=dict)
    shown: str = "2027-11-01T12:00:00Z"
    inputs: dict[str, Any] = field(default_factory=dict)
    token_file: dict[str, Any] = field(default_factory=dict)
    message: str | None = None

    @property
    def before(self) -> VppTokenState:
        """The state before the refresh."""
        said = observed(**attributes(self.said))
        return state(asked=args(file(), **attributes(self.asked)), observed=said, shown_expiration=value(self.shown))

    @property
    def now(self) -> VppToken:
        """What Graph answers now."""
        return observed(**attributes({**self.said, **self.says}))


@each("drift", Refresh)
def test_what_a_refresh_finds(case: Refresh) -> None:
    """Each managed value that somebody moved comes out as Graph has it; all else stays in the program's own words."""
    refreshed = drift.observe(case.before, case.now, observed_at=LATER)
    applied = described(file())
    if case.token_file:
        named = {
            **case.token_file,
            "token": case.token_file["fingerprint"].replace("the applied file", applied.fingerprint),
        }
        applied = TokenFile(
            named["token"], *(named.get(name) for name in ("expirationDateTime", "organizationName", "state"))
        )
    expected = replace(case.before.inputs, token_file=applied, **attributes(case.inputs))
    assert refreshed.inputs == expected
    assert refreshed.token_file == applied
    assert (refreshed.observed, refreshed.observed_at) == (case.now, LATER)


@each("drift", Refresh)
def test_how_a_refresh_is_reported(case: Refresh) -> None:
    """The plan from what was found back to the inputs before is reported as what somebody else did."""
    refreshed = drift.observe(case.before, case.now, observed_at=LATER)
    assert messages.drifted(token_diff.plan(refreshed, case.before.inputs), refreshed) == case.message


def test_a_mark_from_elsewhere_follows_the_expiration() -> None:
    """Once marked, the file in Intune is known by the expiration Graph shows, later or earlier."""
    elsewhere = TokenFile(UNSEEN_FINGERPRINT, "2028-11-01T00:00:00Z", "Contoso")
    before = state(token_file=elsewhere, asked=args(token=UNSEEN_FINGERPRINT, token_file=elsewhere))
    for shown in ("2028-11-01T00:00:00.5Z", "2028-12-01T00:00:00Z", "2028-10-01T00:00:00Z"):
        now = observed(expiration_date_time=shown, organization_name="Fabrikam")
        refreshed = drift.observe(before, now, observed_at=LATER)
        follows = elsewhere if ".5" in shown else TokenFile(UNSEEN_FINGERPRINT, shown, "Fabrikam")
        assert (refreshed.token_file, refreshed.inputs.token_file) == (follows, follows)


def test_a_renewal_from_elsewhere_is_shown_once() -> None:
    """When the program names the file that came from elsewhere, the next refresh leaves its inputs alone."""
    elsewhere = TokenFile(UNSEEN_FINGERPRINT, "2027-11-01T12:00:00.25Z", "Contoso")
    before = state(token_file=elsewhere, asked=args(file()))
    refreshed = drift.observe(before, observed(expiration_date_time="2027-11-01T12:00:00.25Z"), observed_at=LATER)
    assert refreshed.inputs == args(file())
    assert refreshed.token_file == elsewhere
    assert not token_diff.plan(refreshed, args(file()))


def test_the_file_that_a_program_names_stays_named() -> None:
    """Inputs that name another file than the one applied last keep it: only a file from elsewhere takes its place."""
    newer = file(expires=NEXT_YEAR + timedelta(days=365))
    before = state(asked=args(newer))
    refreshed = drift.observe(before, observed(), observed_at=LATER)
    assert (refreshed.inputs, refreshed.token_file) == (args(newer), described(file()))


def test_a_file_applied_here_is_never_reported_as_one_from_elsewhere() -> None:
    """Inputs that lag behind the file applied last are given that file, not the mark of a stranger's."""
    older = file(expires=NEXT_YEAR - timedelta(days=30))
    refreshed = drift.observe(state(asked=args(older)), observed(), observed_at=LATER)
    assert (refreshed.inputs, refreshed.token_file) == (args(file()), described(file()))


def test_a_token_that_recovered_loses_its_mark() -> None:
    """The mark of an invalid token is gone as soon as Intune calls it valid again."""
    marked = replace(described(file()), state="invalid")
    before = state(token_file=marked, asked=args(file(), token_file=marked), observed=observed(state="invalid"))
    refreshed = drift.observe(before, observed(), observed_at=LATER)
    assert (refreshed.token_file, refreshed.inputs.token_file) == (described(file()), described(file()))


def test_a_program_without_the_token_gets_none_from_a_refresh() -> None:
    """A refresh never puts a token into inputs that left it out, though what is known of the file moves."""
    before = state(asked=args(token=None, token_file=described(file())))
    refreshed = drift.observe(before, observed(expiration_date_time="2028-11-01T00:00:00Z"), observed_at=LATER)
    assert refreshed.inputs.token is None
    assert refreshed.inputs.token_file == TokenFile(UNSEEN_FINGERPRINT, "2028-11-01T00:00:00Z", "Contoso")


def test_a_token_without_a_file_stays_without_one() -> None:
    """A token that was taken over, and for which no file was ever named, gets none; what Intune holds is noted."""
    before = state(asked=args(), token_file=None)
    refreshed = drift.observe(before, observed(expiration_date_time="2028-11-01T00:00:00Z"), observed_at=LATER)
    noted = TokenFile(UNSEEN_FINGERPRINT, "2028-11-01T00:00:00Z", "Contoso")
    assert (refreshed.token_file, refreshed.inputs) == (None, args(token_file=noted))


@given(states(any_args(unknowns=False)), tokens())
def test_a_second_refresh_finds_nothing_more(before: VppTokenState, now: VppToken) -> None:
    """Refreshing twice against one answer of Graph is refreshing once, and what comes out can be stored."""
    once = drift.observe(before, now, observed_at=LATER)
    assert drift.observe(once, now, observed_at=LATER) == once
    assert args_from(args_to(once.inputs)) == once.inputs
    assert once.sync_pending is before.sync_pending


@given(states(any_args(unknowns=False)))
def test_a_refresh_that_sees_the_same_keeps_the_inputs(before: VppTokenState) -> None:
    """Where Graph says what it said before, each input but the token's file stays as the program spelled it."""
    after = drift.observe(before, before.observed, observed_at=LATER)
    unseen = {"token": None, "token_file": None}
    assert replace(after.inputs, **unseen) == replace(before.inputs, **unseen)


def test_a_state_from_the_future_is_not_taken_for_a_recent_one() -> None:
    """An older answer counts if another machine, whose clock is ahead, has written the state."""
    seen = state(observed=observed(last_modified_date_time=LATER), observed_at="2026-11-09T12:00:00Z")
    older = observed(last_modified_date_time="2026-11-02T05:00:00Z")
    written = times.parse(seen.observed_at)
    assert written is not None

    assert drift.is_stale(seen, older, written + timedelta(minutes=4))
    assert not drift.is_stale(seen, older, written + timedelta(minutes=6))
    assert not drift.is_stale(seen, older, written - timedelta(days=1))
