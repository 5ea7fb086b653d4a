"""Signs in as the account of the Azure CLI, for people at a desk.

Source: https://learn.microsoft.com/cli/azure/account#az-account-get-access-token.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

from intune_vpp.core.errors import SignInRefused
from intune_vpp.graph import errors
from intune_vpp.graph.credentials.method import BEARER, AccessToken

if TYPE_CHECKING:
    from intune_vpp.graph.credentials.method import Connection, SignIn

_TIMEOUT = 60
"""Seconds: the CLI starts slowly, and may sign in itself."""


def sign_in(connection: Connection) -> SignIn:
    """Return the sign-in by the Azure CLI, always for the configured tenant."""

    def acquired() -> AccessToken:
        answer = _parsed(_run(_command(connection), connection))
        text, expires_on = answer.get("accessToken"), answer.get("expires_on")
        if not isinstance(text, str) or not BEARER.fullmatch(text) or not isinstance(expires_on, (int, float)):
            raise _unreadable()
        return AccessToken(text, expires_on - time.time())

    return acquired


def _command(connection: Connection) -> list[str]:
    scope = f"{connection.cloud.graph_endpoint}/.default"
    command = ["account", "get-access-token", "--output", "json", "--scope", scope, "--tenant", connection.tenant]
    # On Windows it is `az.cmd`, which is found by its full name only.
    return [shutil.which("az") or "az", *command]


def _run(command: list[str], connection: Connection) -> str:
    """Run the CLI and return its output. Raises SignInRefused with the last line of what it reports."""
    login = f"Run az login --tenant {connection.tenant}."
    try:
        done = subprocess.run(  # noqa: S603 - az from PATH, and the values are arguments of their own
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        msg = f"The Azure CLI did not answer within {_TIMEOUT} seconds."
        raise SignInRefused(f"{msg} {login}") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SignInRefused(f"The Azure CLI cannot be run ({why}). Check az on PATH.") from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        why = errors.quotable(lines[-1] if lines else "", connection.secrets) or f"exit code {done.returncode}"
        raise SignInRefused(f"The Azure CLI returned no access token: {why}. {login}")
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
    return SignInRefused("The Azure CLI returned no access token that can be read. Update it: az upgrade.")
