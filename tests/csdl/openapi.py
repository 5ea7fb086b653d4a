"""An OpenAPI document of vppTokens, made from Graph's published metadata and from nothing else.

The conventions are OData's: what a collection, a key, a bound action and a bound function look like in HTTP.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET  # the files beside this one

_FOLDER = Path(__file__).parent
_PRIMITIVES: dict[str, dict[str, Any]] = {
    "Edm.String": {"type": "string"},
    "Edm.Boolean": {"type": "boolean"},
    "Edm.Int32": {"type": "integer", "format": "int32"},
    "Edm.DateTimeOffset": {"type": "string", "format": "date-time"},
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "innerError"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "innerError": {"type": "object"}},
        }
    },
}
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9a-f-]{1,36}$"}}


def document(version: str, token_id: str | None = None) -> dict[str, Any]:
    """The document of a version of Graph, `v1.0` or `beta`: of any token, or of one alone."""
    root = ET.fromstring((_FOLDER / f"{version}.xml").read_text(encoding="utf-8"))  # noqa: S314
    return _Maker(root, version, token_id).document()


class _Maker:
    def __init__(self, root: ET.Element, version: str, token_id: str | None) -> None:
        self._root, self._version = root, version
        self._tokens = f"/{version}/deviceAppManagement/vppTokens"
        self._token = f"{self._tokens}/{token_id or '{id}'}"
        self._id = [] if token_id else [_ID]

    def document(self) -> dict[str, Any]:
        types = {**self._types("EntityType"), **self._types("ComplexType"), **self._enumerations()}
        types["vppToken"]["properties"]["id"] = {"type": "string"}
        return {
            "openapi": "3.0.3",
            "info": {"title": "vppTokens", "version": self._version},
            "paths": self._collection() | self._entity() | self._operations(),
            "components": {
                "schemas": {**types, "vppTokenAnswered": _answered(types["vppToken"]), "error": _ERROR},
            },
        }

    def _types(self, kind: str) -> dict[str, Any]:
        return {one.attrib["Name"]: self._type(one) for one in self._root.iter(kind)}

    def _type(self, one: ET.Element) -> dict[str, Any]:
        base = self._root.find(f"ComplexType[@Name='{one.attrib.get('BaseType', '').rpartition('.')[2]}']")
        inherited = {} if base is None else self._type(base)["properties"]
        own = {prop.attrib["Name"]: _schema(prop) for prop in one.iter("Property")}
        return {"type": "object", "additionalProperties": False, "properties": {**inherited, **own}}

    def _enumerations(self) -> dict[str, Any]:
        return {
            one.attrib["Name"]: {"type": "string", "enum": [member.attrib["Name"] for member in one.iter("Member")]}
            for one in self._root.iter("EnumType")
        }

    def _names(self) -> list[str]:
        entity = next(one for one in self._root.iter("EntityType"))
        return [prop.attrib["Name"] for prop in entity.iter("Property")]

    def _collection(self) -> dict[str, Any]:
        names = {"type": "array", "items": {"type": "string", "enum": self._names()}, "minItems": 1}
        singles = [name for name in self._names() if name not in {"roleScopeTagIds", "tokenActionResults"}]
        orders = {"type": "string", "enum": [f"{name}{way}" for name in singles for way in ("", " asc", " desc")]}
        options = [
            {**_option("$select", names), "explode": False, "style": "form"},
            _option("$orderby", orders),
            _option("$top", {"type": "integer", "minimum": 1, "maximum": 999_999_999}),
            _option("$skip", {"type": "integer", "minimum": 0, "maximum": 999_999_999}),
            _option("$count", {"type": "boolean"}),
        ]
        page = {"type": "object", "required": ["value"], "properties": {"value": {"type": "array"}}}
        return {
            self._tokens: {
                "get": {"parameters": options, "responses": _responses(200, page)},
                "post": {
                    "requestBody": _body(_ref("vppToken")),
                    "responses": _responses(201, _ref("vppTokenAnswered")),
                },
            },
            f"{self._tokens}/$count": {"get": {"responses": _responses(200, {"type": "string"}, "text/plain")}},
        }

    def _entity(self) -> dict[str, Any]:
        answered = _responses(200, _ref("vppTokenAnswered"))
        return {
            self._token: {
                "parameters": self._id,
                "get": {"responses": answered},
                "patch": {"requestBody": _body(_ref("vppToken")), "responses": answered},
                "delete": {"responses": _responses(204)},
            }
        }

    def _operations(self) -> dict[str, Any]:
        paths: dict[str, Any] = {}
        for kind, method in (("Action", "post"), ("Function", "get")):
            for one in self._root.iter(kind):
                bound, *parameters = one.iter("Parameter")
                is_of_all = bound.attrib["Type"].startswith("Collection(")
                base = self._tokens if is_of_all else self._token
                operation: dict[str, Any] = {"parameters": [] if is_of_all else [*self._id], "responses": _result(one)}
                if method == "get":
                    names = [parameter.attrib["Name"] for parameter in parameters]
                    text = {"type": "string", "pattern": "^[a-z.]{1,20}$"}
                    operation["parameters"] += [
                        {"name": name, "in": "path", "required": True, "schema": text} for name in names
                    ]
                    arguments = ",".join(f"{name}='{{{name}}}'" for name in names)
                    paths[f"{base}/{one.attrib['Name']}({arguments})"] = {method: operation}
                else:
                    if parameters:
                        operation["requestBody"] = _body(_parameters(parameters))
                    paths[f"{base}/{one.attrib['Name']}"] = {method: operation}
        return paths


def _schema(one: ET.Element) -> dict[str, Any]:
    edm_type, nullable = one.attrib["Type"], one.attrib.get("Nullable") != "false"
    if edm_type.startswith("Collection("):
        item = _type_schema(edm_type[len("Collection(") : -1])
        return {"type": "array", "items": item, "nullable": nullable}
    schema = _type_schema(edm_type)
    return {**schema, "nullable": True} if nullable and "$ref" not in schema else schema


def _type_schema(edm_type: str) -> dict[str, Any]:
    return dict(_PRIMITIVES[edm_type]) if edm_type in _PRIMITIVES else _ref(edm_type.rpartition(".")[2])


def _answered(entity: dict[str, Any]) -> dict[str, Any]:
    """An entity in an answer has each member, and OData's annotations beside them."""
    return {"type": "object", "properties": entity["properties"], "required": sorted(entity["properties"])}


def _parameters(parameters: list[ET.Element]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {one.attrib["Name"]: _schema(one) for one in parameters},
        "required": [one.attrib["Name"] for one in parameters if one.attrib.get("Nullable") == "false"],
    }


def _result(one: ET.Element) -> dict[str, Any]:
    returned = one.find("ReturnType")
    if returned is None:
        return _responses(204)
    edm_type = returned.attrib["Type"]
    if not edm_type.startswith("Collection("):
        return _responses(200, _ref(f"{edm_type.rpartition('.')[2]}Answered"))
    item = _type_schema(edm_type[len("Collection(") : -1])
    value = {"type": "array", "items": item}
    return _responses(200, {"type": "object", "required": ["value"], "properties": {"value": value}})


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _option(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _responses(status: int, schema: dict[str, Any] | None = None, kind: str = "application/json") -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done"}
    if schema is not None:
        done["content"] = {kind: {"schema": schema}}
    return {
        str(status): done,
        "4XX": {"description": "Refused", "content": {"application/json": {"schema": _ref("error")}}},
    }
