"""Signing in as the account of the Azure CLI: a stand-in on PATH, since only its output matters."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from core.test_secrets import chain
from graph.signing_in import credential
from intune_vpp.core.errors import SignInRefused
from intune_vpp.graph.credentials import azure_cli

if TYPE_CHECKING:
    from pathlib import Path

JWT = "eyJhbGciOiJQUzI1NiJ9.eyJzdWIiOiJjIn0.c2lnbmF0dXJlLXdpdGgtZGFzaGVz"
ANSWER = {"accessToken": "eyJ0.eyJ1.sig", "expires_on": int(time.time()) + 4000, "tokenType": "Bearer"}


class StandIn:
    """A program `az` that notes its arguments, and prints what it is told."""

    def __init__(self, folder: Path) -> None:
        self.program, self.notes = folder / "az", folder / "arguments"

    def prints(self, output: str = "", errors: str = "", code: int = 0, *, before: str = "") -> None:
        """What it does from now on."""
        (self.program.parent / "out").write_text(output)
        (self.program.parent / "err").write_text(errors)
        folder = self.program.parent
        self.program.write_text(
            f'#!/bin/sh\n{before}\nfor a in "$@"; do printf "%s\\n" "$a"; done >> {self.notes}\n'
            f"/bin/cat {folder}/err >&2; /bin/cat {folder}/out; exit {code}\n"
        )
        self.program.chmod(0o755)

    @property
    def arguments(self) -> list[str]:
        """What it was called with."""
        return self.notes.read_text().split()


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The stand-in, first on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("ARM_USE_CLI", "true")
    made = StandIn(tmp_path)
    made.prints(json.dumps(ANSWER))
    return made


def signed_in() -> str:
    """The access token of the account."""
    with httpx.Client(transport=httpx.MockTransport(lambda _request: httpx.Response(500))) as http:
        return credential(http, tenantId="contoso.example").access_token()


def refused() -> str:
    """The sentence of a sign-in that fails, without the method."""
    with pytest.raises(SignInRefused) as caught:
        signed_in()
    sentence, _, method = str(caught.value).partition(" Sign-in method: ")
    assert method == "Azure CLI (no other method is configured)."
    return sentence


def test_the_account_signs_in(az: StandIn) -> None:
    """The CLI is asked for an access token for Graph in the configured tenant, whatever its own is."""
    assert signed_in() == "eyJ0.eyJ1.sig"
    assert az.arguments == [
        *("account", "get-access-token", "--output", "json"),
        *("--scope", "https://graph.example/.default", "--tenant", "contoso.example"),
    ]


def test_an_account_that_is_not_signed_in(az: StandIn) -> None:
    """The error that the CLI reports is quoted, with the command that helps."""
    az.prints(errors="WARNING: x\nERROR: Please run 'az login' to setup account.\nTo go on, run:\naz login\n", code=1)

    assert refused() == (
        "The Azure CLI returned no access token: ERROR: Please run 'az login' to setup account. "
        "Run az login --tenant contoso.example."
    )


def test_a_refusal_of_entra(az: StandIn) -> None:
    """Entra's number has its own cure, and neither ids nor an assertion are quoted."""
    az.prints(errors=f"ERROR: AADSTS53003: Blocked {JWT}. Trace ID: 1 Correlation ID: 2\n", code=1)

    assert refused() == (
        "The Azure CLI returned no access token: ERROR: AADSTS53003: Blocked …. A Conditional Access policy of the "
        "tenant blocks the sign-in: exclude the application None, or run from a location that the policy allows."
    )


def test_output_in_another_encoding(az: StandIn) -> None:
    """A CLI that reports in the code page of its system fails as any other."""
    az.prints(code=1)
    (az.program.parent / "err").write_bytes(b"ERROR: Bitte w\xe4hlen Sie\n")

    assert refused().startswith("The Azure CLI returned no access token: ERROR: Bitte w")


def test_a_refusal_without_words(az: StandIn) -> None:
    """Without a report the exit code is named."""
    az.prints(code=3)

    assert refused().startswith("The Azure CLI returned no access token: exit code 3. Run az login")


@pytest.mark.parametrize(
    "output",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        json.dumps({"accessToken": 7, "expires_on": 1}),
        json.dumps({"accessToken": "a b", "expires_on": 1}),
        json.dumps({"accessToken": "good"}),
        json.dumps({"accessToken": "good", "expires_on": "soon"}),
        json.dumps({"accessToken": "good", "expires_on": None}),
        json.dumps({"accessToken": "good", "expires_on": int("9" * 400)}),
    ],
)
def test_an_answer_that_cannot_be_read(az: StandIn, output: str) -> None:
    """Output without a token or `expires_on` is refused with the command that updates the CLI."""
    az.prints(output)

    assert refused() == (
        "The output of the Azure CLI has no access token with an `expires_on`. Update the CLI: az upgrade."
    )


def test_a_program_that_cannot_be_run(az: StandIn) -> None:
    """A broken installation is named by the system's reason."""
    az.program.write_text("#!/nowhere/python\n")

    assert refused() == "The Azure CLI cannot be run (No such file or directory). Reinstall it, or check PATH."


def test_a_program_that_hangs(az: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CLI that hangs is killed after the timeout; its output, perhaps a token, is not in the error's context."""
    monkeypatch.setattr(azure_cli, "_TIMEOUT", 0.2)
    az.prints(before="exec /bin/sleep 30")

    with pytest.raises(SignInRefused, match=r"^The Azure CLI did not answer within 0\.2 seconds\. Run az ") as caught:
        signed_in()
    assert {type(one) for one in chain(caught.value)} == {SignInRefused}
