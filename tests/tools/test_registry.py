"""The rules of Pulumi's registry, on a tree that keeps them and on trees that break one each."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import registry_rules
from registry_rules import ENTRY, INDEX, INSTALLATION, PROGRAMS, PUBLISHERS, SCHEMA, TABS, check

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
LOGO = "docs/pictures/logo.svg"
KEYS = json.loads((ROOT / SCHEMA).read_text())["config"]["variables"]
FRONT = "---\ntitle: {title}\nmeta_desc: Manage Apple VPP tokens.\nlayout: package\n---\n\n"


def tabs(languages: tuple[str, ...], fenced: Callable[[str], str]) -> str:
    """A chooser with a tab for each language."""
    inside = "".join(
        f"{{{{% choosable language {language} %}}}}\n\n```{fenced(language)}\n# one\n```\n\n{{{{% /choosable %}}}}\n"
        for language in languages
    )
    return f'{{{{< chooser language "{",".join(languages)}" >}}}}\n{inside}{{{{< /chooser >}}}}\n'


GOOD = {
    INDEX: f"{FRONT.format(title='Intune VPP')}See [Apple](https://support.apple.com/).\n\n"
    f"## Installation\n\n{tabs(TABS, lambda _: 'sh')}\n## Example Usage\n\n{tabs(PROGRAMS, str)}",
    INSTALLATION: f"{FRONT.format(title='Installation & Configuration')}## Configuration\n\n"
    + "".join(f"- `{key}`\n" for key in KEYS),
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree that keeps all rules: the schema, the entries and the logo of this repository, and two pages."""
    for name in (SCHEMA, ENTRY, PUBLISHERS, LOGO):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name, text in GOOD.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def edit(path: Path, **members: Any) -> None:
    """Set members of a JSON file; None removes one."""
    edited = {**json.loads(path.read_text()), **members}
    path.write_text(json.dumps({name: value for name, value in edited.items() if value is not None}))


def test_nothing_is_found(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tree that keeps the rules ends with 0, and one that does not with 1 and its findings."""
    assert registry_rules.main([str(tree)]) == 0
    assert "find nothing" in capsys.readouterr().out
    (tree / INDEX).unlink()
    assert registry_rules.main([str(tree)]) == 1
    assert capsys.readouterr().out == f"{INDEX} is missing.\n"


@pytest.mark.parametrize("name", [ENTRY, PUBLISHERS, SCHEMA])
def test_a_file_that_cannot_be_read(tree: Path, name: str) -> None:
    """What is no JSON object is found before any other rule reads it."""
    for text in ("[]", "{"):
        (tree / name).write_text(text)
        assert check(tree) == [f"{name} is not a JSON object."]


@pytest.mark.parametrize(
    ("name", "members", "finding"),
    [
        (ENTRY, {"more": 1}, "The members must be"),
        (ENTRY, {"schemaFile": "provider/schema.json"}, "schemaFile must be"),
        (SCHEMA, {"name": "vpp"}, "name must be intune-vpp"),
        (SCHEMA, {"displayName": None}, "displayName is missing"),
        (SCHEMA, {"license": " "}, "license is missing"),
        (SCHEMA, {"version": "v1"}, "semantic version"),
        (SCHEMA, {"keywords": ["kind/native"]}, "keywords must have one of"),
        (SCHEMA, {"keywords": ["kind/native", "category/mdm"]}, "keywords must have one of"),
        (SCHEMA, {"keywords": ["category/cloud"]}, "kind/native"),
        (PUBLISHERS, {"another": "another"}, "the publisher of"),
        (SCHEMA, {"repository": None}, "repository must be"),
        (SCHEMA, {"homepage": "docs/_index.md"}, "homepage must be"),
        (SCHEMA, {"pluginDownloadURL": "https://api.github.com/intune-vpp"}, "pluginDownloadURL must be"),
        (SCHEMA, {"logoUrl": LOGO}, "logoUrl must be"),
        (SCHEMA, {"language": {"go": {}}}, "nodejs.packageName must be"),
        (SCHEMA, {"language": {"go": {"importBasePath": "example.com/a"}}}, "importBasePath must be"),
    ],
)
def test_a_member_that_the_registry_refuses(tree: Path, name: str, members: dict[str, Any], finding: str) -> None:
    """Each rule about the schema and the entries finds what breaks it."""
    edit(tree / name, **members)
    assert [one for one in check(tree) if finding in one]


def test_the_owner_alone(tree: Path) -> None:
    """The address of the plugin may have the owner alone: the engine adds the repository's name."""
    edit(tree / SCHEMA, pluginDownloadURL="github://api.github.com/intune-vpp")
    assert check(tree) == []


def test_another_repository(tree: Path) -> None:
    """A slug of another repository contradicts the name, the addresses, the logo and Go's import path."""
    edit(tree / ENTRY, repoSlug="contoso/pulumi-vpp")
    found = check(tree)
    words = ("name must", "repository must", "pluginDownloadURL must", "logoUrl must", "importBasePath must")
    assert [word for word in words if not any(word in one for one in found)] == []
    edit(tree / ENTRY, repoSlug="pulumi-intune-vpp")
    assert any("<owner>/<repository>" in one for one in check(tree))


def test_a_logo_that_is_not_there(tree: Path) -> None:
    """A logo that is missing, or no SVG, is found."""
    finding = [f"{LOGO}: The logo of {SCHEMA} must be there and begin with <svg."]
    (tree / LOGO).write_text("<html>")
    assert check(tree) == finding
    (tree / LOGO).unlink()
    assert check(tree) == finding


@pytest.mark.parametrize("part", ["resources", "functions"])
def test_an_example_that_is_missing(tree: Path, part: str) -> None:
    """A resource or function without an example in a language is found, with the language."""
    described = json.loads((tree / SCHEMA).read_text())[part]
    token, first = next(iter(described.items()))
    first["description"] = first["description"].replace("```java", "```text")
    edit(tree / SCHEMA, **{part: described})
    assert check(tree) == [f"{SCHEMA}: {token} has no example in java."]


@pytest.mark.parametrize(
    ("page", "old", "new", "finding"),
    [
        (INDEX, "---\n", "\n", "must begin with front matter"),
        (INSTALLATION, "---\n", "\n", "must begin with front matter"),
        (INDEX, "title: Intune VPP", "title: VPP", "must be the displayName"),
        (INSTALLATION, "title: Installation", "heading: Installation", "has no title"),
        (INDEX, "meta_desc: Manage", "description: Manage", "has no meta_desc"),
        (INDEX, "layout: package", "layout: page", "must be package"),
        (INDEX, "See [", "# Intune VPP\n\nSee [", ":7: A heading must have two #"),
        (INDEX, "## Example Usage", "## Examples", "## Example Usage is missing"),
        (INDEX, "## Installation", "## Setup", "## Installation is missing"),
        (INSTALLATION, "## Configuration", "## Settings", "## Configuration is missing"),
        (INDEX, "language hcl %", "language xml %", "no tab for hcl"),
        (INDEX, "```csharp", "```c#", "no program in csharp"),
        (INSTALLATION, "- `tenantId`\n", "", "does not name tenantId"),
        (INDEX, "{{% choosable language go %}}", "{{< choosable language go >}}", "chooser needs"),
        (INDEX, "{{< /chooser >}}", "", "2 chooser are opened, and 1 are closed"),
        (INDEX, "See ", "![A picture](pictures/up.svg) ", ":7: The line has an image"),
        (INSTALLATION, "- `tenantId`", '- `tenantId` <img src="up.svg">', ":9: The line has an image"),
        (INDEX, "See ", '<a href="./api-docs">', ":7: The line has a raw link"),
        (INDEX, "See ", "[How](how.md#it)", ":7: The line has a link to an .md file"),
    ],
)
def test_a_page_that_the_registry_refuses(tree: Path, page: str, old: str, new: str, finding: str) -> None:
    """Each rule about the pages finds what breaks it, with the line where there is one."""
    text = GOOD[page]
    assert old in text
    (tree / page).write_text(text.replace(old, new, 1))
    found = check(tree)
    assert any(one.startswith((page, INDEX)) for one in found if finding in one), found


def test_a_section_on_the_second_page(tree: Path) -> None:
    """The installation may be on the second page, and a code block has neither headings nor sections."""
    section = re.search(r"## Installation.*?(?=## Example)", GOOD[INDEX], re.DOTALL)
    assert section
    (tree / INDEX).write_text(GOOD[INDEX].replace(section[0], "```sh\n# not a heading\n## Installation\n```\n\n"))
    (tree / INSTALLATION).write_text(f"{GOOD[INSTALLATION]}\n{section[0]}")
    assert check(tree) == []
