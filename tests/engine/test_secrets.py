"""The sToken enters nothing that is kept or shown: searched for after success and after failure, in each shape."""

from __future__ import annotations

import base64
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from harness import Tenant, token_file
from project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = """\
import base64, os
import pulumi
from intune_vpp.dynamic import VppToken

SHAPES = {
    "file-asset": lambda path, text: pulumi.FileAsset(path),
    "string": lambda path, text: text,
    "secret": lambda path, text: pulumi.Output.secret(text),
    "string-asset": lambda path, text: pulumi.StringAsset(text),
    "secret-string-asset": lambda path, text: pulumi.Output.secret(pulumi.StringAsset(text)),
    "secret-file-asset": lambda path, text: pulumi.Output.secret(pulumi.FileAsset(path)),
    "output": lambda path, text: pulumi.Output.from_input(text),
    "base64": lambda path, text: base64.b64decode(base64.b64encode(text.encode())).decode(),
    "mark-and-newline": lambda path, text: "\\ufeff" + text + "\\r\\n",
}
for shape in os.environ["SHAPES"].split():
    path = os.path.join(os.environ["FILES"], f"{shape}.vpptoken")
    made = VppToken(
        shape, token=SHAPES[shape](path, open(path).read()), apple_id="apps@contoso.example",
        vpp_token_account_type="business", data_sharing_consent_granted=True, deletion_protection=False,
        organization_name=os.environ.get("ORGANIZATION"), display_name=os.environ.get("DISPLAY_NAME"),
    )
    pulumi.export(shape, made.token)
"""

SHAPES = [
    "file-asset",
    "string",
    "secret",
    "string-asset",
    "secret-string-asset",
    "secret-file-asset",
    "output",
    "base64",
    "mark-and-newline",
]


@pytest.fixture
def project(tmp_path: Path, engine: dict[str, str], tenant: Tenant) -> Project:
    """A project whose program passes one file in each of the shapes named; the engine writes down all it can."""
    started = Project.start(tmp_path, engine, tenant, PROGRAM)
    started.environment |= {"PULUMI_DEBUG_COMMANDS": "1", "PULUMI_EXPERIMENTAL": "1", "FILES": str(tmp_path / "files")}
    started.environment["SHAPES"] = " ".join(SHAPES)
    (tmp_path / "files").mkdir()
    return started


def test_no_shape_leaves_a_trace(project: Project, tenant: Tenant, tmp_path: Path) -> None:
    """Created, renewed, unchanged and refused: each change is seen, and neither file nor inner token is anywhere."""
    texts: list[str] = []
    records: list[Any] = []
    for days in (200, 300):
        texts += _downloads(tmp_path, days=days)
        plan, events = tmp_path / f"plan-{days}.json", tmp_path / f"events-{days}.json"
        previewed = project.preview("--diff", "--save-plan", str(plan), "--event-log", f"{events}-of-preview")
        done = project.up("--diff", "--debug", "--plan", str(plan), "--event-log", str(events))
        assert previewed.ok, previewed.text
        assert done.ok, done.text
        records += tenant.log()
    methods = [one["method"] for one in records if one["path"].startswith("/beta")]
    assert methods.count("POST") == len(SHAPES) * 3, "one creation and two syncs for each"
    assert methods.count("PATCH") == len(SHAPES)
    assert project.up("--expect-no-changes").ok
    assert project.refresh("--expect-no-changes").ok
    assert {project.outputs(shape)["token"][:7] for shape in SHAPES} == {"sha256:"}
    assert "intune_vpp.graph.sender: PATCH" in "".join(project.displayed), "the debug lines were not there to search"
    texts += _downloads(tmp_path, days=100)
    for shape in SHAPES:
        refused = project.preview("--diff", SHAPES=shape)
        assert not refused.ok
        assert "with an older one" in refused.text
    shutil.rmtree(tmp_path / "files")
    _search(project, tmp_path, texts, records + tenant.log())


FAILURES = {
    "no credentials": {"ARM_CLIENT_SECRET": ""},
    "refused sign-in": {"ARM_CLIENT_SECRET": "wrong"},
    "unreachable": {"INTUNE_VPP_GRAPH_ENDPOINT": "https://127.0.0.1:9"},
    "other organization": {"ORGANIZATION": "Fabrikam"},
    "bad setting": {"INTUNE_VPP_GRAPH_VERSION": "v3"},
    "refused by Graph": {"INTUNE_VPP_TOKEN_ENCODING": "base64"},
    "beta on v1.0": {"INTUNE_VPP_GRAPH_VERSION": "v1.0", "DISPLAY_NAME": "Lincoln"},
}


@pytest.mark.parametrize("failure", FAILURES)
def test_no_failure_leaves_a_trace(project: Project, tenant: Tenant, tmp_path: Path, failure: str) -> None:
    """Whatever goes wrong, in whatever shape the file came, its secret is neither shown nor kept."""
    tenant.behave(tokenEncoding="verbatim")
    texts = _downloads(tmp_path, days=200)
    failed = project.up("--diff", "--debug", "--continue-on-error", **FAILURES[failure])
    assert not failed.ok
    shutil.rmtree(tmp_path / "files")
    _search(project, tmp_path, texts, tenant.log())


ADOPTION = """\
import os
import pulumi
from intune_vpp.dynamic import VppToken

path = os.environ.get("FILE")
made = VppToken(
    "adopted", token=open(path).read() if path else None, adopt_token_id=os.environ["TOKEN_ID"],
    deletion_protection=False,
)
pulumi.export("token", made.token)
"""


def test_an_adopted_token_shows_no_text(tmp_path: Path, engine: dict[str, str], tenant: Tenant) -> None:
    """Adopted without a file, which is then named as a text: `token` never turns into that text, whoever asks."""
    (tmp_path / "files").mkdir()
    file = token_file(tmp_path / "files")
    text = file.read_text()
    by_hand = tenant._call("POST", "portal", {"token": text, "appleId": "apps@contoso.example"})
    project = Project.start(tmp_path, engine, tenant, ADOPTION)
    project.environment["TOKEN_ID"] = by_hand["id"]
    adopted = project.up()
    assert adopted.ok, adopted.text
    tenant.log()
    for again in (project.preview(FILE=str(file)), project.up(FILE=str(file)), project.up(FILE=str(file))):
        assert again.ok, again.text
    shown = project.pulumi("stack", "output", "--show-secrets", "--json")
    assert json.loads(shown.text) == {"token": "renewed elsewhere"}
    assert project.outputs("adopted")["token"] == "renewed elsewhere"
    assert tenant.requests() == []
    file.unlink()
    _search(project, tmp_path, [text], tenant.log())


def _downloads(folder: Path, *, days: int) -> list[str]:
    """A file for each shape, and their texts."""
    (folder / "files").mkdir(exist_ok=True)
    return [token_file(folder / "files", shape, days=days, location=shape).read_text() for shape in SHAPES]


def _search(project: Project, folder: Path, texts: list[str], records: Any) -> None:
    """Look for each file's text and for what is inside it, in all that was shown and all that lies on disk."""
    needles = [needle for text in texts for needle in (text, json.loads(base64.b64decode(text))["token"])]
    haystacks = {"the display": "\n".join(project.displayed), "the request log": json.dumps(records)}
    haystacks |= {"the export": json.dumps(project.export())}
    haystacks |= {str(path): path.read_bytes().decode(errors="replace") for path in _files(folder)}
    assert any(".json" in name and "/stacks/" in name for name in haystacks), "the state was not searched"
    found = [name for name, text in haystacks.items() for needle in needles if needle in text]
    assert found == []


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


MARKING = """\
import json, os
import pulumi
from intune_vpp.dynamic import VppToken

hidden = json.loads(os.environ["HIDDEN"])

def hide(args):
    marked = {name: pulumi.Output.secret(value) if value in hidden else value for name, value in args.props.items()}
    return pulumi.ResourceTransformResult(marked, args.opts)

pulumi.runtime.register_resource_transform(hide)
shared = dict(apple_id="apps@contoso.example", vpp_token_account_type="business", data_sharing_consent_granted=True,
              deletion_protection=False)
VppToken("marked", token=pulumi.FileAsset(os.environ["FIRST"]), display_name=pulumi.Output.secret(os.environ["NAME"]),
         role_scope_tag_ids=["0", pulumi.Output.secret("0")], **shared)
name, organization, location = hidden
transformed = VppToken("transformed", token=pulumi.FileAsset(os.environ["SECOND"]), display_name=name,
                       organization_name=organization, expected_location_name=location, **shared)
pulumi.export("location", transformed.location_name)
"""


def test_what_a_program_marks(engine: dict[str, str], tenant: Tenant, tmp_path: Path) -> None:
    """What the program or a transform of the stack marks secret stands in clear nowhere, and all goes on as ever."""
    project = Project.start(tmp_path, engine, tenant, MARKING)
    hidden = ["Nobody's name", "Nobody's Schools", "Nobody's location"]
    files = {
        "FIRST": token_file(tmp_path, "first"),
        "SECOND": token_file(tmp_path, "second", organization=hidden[1], location=hidden[2]),
    }
    environment = {
        "NAME": "Nobody's business",
        "HIDDEN": json.dumps(hidden),
        **{name: str(file) for name, file in files.items()},
    }
    done = project.up("--diff", **environment)
    assert done.ok, done.text
    assert '"location": "[secret]"' in project.pulumi("stack", "output", "--json").text
    shown = json.loads(project.pulumi("stack", "output", "--json", "--show-secrets").text)
    assert shown == {"location": hidden[2]}
    for quiet in (
        project.up("--expect-no-changes", **environment),
        project.refresh("--expect-no-changes", **environment),
    ):
        assert quiet.ok, quiet.text
    record = json.dumps(project.export())
    for value in (environment["NAME"], *hidden):
        assert value in record
        assert [str(path) for path in _files(tmp_path) if value.encode() in path.read_bytes()] == []
    # This door's own sentences may name a token by its display name: it does not know what is secret.
    assert [line for line in done.text.splitlines() for value in hidden[1:] if value in line] == []
    assert [line for line in done.text.splitlines() if re.search(r"[Nn]ame\s*: .*Nobody", line)] == []
    token_file(tmp_path, "second", days=330, organization=hidden[1], location=hidden[2])
    renewed = project.up("--diff", **environment)
    assert renewed.ok, renewed.text
    assert "expirationDateTime" in renewed.text
    assert project.destroy().ok
