"""The pictures of the documentation."""

from __future__ import annotations

import html
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"


@pytest.fixture(scope="module")
def tool() -> dict[str, Any]:
    """The names of the script."""
    return runpy.run_path(str(ROOT / "tools" / "pictures.py"))


def _words(svg: str) -> str:
    """The text of a picture, where each line is an element, and a space one that does not break."""
    return html.unescape(" ".join(re.findall(r"<text[^>]*>(.*?)</text>", svg))).replace("\xa0", " ")


def test_what_is_drawn(tool: dict[str, Any], tmp_path: Path) -> None:
    """The command and what it printed are text in the picture, which loads nothing from elsewhere."""
    file = tmp_path / "up.svg"
    tool["draw"](tool["Scene"]("up", "pulumi up", "\x1b[31m+ 1 <created>\x1b[0m\nlincoln"), file)
    svg = file.read_text()
    for words in ("pulumi up", "+ 1 <created>", "lincoln"):
        assert words in _words(svg)
    assert "\x1b" not in svg
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("up", ["pulumi up", "Creates Lincoln", "2 created"]),
        ("renewal", ["pulumi preview", "Renews Lincoln in place", "sha256:", "1 to update"]),
        ("refused", ["pulumi preview", "Refusing to replace a newer token with an older one"]),
        ("drift", ["pulumi refresh", "was changed outside of Pulumi", "Lincoln (old)"]),
    ],
)
def test_the_pictures_that_are_stored(name: str, shown: list[str]) -> None:
    """Each picture shows what it is named for, and no path of the machine that made it."""
    svg = (PICTURES / f"{name}.svg").read_text()
    words = re.sub(r"\s+", " ", _words(svg))
    for one in shown:
        assert one in words
    assert not re.search(r"/(?:tmp|home|root|work|Users|usr)/", words)
