"""OData's query options on a collection or an entity of any type: read once, then applied to rows.

learn.microsoft.com/graph/query-parameters: on beta the `$` may be left out.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from . import edm
from .odata_filter import condition, member, sort_key
from .refusals import bad_request, not_implemented

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from werkzeug.datastructures import MultiDict

    from .odata_filter import Condition, Entity

COLLECTION_OPTIONS: Final = frozenset({"$select", "$filter", "$orderby", "$top", "$skip", "$count", "$skiptoken"})
ENTITY_OPTIONS: Final = frozenset({"$select"})
COUNT_OPTIONS: Final = frozenset({"$filter"})
_NOT_IMPLEMENTED: Final = frozenset(
    {"$expand", "$search", "$format", "$apply", "$compute", "$deltatoken", "$levels", "$index", "$schemaversion", "$id"}
)
_SYSTEM_OPTIONS: Final = COLLECTION_OPTIONS | _NOT_IMPLEMENTED
_ORDER: Final = re.compile(r"\s*([\w./]+)(?:\s+(asc|desc))?\s*", re.ASCII)

Row = tuple[int, "Entity"]
"""An entity and its number, by which the collection is ordered where nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class OrderBy:
    """One member of `$orderby`."""

    edm_type: str
    read: Callable[[Entity], Any]
    descending: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of a collection; `after` is the `$skiptoken` of the next one, `count` that of all pages."""

    entities: list[dict[str, Any]]
    after: str | None
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked of a collection. `after` is where the last page ended: the ordering values, then the number."""

    select: tuple[str, ...] = ()
    where: Condition | None = None
    order: tuple[OrderBy, ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    after: tuple[Any, ...] | None = None

    @property
    def first_number(self) -> int:
        """Rows of lower numbers cannot be on the page."""
        if self.after is None or self.order or self.count:
            return 0
        return int(self.after[-1]) + 1

    def page(self, rows: Iterable[Row], size: int) -> Rows:
        """The part of the rows, given in the order of their numbers, that is asked for: at most `size`."""
        matching = (row for row in rows if self.where is None or self.where(row[1]))
        count = None
        if self.order or self.count:
            every = sorted(matching, key=cmp_to_key(self._compare))
            matching, count = (row for row in every), len(every) if self.count else None
        most = min(self.top or size, size)
        rest = (row for row in matching if self._is_left(row))
        found = list(islice(rest, self.skip, self.skip + most + 1))
        after = self._skip_token(found[most - 1]) if len(found) > most else None
        return Rows([selected(entity, self.select) for _, entity in found[:most]], after, count)

    def _is_left(self, row: Row) -> bool:
        return self.after is None or self._compare_positions(self._position(row), self.after) > 0

    def _position(self, row: Row) -> tuple[Any, ...]:
        return *(one.read(row[1]) for one in self.order), row[0]

    def _skip_token(self, row: Row) -> str:
        return base64.urlsafe_b64encode(json.dumps(self._position(row)).encode()).decode()

    def _compare(self, left: Row, right: Row) -> int:
        return self._compare_positions(self._position(left), self._position(right))

    def _compare_positions(self, left: tuple[Any, ...], right: tuple[Any, ...]) -> int:
        for by, one, other in zip(self.order, left, right, strict=False):
            keys = sort_key(by.edm_type, one), sort_key(by.edm_type, other)
            if keys[0] != keys[1]:
                return (1 if keys[0] > keys[1] else -1) * (-1 if by.descending else 1)
        return int(left[-1]) - int(right[-1])


ALL: Final = Query()


def read_options(parameters: MultiDict[str, str], allowed: frozenset[str], *, prefix_optional: bool) -> dict[str, str]:
    """The query options of a request, each by its name with `$`; raises Refusal for one that is not `allowed`."""
    options: dict[str, str] = {}
    for given, value in parameters.items(multi=True):
        name = given.lower() if given.startswith("$") else f"${given.lower()}"
        if not given.startswith("$") and not (prefix_optional and name in _SYSTEM_OPTIONS):
            continue  # a custom query option: OData leaves those to the service, and this one has none
        if name in options:
            raise bad_request(
                f"Query option '{name}' was specified more than once, but it must be specified at most once."
            )
        options[name] = value
    for name in options:
        _check_allowed(name, allowed)
    return options


def query(options: Mapping[str, str], entity_type: edm.EntityType) -> Query:
    """The query that these options ask for; raises Refusal."""
    # a guess: query-options
    order = _order(options.get("$orderby"), entity_type)
    return Query(
        select=_select(options.get("$select"), entity_type),
        where=condition(options["$filter"], entity_type) if "$filter" in options else None,
        order=order,
        top=_number(options, "$top", least=1),
        skip=_number(options, "$skip", least=0) or 0,
        count=_boolean(options, "$count"),
        after=_after(options.get("$skiptoken"), order),
    )


def selected(entity: Entity, names: tuple[str, ...]) -> dict[str, Any]:
    """The selected members of an entity, with its annotations; all of them without a name."""
    if not names:
        return dict(entity)
    return {name: value for name, value in entity.items() if name in names or name.startswith("@odata.")}


def next_link(url: str, options: Mapping[str, str], after: str) -> str:
    """The address of the next page: `$skip` has been applied on the first one."""
    rest = {name: value for name, value in options.items() if name != "$skip"} | {"$skiptoken": after}
    return f"{url}?{urlencode(rest, safe='$,()=', quote_via=quote)}"


def _check_allowed(name: str, allowed: frozenset[str]) -> None:
    if name in allowed:
        return
    if name in _NOT_IMPLEMENTED:
        raise not_implemented(f"the query option '{name}'")
    if name in _SYSTEM_OPTIONS:
        raise bad_request(f"The query option '{name}' cannot be applied to this resource.")
    raise bad_request(f"The query parameter '{name}' is not supported.")


def _select(text: str | None, entity_type: edm.EntityType) -> tuple[str, ...]:
    paths = [] if text is None else [one.strip() for one in text.split(",")]
    if "" in paths:  # OData's grammar has no empty item
        raise bad_request(f"Invalid $select clause: there is a syntax error in '{text}'.")
    if "*" in paths:
        return ()
    for path in paths:
        member(entity_type, path)
    return tuple(sorted({path.rpartition("/")[2] for path in paths}))


def _order(text: str | None, entity_type: edm.EntityType) -> tuple[OrderBy, ...]:
    return () if text is None else tuple(_order_by(one, entity_type) for one in text.split(","))


def _order_by(text: str, entity_type: edm.EntityType) -> OrderBy:
    by = _ORDER.fullmatch(text)
    if by is None:
        raise bad_request(f"Invalid $orderby clause: there is a syntax error in '{text}'.")
    edm_type, read = member(entity_type, by[1])
    if edm_type.startswith("Collection(") or edm_type in edm.COMPLEX_TYPES:
        raise bad_request("The $orderby expression must evaluate to a single value of primitive type.")
    return OrderBy(edm_type, read, by[2] == "desc")


def _number(options: Mapping[str, str], name: str, *, least: int) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) < least:
        raise bad_request(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def _boolean(options: Mapping[str, str], name: str) -> bool:
    text = options.get(name, "false")
    if text not in {"true", "false"}:
        raise bad_request(f"Invalid value '{text}' for {name} query option found.")
    return text == "true"


def _after(text: str | None, order: tuple[OrderBy, ...]) -> tuple[Any, ...] | None:
    if text is None:
        return None
    try:
        position = json.loads(base64.urlsafe_b64decode(text))
    except (ValueError, binascii.Error, RecursionError):
        raise _invalid_skip_token() from None
    if not isinstance(position, list) or len(position) != len(order) + 1 or type(position[-1]) is not int:
        raise _invalid_skip_token()
    if not all(_is_value_of(one, by.edm_type) for one, by in zip(position[:-1], order, strict=True)):
        raise _invalid_skip_token()
    return tuple(position)


def _is_value_of(value: object, edm_type: str) -> bool:
    if value is None:
        return True
    # The control routes may have set a name that an enumeration lacks.
    return isinstance(value, str) if edm_type in edm.ENUMERATIONS else edm.fits(value, edm_type)


def _invalid_skip_token() -> Exception:
    return bad_request("The $skiptoken is invalid.")
