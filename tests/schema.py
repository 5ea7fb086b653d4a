"""The schema as its tests read it: its parts by their short names, and what the provider's tables mean in it."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intune_vpp.core.enums import AccountType, ActionState, DeliveryProtocol, FailureReason, SyncStatus, TokenState
from intune_vpp.core.resource_type import Kind, Property

if TYPE_CHECKING:
    from collections.abc import Iterator
    from enum import StrEnum

PATH = Path(__file__).resolve().parents[1] / "schema.json"
PACKAGE = "intune-vpp:index:"
SCHEMA: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
RESOURCES: dict[str, Any] = {name.removeprefix(PACKAGE): found for name, found in SCHEMA["resources"].items()}
TYPES: dict[str, Any] = {name.removeprefix(PACKAGE): found for name, found in SCHEMA["types"].items()}
FUNCTIONS: dict[str, Any] = {name.removeprefix(PACKAGE): found for name, found in SCHEMA["functions"].items()}

ENUMS: dict[str, type[StrEnum]] = {
    "AccountType": AccountType,
    "DeliveryProtocol": DeliveryProtocol,
    "TokenState": TokenState,
    "SyncStatus": SyncStatus,
    "ActionState": ActionState,
    "ActionFailureReason": FailureReason,
}
"""Graph's enumerations as the provider knows them, by the end of Graph's own name."""

SHOWN_AS = {
    "state": TokenState,
    "lastSyncStatus": SyncStatus,
    "actionState": ActionState,
    "actionFailureReason": FailureReason,
}
"""Outputs whose members the tables leave open, since new ones pass through."""

NEVER_NULL = {
    "automaticallyUpdateApps",
    "expirationDateTime",
    "lastModifiedDateTime",
    "lastSyncStatus",
    "state",
    "vppTokenAccountType",
}
"""What neither version of Graph leaves out, by its metadata; `lastSyncDateTime` is, before the first sync."""

LANGUAGES = ["typescript", "python", "go", "csharp", "java", "yaml"]
GRAPH = "https://learn.microsoft.com/graph/"
BETA_ONLY = "Beta only."
REPLACES = {"replaceOnChanges", "willReplaceOnChanges"}
"""The marks of a property whose change asks for a replacement, in the engine or in the documentation."""

FILE = [{"type": "string"}, {"$ref": "pulumi.json#/Asset"}]
_SHAPES: dict[Kind, dict[str, Any]] = {
    Kind.BOOL: {"type": "boolean"},
    Kind.COUNT: {"type": "integer"},
    Kind.STRINGS: {"type": "array", "items": {"type": "string"}},
    Kind.OBJECT: {"$ref": f"#/types/{PACKAGE}TokenFile"},
    Kind.OBJECTS: {"type": "array", "items": {"$ref": f"#/types/{PACKAGE}TokenActionResult"}},
    Kind.JSON: {"$ref": "pulumi.json#/Any"},
}


def shape(described: dict[str, Any]) -> dict[str, Any]:
    """A property's type, without what is said about it."""
    return {key: value for key, value in described.items() if key not in {"description", "secret", *REPLACES}}


def expected(prop: Property, *, given: bool) -> dict[str, Any]:
    """The type that the table's kind means, as an input or as an output."""
    choices: type[StrEnum] | None = prop.choices or SHOWN_AS.get(prop.name)
    if choices:
        (name,) = (name for name, enum in ENUMS.items() if enum is choices)
        return {"oneOf": [{"type": "string"}, {"type": "string", "$ref": f"#/types/{PACKAGE}{name}"}]}
    if prop.kind is Kind.FINGERPRINT and given:
        return {"oneOf": FILE}
    return _SHAPES.get(prop.kind, {"type": "string"})


def everything(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of the schema with its path."""
    if isinstance(node, dict):
        yield path, node
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from everything(value, f"{path}/{key}")


def texts() -> dict[str, str]:
    """Every description of the schema with its path."""
    found = {path: node["description"] for path, node in everything(SCHEMA) if "description" in node}
    return {path: text for path, text in found.items() if isinstance(text, str)}


def examples(described: dict[str, Any]) -> dict[str, str]:
    """The programs in a description by their language."""
    _, opened, rest = described["description"].partition("{{% examples %}}")
    inside, closed, _ = rest.partition("{{% /examples %}}")
    assert opened
    assert closed
    return dict(re.findall(r"^```(\w+)\n(.*?)^```$", inside, re.DOTALL | re.MULTILINE))


def named_in(program: str) -> dict[str, set[str]]:
    """What a program in Python gives to each thing of the package that it calls."""
    calls = [node for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Call)]
    return {
        call.func.attr: {str(word.arg) for word in call.keywords}
        for call in calls
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "intune_vpp"
    }


def importing(described: dict[str, Any]) -> str:
    """What a resource says of its import."""
    _, _, section = described["description"].partition("## Import\n")
    return str(section).strip()
