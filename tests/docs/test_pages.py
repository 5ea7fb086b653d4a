"""What the README and the pages of docs quote, name and link, against the code and the tree."""

from __future__ import annotations

import ast
import json
import posixpath
import re
from typing import TYPE_CHECKING

import pytest

import documentation
from documentation import REPOSITORY
from harness import ROOT
from intune_vpp.core.configuration import KEYS
from intune_vpp.dynamic import VppToken
from intune_vpp.graph.credentials.select import AZURE_CLI, METHODS
from intune_vpp_emulator.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Callable

PAGES = documentation.pages()
BLOCKS = documentation.all_blocks()
OTHERS = sorted(
    file
    for pattern in ("*.md", "examples/*/README.md", "tools/*/README.md", "bench/*.md")
    for file in ROOT.glob(pattern)
)
LINKING = PAGES | {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in OTHERS}
INDEX = "docs/_index.md"


def test_every_block_is_marked(record_property: Callable[[str, object], None]) -> None:
    """Each code block says in its mark which test runs it, or why none does; the summary of a run shows the counts."""
    run = sum(block.story is not None for block in BLOCKS)
    record_property("code blocks of the documentation", f"{run} run, {len(BLOCKS) - run} shown")
    assert [f"{block.page}:{block.line}" for block in BLOCKS if not block.marked] == []
    assert run > 50


def test_every_story_is_told() -> None:
    """Each story that a mark names is run by a test with the engine."""
    tests = "".join(file.read_text() for file in (ROOT / "tests" / "engine").glob("test_*.py"))
    stories = {block.story for block in BLOCKS if block.story}
    assert {name for name in stories if f'"{name}"' not in tests} == set()


def test_the_readme_is_short() -> None:
    """The README has at most 200 lines."""
    assert len(PAGES["README.md"].splitlines()) <= 200


@pytest.mark.parametrize("path", LINKING)
def test_links(path: str) -> None:
    """Each link of a page to a file of the repository, and to a heading, has its file and its heading."""
    found = documentation.links(LINKING[path])
    assert [link for link in found if (target := _target(path, link)) and not _exists(*target)] == []


def _target(path: str, link: str) -> tuple[str, str] | None:
    """The path in the repository and the anchor that a link names; None for a link to another site."""
    if link.startswith(REPOSITORY):
        path, link = "", link.removeprefix(REPOSITORY)
    if ":" in link.partition("/")[0]:
        return None
    file, _, anchor = link.partition("#")
    return (posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path), anchor


def _exists(file: str, anchor: str) -> bool:
    path = ROOT / file
    if anchor and path.is_dir():
        path /= "README.md"
    return path.exists() and (not anchor or anchor in documentation.anchors(path.read_text(encoding="utf-8")))


def test_every_page_and_example_is_linked() -> None:
    """The README has a link to each page and to each example."""
    targets = [_target("README.md", link) for link in documentation.links(PAGES["README.md"])]
    linked = {target[0] for target in targets if target}
    examples = {f"examples/{one.name}" for one in (ROOT / "examples").iterdir() if one.is_dir()}
    pages = {path for path in PAGES if not path.startswith(("README", INDEX, "docs/reference/"))}
    assert (examples | pages) - linked == set()


def test_the_registry_shows_the_example_of_the_schema() -> None:
    """The index page has the example of VppToken of schema.json, in each language."""
    schema = json.loads((ROOT / "schema.json").read_text())
    described = schema["resources"]["intune-vpp:index:VppToken"]["description"]
    shown = [block.text for block in BLOCKS if block.page == INDEX]
    written = [example.text for example in documentation.blocks("schema.json", described)][: len(shown)]
    module = re.compile(r'"\S+/sdk/go/intunevpp"')
    assert [module.sub("", one) for one in shown] == [module.sub("", one) for one in written]
    assert len(shown) == len(("TypeScript", "Python", "Go", "C#", "Java", "YAML"))


def test_messages_are_ours() -> None:
    """Each message that the table quotes is in the code, but for those that it calls Pulumi's."""
    table = PAGES["docs/messages.md"].splitlines()
    rows = [row for row in table if row.startswith("| `") and "| Pulumi's" not in row]
    assert len(rows) > 30
    said = _texts()
    for row in rows:
        quoted = row.split("`")[1]
        for piece in (piece.strip(" .,:;") for piece in quoted.split("…")):
            assert any(piece in text for text in said), f"{piece} in {quoted}"


def test_messages_of_the_runbooks_are_ours() -> None:
    """So is each message that a runbook quotes to say what can go wrong."""
    said = _texts()
    for path, text in PAGES.items():
        table = text.partition("## What can go wrong")[2].splitlines()
        for quoted in (row.split("`")[1] for row in table if row.startswith("| `") and "…" in row):
            for piece in (piece.strip(" .,:;") for piece in quoted.split("…")):
                assert any(piece in text for text in said), f"{path}: {piece} in {quoted}"


def test_the_faults_that_it_scripts() -> None:
    """The emulated tenant takes the rules that are shown."""
    page = PAGES["docs/emulator.md"]
    (shown,) = re.findall(r"/faults\" --data '(.+?)'", page, re.DOTALL)
    named = [json.loads(one) for one in re.findall(r"`(\{[^`]*\"(?:status|drop|drip|bytes|sync)\"[^`]*\})`", page)]
    rules = json.loads(shown) + named
    assert [{**one, "times": one.get("times", 1)} for one in rules] == Faults(rules).waiting()
    assert len(named) == len(("lost", "drips", "gzip", "a tenth", "hangs"))


def test_the_alias_of_a_move() -> None:
    """The old type is spelled out in each language, as the dynamic provider has it."""
    type_token = f"pulumi-python:dynamic/intune-vpp:{VppToken.__name__}"
    assert PAGES["docs/doors.md"].count(f'"{type_token}"') == len(("YAML", "Python", "TypeScript", "Go"))


def _texts() -> list[str]:
    """Every text in the provider, and in its f-strings what stands between the holes."""
    trees = [ast.parse(file.read_text()) for file in (ROOT / "provider" / "intune_vpp").rglob("*.py")]
    nodes = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [text for text in nodes if isinstance(text, str)]


def _rows(path: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    table = PAGES[path].partition(f"# {heading}\n")[2].partition("\n|")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()[2:]]


def test_the_configuration_keys() -> None:
    """The table of the configuration has each key, its variables in their order, and marks the secret ones."""
    rows = _rows("docs/installation-configuration.md", "All keys")
    assert [row[0] for row in rows] == [f"`{name}`" for name in KEYS]
    for (_, variables, value), key in zip(rows, KEYS.values(), strict=True):
        assert variables == ", ".join(f"`{name}`" for name in key.sources)
        assert ("**secret**" in value) is key.secret, key.name


def test_the_sign_in_methods() -> None:
    """The table of the methods has each of them in its order, with the keys that choose it and those that it needs."""
    rows = _rows("docs/sign-in.md", "Methods")
    assert [row[0] for row in rows] == [method.name for method in (*METHODS, AZURE_CLI)]
    for (_, chosen_by, needs), method in zip(rows, METHODS, strict=False):
        keys = {name for name in (method.switch, *method.chosen_by) if name}
        assert set(re.findall("`([A-Za-z_]+)`", chosen_by)) == keys
        assert {one[0] for one in method.needs} <= set(re.findall("`([A-Za-z]+)`", needs)), method.name
