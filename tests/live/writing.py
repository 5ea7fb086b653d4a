"""The probes that change members of the token, or sync it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from intune_vpp.core import times
from live.files import SYNCED_FOR, same, sync
from live.probe import Finding, NotProbed, Probe, Reach, Session, one_of, verdict
from live.vocabulary import VALUES
from live.wire import V1

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from live.wire import Exchange

HANGS_FOR: Final = timedelta(hours=1)
_LABEL: Final = "intune-vpp live kit, changed"
_BETA_MEMBERS: Final = (
    "appleDeviceAppDeliveryProtocolType",
    "claimTokenManagementFromExternalMdm",
    "dataSharingConsentGranted",
    "displayName",
    "roleScopeTagIds",
)


class Restored:
    """Whether the members of a block were changed back; false until its end."""

    done = False


@contextmanager
def changed_back(session: Session, *names: str) -> Iterator[Restored]:
    """Write the members back after the block as they were before, and note before it what they were.

    Raises NotProbed if one is not shown, because it could not be changed back.
    """
    before, restored = session.entity(), Restored()
    if hidden := [name for name in names if name not in before]:
        raise NotProbed(f"needs a tenant that shows {', '.join(hidden)}")
    values = {name: before.get(name) for name in names}
    key = f"members {', '.join(names)}"
    shown = ", ".join(f"{name} = {value!r}" for name, value in values.items())
    session.clean_up.add(key, f"Set {shown} of the token {session.token_id}.")
    try:
        yield restored
    finally:
        if other := _other(session, values):
            session.wire.send("PATCH", session.path, other)
        restored.done = not other or not _other(session, values)
        # What cannot be changed back goes with the token of the kit.
        if restored.done or session.owns_subject:
            session.clean_up.done(key)


def _other(session: Session, values: Mapping[str, Any]) -> dict[str, object]:
    shown = session.entity()
    return {name: value for name, value in values.items() if not same(shown.get(name), value)}


def _patch(member: str, new: Callable[[object], object], session: Session) -> Finding:
    before = session.entity().get(member)
    with changed_back(session, member) as restored:
        answer = session.wire.send("PATCH", session.path, {member: new(before)})
        changed = not same(session.entity().get(member), before)
    outcomes = {
        "one way": changed and not restored.done,
        "changed": answer.ok and changed,
        "kept": answer.ok,
        "refused": verdict(answer).outcome == "refused",
    }
    return one_of(outcomes, answer.words)


def _gzip(session: Session) -> Finding:
    with changed_back(session, "displayName"):
        with session.wire.compressed():
            answer = session.wire.send("PATCH", session.path, {"displayName": _LABEL})
        changed = session.entity().get("displayName") == _LABEL
    outcomes = {
        "accepted": answer.ok and changed,
        "ignored": answer.ok,
        "415": answer.status == 415,
        "refused": verdict(answer).outcome == "refused",
    }
    return one_of(outcomes, answer.words)


def _v1_patch(session: Session) -> Finding:
    before = session.entity()
    value = {"automaticallyUpdateApps": bool(before.get("automaticallyUpdateApps"))}
    with changed_back(session, *_BETA_MEMBERS):
        answer = session.wire.send("PATCH", session.path, value, V1)
        after = session.entity()
    reset = [name for name in _BETA_MEMBERS if not same(after.get(name), before.get(name))]
    outcomes = {"refused": not answer.ok, "kept": not reset, "reset": True}
    return one_of(outcomes, f"{answer.words}; {', '.join(reset) or 'none'}")


def _is_running(session: Session) -> bool:
    return session.entity().get("lastSyncStatus") == "inProgress"


def _end_of_sync(session: Session) -> None:
    if session.wait_for(lambda: not _is_running(session), SYNCED_FOR, pause=15) is None:
        raise NotProbed("needs a token whose sync ends within 20 minutes")


def _hanging_sync(session: Session) -> Finding:
    before = session.entity()
    modified = times.parse(str(before.get("lastModifiedDateTime")))
    if before.get("lastSyncStatus") != "inProgress" or not modified or session.clock.now() - modified < HANGS_FOR:
        raise NotProbed("needs a token whose sync is inProgress for more than an hour")
    answer = sync(session)
    if not answer.ok:
        return Finding("refused", answer.words)
    ended = session.wait_for(lambda: not _is_running(session), SYNCED_FOR, pause=15)
    return one_of({"restarts": ended is not None, "hangs": True}, answer.words)


def _sync_while_running(session: Session) -> Finding:
    _end_of_sync(session)
    first = sync(session)
    if not first.ok:
        raise NotProbed(f"needs a token that can be synced; Graph has refused ({first.words})")
    if not _is_running(session):
        raise NotProbed("needs a sync that is still running when it is read")
    second = sync(session)
    return _taken(second)


def _sync_date(session: Session) -> Finding:
    _end_of_sync(session)
    before = session.entity().get("lastSyncDateTime")
    if not sync(session).ok:
        raise NotProbed("needs a token that can be synced")
    shown = session.entity()
    if shown.get("lastSyncStatus") != "inProgress":
        raise NotProbed("needs a sync that is still running when it is read")
    at_start = shown.get("lastSyncDateTime") != before
    _end_of_sync(session)
    ended = session.entity()
    moved = ended.get("lastSyncDateTime") != before
    status = str(ended.get("lastSyncStatus"))
    return one_of(
        {"start": at_start, "end": moved, "never": True}, status if status in VALUES["lastSyncStatus"] else ""
    )


def _sync_interval(session: Session) -> Finding:
    _end_of_sync(session)
    sync(session)
    _end_of_sync(session)
    return _taken(sync(session))


def _taken(answer: Exchange) -> Finding:
    """Whether a sync was taken; `throttled` also if a repetition of the request was."""
    attempts = ", ".join(map(str, answer.statuses))
    outcomes = {"throttled": answer.throttled, "accepted": answer.ok, "refused": 400 <= answer.status < 500}
    return one_of(outcomes, f"{answer.words} (attempts: {attempts})")


def _member(name: str, new: Callable[[object], object], *, decides: str, reach: Reach = Reach.CREATES) -> Probe:
    return Probe(
        name=f"patch-{name}",
        question=f"Can {name} be changed, and is what cannot be changed refused or ignored?",
        sends=f"PATCH of {name} alone, then of its value before",
        reach=reach,
        outcomes={
            "changed": "It changes, and can be changed back.",
            "one way": "It changes, and cannot be changed back.",
            "kept": "A success, and the value stays.",
            "refused": "It is refused.",
        },
        decides=decides,
        run=partial(_patch, name, new),
    )


_TABLE: Final = "provider: its row in core/vpp_token.py"
_SYNCED: Final = {
    "accepted": "It is taken.",
    "refused": "It is refused.",
    "throttled": "It is answered with 429.",
}

HANGING: Final = Probe(
    name="hanging-sync",
    question="Does a new sync end one that hangs?",
    sends="POST syncLicenses, if the sync of the token is inProgress for more than an hour",
    reach=Reach.WRITES,
    outcomes={"restarts": "The sync ends.", "hangs": "It stays inProgress.", "refused": "It is refused."},
    decides="emulator: --sync-restarts. provider: lifecycle/sync.py, which sends a sync into an old one",
    run=_hanging_sync,
)

WRITING: Final = (
    _member("displayName", lambda _: _LABEL, decides=_TABLE, reach=Reach.WRITES),
    Probe(
        name="gzip",
        question="Does Graph take the body of a request in gzip?",
        sends="PATCH of displayName in gzip, then of its value before",
        reach=Reach.WRITES,
        outcomes={
            "accepted": "It is taken.",
            "ignored": "A success, and the value stays.",
            "415": "It is refused with 415.",
            "refused": "It is refused otherwise.",
        },
        decides="emulator: --gzip. provider: graph/client.py, which sends no gzip",
        run=_gzip,
    ),
    Probe(
        name="sync-while-running",
        question="What does syncLicenses answer while a sync runs?",
        sends="POST syncLicenses, twice",
        reach=Reach.WRITES,
        outcomes=_SYNCED,
        decides="emulator: --sync-restarts, guess sync-while-syncing. provider: lifecycle/sync.py",
        run=_sync_while_running,
    ),
    Probe(
        name="sync-date",
        question="Does a sync move lastSyncDateTime when it starts, or when it ends?",
        sends="POST syncLicenses, and GET until it has ended",
        reach=Reach.WRITES,
        outcomes={"start": "At its start.", "end": "At its end.", "never": "Not at all."},
        decides="emulator: --sync-date. provider: core/sync.py",
        run=_sync_date,
    ),
    Probe(
        name="sync-interval",
        question="Is there a minimum interval between syncs?",
        sends="POST syncLicenses right after a sync has ended",
        reach=Reach.WRITES,
        outcomes=_SYNCED,
        decides="emulator: guess sync-while-syncing. provider: core/retry.py, the retries of syncLicenses",
        run=_sync_interval,
    ),
)

CHANGING: Final = (
    _member("countryOrRegion", lambda value: "gb" if same(value, "US") else "us", decides=_TABLE),
    _member("automaticallyUpdateApps", lambda value: value is not True, decides=_TABLE),
    _member("appleId", lambda _: "live-kit@example.com", decides=f"{_TABLE}, core/token_diff.py"),
    _member("organizationName", lambda _: "Live kit", decides=f"{_TABLE}. emulator: guess organization-kept"),
    _member("vppTokenAccountType", lambda value: "education" if value == "business" else "business", decides=_TABLE),
    _member(
        "dataSharingConsentGranted",
        lambda value: value is not True,
        decides="provider: core/token_check.py. emulator: guess claim-echo",
    ),
    Probe(
        name="v1-patch",
        question="Does a PATCH on v1.0 reset the members that only beta has?",
        sends="PATCH on v1.0 of automaticallyUpdateApps with the value that it has",
        reach=Reach.CREATES,
        outcomes={"kept": "They stay.", "reset": "The named ones are reset.", "refused": "It is refused."},
        decides="provider: graphVersion v1.0 in settings.py, for a token with beta members",
        run=_v1_patch,
    ),
    _member(
        "appleDeviceAppDeliveryProtocolType",
        lambda _: "declarativeDeviceManagement",
        decides=f"{_TABLE}, the warning in core/messages.py",
    ),
)
"""Only on a token of the kit; the one that may be one way at the end."""
