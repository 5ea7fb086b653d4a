"""Parses the text of a `.vpptoken` file, Apple's content token.

The file is one base64 string of a JSON object with `token`, `expDate` and `orgName`
(https://developer.apple.com/documentation/devicemanagement/getting-started-with-the-management-api). All of its text
is the secret: whoever has it manages the location's licences.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from intune_vpp.core import times, token_text
from intune_vpp.core.errors import TokenFileError
from intune_vpp.core.printable import without_controls
from intune_vpp.core.token_text import DOWNLOAD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MAX_BYTES = 64 * 1024
"""Real files are smaller than 3 kB. A larger file is something else, and is not decoded."""

_FINGERPRINT_PREFIX = "sha256:"


@dataclass(frozen=True, slots=True)
class SToken:
    """A parsed content token. `repr` and `str` do not show its text.

    `fingerprint` is `sha256:` and 64 hex digits over the text without byte-order mark and surrounding white space;
    `expires_at` is in UTC; `file_name` is the name of the file that it was read from, if known.
    """

    fingerprint: str
    organization_name: str
    expires_at: datetime
    text: str = field(repr=False)
    file_name: str | None = None

    @property
    def expiration_date_time(self) -> str:
        """The expiration as Graph writes it."""
        return times.text(self.expires_at)

    @property
    def secrets(self) -> tuple[str, str]:
        """What must never be shown: the file's text, and Apple's own secret within it."""
        return self.text, str(json.loads(base64.b64decode(self.text))["token"])


def is_fingerprint(text: str) -> bool:
    """Whether a text has the shape of a fingerprint (which no `.vpptoken` file has: `:` is not base64)."""
    digits = text.removeprefix(_FINGERPRINT_PREFIX)
    return (
        digits != text and len(digits) == hashlib.sha256().digest_size * 2 and not set(digits) - set("0123456789abcdef")
    )


def parse(content: bytes, *, file_name: str | None = None) -> SToken:
    """Read the content of a `.vpptoken` file; a byte-order mark and surrounding white space are accepted.

    Raises TokenFileError, which never contains any of the content.
    """
    stripped = _stripped_text(content)
    members = _decoded(stripped)
    expires_at = times.parse(_text_member(members, "expDate"))
    if expires_at is None:
        _refuse("its expDate is not a date and time with an offset", DOWNLOAD)
    _text_member(members, "token")
    # Over the stripped text: an editor or a shell may add a byte-order mark or a line break to the same file.
    digest = hashlib.sha256(stripped.encode()).hexdigest()
    organization_name = without_controls(_text_member(members, "orgName"))
    return SToken(f"{_FINGERPRINT_PREFIX}{digest}", organization_name, expires_at, stripped, file_name)


def _stripped_text(content: bytes) -> str:
    if token_text.is_utf_16(content):
        _refuse("it was saved as UTF-16", f"An editor or shell re-encoded it. {DOWNLOAD}")
    text = _utf8(content)
    if text is None or len(content) > MAX_BYTES:
        # Encrypted files are binary, and web pages are large: both are recognised by how they begin.
        known = token_text.something_else(content[:MAX_BYTES].decode("latin-1"))
        if known is not None:
            _refuse(known.what, known.cure)
    if len(content) > MAX_BYTES:
        _refuse(f"it is larger than {MAX_BYTES // 1024} kB, and Apple's files are under 3 kB", DOWNLOAD)
    if text is None:
        _refuse("it is not text", DOWNLOAD)
    stripped = text.strip()
    if not stripped:
        _refuse("it is empty", f"{DOWNLOAD} If it comes from a variable, check that the variable is set.")
    return stripped


def _utf8(content: bytes) -> str | None:
    # No helper raises inside `except`: the error being handled would become the context of ours, with the content.
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _decoded(stripped: str) -> Mapping[str, object]:
    """Return the JSON object in the base64 text. The errors name the common mistakes."""
    members = token_text.decode(stripped)
    if members is None:
        mistake = token_text.mistake(stripped)
        _refuse(mistake.what, mistake.cure)
    return members


def _text_member(members: Mapping[str, object], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value.strip():
        _refuse(f"it has no {name}", DOWNLOAD)
    if any("\ud800" <= character <= "\udfff" for character in value):
        # JSON allows a lone surrogate, but no request and no state can contain it.
        _refuse(f"its {name} is not text", DOWNLOAD)
    return value


def _refuse(what: str, cure: str) -> NoReturn:
    raise TokenFileError(f"The token file cannot be used: {what}. {cure}")
