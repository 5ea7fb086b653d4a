"""Signs in as the account of the Azure CLI.

It works for a service principal: Microsoft does not let the CLI ask for Intune's permissions for a user.
Source: https://learn.microsoft.com/cli/azure/account#az-account-get-access-token.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

from intune_vpp.core.errors import SignInRefused
from intune_vpp.graph.credentials import errors
from intune_vpp.graph.credentials.method import PRINTABLE, AccessToken

if TYPE_CHECKING:
    from intune_vpp.graph.credentials.method import Connection, SignIn

_TIMEOUT = 60
"""Seconds: the CLI starts slowly, and may sign in itself."""


def sign_in(connection: Connection) -> SignIn:
    """Return the sign-in by the Azure CLI, always for the configured tenant."""

    def acquired() -> AccessToken:
        answer = _parsed(_run(_command(connection), connection))
        text = answer.get("accessToken")
        if not isinstance(text, str) or not PRINTABLE.fullmatch(text):
            raise _unreadable()
        try:
            return AccessToken(text, float(answer["expires_on"]) - time.time())
        except (KeyError, TypeError, ValueError, OverflowError):
            raise _unreadable() from None

    return acquired


def _command(connection: Connection) -> list[str]:
    scope = f"{connection.cloud.graph_endpoint}/.default"
    options = ["--output", "json", "--scope", scope, "--tenant", connection.tenant or ""]
    # On Windows it is `az.cmd`, which is found by its full name only.
    return [shutil.which("az") or "az", "account", "get-access-token", *options]


def _run(command: list[str], connection: Connection) -> str:
    """Run the CLI and return its output. Raises SignInRefused with the last line of what it reports."""
    login = f"Run az login --tenant {connection.tenant}."
    try:
        done = subprocess.run(  # noqa: S603 - az from PATH, and the values are arguments of their own
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        done = None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SignInRefused(f"The Azure CLI cannot be run ({why}). Reinstall it, or check PATH.") from None
    if done is None:
        # Not inside `except`: the error would have the first one as its context, which has the output.
        raise SignInRefused(f"The Azure CLI did not answer within {_TIMEOUT} seconds. {login}")
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        # Commands to copy follow the line with the reason.
        line = next((one for one in lines if one.startswith("ERROR:")), lines[-1] if lines else "")
        why = errors.described(line, connection.secrets) or f"exit code {done.returncode}"
        cure = errors.cure(why, connection) or login
        raise SignInRefused(f"The Azure CLI returned no access token: {why}. {cure}")
    return done.stdout


def _parsed(output: str) -> dict[str, Any]:
    try:
        found = json.loads(output)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _unreadable()
    return found


def _unreadable() -> SignInRefused:
    return SignInRefused(
        "The output of the Azure CLI has no access token with an `expires_on`. Update the CLI: az upgrade."
    )
