"""The description of a type of resource: its properties, each with its kind, compare rule and destination.

Check, diff, preview, state, Graph's JSON, the schema test and both doors read it; a property is described nowhere else.
Names are Graph's own, attributes their mechanical snake_case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable


class Unknown(Enum):
    """A value that only the update will know (Pulumi's unknown in preview)."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN


class Kind(StrEnum):
    """The type of a property's value."""

    STRING = "string"
    BOOL = "bool"
    STRINGS = "strings"
    COUNTRY = "country"
    GUID = "guid"
    CHOICE = "choice"
    TIME = "time"
    FINGERPRINT = "fingerprint"
    OBJECT = "object"
    OBJECTS = "objects"
    COUNT = "count"
    JSON = "json"


class Compare(StrEnum):
    """How two values of a property are compared."""

    EXACT = "exact"
    CASELESS = "caseless"
    SET = "set"
    NEVER = "never"


class Sent(StrEnum):
    """Whether an input is sent to Graph as a member of the entity, or is for the provider only."""

    MEMBER = "member"
    PROVIDER_ONLY = "providerOnly"


_LETTER_AFTER_UNDERSCORE = re.compile(r"_([a-z])")
_CAPITAL = re.compile(r"([A-Z])")


@cache
def camel_case(snake: str) -> str:
    """Graph's spelling of a Python name: `appleId` for `apple_id`. Names with two leading underscores stay."""
    return snake if snake.startswith("__") else _LETTER_AFTER_UNDERSCORE.sub(lambda found: found[1].upper(), snake)


def snake_case(camel: str) -> str:
    """Python's spelling of a Graph name: `apple_id` for `appleId`."""
    return camel if camel.startswith("__") else _CAPITAL.sub(lambda found: f"_{found[1].lower()}", camel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property of a resource.

    `sent` is None for a property that is only an output. `required` marks the inputs that a new resource needs.
    `default` is the value of a provider-only input that the program leaves out. `observed` says that Graph returns the
    property. `members` are the known members of an object, or of each object in a list; the `model` of an object is
    built from them, by attribute.
    """

    attribute: str
    kind: Kind = Kind.STRING
    sent: Sent | None = None
    compare: Compare = Compare.EXACT
    beta_only: bool = False
    required: bool = False
    choices: type[StrEnum] | None = None
    default: bool | None = None
    observed: bool = False
    members: tuple[Property, ...] = ()
    model: Callable[..., object] | None = None

    name: str = field(init=False)
    """Graph's name: `appleId` for `apple_id`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", camel_case(self.attribute))


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """One type of resource: its name in Pulumi, its properties, and whether only Graph's beta has it."""

    name: str
    properties: tuple[Property, ...]
    beta_only: bool = False

    @cached_property
    def inputs(self) -> tuple[Property, ...]:
        """The properties that a program can set."""
        return tuple(prop for prop in self.properties if prop.sent)

    @cached_property
    def members(self) -> tuple[Property, ...]:
        """The inputs that Graph returns, and that can therefore drift."""
        return tuple(prop for prop in self.inputs if prop.sent is Sent.MEMBER and prop.observed)

    @cached_property
    def observed(self) -> tuple[Property, ...]:
        """The properties that Graph returns."""
        return tuple(prop for prop in self.properties if prop.observed)

    @cached_property
    def by_name(self) -> dict[str, Property]:
        """The properties by Graph's names."""
        return {prop.name: prop for prop in self.properties}

    def __getitem__(self, attribute: str) -> Property:
        """The property with this attribute. Raises KeyError."""
        return self._by_attribute[attribute]

    @cached_property
    def _by_attribute(self) -> dict[str, Property]:
        return {prop.attribute: prop for prop in self.properties}


def same(prop: Property, one: object, other: object) -> bool:
    """Whether two values of a property are equal by its compare rule."""
    if one is None or other is None or one is UNKNOWN or other is UNKNOWN:
        return one is other
    match prop.compare:
        case Compare.CASELESS:
            return str(one).casefold() == str(other).casefold()
        case Compare.SET:
            return set(one) == set(other)  # type: ignore[call-overload,no-any-return]
        case _:
            return _with_types(one) == _with_types(other)


def is_blank(value: object) -> bool:
    """Whether Graph's value of a property is null or empty. A boolean never is."""
    return value is None or value in ("", ())


def _with_types(value: Any) -> object:
    """Return the value with booleans that differ from numbers: in Python, `True` equals 1."""
    match value:
        case bool():
            return (bool, value)
        case list() | tuple():
            return [_with_types(one) for one in value]
        case dict():
            return {name: _with_types(one) for name, one in value.items()}
        case _:
            return value
