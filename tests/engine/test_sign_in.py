"""Each method of sign-in, with the real engine, and no trace of credentials."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from harness import Tenant, token_file
from intune_vpp_emulator.identity import access_tokens
from intune_vpp_emulator.serve import Service, serve
from intune_vpp_emulator.sign_in_methods import SignIn, variables
from intune_vpp_emulator.tenant import Tenant as Emulated
from project import Project, YamlProject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRETS = {
    "ARM_CLIENT_SECRET",
    "ARM_CLIENT_CERTIFICATE_PASSWORD",
    "ARM_OIDC_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "SYSTEM_ACCESSTOKEN",
    "IDENTITY_HEADER",
}
JWT = "eyJhbGciOi"
"""How each access token and each assertion begins: the header is the same for all that use RS256 or PS256."""


@contextmanager
def serving() -> Iterator[tuple[Service, Tenant]]:
    """A tenant in this process, whose app registration can sign in with every method."""
    with serve(Emulated(sync_seconds=0)) as service:
        addresses = {name: value for name, value in service.environment.items() if name not in service.credentials}
        yield service, Tenant(addresses)


@contextmanager
def methods(service: Service, folder: Path) -> Iterator[dict[str, dict[str, str]]]:
    """The environment of each method, by its name in messages."""
    with ExitStack() as stack:
        found = {
            method.value: stack.enter_context(variables(method, service.tenant, service.url, folder / method.value))
            for method in SignIn
        }
        found["Azure CLI"] = _azure_cli(service, folder / "bin")
        yield found


def _azure_cli(service: Service, folder: Path) -> dict[str, str]:
    """The environment with a stand-in for `az`, which answers as for a service principal that is signed in."""
    who = service.tenant.directory
    access_token = access_tokens.issue(who, who.app, audience=service.url, now=datetime.now(UTC))
    answer = {"accessToken": access_token, "expires_on": int(datetime.now(UTC).timestamp()) + 3599}
    folder.mkdir()
    program = folder / "az"
    asked = f"account get-access-token {who.tenant_id}"
    program.write_text(f"#!/bin/sh\n[ \"$1 $2 $8\" = '{asked}' ] || exit 1\necho '{json.dumps(answer)}'\n")
    program.chmod(0o700)
    return {"ARM_TENANT_ID": who.tenant_id, "ARM_USE_CLI": "true", "PATH": str(folder)}


@pytest.mark.parametrize("door", [Project, YamlProject], ids=["dynamic", "plugin"])
def test_each_method(tmp_path: Path, engine: dict[str, str], door: type[Project]) -> None:
    """Each method signs in once for an update, and no credential is in state, log or display."""
    needles = {JWT, "PRIVATE KEY"}
    with serving() as (service, tenant), methods(service, _hidden(tmp_path)) as by_method:
        project = door.start(_work(tmp_path), engine, tenant)
        file = token_file(tmp_path, "lincoln")
        for method, environment in by_method.items():
            needles |= {value for name, value in environment.items() if name in SECRETS}
            if "PATH" in environment:
                environment["PATH"] += f":{project.environment['PATH']}"
            project.declare(token=str(file), display_name=method)
            done = project.up("--debug", **environment)
            assert done.ok, f"{method}: {done.text}"
            log = tenant.log()
            written = [one["method"] for one in log if one["path"].startswith("/beta") and one["method"] != "GET"]
            assert written == (["POST", "POST"] if method == "secret" else ["PATCH"]), method
            signed_in = [one["path"] for one in log if one["path"].endswith(("/oauth2/v2.0/token", "/token"))]
            assert len(signed_in) == (0 if method == "Azure CLI" else 1), (method, signed_in)
            assert project.outputs()["displayName"] == method
            assert not [needle for needle in needles if needle in json.dumps(log)], method

        shown = {f"{number}": text for number, text in enumerate(project.displayed)}
        shown["the export"] = json.dumps(project.export())
    searched = {str(path): path.read_bytes().decode(errors="replace") for path in _files(_work(tmp_path))}
    assert any("/state/.pulumi/" in name for name in searched), "the state was not searched"
    assert [name for name, text in {**searched, **shown}.items() if any(one in text for one in needles)] == []


def test_a_refused_sign_in_names_the_method(yaml_project: YamlProject, tmp_path: Path) -> None:
    """Through the engine, a refusal says which method was used, why, and where to consent."""
    environment = yaml_project.environment
    stranger = "0c7d4b62-0000-4000-8000-000000000000"
    yaml_project.declare(token=str(token_file(tmp_path, "lincoln")))
    refused = yaml_project.up(ARM_CLIENT_ID=stranger)

    assert not refused.ok
    text = " ".join(refused.text.split())
    assert f"/{environment['ARM_TENANT_ID']}/adminconsent?client_id={stranger} first." in text
    assert "Sign-in method: client secret (ARM_CLIENT_SECRET is set)." in text


def test_explicit_secrets_are_secret(yaml_project: YamlProject, tmp_path: Path) -> None:
    """Secret provider inputs are encrypted in the state, though the program does not mark them."""
    hidden = {name: f"hidden-{name}" for name in ("clientCertificatePassword", "oidcToken", "oidcRequestToken")}
    secret = {"clientSecret": yaml_project.environment["ARM_CLIENT_SECRET"], **hidden}
    yaml_project.more["resources"] = {"ours": {"type": "pulumi:providers:intune-vpp", "properties": secret}}
    yaml_project.declare(token=str(token_file(tmp_path, "lincoln")), opts={"provider": "${ours}"})
    done = yaml_project.up()
    assert done.ok, done.text

    stored: dict[str, Any] = json.loads(yaml_project.pulumi("stack", "export").text)
    text = json.dumps(stored)
    assert '"ciphertext"' in text
    assert [value for value in secret.values() if value in text or value in done.text] == []


def _work(folder: Path) -> Path:
    work = folder / "work"
    work.mkdir(exist_ok=True)
    return work


def _hidden(folder: Path) -> Path:
    """Where the files lie with which methods sign in: the only place that may have them."""
    hidden = folder / "hidden"
    hidden.mkdir()
    return hidden


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
