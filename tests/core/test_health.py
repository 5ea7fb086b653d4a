"""What a person is warned of before a token stops working."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from builders import NOW, args, file, observed, state
from core.case_tables import attributes, each, value
from core.strategies import TEXTS, TIMESTAMPS, states
from core.strategies import args as any_args
from intune_vpp.core import health, times
from intune_vpp.core.health import Claim

if TYPE_CHECKING:
    from intune_vpp.core.vpp_token import VppTokenState


@dataclass(frozen=True, kw_only=True)
class Expiry:
    """When a token expires, and what is said of it now."""

    case: str
    expires: str
    days: int = 30
    says: str | None = None


@dataclass(frozen=True, kw_only=True)
class Health:
    """What Graph showed of a token, and what is said of it."""

    case: str
    intune: dict[str, Any] = field(default_factory=dict)
    expected_location: str | None = None
    observed_at: str = "2026-11-01T12:00:00Z"
    says: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FileName:
    """The name of a file, the location of the token it is for, and the name that is found to be wrong."""

    case: str
    file: str
    location: str
    named: str | None = None


@each("expiry", Expiry)
def test_the_warning_before_a_token_expires(case: Expiry) -> None:
    """Within the warning days the days that are left are reported with the date, and after them that it expired."""
    assert health.expiry("Lincoln", case.expires, case.days, NOW) == case.says


@each("health", Health)
def test_what_is_reported_of_a_token(case: Health) -> None:
    """Each trouble is one sentence with the token's name, the day it was seen and a cure; where all is well, none."""
    seen = observed(**attributes(case.intune))
    asked = args(file(), expected_location_name=value(case.expected_location))
    warnings = health.warnings(
        state(observed=seen, asked=asked, observed_at=case.observed_at), warning_days=30, now=NOW
    )
    assert list(warnings) == list(case.says)


@pytest.mark.parametrize("claim", Claim)
def test_who_has_set_the_claim_is_not_told_to_set_it(claim: Claim) -> None:
    """Only a program without the claim is told about it; where this update claims, the plan says so."""
    seen = state(observed=observed(state="assignedToExternalMDM"))
    told = health.warnings(seen, warning_days=30, now=NOW, claim=claim)
    assert len(told) == (claim is not Claim.PLANNED)
    assert ("Claim it (" in "".join(told)) is (claim is Claim.NOT_ASKED)
    assert ("pass it in token" in "".join(told)) is (claim is Claim.WITHOUT_FILE)
    assert health.warnings(state(), warning_days=30, now=NOW, claim=claim) == ()


@each("misnamed_files", FileName)
def test_a_file_named_after_another_location(case: FileName) -> None:
    """A file that Apple named after another location than the token's is asked about, with both names."""
    read = replace(file(), file_name=value(case.file))
    question = (
        f'The token file of High school is named after "{case.named}", but the token in Intune is for '
        f'"{case.location}". Check that it is the right file.'
    )
    assert health.misnamed_file(read, value(case.location), "High school") == (question if case.named else None)


@given(states(any_args(unknowns=True)))
def test_health_is_reported_of_any_state(kept: VppTokenState) -> None:
    """Whatever a state holds, its health is a few sentences, and each names the token."""
    warnings = health.warnings(kept, warning_days=30, now=NOW)
    assert len(warnings) <= 3
    assert all(kept.observed.label in sentence for sentence in warnings)


@given(TEXTS, TIMESTAMPS)
def test_a_warning_comes_no_later_than_the_end(subject: str, expiration: str) -> None:
    """There is a word about every token that expired, and none about one with more days left than asked for."""
    warnings = health.expiry(subject, expiration, 30, NOW)
    ends = times.parse(expiration)
    assert ends is not None
    assert (warnings is not None) is ((ends - NOW).total_seconds() < 30 * 86400)
