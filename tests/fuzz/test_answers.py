"""Answers of Graph and Entra that are odd: each ends in a result or in one of our errors, and no id is lost."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz import tampering
from fuzz.strategies import ANSWERS, SPELLINGS, fuzzed, usable_id
from fuzz.tampering import TIMEOUT, Process, TamperedTenant, Tampering, require_storable
from intune_vpp.core.operations import LICENSE_COUNT_SYNC, LICENSE_REVOCATION, LICENSE_SYNC
from intune_vpp.lifecycle.queries import Filter

if TYPE_CHECKING:
    from intune_vpp.core.outcome import Outcome
    from intune_vpp.core.vpp_token import VppTokenState

SAME = st.none()
STATUSES = st.sampled_from([200, 204, 301, 400, 401, 403, 404, 408, 409, 412, 429, 500, 503, 504, 599])


def tamperings(*requests: Any, status: st.SearchStrategy[int | None] = SAME) -> st.SearchStrategy[Tampering]:
    """What may be done to the answers to these requests."""
    return st.builds(Tampering, st.sampled_from(requests), ANSWERS, SPELLINGS, status)


@pytest.fixture(scope="module")
def tampered() -> TamperedTenant:
    """One emulated tenant for all examples: what costs time is making it and signing in to it."""
    return TamperedTenant()


@pytest.fixture(autouse=True)
def logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The records of all loggers."""
    caplog.set_level(logging.DEBUG)
    return caplog


def created(process: Process, inputs: dict[str, Any]) -> Outcome[VppTokenState]:
    """Check and Create."""
    checked = process.check(inputs)
    assert checked.problems == ()
    return process.assembly.tokens.create(checked.args, timeout=TIMEOUT)


@fuzzed
@given(what=tamperings(tampering.CREATED), waits=st.booleans())
def test_a_post(tampered: TamperedTenant, logs: pytest.LogCaptureFixture, what: Tampering, *, waits: bool) -> None:
    """Whatever an answer to a POST holds beside a usable id, that id comes back in a state that the engine can keep."""
    process = tampered.process()
    inputs = tampered.inputs(waitForSync=waits)
    tampered.transport.tampering = what

    outcome = tampered.tried(lambda: created(process, inputs))

    (answered,) = tampered.transport.answered
    expected = usable_id(answered)
    if expected is not None:
        assert outcome is not None
        assert outcome.state.id == expected
    if outcome is not None:
        require_storable(outcome.state)
    tampered.require_silence(process, logs)


def refresh(tampered: TamperedTenant, process: Process, state: VppTokenState) -> None:
    """Read and Diff, by a GET and by a listing: what is there is never gone."""
    for _ in range(2):
        found = tampered.tried(lambda: process.refresh(state) or "gone")
        assert found != "gone"
        if found is not None:
            assert found.id == state.id
            require_storable(found)
            process.assembly.preview.plan_token(found, state.inputs)


def renew(tampered: TamperedTenant, process: Process, state: VppTokenState) -> None:
    """Update with another file, and wait for its sync."""
    checked = process.check(tampered.inputs(organizationName="Contoso", automaticallyUpdateApps=True), state)
    assert checked.problems == ()
    outcome = tampered.tried(lambda: process.assembly.tokens.update(state, checked.args, timeout=TIMEOUT))
    if outcome is not None:
        assert outcome.state.id == state.id
        require_storable(outcome.state)


def create(tampered: TamperedTenant, process: Process, _state: VppTokenState) -> None:
    """Create another token, and wait for its sync."""
    outcome = tampered.tried(lambda: created(process, tampered.inputs("York")))
    if outcome is not None:
        require_storable(outcome.state)


def adopt(tampered: TamperedTenant, process: Process, state: VppTokenState) -> None:
    """Adopt the token anew."""
    outcome = tampered.tried(lambda: created(process, {**tampered.inputs(), "adoptTokenId": state.id}))
    if outcome is not None:
        assert outcome.state.id == state.id
        require_storable(outcome.state)


def delete(tampered: TamperedTenant, process: Process, state: VppTokenState) -> None:
    """Revoke the licences and delete the token."""
    checked = process.check({**tampered.inputs(), "deletionProtection": False, "revokeLicensesOnDelete": True}, state)
    outcome = tampered.tried(lambda: process.assembly.tokens.update(state, checked.args, timeout=TIMEOUT))
    if outcome is not None:
        tampered.tried(lambda: process.assembly.tokens.delete(outcome.state, timeout=TIMEOUT))


def operate(tampered: TamperedTenant, process: Process, state: VppTokenState) -> None:
    """Each of the operations: run, read, and update."""
    for operation in (LICENSE_SYNC, LICENSE_REVOCATION, LICENSE_COUNT_SYNC):
        lifecycle, inputs = process.assembly.operation(operation), {"vppTokenId": state.id}
        result = tampered.tried(partial(lifecycle.run, inputs, TIMEOUT))
        if result is not None:
            assert result.id
            found = tampered.tried(partial(lifecycle.read, result.id, result.state))
            tampered.tried(partial(lifecycle.update, result.id, found or result.state, inputs, TIMEOUT))


def ask(tampered: TamperedTenant, process: Process, state: VppTokenState) -> None:
    """Ask what functions ask."""
    queries = process.assembly.queries
    for question in (
        lambda: queries.all(Filter(state="valid")),
        lambda: queries.by_name(display_name="Lincoln"),
        lambda: queries.by_id(state.id),
        lambda: queries.by_app("33333333-3333-4333-8333-333333333333"),
        lambda: queries.licenses_for_app("com.example"),
    ):
        tampered.tried(question)


STEPS = st.sampled_from([refresh, renew, create, adopt, delete, operate, ask])


def tamper(tampered: TamperedTenant, logs: pytest.LogCaptureFixture, what: Tampering, step: Any) -> None:
    """One step of a token's life while somebody tampers with answers."""
    process = tampered.process()
    state = created(process, tampered.inputs()).state
    tampered.transport.tampering = what

    step(tampered, process, state)

    tampered.require_silence(process, logs)


@fuzzed
@given(what=tamperings(tampering.LIST), step=STEPS)
def test_a_list(tampered: TamperedTenant, logs: pytest.LogCaptureFixture, what: Tampering, step: Any) -> None:
    """Whatever a listing holds, nothing ends in a defect, and no token that is there is gone."""
    tamper(tampered, logs, what, step)


@fuzzed
@given(what=tamperings(tampering.ONE, tampering.CHANGED, tampering.OPERATION_ANSWER), step=STEPS)
def test_an_entity(tampered: TamperedTenant, logs: pytest.LogCaptureFixture, what: Tampering, step: Any) -> None:
    """Whatever a GET, a PATCH or an action is answered, nothing ends in a defect, and each state keeps its id."""
    tamper(tampered, logs, what, step)


@fuzzed
@given(what=tamperings(tampering.ANY, status=STATUSES), step=STEPS.filter(lambda step: step is not refresh))
def test_an_error(tampered: TamperedTenant, logs: pytest.LogCaptureFixture, what: Tampering, step: Any) -> None:
    """Whatever an answer of another status holds, it ends in one of our errors."""
    tamper(tampered, logs, what, step)


def sign_in(tampered: TamperedTenant, logs: pytest.LogCaptureFixture, what: Tampering) -> None:
    """Ask for the tenant and its tokens with a new sign-in while somebody tampers with answers."""
    process = tampered.process(signed_in=False)
    tampered.transport.tampering = what
    queries = process.assembly.queries

    tampered.tried(queries.tenant_id)
    tampered.tried(lambda: queries.all(Filter()))

    tampered.require_silence(process, logs)


@fuzzed
@given(what=tamperings(tampering.SIGN_IN, status=SAME | STATUSES))
def test_a_sign_in(tampered: TamperedTenant, logs: pytest.LogCaptureFixture, what: Tampering) -> None:
    """Whatever Entra answers to a sign-in, it ends in a listing or in one of our errors."""
    sign_in(tampered, logs, what)


@pytest.fixture(scope="module")
def by_domain() -> TamperedTenant:
    """One that is configured by its domain, whose GUID is looked up."""
    return TamperedTenant(by_domain=True)


@fuzzed
@given(what=tamperings(tampering.DISCOVERY, status=SAME | STATUSES))
def test_a_discovery(by_domain: TamperedTenant, logs: pytest.LogCaptureFixture, what: Tampering) -> None:
    """Whatever OpenID discovery answers, it ends in a listing or in one of our errors."""
    sign_in(by_domain, logs, what)
