"""What the README quotes and names, against the code."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

from intune_vpp.core.configuration import KEYS
from intune_vpp.dynamic import VppToken
from intune_vpp.graph.credentials.select import AZURE_CLI, METHODS
from intune_vpp_emulator.faults import Faults

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
MESSAGES = README.partition("## Common messages")[2].partition("\n## ")[0]


def test_messages_are_ours() -> None:
    """Each message that the table quotes is in the code, but for those that it calls Pulumi's."""
    rows = [row for row in MESSAGES.splitlines() if row.startswith("| `") and "| Pulumi's" not in row]
    assert len(rows) > 5
    said = _texts()
    for row in rows:
        quoted = row.split("`")[1]
        for piece in (piece.strip(" .,:;") for piece in quoted.split("…")):
            assert any(piece in text for text in said), f"{piece} in {quoted}"


def test_every_example_is_named() -> None:
    """Each example has its line and its link, and no link leads nowhere."""
    examples = {f"examples/{one.name}" for one in (ROOT / "examples").iterdir() if one.is_dir()}
    linked = set(re.findall(r"\]\(((?!https?:)[^)#]+)\)", README))
    assert examples <= linked
    assert not [one for one in linked if not (ROOT / one).exists()]


def test_links_within() -> None:
    """Each link to a heading has its heading."""
    headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= anchors


def test_the_faults_that_it_scripts() -> None:
    """The emulated tenant takes the rules that are shown."""
    (shown,) = re.findall(r"/faults\" --data '(.+?)'", README, re.DOTALL)
    named = [json.loads(one) for one in re.findall(r"`(\{[^`]*\"(?:status|drop|drip|bytes|sync)\"[^`]*\})`", README)]
    rules = json.loads(shown) + named
    assert [{**one, "times": one.get("times", 1)} for one in rules] == Faults(rules).waiting()
    assert len(named) == len(("lost", "drips", "gzip", "a tenth", "hangs"))


def test_the_alias_of_a_move() -> None:
    """The old type is spelled out in each language, as the dynamic provider has it."""
    type_token = f"pulumi-python:dynamic/intune-vpp:{VppToken.__name__}"
    assert README.count(f'"{type_token}"') == len(("YAML", "Python", "Go"))


def _texts() -> list[str]:
    """Every text in the provider, and in its f-strings what stands between the holes."""
    trees = [ast.parse(file.read_text()) for file in (ROOT / "provider" / "intune_vpp").rglob("*.py")]
    nodes = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [text for text in nodes if isinstance(text, str)]


def _rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    table = README.partition(f"\n### {heading}\n")[2].partition("\n|")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()[2:]]


def test_the_configuration_keys() -> None:
    """The table of the configuration has each key, its variables in their order, and marks the secret ones."""
    rows = _rows("Configuration")
    assert [row[0] for row in rows] == [f"`{name}`" for name in KEYS]
    for (_, variables, value), key in zip(rows, KEYS.values(), strict=True):
        assert variables == ", ".join(f"`{name}`" for name in key.sources)
        assert ("**secret**" in value) is key.secret, key.name


def test_the_sign_in_methods() -> None:
    """The table of the methods has each of them in its order, with the keys that choose it and those that it needs."""
    rows = _rows("Sign-in")
    assert [row[0] for row in rows] == [method.name for method in (*METHODS, AZURE_CLI)]
    for (_, chosen_by, needs), method in zip(rows, METHODS, strict=False):
        keys = {name for name in (method.switch, *method.chosen_by) if name}
        assert set(re.findall("`([A-Za-z_]+)`", chosen_by)) == keys
        assert {one[0] for one in method.needs} <= set(re.findall("`([A-Za-z]+)`", needs)), method.name
