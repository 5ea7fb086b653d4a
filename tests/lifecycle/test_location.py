"""A token for another location than the program expects: loud at every update, and kept, until it is put right."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from builders import NEXT_YEAR, token_inputs, vpptoken
from intune_vpp.core.errors import RenewalRefused, WrongLocation
from intune_vpp_emulator.tenant import Tenant
from run_in_process import GET, LIST, PATCH, POST, SYNC, Run
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.core.vpp_token import VppTokenState

NEWER = NEXT_YEAR + timedelta(days=30)
FOUR_MINUTES = timedelta(minutes=4)


def misplaced(tenant: Tenant, text: str) -> VppTokenState:
    """A token of Monroe, where Lincoln is expected, as the failed creation has left it."""
    outcome = Run(tenant).create(token_inputs(text, expectedLocationName="Lincoln"))
    assert isinstance(outcome.failure, WrongLocation)
    return outcome.state


def failure_of(state: VppTokenState) -> str:
    """What is said of a token of Monroe, where Lincoln is expected."""
    return (
        f'Token {state.id} is for the location "Monroe", but "Lincoln" is expected. Download the content token of the '
        "expected location from Apple and renew with it, or correct expectedLocationName."
    )


def test_wrong_location_is_loud_and_keeps_the_token(tenant: Tenant) -> None:
    """A token for another location than expected fails with both names, its id kept and its sync done."""
    run = Run(tenant)
    outcome = run.create(token_inputs(vpptoken("Monroe"), expectedLocationName="Lincoln"))
    assert str(outcome.failure) == failure_of(outcome.state)
    assert run.requests == [LIST, POST, SYNC, LIST]
    assert [one.id for one in tenant.tokens] == [outcome.state.id]
    assert outcome.state.sync_pending is False


def test_right_location_passes(tenant: Tenant) -> None:
    """The location that is expected is no failure."""
    assert Run(tenant).create(token_inputs(vpptoken(), expectedLocationName="Lincoln")).failure is None


def test_unnamed_location_is_a_warning() -> None:
    """Where Intune does not name the location yet, the expectation is reported and nothing fails, now or later."""

    class Unnamed(Tenant):
        def create(self, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
            return {**super().create(body, **options), "locationName": None}

    tenant = new_tenant(Unnamed)
    run = Run(tenant)
    text = vpptoken()
    outcome = run.create(token_inputs(text, expectedLocationName="Lincoln", waitForSync=False))
    assert outcome.failure is None
    (warning,) = run.reporter.warnings
    assert warning == (
        'Intune does not show the location of Lincoln yet, so expectedLocationName "Lincoln" was not checked. Refresh '
        "the stack later."
    )
    later = Run(tenant)
    assert not later.preview(outcome.state, token_inputs(text, expectedLocationName="Lincoln", waitForSync=False))
    changed = later.up(outcome.state, token_inputs(text, expectedLocationName="Monroe", waitForSync=False))
    assert (changed.failure, later.reporter.warnings, later.requests) == (None, [], [])


def test_every_update_fails_until_it_is_put_right(tenant: Tenant) -> None:
    """The program that nobody touched fails again, as its preview has said, and asks Graph nothing."""
    text = vpptoken("Monroe")
    state = misplaced(tenant, text)
    for _ in range(2):
        run = Run(tenant)
        outcome = run.up(state, token_inputs(text, expectedLocationName="Lincoln"))
        assert str(outcome.failure) == failure_of(state)
        assert outcome.state == state
        assert run.log == []
        assert run.reporter.said == [
            ("info", 'Fails: Lincoln is for the location "Monroe", but "Lincoln" is expected; id and apps are kept.')
        ]
        state = outcome.state


@pytest.mark.parametrize("expected", ["Monroe", None])
def test_corrected_expectation_is_quiet(tenant: Tenant, expected: str | None) -> None:
    """Put right in the program, or dropped from it, the expectation costs no request and no further word."""
    text = vpptoken("Monroe")
    state = misplaced(tenant, text)
    inputs = token_inputs(text, expectedLocationName=expected)
    run = Run(tenant)
    outcome = run.up(state, inputs)
    assert (outcome.failure, outcome.state.inputs.expected_location_name) == (None, expected)
    assert run.log == []
    assert run.reporter.said == [
        ("info", "Changes expectedLocationName of Lincoln in the state only, without a request.")
    ]
    again = Run(tenant)
    assert not again.preview(outcome.state, inputs)
    assert again.reporter.said == []


def test_expectation_that_turns_wrong_fails(tenant: Tenant) -> None:
    """An expectation that is named later is held against what is known, without a request, and kept."""
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text)).state
    run = Run(tenant)
    outcome = run.up(state, token_inputs(text, expectedLocationName="Monroe"))
    assert isinstance(outcome.failure, WrongLocation)
    assert outcome.state.inputs.expected_location_name == "Monroe"
    assert run.log == []


def test_other_changes_are_made_and_the_update_still_fails(tenant: Tenant) -> None:
    """What else changes is sent and kept; the location is reported afterwards."""
    text = vpptoken("Monroe")
    state = misplaced(tenant, text)
    run = Run(tenant)
    outcome = run.up(state, token_inputs(text, expectedLocationName="Lincoln", displayName="Lincoln School"))
    assert run.requests == [PATCH]
    assert isinstance(outcome.failure, WrongLocation)
    assert outcome.state.observed.display_name == "Lincoln School"


def test_right_file_is_the_cure(tenant: Tenant) -> None:
    """Renewed with a file of the expected location, the token is where it belongs, as the preview has hoped."""
    state = misplaced(tenant, vpptoken("Monroe"))
    inputs = token_inputs(vpptoken("Lincoln", expires=NEWER), expectedLocationName="Lincoln")
    run = Run(tenant)
    outcome = run.up(state, inputs)
    assert run.requests == [PATCH, SYNC, LIST]
    assert run.reporter.infos == [
        (
            "Renews Lincoln in place (expires 2027-11-01 → 2027-12-01); "
            'fails unless the file is for the location "Lincoln" (now "Monroe"); id is kept.'
        ),
        'Lincoln was for the location "Monroe" and is now for "Lincoln".',
    ]
    assert run.reporter.warnings == []
    assert (outcome.failure, outcome.state.observed.location_name) == (None, "Lincoln")
    assert not Run(tenant).preview(outcome.state, inputs)


def test_wrong_file_in_a_renewal_fails(tenant: Tenant) -> None:
    """Renewed with a file of another location, a token is renewed and the update fails, now and later."""
    state = Run(tenant).create(token_inputs(vpptoken(), expectedLocationName="Lincoln")).state
    inputs = token_inputs(vpptoken("Monroe", expires=NEWER), expectedLocationName="Lincoln")
    outcome = Run(tenant).up(state, inputs)
    assert str(outcome.failure) == failure_of(state)
    assert Run(tenant).preview(outcome.state, inputs).misplaced


def test_location_is_no_drift(tenant: Tenant) -> None:
    """A refresh of a misplaced token is quiet; the next update fails by what it has read."""
    text = vpptoken()
    inputs = token_inputs(text, expectedLocationName="Lincoln")
    state = Run(tenant).create(inputs).state
    tenant.edit_by_hand(state.id, {"locationName": "Monroe"})
    refresh = Run(tenant)
    assert not refresh.drift(state)
    assert refresh.reporter.said == []
    now = Run(tenant).refresh(state)
    assert now is not None
    assert str(Run(tenant).up(now, inputs).failure) == failure_of(state)


def test_adoption_at_another_location_is_refused(tenant: Tenant) -> None:
    """A token at another location than expected is not adopted: nothing is written, whatever else differs."""
    members = {"token": vpptoken("Monroe"), "appleId": "vpp@contoso.example", "displayName": "Monroe"}
    token_id = tenant.create_by_hand(members)["id"]
    run = Run(tenant)
    with pytest.raises(WrongLocation) as refused:
        run.create(token_inputs(vpptoken(expires=NEWER), adoptTokenId=token_id, expectedLocationName="Lincoln"))
    assert str(refused.value) == (
        f'Token {token_id} is for the location "Monroe", but "Lincoln" is expected. Nothing was changed: '
        "name the token "
        "of the expected location in adoptTokenId, or correct expectedLocationName."
    )
    assert run.requests == [GET]
    (there,) = tenant.tokens
    assert there.members["displayName"] == "Monroe"


def test_refused_adoption_leaves_the_token_free(tenant: Tenant) -> None:
    """In the same run the token may still be adopted by a resource that expects its location."""
    token_id = tenant.create_by_hand({"token": vpptoken("Monroe"), "appleId": "vpp@contoso.example"})["id"]
    run = Run(tenant)
    with pytest.raises(WrongLocation):
        run.create({"adoptTokenId": token_id, "expectedLocationName": "Lincoln"})
    outcome = run.create({"adoptTokenId": token_id, "expectedLocationName": "Monroe"})
    assert (outcome.failure, outcome.state.id) == (None, token_id)


def test_token_taken_over_at_another_location_is_kept(tenant: Tenant) -> None:
    """A new name for a misplaced token takes it over and fails like any update of it."""
    text = vpptoken("Monroe")
    state = misplaced(tenant, text)
    run = Run(tenant)
    outcome = run.create(token_inputs(text, expectedLocationName="Lincoln"))
    assert run.requests == [LIST]
    assert (str(outcome.failure), outcome.state.id) == (failure_of(state), state.id)


def test_older_file_is_the_cure_where_a_newer_one_is_misplaced(tenant: Tenant) -> None:
    """Monroe's file, minutes newer, went into Lincoln's token: Lincoln's own file puts it right, though it is older."""
    lincoln = vpptoken("Lincoln")
    inputs = token_inputs(lincoln, expectedLocationName="Lincoln")
    state = Run(tenant).create(inputs).state
    mistake = token_inputs(vpptoken("Monroe", expires=NEXT_YEAR + FOUR_MINUTES), expectedLocationName="Lincoln")
    mistaken = Run(tenant).up(state, mistake)
    assert isinstance(mistaken.failure, WrongLocation)
    run = Run(tenant)
    outcome = run.up(mistaken.state, inputs)
    assert (outcome.failure, outcome.state.observed.location_name) == (None, "Lincoln")
    assert run.requests == [PATCH, SYNC, LIST]
    assert run.reporter.warnings == []
    assert not Run(tenant).preview(outcome.state, inputs)
    assert not Run(tenant).drift(outcome.state)


def test_cure_is_judged_by_its_location(tenant: Tenant) -> None:
    """An older file that turns out to be of a third location is applied, and fails with both names."""
    state = misplaced(tenant, vpptoken("Monroe", expires=NEWER))
    outcome = Run(tenant).up(state, token_inputs(vpptoken("Jackson"), expectedLocationName="Lincoln"))
    assert isinstance(outcome.failure, WrongLocation)
    assert outcome.state.observed.location_name == "Jackson"


def test_older_file_of_the_right_location_is_refused(tenant: Tenant) -> None:
    """Once the location is right, an older file is refused before anything is sent."""
    state = Run(tenant).create(token_inputs(vpptoken(expires=NEWER), expectedLocationName="Lincoln")).state
    run = Run(tenant)
    assert "with an older one" in run.refusal(token_inputs(vpptoken(), expectedLocationName="Lincoln"), state)
    assert run.log == []


def test_older_file_of_the_right_location_is_refused_by_the_update(tenant: Tenant) -> None:
    """Where Check is not told the location, the plan warns of the refusal, and the update sends nothing."""
    state = Run(tenant).create(token_inputs(vpptoken(expires=NEWER), expectedLocationName="Lincoln")).state
    run = Run(tenant)
    older = token_inputs(vpptoken(), expectedLocationName="Lincoln")
    checked = run.assembly.preview.check_token(older, state.inputs)
    assert checked.problems == ()
    assert run.assembly.preview.plan_token(state, checked.args).renews
    (warning,) = run.reporter.warnings
    assert warning.startswith("The update of Lincoln will be refused: The token file expires on 2027-11-01, before")
    with pytest.raises(RenewalRefused, match="with an older one"):
        run.assembly.tokens.update(state, checked.args)
    assert run.log == []


@pytest.mark.parametrize("order", [("Lincoln", "Monroe"), ("Monroe", "Lincoln")])
def test_two_swapped_files_are_put_right(tenant: Tenant, order: tuple[str, str]) -> None:
    """Two stacks were given each other's file; each is put right with its own one, the older one as well.

    While only the first is put right, both tokens are of one location: the advice is not just to delete one of them.
    """
    files = {"Lincoln": vpptoken("Lincoln"), "Monroe": vpptoken("Monroe", expires=NEXT_YEAR + FOUR_MINUTES)}
    swapped = {"Lincoln": files["Monroe"], "Monroe": files["Lincoln"]}

    def asked(name: str, file: str) -> dict[str, Any]:
        return token_inputs(file, displayName=name, expectedLocationName=name)

    states = {name: Run(tenant).create(asked(name, file)).state for name, file in swapped.items()}
    halfway = Run(tenant)
    first = halfway.up(states[order[0]], asked(order[0], files[order[0]]))
    advice = [*halfway.reporter.warnings, str(first.failure)]
    assert any("if one of them has the file of another location, renew that one" in said for said in advice)
    states[order[0]] = first.state
    for name in reversed(order):
        states[name] = Run(tenant).up(states[name], asked(name, files[name])).state
    for name, state in states.items():
        run = Run(tenant)
        now = run.refresh(state)
        assert now is not None
        assert (now.observed.location_name, now.observed.state) == (name, "valid")
        assert not run.preview(now, asked(name, files[name]))
        assert run.reporter.warnings == []


def test_move_to_another_location_is_told(tenant: Tenant) -> None:
    """Without an expected location, a renewal with a file of another one warns after the PATCH, with both names."""
    state = Run(tenant).create(token_inputs(vpptoken())).state
    inputs = token_inputs(vpptoken("Monroe", expires=NEWER))
    run = Run(tenant)
    outcome = run.up(state, inputs)
    assert outcome.failure is None
    assert run.reporter.warnings == ['Lincoln was for the location "Lincoln" and is now for "Monroe".']
    later = Run(tenant)
    later.up(outcome.state, {**inputs, "displayName": "Monroe"})
    assert later.reporter.warnings == []


@pytest.mark.parametrize("expected", [None, "Lincoln"])
def test_renewal_of_one_location_tells_no_move(tenant: Tenant, expected: str | None) -> None:
    """A renewal with a file of the same location is not called a move."""
    state = Run(tenant).create(token_inputs(vpptoken(), expectedLocationName=expected)).state
    run = Run(tenant)
    run.up(state, token_inputs(vpptoken(expires=NEWER), expectedLocationName=expected))
    assert "location" not in "".join(run.reporter.warnings + run.reporter.infos[1:])


def test_location_that_appears_is_no_move() -> None:
    """Where Intune did not show the location before a renewal, or does not after it, nothing is called a move."""

    class Unnamed(Tenant):
        def _answer(self, *given: Any) -> dict[str, Any]:
            return {**super()._answer(*given), "locationName": None}

    tenant = new_tenant(Unnamed)
    state = Run(tenant).create(token_inputs(vpptoken())).state
    run = Run(tenant)
    run.up(state, token_inputs(vpptoken("Monroe", expires=NEWER)))
    assert run.reporter.warnings == []


def test_location_that_looks_like_the_expected_one(tenant: Tenant) -> None:
    """Where the two names differ in a character that cannot be seen, the sentence names it, in preview too."""
    outcome = Run(tenant).create(token_inputs(vpptoken("Lincoln\u00a0West"), expectedLocationName="Lincoln West"))
    alike = "The names look the same, but differ at character 8: NO-BREAK SPACE (U+00A0) and SPACE (U+0020)."
    assert isinstance(outcome.failure, WrongLocation)
    assert alike in str(outcome.failure)
    run = Run(tenant)
    run.preview(outcome.state, token_inputs(None, expectedLocationName="Lincoln West"))
    assert [alike in sentence for sentence in run.reporter.infos] == [True]


def test_blank_after_a_location_is_no_other_location(tenant: Tenant) -> None:
    """A blank that Apple's name ends with, and that no input can have, makes no other location."""
    outcome = Run(tenant).create(token_inputs(vpptoken("Lincoln "), expectedLocationName=" Lincoln"))
    assert outcome.failure is None
    assert not Run(tenant).preview(outcome.state, token_inputs(None, expectedLocationName="Lincoln"))
