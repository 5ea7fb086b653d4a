"""Records each answer of a tenant without what identifies the tenant, in the form that `captures.py` reads.

Only the values of members in a list are kept, if they have the form or are among the values of the list. Every other
text is replaced by a placeholder, the same text always by the same one, so that answers can still be compared.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from intune_vpp.core.check import GUID
from live.vocabulary import CODES, SEGMENTS, VALUES, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from live.wire import Exchange

NOTHING: Final = "[…]"
NOT_RECORDED: Final = "[not recorded: a known secret was left in this answer]"
_ZEROS: Final = "00000000-0000-0000-0000-000000000000"
_MOST: Final = 10**9
_SHORTEST: Final = 3

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{1,6}")
_TYPE: Final = re.compile(r"#?microsoft\.graph\.[A-Za-z0-9]{1,60}")


def _any_of(known: frozenset[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(known))))


_KEPT: Final = {
    **{name: _any_of(known) for name, known in VALUES.items()},
    **dict.fromkeys(
        (
            "createdDateTime",
            "date",
            "expirationDateTime",
            "lastModifiedDateTime",
            "lastSyncDateTime",
            "lastUpdatedDateTime",
            "releaseDateTime",
            "startDateTime",
        ),
        _DATE,
    ),
    "code": _any_of(CODES),
    "countryOrRegion": re.compile(r"[A-Za-z]{2}"),
    "roleScopeTagIds": _DIGITS,
    "@odata.type": _TYPE,
    "RetryAfter": re.compile(r"[0-9.:]{1,16}"),
    "HttpHeaders": re.compile(r"\{\}"),
}
"""The members whose texts are kept, and their form or known values. Numbers, booleans and nulls are always kept."""

_HEADERS: Final = {
    "content-type": re.compile(r"application/json(;[a-zA-Z0-9.=; -]{0,100})?|text/(plain|html)(; ?charset=utf-8)?"),
    "retry-after": re.compile(r"[0-9.]{1,10}"),
    "allow": re.compile(r"[A-Z, ]{1,60}"),
    "content-encoding": re.compile("gzip|deflate|br|identity"),
}
_CONTEXT: Final = re.compile(r"https://[^/]+(/(?:v1\.0|beta)/\$metadata#)(.*)")
_FRAGMENT: Final = re.compile(r"[A-Za-z/(),$]{1,200}")
_OPTION: Final = re.compile(r"[A-Za-z0-9,]{1,80}")
_ANNOTATION: Final = r"@odata\.(bind|context|count|deltaLink|etag|id|nextLink|type)"
_NAME: Final = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,60}}({_ANNOTATION})?|{_ANNOTATION}|(client-)?request-id")

_URL: Final = re.compile(r"\w+://\S+")
_ADDRESS: Final = re.compile(r"\S+@\S+")
# Words that are joined are one: a domain or the name of a computer is made of ordinary words as well.
_TOKENS_OF_SENTENCE: Final = re.compile(rf"\[[^\[\]]*\]|{GUID.pattern}|\w+(?:['._\-]+\w+)*|[^\w\s]|\s+")
_MEMBERS: Final = frozenset([*_KEPT, "appleId", "displayName", "locationName", "organizationName", "token", "vppToken"])
_PUNCTUATION: Final = frozenset(" .,:;-()[]'\"!?/\r\n")


class Redactor:
    """Replaces what identifies a tenant, in all answers of a run alike.

    `is_secret` says whether a text quotes a secret of the connection; one that does is not recorded.
    """

    def __init__(self) -> None:
        self.is_secret: Callable[[str], bool] = lambda _text: False
        self._ids: dict[str, str] = {}
        self._placeholders: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def know(self, text: str, placeholder: str) -> None:
        """Replace a text that is known from elsewhere, wherever it is found."""
        if text:
            self._placeholders.setdefault(text.casefold(), placeholder)

    def document(self, exchange: Exchange) -> dict[str, Any]:
        """The recording of an exchange."""
        recorded: dict[str, Any] = {
            "request": {
                "method": exchange.method,
                "path": self.path(exchange.path),
                "headers": dict(exchange.headers_sent),
                "body": self.value(dict(exchange.sent)) if exchange.sent is not None else None,
            },
            "status": exchange.status,
            "headers": _headers(exchange.headers),
            "answer": self.value(exchange.body),
        }
        if self.is_secret(json.dumps(recorded, ensure_ascii=False)):
            recorded |= {"request": {"method": exchange.method, "path": NOTHING, "headers": {}, "body": None}}
            recorded |= {"answer": NOT_RECORDED}
        return recorded

    def value(self, value: Any, name: str = "") -> Any:
        """A value of JSON, which is the one of the member `name`, or an item of its list."""
        if isinstance(value, dict):
            return {self._member(one): self.value(inner, one) for one, inner in value.items()}
        if isinstance(value, list):
            return [self.value(one, name) for one in value]
        if isinstance(value, str):
            return self._text(value, name)
        is_large = isinstance(value, int | float) and not abs(value) < _MOST
        return 0 if is_large else value

    def path(self, path: str) -> str:
        """A path with its query."""
        bare, _, query = path.partition("?")
        is_known = all(one in SEGMENTS or GUID.fullmatch(one) for one in bare.strip("/").split("/"))
        bare = self._mapped_ids(bare) if is_known else NOTHING
        options = parse_qsl(query, keep_blank_values=True)
        shown = "&".join(f"{key}={_plain_option(key, text)}" for key, text in options if re.fullmatch(r"\$[a-z]+", key))
        return f"{bare}?{shown}" if shown else bare

    def sentence(self, text: str) -> str:
        """A sentence of which the words of a list are kept, which no name is among."""
        longest_first = sorted((one for one in self._placeholders if len(one) >= _SHORTEST), key=len, reverse=True)
        if longest_first:
            known = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
            text = known.sub(lambda found: self._placeholders.get(found[0].casefold(), NOTHING), text)
        text = _ADDRESS.sub(NOTHING, _URL.sub("[URL]", self._mapped_ids(text)))
        names = {word for one in self._placeholders for word in re.findall(r"\w{3,}", one)}
        ours = {*self._ids.values(), *self._placeholders.values(), NOTHING, "[URL]", _ZEROS}
        return "".join(self._word(word, names, ours) for word in _TOKENS_OF_SENTENCE.findall(text))

    @staticmethod
    def _word(word: str, names: set[str], ours: set[str]) -> str:
        is_ordinary = word in WORDS or word in _MEMBERS or re.fullmatch(r"[0-9]{1,4}", word)
        kept = word in ours or set(word) <= _PUNCTUATION or (is_ordinary and word.casefold() not in names)
        return word if kept else NOTHING

    def _member(self, name: str) -> str:
        return name if _NAME.fullmatch(name) and name.casefold() not in self._placeholders else NOTHING

    def _text(self, text: str, name: str) -> str:
        if GUID.fullmatch(text):
            return self._mapped_ids(text)
        if text == "" or (name in _KEPT and _KEPT[name].fullmatch(text)):
            return text
        if name in {"message", "Message"}:
            return self._message(text)
        context = _CONTEXT.fullmatch(text) if name == "@odata.context" else None
        if context:
            fragment = GUID.sub(NOTHING, context[2])
            shown = fragment if _is_plain(fragment) else NOTHING
            return f"https://graph.microsoft.com{context[1]}{shown}"
        return self._placeholder(text, name)

    def _placeholder(self, text: str, name: str) -> str:
        known = self._placeholders.get(text.casefold())
        if known is None:
            kind = name if _NAME.fullmatch(name) else "text"
            number = self._counts[kind] = self._counts.get(kind, 0) + 1
            known = self._placeholders[text.casefold()] = f"[{kind} {number}]"
        return known

    def _message(self, text: str) -> str:
        """A sentence, or Intune's document in a string."""
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            return self.sentence(text)
        inner = json.dumps(self.value(document), indent=2 if "\n" in text else None, ensure_ascii=False)
        return inner.replace("\n", "\r\n") if "\r\n" in text else inner

    def _mapped_ids(self, text: str) -> str:
        return GUID.sub(self._mapped_id, text)

    def _mapped_id(self, found: re.Match[str]) -> str:
        guid = found[0]
        if guid == _ZEROS:
            return guid
        mapped = self._ids.setdefault(guid.lower(), f"aaaaaaaa-0000-4000-8000-{len(self._ids) + 1:012d}")
        return mapped.upper() if guid.isupper() else mapped


def _is_plain(fragment: str) -> bool:
    """Whether a context names nothing but collections and members that are known."""
    words = re.findall(r"[A-Za-z]+", fragment)
    return bool(_FRAGMENT.fullmatch(fragment.replace(NOTHING, ""))) and all(
        one in SEGMENTS or one in _MEMBERS or one == "id" for one in words
    )


def _plain_option(key: str, text: str) -> str:
    return text if key in {"$select", "$top", "$orderby", "$count"} and _OPTION.fullmatch(text) else NOTHING


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name.lower(): text
        for name, text in headers.items()
        if name.lower() in _HEADERS and _HEADERS[name.lower()].fullmatch(text)
    }


class Recorder:
    """Writes the recording of each exchange into a folder, a file for each, in the order in which they were sent."""

    def __init__(self, folder: Path, redactor: Redactor) -> None:
        self._folder = folder
        self._redactor = redactor
        self.number = 0

    def __call__(self, exchange: Exchange) -> None:
        """Write one."""
        self.number += 1
        document = self._redactor.document(exchange)
        path = str(document["request"]["path"]).partition("?")[0]
        words = re.findall(r"[A-Za-z]+(?:\.0)?", GUID.sub("id", path)) or ["other"]
        name = f"{self.number:03d}-{exchange.method}-{'-'.join(words[-2:])}.json"
        self._folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(document, indent=2, ensure_ascii=False)
        (self._folder / name).write_text(f"{text}\n", encoding="utf-8")
