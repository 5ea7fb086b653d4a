"""How an emulated tenant behaves where real ones differ, or where no public source says how they do.

One table: the command line makes an option of each field, and `PATCH /_emulator/behavior` a member.
"""

from __future__ import annotations

import json
from dataclasses import Field, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from .apple import TokenEncoding
from .identity.refusals import SCRIPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


_LARGEST: Final = 1e9

LONGEST_LAG: Final = 600.0
"""For how many seconds a tenant keeps what it was."""


class UnreadableFiles(StrEnum):
    """What a tenant answers to a file that it cannot read."""

    REFUSED = "refused"
    INVALID = "invalid"
    """It takes the file without a word and gives the token the state `invalid`."""


class SyncDate(StrEnum):
    """When a sync moves `lastSyncDateTime`."""

    START = "start"
    END = "end"


class Gzip(StrEnum):
    """What a tenant answers to a request body in gzip."""

    ACCEPTED = "accepted"
    UNSUPPORTED = "415"
    UNREADABLE = "400"


class Throttling(StrEnum):
    """Whether requests for vppTokens are throttled."""

    OFF = "off"
    DOCUMENTED = "documented"


class UnusableBehaviorError(ValueError):
    """A behavior that cannot be; the text is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: how a help text shows it, and how a text or a JSON value becomes one.

    `parse` raises UnusableBehaviorError with the values that would do. `none` is the word for None, where that is one.
    """

    metavar: str
    parse: Callable[[object], Any]
    none: str = ""


def _number(least: float, most: float = _LARGEST) -> Kind:
    def parse(value: object) -> float:
        try:
            number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
        except (ValueError, OverflowError):
            number = None
        if number is None or not least <= number <= most:
            to = " on" if most == _LARGEST else f" to {most:.0f}"
            raise UnusableBehaviorError(f"a number from {least:.0f}{to}")
        return number

    return Kind("NUMBER", parse)


def _count(value: object) -> int:
    number: float = _number(1).parse(value)
    if number != int(number):
        raise UnusableBehaviorError("a whole number from 1 on")
    return int(number)


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value not in ("true", "false"):
        raise UnusableBehaviorError("true or false")
    return value == "true"


def _one_of(enumeration: type[StrEnum]) -> Kind:
    def parse(value: object) -> StrEnum:
        if value not in list(enumeration):
            raise UnusableBehaviorError(f"one of {', '.join(enumeration)}")
        return enumeration(str(value))

    return Kind(f"[{'|'.join(enumeration)}]", parse)


def _names(value: object) -> frozenset[str]:
    """A list of texts, or one text with commas."""
    given = [one.strip() for one in value.split(",")] if isinstance(value, str) else value
    if not isinstance(given, list | frozenset) or not all(isinstance(one, str) for one in given):
        raise UnusableBehaviorError("a list of texts")
    return frozenset(one for one in given if one)


def _or(word: str, kind: Kind) -> Kind:
    """That kind, or a word, or null, for None."""
    return Kind(f"{kind.metavar}|{word}", lambda value: None if value in (None, word) else kind.parse(value), word)


def _refusal(value: object) -> int:
    if str(value) not in {str(one) for one in SCRIPTED}:
        raise UnusableBehaviorError(f"one of {_REFUSALS}")
    return int(str(value))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise UnusableBehaviorError("a text")
    return value


def _takes(kind: Kind, help_text: str) -> dict[str, Any]:
    return {"kind": kind, "help": help_text}


_COUNT: Final = Kind("COUNT", _count)
_BOOLEAN: Final = Kind("[true|false]", _boolean)
_NAMES: Final = Kind("NAMES", _names)
_REFUSAL: Final = Kind("NUMBER", _refusal)
_TEXT: Final = Kind("TEXT", _text)
_REFUSALS: Final = ", ".join(map(str, SCRIPTED))
_TEN_TAGS: Final = frozenset("0123456789")


@dataclass(kw_only=True)
class Behavior:
    """The options of a tenant. All of them may be changed while it runs."""

    page_size: int = field(default=100, metadata=_takes(_COUNT, "The most entities on a page."))
    latency_ms: float = field(default=0.0, metadata=_takes(_number(0), "By how much each answer is delayed."))
    throttle: Throttling = field(
        default=Throttling.OFF,
        metadata=_takes(
            _one_of(Throttling),
            "Whether vppTokens are throttled by Graph's documented buckets: 100 writes in 20 s for an application, 200 "
            "for the tenant, 1000 and 2000 for any request.",
        ),
    )
    get_lag_seconds: float = field(
        default=0.0,
        metadata=_takes(
            _number(0, LONGEST_LAG),
            "A GET of a token shows it as it was so long ago: one that was created since is a 404, one that was "
            "deleted since is still there.",
        ),
    )
    list_lag_seconds: float = field(
        default=0.0, metadata=_takes(_number(0, LONGEST_LAG), "A LIST shows the tokens as they were so long ago.")
    )
    sync_seconds: float = field(default=1.0, metadata=_takes(_number(0), "How long a sync runs."))
    revoke_seconds: float = field(default=1.0, metadata=_takes(_number(0), "How long a revocation runs."))
    renewal_lag_seconds: float = field(
        default=1.0, metadata=_takes(_number(0), "How long a renewed token shows its old expiration.")
    )
    token_encoding: TokenEncoding = field(
        default=TokenEncoding.EITHER,
        metadata=_takes(_one_of(TokenEncoding), "How the text of a file is taken in `token`."),
    )
    unreadable_files: UnreadableFiles = field(
        default=UnreadableFiles.REFUSED,
        metadata=_takes(_one_of(UnreadableFiles), "What happens to a file that the tenant cannot read."),
    )
    expiration_step_seconds: float = field(
        default=1.0,
        metadata=_takes(_number(1), "The expiration of a file is rounded down to a multiple of this (a day: 86400)."),
    )
    expiration_shift_seconds: float = field(
        default=0.0, metadata=_takes(_number(-1e9), "The expiration of a file, rounded, is moved by this.")
    )
    sync_restarts: bool = field(
        default=False, metadata=_takes(_BOOLEAN, "Whether syncLicenses starts a sync although one is in progress.")
    )
    sync_date: SyncDate = field(
        default=SyncDate.END, metadata=_takes(_one_of(SyncDate), "When a sync moves lastSyncDateTime.")
    )
    list_blanks: frozenset[str] = field(
        default=frozenset(), metadata=_takes(_NAMES, "Members that a LIST shows empty, as roleScopeTagIds,displayName.")
    )
    scope_tags: frozenset[str] = field(default=_TEN_TAGS, metadata=_takes(_NAMES, "The scope tags that exist."))
    allowed_scope_tags: frozenset[str] | None = field(
        default=None, metadata=_takes(_or("all", _NAMES), "The scope tags that the applications are bound to.")
    )
    gzip: Gzip = field(
        default=Gzip.ACCEPTED, metadata=_takes(_one_of(Gzip), "What the tenant answers to a request body in gzip.")
    )
    access_token_seconds: float = field(
        default=3600.0, metadata=_takes(_number(1), "How long an access token is valid.")
    )
    app_consented: bool = field(
        default=True, metadata=_takes(_BOOLEAN, "Whether the application exists in the tenant; else AADSTS700016.")
    )
    app_roles: frozenset[str] | None = field(
        default=None, metadata=_takes(_or("own", _NAMES), "The roles in access tokens; own: those that were granted.")
    )
    sign_in_refusal: int | None = field(
        default=None, metadata=_takes(_or("none", _REFUSAL), f"The AADSTS number that refuses sign-ins: {_REFUSALS}.")
    )
    oidc_subject: str | None = field(
        default=None, metadata=_takes(_or("own", _TEXT), "The subject of the OIDC tokens of the pipelines.")
    )

    def stored_expiration(self, expires: datetime) -> datetime:
        """The expiration that this tenant keeps of a file."""
        # a guess: expiration-exact
        start = datetime(1970, 1, 1, tzinfo=UTC)
        step = timedelta(seconds=self.expiration_step_seconds)
        try:
            return start + (expires - start) // step * step + timedelta(seconds=self.expiration_shift_seconds)
        except OverflowError:  # at the end of the calendar
            return expires

    def behave(self, changes: Mapping[str, object]) -> None:
        """Change fields by their names, in Python's spelling or in JSON's; raises UnusableBehaviorError."""
        known = {spelling: one for one in fields(Behavior) for spelling in (one.name, camel_case(one.name))}
        parsed = {}
        for name, value in changes.items():
            if name not in known:
                raise UnusableBehaviorError(
                    f"{name!r} is not a behavior. There are: {', '.join(map(camel_case, names()))}."
                )
            try:
                parsed[known[name].name] = known[name].metadata["kind"].parse(value)
            except UnusableBehaviorError as wanted:
                raise UnusableBehaviorError(f"{name} must be {wanted}, not {value!r}.") from None
        for name, value in parsed.items():
            setattr(self, name, value)

    def behavior(self) -> dict[str, Any]:
        """The fields in JSON."""
        return {camel_case(name): _json(getattr(self, name)) for name in names()}


def names() -> list[str]:
    """The names of the fields."""
    return [one.name for one in fields(Behavior)]


def options() -> Iterable[tuple[str, str, str]]:
    """Each field with its metavar and its help, for a command line."""
    for one in fields(Behavior):
        yield one.name, one.metadata["kind"].metavar, f"{one.metadata['help']}  [default: {_shown(one)}]"


def _shown(one: Field[Any]) -> str:
    if one.default is None:
        return str(one.metadata["kind"].none)
    default = _json(one.default)
    return (",".join(default) or "none") if isinstance(default, list) else json.dumps(default).strip('"')


def camel_case(name: str) -> str:
    """`page_size` -> `pageSize`."""
    first, *rest = name.split("_")
    return first + "".join(one.capitalize() for one in rest)


def _json(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value
