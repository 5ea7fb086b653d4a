"""Nothing that a person, a log or a debugger sees of a token file holds its secret."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builders import NOW, args, file_text
from core.strategies import JSON, TEXTS, in_base64
from intune_vpp.core import stoken, token_check
from intune_vpp.core.check import Policy
from intune_vpp.core.errors import IntuneVppError, RenewalRefused, TokenFileError
from intune_vpp.core.pulumi_state import args_to
from intune_vpp.core.renewal_guard import guard
from intune_vpp.core.token_check import TokenFileContent

if TYPE_CHECKING:
    from collections.abc import Callable

INNER = "SEALED-BY-APPLE-" * 4
LONGEST_GLIMPSE = 12
"""So many characters of a file in a row are a piece of it and no coincidence."""

DAMAGES: dict[str, Callable[[str], bytes]] = {
    "none": str.encode,
    "a byte of an old code page after it": lambda text: text.encode() + b"\xff",
    "a byte of an old code page in the middle": lambda text: text[:99].encode() + b"\xe9" + text[99:].encode(),
    "an accent": lambda text: (text + "é").encode(),
    "a character missing": lambda text: text[:-1].encode(),
    "a character too many": lambda text: (text + "!").encode(),
    "cut off": lambda text: text[: len(text) // 8 * 4].encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16 without its mark": lambda text: text.encode("utf-16-le"),
    "base64 once more": in_base64,
    "decoded": base64.b64decode,
    "repeated": lambda text: text.encode() * 99,
}


def pieces(text: str) -> list[str]:
    """Each run of characters of a text that would give some of it away."""
    return [text[start : start + LONGEST_GLIMPSE] for start in range(len(text) - LONGEST_GLIMPSE + 1)]


def chain(error: BaseException | None) -> list[BaseException]:
    """An error with all that caused it or was handled when it was raised."""
    return [error, *chain(error.__cause__), *chain(error.__context__)] if error else []


def shown_by(value: object) -> list[str]:
    """What there is to see of a value."""
    return [repr(value), str(value), f"{value}", f"{value!r:>10}"]


def reveals(shown: list[str], text: str) -> list[str]:
    """The pieces of a file, or of what Apple sealed in it, that can be seen."""
    return [piece for piece in {*pieces(text), *pieces(INNER)} if any(piece in view for view in shown)]


MEMBERS = st.fixed_dictionaries({}, optional={"expDate": JSON | TEXTS, "orgName": JSON | TEXTS, "more": JSON})


@pytest.mark.parametrize("damage", DAMAGES)
@settings(max_examples=20)
@example(members={})
@given(members=MEMBERS)
def test_no_error_and_no_token_file_shows_the_secret(damage: str, members: dict[str, Any]) -> None:
    """Read or refused, with all errors behind the error: not a piece of the file can be seen."""
    text = file_text(inner=INNER, **members)
    try:
        shown = shown_by(stoken.parse(DAMAGES[damage](text)))
    except TokenFileError as error:
        shown = [view for link in chain(error) for view in (*shown_by(link), repr(vars(link)))]
    assert reveals(shown, text) == []


@pytest.mark.parametrize("organization", ["Contoso", "Fabrikam", 7])
@pytest.mark.parametrize("way", ["text", "download"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_no_outcome_of_a_check_shows_the_secret(damage: str, way: str, organization: object) -> None:
    """Neither what goes into a check nor its args, problems and warnings show a piece of the file."""
    text = file_text(inner=INNER)
    content = DAMAGES[damage](text)
    download = TokenFileContent(content, "lincoln.vpptoken")
    given_as = content.decode(errors="surrogateescape") if way == "text" else download
    asked = {**args_to(args()), "organizationName": organization, "token": given_as}
    result = token_check.check(asked, olds=None, policy=Policy(), recall=lambda _: None, now=NOW)
    assert (result.stoken is not None) is (damage == "none" and organization == "Contoso")
    shown = [*shown_by(result), *shown_by(download), *shown_by(result.stoken), *shown_by(result.args)]
    shown += [view for problem in result.problems for view in shown_by(problem)]
    assert reveals(shown, text) == []
    assert all(problem.property != "token" for problem in result.problems)


def test_a_refused_renewal_shows_no_secret() -> None:
    """The guard's error holds dates and organizations, and none of either file."""
    text = file_text(inner=INNER, organization="Fabrikam")
    try:
        guard(stoken.parse(text.encode()), olds=None, args=args(organization_name="Contoso"), location=None, now=NOW)
    except RenewalRefused as refused:
        shown = [view for link in chain(refused) for view in shown_by(link)]
    assert 'belongs to the organization "Fabrikam"' in shown[0]
    assert reveals(shown, text) == []


def test_this_search_finds_what_it_is_to_find() -> None:
    """An error that did carry the file, in itself or behind itself, would be noticed."""
    text = file_text(inner=INNER)
    behind = IntuneVppError("said nothing")
    behind.__context__ = UnicodeDecodeError("utf-8", text.encode(), 0, 1, "invalid start byte")
    assert reveals([view for link in chain(behind) for view in shown_by(link)], text)
    assert reveals(shown_by(json.loads(base64.b64decode(text))), text)
