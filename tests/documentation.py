"""The pages of the documentation: their code blocks, each with its mark, and their links.

The line before a code block is its mark, an HTML comment:

- `run: STORY`: commands for bash. A test runs the blocks of a story in their order, in one folder;
- `run: STORY file=NAME`: the content of a file of that folder;
- `run: STORY output`: what the commands before it print, line by line, with `…` for any text, and a date for any date;
- `shown: REASON`: no test runs it.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from harness import PROXIES, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from markdown_it.token import Token

REPOSITORY = "https://github.com/intune-vpp/pulumi-intune-vpp/blob/main/"
"""How the registry's pages name files of this repository: there, relative links lead nowhere."""

_MARK = re.compile(
    r"<!-- (?:run: (?P<story>[\w-]+)(?: file=(?P<file>\S+)| (?P<output>output))?|shown: (?P<why>.+)) -->"
)
_DONE = "--- end of block "
_DATE = re.compile(r"\b20\d\d(\\?-)\d\d\1\d\d")


@dataclass(frozen=True, slots=True)
class Block:
    """A code block: where it begins, its text, and what its mark says."""

    page: str
    line: int
    text: str
    marked: bool
    story: str | None = None
    file: str | None = None
    is_output: bool = False


def pages() -> dict[str, str]:
    """The text of each page by its path in the repository."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}


def all_blocks() -> list[Block]:
    """The code blocks of all pages."""
    return [block for path, text in pages().items() for block in blocks(path, text)]


def page(path: str) -> str:
    """The text of one page."""
    return (ROOT / path).read_text(encoding="utf-8")


def blocks(path: str, text: str) -> list[Block]:
    """The code blocks of a page, fenced or indented, in their order."""
    lines = text.splitlines()
    found = []
    for token in MarkdownIt().parse(text):
        if token.type in {"fence", "code_block"} and token.map:
            before = lines[token.map[0] - 1].strip() if token.map[0] else ""
            mark = _MARK.fullmatch(before)
            said = mark.groupdict() if mark else {}
            story, file, output = said.get("story"), said.get("file"), said.get("output")
            found.append(Block(path, token.map[0] + 1, token.content, mark is not None, story, file, bool(output)))
    return found


def story(name: str, path: str) -> list[Block]:
    """The blocks of a story on a page."""
    found = [block for block in blocks(path, page(path)) if block.story == name]
    assert found, f"no block of {path} is marked run: {name}"
    return found


def file_of(name: str, file: str, path: str) -> str:
    """The content of the only file of a story with this name."""
    (found,) = (block.text for block in story(name, path) if block.file == file)
    return found


def run(
    told: Sequence[Block], folder: Path, environment: Mapping[str, str], *, seconds: float, pasted: str = ""
) -> str:
    """Run the blocks of a story in a folder; what they print. Fails if a command does, or prints something else.

    `pasted` is what a command reads that asks the reader to paste something.
    """
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", _script(told)],  # noqa: S607 - any bash will do
        cwd=folder,
        env=dict(environment),
        input=pasted,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    *parts, rest = re.split(rf"{_DONE}\d+\n", done.stdout)
    assert (len(parts), rest) == (len(told), ""), f"not every block was run to its end:\n{done.stdout}"
    printed = ""
    for part, block in zip(parts, told, strict=True):
        if block.is_output:
            _expect(block, printed)
        else:
            printed = part
    return done.stdout


def _expect(block: Block, printed: str) -> None:
    """Fail unless the lines of an output block were printed, in their order, with as many spaces as they like."""
    shown = iter([" ".join(line.split()) for line in printed.splitlines()])
    lines = [line for line in block.text.splitlines() if line.strip()]
    assert lines, f"{block.page}:{block.line} expects nothing"
    for line in lines:
        expected = ".*".join(re.escape(piece) for piece in " ".join(line.split()).split("…"))
        # Files that are made today expire on another day tomorrow.
        expected = _DATE.sub(r"\\d{4}-\\d\\d-\\d\\d", expected)
        pattern = re.compile(rf"(?<!\d){expected}(?!\d)")
        assert any(pattern.search(one) for one in shown), f"{block.page}: {line} is not in\n{printed}"


def _script(told: Sequence[Block]) -> str:
    """One script of the blocks: bash keeps its variables from one to the next."""
    parts = []
    for number, block in enumerate(told):
        if block.file:
            parts.append(f"cat > '{block.file}' <<'END_OF_BLOCK'\n{block.text}END_OF_BLOCK\n")
        elif not block.is_output:
            parts.append(block.text)
        parts.append(f"echo '{_DONE}{number}'\n")
    return "".join(parts)


def shell(engine: Mapping[str, str], folder: Path, commands: Path) -> dict[str, str]:
    """A shell in which all is installed, with a home and a Pulumi of its own that asks nothing."""
    (folder / "state").mkdir()
    (folder / "home" / "Downloads").mkdir(parents=True)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI")},
        **PROXIES,
        **engine,
        "PATH": f"{commands}{os.pathsep}{engine['PATH']}",
        "HOME": str(folder / "home"),
        "PULUMI_HOME": str(folder / "home" / ".pulumi"),
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "for a test",
        "PULUMI_SKIP_CONFIRMATIONS": "true",
    }


def links(text: str) -> list[str]:
    """The addresses of all links and images of a page."""
    inline = [child for token in MarkdownIt().parse(text) for child in token.children or ()]
    return [str(target) for child in inline if (target := child.attrGet("href") or child.attrGet("src"))]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    tokens = MarkdownIt().parse(text)
    found: set[str] = set()
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            plain = re.sub(r"[^\w\- ]", "", _plain(inline).lower()).replace(" ", "-")
            numbered = (f"{plain}-{number}" if number else plain for number in range(len(found) + 1))
            found.add(next(one for one in numbered if one not in found))
    return found


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or () if child.type in {"text", "code_inline"})
