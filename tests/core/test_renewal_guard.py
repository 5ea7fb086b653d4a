"""The renewal guard: never backwards, never sideways, and never in the way of a cure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from builders import NOW, args, described, file, file_text
from core.case_tables import each, instant, timestamp, value
from intune_vpp.core import stoken, token_check
from intune_vpp.core.check import Policy
from intune_vpp.core.errors import RenewalRefused
from intune_vpp.core.pulumi_state import args_to
from intune_vpp.core.renewal_guard import guard
from intune_vpp.core.token_check import TokenFileContent
from intune_vpp.core.vpp_token import UNSEEN_FINGERPRINT, TokenFile, VppTokenArgs

if TYPE_CHECKING:
    from intune_vpp.core.stoken import SToken

GO_ON = "To continue without this token, pass its URN to --exclude."


@dataclass(frozen=True, kw_only=True)
class InIntune:
    """What Intune has by the last look at it; `elsewhere` when it did not come through this provider."""

    expires: str = "2027-11-01"
    organization: str = "Contoso"
    state: str | None = None
    elsewhere: bool = False
    absent: bool = False

    def known(self, fingerprint: str) -> TokenFile | None:
        """What the inputs of the last run say of it."""
        name = UNSEEN_FINGERPRINT if self.elsewhere else fingerprint
        return None if self.absent else TokenFile(name, timestamp(self.expires), value(self.organization), self.state)


@dataclass(frozen=True, kw_only=True)
class AtHand:
    """The file that the program names; `same` when it is the one that was applied."""

    expires: str = "2027-11-01"
    organization: str = "Contoso"
    same: bool = False


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """What Intune has, what the program names, and what the guard says."""

    case: str
    intune: dict[str, Any] = field(default_factory=dict)
    file: dict[str, Any] = field(default_factory=dict)
    organization_name_before: str | None = None
    organization_name_after: str | None = None
    expected_location_name: str | None = None
    location: str | None = None
    new: bool = False
    refused: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The file at hand."""
        at_hand = AtHand(**self.file)
        return file_text(organization=at_hand.organization, expires=instant(at_hand.expires), inner="at hand")

    @property
    def olds(self) -> VppTokenArgs | None:
        """The inputs of the last run."""
        if self.new:
            return None
        fingerprint = stoken_of(self.text).fingerprint if AtHand(**self.file).same else file(inner="before").fingerprint
        known = InIntune(**self.intune).known(fingerprint)
        token = known.fingerprint if known else None
        return args(token=token, token_file=known, organization_name=self.organization_name_before)


def stoken_of(text: str) -> SToken:
    """A file's text, read."""
    return stoken.parse(text.encode())


@each("renewal_guard", Renewal)
def test_which_file_may_take_the_place_of_another(case: Renewal) -> None:
    """A file passes, or is refused with both sides of the contradiction, a cure, and the way to go on without it."""
    organization, expected = value(case.organization_name_after), value(case.expected_location_name)
    asked = args_to(args(organization_name=organization, expected_location_name=expected))
    asked["token"] = TokenFileContent(case.text.encode())
    located = value(case.location)
    checked = token_check.check(
        asked, olds=case.olds, policy=Policy(), recall=lambda _: None, now=NOW, location=located
    )
    assert [problem.property for problem in checked.problems] == [""] * bool(case.refused)
    said = "".join(problem.reason for problem in checked.problems)
    assert [part for part in case.refused if part not in said] == []
    assert said.endswith(GO_ON if case.refused else "")
    assert (checked.args.token == stoken_of(case.text).fingerprint) is not bool(case.refused)


@each("renewal_guard", Renewal, where=lambda case: case.olds is not None and case.olds.token is not None)
def test_a_fingerprint_without_its_text_is_never_judged(case: Renewal) -> None:
    """What a refresh or `ignoreChanges` hands back passes as it is, whatever the rest of the inputs say."""
    assert case.olds is not None
    asked = args_to(args(token=case.olds.token, organization_name=value(case.organization_name_after)))
    checked = token_check.check(asked, olds=case.olds, policy=Policy(), recall=lambda _: None, now=NOW)
    assert checked.problems == ()
    assert (checked.args.token, checked.args.token_file) == (case.olds.token, case.olds.token_file)


def test_the_guard_can_be_asked_before_an_update() -> None:
    """Asked directly, with what Intune was seen to hold, the guard raises what Check would say."""
    held = args(token_file=TokenFile(UNSEEN_FINGERPRINT, "2028-01-01T00:00:00Z", "Contoso"))
    with pytest.raises(RenewalRefused, match="renewed elsewhere and expires on 2028-01-01 in Intune"):
        guard(file(), olds=held, args=args(), location=None, now=NOW)


def test_an_unchanged_file_keeps_what_is_known_of_it() -> None:
    """The mark that the token is invalid stays with an unchanged file, and goes with a new one."""
    invalid = replace(described(file()), state="invalid")
    olds = args(file(), token_file=invalid)
    for text, state in ((file_text(), "invalid"), (file_text(inner="new"), None)):
        asked = {**args_to(args()), "token": text}
        checked = token_check.check(asked, olds=olds, policy=Policy(), recall=lambda _: None, now=NOW)
        assert isinstance(checked.args.token_file, TokenFile)
        assert checked.args.token_file.state == state
