"""Text from outside on one line, of which neither a terminal nor a pipeline makes a command."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intune_vpp.core import errors
from intune_vpp.core.check import Problem
from intune_vpp.core.errors import GraphError, IntuneVppError, WaitInterrupted
from intune_vpp.core.printable import look_alike, printable, without_controls

PARTS = ["##", "vso[", "[", "::", ":", " ", "\n", "\r\n", "\x1b", "error", "#", "\u202e", "\u2028", "\ud800"]
ANY = st.text(st.characters(), max_size=40) | st.lists(st.sampled_from(PARTS), max_size=12).map("".join)
PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), max_size=40)
HARMLESS = PRINTABLE.filter(lambda text: "##" not in text and not text.strip().startswith("::"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Lincoln", "Lincoln"),
        ("Schule Köln → 東京 👍", "Schule Köln → 東京 👍"),
        ("one\r\n  two\tthree\v\f\x1c\x85four", "one two three four"),
        ("one\u2028two\u2029three\u00a0four\u3000five", "one two three four five"),
        ("\x1b[31mred\x1b[0m", "\ufffd[31mred\ufffd[0m"),
        (
            "\x1b]8;;https://evil.example\x07click\x1b]8;;\x1b\\",
            "\ufffd]8;;https://evil.example\ufffdclick\ufffd]8;;\ufffd\\",
        ),
        ("\x9b31m \x90q\x9c", "\ufffd31m \ufffdq\ufffd"),
        ("nlocniL \u202eevil\u202c \u2066x\u2069 \u200b\ufeff", "nlocniL \ufffdevil\ufffd \ufffdx\ufffd \ufffd\ufffd"),
        ("half \ud83d, \udc4d half", "half \ufffd, \ufffd half"),
        ("\x00\x08\x7f", "\ufffd\ufffd\ufffd"),
        ("::error file=a::forged", ": :error file=a::forged"),
        (" \n\t::set-output name=x::y", ": :set-output name=x::y"),
        ("a ::error:: within is no command", "a ::error:: within is no command"),
        ("x ##vso[task.complete result=Failed;]y", "x # #vso[task.complete result=Failed;]y"),
        ("##[error]forged ##[group]", "# #[error]forged # #[group]"),
        ("###vso[a] ##VSO[b] ##teamcity[c]", "## #vso[a] # #VSO[b] # #teamcity[c]"),
        ("room ##7, c# ## notes", "room ##7, c# ## notes"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    """White space is one space, what cannot be printed is U+FFFD, and no pipeline finds its marker."""
    assert printable(text) == shown


@example("##\x1b##[vso[")
@example("::::")
@example("#\n#[error]")
@given(ANY)
def test_any_text_is_shown_on_one_line(text: str) -> None:
    """Whatever comes: one printable line without markers, and showing it again changes nothing."""
    shown = printable(text)

    assert shown.isprintable()
    assert shown.splitlines() in ([], [shown])
    assert not shown.startswith((" ", "::"))
    assert "##[" not in shown
    assert "##vso[" not in shown.lower()
    assert printable(shown) == shown


@given(HARMLESS)
def test_printable_text_stays(text: str) -> None:
    """Words are the same before and after, where nothing had to go."""
    assert printable(text).split() == text.split()


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, IntuneVppError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_printable(kind: type[IntuneVppError]) -> None:
    """No error of ours carries an escape or a second line, whatever was put into it, and none loses its words."""
    error = kind('The token "\x1b[2JLincoln\r\n::error::forged" is gone.')

    assert str(error) == 'The token "\ufffd[2JLincoln ::error::forged" is gone.'


def test_a_request_id_is_printable() -> None:
    """Nor does what an error adds by itself."""
    assert str(GraphError("It failed.", request_id="a\x1bb\nc")) == "It failed. (request id a\ufffdb c)"
    assert str(WaitInterrupted("Stopped\n.", asked=True)) == "Stopped ."


def test_every_problem_is_printable() -> None:
    """What Check says is wrong is one line, names of inputs that a program made up included."""
    assert Problem("", "dis\x1bplay\nName is not an input.").reason == "dis\ufffdplay Name is not an input."


@given(ANY)
def test_a_value_is_stored_without_controls(text: str) -> None:
    """Character for character, and on one line; what a terminal and a line leave alone stays."""
    stored = without_controls(text)

    assert len(stored) == len(text)
    assert stored.splitlines() in ([], [stored])
    assert all(now in {before, "\ufffd"} for before, now in zip(text, stored, strict=True))
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\ud800"} & set(stored)


def test_what_joins_characters_is_stored() -> None:
    """Joiners are no controls: families of emoji and Persian names stay whole."""
    joined = "👨\u200d👩\u200d👧 \u0645\u06cc\u200c\u0645 soft\u00adhyphen"

    assert without_controls(joined) == joined


def test_pulumis_colours_are_broken() -> None:
    """The engine panics at a colour that it does not know: a name must not hold one."""
    assert printable("a <{%boo%}> b") == "a < {%boo%}> b"


@pytest.mark.parametrize(
    ("one", "other"), [("Contoso", "Contoso"), ("Contoso", "Fabrikam"), ("Contoso", "Contoso Ltd"), ("a", "A")]
)
def test_names_that_can_be_told_apart(one: str, other: str) -> None:
    """Names that are equal, or that look different, need no more words."""
    assert look_alike(one, other) == ""


@given(ANY, ANY)
def test_equal_looks_are_named(one: str, other: str) -> None:
    """What is said of two names is one printable sentence, the same question asked twice gives the same answer."""
    said = look_alike(one, other)
    assert said == look_alike(one, other)
    assert not said or (one != other and said == f" {printable(said)}")


def test_a_character_without_a_name() -> None:
    """A character that Unicode does not name is named by its number."""
    said = look_alike("a\U000e0fff", "a\U000e0ffe")
    assert said in {"", " The names look the same, but differ at character 2: U+E0FFF and U+E0FFE."}
    assert look_alike("a\x00", "a\x00b") == ""
