"""Parses the text of a `.vpptoken` file, Apple's content token.

The file is one base64 string of a JSON object with `token`, `expDate` and `orgName`
(https://developer.apple.com/documentation/devicemanagement/getting-started-with-the-management-api). All of its text
is the secret: whoever has it manages the location's licences.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from intune_vpp.core import times
from intune_vpp.core.errors import TokenFileError
from intune_vpp.core.printable import without_controls

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MAX_BYTES = 64 * 1024
"""Real files are smaller than 3 kB. A larger file is something else, and is not decoded."""

_FINGERPRINT_PREFIX = "sha256:"
_DOWNLOAD = "Download the content token again from Apple Business (or School) Manager and use the file as it is."


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
        _refuse("its expDate is not a date and time with an offset", _DOWNLOAD)
    _text_member(members, "token")
    # Over the stripped text: an editor or a shell may add a byte-order mark or a line break to the same file.
    digest = hashlib.sha256(stripped.encode()).hexdigest()
    organization_name = without_controls(_text_member(members, "orgName"))
    return SToken(f"{_FINGERPRINT_PREFIX}{digest}", organization_name, expires_at, stripped, file_name)


def _stripped_text(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        _refuse(f"it is larger than {MAX_BYTES // 1024} kB, and Apple's files are under 3 kB", _DOWNLOAD)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        _refuse("it was saved as UTF-16", "An editor or shell re-encoded it. " + _DOWNLOAD)
    text = _utf8(content)
    if text is None:
        _refuse("it is not text", _DOWNLOAD)
    stripped = text.strip()
    if not stripped:
        _refuse("it is empty", f"{_DOWNLOAD} If it comes from a variable, check that the variable is set.")
    return stripped


def _utf8(content: bytes) -> str | None:
    # No helper raises inside `except`: the error being handled would become the context of ours, with the content.
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _decoded(stripped: str) -> Mapping[str, object]:
    """Decode the JSON object in the base64 text. The errors name the common mistakes."""
    if stripped.startswith(("-----BEGIN", "Content-Type:", "MIME-Version:")):
        _refuse(
            "it is another kind of Apple file (a certificate or an enrollment token)",
            "The content token is under Payments and Billing, Apps and Books, and ends in .vpptoken.",
        )
    if stripped.startswith("{"):
        _refuse("it is the JSON inside a .vpptoken file, not the file", _DOWNLOAD)
    inner = _base64(stripped)
    if inner is None:
        _refuse("it is not base64", f"{_DOWNLOAD} If you passed a path, pass the file (a FileAsset) instead.")
    members = _json_object(inner)
    if members is None and _is_wrapped_again(inner):
        _refuse("it is a .vpptoken file encoded in base64 twice", "Decode it once before passing it on.")
    if members is None:
        cut = "; it may be truncated" if inner.startswith(b"{") else ""
        _refuse(f"it is base64, but does not contain a JSON object{cut}", _DOWNLOAD)
    return members


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None


def _json_object(content: bytes) -> Mapping[str, object] | None:
    try:
        members = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None


def _is_wrapped_again(inner: bytes) -> bool:
    try:
        again = _base64(inner.decode("ascii").strip())
    except UnicodeDecodeError:
        return False
    return again is not None and _json_object(again) is not None


def _text_member(members: Mapping[str, object], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value.strip():
        _refuse(f"it has no {name}", _DOWNLOAD)
    if any("\ud800" <= character <= "\udfff" for character in value):
        # JSON allows a lone surrogate, but no request and no state can contain it.
        _refuse(f"its {name} is not text", _DOWNLOAD)
    return value


def _refuse(what: str, cure: str) -> NoReturn:
    raise TokenFileError(f"The token file cannot be used: {what}. {cure}")
