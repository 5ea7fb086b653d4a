"""The probes about a new file for a token, and about its location."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from intune_vpp.core import graph_json, times
from intune_vpp.core.token_encoding import Encoding, is_read
from live.files import (
    ENCODINGS,
    SHOWN_FOR,
    SYNCED_FOR,
    apps_of,
    as_sent,
    own_file,
    require_new_location,
    shows,
    state_of,
    sync,
    which,
)
from live.probe import Finding, NotProbed, Probe, Reach, Session, one_of, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.core.stoken import SToken
    from live.wire import Exchange

EXPIRATION_FOR: Final = 600
"""Seconds for which the kit waits for a new expiration."""

_NOTE: Final = "renewal"


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
        read = answer.ok and shows(session, session.path, file, None if is_same else before)
        words.append(f"{encoding}: {answer.words}, {'read' if read else 'not read'}")
        taken += [encoding] if read else []
    if session.owns_subject and taken == [Encoding.BASE64]:
        _renew(session, file, Encoding.BASE64)  # the last upload was not read
    session.encoding = taken[0] if taken else session.encoding
    _confirm(session, file)
    return which(taken, "; ".join(words))


def _renew(session: Session, file: SToken, encoding: Encoding) -> Exchange:
    """Upload a file; the note on the named token stays until `_confirm`. Raises Stopped for a location in use."""
    is_noted = _NOTE in session.clean_up.keys
    if not session.owns_subject:
        note = f"Upload the token file of {session.token_id} again, if its state is not valid."
        session.clean_up.add(_NOTE, note)
    answer = session.wire.send("PATCH", session.path, {"token": as_sent(session, file, encoding)})
    if 400 <= answer.status < 500 and not is_noted:
        session.clean_up.done(_NOTE)
    if session.owns_subject:
        require_new_location(session, session.wire.get(session.path).entity)
    return answer


def _confirm(session: Session, file: SToken) -> None:
    """Remove the note on the named token, if it shows the file and is valid a minute after the upload."""
    if _NOTE not in session.clean_up.keys:
        return
    session.clock.sleep(SHOWN_FOR)
    shown = session.wire.get(session.path).entity
    if shown.get("state") == "valid" and is_read(graph_json.token_from(shown), file, None):
        session.clean_up.done(_NOTE)


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
    _confirm(session, file)
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

    seconds = session.wait_for(moved, SHOWN_FOR)
    words = f"{answer.words}, {state_of(session.entity())}, {_apps_after_sync(session)}"
    _renew(session, own_file(session), encoding)
    return one_of({"moves": seconds is not None, "keeps": True}, words)


def _apps_after_sync(session: Session) -> str:
    """What a sync has done to the apps, in words."""
    before = apps_of(session, session.token_id)
    sync(session)
    session.wait_for(lambda: session.entity().get("lastSyncStatus") != "inProgress", SYNCED_FOR, pause=15)
    after = apps_of(session, session.token_id)
    if before is None or after is None:
        return "apps not readable"
    kept = {one.get("id") for one in before} & {one.get("id") for one in after}
    return f"apps: {len(before)} before a sync, {len(after)} after it, {len(kept)} of them the same"


def _claim(session: Session) -> Finding:
    if session.entity().get("state") != "assignedToExternalMDM" or not session.means.claim:
        raise NotProbed("needs --claim, and a token in state assignedToExternalMDM")
    alone = session.wire.send("PATCH", session.path, {"claimTokenManagementFromExternalMdm": True})
    echo = _echo(session.entity())
    if session.wait_for(lambda: session.entity().get("state") == "valid", SHOWN_FOR) is not None:
        return Finding("alone", f"{alone.words}; {echo}")
    token = as_sent(session, own_file(session), session.encoding or Encoding.BASE64)
    together = session.wire.send("PATCH", session.path, {"claimTokenManagementFromExternalMdm": True, "token": token})
    claimed = session.wait_for(lambda: session.entity().get("state") == "valid", SHOWN_FOR) is not None
    words = f"alone {alone.words}, with the file {together.words}; {_echo(session.entity())}"
    return one_of({"with the file": claimed, "not": True}, words)


def _echo(shown: Mapping[str, Any]) -> str:
    return "the claim is kept" if shown.get("claimTokenManagementFromExternalMdm") is True else "the claim is reset"


CLAIM: Final = Probe(
    name="claim",
    question="Does the claim alone take a location from another MDM, or only with the file? Is it kept?",
    sends="PATCH of the claim; then of the claim and the file",
    reach=Reach.WRITES,
    outcomes={"alone": "The claim alone does.", "with the file": "Only with the file.", "not": "Neither does."},
    decides="emulator: guess claim-heals. provider: claimTokenManagementFromExternalMdm in core/token_diff.py",
    run=_claim,
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

RENEWING: Final = (
    LAG,
    Probe(
        name="renewal-encoding",
        question="In which encoding does Graph take a token file that renews a token?",
        sends="PATCH of the file in base64; verbatim too on a token of the kit, or if base64 is not read",
        reach=Reach.WRITES,
        outcomes=ENCODINGS,
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
)
"""In this order: the first one needs a file that the token does not have yet."""

OTHER_LOCATION: Final = Probe(
    name="other-location",
    question="What does a file of another location do to a token?",
    sends="PATCH of --other-location-file, then of the own file",
    reach=Reach.CREATES,
    outcomes={"refused": "It is refused.", "moves": "The token changes its location.", "keeps": "It stays."},
    decides="emulator: guess other-location. provider: expectedLocationName, core/renewal_guard.py",
    run=_other_location,
)
