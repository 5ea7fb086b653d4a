"""The reference pages against the schema that they are made from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import reference_pages

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "schema.json").read_text())
PAGES = reference_pages.pages(SCHEMA)
NAMED = {**SCHEMA["resources"], **SCHEMA["functions"]}


def test_the_pages_are_those_of_the_schema() -> None:
    """What is in docs/reference is, byte for byte, what `make reference` writes."""
    found = {page.name: page.read_text(encoding="utf-8") for page in reference_pages.FOLDER.iterdir()}
    assert found == PAGES, "run: make reference"


def test_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command writes each page, and deletes the page of what the schema no longer has."""
    folder = tmp_path / "reference"
    folder.mkdir()
    (folder / "Gone.md").write_text("of an older schema")
    monkeypatch.setattr(reference_pages, "FOLDER", folder)
    assert reference_pages.main() == 0
    assert {page.name: page.read_text() for page in folder.iterdir()} == PAGES


def test_everything_has_its_page() -> None:
    """Each resource and function has a page, and so has the configuration; the list of pages links to each."""
    names = {"configuration.md", *(f"{token.rpartition(':')[2]}.md" for token in NAMED)}
    assert set(PAGES) == {"README.md", *names}
    assert set(re.findall(r"\]\((\w+\.md)\)", PAGES["README.md"])) == names


@pytest.mark.parametrize("token", NAMED)
def test_a_page_has_all_of_it(token: str) -> None:
    """A page names each input, each output and each language, and has no shortcode of the registry's site."""
    described, page = NAMED[token], PAGES[f"{token.rpartition(':')[2]}.md"]
    given = described.get("inputProperties") or described["inputs"]["properties"]
    shown = described.get("properties") or described["outputs"]["properties"]
    assert [name for name in {**given, **shown} if f"| `{name}` |" not in page] == []
    assert re.findall(r"^```(\w+)$", page, re.MULTILINE)[:6] == list(reference_pages.LANGUAGES)
    assert "{{" not in page


@pytest.mark.parametrize("name", PAGES)
def test_each_block_is_marked(name: str) -> None:
    """The line before each code block says which test reads it, and that test is there."""
    lines = PAGES[name].splitlines()
    opened = [number for number, line in enumerate(lines) if re.match(r"```\w", line)]
    for number in opened:
        mark = re.fullmatch(r"<!-- shown: (tests/\S+) .+ -->", lines[number - 1])
        assert mark, lines[number]
        assert (ROOT / mark[1]).is_file()


@pytest.mark.parametrize("name", PAGES)
def test_the_links_lead_somewhere(name: str) -> None:
    """Each type that a table names is described on the same page."""
    headings = {heading.lower() for heading in re.findall(r"^### (\w+)$", PAGES[name], re.MULTILINE)}
    assert set(re.findall(r"\]\(#(\w+)\)", PAGES[name])) <= headings


def test_what_a_table_says() -> None:
    """Rows say what is required, secret, the default, and what replaces the resource."""
    token, sync = PAGES["VppToken.md"], PAGES["LicenseSync.md"]
    assert "| `token` | string or Asset | to create | yes |  | " in token
    assert "| `deletionProtection` | boolean |  |  | `true` | " in token
    assert "Replaces" not in token
    assert "| `vppTokenId` | string | yes |  |  | **Replaces.** " in sync
    assert (
        "| `clientSecret` | string | yes | `ARM_CLIENT_SECRET`<br>`AZURE_CLIENT_SECRET` |  | "
        in PAGES["configuration.md"]
    )
    assert "`--expires-before`" in token
