"""The commands: `serve`, `make-token`, `guesses`."""

from __future__ import annotations

import json
import os
import shlex
import signal
import textwrap
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import click

from . import apple, behavior, fault_rules
from .faults import Faults, UnusableRuleError
from .guesses import GUESSES
from .routes import described
from .serve import Service, serve
from .sign_in_methods import SignIn
from .state_file import UnusableStateError, keep, restore, write_private
from .tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

_HEARTBEAT = 0.5
_DAYS_OF_A_TOKEN = 365
_INDENT = " " * 15
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    # \b keeps click from filling the lines.
    epilog="\b\n" + "\n".join(["Graph's operations, on /beta and /v1.0:", *described()]),
)
def main() -> None:
    """An emulated Microsoft Intune tenant for VPP tokens.

    It implements the sign-in of applications and managed identities, and the operations of Microsoft Graph below, with
    these query options; $filter takes eq ne gt ge lt le in, and or not, startswith endswith contains tolower toupper
    isof. Whatever else is asked of it is refused in Graph's error envelope.
    """


def _behavior_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for each field of a tenant's behavior."""
    for name, metavar, help_text in reversed(list(behavior.options())):
        command = click.option(f"--{name.replace('_', '-')}", name, metavar=metavar, help=help_text)(command)
    return command


def _described_rules() -> str:
    """The members of a rule in lines of their own."""
    wrap = textwrap.TextWrapper(76, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False)
    lines = ["Members of a rule in the array of --faults and of POST /_emulator/faults:"]
    for name, values, help_text in fault_rules.described():
        lines += [f"  {name:<12} {values}", *wrap.wrap(help_text)]
    return "\b\n" + "\n".join(lines)


@main.command("serve", epilog=_described_rules())
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="The port on 127.0.0.1; 0 takes a free one.  [default: 0]"
)
@click.option("--state", type=_FILE, help="Keep the tenant in this file between runs; without it each run has another.")
@click.option("--env-file", type=_FILE, help="Write the environment here, as KEY=value lines, once it listens.")
@click.option("--hosts", default="", help="Further names of this server, with commas: its certificate has them too.")
@click.option(
    "--sign-in",
    type=click.Choice([one.value for one in SignIn]),
    default=SignIn.SECRET.value,
    help="The method of sign-in that the environment is for.  [default: secret]",
)
@click.option(
    "--tenants",
    type=click.IntRange(min=1),
    default=1,
    help="How many tenants there are; all have the application of the first.  [default: 1]",
)
@click.option(
    "--consented",
    type=click.IntRange(min=1),
    help="In how many of them, from the first on, the application was consented to.  [default: all]",
)
@click.option("--faults", type=_FILE, help="Begin with the faults of this file: a JSON array of rules, see below.")
@click.option(
    "--faults-seed",
    type=click.IntRange(min=0),
    default=0,
    help="What the probabilities of faults are drawn from: the same number repeats a run.  [default: 0]",
)
@_behavior_options
def serve_command(**options: Any) -> None:
    """Serve an emulated tenant until interrupted, and print the environment for its clients."""
    ended = _ended_by_signals()
    try:
        with _environment_file(options["env_file"]), _served(options) as service:
            _announce(service, options["env_file"])
            _wait(ended)
    except OSError as reason:
        raise click.ClickException(f"Cannot serve: {reason}") from reason


@main.command("make-token")
@click.option("--organization", required=True, help="The organization's name, `orgName` in the file.")
@click.option("--location", required=True, help="The location, which is encrypted in the file.")
@click.option("--location-id", default="", help="Distinguishes locations of one name.")
@click.option("--days", type=int, help="Days until it expires, at a random time of that day (default: 365).")
@click.option("--expires", help="In place of --days: YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, in UTC.")
def make_token_command(
    organization: str, location: str, location_id: str, days: int | None, expires: str | None
) -> None:
    """Print the text of a new .vpptoken file and nothing else."""
    if days is not None and expires is not None:
        raise click.UsageError("Use either --days or --expires.")
    if not organization.strip() or not location.strip():
        raise click.ClickException("--organization and --location take a name.")
    expiry = _in_days(_DAYS_OF_A_TOKEN if days is None else days) if expires is None else _expiry(expires)
    click.echo(apple.make_token(organization, location, expiry, location_id), nl=False)


@main.command("guesses")
def guesses_command() -> None:
    """List the assumptions about Graph that no source confirms."""
    for name, belief in GUESSES.items():
        click.echo(f"{name}: {belief}")


def _served(options: dict[str, Any]) -> AbstractContextManager[Service]:
    if options["tenants"] > 1 and options["state"] is not None:
        raise click.UsageError("--state keeps a single tenant, so it cannot be used with --tenants.")
    first = _tenant(options)
    others = [first.customer() for _ in range(1, options["tenants"])]
    for one in others[(options["consented"] or options["tenants"]) - 1 :]:
        one.app_consented = False
    return serve(
        first,
        *others,
        sign_in=options["sign_in"],
        files_beside=options["env_file"] and options["env_file"].absolute(),
        port=options["port"],
        ca_bundle_path=_bundle_path(options),
        faults=_faults(options["faults"], options["faults_seed"]),
        hosts=[one.strip() for one in options["hosts"].split(",") if one.strip()],
    )


def _faults(path: Path | None, seed: int) -> Faults:
    try:
        return Faults([] if path is None else json.loads(path.read_text(encoding="utf-8")), seed=seed)
    except OSError as reason:
        raise click.ClickException(f"--faults: {path} cannot be read: {reason.strerror}.") from reason
    except UnusableRuleError as reason:
        raise click.ClickException(f"--faults: {path}: {reason}") from reason
    except ValueError as reason:
        raise click.ClickException(f"--faults: {path} is not JSON: {reason}.") from reason
    except RecursionError as reason:
        raise click.ClickException(f"--faults: {path} is not JSON: it is nested too deeply.") from reason


@contextmanager
def _environment_file(path: Path | None) -> Iterator[None]:
    """Remove the file of an earlier run, which a waiting client would read, and this one at the end."""
    if path is None:
        yield
        return
    path.unlink(missing_ok=True)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _in_days(days: int) -> datetime:
    try:
        return apple.expiry((datetime.now(UTC).date() + timedelta(days=days)).isoformat())
    except OverflowError as reason:
        raise click.ClickException(f"--days takes a number of days up to the year 9999, not {days}.") from reason


def _expiry(text: str) -> datetime:
    try:
        return apple.expiry(text)
    except ValueError as reason:
        raise click.ClickException(f"--expires takes YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, not {text!r}.") from reason


def _tenant(options: dict[str, Any]) -> Tenant:
    tenant = Tenant()
    try:
        tenant.behave({name: options[name] for name in behavior.names() if options[name] is not None})
    except behavior.UnusableBehaviorError as reason:
        raise click.ClickException(str(reason)) from reason
    if options["state"] is not None:
        try:
            restore(tenant, options["state"])
        except UnusableStateError as reason:
            raise click.ClickException(str(reason)) from reason
        keep(tenant, options["state"])
    return tenant


def _bundle_path(options: dict[str, Any]) -> Path | None:
    beside: Path | None = options["state"] or options["env_file"]
    return None if beside is None else beside.absolute().with_name(f"{beside.name}.ca.pem")


def _announce(service: Service, env_file: Path | None) -> None:
    variables = {name: shlex.quote(value) for name, value in service.environment.items()}
    if env_file is not None:
        write_private(env_file.absolute(), "".join(f"{name}={value}\n" for name, value in variables.items()))
    for name, value in variables.items():
        click.echo(f"export {name}={value}")
    ca, url = variables["INTUNE_VPP_CA_BUNDLE_PATH"], service.url
    click.echo(f"# the requests that it received: curl --cacert {ca} {url}/_emulator/requests")
    click.echo(f"# serving tenant {service.tenant.directory.domain} as process {os.getpid()}; Ctrl-C ends it")


def _ended_by_signals() -> SimpleQueue[int]:
    """A queue of signals. Not an Event: a handler that runs while the main thread waits would wait for its lock."""
    ended: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: ended.put(number))
    return ended


def _wait(ended: SimpleQueue[int]) -> None:
    """Wait for a signal in short waits: on Windows Ctrl-C does not end a long one."""
    while True:
        with suppress(Empty):
            ended.get(timeout=_HEARTBEAT)
            return
