"""The tables of cases, one file each; a key that is misspelt fails."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from intune_vpp.core.resource_type import UNKNOWN, snake_case

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CASES = Path(__file__).parent / "cases"
SPECIAL = {"<unknown>": UNKNOWN, "<nothing>": None}


def each(
    name: str, kind: Callable[..., Any], *, table: str = "case", where: Callable[[Any], bool] = lambda _: True
) -> pytest.MarkDecorator:
    """Run a test once for each case of a file that satisfies `where`.

    `kind` is a dataclass whose fields are the keys of its cases.
    """
    entries = tomllib.loads((CASES / f"{name}.toml").read_text(encoding="utf-8"))[table]
    names = [entry["case"] for entry in entries]
    assert len(names) == len(set(names)), f"two cases of {name} have one name"
    cases = [(kind(**entry), name) for entry, name in zip(entries, names, strict=True)]
    chosen = [pytest.param(case, id=name) for case, name in cases if where(case)]
    assert chosen, f"no case of {name} was chosen"
    return pytest.mark.parametrize("case", chosen)


def attributes(members: Mapping[str, Any]) -> dict[str, Any]:
    """Members in Graph's spelling as attributes in Python's."""
    return {snake_case(name): value(member) for name, member in members.items()}


def value(raw: Any) -> Any:
    """A value of a table in the model: TOML has no word for what is unknown or absent, and no tuples."""
    if isinstance(raw, list):
        return tuple(raw)
    return SPECIAL.get(raw, raw) if isinstance(raw, str) else raw


def instant(timestamp: str) -> datetime:
    """A date or a timestamp of a table, in UTC."""
    read = datetime.fromisoformat(timestamp)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def timestamp(text: str) -> str:
    """A date or a timestamp of a table as Graph would write it: a date is its first second in UTC."""
    return text if "T" in text else f"{text}T00:00:00Z"
