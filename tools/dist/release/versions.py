"""The version of a release, which is written in four places and must be the same in all."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from release.commands import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_PACKAGE = "provider/intune_vpp/__init__.py"
_TAG = re.compile(r"v(\d+\.\d+\.\d+)")
_HEADING = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", re.MULTILINE)


def version(root: Path = ROOT) -> str:
    """Return the version of the package, from its source."""
    text = (root / _PACKAGE).read_text(encoding="utf-8")
    (found,) = re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    return str(found)


def problems(tag: str, root: Path = ROOT) -> list[str]:
    """Return a sentence for each place whose version is not that of the tag; none if a release can be made."""
    matched = _TAG.fullmatch(tag)
    if matched is None:
        return [f"The tag {tag} does not have the form vX.Y.Z."]
    wanted = matched[1]
    schema = json.loads((root / "schema.json").read_text(encoding="utf-8")).get("version")
    headings = _HEADING.findall((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    found = []
    if version(root) != wanted:
        found.append(f"The tag is {tag}, but {_PACKAGE} has the version {version(root)}.")
    if schema != wanted:
        found.append(f"The tag is {tag}, but schema.json has the version {schema}.")
    if headings[:1] != [wanted]:
        newest = f"the newest release in CHANGELOG.md is {headings[0]}" if headings else "CHANGELOG.md has no release"
        found.append(f"The tag is {tag}, but {newest}: add a heading `## [{wanted}] - YYYY-MM-DD`.")
    return found
