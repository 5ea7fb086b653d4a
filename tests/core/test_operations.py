"""The operations: what each takes, what is wrong with that, and what a change of it leads to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.case_tables import each
from core.strategies import JSON, TEXTS
from intune_vpp.core import check, diff, messages, operations
from intune_vpp.core.check import Policy
from intune_vpp.core.operations import LICENSE_COUNT_SYNC, LICENSE_REVOCATION, LICENSE_SYNC, OPERATIONS, Operation
from intune_vpp.core.resource_type import UNKNOWN, Kind, Sent
from intune_vpp.core.token_check import TokenFileContent

BY_NAME = {operation.name: operation for operation in OPERATIONS}
WORDS = {"<unknown>": UNKNOWN, "<nothing>": None, "<file>": TokenFileContent(b"")}


def given_values(raw: Any) -> Any:
    """A value of a table as a door hands it over; TOML has no word for what is unknown, absent or a file."""
    if isinstance(raw, dict):
        return {name: given_values(one) for name, one in raw.items()}
    if isinstance(raw, list):
        return [given_values(one) for one in raw]
    return WORDS.get(raw, raw) if isinstance(raw, str) else raw


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The inputs of a program, and what is wrong with them."""

    case: str
    operation: str
    inputs: dict[str, Any] = field(default_factory=dict)
    graph: str = "beta"
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """The outputs of the last time, the inputs of this one, and what is planned."""

    case: str
    operation: str
    kept: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    ignoring: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    replaces: list[str] = field(default_factory=list)
    runs: bool = False
    resumes: bool = False


@each("operation_inputs", Asked)
def test_what_is_wrong_with_inputs(case: Asked) -> None:
    """Each input that cannot be used has one sentence, and the property it is about where there is one."""
    problems = check.check(BY_NAME[case.operation], given_values(case.inputs), Policy(beta=case.graph == "beta"))
    assert [problem.reason for problem in problems] == case.problems
    assert all(problem.property in {"", *case.inputs} for problem in problems)


@each("operation_plans", Planned)
def test_what_an_update_leads_to(case: Planned) -> None:
    """Triggers do it again, another token makes it another, what has not ended goes on, the rest is for later."""
    operation = BY_NAME[case.operation]
    found = diff.plan_operation(operation, given_values(case.kept), given_values(case.inputs)).without(case.ignoring)
    assert list(found.changed) == case.changes
    assert (list(found.replaces), found.runs, bool(found.pending)) == (case.replaces, case.runs, case.resumes)
    assert bool(found) is bool(case.changes or case.resumes)


def test_outputs_that_are_certain() -> None:
    """What was given comes out as it went in; what was not, what is no input and the engine's own do not."""
    given_inputs = {"vppTokenId": UNKNOWN, "triggers": [{}], "waitForSync": None, "state": "valid", "__x": 1}
    assert operations.echoed_inputs(LICENSE_SYNC, given_inputs) == {"vppTokenId": UNKNOWN, "triggers": [{}]}
    assert operations.echoed_inputs(LICENSE_REVOCATION, {"notifyManagedDevices": False}) == {
        "notifyManagedDevices": False
    }


VALUES = st.dictionaries(
    st.sampled_from(sorted({prop.name for operation in OPERATIONS for prop in operation.properties})) | TEXTS,
    JSON.filter(lambda one: "nan" not in repr(one)) | st.just(UNKNOWN),
    max_size=6,
)


@given(st.sampled_from(OPERATIONS), VALUES, st.booleans())
def test_check_never_breaks(operation: Operation, inputs: dict[str, Any], beta: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever is given, the check answers in sentences, and the same ones for what it lets out."""
    problems = check.check(operation, inputs, Policy(beta=beta))
    assert all(problem.reason.endswith(".") for problem in problems)
    if not problems:
        assert check.check(operation, operations.echoed_inputs(operation, inputs), Policy(beta=beta)) == []


@given(st.sampled_from(OPERATIONS), VALUES)
def test_what_was_done_differs_in_nothing(operation: Operation, inputs: dict[str, Any]) -> None:
    """An update to the inputs of the last run changes nothing."""
    assert diff.plan_operation(operation, operations.echoed_inputs(operation, inputs), inputs).changed == ()


def test_the_tables() -> None:
    """Inputs stay here, none is a member of Graph's vppToken; each says what leaving it out means where it can."""
    for operation in OPERATIONS:
        assert {prop.sent for prop in operation.inputs} == {Sent.PROVIDER_ONLY}
        assert all(prop.default is not None for prop in operation.inputs if prop.kind is Kind.BOOL)
        assert operation.progress is None or operation.progress in {prop.name for prop in operation.properties}
    assert [prop.name for prop in LICENSE_REVOCATION.inputs if prop.kind is Kind.JSON] == []
    assert [operation.name for operation in OPERATIONS if operation.beta_only] == [
        "LicenseRevocation",
        "LicenseCountSync",
    ]


@pytest.mark.parametrize("outputs", [{}, {"actionState": "active"}, {"syncPending": True}])
def test_a_count_is_never_pending(outputs: dict[str, Any]) -> None:
    """Graph does not tell when it has counted, so nobody waits for it."""
    assert LICENSE_COUNT_SYNC.pending(outputs) is False


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        (LICENSE_SYNC, "Syncs the licences of Lincoln."),
        (LICENSE_REVOCATION, "Revokes all licences of Lincoln."),
        (LICENSE_COUNT_SYNC, "Counts the licences of all tokens."),
    ],
)
def test_each_deed_in_words(operation: Operation, says: str) -> None:
    """What is about to be done is said with the token it is done to, where it is done to one."""
    assert messages.operation(operation, "Lincoln") == says
