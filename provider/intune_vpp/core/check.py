"""Checks the inputs of any type of resource against its description, before anything is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from intune_vpp.core.countries import COUNTRIES, OTHER_CODES
from intune_vpp.core.printable import CONTROLS, printable
from intune_vpp.core.resource_type import UNKNOWN, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from intune_vpp.core.resource_type import Property, ResourceType

GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_EDGES = re.compile(r"\A[\s\u200b\u200e\u200f\u2060\ufeff]+|[\s\u200b\u200e\u200f\u2060\ufeff]+\Z")
"""White space and marks of no width; not the joiners of scripts and emoji, which may end a name."""
_TRIMMED = frozenset({Kind.STRING, Kind.STRINGS, Kind.COUNTRY, Kind.GUID, Kind.CHOICE})
_ONE_LINE = "must be a single line of text without control characters."


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an input cannot be used, on one printable line; `property` is its name in state and schema, or empty."""

    property: str
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", printable(self.reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings that a check depends on. `beta` says whether Graph's beta is configured."""

    beta: bool = True
    expiry_warning_days: int = 30


def check(
    resource_type: ResourceType, inputs: Mapping[str, Any], policy: Policy, *, creates: bool = True
) -> list[Problem]:
    """Return the problems with `inputs`, which are keyed by Graph's names. With any problem, nothing may be sent.

    Inputs of the kinds FINGERPRINT and OBJECT are left to the type's own check. If `creates` is true, the inputs that a
    new resource requires must be present.
    """
    problems = []
    if resource_type.beta_only and not policy.beta:
        problems.append(Problem("", needs_beta(f"A {resource_type.name}")))
    known = {prop.name for prop in resource_type.inputs}
    problems += [
        Problem("", f"{name} is not an input of a {resource_type.name}.")
        for name in inputs
        # The engine's own members begin with two underscores.
        if name not in known and not name.startswith("__")
    ]
    for prop in resource_type.inputs:
        value = inputs.get(prop.name)
        if value is None:
            if creates and prop.required:
                problems.append(Problem("", f"{prop.name} is required to create a {resource_type.name}."))
        elif prop.beta_only and not policy.beta:
            problems.append(Problem(prop.name, needs_beta(prop.name, f"leave {prop.name} out")))
        elif value is not UNKNOWN and (reason := type_error(prop, value)):
            problems.append(Problem(prop.name, reason))
    return problems


def trimmed(resource_type: ResourceType, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs without the blanks and invisible marks around names and identifiers.

    They come from tables, chats and variables with a newline, and Graph would keep them.
    """
    kinds = {prop.name: prop.kind for prop in resource_type.inputs}
    return {name: _trimmed(value) if kinds.get(name) in _TRIMMED else value for name, value in inputs.items()}


def trim(text: str) -> str:
    """Return a name or identifier without what cannot be seen around it."""
    return _EDGES.sub("", text)


def _trimmed(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return type(value)(_trimmed(item) for item in value)
    return trim(value) if isinstance(value, str) else value


def needs_beta(what: str, way_out: str = "") -> str:
    """Return the message for something that Graph's v1.0 does not have; `way_out` is an alternative to beta."""
    cure = f"{way_out}, or set" if way_out else "set"
    return f"{what} needs Graph's beta: {cure} intune-vpp:graphVersion (INTUNE_VPP_GRAPH_VERSION) to beta."


def type_error(prop: Property, value: object) -> str | None:
    """Return why a value does not fit a property's kind, None if it does."""
    if prop.kind in {Kind.FINGERPRINT, Kind.OBJECT}:
        return None
    if prop.kind is Kind.CHOICE:
        choices = list(prop.choices or ())
        return None if value in choices else f"{prop.name} must be one of: {', '.join(choices)}."
    if prop.kind is Kind.COUNTRY:
        return _country_error(prop, value)
    fits, wanted = _FITTING.get(prop.kind, (_is_text, "must be a non-empty string."))
    if not fits(value):
        return f"{prop.name} {wanted}"
    # Intune shows a string on one line, and Pulumi may print it raw: a control character could act on the terminal.
    shown = prop.kind in {Kind.STRING, Kind.STRINGS}
    return f"{prop.name} {_ONE_LINE}" if shown and _has_controls(value) else None


def _country_error(prop: Property, value: object) -> str | None:
    code = value.upper() if isinstance(value, str) and value.isascii() else ""
    if code in COUNTRIES:
        return None
    hint = f" For {code} it is {OTHER_CODES[code]}." if code in OTHER_CODES else ""
    return f"{prop.name} must be a two-letter country code of ISO 3166, such as US.{hint}"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_texts(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) and item for item in value)


def _has_controls(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_has_controls, value))
    return isinstance(value, str) and CONTROLS.search(value) is not None


def _is_plain(value: object) -> bool:
    """Whether a value consists of strings, numbers, booleans, unknown values, lists and objects only."""
    if isinstance(value, (list, tuple)):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(_is_plain(item) for item in value.values())
    return value is None or value is UNKNOWN or isinstance(value, (str, bool, int, float))


_FITTING: dict[Kind, tuple[Callable[[object], bool], str]] = {
    Kind.BOOL: (lambda value: isinstance(value, bool), "must be true or false."),
    Kind.STRINGS: (_are_texts, "must be a list of non-empty strings."),
    Kind.GUID: (
        lambda value: isinstance(value, str) and GUID.fullmatch(value) is not None,
        "must be an id (a GUID).",
    ),
    Kind.JSON: (_is_plain, "cannot contain assets: use a hash of the file instead."),
}
