"""How a revocation of licences stands, as time passes, and which of a token's actions it is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, observed
from core.case_tables import each, value
from core.strategies import INSTANTS, JSON, TEXTS, TIMESTAMPS, tokens
from intune_vpp.core import graph_json, revocation
from intune_vpp.core.enums import ENDED, ActionState, FailureReason
from intune_vpp.core.errors import (
    Conflict,
    GraphError,
    GraphUnavailable,
    GraphUnreachable,
    NotFound,
    PermissionMissing,
    RequestNotSent,
    RevocationFailed,
    RevocationTimedOut,
    SignInRefused,
    Throttled,
)
from intune_vpp.core.resource_type import camel_case
from intune_vpp.core.revocation import RESULT_TYPE, Result, Watch
from intune_vpp.core.waiting import TIME_ALLOWED

if TYPE_CHECKING:
    from intune_vpp.core.vpp_token import VppToken
    from intune_vpp.core.waiting import WaitResult


def at(time: str | None) -> Any:
    """A time of that day as Graph writes it."""
    if time == "<never>":
        return "0001-01-01T00:00:00Z"
    return None if time in {None, "<nothing>"} else f"2026-11-01T{time}Z"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A result among a token's actions."""

    type: str = RESULT_TYPE
    state: str = "active"
    start: str = "12:00:01"
    total: Any = 43
    failed: Any = 0
    reason: str = "none"

    @property
    def members(self) -> dict[str, Any]:
        """As Graph writes it."""
        return {
            "@odata.type": value(self.type),
            "actionName": "revokeLicenses",
            "actionState": value(self.state),
            "startDateTime": at(self.start),
            "lastUpdatedDateTime": "2026-11-01T12:00:02Z",
            "totalLicensesCount": value(self.total),
            "failedLicensesCount": value(self.failed),
            "actionFailureReason": value(self.reason),
        }


@dataclass(frozen=True, kw_only=True)
class Step:
    """One answer of Graph, and what is made of it."""

    after: int
    shows: list[dict[str, Any]]
    then: str
    says: str = ""

    @property
    def seen(self) -> VppToken:
        """The token as Graph shows it."""
        return showing(*(Shown(**one) for one in self.shows))


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """What is known of a revocation, and what is seen of it."""

    case: str
    steps: list[dict[str, Any]]
    start: str | None = None
    previous: list[str] = field(default_factory=list)
    allowed: int = field(default=int(TIME_ALLOWED.total_seconds()))

    @property
    def watch(self) -> Watch:
        """The revocation to follow."""
        return Watch(
            started_at=NOW,
            start=at(self.start),
            previous=frozenset(map(at, self.previous)),
            allowed=timedelta(seconds=self.allowed),
        )


def showing(*shown: Shown) -> VppToken:
    """A token with these results."""
    return shows([one.members for one in shown])


def shows(results: object) -> VppToken:
    """A token with what Graph writes for its results."""
    token = graph_json.token_from({"tokenActionResults": results})
    return observed(token_action_results=token.token_action_results)


def verdict(ended: WaitResult | None) -> tuple[str, str]:
    """The outcome in a word, and its sentence."""
    if ended is None:
        return "waits", ""
    if ended.failure is None:
        return ("warns", ended.warning) if ended.warning else ("well", "")
    assert ended.warning is None
    assert isinstance(ended.failure, RevocationFailed)
    return "times out" if isinstance(ended.failure, RevocationTimedOut) else "fails", str(ended.failure)


@each("revocation", Revocation)
def test_how_a_revocation_is_judged_over_time(case: Revocation) -> None:
    """Done is well; every other end has its own sentence with the reason and its cure; nothing else is an end."""
    for step in (Step(**given_step) for given_step in case.steps):
        then, said = verdict(revocation.evaluate(case.watch, step.seen, NOW + timedelta(seconds=step.after)))
        assert then == step.then, step
        assert step.says in said
        assert bool(step.says) is bool(said)


EVERY_RESULT = [
    Result(action_state=state, action_failure_reason=reason, total_licenses_count=43, failed_licenses_count=failed)
    for state in ActionState
    for reason in [*FailureReason, "someDayReason", None]
    for failed in [0, 3, 43, None]
]


def nothing_to_report(result: Result) -> bool:
    """Whether a revocation goes on, or ended with all licences revoked."""
    took_all = not result.failed_licenses_count and result.action_failure_reason in {None, "none"}
    return result.action_state not in ENDED or (result.action_state == "done" and took_all)


@pytest.mark.parametrize("result", [one for one in EVERY_RESULT if nothing_to_report(one)], ids=str)
def test_a_result_without_a_sentence(result: Result) -> None:
    """Nothing is said of a revocation that goes on, or that has revoked all licences."""
    assert result.has_ended is (result.action_state in ENDED)
    assert verdict(revocation.verdict(result, "Lincoln")) == ("well", "")


@pytest.mark.parametrize("result", [one for one in EVERY_RESULT if not nothing_to_report(one)], ids=str)
def test_what_is_said_of_each_end(result: Result) -> None:
    """Every other end is reported, with the token and the reason: a warning where only some licences are left."""
    state, reason, failed = result.action_state, result.action_failure_reason, result.failed_licenses_count
    then, said = verdict(revocation.verdict(result, "Lincoln"))
    assert result.has_ended is True
    in_part = failed == 3 and state in {"done", "failed"}
    assert then == ("warns" if in_part or (state == "done" and not failed) else "fails")
    assert "Lincoln" in said
    assert (reason or "none") in said or "Intune gives no reason." in said
    assert said.endswith(".")


def test_no_two_reasons_read_alike() -> None:
    """Each reason that is known has words of its own beside Graph's."""
    said = {
        reason: verdict(revocation.verdict(Result(action_state="failed", action_failure_reason=reason), "Lincoln"))[1]
        for reason in FailureReason
    }
    assert len(set(said.values())) == len(FailureReason)
    assert [reason for reason, sentence in said.items() if "Intune gives the reason" in sentence] == []


def test_all_that_graph_reports_of_one() -> None:
    """Every member of the result is read, a date that was never set as absent."""
    shown = Shown(state="failed", failed=3, reason="appleFailure", start="<never>").members
    (result,) = revocation.results(shows([shown]))
    assert {camel_case(name): getattr(result, name) for name in result.__slots__} == {
        "actionName": "revokeLicenses",
        "actionState": "failed",
        "startDateTime": None,
        "lastUpdatedDateTime": "2026-11-01T12:00:02Z",
        "totalLicensesCount": 43,
        "failedLicensesCount": 3,
        "actionFailureReason": "appleFailure",
    }


@pytest.mark.parametrize("kind", [None, "text", 7, [{"a": []}], ["text", None, []]])
def test_a_token_without_actions(kind: object) -> None:
    """On v1.0, and where Graph writes what nobody understands, no revocation is seen, and nothing breaks."""
    shown = shows(kind)
    assert (revocation.results(shown), revocation.starts(shown), revocation.running(shown)) == ([], frozenset(), None)


def test_starts() -> None:
    """The starts are those of all revocations, ended or not; one without a start has none."""
    shown = showing(
        Shown(start="10:00:00", state="done"),
        Shown(start="11:00:00"),
        Shown(start="<never>"),
        Shown(start="09:00:00", type="#other"),
    )
    assert revocation.starts(shown) == {at("10:00:00"), at("11:00:00")}


@pytest.mark.parametrize(
    ("shown", "start"),
    [
        ([Shown(state="done"), Shown(state="failed"), Shown(state="canceled"), Shown(state="notSupported")], "none"),
        ([Shown(start="10:00:00"), Shown(start="11:00:00", state="pending"), Shown(state="done")], "11:00:00"),
        ([Shown(start="11:00:00", state="pending"), Shown(start="10:00:00")], "11:00:00"),
        ([Shown(start="10:00:00", state="someDayState")], "10:00:00"),
        ([Shown(start="10:00:00", state="none")], "10:00:00"),
        ([Shown(start="<never>", state="pending")], "<never>"),
        ([Shown(start="<nothing>", state="active")], "<never>"),
        ([Shown(start="<never>", state="active"), Shown(start="10:00:00")], "10:00:00"),
        ([Shown(start="<never>", state="none"), Shown(start="<never>", state="done")], "none"),
        ([Shown(type="#microsoft.graph.vppTokenActionResult")], "none"),
    ],
)
def test_which_one_runs(shown: list[Shown], start: str) -> None:
    """The newest that has not ended is joined, one that waits without a start too; a blank entry never was one."""
    found = revocation.running(showing(*shown))
    assert (found is not None) is (start != "none")
    assert (found.start_date_time if found else None) == (None if start in {"none", "<never>"} else at(start))


WATCHES = st.builds(
    Watch,
    started_at=INSTANTS,
    start=st.none() | TIMESTAMPS,
    previous=st.frozensets(TIMESTAMPS),
    allowed=st.timedeltas(timedelta(0), timedelta(hours=2)),
)
RESULTS = st.lists(
    st.fixed_dictionaries(
        {"@odata.type": st.just(RESULT_TYPE)},
        optional={
            "actionName": JSON,
            "actionState": st.sampled_from([*map(str, ActionState)]) | TEXTS | JSON,
            "startDateTime": TIMESTAMPS | TEXTS | JSON,
            "lastUpdatedDateTime": TIMESTAMPS | JSON,
            "totalLicensesCount": st.integers() | JSON,
            "failedLicensesCount": st.integers() | JSON,
            "actionFailureReason": st.sampled_from([*map(str, FailureReason)]) | TEXTS | JSON,
        },
    )
    | JSON,
    max_size=4,
)


@given(WATCHES, tokens(), RESULTS)
def test_no_wait_is_for_ever(watch: Watch, shown: VppToken, results: list[Any]) -> None:
    """Whatever Graph shows, sense or not, a wait ends within the time allowed."""
    shown = replace(shown, token_action_results=shows(results).token_action_results)
    assert revocation.evaluate(watch, shown, watch.started_at + watch.allowed) is not None


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (RequestNotSent("No connection."), True),
        (SignInRefused("A wrong secret."), True),
        (Throttled("Slower.", status=429, code="TooManyRequests"), True),
        (Conflict("Not now.", status=409, code="Conflict"), True),
        (PermissionMissing("Not you.", status=403, code="Forbidden"), True),
        (NotFound("No such token.", status=404, code="ResourceNotFound", from_graph=True), True),
        (GraphError("A bad request.", status=400, code="BadRequest"), True),
        (GraphUnreachable("No answer."), False),
        (GraphUnavailable("Too late.", status=408, code="RequestTimeout"), False),
        (GraphUnavailable("Broken.", status=500, code="InternalServerError"), False),
        (GraphUnavailable("Away.", status=503, code="ServiceUnavailable"), False),
        (PermissionMissing("A page of a proxy.", status=403), False),
        (NotFound("A page of a proxy.", status=404), False),
    ],
)
def test_what_was_refused(error: GraphError, refused: bool) -> None:  # noqa: FBT001 - a table
    """Only what was not sent, or what Graph itself refused, certainly started nothing."""
    assert revocation.was_refused(error) is refused


@given(st.builds(Result, action_state=TEXTS.filter(lambda state: state not in ENDED), failed_licenses_count=st.just(9)))
def test_nothing_is_said_of_what_goes_on(result: Result) -> None:
    """Only an end is judged, and a state that nobody knows is none."""
    assert verdict(revocation.verdict(result, "Lincoln")) == ("well", "")


def test_an_old_revocation_that_an_answer_omitted() -> None:
    """A revocation from long before the request never passes for the new one, though no answer showed it before."""
    requested = datetime(2026, 11, 1, 12, tzinfo=UTC)
    watch = Watch(started_at=requested, requested_at=requested)
    old, new = Shown(start="10:59:59", state="done"), Shown(start="11:00:01", state="done")
    assert revocation.find(watch, showing(old)) is None
    found = revocation.find(watch, showing(old, new))
    assert found is not None
    assert found.start_date_time == at("11:00:01")
