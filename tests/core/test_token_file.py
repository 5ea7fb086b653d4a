"""The text of a `.vpptoken` file, read or refused."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC
from urllib.parse import quote

import pytest
from hypothesis import given

from builders import file_text
from core.case_tables import each, instant
from core.strategies import CONTENTS, TEXTS, in_base64
from core.test_secrets import pieces
from intune_vpp.core import stoken
from intune_vpp.core.errors import TokenFileError
from intune_vpp.core.printable import without_controls
from intune_vpp.core.token_text import decode

DOWNLOAD = "Download the content token again from Apple Business (or School) Manager and use the file as it is."


@dataclass(frozen=True, kw_only=True)
class RefusedFile:
    """A file and what is said of it; `digits` repeats its text, `layers` is how often it is put into base64."""

    case: str
    says: str
    text: str = ""
    json: str | None = None
    digits: int = 1
    layers: int = 1
    encoding: str = "utf-8"
    cure: str = DOWNLOAD

    @property
    def content(self) -> bytes:
        """What is in the file."""
        text = self.text * self.digits
        for _ in range(self.layers if self.json else 0):
            text = in_base64(text or (self.json or "") * self.digits).decode()
        return text.encode(self.encoding)


@dataclass(frozen=True, kw_only=True)
class AcceptedFile:
    """A file, and what it says about itself."""

    case: str
    json: str
    expires: str
    organization: str = "Contoso"
    before: str = ""
    after: str = ""


@each("files_refused", RefusedFile)
def test_a_broken_file_is_refused(case: RefusedFile) -> None:
    """Each way in which a file is broken has its own sentence, and a cure after it."""
    with pytest.raises(TokenFileError) as refused:
        stoken.parse(case.content)
    assert str(refused.value) == f"The token file cannot be used: {case.says}. {case.cure}"


@each("files_accepted", AcceptedFile)
def test_a_good_file_is_read(case: AcceptedFile) -> None:
    """What a file says of itself is read, and what stands around its text changes neither text nor fingerprint."""
    packed = in_base64(case.json).decode()
    read = stoken.parse(f"{case.before}{packed}{case.after}".encode(), file_name="sToken_for_Lincoln.vpptoken")
    assert read.text == packed
    assert read.fingerprint == f"sha256:{hashlib.sha256(packed.encode()).hexdigest()}"
    assert (read.organization_name, read.expiration_date_time) == (case.organization, case.expires)
    assert read.expires_at.replace(microsecond=0) == instant(case.expires)
    assert read.file_name == "sToken_for_Lincoln.vpptoken"


def test_a_file_of_exactly_the_largest_size_is_read() -> None:
    """64 kB are read and one byte more is not, white space counted."""
    text = file_text()
    padded = text.ljust(65_536).encode()
    assert stoken.parse(padded).text == text
    with pytest.raises(TokenFileError, match="larger than 64 kB"):
        stoken.parse(padded + b"\n")


def test_another_text_has_another_fingerprint() -> None:
    """Two files that say the same but hold different secrets are distinguished."""
    one, other = stoken.parse(file_text(inner="one").encode()), stoken.parse(file_text(inner="two").encode())
    assert one.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("sha256:" + "0123456789abcdef" * 4, True),
        ("sha256:" + "0123456789ABCDEF" * 4, False),
        ("sha256:" + "0" * 63, False),
        ("sha256:" + "0" * 65, False),
        ("sha256:" + "g" * 64, False),
        ("0" * 64, False),
        ("sha512:" + "0" * 64, False),
        ("", False),
    ],
)
def test_the_shape_of_a_fingerprint(text: str, is_one: bool) -> None:  # noqa: FBT001 - a column of the table
    """A fingerprint is `sha256:` and 64 small hex digits, and nothing else is."""
    assert stoken.is_fingerprint(text) is is_one


@given(CONTENTS)
def test_reading_fails_only_as_promised(content: bytes) -> None:
    """Whatever the bytes are, they are a token file or a TokenFileError."""
    read = None
    with contextlib.suppress(TokenFileError):
        read = stoken.parse(content)
    assert read is None or stoken.is_fingerprint(read.fingerprint)
    assert read is None or read.expires_at.tzinfo is UTC
    assert read is None or read.organization_name.strip()


@given(TEXTS, TEXTS.filter(str.strip))
def test_whatever_text_stands_in_a_file_comes_out_of_it(more: str, organization: str) -> None:
    """The organization is read as it is written, but for controls; members that nobody knows yet do no harm."""
    content = {"token": "abc", "expDate": "2027-11-01T12:00:00+0000", "orgName": organization, f"x{more}": more}
    assert stoken.parse(in_base64(json.dumps(content))).organization_name == without_controls(organization)


def test_half_a_surrogate_pair_is_no_organization() -> None:
    """An organization that JSON can spell, and nothing after it can carry, is refused at once."""
    with pytest.raises(TokenFileError, match="its orgName is not text"):
        stoken.parse(file_text(organization="Contoso \ud800").encode())


GOOD = file_text(inner="sealed/by+apple" * 20)


def wrapped(text: str, width: int = 76, end: str = "\n") -> str:
    """A text in lines, as `base64` and mail programs write it."""
    return end.join(text[at : at + width] for at in range(0, len(text), width))


def encoded(text: str, encoding: str = "utf-8") -> str:
    """A text in base64."""
    return base64.b64encode(text.encode(encoding)).decode()


TWICE = "it is a .vpptoken file encoded in base64 twice. Decode it once before passing it on."
BROKEN = "its text is broken by line breaks or blanks. An editor, a mail program or base64 has inserted them"
QUOTED = "it has quotation marks around it. Remove them: the file has none."
NAMED = "it begins with the name of a variable. Pass only the value."
CUT = "it begins like a .vpptoken file, but is cut off or damaged. Download"
DISGUISES = {
    "wrapped": (wrapped(GOOD), BROKEN),
    "wrapped by Windows": (wrapped(GOOD, 64, "\r\n"), BROKEN),
    "wrapped, with line ends spelled out": (wrapped(GOOD, 64, "\\n"), BROKEN),
    "wrapped and indented": (wrapped(GOOD, 64, "\n    "), BROKEN),
    "with a blank in the middle": (f"{GOOD[:99]} {GOOD[99:]}", BROKEN),
    "with a mark of no width in the middle": (f"{GOOD[:99]}\u200b{GOOD[99:]}", BROKEN),
    "twice": (encoded(GOOD), TWICE),
    "twice, of a file with a newline": (encoded(GOOD + "\r\n"), TWICE),
    "twice, wrapped outside": (wrapped(encoded(GOOD)), BROKEN),
    "twice, wrapped inside": (encoded(wrapped(GOOD)), TWICE),
    "twice, with a byte-order mark": (encoded("\ufeff" + GOOD), TWICE),
    "twice, of UTF-16 with its mark": (encoded(GOOD, "utf-16"), TWICE),
    "twice, of UTF-16 without its mark": (encoded(GOOD, "utf-16-le"), TWICE),
    "twice, of UTF-16 the other way round": (encoded("\ufeff" + GOOD, "utf-16-be"), TWICE),
    "three times": (encoded(encoded(GOOD)), TWICE),
    "in quotation marks": (f'"{GOOD}"', QUOTED),
    "in apostrophes": (f"'{GOOD}'", QUOTED),
    "in typographic quotation marks": (f"\u201c{GOOD}\u201d", QUOTED),
    "as Python shows bytes": (f"b'{GOOD}'", QUOTED),
    "in quotation marks, wrapped": (f'"{wrapped(GOOD)}"', QUOTED),
    "with a variable's name": (f"LINCOLN_VPPTOKEN={GOOD}", NAMED),
    "as YAML has it": (f'token: "{GOOD}"', NAMED),
    "percent-encoded": (
        quote(GOOD, safe=""),
        "it is percent-encoded, as in an address. Decode it before passing it on.",
    ),
    "cut off": (GOOD[:-9], CUT),
    "cut off in a line": (wrapped(GOOD)[:-9], CUT),
    "cut off between two letters of base64": (GOOD[:101], CUT),
    "twice, cut off": (encoded(GOOD)[:-9], CUT),
    "damaged in the middle": (f"{GOOD[:60]}!{GOOD[61:]}", CUT),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_an_accident_with_the_text_is_named(disguise: str) -> None:
    """What happened to the text of a good file has its own sentence and cure, and none of the text is in it."""
    text, says = DISGUISES[disguise]
    assert decode(GOOD) is not None
    for content in (text.encode(), f" \r\n{text}\n".encode()):
        with pytest.raises(TokenFileError) as refused:
            stoken.parse(content)
        sentence = str(refused.value)
        assert sentence.startswith(f"The token file cannot be used: {says}")
        assert [piece for piece in pieces(GOOD) if piece in sentence] == []


@pytest.mark.parametrize("repeated", ['"', "a=", "%25", "{", "$(", "eyJ0", "<", "\\n", "b'"])
def test_a_large_odd_text_is_refused(repeated: str) -> None:
    """A text of the largest size that repeats the beginning of something costs no deep recursion."""
    text = repeated * (stoken.MAX_BYTES // len(repeated))
    with pytest.raises(TokenFileError):
        stoken.parse(text.encode())
