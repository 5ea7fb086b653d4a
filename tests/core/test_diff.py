"""What an update would do, by each property's compare rule, and the sentence that tells it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hypothesis import assume, example, given

from builders import args, described, file, observed, state
from core.case_tables import attributes, each, instant, timestamp
from core.strategies import args as any_args
from core.strategies import states
from intune_vpp.core import messages, token_diff
from intune_vpp.core.enums import TokenState
from intune_vpp.core.resource_type import UNKNOWN, Compare, Unknown
from intune_vpp.core.vpp_token import UNSEEN_FINGERPRINT, VPP_TOKEN, TokenFile, VppTokenArgs, VppTokenState

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Change:
    """What was, what is asked for, and what follows."""

    case: str
    asked_before: dict[str, Any] = field(default_factory=dict)
    intune: dict[str, Any] = field(default_factory=dict)
    applied: str = "same"
    sync_pending: bool = False
    asks: dict[str, Any] = field(default_factory=dict)
    file: str = "same"
    changes: list[str] = field(default_factory=list)
    sends: list[str] = field(default_factory=list)
    claims: bool = False
    resyncs: bool = False
    misplaced: bool = False
    message: str | None = None
    one_way: bool = False

    @property
    def state(self) -> VppTokenState:
        """The last state."""
        seen = observed(**attributes(self.intune))
        applied = {
            "same": described(file()),
            "none": None,
            "elsewhere": TokenFile(UNSEEN_FINGERPRINT, seen.expiration_date_time, seen.organization_name),
        }[self.applied]
        asked = args(file(), **attributes(self.asked_before))
        return state(asked=asked, observed=seen, token_file=applied, sync_pending=self.sync_pending)

    @property
    def args(self) -> VppTokenArgs:
        """What the program asks for."""
        basis = args(file(), **attributes({**self.asked_before, **self.asks}))
        elsewhere = TokenFile(UNSEEN_FINGERPRINT, "2028-11-01T00:00:00Z")
        named: Mapping[str, VppTokenArgs] = {
            "same": basis,
            "none": replace(basis, token=None),
            "unknown": replace(basis, token=UNKNOWN, token_file=UNKNOWN),
            "elsewhere": replace(basis, token=UNSEEN_FINGERPRINT, token_file=elsewhere),
        }
        if self.file in named:
            return named[self.file]
        read = file(expires=instant(self.file), inner="another")
        return replace(basis, token=read.fingerprint, token_file=described(read))


@dataclass(frozen=True, kw_only=True)
class AtHand:
    """A token in Intune, a file at hand, and whether they are taken to be one."""

    case: str
    state: str
    intune: str | None = None
    file: str | None = None
    applied: bool = False


@each("changes", Change)
def test_what_an_update_changes(case: Change) -> None:
    """Each property changes by its compare rule or not at all, and a request carries what changed and nothing else."""
    plan = token_diff.plan(case.state, case.args)
    assert [change.property.name for change in plan.changes] == case.changes
    assert list(attributes(dict.fromkeys(case.sends))) == list(plan.members)
    assert (plan.claims, plan.resyncs, plan.misplaced) == (case.claims, case.resyncs, case.misplaced)
    assert plan.renews is ("token" in case.changes)
    assert bool(plan) is (case.message is not None)
    for change in plan.changes:
        new = getattr(case.args, change.property.attribute)
        assert change.new == (change.property.default if new is None else new)
        assert change.old != change.new


@each("changes", Change)
def test_how_a_plan_is_reported(case: Change) -> None:
    """A reviewer reads in one sentence what happens to the token, and nothing where nothing happens."""
    plan = token_diff.plan(case.state, case.args)
    assert messages.of(plan, case.state, case.args) == case.message
    warning = (
        "Changing appleDeviceAppDeliveryProtocolType of Lincoln may be irreversible: Intune does not allow switching "
        "back for individual apps."
    )
    assert messages.one_way(plan, "Lincoln") == (warning if case.one_way else None)


@each("counts_as_applied", AtHand)
def test_a_file_that_intune_is_taken_to_hold(case: AtHand) -> None:
    """While the token works, the expiration to the second tells that Intune holds this very file."""
    held = observed(state=case.state, expiration_date_time=timestamp(case.intune) if case.intune else None)
    at_hand = TokenFile("sha256:" + "0" * 64, timestamp(case.file)) if case.file else None
    assert token_diff.counts_as_applied(held, at_hand) is case.applied


def test_the_values_of_a_change_are_those_of_both_sides() -> None:
    """A change says what was there and what comes: as asked before, as observed, or as the file's fingerprint."""
    newer = file(inner="another")
    before = state(asked=args(file(), organization_name=None), observed=observed(organization_name="Old"))
    plan = token_diff.plan(before, args(newer, organization_name="New", display_name="Roosevelt", wait_for_sync=False))
    assert [(change.old, change.new) for change in plan.changes] == [
        (file().fingerprint, newer.fingerprint),
        ("Old", "New"),
        ("Lincoln", "Roosevelt"),
        (True, False),
    ]


def test_a_fingerprint_of_which_nothing_is_known_is_nothing_to_apply() -> None:
    """Without what its file says there is no renewal to plan."""
    assert not token_diff.plan(state(), args(token=file(inner="another").fingerprint, token_file=None))


UNREAD = state(observed=observed(state="invalid", expiration_date_time=None), token_encoding=None)


@example(UNREAD, UNREAD.inputs)
@example(replace(UNREAD, token_file=None), args(file(inner="another")))
@given(states(any_args(unknowns=False)), any_args(unknowns=False))
def test_a_plan_applied_leaves_nothing_to_do(before: VppTokenState, asked: VppTokenArgs) -> None:
    """After an update that Intune read, the same program asks for nothing more, at the location it expects."""
    assume(before.observed.state != TokenState.ASSIGNED_TO_EXTERNAL_MDM)
    plan = token_diff.plan(before, asked)
    applied = asked.token_file if plan.renews and isinstance(asked.token_file, TokenFile) else before.token_file
    members = {
        prop.attribute: getattr(asked, prop.attribute)
        for prop in VPP_TOKEN.members
        if prop.compare is not Compare.NEVER
    }
    located = asked.expected_location_name or before.observed.location_name
    assert not isinstance(located, Unknown)
    now = replace(before.observed, location_name=located)
    now = replace(now, **{name: value for name, value in members.items() if value is not None})
    if plan.renews or plan.resends:
        now = replace(now, state=TokenState.VALID)
    after = replace(before, observed=now, inputs=asked, token_file=applied, sync_pending=False)
    again = token_diff.plan(after, asked)
    assert not again
    assert messages.of(again, after, asked) is None


@given(states(any_args(unknowns=False)))
def test_the_inputs_of_a_state_ask_for_nothing(before: VppTokenState) -> None:
    """A state whose file is the one its inputs name is where those inputs lead, whatever Graph reports."""
    named = before.inputs.token_file
    settled = replace(before, token_file=named if isinstance(named, TokenFile) else None)
    assert token_diff.plan(settled, settled.inputs).changes == ()


@given(states(any_args(unknowns=True)), any_args(unknowns=True))
def test_any_plan_can_be_reported(before: VppTokenState, asked: VppTokenArgs) -> None:
    """A diff refuses nothing: there is a plan for any two sides, and a sentence exactly where there is one."""
    plan = token_diff.plan(before, asked)
    assert (messages.of(plan, before, asked) is not None) is bool(plan)
    assert not {change.property.compare for change in plan.changes} & {Compare.NEVER}
