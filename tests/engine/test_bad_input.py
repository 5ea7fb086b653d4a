"""What bad input gets: a sentence in preview, and nothing sent."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from harness import Tenant, token_file

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project


def _coded(content: Any) -> bytes:
    text = content if isinstance(content, str) else json.dumps(content)
    return base64.b64encode(text.encode())


def _good(folder: Path) -> bytes:
    return token_file(folder, "good").read_bytes()


BROKEN = {
    "it is empty": b"",
    "it is not base64": b"hello, world",
    "base64, but does not contain a JSON object": _coded("something else"),
    "it has no orgName": _coded({"token": "x", "expDate": "2030-11-08T22:33:22+0000"}),
    "its expDate is not a date": _coded({"token": "x", "expDate": "next year", "orgName": "Contoso"}),
    "larger than 64 kB": b"A" * 10_000_000,
    "it is not text": bytes(range(128, 256)),
}


def test_broken_files(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """Each kind of broken file is refused in preview with what is wrong and what to do, and nothing is sent."""
    broken = tmp_path / "broken.vpptoken"
    for index, (sentence, content) in enumerate(BROKEN.items()):
        broken.write_bytes(content)
        project.declared.clear()
        project.declare(f"token-{index}", token=str(broken))
        refused = project.preview()
        assert not refused.ok
        assert sentence in refused.text
        assert "Download" in refused.text
        assert "Traceback" not in refused.text
    assert tenant.log() == []


def test_files_that_are_not_there(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """A missing file and a folder are refused before the engine sees them, without a traceback."""
    for path, sentence in ((tmp_path / "nowhere.vpptoken", "does not exist"), (tmp_path, "is a folder")):
        project.declare(token=str(path))
        refused = project.preview()
        assert not refused.ok
        assert sentence in refused.text
        assert "Traceback" not in refused.text
    assert tenant.log() == []


def test_files_that_will_do(project: Project, tmp_path: Path) -> None:
    """A byte-order mark, a trailing newline and further members do no harm."""
    good = _good(tmp_path)
    members = {**json.loads(base64.b64decode(good)), "newByApple": {"a": 1}}
    for name, content in {
        "mark": b"\xef\xbb\xbf" + _good(tmp_path),
        "newline": good + b"\r\n",
        "members": _coded(members),
    }.items():
        (tmp_path / f"{name}.vpptoken").write_bytes(content)
        project.declare(name, token=str(tmp_path / f"{name}.vpptoken"), display_name=name)
    accepted = project.preview()
    assert accepted.ok, accepted.text
    assert "3 to create" in accepted.text or "4 to create" in accepted.text


def test_inputs_that_cannot_work(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """Wrong values, beta members on v1.0, an expired file, no consent: each error has a name, and nothing is sent."""
    good = str(token_file(tmp_path, "good"))
    cases: list[tuple[dict[str, Any], dict[str, str], str]] = [
        ({"vpp_token_account_type": "enterprise"}, {}, "must be one of: business, education"),
        ({"country_or_region": "United Kingdom"}, {}, "two-letter country code"),
        (
            {"display_name": "Lincoln"},
            {"INTUNE_VPP_GRAPH_VERSION": "v1.0"},
            "display_name needs Graph's beta: leave display_name out",
        ),
        ({"data_sharing_consent_granted": None}, {}, "data_sharing_consent_granted must be true"),
        ({"apple_id": None}, {}, "apple_id is required"),
        ({"token": None}, {}, "token is required"),
        ({"token": str(token_file(tmp_path, "old", days=-2))}, {}, "expired on"),
        (
            {"organization_name": "Fabrikam"},
            {},
            'belongs to the organization "Contoso", but organization_name is "Fabrikam"',
        ),
        ({"adopt_token_id": "../other"}, {}, "adopt_token_id must be an id"),
        ({}, {"INTUNE_VPP_GRAPH_ENDPOINT": "http://graph.example"}, "must be an https:// URL"),
        ({}, {"INTUNE_VPP_EXPIRY_WARNING_DAYS": "soon"}, "must be a whole number of days"),
    ]
    for index, (arguments, environment, sentence) in enumerate(cases):
        project.declared.clear()
        project.declare(f"token-{index}", **{"token": good, **arguments})
        refused = project.preview(**environment)
        assert not refused.ok, sentence
        assert sentence in refused.text
        assert "Traceback" not in refused.text
    assert tenant.log() == []


def test_the_first_request(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """What only a request can show ends in a sentence as the last line, and the state stays as it was."""
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    visitor = tenant.apps()["visitor"]
    without_permission = {"ARM_CLIENT_ID": visitor["clientId"], "ARM_CLIENT_SECRET": visitor["clientSecret"]}
    nothing_listens = {"INTUNE_VPP_GRAPH_ENDPOINT": "https://127.0.0.1:9", "INTUNE_VPP_AUTHORITY_HOST": ""}
    without_credentials = {"ARM_CLIENT_SECRET": "", "ARM_CLIENT_ID": ""}
    assert project.preview(**without_credentials).ok, "a preview needs no credentials"
    for environment, sentence in (
        (without_credentials, "client secret: clientSecret (ARM_CLIENT_SECRET), clientId (ARM_CLIENT_ID); "),
        ({"ARM_CLIENT_SECRET": "wrong"}, "The client secret is wrong"),
        (without_permission, "DeviceManagementServiceConfig.ReadWrite.All"),
        ({**nothing_listens, "INTUNE_VPP_AUTHORITY_HOST": "https://127.0.0.1:9"}, "did not respond to the sign-in"),
        ({"INTUNE_VPP_CA_BUNDLE_PATH": str(tmp_path / "no.pem")}, "caBundlePath"),
    ):
        failed = project.up(**environment)
        assert not failed.ok
        assert sentence in _last_line_of_error(failed.text)
        assert project.tokens() == {}
    assert [one for one in tenant.writes() if one.startswith("POST vppTokens")] == []


def _last_line_of_error(text: str) -> str:
    """The last line under the token's diagnostics."""
    lines = text.split("Diagnostics:")[1].splitlines()
    start = next(index for index, line in enumerate(lines) if "VppToken (" in line)
    under = lines[start + 1 :]
    end = next((index for index, line in enumerate(under) if line.strip() == ""), len(under))
    return under[end - 1]
