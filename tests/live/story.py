"""The order of the probes, what must hold before something is written, and what is undone at the end."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from intune_vpp.core import times
from intune_vpp.core.errors import GraphError
from live import creating, files, reading, renewing, writing
from live.probe import NOT_PROBED, UNCLEAR, Finding, NotProbed, Probe, Reach, Session, Stopped
from live.wire import TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from intune_vpp.core.stoken import SToken

    Report: TypeAlias = "Callable[[Probe, Finding], None]"

ON_SUBJECT: Final = (
    *creating.CREATED,
    writing.HANGING,
    renewing.CLAIM,
    *renewing.RENEWING,
    *writing.WRITING,
    *writing.CHANGING,
    renewing.OTHER_LOCATION,
)
PROBES: Final = (*reading.READING, *creating.BEFORE, *ON_SUBJECT, *creating.AFTER)
"""All of them, in the order in which they run."""

_ALIKE: Final = timedelta(days=1)


class Refused(Exception):
    """The run must not begin; the text says why, and what to do."""


def check_connection(session: Session) -> None:
    """Raise Refused if the tokens cannot be listed, and GraphError if the sign-in or the connection fails."""
    answer = session.wire.get(TOKENS)
    if not answer.ok:
        raise Refused(f"The tokens of the tenant cannot be listed ({answer.words}). Check the permissions.")


def check_named(session: Session, *, allow_used: bool) -> None:
    """Raise Refused if the named token does not exist, is in use, or the file is not for it."""
    answer = session.wire.get(session.path)
    if not answer.ok:
        raise Refused(f"The token of --token-id cannot be read ({answer.words}). Nothing was written.")
    for file in filter(None, (session.means.file, session.means.renewal_file)):
        _check_file(file, answer.entity)
    if not allow_used:
        _check_unused(session)


def _check_file(file: SToken, shown: Mapping[str, Any]) -> None:
    organization, expires = shown.get("organizationName"), times.parse(str(shown.get("expirationDateTime")))
    if organization and organization != file.organization_name:
        raise Refused("The token file is of another organization than the token. Nothing was written.")
    if expires is not None and shown.get("state") == "valid" and file.expires_at < expires - _ALIKE:
        raise Refused("The token file expires earlier than the one in Intune. Nothing was written.")


def _check_unused(session: Session) -> None:
    advice = "Name a token without any, or add --allow-used (ALLOW_USED=1). Nothing was written."
    apps = files.apps_of(session, session.token_id)
    if apps is None:
        raise Refused(f"The apps of the token cannot all be read, so it may be in use. {advice}")
    if any(app.get("isAssigned") or app.get("usedLicenseCount") for app in apps):
        raise Refused(f"The token has apps with assignments or used licences. {advice}")


def check_new(session: Session) -> None:
    """Raise Refused if the tenant may have a token for the location of one of the files already."""
    means = session.means
    if means.file is None or means.apple_id is None:
        raise Refused("--create needs --token-file and --apple-id. Nothing was sent.")
    try:
        listed = session.tokens()
    except NotProbed as reason:
        raise Refused(f"--create {reason}. Nothing was written.") from None
    sent = (means.file, means.renewal_file, means.other_location_file, means.expired_file, means.claimed_file)
    for file in filter(None, sent):
        if any(_is_alike(one, file) for one in listed):
            raise Refused(
                "The tenant has a token of the same organization that expires within a day of one of the files: it "
                "may be for the same location, and a second one would stop its sync. Nothing was written."
            )


def _is_alike(shown: Mapping[str, Any], file: SToken) -> bool:
    expires = times.parse(str(shown.get("expirationDateTime")))
    near = expires is not None and abs(expires - file.expires_at) <= _ALIKE
    return near and shown.get("organizationName") == file.organization_name


def tell(session: Session, report: Report, *, create: bool) -> None:
    """Run all probes that the run allows, report the others as not probed, and undo what was created."""
    allowed = Reach.CREATES if create else Reach.WRITES if session.subject else Reach.READS
    # The token of the run also answers the probes that only read, in a tenant without tokens.
    first, then = (creating.BEFORE, reading.READING) if create else (reading.READING, creating.BEFORE)
    try:
        for probe in first:
            _ask(session, probe, report, allowed)
        if create:
            _create(session)
        for probe in (*then, *ON_SUBJECT, *creating.AFTER):
            _ask(session, probe, report, allowed)
    finally:
        if create:
            # Without an answer the note stays.
            with suppress(GraphError):
                sweep(session)


def _create(session: Session) -> None:
    """Create the token of the run; without it the other probes are not asked."""
    with suppress(NotProbed, GraphError):
        creating.create_subject(session)
    session.listed = None


def _ask(session: Session, probe: Probe, report: Report, allowed: Reach) -> None:
    order = list(Reach)
    if order.index(probe.reach) > order.index(allowed):
        needs = "--write --create" if probe.reach is Reach.CREATES else "--write with --token-id or --create"
        report(probe, Finding(NOT_PROBED, f"needs {needs}"))
        return
    try:
        finding = probe.run(session)
    except NotProbed as reason:
        finding = Finding(NOT_PROBED, str(reason))
    except GraphError as error:
        finding = Finding(UNCLEAR, f"no answer ({type(error).__name__})")
    except Stopped:
        raise
    except Exception as error:  # noqa: BLE001 - an odd answer to one probe must not end the others
        # Without its text, which may quote the answer.
        finding = Finding(UNCLEAR, f"failed ({type(error).__name__})")
    report(probe, finding)


def sweep(session: Session) -> None:
    """Delete what the run has created and not deleted, also where the answer to its creation was lost."""
    _delete_created(session)
    lost = [one for one in session.clean_up.keys if one.startswith(files.CREATING)]
    # A new token may not be listed at once.
    session.wait_for(lambda: _find_lost(session) or not lost, files.SHOWN_FOR)
    _delete_created(session)


def _delete_created(session: Session) -> None:
    for token_id in session.wire.fence.created:
        if token_id in session.clean_up.keys:
            files.delete(session, token_id)


def _find_lost(session: Session) -> bool:
    """Whether the list has a token with the display name of the run whose id the kit did not know."""
    known = {one.lower() for one in session.wire.fence.created}
    listed = [one for one in session.wire.listed(TOKENS)[0] if one.get("displayName") == session.label]
    found = [one for one in listed if str(one.get("id")).lower() not in known]
    for one in found:
        # One that is not new stays, and so does the note.
        with suppress(Stopped):
            files.own(session, one)
    return bool(found)
