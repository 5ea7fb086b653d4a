"""`make live`: asks a tenant the open questions about Graph, and records its answers without what identifies it."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from intune_vpp import settings
from intune_vpp.clock import SystemClock
from intune_vpp.core import stoken
from intune_vpp.core.check import GUID
from intune_vpp.core.configuration import KEYS
from intune_vpp.core.errors import IntuneVppError, SettingsError, TokenFileError
from intune_vpp.graph.credentials.select import choose
from live import story
from live.clean_up import CleanUp
from live.probe import Means, Session, Stopped
from live.recording import Recorder, Redactor
from live.report import Report
from live.wire import Fence, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from intune_vpp.core.ports import Clock
    from intune_vpp.core.stoken import SToken
    from intune_vpp.settings import Settings

DONE: Final = 0
FAILED: Final = 1
NOT_BEGUN: Final = 2
_NO_CREDENTIALS: Final = (
    "Nothing was sent, because no credentials are set: set ARM_TENANT_ID, ARM_CLIENT_ID and ARM_CLIENT_SECRET, or the "
    "variables of another sign-in method of the provider."
)
_IDENTIFYING: Final = ("tenantId", "clientId")
_FILES: Final = ("token-file", "renewal-file", "other-location-file", "expired-file", "claimed-file", "earlier-file")


class Terminal:
    """Prints lines; the reporter of the provider."""

    def info(self, sentence: str) -> None:
        """Print a line."""
        sys.stdout.write(f"{sentence}\n")
        sys.stdout.flush()

    warn = info


@dataclass(frozen=True, slots=True)
class World:
    """What a run takes from outside; tests replace it."""

    environment: Mapping[str, str]
    clock: Clock
    http: httpx.Client | None = None


def main(arguments: Sequence[str], world: World) -> int:
    """Run the kit; 0: it has ended, 1: it was stopped or something is left to do, 2: it did not begin."""
    terminal = Terminal()
    options = _parser().parse_args(arguments)
    try:
        configured = settings.read({}, world.environment)
        choose(configured.values)
    except SettingsError as error:
        terminal.info(str(error) if _is_chosen(world.environment) else _NO_CREDENTIALS)
        return NOT_BEGUN
    try:
        return _run(options, configured, world, terminal)
    except (story.Refused, IntuneVppError) as reason:
        terminal.info(str(reason))
        return NOT_BEGUN
    except Stopped as reason:
        terminal.info(str(reason))
        return FAILED
    except KeyboardInterrupt:
        terminal.info("Interrupted.")
        return FAILED


def _is_chosen(environment: Mapping[str, str]) -> bool:
    """Whether a variable is set that a sign-in needs: then the error of the provider says more."""
    return any(
        environment.get(name, "").strip() for key in KEYS.values() for name in key.sources if key.name != "useCli"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make live", description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("--write", action="store_true", help="write the token of --token-id, or one that --create creates")
    add("--token-id", type=_guid, help="the id of the one token that may be written")
    add("--create", action="store_true", help="create a token of --token-file, try everything on it, and delete it")
    add("--token-file", type=Path, help="a token file of the location")
    add("--apple-id", help="the Managed Apple Account of the file; for --create")
    add("--account-type", choices=("business", "education"), default="business", help="of the account; for --create")
    add("--renewal-file", type=Path, help="a later token file of the location")
    add("--other-location-file", type=Path, help="a file of a location for which the tenant has no token")
    add("--expired-file", type=Path, help="an expired file of the location")
    add("--claimed-file", type=Path, help="a file of a location that another MDM manages")
    add("--earlier-file", type=Path, help="a file from before the password of the account was changed")
    add("--outside-token-id", type=_guid, help="a token whose scope tags the role of the application lacks")
    add("--claim", action="store_true", help="allow to take the location of the token from another MDM")
    add("--allow-used", action="store_true", help="write the token although its apps are assigned or in use")
    add("--report", type=Path, help="the folder of the report [default: live-report/<time>]")
    return parser


def _guid(text: str) -> str:
    if not GUID.fullmatch(text):
        raise argparse.ArgumentTypeError("must be an id (a GUID)")
    return text


def _run(options: argparse.Namespace, configured: Settings, world: World, terminal: Terminal) -> int:
    if options.write != bool(options.token_id or options.create) or (options.token_id and options.create):
        raise story.Refused("--write needs either --token-id or --create, and both need --write. Nothing was sent.")
    folder = options.report or Path("live-report") / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
    session, recorder = _session(options, configured, world, folder, terminal)
    story.check_connection(session)
    if options.token_id:
        story.check_named(session, allow_used=options.allow_used)
    elif options.create:
        story.check_new(session)
    return _tell(session, recorder, folder, terminal, create=options.create)


def _tell(session: Session, recorder: Recorder, folder: Path, terminal: Terminal, *, create: bool) -> int:
    report = Report(folder, recorded=lambda: recorder.number, say=terminal.info)
    try:
        story.tell(session, report, create=create)
    finally:
        if session.clean_up:
            terminal.info(f"Something is left to clean up by hand: see {session.clean_up.path}.")
    terminal.info(f"The findings are in {folder}.")
    return FAILED if session.clean_up else DONE


def _session(
    options: argparse.Namespace, configured: Settings, world: World, folder: Path, terminal: Terminal
) -> tuple[Session, Recorder]:
    files = {name: _file(getattr(options, name.replace("-", "_"))) for name in _FILES}
    redactor = Redactor()
    for name in _IDENTIFYING:
        redactor.know(configured.values.text(name) or "", f"[{name}]")
    recorder = Recorder(folder / "recordings", redactor)
    fence = Fence(named=options.token_id, may_create=options.create)
    wire = Wire(configured, world.clock, terminal, fence=fence, record=recorder, http=world.http)
    redactor.is_secret = wire.quotes_secret
    session = Session(
        wire=wire,
        clock=world.clock,
        means=_means(options, files),
        clean_up=CleanUp(folder),
        subject=options.token_id,
        label=f"intune-vpp live kit {secrets.token_hex(4)}",
        know=redactor.know,
    )
    return session, recorder


def _means(options: argparse.Namespace, files: Mapping[str, SToken | None]) -> Means:
    given: dict[str, Any] = {name.replace("-", "_"): file for name, file in files.items() if name != "token-file"}
    return Means(
        file=files["token-file"],
        outside_token_id=options.outside_token_id,
        apple_id=options.apple_id,
        account_type=options.account_type,
        claim=options.claim,
        **given,
    )


def _file(path: Path | None) -> SToken | None:
    """Read a token file. Raises TokenFileError."""
    if path is None:
        return None
    try:
        return stoken.parse(path.read_bytes(), file_name=path.name)
    except OSError as error:
        raise TokenFileError(f"{path} cannot be read ({error.strerror}). Nothing was sent.") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], World(os.environ, SystemClock())))
