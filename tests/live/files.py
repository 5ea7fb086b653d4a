"""How the kit sends token files, creates tokens and deletes them."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from intune_vpp.core import graph_json
from intune_vpp.core.token_encoding import Encoding, is_read
from live.probe import Finding, NotProbed, Session, Stopped, one_of
from live.wire import APPS, TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from intune_vpp.core.stoken import SToken
    from live.wire import Exchange

SHOWN_FOR: Final = 60
"""Seconds for which the kit waits for what Intune does after an upload."""

SYNCED_FOR: Final = 1200
"""Seconds for which it waits for a sync."""

ENCODINGS: Final = {
    "both": "It reads the file in base64 and verbatim.",
    "base64": "It reads the file in base64 (verbatim is refused, not read, or was not tried: see the detail).",
    "verbatim": "It reads the file verbatim only.",
    "neither": "It reads the file in no encoding.",
}


def body_of(session: Session, token: str, **members: object) -> dict[str, object]:
    """The body that creates a token. Raises NotProbed without an Apple ID."""
    if session.means.apple_id is None:
        raise NotProbed("needs --apple-id")
    return {
        "@odata.type": graph_json.ODATA_TYPE,
        "appleId": session.means.apple_id,
        "automaticallyUpdateApps": False,
        "claimTokenManagementFromExternalMdm": False,
        "countryOrRegion": "US",
        "dataSharingConsentGranted": True,
        "displayName": session.label,
        "token": token,
        "vppTokenAccountType": session.means.account_type,
        **members,
    }


def as_sent(session: Session, file: SToken, encoding: Encoding) -> str:
    """The text of a file in an encoding, which is kept out of recordings and errors."""
    wrapped = base64.b64encode(file.text.encode()).decode()
    session.wire.keep_secret(*file.secrets, wrapped)
    number = session.numbers.setdefault(file.fingerprint, len(session.numbers) + 1)
    expired = ", expired" if file.expires_at <= session.clock.now() else ""
    session.know(file.text, f"[token file {number}{expired}, verbatim]")
    session.know(wrapped, f"[token file {number}{expired}, base64]")
    return wrapped if encoding is Encoding.BASE64 else file.text


def create(session: Session, token: str, **members: object) -> Exchange:
    """Create a token, and note before that it must be deleted. Raises NotProbed while another one is left."""
    if session.clean_up:
        raise NotProbed("needs that the tokens of the probes before were deleted")
    key = f"created {len(session.wire.fence.created)}"
    note = f"Delete the token with the display name {session.label!r}, if there is one"
    session.clean_up.add(key, f"{note}.")
    answer = session.wire.send("POST", TOKENS, body_of(session, token, **members))
    token_id = str(answer.entity.get("id", "")) if answer.ok else ""
    if token_id:
        session.wire.fence.created.append(token_id)
        session.clean_up.add(token_id, f"{note}; its id is {token_id}.")
    if token_id or 400 <= answer.status < 500:
        session.clean_up.done(key)
    return answer


def delete(session: Session, token_id: str) -> Exchange:
    """Delete a token that the kit has created."""
    answer = session.wire.send("DELETE", f"{TOKENS}/{token_id}")
    if answer.ok or answer.status == 404:
        session.clean_up.done(token_id)
    return answer


@contextmanager
def short_lived(session: Session, token: str, **members: object) -> Iterator[Exchange]:
    """Create a token for the block, which is deleted after it, if Graph has taken it."""
    answer = create(session, token, **members)
    token_id = session.wire.fence.created[-1] if answer.ok and answer.entity.get("id") else None
    try:
        yield answer
    finally:
        if token_id is not None:
            delete(session, token_id)


def require_new_location(session: Session, shown: Mapping[str, Any]) -> None:
    """Raise Stopped if a token of the run turns out to be for the location of another token, whose sync it may stop."""
    place = shown.get("locationName")
    others = [one for one in session.tokens() if one.get("id") not in session.wire.fence.created]
    taken = place and any(one.get("locationName") == place for one in others)
    if taken or shown.get("state") == "duplicateLocationId":
        raise Stopped("The tenant has a token for the location of --token-file. The token of this run is deleted.")


def own_file(session: Session) -> SToken:
    """The file of the location of the token. Raises NotProbed without one."""
    if session.means.file is None:
        raise NotProbed("needs --token-file")
    return session.means.file


def shows(session: Session, path: str, file: SToken, before: Mapping[str, Any] | None = None) -> bool:
    """Whether the token shows within a minute that Intune has read the file."""
    then = None if before is None else graph_json.token_from(before)
    last: Mapping[str, Any] = {}

    def decided() -> bool:
        nonlocal last
        last = session.wire.get(path).entity
        return is_read(graph_json.token_from(last), file, then) or last.get("state") == "invalid"

    session.wait_for(decided, SHOWN_FOR)
    return is_read(graph_json.token_from(last), file, then) and last.get("state") != "invalid"


def which(taken: list[Encoding], detail: str) -> Finding:
    """The finding about encodings of which the tenant has read those in `taken`."""
    outcomes = {"both": len(taken) > 1, "base64": Encoding.BASE64 in taken, "verbatim": bool(taken), "neither": True}
    return one_of(outcomes, detail)


def state_of(shown: Mapping[str, Any]) -> str:
    """The state of a token, for a detail."""
    state = str(shown.get("state"))
    return state if state.isalpha() and len(state) < 40 else "another state"


def same(shown: object, sent: object) -> bool:
    """Whether two values of a member are equal, without regard to case."""
    return shown == sent or (isinstance(shown, str) and isinstance(sent, str) and shown.casefold() == sent.casefold())


def apps_of(session: Session, token_id: str) -> list[Mapping[str, Any]] | None:
    """The apps of a token; None if the apps cannot all be read."""
    apps, complete = session.wire.listed(APPS)
    own = [one for one in apps if str(one.get("vppTokenId", "")).lower() == token_id.lower()]
    return own if complete else None
