"""A token for another location than the program expects: loud at every update, and kept, until it is put right."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from builders import NEXT_YEAR
from intune_vpp.core.errors import WrongLocation
from intune_vpp_emulator.tenant import Tenant
from tenant_in_process import GET, LIST, PATCH, POST, SYNC, Run, new_tenant, vpptoken, wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.core.vpp_token import VppTokenState

NEWER = NEXT_YEAR + timedelta(days=30)


def misplaced(tenant: Tenant, text: str) -> VppTokenState:
    """A token of Monroe, where Lincoln is expected, as the failed creation has left it."""
    outcome = Run(tenant).create(wanted(text, expectedLocationName="Lincoln"))
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
    outcome = run.create(wanted(vpptoken("Monroe"), expectedLocationName="Lincoln"))
    assert str(outcome.failure) == failure_of(outcome.state)
    assert run.requests == [LIST, POST, SYNC, LIST]
    assert [one.id for one in tenant.tokens] == [outcome.state.id]
    assert outcome.state.sync_pending is False


def test_right_location_passes(tenant: Tenant) -> None:
    """The location that is expected is no failure."""
    assert Run(tenant).create(wanted(vpptoken(), expectedLocationName="Lincoln")).failure is None


def test_unnamed_location_is_a_warning() -> None:
    """Where Intune does not name the location yet, the expectation is reported and nothing fails, now or later."""

    class Unnamed(Tenant):
        def create(self, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
            return {**super().create(body, **options), "locationName": None}

    tenant = new_tenant(Unnamed)
    run = Run(tenant)
    text = vpptoken()
    outcome = run.create(wanted(text, expectedLocationName="Lincoln", waitForSync=False))
    assert outcome.failure is None
    assert run.reporter.warnings == ['Intune does not show the location of Lincoln yet; "Lincoln" is expected.']
    later = Run(tenant)
    assert not later.preview(outcome.state, wanted(text, expectedLocationName="Lincoln", waitForSync=False))
    changed = later.up(outcome.state, wanted(text, expectedLocationName="Monroe", waitForSync=False))
    assert (changed.failure, later.reporter.warnings, later.requests) == (None, [], [])


def test_every_update_fails_until_it_is_put_right(tenant: Tenant) -> None:
    """The program that nobody touched fails again, as its preview has said, and asks Graph nothing."""
    text = vpptoken("Monroe")
    state = misplaced(tenant, text)
    for _ in range(2):
        run = Run(tenant)
        outcome = run.up(state, wanted(text, expectedLocationName="Lincoln"))
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
    inputs = wanted(text, expectedLocationName=expected)
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
    state = Run(tenant).create(wanted(text)).state
    run = Run(tenant)
    outcome = run.up(state, wanted(text, expectedLocationName="Monroe"))
    assert isinstance(outcome.failure, WrongLocation)
    assert outcome.state.inputs.expected_location_name == "Monroe"
    assert run.log == []


def test_other_changes_are_made_and_the_update_still_fails(tenant: Tenant) -> None:
    """What else changes is sent and kept; the location is reported afterwards."""
    text = vpptoken("Monroe")
    state = misplaced(tenant, text)
    run = Run(tenant)
    outcome = run.up(state, wanted(text, expectedLocationName="Lincoln", displayName="Lincoln School"))
    assert run.requests == [PATCH]
    assert isinstance(outcome.failure, WrongLocation)
    assert outcome.state.observed.display_name == "Lincoln School"


def test_right_file_is_the_cure(tenant: Tenant) -> None:
    """Renewed with a file of the expected location, the token is where it belongs, as the preview has hoped."""
    state = misplaced(tenant, vpptoken("Monroe"))
    inputs = wanted(vpptoken("Lincoln", expires=NEWER), expectedLocationName="Lincoln")
    run = Run(tenant)
    outcome = run.up(state, inputs)
    assert run.requests == [PATCH, SYNC, LIST]
    assert run.reporter.infos == [
        (
            "Renews Lincoln in place (expires 2027-11-01 → 2027-12-01); "
            'fails unless the file is for the location "Lincoln" (now "Monroe"); id and apps are kept.'
        )
    ]
    assert (outcome.failure, outcome.state.observed.location_name) == (None, "Lincoln")
    assert not Run(tenant).preview(outcome.state, inputs)


def test_wrong_file_in_a_renewal_fails(tenant: Tenant) -> None:
    """Renewed with a file of another location, a token is renewed and the update fails, now and later."""
    state = Run(tenant).create(wanted(vpptoken(), expectedLocationName="Lincoln")).state
    inputs = wanted(vpptoken("Monroe", expires=NEWER), expectedLocationName="Lincoln")
    outcome = Run(tenant).up(state, inputs)
    assert str(outcome.failure) == failure_of(state)
    assert Run(tenant).preview(outcome.state, inputs).misplaced


def test_location_is_no_drift(tenant: Tenant) -> None:
    """A refresh of a misplaced token is quiet; the next update fails by what it has read."""
    text = vpptoken()
    inputs = wanted(text, expectedLocationName="Lincoln")
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
        run.create(wanted(vpptoken(expires=NEWER), adoptTokenId=token_id, expectedLocationName="Lincoln"))
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
    outcome = run.create(wanted(text, expectedLocationName="Lincoln"))
    assert run.requests == [LIST]
    assert (str(outcome.failure), outcome.state.id) == (failure_of(state), state.id)


def test_location_that_looks_like_the_expected_one(tenant: Tenant) -> None:
    """Where the two names differ in a character that cannot be seen, the sentence names it, in preview too."""
    outcome = Run(tenant).create(wanted(vpptoken("Lincoln\u00a0West"), expectedLocationName="Lincoln West"))
    alike = "The names look the same, but differ at character 8: NO-BREAK SPACE (U+00A0) and SPACE (U+0020)."
    assert isinstance(outcome.failure, WrongLocation)
    assert alike in str(outcome.failure)
    run = Run(tenant)
    run.preview(outcome.state, wanted(None, expectedLocationName="Lincoln West"))
    assert [alike in sentence for sentence in run.reporter.infos] == [True]


def test_blank_after_a_location_is_no_other_location(tenant: Tenant) -> None:
    """A blank that Apple's name ends with, and that no input can have, makes no other location."""
    outcome = Run(tenant).create(wanted(vpptoken("Lincoln "), expectedLocationName=" Lincoln"))
    assert outcome.failure is None
    assert not Run(tenant).preview(outcome.state, wanted(None, expectedLocationName="Lincoln"))
