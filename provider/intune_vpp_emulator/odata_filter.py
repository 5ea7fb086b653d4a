"""`$filter`: a text becomes a condition on entities.

Implemented are `eq ne gt ge lt le in`, `and or not`, parentheses, `startswith endswith contains tolower toupper isof`,
and members behind a type cast (`microsoft.graph.iosVppApp/bundleId`). The grammar is OData's
(docs.oasis-open.org/odata/odata/v4.01, ABNF); other operators are refused as not implemented.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from . import edm
from .refusals import bad_request, not_implemented

Entity = Mapping[str, Any]
Condition = Callable[[Entity], bool]

_MOST_TOKENS: Final = 600
_MOST_NESTED: Final = 60
_NULL: Final = "null"
_ANY: Final = "any"
"""The type of a member of another type than this emulator's entities have: it is null on all of them."""

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<string>(?:[A-Za-z][\w.]*)?'(?:[^']|'')*')
      | (?P<date>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d))
      | (?P<number>-?\d+(?:\.\d+)?(?![\w.-]))
      | (?P<word>[A-Za-z_][\w.]*(?:/[A-Za-z_$][\w.]*)*)
      | (?P<symbol>[(),:])
    )""",
    re.VERBOSE | re.ASCII,
)
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_KINDS: Final = {"eq": "Equal", "ne": "NotEqual", "gt": "GreaterThan", "ge": "GreaterThanOrEqual"} | {
    "lt": "LessThan",
    "le": "LessThanOrEqual",
    "in": "In",
}
_TESTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": operator.contains,
}
_CHANGES: Final[Mapping[str, Callable[[str], str]]] = {"tolower": str.lower, "toupper": str.upper}
# fmt: off
_NOT_IMPLEMENTED: Final = frozenset({
    "add", "sub", "mul", "div", "divby", "mod", "has", "any", "all", "length", "indexof", "substring", "trim", "concat",
    "matchespattern", "year", "month", "day", "hour", "minute", "second", "fractionalseconds", "date", "time",
    "totaloffsetminutes", "now", "maxdatetime", "mindatetime", "round", "floor", "ceiling", "cast", "case",
    "geo.distance", "geo.intersects", "geo.length",
})
# fmt: on


def sort_key(edm_type: str, value: Any) -> tuple[int, Any]:
    """What orders values of a type: null before all others, text by its letters whatever their case."""
    if value is None:
        return 0, 0
    if edm_type == edm.DATE:
        return 1, edm.ticks(value)
    return 1, value.casefold() if isinstance(value, str) else value  # a guess: text-case


def member(entity_type: edm.EntityType, path: str) -> tuple[str, Callable[[Entity], Any]]:
    """The type of a member and how to read it: `state`, `microsoft.graph.iosVppApp/bundleId`; raises Refusal."""
    cast, _, name = path.rpartition("/")
    if "/" in cast or (cast and "." not in cast):
        raise not_implemented(f"the path {path} in a query option")
    if not cast or entity_type.is_a(cast):
        return _own(entity_type, name)
    derived = entity_type.derived.get(edm.unqualified(cast))
    if derived is None:
        return _ANY, lambda _: None
    edm_type, _read = _own(derived, name)
    return edm_type, lambda entity: entity.get(name)


def _own(entity_type: edm.EntityType, name: str) -> tuple[str, Callable[[Entity], Any]]:
    edm_type = entity_type.all_members().get(name)
    if edm_type is None:
        raise bad_request(f"Could not find a property named '{name}' on type 'microsoft.graph.{entity_type.name}'.")
    return edm_type, lambda entity: entity[name]


def condition(text: str, entity_type: edm.EntityType) -> Condition:
    """What `$filter=text` selects; raises Refusal."""
    return _Parser(text, entity_type).condition()


@dataclass(frozen=True, slots=True)
class _Value:
    """A part of an expression: its type, its value for an entity, and the text of a literal."""

    edm_type: str
    of: Callable[[Entity], Any]
    literal: str | None = None


class _Parser:
    """Recursive descent, in the order of precedence: or, and, not, comparison, value."""

    def __init__(self, text: str, entity_type: edm.EntityType) -> None:
        self._text = text
        self._entity_type = entity_type
        self._tokens = self._split()
        self._next = 0

    def condition(self) -> Condition:
        found = self._either()
        if self._peek() is not None:
            self._fail()
        return self._boolean(found)

    def _split(self) -> list[re.Match[str]]:
        found: list[re.Match[str]] = []
        position = 0
        while self._text[position:].strip():
            token = _TOKEN.match(self._text, position)
            if token is None:
                self._fail()
            found.append(token)
            position = token.end()
        nested = sum(token.group().strip() in {"(", "not"} for token in found)
        if len(found) > _MOST_TOKENS or nested > _MOST_NESTED:
            raise bad_request("The $filter expression is too complex.")
        return found

    def _fail(self) -> NoReturn:
        raise bad_request(f"Invalid filter clause: there is a syntax error in '{self._text}'.")

    def _peek(self) -> str | None:
        return self._tokens[self._next].group().strip() if self._next < len(self._tokens) else None

    def _take(self, *expected: str) -> bool:
        if self._peek() not in expected:
            return False
        self._next += 1
        return True

    def _require(self, symbol: str) -> None:
        if not self._take(symbol):
            self._fail()

    def _boolean(self, value: _Value) -> Condition:
        if value.edm_type not in {edm.BOOLEAN, _ANY}:
            raise bad_request("The $filter expression must evaluate to a single boolean value.")
        return lambda entity: value.of(entity) is True

    def _either(self) -> _Value:
        first = self._both()
        if not self._take("or"):
            return first
        left, right = self._boolean(first), self._boolean(self._either())
        return _Value(edm.BOOLEAN, lambda entity: left(entity) or right(entity))

    def _both(self) -> _Value:
        first = self._negated()
        if not self._take("and"):
            return first
        left, right = self._boolean(first), self._boolean(self._both())
        return _Value(edm.BOOLEAN, lambda entity: left(entity) and right(entity))

    def _negated(self) -> _Value:
        if not self._take("not"):
            return self._comparison()
        inner = self._boolean(self._negated())
        return _Value(edm.BOOLEAN, lambda entity: not inner(entity))

    def _comparison(self) -> _Value:
        left = self._value()
        word = self._peek() or ""
        if word in _COMPARISONS:
            self._next += 1
            return _compared(left, word, self._value())
        if self._take("in"):
            return self._listed(left)
        if word in _NOT_IMPLEMENTED:
            raise not_implemented(f"the operator '{word}' in $filter")
        return left

    def _listed(self, left: _Value) -> _Value:
        self._require("(")
        tests = [_compared(left, "eq", self._value())]
        while self._take(","):
            tests.append(_compared(left, "eq", self._value()))
        self._require(")")
        return _Value(edm.BOOLEAN, lambda entity: any(test.of(entity) for test in tests))

    def _value(self) -> _Value:
        if self._take("("):
            inner = self._either()
            self._require(")")
            return inner
        if self._next == len(self._tokens):
            self._fail()
        token = self._tokens[self._next]
        self._next += 1
        if token["word"] is not None:
            return self._word(token["word"])
        if token["symbol"] is not None:
            self._fail()
        return _literal(token)

    def _word(self, word: str) -> _Value:
        if word in {"true", "false"}:
            return _constant(edm.BOOLEAN, word == "true")
        if word == _NULL:
            return _constant(_NULL, None)
        if self._take("("):
            return self._function(word)
        if word.rpartition("/")[2] in _NOT_IMPLEMENTED | {"$count"}:
            raise not_implemented(f"'{word}' in $filter")
        edm_type, read = member(self._entity_type, word)
        return _Value(edm_type, read)

    def _function(self, name: str) -> _Value:
        known = name.lower()  # Graph's own examples write isof and isOf
        if known.rpartition("/")[2] in _NOT_IMPLEMENTED:
            raise not_implemented(f"the function '{name}' in $filter")
        if known not in {*_TESTS, *_CHANGES, "isof"}:
            raise bad_request(f"An unknown function with name '{name}' was found.")
        if known == "isof":
            return self._is_of()
        arguments = [self._value()]
        while self._take(","):
            arguments.append(self._value())
        self._require(")")
        return _called(known, arguments)

    def _is_of(self) -> _Value:
        token = self._tokens[self._next] if self._next < len(self._tokens) else None
        self._next += 1
        if token is None or self._peek() == ",":
            raise not_implemented("isof with an expression in $filter")
        self._require(")")
        # Graph's documentation quotes the type, OData's does not.
        name = token["word"] or (token["string"] or "").strip("'")
        derived = self._entity_type.derived.get(edm.unqualified(name))
        if derived is None:
            return _constant(edm.BOOLEAN, self._entity_type.is_a(name))
        return _Value(edm.BOOLEAN, lambda entity: edm.unqualified(entity["@odata.type"]) == derived.name)


def _constant(edm_type: str, value: Any, literal: str | None = None) -> _Value:
    return _Value(edm_type, lambda _: value, literal)


def _literal(token: re.Match[str]) -> _Value:
    if token["number"] is not None:
        return _constant(edm.NUMBER, float(token["number"]))
    if token["date"] is not None:
        try:
            edm.ticks(token["date"])
        except ValueError:
            raise bad_request(f"Invalid filter clause: '{token['date']}' is not a date.") from None
        return _constant(edm.DATE, token["date"])
    qualifier, _, rest = token["string"].partition("'")
    text = rest[:-1].replace("''", "'")
    return _constant(edm.unqualified(qualifier) or edm.STRING, text, text)


def _compared(left: _Value, kind: str, right: _Value) -> _Value:
    left, right = _enumerated(left, right.edm_type), _enumerated(right, left.edm_type)
    edm_type = _common_type(left.edm_type, right.edm_type)
    if edm_type is None:
        raise bad_request(
            "A binary operator with incompatible types was detected. Found operand types "
            f"'{left.edm_type}' and '{right.edm_type}' for operator kind '{_KINDS[kind]}'."
        )
    compare = _COMPARISONS[kind]

    def holds(entity: Entity) -> bool:
        values = [left.of(entity), right.of(entity)]
        if None in values and kind not in {"eq", "ne"}:
            return False
        return compare(*(sort_key(edm_type, value) for value in values))

    return _Value(edm.BOOLEAN, holds)


def _common_type(left: str, right: str) -> str | None:
    types = {left, right} - {_NULL, _ANY}
    if types <= {edm.INT32, edm.NUMBER}:
        return edm.NUMBER
    if len(types) > 1 or any(one.startswith("Collection(") or one in edm.COMPLEX_TYPES for one in types):
        return None
    return next(iter(types))


def _enumerated(value: _Value, other: str) -> _Value:
    """A text beside an enumeration is one of its names."""
    if value.literal is None or other not in edm.ENUMERATIONS:
        return value
    if value.edm_type not in {edm.STRING, other} or value.literal not in edm.ENUMERATIONS[other]:
        raise bad_request(f"The string '{value.literal}' is not a valid enumeration type constant.")
    return _constant(other, value.literal, value.literal)


def _called(name: str, arguments: list[_Value]) -> _Value:
    wanted = 2 if name in _TESTS else 1
    if len(arguments) != wanted or any(one.edm_type not in {edm.STRING, _NULL, _ANY} for one in arguments):
        raise bad_request(f"No function signature for the function with name '{name}' matches the specified arguments.")
    reads = [one.of for one in arguments]
    if name in _CHANGES:
        change = _CHANGES[name]
        return _Value(edm.STRING, lambda entity: None if (text := reads[0](entity)) is None else change(text))
    test = _TESTS[name]

    def holds(entity: Entity) -> bool:
        texts = [read(entity) for read in reads]
        return None not in texts and test(*(text.casefold() for text in texts))  # a guess: text-case

    return _Value(edm.BOOLEAN, holds)
