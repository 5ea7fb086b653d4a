"""The reference pages: one for each resource and function of `schema.json`, one for the configuration, and a list.

Each code block has a comment on the line before it that says why no test runs it, and which test reads it instead.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "reference"
PACKAGE = "intune-vpp:index:"
MADE = "<!-- `make reference` writes this page from schema.json: change that file. -->"

_COMPILED = "tests/engine/test_sdks.py compiles it"
_READ = "tests/contract/test_schema.py compares its names with the schema"
LANGUAGES = {
    "typescript": ("TypeScript", _COMPILED),
    "python": ("Python", _COMPILED),
    "go": ("Go", _COMPILED),
    "csharp": ("C#", _READ),
    "java": ("Java", _READ),
    "yaml": ("YAML", _READ),
}
"""The heading of each language, and what checks its examples."""
_IMPORTED = "tests/engine/test_plugin_import.py imports a token so"

_SHORTCODE = re.compile(r"^\{\{% /?examples? %\}\}\n?", re.MULTILINE)
_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_DEFAULT = re.compile(r"\bdefault `?([\w.]+)`?")
_VARIABLE = re.compile(r"`([A-Z][A-Z0-9_]+)`")

Schema = dict[str, Any]
"""The schema, or an object in it."""


def pages(schema: Schema) -> dict[str, str]:
    """Return the text of each page by the name of its file."""
    made = {"README.md": _contents(schema), "configuration.md": _configuration(schema)}
    for token, resource in schema["resources"].items():
        made[f"{_short(token)}.md"] = _resource(token, resource, schema)
    for token, function in schema["functions"].items():
        made[f"{_short(token)}.md"] = _function(token, function, schema)
    return made


def main() -> int:
    """Write the pages, and delete those of what the schema no longer has."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = pages(json.loads((ROOT / "schema.json").read_text(encoding="utf-8")))
    for old in FOLDER.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(made)} pages in {FOLDER}\n")
    return 0


def _contents(schema: Schema) -> str:
    """The list of the pages, which GitHub shows for the folder."""
    rows = [("[Configuration](configuration.md)", "", "The keys of the provider, with their environment variables.")]
    for part, kind in (("resources", "resource"), ("functions", "function")):
        for token, described in schema[part].items():
            link = f"[{_short(token)}]({_short(token)}.md)"
            rows.append((link, kind, described["description"].partition("\n")[0]))
    return _page("# Reference", _table(("Page", "Kind", "About"), rows))


def _resource(token: str, resource: Schema, schema: Schema) -> str:
    name, (description, example, rest) = _short(token), _parts(resource["description"])
    given, shown = resource["inputProperties"], resource["properties"]
    dynamic = (
        f"The Python class of the dynamic provider is `intune_vpp.dynamic.{name}`. "
        "It has the same properties, in Python's spelling: `display_name` for `displayName`."
    )
    outputs = {"id": {"type": "string", "description": "The id that Pulumi has for the resource."}, **shown}
    return _page(
        f"# {name}",
        f"Resource `{token}`.",
        description,
        dynamic,
        *example,
        "## Inputs",
        _inputs(given, resource.get("requiredInputs", [])),
        "## Outputs",
        _outputs(outputs, ["id", *resource["required"]]),
        *_listing(name, resource),
        *_types([*given.values(), *shown.values()], schema),
        _marked(rest),
    )


def _function(token: str, function: Schema, schema: Schema) -> str:
    description, example, rest = _parts(function["description"])
    given, result = function["inputs"], function["outputs"]
    return _page(
        f"# {_short(token)}",
        f"Function `{token}`, of the plugin only.",
        description,
        *example,
        "## Arguments",
        _inputs(given["properties"], given.get("required", [])),
        "## Result",
        _outputs(result["properties"], result.get("required", [])),
        *_types([*given["properties"].values(), *result["properties"].values()], schema),
        _marked(rest),
    )


def _configuration(schema: Schema) -> str:
    rows = [
        (
            f"`{name}`",
            _type(one),
            _yes(one.get("secret")),
            "<br>".join(f"`{variable}`" for variable in _VARIABLE.findall(one["description"])),
            _default(one),
            one["description"],
        )
        for name, one in schema["config"]["variables"].items()
    ]
    return _page(
        "# Configuration",
        "Each key is an input of an explicit provider (`pulumi:providers:intune-vpp`), and a key of the stack's "
        "configuration with the prefix `intune-vpp:`. An input comes before the configuration, and the configuration "
        "before the environment. The dynamic provider reads the configuration and the environment.",
        _table(("Key", "Type", "Secret", "Environment", "Default", "Description"), rows),
    )


def _inputs(properties: Mapping[str, Schema], required: Iterable[str]) -> str:
    """The table of inputs; whether a change replaces the resource only where one does."""
    if not properties:
        return "None."
    replaces = {name for name, one in properties.items() if {"replaceOnChanges", "willReplaceOnChanges"} & set(one)}
    columns = ("Name", "Type", "Required", "Secret", "Default", "Description")
    rows = [
        (
            f"`{name}`",
            _type(one),
            "yes" if name in required else "to create" if "Required to create" in one["description"] else "",
            _yes(one.get("secret")),
            _default(one),
            f"**Replaces.** {one['description']}" if name in replaces else one["description"],
        )
        for name, one in properties.items()
    ]
    note = "A change of an input that is marked with **Replaces** replaces the resource, no other does."
    return _table(columns, rows) + (f"\n\n{note}" if replaces else "")


def _outputs(properties: Mapping[str, Schema], required: Iterable[str]) -> str:
    rows = [(f"`{name}`", _type(one), _yes(name in required), one["description"]) for name, one in properties.items()]
    return _table(("Name", "Type", "Always set", "Description"), rows)


def _listing(name: str, resource: Schema) -> Iterator[str]:
    """How `pulumi do` lists such resources, and the flags that filter them."""
    if "listInputs" in resource:
        yield "## List"
        yield f"`pulumi do --package <plugin> {PACKAGE}{name} list` lists those of the tenant. Its flags:"
        flags = resource["listInputs"]["properties"].items()
        yield _table(("Flag", "Description"), [(f"`--{_kebab(flag)}`", one["description"]) for flag, one in flags])


def _types(properties: Iterable[Schema], schema: Schema) -> Iterator[str]:
    """The tables of the types that the properties use, and that those use."""
    left, seen = list(properties), dict[str, Schema]()
    while left:
        for token in re.findall(rf"#/types/({PACKAGE}\w+)", json.dumps(left.pop(0))):
            if token not in seen:
                seen[token] = schema["types"][token]
                left.append(seen[token])
    if seen:
        yield "## Types"
    for token, found in sorted(seen.items()):
        yield f"### {_short(token)}"
        yield found["description"]
        if "enum" in found:
            members = [(f"`{one['value']}`", one["description"]) for one in found["enum"]]
            yield _table(("Value", "Description"), members)
        else:
            yield _outputs(found["properties"], found.get("required", []))


def _parts(text: str) -> tuple[str, list[str], str]:
    """A description before its examples, the parts of the section of the examples, and what follows it."""
    before, _, rest = text.partition("{{% examples %}}\n")
    inside, _, after = rest.partition("{{% /examples %}}")
    titles = re.findall(r"^### (.+)$", inside, re.MULTILINE)
    programs = _FENCED.findall(_SHORTCODE.sub("", inside))
    example = ["## Example", *(f"{title}." for title in titles)]
    for language, program in programs:
        heading, why = LANGUAGES[language]
        example += [f"### {heading}", f"<!-- shown: {why} -->\n```{language}\n{program}```"]
    return before.strip(), example, after.strip()


def _marked(text: str) -> str:
    """A text with the mark before each of its code blocks, which show an import."""
    return _FENCED.sub(lambda block: f"<!-- shown: {_IMPORTED} -->\n{block[0]}", text)


def _type(described: Schema) -> str:
    """A type in words, with a link to its table; an enumeration may grow, so any string is taken."""
    if "oneOf" in described:
        found = [_type(one) for one in described["oneOf"]]
        return " or ".join(dict.fromkeys(found))
    if described.get("type") == "array":
        return f"list of {_type(described['items'])}"
    reference = described.get("$ref", "")
    if reference.startswith("pulumi.json#/"):
        return str(reference.removeprefix("pulumi.json#/"))
    if reference:
        short = _short(reference)
        return f"[{short}](#{short.lower()})"
    return str(described["type"])


def _default(described: Schema) -> str:
    found = _DEFAULT.search(described["description"])
    return f"`{found[1].rstrip('.')}`" if found else ""


def _yes(value: object) -> str:
    return "yes" if value else ""


def _short(token: str) -> str:
    return token.rpartition(":")[2]


def _kebab(name: str) -> str:
    return re.sub(r"[A-Z]", lambda capital: f"-{capital[0].lower()}", name)


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [columns, ["---" for _ in columns], *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n\n", "<br>").replace("\n", " ")


def _page(*parts: str) -> str:
    return "\n\n".join(part for part in (MADE, *parts) if part) + "\n"
