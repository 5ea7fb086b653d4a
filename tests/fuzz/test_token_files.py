"""Texts and names of token files, as accidents and copies leave them: one sentence each, and no wrong alarm."""

from __future__ import annotations

import base64
import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from builders import file, file_text
from core.strategies import CONTENTS
from core.test_secrets import pieces
from fuzz.strategies import fuzzed
from intune_vpp.core import health, stoken
from intune_vpp.core.errors import TokenFileError

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "kept/by+apple" * 9
GOOD = file_text(inner=SECRET)
WIDTHS = st.integers(min_value=1, max_value=200)
SENTENCE = re.compile(r"The token file cannot be used: [^.]+(?:\.vpptoken[^.]*)?\. .+\.")


def wrap(width: int, end: str) -> Callable[[str], str]:
    """Break a text into lines."""
    return lambda text: end.join(text[at : at + width] for at in range(0, len(text), width))


def put(where: int, what: str) -> Callable[[str], str]:
    """Put something into a text."""
    return lambda text: text[: where % (len(text) + 1)] + what + text[where % (len(text) + 1) :]


def encode(encoding: str) -> Callable[[str], str]:
    """Put a text into base64."""
    return lambda text: base64.b64encode(text.encode(encoding, errors="replace")).decode()


def cut(where: int) -> Callable[[str], str]:
    """Lose the end of a text."""
    return lambda text: text[: where % (len(text) + 1)]


BETWEEN = ["\n", "\r\n", " ", "\t", "\\n", "\u200b", "!", "***", "$(X)", "{{ x }}", "é", "\x00", "\ud800"]
ACCIDENTS = st.one_of(
    st.builds(wrap, WIDTHS, st.sampled_from(["\n", "\r\n", " ", "\\n"])),
    st.builds(put, st.integers(min_value=0), st.sampled_from(BETWEEN) | st.text(max_size=9)),
    st.builds(encode, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])),
    st.builds(cut, st.integers(min_value=0)),
    st.sampled_from(
        ['"{}"', "'{}'", "b'{}'", "X={}", "token: {}", "{}\n", "\ufeff{}", " {}", "<{}>", "https://x/{}"]
    ).map(lambda around: lambda text: around.replace("{}", text)),
    st.just(lambda text: quote(text, safe="", errors="replace")),
    st.just(str.lower),
    st.just(str.swapcase),
)
HAPPENED = st.lists(ACCIDENTS, max_size=4)


def read(content: bytes) -> stoken.SToken | str:
    """What is read, or what is said."""
    try:
        return stoken.parse(content)
    except TokenFileError as error:
        return str(error) if error.__cause__ is error.__context__ is None else "an error with another one behind it"


@fuzzed
@given(HAPPENED)
def test_accidents_with_a_file(happened: list[Callable[[str], str]]) -> None:
    """Whatever happened to a good file, it is read, or refused in one sentence and a cure without a piece of it."""
    text = GOOD
    for accident in happened:
        text = accident(text)
    found = read(text.encode(errors="surrogatepass"))
    if isinstance(found, str):
        assert SENTENCE.fullmatch(found), found
        assert [piece for piece in (*pieces(GOOD), *pieces(SECRET)) if piece in found] == []
    else:
        assert found.text.strip() == found.text


@fuzzed
@given(CONTENTS)
def test_any_content(content: bytes) -> None:
    """Bytes of any kind are read or refused in one printable sentence, whatever they are."""
    found = read(content)
    assert not isinstance(found, str) or (found.isprintable() and SENTENCE.fullmatch(found))


WORDS = [
    "Lincoln",
    "School",
    "7",
    "Nº 12",
    "St. Mary",
    "Köln",
    "École",
    "I\u015f\u0131k",
    "東京",
    "(2)",
    "-",
    "%",
    "Copy",
]
LOCATIONS = st.one_of(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20),
    st.lists(
        st.sampled_from(
            ["Lincoln", "School", "7", "Nº 12", "St. Mary", "Köln", "École", "東京", "(2)", "-", "%", "Copy"]
        )
    )
    .map(" ".join)
    .filter(lambda name: any(map(str.isalnum, name))),
)
COPIED = ["{} (1)", "{}(2)", "{}-2", "{} 2", "{} copy", "{} copy 3", "{} - Copy", "{} - Kopie (2)", "{}[1]", "{}_2"]
COPIES = st.lists(st.sampled_from(COPIED), max_size=2)
SAVED = st.lists(
    st.sampled_from([".txt", ".download", ".crdownload", " (1)", "-2", " copy", ".part", ".bak", "~", ".TXT"]),
    max_size=2,
)
SPELLED = st.lists(
    st.sampled_from(
        [
            str.upper,
            str.lower,
            quote,
            lambda name: name.replace(" ", "%20"),
            lambda name: name.replace(" ", "_"),
            lambda name: unicodedata.normalize("NFD", name),
            lambda name: unicodedata.normalize("NFC", name),
            lambda name: f"Copy of {name}",
            lambda name: f"{name}\u200e",
        ]
    ),
    max_size=2,
    unique=True,
)


@fuzzed
@given(LOCATIONS, COPIES, st.sampled_from([".vpptoken", ""]), SAVED, SPELLED)
def test_a_saved_copy_of_the_right_file(
    location: str, copies: list[str], ending: str, saved: list[str], spelled: list[Callable[[str], str]]
) -> None:
    """Apple's name of the right file raises no alarm, however it was saved, copied and spelled since."""
    name = f"sToken_for_{location}"
    for copy in copies:
        name = copy.replace("{}", name)
    name = "".join([name, ending, *saved])
    for respell in spelled:
        name = respell(name)
    assert health.misnamed_file(replace(file(), file_name=name), location, "Lincoln") is None


@fuzzed
@given(st.text(max_size=60) | st.text(max_size=30).map("sToken_for_{}".format), st.text(max_size=20))
def test_any_name_of_a_file(name: str, location: str) -> None:
    """Whatever a file and a location are called, there is one question or none."""
    question = health.misnamed_file(replace(file(), file_name=name), location, "Lincoln")
    assert question is None or question.endswith("Check that it is the right file.")


@fuzzed
@given(st.sampled_from(["Roosevelt", "Monroe High", "Köln"]), COPIES, SAVED)
def test_a_copy_of_another_file(named: str, copies: list[str], saved: list[str]) -> None:
    """A copy of another location's file is still asked about."""
    name = f"sToken_for_{named}"
    for copy in copies:
        name = copy.replace("{}", name)
    assert (
        health.misnamed_file(replace(file(), file_name="".join([name, ".vpptoken", *saved])), "Lincoln", "x")
        is not None
    )
