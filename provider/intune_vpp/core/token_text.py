"""Decodes the text of a `.vpptoken` file, or recognises what the text is instead.

What is recognised is described without any part of the text: all of it may be a secret.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DOWNLOAD = "Download the content token again from Apple Business (or School) Manager and use the file as it is."


@dataclass(frozen=True, slots=True)
class Mistake:
    """What a text is instead of a token file, and what to do about it."""

    what: str
    cure: str


def _rule(*patterns: str, what: str, cure: str) -> tuple[re.Pattern[str], Mistake]:
    flags = re.IGNORECASE | re.DOTALL | re.MULTILINE
    return re.compile("|".join(patterns), flags), Mistake(what, cure)


_SOMETHING_ELSE = (
    _rule(
        r"\A<(?:!doctype|!--|\?xml|html|head|body|script)",
        what="it is a web page (HTML or XML)",
        cure="Something else has answered the download, such as a sign-in page: download the file again.",
    ),
    _rule(
        r"\Aversion https://git-lfs",
        what="it is a pointer of Git LFS",
        cure="Fetch the file before pulumi runs: git lfs pull, or a checkout with LFS in the pipeline.",
    ),
    _rule(
        r"\A(?:age-encryption\.org/|\$ANSIBLE_VAULT;|-----BEGIN (?:AGE ENCRYPTED FILE|PGP MESSAGE))",
        r"\A(?:\x00GITCRYPT|Salted__|U2FsdGVkX1|vault:v\d+:)",
        r"ENC\[AES256_GCM,|\"sops\"\s*:|^sops:",
        what="it is encrypted (sops, age, ansible-vault or the like)",
        cure="Decrypt it before pulumi runs, and pass the decrypted file.",
    ),
    _rule(
        r"\*{3,}|\A(?:x{3,}|[•●…]+)\Z",
        r"\A[\[(<]?(?:masked|redacted|secret|hidden|sensitive)(?: value)?[\])>]?\Z",
        what="it is a masked value, as logs and web pages show it in place of a secret",
        cure="Pass the file or the variable itself, not what is displayed of it.",
    ),
    _rule(
        r"\$\([^()]{1,200}\)|[$#]\{.{0,200}?\}|\{\{.{0,200}?\}\}|<%.{0,200}?%>",
        r"\A(?:%[^%\s]+%|\$(?:env:)?\w+|@Microsoft\.KeyVault\(.*|__\w+__|<[^<>]*>)\Z",
        what="it contains a variable that was not filled in",
        cure="Check the name of the variable, and whether the pipeline passes it to this step.",
    ),
    _rule(
        r"\A(?:-----BEGIN|Content-Type:|MIME-Version:|MII)",
        what="it is another kind of Apple file (a certificate or an enrollment token)",
        cure="The content token is under Payments and Billing, Apps and Books, and ends in .vpptoken.",
    ),
    _rule(
        r"\A\{.*\"(?:expDate|orgName)\"|\A\{\s*\"token\"",
        what="it is the JSON inside a .vpptoken file, not the file",
        cure=DOWNLOAD,
    ),
    _rule(
        r"\A[{\[]",
        what="it is a JSON document, not a .vpptoken file",
        cure=f"If it is the answer of a secret store, pass only the value in it. {DOWNLOAD}",
    ),
    _rule(
        r"\A[a-z][a-z0-9+.-]*://\S*\Z",
        r"\A(?:[^\r\n]{1,400}\.vpptoken(?:\.txt)?|[a-z]:\\[^\r\n]*|(?:~|\.{1,2})?[\\/][^\r\n]{0,400})\Z",
        what="it is a path or an address, not the content of a file",
        cure="Pass the file (a FileAsset), or the text in it.",
    ),
)
"""What a text is by how it begins, or by something that no base64 contains. The first match counts."""

_CUT_OFF = Mistake(
    "it begins like a .vpptoken file, but is cut off or damaged",
    f"{DOWNLOAD} If it comes from a variable, check how long its value may be.",
)
_NOT_BASE64 = Mistake("it is not base64", f"{DOWNLOAD} If you passed a path, pass the file (a FileAsset) instead.")
_OTHER_BASE64 = Mistake("it is base64, but does not contain a JSON object", DOWNLOAD)

_QUOTES = "\"'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb,; \t\r\n"
_BROKEN = re.compile(r"(?:\s|[\u200b\u2060\ufeff\u00ad]|\\[nrt])+")
_NAMED = re.compile(r"\A(?:(?:export|set) )?[A-Za-z_][\w.-]{0,100}\s*[=:]\s*")
_ALPHABET = re.compile(r"[A-Za-z0-9+/]+")
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MOST_LAYERS = 4
"""How many disguises over each other are looked through."""


def decode(text: str) -> Mapping[str, object] | None:
    """Decode base64 text and return the JSON object in it, or None if it contains no JSON object."""
    content = _base64(text)
    return None if content is None else _json_object(content)


def something_else(text: str) -> Mistake | None:
    """Return what a text is, if it is recognised as something else than a token file."""
    return next((mistake for pattern, mistake in _SOMETHING_ELSE if pattern.search(text)), None)


def mistake(text: str) -> Mistake:
    """Return why a text that `decode` cannot read is not the text of a token file."""
    # A disguise is certain, because the token file was found in it.
    found = _disguise(text) or something_else(text)
    if found is None and _begins_like_one(text):
        found = _CUT_OFF
    return found or (_NOT_BASE64 if _base64(text) is None else _OTHER_BASE64)


def is_utf_16(content: bytes) -> bool:
    """Whether bytes are a text in UTF-16: with its byte-order mark, or with a zero beside each letter."""
    halves = (content[0::2], content[1::2])
    return content.startswith(_UTF_16_MARKS) or (len(content) > 1 and not all(map(any, halves)))


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


def _unquoted(text: str) -> str:
    """Return what a text has between quotation marks, also in Python's `b'...'`; the text itself if it has none."""
    quoted = text.removeprefix("b")
    return quoted.strip(_QUOTES) if quoted.startswith(tuple(_QUOTES)) else text


def _decoded_once(text: str) -> str:
    """Decode base64 text that contains UTF-8 or UTF-16. Return an empty string if it cannot be decoded."""
    content = _base64(text) or b""
    try:
        if is_utf_16(content):
            little = content.startswith(b"\xff\xfe") or not any(content[1::2])
            return content.decode("utf-16-le" if little else "utf-16-be").lstrip("\ufeff").strip()
        return content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return ""


_DISGUISES: tuple[tuple[Callable[[str], str], Mistake], ...] = (
    (
        _unquoted,
        Mistake("it has quotation marks around it", "Remove them: the file has none."),
    ),
    (
        lambda text: _NAMED.sub("", text),
        Mistake("it begins with the name of a variable", "Pass only the value."),
    ),
    (
        lambda text: _BROKEN.sub("", text),
        Mistake(
            "its text is broken by line breaks or blanks",
            "An editor, a mail program or base64 has inserted them: remove them, or download the file again.",
        ),
    ),
    (
        _decoded_once,
        Mistake("it is a .vpptoken file encoded in base64 twice", "Decode it once before passing it on."),
    ),
    (
        unquote,
        Mistake("it is percent-encoded, as in an address", "Decode it before passing it on."),
    ),
)
"""What may be around the text of a token file: how to remove it, and how to describe it."""


def _disguise(text: str, layers: int = _MOST_LAYERS) -> Mistake | None:
    """Return the outermost of the disguises below which there is a token file."""
    for remove, found in _DISGUISES:
        inner = remove(text)
        if inner in {"", text}:
            continue
        if decode(inner) is not None or (layers > 1 and _disguise(inner, layers - 1)):
            return found
    return None


def _begins_like_one(text: str) -> bool:
    """Whether a text begins like a token file, which is the base64 of a JSON object, or like the base64 of one."""
    start = _ALPHABET.match(_BROKEN.sub("", text.strip(_QUOTES)))
    whole = start[0][: len(start[0]) // 4 * 4] if start else ""
    content = _base64(whole) or b""
    once_more = _ALPHABET.match(content.decode("latin-1"))
    inner = _base64(once_more[0][: len(once_more[0]) // 4 * 4]) if once_more else b""
    return content.lstrip().startswith(b"{") or (inner or b"").lstrip().startswith(b"{")
