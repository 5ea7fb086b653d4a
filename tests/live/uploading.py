"""How the kit sends token files, and the probes about them."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from intune_vpp.core import graph_json, times
from intune_vpp.core.token_encoding import Encoding, is_read
from live.probe import Finding, NotProbed, Probe, Reach, Session, one_of, verdict
from live.wire import TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from intune_vpp.core.stoken import SToken
    from live.wire import Exchange

LISTED_FOR: Final = 60
"""Seconds for which the kit waits for what Intune does after an upload."""

EXPIRATION_FOR: Final = 600
_GARBAGE: Final = base64.b64encode(b"This is no token file. The live kit of intune-vpp has sent it.").decode()


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


def own_file(session: Session) -> SToken:
    """The file of the location of the token. Raises NotProbed without one."""
    if session.means.file is None:
        raise NotProbed("needs --token-file")
    return session.means.file


def _shows(session: Session, path: str, file: SToken, before: Mapping[str, Any] | None = None) -> bool:
    """Whether the token shows within a minute that Intune has read the file."""
    then = None if before is None else graph_json.token_from(before)
    last: Mapping[str, Any] = {}

    def decided() -> bool:
        nonlocal last
        last = session.wire.get(path).entity
        return is_read(graph_json.token_from(last), file, then) or last.get("state") == "invalid"

    session.wait_for(decided, LISTED_FOR)
    return is_read(graph_json.token_from(last), file, then) and last.get("state") != "invalid"


def _create_encoding(session: Session) -> Finding:
    file, words = own_file(session), []
    taken: list[Encoding] = []
    for encoding in Encoding:
        with short_lived(session, as_sent(session, file, encoding)) as answer:
            read = answer.ok and _shows(session, f"{TOKENS}/{answer.entity.get('id')}", file)
            words.append(f"{encoding}: {answer.words}, {'read' if read else 'not read'}")
            taken += [encoding] if read else []
    session.encoding = taken[0] if taken else None
    return _which(taken, "; ".join(words))


def _which(taken: list[Encoding], detail: str) -> Finding:
    outcomes = {"both": len(taken) > 1, "base64": Encoding.BASE64 in taken, "verbatim": bool(taken), "neither": True}
    return one_of(outcomes, detail)


def _consent(session: Session) -> Finding:
    token = as_sent(session, own_file(session), session.encoding or Encoding.BASE64)
    with short_lived(session, token, dataSharingConsentGranted=False) as answer:
        return verdict(answer)


def _garbage(session: Session) -> Finding:
    with short_lived(session, _GARBAGE) as answer:
        return _refused_or_state(session, answer)


def _expired(session: Session) -> Finding:
    file = session.means.expired_file
    if file is None:
        raise NotProbed("needs --expired-file: a file of the same location that has expired")
    token = as_sent(session, file, session.encoding or Encoding.BASE64)
    with short_lived(session, token) as answer:
        return _refused_or_state(session, answer)


def _refused_or_state(session: Session, answer: Exchange) -> Finding:
    found = verdict(answer)
    if not answer.ok:
        return found
    path = f"{TOKENS}/{answer.entity.get('id')}"
    states: list[str] = [str(answer.entity.get("state"))]

    def settled() -> bool:
        states.append(str(session.wire.get(path).entity.get("state")))
        return states[-1] != "valid"

    session.wait_for(settled, LISTED_FOR)
    return Finding(found.outcome, f"{found.detail}, {_state(states[0])}, then {_state(states[-1])}")


def _state(state: str) -> str:
    return state if state.isalpha() and len(state) < 40 else "another state"


def create_subject(session: Session) -> None:
    """Create the token on which the other probes work."""
    token = as_sent(session, own_file(session), session.encoding or Encoding.BASE64)
    session.created = create(session, token)
    if not session.created.ok or not session.wire.fence.created:
        raise NotProbed(f"needs a token, and Graph has refused to create it ({session.created.words})")
    session.subject, session.owns_subject = session.wire.fence.created[-1], True
    session.first_read = session.wire.get(session.path)


def _created(session: Session) -> tuple[Exchange, Exchange]:
    if session.created is None or session.first_read is None:
        raise NotProbed("needs --create")
    return session.created, session.first_read


def _create_visible(session: Session) -> Finding:
    _, read = _created(session)
    seconds = session.wait_for(lambda: session.wire.get(session.path).ok, LISTED_FOR)
    return one_of({"at once": read.ok, "later": seconds is not None}, read.words)


def _create_echo(session: Session) -> Finding:
    created, _ = _created(session)
    seconds = session.wait_for(lambda: bool(session.entity().get("locationName")), LISTED_FOR)
    shown, sent = session.entity(), created.sent or {}
    names = [name for name in sent if name not in {"@odata.type", "token"}]
    other = [name for name in names if not same(shown.get(name), sent[name])]
    location = "no location" if seconds is None else f"location after {seconds:.0f} s"
    spelled = "as sent" if shown.get("countryOrRegion") == sent.get("countryOrRegion") else "otherwise"
    return one_of({"as sent": not other, "changed": True}, f"{', '.join(other) or 'none'}; {location}; US {spelled}")


def same(shown: object, sent: object) -> bool:
    """Whether two values of a member are equal, without regard to case."""
    return shown == sent or (isinstance(shown, str) and isinstance(sent, str) and shown.casefold() == sent.casefold())


def _renewal_encoding(session: Session) -> Finding:
    """Try base64, then the other one: on a token of the user only if the first is not read."""
    file, words = session.means.renewal_file or own_file(session), []
    taken: list[Encoding] = []
    for encoding in Encoding:
        if taken and not session.owns_subject:
            words.append(f"{encoding}: not tried")
            continue
        before = session.entity()
        answer = _renew(session, file, encoding)
        is_same = before.get("expirationDateTime") == file.expiration_date_time
        read = answer.ok and _shows(session, session.path, file, None if is_same else before)
        words.append(f"{encoding}: {answer.words}, {'read' if read else 'not read'}")
        taken += [encoding] if read else []
    if taken and taken[-1] is not list(Encoding)[-1]:
        _renew(session, file, taken[-1])  # the last upload was not read
    session.encoding = taken[0] if taken else session.encoding
    return _which(taken, "; ".join(words))


def _renew(session: Session, file: SToken, encoding: Encoding) -> Exchange:
    token_id = session.token_id
    if not session.owns_subject:
        note = f"Upload the token file of {token_id} again, if its state is not valid."
        session.clean_up.add("renewal", note)
    answer = session.wire.send("PATCH", session.path, {"token": as_sent(session, file, encoding)})
    if session.wire.get(session.path).entity.get("state") == "valid":
        session.clean_up.done("renewal")
    return answer


def _renewal_lag(session: Session) -> Finding:
    file, before = session.means.renewal_file or own_file(session), session.entity()
    if before.get("expirationDateTime") == file.expiration_date_time:
        raise NotProbed("needs a file that the token does not have yet (--renewal-file, or another --token-file)")
    answer = _renew(session, file, session.encoding or Encoding.BASE64)
    if not answer.ok:
        return Finding("refused", answer.words)
    then = graph_json.token_from(before)
    at_once = is_read(graph_json.token_from(answer.entity), file, then)
    seconds = session.wait_for(lambda: is_read(graph_json.token_from(session.entity()), file, then), EXPIRATION_FOR)
    outcomes = {"at once": at_once or seconds == 0, "later": seconds is not None, "not seen": True}
    return one_of(outcomes, f"after {seconds:.0f} s" if seconds is not None else f"not within {EXPIRATION_FOR} s")


def _expiration(session: Session) -> Finding:
    """Compare what the token shows with the file that was read last."""
    shown = graph_json.token_from(session.entity())
    files = [one for one in (session.means.renewal_file, session.means.file) if one is not None]
    file = next((one for one in files if is_read(shown, one, None)), None)
    if file is None:
        raise NotProbed("needs --token-file, and a token that shows its expiration")
    shown_text = str(shown.expiration_date_time)
    exact = shown_text == file.expiration_date_time
    return one_of({"exact": exact, "rounded or moved": True}, f"{_seconds(shown_text, file):+.0f} s")


def _seconds(shown: str, file: SToken) -> float:
    parsed = times.parse(shown)
    return 0.0 if parsed is None else (parsed - file.expires_at).total_seconds()


def _other_location(session: Session) -> Finding:
    file = session.means.other_location_file
    if file is None:
        raise NotProbed("needs --other-location-file: of a location for which the tenant has no token")
    before, encoding = session.entity(), session.encoding or Encoding.BASE64
    answer = _renew(session, file, encoding)
    if not answer.ok:
        return verdict(answer)

    def moved() -> bool:
        return session.entity().get("locationName") != before.get("locationName")

    seconds = session.wait_for(moved, LISTED_FOR)
    state = _state(str(session.entity().get("state")))
    _renew(session, own_file(session), encoding)
    return one_of({"moves": seconds is not None, "keeps": True}, f"{answer.words}, {state}")


def _claim(session: Session) -> Finding:
    if session.entity().get("state") != "assignedToExternalMDM" or not session.means.claim:
        raise NotProbed("needs --claim, and a token in state assignedToExternalMDM")
    alone = session.wire.send("PATCH", session.path, {"claimTokenManagementFromExternalMdm": True})
    echo = _echo(session.entity())
    if session.wait_for(lambda: session.entity().get("state") == "valid", LISTED_FOR) is not None:
        return Finding("alone", f"{alone.words}; {echo}")
    token = as_sent(session, own_file(session), session.encoding or Encoding.BASE64)
    together = session.wire.send("PATCH", session.path, {"claimTokenManagementFromExternalMdm": True, "token": token})
    claimed = session.wait_for(lambda: session.entity().get("state") == "valid", LISTED_FOR) is not None
    words = f"alone {alone.words}, with the file {together.words}; {_echo(session.entity())}"
    return one_of({"with the file": claimed, "not": True}, words)


def _echo(shown: Mapping[str, Any]) -> str:
    return "the claim is kept" if shown.get("claimTokenManagementFromExternalMdm") is True else "the claim is reset"


def _get_after_delete(session: Session) -> Finding:
    token_id = session.token_id
    deleted = delete(session, token_id)
    read = session.wire.get(session.path)
    listed = any(one.get("id") == token_id for one in session.wire.listed(TOKENS)[0])
    words = f"DELETE {deleted.words}, GET {read.words}, {'listed' if listed else 'not listed'}"
    gone = read.status == 404
    return one_of({"gone at once": deleted.ok and gone and not listed, "still shown": deleted.ok}, words)


def _delete_missing(session: Session) -> Finding:
    answer = delete(session, session.token_id)
    outcomes = {"404": answer.status == 404, "success": answer.ok, "another": True}
    return one_of(outcomes, answer.words)


_ENCODINGS: Final = {
    "both": "It reads the file in base64 and verbatim.",
    "base64": "It reads the file in base64 (verbatim is refused, not read, or was not tried: see the detail).",
    "verbatim": "It reads the file verbatim only.",
    "neither": "It reads the file in no encoding.",
}
_UPLOAD: Final = {"taken": "It is taken.", "refused": "It is refused."}

BEFORE: Final = (
    Probe(
        name="create-encoding",
        question="In which encoding does Graph take a token file that creates a token?",
        sends="POST of the file in base64, then verbatim; each token that results is deleted",
        reach=Reach.CREATES,
        outcomes=_ENCODINGS,
        decides="provider: tokenEncoding, and the order of Encoding in core/token_encoding.py. "
        "emulator: --token-encoding",
        run=_create_encoding,
    ),
    Probe(
        name="consent",
        question="Can a token be created without the consent to share data?",
        sends="POST with dataSharingConsentGranted false; a token that results is deleted",
        reach=Reach.CREATES,
        outcomes=_UPLOAD,
        decides="emulator: guess consent. provider: core/token_check.py, which requires the consent",
        run=_consent,
    ),
    Probe(
        name="garbage-file",
        question="What does Graph answer to a file that is none?",
        sends="POST of a text in base64; a token that results is deleted",
        reach=Reach.CREATES,
        outcomes={"refused": "It is refused at once.", "taken": "A token is created, with the named state."},
        decides="emulator: --unreadable-files. provider: is_unreadable in core/token_encoding.py",
        run=_garbage,
    ),
    Probe(
        name="expired-file",
        question="What does Graph answer to a file that has expired?",
        sends="POST of --expired-file; a token that results is deleted",
        reach=Reach.CREATES,
        outcomes={"refused": "It is refused at once.", "taken": "A token is created, with the named state."},
        decides="emulator: guess file-refused. provider: core/renewal_guard.py",
        run=_expired,
    ),
)
"""Those that create tokens for themselves."""

ON_SUBJECT: Final = (
    Probe(
        name="create-visible",
        question="Is a new token readable by its id at once?",
        sends="GET right after the POST",
        reach=Reach.CREATES,
        outcomes={"at once": "The first GET shows it.", "later": "A later GET shows it."},
        decides="emulator: --get-lag-seconds. provider: NotYetVisible in lifecycle",
        run=_create_visible,
    ),
    Probe(
        name="create-echo",
        question="Which members does a new token show otherwise than they were sent, and when has it a location?",
        sends="GET until the token has a location",
        reach=Reach.CREATES,
        outcomes={"as sent": "It shows all as they were sent.", "changed": "It shows the named ones otherwise."},
        decides="emulator: guess claim-echo. provider: the compare rules in core/vpp_token.py",
        run=_create_echo,
    ),
    Probe(
        name="renewal-encoding",
        question="In which encoding does Graph take a token file that renews a token?",
        sends="PATCH of the file in base64; verbatim too on a token of the kit, or if base64 is not read",
        reach=Reach.WRITES,
        outcomes=_ENCODINGS,
        decides="provider: tokenEncoding, core/token_encoding.py. emulator: --token-encoding",
        run=_renewal_encoding,
    ),
    Probe(
        name="expiration",
        question="Does a token show the expiration of its file to the second?",
        sends="GET of the token",
        reach=Reach.WRITES,
        outcomes={"exact": "To the second.", "rounded or moved": "It differs by the named time."},
        decides="emulator: --expiration-step-seconds, --expiration-shift-seconds. "
        "provider: _ROUNDED in core/token_encoding.py, core/identity.py",
        run=_expiration,
    ),
    Probe(
        name="other-location",
        question="What does a file of another location do to a token?",
        sends="PATCH of --other-location-file, then of the own file",
        reach=Reach.CREATES,
        outcomes={"refused": "It is refused.", "moves": "The token changes its location.", "keeps": "It stays."},
        decides="emulator: guess other-location. provider: expectedLocationName, core/renewal_guard.py",
        run=_other_location,
    ),
)

LAG: Final = Probe(
    name="renewal-lag",
    question="How soon after a renewal does a token show its new expiration?",
    sends="PATCH of the file, and GET until it shows",
    reach=Reach.WRITES,
    outcomes={
        "at once": "The answer shows it.",
        "later": "It shows after the named time.",
        "not seen": "It does not show in time.",
        "refused": "The renewal is refused.",
    },
    decides="emulator: --renewal-lag-seconds. provider: lifecycle/sync.py, which waits for the expiration",
    run=_renewal_lag,
)

CLAIM: Final = Probe(
    name="claim",
    question="Does the claim alone take a location from another MDM, or only with the file? Is it kept?",
    sends="PATCH of the claim; then of the claim and the file",
    reach=Reach.WRITES,
    outcomes={"alone": "The claim alone does.", "with the file": "Only with the file.", "not": "Neither does."},
    decides="emulator: guess claim-heals. provider: claimTokenManagementFromExternalMdm in core/token_diff.py",
    run=_claim,
)

AFTER: Final = (
    Probe(
        name="get-after-delete",
        question="Does a GET or a LIST still show a token right after its deletion?",
        sends="DELETE, then GET and GET of the list",
        reach=Reach.CREATES,
        outcomes={"gone at once": "Neither shows it.", "still shown": "At least one does."},
        decides="emulator: --get-lag-seconds, --list-lag-seconds. provider: lifecycle/listing.py",
        run=_get_after_delete,
    ),
    Probe(
        name="delete-missing",
        question="What does Graph answer to a second deletion?",
        sends="DELETE of the same token",
        reach=Reach.CREATES,
        outcomes={"404": "404.", "success": "A success.", "another": "Another status."},
        decides="emulator: guess missing-token. provider: TokenLifecycle.delete in lifecycle/tokens.py",
        run=_delete_missing,
    ),
)
"""Those at the end, which delete the token of the kit."""
