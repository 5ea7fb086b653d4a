"""What a program asks for: normalised, refused with a sentence, and never with its token in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given
from hypothesis import strategies as st

from builders import NOW, args, described, file, file_text
from core.case_tables import each
from core.strategies import CONTENTS, FINGERPRINTS, JSON, TEXTS, values
from core.strategies import args as any_args
from intune_vpp.core import token_check
from intune_vpp.core.check import Policy
from intune_vpp.core.pulumi_state import args_from, args_to
from intune_vpp.core.resource_type import UNKNOWN, Kind
from intune_vpp.core.token_check import Checked, TokenFileContent
from intune_vpp.core.vpp_token import UNSEEN_FINGERPRINT, VPP_TOKEN, TokenFile, VppTokenArgs

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from intune_vpp.core.stoken import SToken


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The inputs of a program, and what is wrong with them."""

    case: str
    sets: dict[str, Any] = field(default_factory=dict)
    leaves_out: tuple[str, ...] = ()
    there: bool = False
    graph: str = "beta"
    problems: list[list[str]] = field(default_factory=list)
    comes_out: dict[str, Any] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs as the engine hands them over."""
        creatable = {**args_to(args()), "token": TokenFileContent(file_text().encode())}
        basis = {name: given for name, given in creatable.items() if name not in self.leaves_out}
        return basis | {name: UNKNOWN if given == "<unknown>" else given for name, given in self.sets.items()}


def checked(
    inputs: dict[str, Any], *, olds: VppTokenArgs | None = None, known: SToken | None = None, beta: bool = True
) -> Checked:
    """A check now, in a process that knows one file or none."""

    def recall(fingerprint: str) -> SToken | None:
        return known if known and known.fingerprint == fingerprint else None

    return token_check.check(inputs, olds=olds, policy=Policy(beta=beta), recall=recall, now=NOW)


@each("inputs", Asked)
def test_what_is_wrong_with_inputs(case: Asked) -> None:
    """Each input that cannot be used has one sentence with its name in it; all others come out as they went in."""
    result = checked(case.inputs, olds=args(file()) if case.there else None, beta=case.graph == "beta")
    assert [[problem.property, problem.reason] for problem in result.problems] == case.problems
    if not case.problems:
        went_in = {name: given for name, given in case.inputs.items() if name != "token" and not name.startswith("__")}
        came_out = {name: given for name, given in args_to(result.args).items() if name not in {"token", "tokenFile"}}
        assert came_out == went_in | case.comes_out


def test_an_input_of_none_is_an_input_left_out() -> None:
    """A program that passes None asks for nothing, on v1.0 too."""
    nothing: dict[str, Any] = {
        prop.name: None for prop in VPP_TOKEN.inputs if prop.name not in {"appleId", "vppTokenAccountType"}
    }
    result = checked({**args_to(args()), **nothing, "token": file_text()}, beta=False)
    expected = args(file(), display_name=None, data_sharing_consent_granted=None)
    assert (result.problems, result.args) == ((), expected)


def test_the_token_is_replaced_by_its_fingerprint() -> None:
    """What the engine stores of a file is its fingerprint, expiration and organization; the text stays beside it."""
    for given_as in (file_text(), TokenFileContent(file_text().encode(), "lincoln.vpptoken")):
        result = checked({**args_to(args()), "token": given_as})
        assert args_to(result.args)["token"] == file().fingerprint
        assert args_to(result.args)["tokenFile"] == {
            "fingerprint": file().fingerprint,
            "expirationDateTime": "2027-11-01T12:00:00Z",
            "organizationName": "Contoso",
        }
        assert result.stoken is not None
        assert result.stoken.text == file_text()
        assert result.stoken.file_name == (given_as.file_name if isinstance(given_as, TokenFileContent) else None)


def test_a_token_that_is_known_only_later_is_unknown_with_its_file() -> None:
    """A preview that does not have the token yet promises nothing about its file."""
    result = checked({**args_to(args()), "token": UNKNOWN})
    assert (result.args.token, result.args.token_file, result.problems) == (UNKNOWN, UNKNOWN, ())


def test_a_program_that_leaves_the_token_out_keeps_what_is_known_of_it() -> None:
    """Without a token in the program, the file that Intune holds stays known, for the day it names one again."""
    result = checked(args_to(args()), olds=args(file()))
    assert (result.args.token, result.args.token_file) == (None, described(file()))


def test_a_fingerprint_stands_for_a_file_that_this_process_met() -> None:
    """A fingerprint whose text is in memory is as good as the text."""
    result = checked({**args_to(args()), "token": file().fingerprint}, known=file())
    assert (result.args, result.problems, result.stoken) == (args(file()), (), file())


def test_a_fingerprint_from_memory_is_judged_too() -> None:
    """An older file is refused however it comes in."""
    older = file(expires=NOW + timedelta(days=30))
    result = checked({**args_to(args()), "token": older.fingerprint}, olds=args(file()), known=older)
    assert "with an older one" in result.problems[0].reason


def test_the_mark_of_a_file_from_elsewhere_passes_where_it_was() -> None:
    """Under `ignoreChanges` the engine hands the mark back, and it stays."""
    elsewhere = TokenFile(UNSEEN_FINGERPRINT, "2028-11-01T12:00:00Z", "Contoso")
    olds = args(token=UNSEEN_FINGERPRINT, token_file=elsewhere)
    result = checked(args_to(olds), olds=olds)
    assert (result.args, result.problems) == (olds, ())


def test_a_fingerprint_without_a_file_beside_it_is_not_at_hand() -> None:
    """Old inputs that name a fingerprint but know nothing of its file are no proof of it."""
    olds = args(file(), token_file=None)
    assert "has not been read in this run" in checked(args_to(olds), olds=olds).problems[0].reason


INPUT_VALUES: SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        prop.name: st.just(UNKNOWN) | values(prop).map(lambda given: list(given) if isinstance(given, tuple) else given)
        for prop in VPP_TOKEN.inputs
        if prop.kind not in {Kind.FINGERPRINT, Kind.OBJECT}
    },
)


@given(INPUT_VALUES, st.none() | any_args(unknowns=False), st.integers(1, 4000), st.booleans())
def test_checking_what_check_returned_changes_nothing(
    asked: dict[str, Any],
    olds: VppTokenArgs | None,
    days: int,
    invalid: bool,  # noqa: FBT001 - hypothesis passes it
) -> None:
    """Check of its own output returns the same once more, with the same old inputs and with itself as the old ones."""
    known = file(expires=NOW + timedelta(days=days))
    if olds and isinstance(olds.token_file, TokenFile):
        olds = replace(olds, token_file=replace(olds.token_file, state="invalid" if invalid else None))
    text = file_text(expires=NOW + timedelta(days=days))
    first = checked({**args_to(args()), **asked, "token": text, "dataSharingConsentGranted": True}, olds=olds)
    assume(not first.problems)
    for before in (olds, first.args):
        again = checked(args_to(first.args), olds=before, known=known)
        assert (again.args, again.problems) == (first.args, ())
        assert args_from(args_to(again.args)) == first.args


NAMES = st.sampled_from([prop.name for prop in VPP_TOKEN.properties]) | TEXTS
ANYTHING = JSON | st.just(UNKNOWN) | CONTENTS.map(TokenFileContent) | FINGERPRINTS | st.just(UNSEEN_FINGERPRINT)


@given(st.dictionaries(NAMES, ANYTHING, max_size=6), st.none() | any_args(unknowns=True), st.booleans())
def test_a_check_always_ends_in_a_result(
    inputs: dict[str, Any],
    olds: VppTokenArgs | None,
    beta: bool,  # noqa: FBT001 - hypothesis passes it
) -> None:
    """Whatever a program hands over, it gets a result whose inputs can be stored, never an exception."""
    result = checked(inputs, olds=olds, beta=beta)
    assert isinstance(result.args, VppTokenArgs)
    hash(result.args)
    assert all(problem.reason and problem.property in {"", *inputs} - {"token"} for problem in result.problems)
