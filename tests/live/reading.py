"""The probes that only read."""

from __future__ import annotations

import re
import uuid
from typing import Any, Final

from intune_vpp.core import times
from live.probe import Finding, NotProbed, Probe, Reach, Session, is_id, one_of, verdict
from live.wire import TOKENS, V1

_COMPARED: Final = 3
_MEMBER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_EMPTY: Final[tuple[object, ...]] = (None, "", [])
_DUPLICATE: Final = "duplicateLocationId"


def _list_members(session: Session) -> Finding:
    listed = [one for one in session.tokens() if is_id(one.get("id"))][:_COMPARED]
    if not listed:
        raise NotProbed("needs a tenant with a token")
    blank: set[str] = set()
    for row in listed:
        shown = session.wire.get(f"{TOKENS}/{row['id']}").entity
        names = [name for name, value in shown.items() if _MEMBER.fullmatch(name) and value not in _EMPTY]
        blank |= {name for name in names if name not in row or row[name] in _EMPTY}
    return one_of({"same": not blank, "fewer": True}, f"{len(listed)} compared; {', '.join(sorted(blank)) or 'none'}")


def _page_size(session: Session) -> Finding:
    sizes = [len(page.items) for page in session.wire.pages(TOKENS)]
    return one_of({"one page": len(sizes) == 1, "several pages": True}, f"entries by page: {sizes[:10]}")


def _missing_token(session: Session) -> Finding:
    answer = session.wire.get(f"{TOKENS}/{uuid.uuid4()}")
    by_intune = '"_version"' in str(answer.body)
    envelope = "in Intune's envelope" if by_intune else "in Graph's envelope"
    outcomes = {"404": answer.status == 404, "400": answer.status == 400, "another": not answer.ok}
    return one_of(outcomes, f"{answer.words}, {envelope}")


def _id_case(session: Session) -> Finding:
    token_id = session.a_token()
    answer = session.wire.get(f"{TOKENS}/{token_id.upper()}")
    found = str(answer.entity.get("id", "")).lower() == token_id.lower()
    return one_of({"ignored": answer.ok and found, "counts": not answer.ok}, answer.words)


def _query_options(session: Session) -> Finding:
    answer = session.wire.get(f"{TOKENS}?$select=id,state&$top=1")
    is_short = len(answer.items) <= 1 and all({"id", "state"} >= _names(one) for one in answer.items)
    outcomes = {"taken": answer.ok and is_short, "ignored": answer.ok, "refused": answer.status == 400}
    return one_of(outcomes, answer.words)


def _names(entity: Any) -> set[str]:
    return {name for name in entity if not name.startswith("@")}


def _shown_members(session: Session) -> Finding:
    shown = session.wire.get(f"{TOKENS}/{session.a_token()}").entity
    names = ("claimTokenManagementFromExternalMdm", "dataSharingConsentGranted")
    values = {name: shown.get(name) for name in names}
    words = ", ".join(f"{name} {_boolean(value)}" for name, value in values.items())
    country = shown.get("countryOrRegion")
    case = "not set" if not isinstance(country, str) else "lower case" if country.islower() else "upper case"
    is_shown = all(isinstance(value, bool) for value in values.values())
    return one_of({"shown": is_shown, "absent": True}, f"{words}; countryOrRegion in {case}")


def _boolean(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "absent"


def _duplicate_in_v1(session: Session) -> Finding:
    found = next((one for one in session.tokens() if one.get("state") == _DUPLICATE and is_id(one.get("id"))), None)
    if found is None:
        raise NotProbed(f"needs a token in state {_DUPLICATE}")
    answer = session.wire.get(f"{TOKENS}/{found['id']}", V1)
    state = answer.entity.get("state")
    outcomes = {"same word": state == _DUPLICATE, "unknown": state == "unknown", "another": answer.ok}
    return one_of(outcomes, answer.words)


def _scope_tags(session: Session) -> Finding:
    token_id = session.means.outside_token_id
    if token_id is None:
        raise NotProbed("needs --outside-token-id: a token whose scope tags the role of the application lacks")
    answer = session.wire.get(f"{TOKENS}/{token_id}")
    listed = any(str(one.get("id", "")).lower() == token_id.lower() for one in session.tokens())
    detail = f"GET {answer.words}; {'listed' if listed else 'not listed'}"
    refused = answer.status in {403, 404}
    return one_of({"not bound": answer.ok and listed, "bound": refused and not listed, "in part": True}, detail)


def _password_change(session: Session) -> Finding:
    earlier, later = session.means.earlier_file, session.means.file
    if earlier is None or later is None:
        raise NotProbed("needs --earlier-file and --token-file: downloads before and after a change of the password")
    seconds = (later.expires_at - earlier.expires_at).total_seconds()
    outcomes = {"later": seconds > 0, "same": seconds == 0, "earlier": True}
    return one_of(outcomes, f"{seconds:.0f} seconds")


def _hidden_secret(session: Session) -> Finding:
    shown = [one.get("token") for one in session.tokens()]
    if not shown:
        raise NotProbed("needs a tenant with a token")
    return one_of({"null": all(one is None for one in shown), "a text": True}, f"{len(shown)} tokens")


def _outside_permissions(session: Session) -> Finding:
    answer = session.wire.get("/deviceAppManagement/mobileApps?$top=1")
    return verdict(answer, taken="readable") if answer.status != 403 else Finding("not permitted", answer.words)


def _never_synced(session: Session) -> Finding:
    dates = [one.get("lastSyncDateTime") for one in session.tokens() if one.get("lastSyncStatus") == "none"]
    if not dates:
        raise NotProbed("needs a token that was never synced")
    never = [one for one in dates if times.parse(str(one)) is None or str(one).startswith("0001-")]
    return one_of({"null": all(one is None for one in dates), "first year": len(never) == len(dates), "a date": True})


READING: Final = (
    Probe(
        name="list-members",
        question="Does a LIST show every member that a GET of the same token shows?",
        sends="GET of the list and of up to 3 tokens",
        reach=Reach.READS,
        outcomes={"same": "The LIST shows all of them.", "fewer": "The LIST leaves the named members empty."},
        decides="emulator: --list-blanks. provider: lifecycle/listing.py, which confirms drift by a GET",
        run=_list_members,
    ),
    Probe(
        name="page-size",
        question="How many tokens has a page of the LIST?",
        sends="GET of each page",
        reach=Reach.READS,
        outcomes={"one page": "All tokens are on one page.", "several pages": "The pages have the named sizes."},
        decides="emulator: --page-size. provider: MOST_PAGES in graph/client.py",
        run=_page_size,
    ),
    Probe(
        name="missing-token",
        question="What does Graph answer to a GET of an id that no token has?",
        sends="GET of a random id",
        reach=Reach.READS,
        outcomes={
            "404": "It answers 404.",
            "400": "It answers 400.",
            "another": "It answers another error.",
        },
        decides="emulator: guess missing-token. provider: _not_found in graph/errors.py",
        run=_missing_token,
    ),
    Probe(
        name="id-case",
        question="Does case count in the id of a token?",
        sends="GET of an id in capitals",
        reach=Reach.READS,
        outcomes={"ignored": "The token is found.", "counts": "The id is refused or not found."},
        decides="emulator: guess id-case. provider: _is in graph/vpp_tokens.py",
        run=_id_case,
    ),
    Probe(
        name="query-options",
        question="Does the LIST take $select and $top?",
        sends="GET of the list with both",
        reach=Reach.READS,
        outcomes={
            "taken": "It has one token with the two members.",
            "ignored": "It has more than was asked for.",
            "refused": "It is refused.",
        },
        decides="emulator: guess query-options. provider: graph/vpp_tokens.py, whose LIST sends no options",
        run=_query_options,
    ),
    Probe(
        name="shown-members",
        question="Does beta show the claim and the consent of a token, and in which case is the country?",
        sends="GET of one token",
        reach=Reach.READS,
        outcomes={"shown": "Both are booleans.", "absent": "At least one is absent or null."},
        decides="emulator: guess claim-echo. provider: the compare rules in core/vpp_token.py",
        run=_shown_members,
    ),
    Probe(
        name="hidden-secret",
        question="Is the content of a token file never part of an answer?",
        sends="GET of the list",
        reach=Reach.READS,
        outcomes={"null": "`token` is null.", "a text": "`token` has a text."},
        decides="provider: core/graph_json.py, which reads no `token`",
        run=_hidden_secret,
    ),
    Probe(
        name="never-synced",
        question="What date has a token that was never synced?",
        sends="GET of the list",
        reach=Reach.READS,
        outcomes={
            "null": "It has null.",
            "first year": "It has the first second of the calendar.",
            "a date": "It has a date.",
        },
        decides="emulator: guess unsynced-date. provider: core/kinds.py",
        run=_never_synced,
    ),
    Probe(
        name="duplicate-in-v1",
        question="What state does v1.0 show for a token that is a duplicate, a word that v1.0 lacks?",
        sends="GET on v1.0 of a duplicate, if the tenant has one",
        reach=Reach.READS,
        outcomes={
            "same word": "It shows duplicateLocationId.",
            "unknown": "It shows unknown.",
            "another": "It shows another word.",
        },
        decides="emulator: guess v1-duplicate. provider: graphVersion v1.0, core/health.py",
        run=_duplicate_in_v1,
    ),
    Probe(
        name="scope-tags",
        question="Do the scope tags of Intune bind an application?",
        sends="GET of the token that --outside-token-id names, and of the list",
        reach=Reach.READS,
        outcomes={
            "not bound": "It is readable and listed.",
            "bound": "It is neither.",
            "in part": "It is one of the two.",
        },
        decides="emulator: --allowed-scope-tags. provider: the two signs of a deletion in lifecycle/listing.py",
        run=_scope_tags,
    ),
    Probe(
        name="password-change",
        question="Does a download after a change of the account's password expire later than the one before?",
        sends="nothing; compares --earlier-file with --token-file",
        reach=Reach.READS,
        outcomes={"later": "It expires later.", "same": "It expires at the same time.", "earlier": "It does not."},
        decides="provider: core/renewal_guard.py, the rule against an earlier expiration of an invalid token",
        run=_password_change,
    ),
    Probe(
        name="app-permission",
        question="May an application with the permission for tokens read the apps?",
        sends="GET of one app",
        reach=Reach.READS,
        outcomes={"readable": "Yes.", "not permitted": "It is refused with 403.", "refused": "Otherwise refused."},
        decides="emulator: guess app-permissions. provider: the permissions in the README",
        run=_outside_permissions,
    ),
)
"""In the order in which they run."""
