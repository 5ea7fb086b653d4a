"""What a probe is: a question about Graph, what it sends to find the answer, and what the answer decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from intune_vpp.core.check import GUID
from live.wire import TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from intune_vpp.core.ports import Clock
    from intune_vpp.core.stoken import SToken
    from intune_vpp.core.token_encoding import Encoding
    from live.clean_up import CleanUp
    from live.wire import Exchange, Wire

NOT_PROBED: Final = "not probed"
UNCLEAR: Final = "unclear"


class Reach(StrEnum):
    """What a probe may do to the tenant, the least first."""

    READS = "reads"
    """Sends GET requests only."""
    WRITES = "writes the named token"
    """Changes the named token in a way that is known to be reversible, and changes it back."""
    CREATES = "needs a token of its own"
    """Only on a token that the kit has created, and deletes at the end."""


class NotProbed(Exception):
    """The question cannot be answered here; the text says what it needs."""


class Stopped(Exception):
    """The run must not go on; the text says why. What it has created is deleted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to a question: one of the outcomes of the probe, and figures and codes in words of the kit.

    A detail must not have text of an answer other than codes, names of members and values of enumerations.
    """

    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the user has given to the kit beside the credentials."""

    file: SToken | None = None
    renewal_file: SToken | None = None
    """A later download of the same location."""
    other_location_file: SToken | None = None
    expired_file: SToken | None = None
    claimed_file: SToken | None = None
    """A file of a location that another MDM manages."""
    earlier_file: SToken | None = None
    """A file of the same account from before its password was changed."""
    outside_token_id: str | None = None
    """The id of a token that the role of the application should not see."""
    apple_id: str | None = None
    account_type: str = "business"
    claim: bool = False
    """Whether the location of the named token may be taken from another MDM."""


@dataclass(slots=True, kw_only=True)
class Session:
    """A run, as the probes see it. `subject` is the id of the token that is written; None while there is none."""

    wire: Wire
    clock: Clock
    means: Means
    clean_up: CleanUp
    subject: str | None = None
    owns_subject: bool = False
    encoding: Encoding | None = None
    """The encoding in which the tenant has read a file; None while that is not known."""
    label: str = ""
    """The display name of what the kit creates."""
    know: Callable[[str, str], None] = field(default=lambda _text, _placeholder: None)
    """Called with each file as it is sent, and with what its recording shows instead."""
    numbers: dict[str, int] = field(default_factory=dict)
    """The numbers of the files that were sent, by their fingerprints."""
    listed: list[Mapping[str, Any]] | None = None
    before: frozenset[str] | None = None
    created: Exchange | None = None
    first_read: Exchange | None = None
    """The answer that created the subject, and that of a GET right after it."""

    def tokens(self) -> list[Mapping[str, Any]]:
        """The tokens of the tenant, as listed by the first probe that asks. Raises NotProbed without all pages."""
        if self.listed is None:
            found, complete = self.wire.listed(TOKENS)
            if not complete:
                raise NotProbed("needs a list of all tokens, and a page could not be read")
            self.listed = found
        return self.listed

    def ids_before(self) -> frozenset[str]:
        """The ids, in small letters, of the tokens that the tenant had before the first one that the kit creates.

        To be called before that one is created. Raises NotProbed without all pages.
        """
        if self.before is None:
            self.before = frozenset(str(one.get("id")).lower() for one in self.tokens())
        return self.before

    @property
    def token_id(self) -> str:
        """The id of the token that is written. Raises NotProbed if there is none."""
        if self.subject is None:
            raise NotProbed("needs a token that was created or named")
        return self.subject

    @property
    def path(self) -> str:
        """Its path."""
        return f"{TOKENS}/{self.token_id}"

    def entity(self) -> Mapping[str, Any]:
        """The token that is written, as a GET shows it now. Raises NotProbed if it cannot be read."""
        answer = self.wire.get(self.path)
        if not answer.ok:
            raise NotProbed(f"needs a token that can be read ({answer.words})")
        return answer.entity

    def a_token(self) -> str:
        """The id of the named token, or of any. Raises NotProbed if the tenant has none."""
        found = self.subject or next((one["id"] for one in self.tokens() if is_id(one.get("id"))), None)
        if found is None:
            raise NotProbed("needs a tenant with a token")
        return found

    def wait_for(self, happened: Callable[[], bool], seconds: int, pause: int = 5) -> float | None:
        """Wait until something has happened; the seconds that it took, or None if it has not."""
        began = self.clock.now()
        while not happened():
            if self._since(began) >= seconds:
                return None
            self.clock.sleep(pause)
        return self._since(began)

    def _since(self, began: datetime) -> float:
        return (self.clock.now() - began).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question. `outcomes` has the possible answers in words; `decides` names what in the project follows them."""

    name: str
    question: str
    sends: str
    reach: Reach
    outcomes: Mapping[str, str]
    decides: str
    run: Callable[[Session], Finding]


def is_id(value: object) -> TypeGuard[str]:
    """Whether a value of an answer is an id, which can be part of a path."""
    return isinstance(value, str) and GUID.fullmatch(value) is not None


def one_of(outcomes: Mapping[str, bool], detail: str = "") -> Finding:
    """The finding with the first outcome whose condition holds; unclear if none does."""
    return Finding(next((name for name, holds in outcomes.items() if holds), UNCLEAR), detail)


def verdict(answer: Exchange, *, taken: str = "taken", refused: str = "refused") -> Finding:
    """Whether Graph took a request; unclear after a failure of the server or while it is throttled."""
    is_refusal = 400 <= answer.status < 500 and answer.status not in {401, 403, 429}
    return one_of({taken: answer.ok, refused: is_refusal}, answer.words)
