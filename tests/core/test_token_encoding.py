"""What a token says about the file that was sent to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import file, observed
from core.case_tables import each, value
from core.strategies import tokens
from intune_vpp.core.token_encoding import Encoding, is_read, is_unreadable


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A token after the upload of a file that expires on 2027-11-01 at noon, and before that."""

    case: str
    state: str = "valid"
    expires: str = "2027-11-01T12:00:00Z"
    state_before: str = "<nothing>"
    expired_before: str = "2027-01-30T12:00:00Z"
    read: bool = False
    unreadable: bool = False
    may_lag: bool = True


@each("token_encoding", Answer)
def test_what_an_answer_says_of_a_file(case: Answer) -> None:
    """Graph has read a file whose expiration it shows, and could not read that of a token which it calls invalid."""
    shown = observed(state=value(case.state), expiration_date_time=value(case.expires))
    before = None
    if value(case.state_before) is not None:
        before = observed(state=case.state_before, expiration_date_time=value(case.expired_before))
    assert is_read(shown, file(), before) is case.read
    assert is_unreadable(shown, file(), before, may_lag=case.may_lag) is case.unreadable


@given(tokens(), st.none() | tokens(), st.booleans())
def test_no_token_says_both(shown: Any, before: Any, may_lag: bool) -> None:  # noqa: FBT001 - generated
    """Whatever Graph shows, a file that it has read is not unreadable."""
    assert not (is_read(shown, file(), before) and is_unreadable(shown, file(), before, may_lag=may_lag))


@pytest.mark.parametrize(("encoding", "words"), [(Encoding.BASE64, "in base64"), (Encoding.VERBATIM, "verbatim")])
def test_an_encoding_in_words(encoding: Encoding, words: str) -> None:
    """A sentence says how a file was sent."""
    assert encoding.words == words
