"""The commands: `serve`, `make-token`, `guesses`."""

from __future__ import annotations

import os
import shlex
import signal
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import click

from . import apple
from .guesses import GUESSES
from .serve import Service, serve
from .state_file import UnusableStateError, keep, restore, write_private
from .tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

_HEARTBEAT = 0.5
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A pretend Microsoft Intune tenant for VPP tokens."""


@main.command("serve")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Where to listen on 127.0.0.1; 0: any free port."
)
@click.option("--state", type=_FILE, help="Keep the tenant in this file between runs; without it each run is another.")
@click.option("--env-file", type=_FILE, help="Write the environment here, as KEY=value lines, once it listens.")
@click.option("--page-size", type=click.IntRange(1), default=100, show_default=True, help="The most tokens on a page.")
@click.option("--sync-seconds", type=click.FloatRange(0), default=1.0, show_default=True, help="How long a sync runs.")
@click.option(
    "--revoke-seconds", type=click.FloatRange(0), default=1.0, show_default=True, help="How long a revocation runs."
)
@click.option(
    "--renewal-lag-seconds",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="How long a renewed token shows its old expiration.",
)
@click.option("--latency-ms", type=click.FloatRange(0), default=0.0, help="How much longer each answer takes.")
@click.option(
    "--token-encoding",
    type=click.Choice([one.value for one in apple.TokenEncoding]),
    default=apple.TokenEncoding.VERBATIM.value,
    show_default=True,
    help="How this tenant wants a file's text.",
)
def serve_command(**options: Any) -> None:
    """Serve a pretend tenant until interrupted, and print the environment that points clients at it."""
    ended = _ended_by_signals()
    try:
        with _environment_file(options["env_file"]), _served(options) as service:
            _announce(service, options["env_file"])
            _wait(ended)
    except OSError as reason:
        raise click.ClickException(f"Cannot serve: {reason}") from reason


@main.command("make-token")
@click.option("--organization", required=True, help="The organization's name, `orgName` in the file.")
@click.option("--location", required=True, help="The location, which the file keeps to itself.")
@click.option("--expires", required=True, help="YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, in UTC.")
def make_token_command(organization: str, location: str, expires: str) -> None:
    """Print the text of a new .vpptoken file and nothing else."""
    if not organization.strip() or not location.strip():
        raise click.ClickException("--organization and --location take a name.")
    click.echo(apple.make_token(organization, location, _expiry(expires)), nl=False)


@main.command("guesses")
def guesses_command() -> None:
    """List what this emulator believes about Graph without proof."""
    for name, belief in GUESSES.items():
        click.echo(f"{name}: {belief}")


def _served(options: dict[str, Any]) -> AbstractContextManager[Service]:
    return serve(
        _tenant(options),
        port=options["port"],
        ca_bundle_path=_bundle_path(options),
        latency_seconds=options["latency_ms"] / 1000,
    )


@contextmanager
def _environment_file(path: Path | None) -> Iterator[None]:
    """Whoever waits for the file must not find the one of an earlier run."""
    if path is None:
        yield
        return
    path.unlink(missing_ok=True)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _expiry(text: str) -> datetime:
    try:
        return apple.expiry(text)
    except ValueError as reason:
        raise click.ClickException(f"--expires takes YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, not {text!r}.") from reason


def _tenant(options: dict[str, Any]) -> Tenant:
    tenant = Tenant(
        page_size=options["page_size"],
        sync_seconds=options["sync_seconds"],
        revoke_seconds=options["revoke_seconds"],
        renewal_lag_seconds=options["renewal_lag_seconds"],
        token_encoding=apple.TokenEncoding(options["token_encoding"]),
    )
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
    click.echo(f"# what was asked of this tenant: curl --cacert {ca} {url}/_emulator/requests")
    click.echo(f"# serving tenant {service.tenant.directory.domain} as process {os.getpid()}; Ctrl-C ends it")


def _ended_by_signals() -> SimpleQueue[int]:
    """Where a signal is put. No Event: a handler that runs while the main thread waits would wait for its lock."""
    ended: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: ended.put(number))
    return ended


def _wait(ended: SimpleQueue[int]) -> None:
    """Wait for a signal, and look again and again: a wait without an end is deaf to Ctrl-C on Windows."""
    while True:
        with suppress(Empty):
            ended.get(timeout=_HEARTBEAT)
            return
