"""The probes about creating a token, and about deleting it at the end."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from intune_vpp.core.token_encoding import Encoding
from live.files import (
    ENCODINGS,
    SHOWN_FOR,
    as_sent,
    create,
    delete,
    own_file,
    require_new_location,
    same,
    short_lived,
    shows,
    state_of,
    which,
)
from live.probe import Finding, NotProbed, Probe, Reach, Session, one_of, verdict
from live.wire import TOKENS

if TYPE_CHECKING:
    from intune_vpp.core.stoken import SToken
    from live.wire import Exchange

_GARBAGE: Final = base64.b64encode(b"This is no token file. The live kit of intune-vpp has sent it.").decode()


def _create_encoding(session: Session) -> Finding:
    file, words = own_file(session), []
    taken: list[Encoding] = []
    for encoding in Encoding:
        with short_lived(session, as_sent(session, file, encoding)) as answer:
            path = f"{TOKENS}/{answer.entity.get('id')}"
            read = answer.ok and shows(session, path, file)
            if read:
                require_new_location(session, session.wire.get(path).entity)
            words.append(f"{encoding}: {answer.words}, {'read' if read else 'not read'}")
            taken += [encoding] if read else []
    session.encoding = taken[0] if taken else None
    return which(taken, "; ".join(words))


def _consent(session: Session) -> Finding:
    token = as_sent(session, own_file(session), session.encoding or Encoding.BASE64)
    with short_lived(session, token, dataSharingConsentGranted=False) as answer:
        return verdict(answer)


def _garbage(session: Session) -> Finding:
    with short_lived(session, _GARBAGE) as answer:
        return _refused_or_state(session, answer)


def _expired(session: Session) -> Finding:
    if session.means.expired_file is None:
        raise NotProbed("needs --expired-file: a file of the same location that has expired")
    return _created_of(session, session.means.expired_file)


def _claimed(session: Session) -> Finding:
    if session.means.claimed_file is None:
        raise NotProbed("needs --claimed-file: a file of a location that another MDM manages")
    return _created_of(session, session.means.claimed_file)


def _created_of(session: Session, file: SToken) -> Finding:
    token = as_sent(session, file, session.encoding or Encoding.BASE64)
    with short_lived(session, token) as answer:
        return _refused_or_state(session, answer)


def _refused_or_state(session: Session, answer: Exchange) -> Finding:
    found = verdict(answer)
    if not answer.ok:
        return found
    path, first = f"{TOKENS}/{answer.entity.get('id')}", state_of(answer.entity)
    then = first

    def settled() -> bool:
        nonlocal then
        shown = session.wire.get(path).entity
        require_new_location(session, shown)
        then = state_of(shown)
        return then not in {"valid", "unknown"}

    seconds = session.wait_for(settled, SHOWN_FOR)
    when = f"after {SHOWN_FOR if seconds is None else seconds:.0f} s"
    return Finding(found.outcome, f"{found.detail}, {first}, {when} {then}")


def create_subject(session: Session) -> None:
    """Create the token on which the other probes work."""
    token = as_sent(session, own_file(session), session.encoding or Encoding.BASE64)
    session.created = create(session, token)
    if not session.created.ok or not session.wire.fence.created:
        raise NotProbed(f"needs a token, and Graph has refused to create it ({session.created.words})")
    session.subject, session.owns_subject = session.wire.fence.created[-1], True
    session.first_read = session.wire.get(session.path)
    if session.first_read.ok:
        require_new_location(session, session.first_read.entity)


def _created(session: Session) -> tuple[Exchange, Exchange]:
    if session.created is None or session.first_read is None:
        raise NotProbed("needs --create")
    return session.created, session.first_read


def _create_visible(session: Session) -> Finding:
    _, read = _created(session)
    seconds = session.wait_for(lambda: session.wire.get(session.path).ok, SHOWN_FOR)
    return one_of({"at once": read.ok, "later": seconds is not None}, read.words)


def _create_echo(session: Session) -> Finding:
    created, _ = _created(session)
    seconds = session.wait_for(lambda: bool(session.entity().get("locationName")), SHOWN_FOR)
    shown, sent = session.entity(), created.sent or {}
    names = [name for name in sent if name not in {"@odata.type", "token"}]
    other = [name for name in names if not same(shown.get(name), sent[name])]
    location = "no location" if seconds is None else f"location after {seconds:.0f} s"
    spelled = "as sent" if shown.get("countryOrRegion") == sent.get("countryOrRegion") else "otherwise"
    return one_of(
        {"as sent": not other, "changed": True}, f"{', '.join(other) or 'none'}; {location}; country shown {spelled}"
    )


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


_UPLOAD: Final = {"taken": "It is taken.", "refused": "It is refused."}

BEFORE: Final = (
    Probe(
        name="create-encoding",
        question="In which encoding does Graph take a token file that creates a token?",
        sends="POST of the file in base64, then verbatim; each token that results is deleted",
        reach=Reach.CREATES,
        outcomes=ENCODINGS,
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
    Probe(
        name="claimed-file",
        question="What does Graph answer to a file of a location that another MDM manages, without the claim?",
        sends="POST of --claimed-file with the claim false; a token that results is deleted",
        reach=Reach.CREATES,
        outcomes={"refused": "It is refused at once.", "taken": "A token is created, with the named state."},
        decides="emulator: guess state-after-create. provider: core/health.py, core/sync.py",
        run=_claimed,
    ),
)
"""Those that create tokens for themselves."""

CREATED: Final = (
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
)
"""Those about the token that was created."""

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
