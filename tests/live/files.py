"""How the kit sends token files, creates tokens and deletes them."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from intune_vpp.core import graph_json
from intune_vpp.core.token_encoding import Encoding, is_read
from live.probe import Finding, NotProbed, Session, Stopped, is_id, one_of
from live.vocabulary import VALUES
from live.wire import APPS, TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from intune_vpp.core.stoken import SToken
    from live.wire import Exchange

SHOWN_FOR: Final = 60
"""Seconds for which the kit waits for what Intune does after an upload."""

SYNCED_FOR: Final = 1200
"""Seconds for which it waits for a sync."""

CREATING: Final = "created"
"""How the key of a note begins while the kit does not know the id of the token."""

_NOT_NEW: Final = (
    "Graph answered the creation of a token with an id that is not the id of a new token. Compare your tokens with "
    "what you know of them: one may have the display name {label!r} now, or another file. Delete none that you had "
    "before the run."
)

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
    """Create a token, and note before that it must be deleted.

    Raises NotProbed while another one is left, and Stopped if Graph answers with anything but the id of a new token.
    """
    if session.clean_up:
        raise NotProbed("needs that the tokens of the probes before were deleted")
    session.ids_before()
    key = f"{CREATING} {len(session.wire.fence.created)}"
    session.clean_up.add(key, f"Delete the token with the display name {session.label!r}, if there is one.")
    answer = session.wire.send("POST", TOKENS, body_of(session, token, **members))
    if answer.ok:
        own(session, answer.entity)
    elif 400 <= answer.status < 500:
        session.clean_up.done(key)
    return answer


def own(session: Session, shown: Mapping[str, Any]) -> None:
    """Let the kit write and delete a token that it has created, and note its id.

    Raises Stopped, and leaves a note that names no token, if the id is none, or one that the tenant had before.
    """
    token_id = shown.get("id")
    if not is_id(token_id) or token_id.lower() in session.ids_before():
        _note_instead(session, "not new", _NOT_NEW.format(label=session.label))
        raise Stopped("Graph answered a creation with an id that is not the id of a new token. It is not deleted.")
    session.wire.fence.created.append(token_id)
    note = f"Delete the token with the display name {session.label!r}, if there is one; its id is {token_id}."
    _note_instead(session, token_id, note)


def _note_instead(session: Session, key: str, note: str) -> None:
    """Note what to do, in place of what was noted before the answer to the creation."""
    session.clean_up.add(key, note)
    for one in [one for one in session.clean_up.keys if one.startswith(CREATING)]:
        session.clean_up.done(one)


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
    token_id = session.wire.fence.created[-1] if answer.ok else None
    try:
        yield answer
    finally:
        if token_id is not None:
            delete(session, token_id)


def require_new_location(session: Session, shown: Mapping[str, Any]) -> None:
    """Raise Stopped if a token of the kit turns out to be for the location of another token, whose sync it may stop."""
    place = shown.get("locationName")
    others = [one for one in session.tokens() if one.get("id") not in session.wire.fence.created]
    taken = place and any(one.get("locationName") == place for one in others)
    if taken or shown.get("state") == "duplicateLocationId":
        raise Stopped("The tenant has a token for the location of one of the files. The token of this run is deleted.")


def sync(session: Session) -> Exchange:
    """Start a sync, of a token of the kit only while it is for no location of another token. Raises Stopped."""
    if session.owns_subject:
        require_new_location(session, session.entity())
    return session.wire.send("POST", f"{session.path}/syncLicenses")


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
    return state if state in VALUES["state"] else "another state"


def same(shown: object, sent: object) -> bool:
    """Whether two values of a member are equal, without regard to case."""
    return shown == sent or (isinstance(shown, str) and isinstance(sent, str) and shown.casefold() == sent.casefold())


def apps_of(session: Session, token_id: str) -> list[Mapping[str, Any]] | None:
    """The apps of a token; None if the apps cannot all be read."""
    apps, complete = session.wire.listed(APPS)
    own = [one for one in apps if str(one.get("vppTokenId", "")).lower() == token_id.lower()]
    return own if complete else None
