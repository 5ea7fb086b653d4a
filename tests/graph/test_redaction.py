"""Known secrets never survive in what an answer says, in whatever spelling; other words do."""

from __future__ import annotations

import base64
import json
import string
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders import file_text
from intune_vpp.graph.redaction import KnownSecrets

if TYPE_CHECKING:
    from collections.abc import Callable

PIECE = 8
BEARER = "eyJ0eXAiOiJKV1QiLCJub25jZSI6Ik.eyJhdWQiOiJodHRwczovL2dyYXBo-_8.c2lnbmF0dXJlLW9mLWl0"
FILE = file_text()


def _in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _broken(text: str, between: str) -> str:
    return between.join(text[at : at + 5] for at in range(0, len(text), 5))


SPELLINGS: dict[str, Callable[[str], str]] = {
    "itself": str,
    "in a URL": quote,
    "in a part of a URL": lambda text: quote(text, safe=""),
    "in a form": quote_plus,
    "in a URL, in small letters": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "in a URL in a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "in .NET's JSON": lambda text: json.dumps(text)[1:-1].replace("+", "\\u002B").replace("/", "\\/"),
    "in base64": _in_base64,
    "in base64 behind a byte": lambda text: _in_base64(f"x{text}"),
    "in base64 in a URL": lambda text: quote(_in_base64(text), safe=""),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(f"x{text}".encode()).decode().rstrip("="),
    "over lines": lambda text: _broken(text, "\r\n "),
    "over lines in JSON": lambda text: json.dumps(_broken(text, "\n"))[1:-1],
    "with what cannot be printed": lambda text: _broken(text, "\u200b\x00"),
}

_LETTERS = string.ascii_letters + string.digits + "+/=-_.~!\"'"
"""Without what begins an escape (`%`, `\\`, `&`): client secrets, access tokens and base64 hold none, and escapes of
two kinds within each other may be undone in another order than they were made."""

SECRETS = st.text(_LETTERS, min_size=PIECE, max_size=60)


def knowing(*secrets: str) -> KnownSecrets:
    """These are known."""
    known = KnownSecrets()
    for secret in secrets:
        known.add(secret)
    return known


def pieces(secret: str) -> list[str]:
    """Each run of characters that would give some of it away."""
    return [secret[at : at + PIECE] for at in range(len(secret) - PIECE + 1)]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("secret", [BEARER, FILE, 'Q~8a/B+c d=é"x\\y&z'], ids=["bearer", "file", "client secret"])
def test_a_secret_is_removed_in_every_spelling(secret: str, spelling: str) -> None:
    """Whole, and in each half, it becomes `…` in the words around it."""
    known = knowing("another-secret-before", secret, "another-secret-behind")
    for part in (secret, secret[: len(secret) // 2 + 5], secret[len(secret) // 2 - 5 :]):
        spelled = SPELLINGS[spelling](part)
        left = known.remove_from(f"Cannot use '{spelled}' here.")

        assert left.startswith("Cannot use '")
        assert left.endswith("' here.")
        # In base64 the characters at the ends belong to what stands beside the secret as well.
        assert len(left) < len("Cannot use '' here.") + (10 if "base64" in spelling else 2)
        assert [one for one in pieces(spelled) if one in left] == []


@example(secret=BEARER, cut=(3, 8), around=("", ""), spelling="in base64")
@example(secret="%41%41%41%41", cut=(0, 12), around=("", ""), spelling="itself")
@given(
    secret=SECRETS,
    cut=st.tuples(st.integers(0, 52), st.integers(PIECE, 60)),
    around=st.tuples(st.text(max_size=12), st.text(max_size=12)),
    spelling=st.sampled_from([*SPELLINGS]),
)
def test_no_piece_of_eight_characters_survives(
    secret: str, cut: tuple[int, int], around: tuple[str, str], spelling: str
) -> None:
    """Any piece of 8 or more characters, in any spelling, between any words: nothing of it can be read afterwards."""
    start, length = cut
    piece = secret[min(start, len(secret) - PIECE) :][:length]
    spelled = SPELLINGS[spelling](piece)
    left = knowing(secret).remove_from(f" '{spelled}' ".join(around))

    assert spelled not in left
    assert [one for one in pieces(piece) if one in left] == []


@given(secret=st.text("ABCDEFGH01234", min_size=PIECE, max_size=40), text=st.text(max_size=80))
def test_other_words_stay(secret: str, text: str) -> None:
    """Text that has nothing of a secret is the same afterwards, escapes and what looks like base64 included."""
    others = "".join(character for character in text if character not in "ABCDEFGH01234")

    assert knowing(secret).remove_from(others) == others


@given(secret=SECRETS, start=st.integers(0, 60))
def test_less_than_a_piece_stays(secret: str, start: int) -> None:
    """Seven characters in a row are a coincidence."""
    glimpse = secret[start : start + PIECE - 1]

    assert knowing(secret).remove_from(f" | {glimpse} | ") == f" | {glimpse} | "


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("s3&cr+t", "…"),
        ("the 's3&cr+t' and s3%26cr%2Bt", "the '…' and …"),
        (f"Basic {_in_base64('s3&cr+t')}", "Basic …"),
        ("s3&cr+", "s3&cr+"),
        ("s3& cr+t", "s3& cr+t"),
    ],
)
def test_a_short_secret_is_found_whole(text: str, left: str) -> None:
    """One of fewer than 8 characters is removed where all of it stands, and its pieces are words like others."""
    assert knowing("s3&cr+t", "").remove_from(text) == left


def test_two_short_secrets() -> None:
    """The longer one goes first, and no secret means something to the search."""
    assert knowing("ab", "abc.*", "[").remove_from("abc.* ab abcx [") == "… … …cx …"


def test_a_piece_within_words() -> None:
    """What stands around a piece stays, to the character, and two pieces are two."""
    known = knowing(BEARER)

    assert known.remove_from(f"Bad{BEARER[:12]}, and\n{BEARER[20:40]}\tthen") == "Bad…, and\n…\tthen"


def test_spaces_of_a_secret() -> None:
    """A secret with spaces is found with them, without them, and as a form spells them."""
    known = knowing("correct horse battery")

    for spelled in (
        "correct horse battery",
        "correcthorsebattery",
        "correct+horse+battery",
        "correct%20horse%20battery",
    ):
        assert known.remove_from(f"<{spelled}>") == "<…>"


def test_what_is_added_later_is_found_too() -> None:
    """A bearer that comes after the first search is removed as well, and none is forgotten."""
    known = knowing(BEARER)
    assert known.remove_from(FILE) == FILE
    known.add(FILE)
    known.add(FILE)

    assert known.remove_from(f"{FILE} {BEARER}") == "… …"


def test_repr_shows_how_many_and_not_what() -> None:
    """Nothing of a secret is in what is shown of those who know it."""
    assert repr(knowing(BEARER, FILE, BEARER)) == "KnownSecrets(2)"


def test_many_threads() -> None:
    """Secrets come and texts go at once."""
    known = KnownSecrets()
    secrets = [f"secret-number-{number:05}-of-many" for number in range(400)]

    def use(secret: str) -> str:
        known.add(secret)
        return known.remove_from(f"<{secret}>")

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(use, secrets)) == {"<…>"}


def test_long_answers_are_searched_for_many_files() -> None:
    """64 kB of an answer, whatever is in them, are searched for 100 files of 3 kB within a test's time limit."""
    known = knowing(*(file_text(inner=f"{number:04}" * 500) for number in range(100)))
    texts = (FILE * 200, "%252525" * 9000, "The token was not found. " * 2600, "A" * 64_000, "%41" * 21_000)
    shown = [known.remove_from(text[:64_000]) for text in texts]

    assert shown[2] == texts[2][:64_000]
    assert [one for one in shown if FILE[:40] in one] == []


@pytest.mark.parametrize("quoted", ["aB3~xy&amp;Z&lt;q&gt;9", "aB3&#126;xy&#38;Z&#x3c;q&#x3E;9"])
def test_a_secret_in_html(quoted: str) -> None:
    """Entities are undone: a proxy's page quotes what it refuses."""
    assert knowing("aB3~xy&Z<q>9").remove_from(f"Refused {quoted} here") == "Refused … here"
