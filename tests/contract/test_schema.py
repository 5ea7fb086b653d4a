"""The schema, which is the contract with users in every language, against what the provider really does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from intune_vpp import __version__, settings
from intune_vpp.core.configuration import KEYS
from intune_vpp.core.resource_type import camel_case, snake_case
from intune_vpp.core.revocation import Result
from intune_vpp.core.vpp_token import VPP_TOKEN, TokenFile
from intune_vpp.lifecycle.queries import Filter
from intune_vpp.plugin import functions, servicer
from schema import (
    BETA_ONLY,
    ENUMS,
    FILE,
    FUNCTIONS,
    GRAPH,
    LANGUAGES,
    NEVER_NULL,
    PACKAGE,
    PATH,
    REPLACES,
    RESOURCES,
    SCHEMA,
    TYPES,
    everything,
    examples,
    expected,
    importing,
    named_in,
    shape,
    texts,
)

if TYPE_CHECKING:
    from enum import StrEnum

RESOURCE = RESOURCES["VppToken"]
ASKED = {prop.name: prop for prop in VPP_TOKEN.inputs if prop.name != "tokenFile"}
"""The inputs of a program; `tokenFile` is one that Check alone adds."""

EXAMPLED = {**RESOURCES, **FUNCTIONS}


def test_the_inputs_are_the_tables() -> None:
    """Each input of the table, and no other, is an input of the resource, in the same order and of the same type."""
    assert list(RESOURCE["inputProperties"]) == list(ASKED)
    for name, prop in ASKED.items():
        assert shape(RESOURCE["inputProperties"][name]) == expected(prop, given=True), name


def test_the_outputs_are_the_tables() -> None:
    """Each property of the table, and no other, is an output of the resource, of the same type."""
    assert set(RESOURCE["properties"]) == set(VPP_TOKEN.by_name)
    for name, described in RESOURCE["properties"].items():
        assert shape(described) == expected(VPP_TOKEN.by_name[name], given=False), name


def test_no_input_is_required() -> None:
    """A token that is adopted or imported needs none of the inputs that creating one needs: Check asks for those."""
    assert "requiredInputs" not in RESOURCE
    required = {name for name, prop in ASKED.items() if prop.required}
    marked = {name for name, one in RESOURCE["inputProperties"].items() if "Required to create" in one["description"]}
    assert marked == required


def test_outputs_that_are_always_there() -> None:
    """What is required of a state is what Graph never leaves out and what the provider always adds."""
    own = {prop.name for prop in VPP_TOKEN.properties if prop.default is not None} | {"tenantId", "syncPending"}
    assert set(RESOURCE["required"]) == NEVER_NULL | own


def test_defaults_are_the_providers_own() -> None:
    """No SDK fills in a value: an input that is left out stays out; its description says what that means."""
    assert [path for path, node in everything(SCHEMA) if {"default", "defaultInfo", "const"} & set(node)] == []
    for name, prop in ASKED.items():
        text = RESOURCE["inputProperties"][name]["description"]
        assert ("default `true`" in text) == (prop.default is True), name
        assert ("default `false`" in text) == (prop.default is False), name


def test_nothing_replaces_a_token() -> None:
    """No property asks for a replacement, in the engine or in the documentation."""
    assert [path for path, node in everything(RESOURCE) if REPLACES & set(node)] == []


def test_secrets() -> None:
    """The file and what signs in are secrets on their way in; what comes out never is."""
    secret = [path for path, node in everything(SCHEMA) if node.get("secret") is True]
    keys = [name for name, key in KEYS.items() if key.secret]
    assert secret == [
        *(f"/config/variables/{name}" for name in keys),
        *(f"/provider/inputProperties/{name}" for name in keys),
        f"/resources/{PACKAGE}VppToken/inputProperties/token",
        f"/functions/{PACKAGE}parseTokenFile/inputs/properties/token",
    ]


def test_a_lookup_takes_no_state() -> None:
    """A resource that is read by its id takes nothing else: Check would not see a token file there."""
    assert [name for name, one in RESOURCES.items() if "stateInputs" in one] == []


def test_beta_only_members_are_marked() -> None:
    """Descriptions say "Beta only." of the members that v1.0 lacks, and of no other."""
    for part in (RESOURCE["inputProperties"], RESOURCE["properties"], TYPES["VppTokenInfo"]["properties"]):
        marked = {name for name, described in part.items() if BETA_ONLY in described["description"]}
        assert marked == {name for name in part if name in VPP_TOKEN.by_name and VPP_TOKEN.by_name[name].beta_only}


def test_members_name_their_source() -> None:
    """Whatever comes from Graph names the page of Microsoft's that describes it."""
    for name in {prop.name for prop in VPP_TOKEN.observed}:
        for part in ("inputProperties", "properties"):
            text = RESOURCE[part].get(name, {}).get("description")
            assert text is None or GRAPH in text, name
    for name in ENUMS:
        assert GRAPH in TYPES[name]["description"]


def test_the_enumerations_are_the_models() -> None:
    """Each enumeration has the members that the provider knows, and each member its words."""
    assert {name for name, described in TYPES.items() if "enum" in described} == set(ENUMS)
    for name, members in ENUMS.items():
        assert [member["value"] for member in TYPES[name]["enum"]] == list(members)
        for member in TYPES[name]["enum"]:
            assert member["name"] == member["value"][0].upper() + member["value"][1:]


def test_enumerations_may_grow() -> None:
    """No property is bound to an enumeration: a member that Microsoft adds later passes as text."""
    bound = [
        path
        for path, node in everything(SCHEMA)
        if node.get("$ref", "").rpartition(":")[2] in ENUMS and not re.search(r"/oneOf/\d+$", path)
    ]
    assert bound == []


def test_the_object_types() -> None:
    """What a state knows of a file, and Graph's results of actions, have the members that the provider passes on."""
    file, result = TYPES["TokenFile"], TYPES["TokenActionResult"]
    assert list(file["properties"]) == [camel_case(name) for name in TokenFile.__slots__]
    assert file["required"] == ["fingerprint"]
    assert list(result["properties"]) == [camel_case(name) for name in Result.__slots__]
    assert "required" not in result
    assert set(TYPES) == {*ENUMS, "TokenFile", "TokenActionResult", "VppTokenInfo", "AppLicenses"}


def test_what_functions_show_of_a_token() -> None:
    """A token that is looked up has its id and all that Graph shows, of the same types as the resource's outputs."""
    shown = TYPES["VppTokenInfo"]["properties"]
    assert list(shown) == ["id", *(prop.name for prop in VPP_TOKEN.observed)]
    for prop in VPP_TOKEN.observed:
        assert shape(shown[prop.name]) == shape(RESOURCE["properties"][prop.name])
    assert set(TYPES["VppTokenInfo"]["required"]) == NEVER_NULL | {"id"}


def test_the_functions_are_the_plugins() -> None:
    """Each function that the plugin answers is in the schema, and nothing else is."""
    assert set(SCHEMA["functions"]) == set(functions.FUNCTIONS)


def test_the_functions_inputs_and_outputs() -> None:
    """Functions take and give what the plugin takes and gives."""
    one, every, file = FUNCTIONS["getVppToken"], FUNCTIONS["getVppTokens"], FUNCTIONS["parseTokenFile"]
    assert tuple(one["inputs"]["properties"]) == functions._WAYS
    assert "required" not in one["inputs"]
    assert {**TYPES["VppTokenInfo"]["properties"], "tenantId": one["outputs"]["properties"]["tenantId"]} == one[
        "outputs"
    ]["properties"]
    assert set(one["outputs"]["required"]) == NEVER_NULL | {"id", "tenantId"}
    assert [snake_case(name) for name in every["inputs"]["properties"]] == list(Filter.__slots__)
    assert "required" not in every["inputs"]
    assert shape(every["outputs"]["properties"]["vppTokens"]) == {
        "type": "array",
        "items": {"$ref": f"#/types/{PACKAGE}VppTokenInfo"},
    }
    assert shape(file["inputs"]["properties"]["token"]) == {"oneOf": FILE}
    assert file["inputs"]["required"] == ["token"]
    assert set(file["outputs"]["properties"]) == {"fingerprint", "organizationName", "expirationDateTime"}
    assert set(file["outputs"]["required"]) == set(file["outputs"]["properties"])


def test_what_a_list_is_filtered_by() -> None:
    """`pulumi do` lists tokens by the filters of `getVppTokens`; each is plain text, since only those become flags."""
    listed, every = RESOURCE["listInputs"], FUNCTIONS["getVppTokens"]["inputs"]["properties"]
    assert listed["type"] == "object"
    assert {name: one["description"] for name, one in listed["properties"].items()} == {
        name: one["description"] for name, one in every.items()
    }
    assert {one["type"] for one in listed["properties"].values()} == {"string"}
    assert [name for name, one in RESOURCES.items() if "listInputs" in one] == ["VppToken"]


def test_the_configuration_is_the_settings() -> None:
    """The keys of the stack's configuration and of an explicit provider are those that the settings know, in order."""
    assert list(SCHEMA["config"]["variables"]) == list(KEYS)
    assert SCHEMA["provider"]["inputProperties"] == SCHEMA["config"]["variables"]
    for name, key in KEYS.items():
        described = SCHEMA["config"]["variables"][name]
        # SDKs write whatever is no plain text as JSON: an enumeration would arrive in quotes.
        assert shape(described) == {"type": key.kind.value}
        assert described.get("secret", False) is key.secret, name
        assert re.findall(r"`([A-Z][A-Z0-9_]+)`", described["description"]) == list(key.sources)


@pytest.mark.parametrize(
    ("key", "choices"), [("graphVersion", settings.GraphVersion), ("tokenEncoding", settings.TokenEncoding)]
)
def test_choices_of_the_configuration_are_named(key: str, choices: type[StrEnum]) -> None:
    """A key with a handful of values names each of them."""
    described = SCHEMA["config"]["variables"][key]["description"]
    assert [choice for choice in choices if f"`{choice}`" not in described] == []


def test_every_description_is_a_sentence() -> None:
    """Whatever can be described is, and each description ends with a full stop, before and after its examples."""
    for path, text in texts().items():
        before, _, after = text.partition("{{% examples %}}")
        assert before.rstrip().endswith("."), path
        after = after.partition("{{% /examples %}}")[2]
        assert not after or not after.strip() or after.rstrip().endswith("."), path
    described = set(texts())
    for path, node in everything(SCHEMA):
        if re.search(r"/(properties|inputProperties|variables|enum)/[^/]+$", path) or "enum" in node:
            assert path in described, path


@pytest.mark.parametrize("name", EXAMPLED)
def test_an_example_in_each_language(name: str) -> None:
    """Every resource and every function shows one program in each language, in the same order."""
    assert list(examples(EXAMPLED[name])) == LANGUAGES


@pytest.mark.parametrize("name", EXAMPLED)
def test_examples_speak_of_what_is_there(name: str) -> None:
    """The Python program of each example is one, and names only what the schema has, as the other languages do."""
    described = EXAMPLED[name]
    known = described.get("inputProperties") or described["inputs"]["properties"]
    shown = examples(described)
    (called,) = named_in(shown["python"]).values()
    assert called
    assert called <= {snake_case(one) for one in known}
    for word in map(camel_case, called):
        assert word in shown["typescript"]
        assert word in shown["yaml"]
        assert word in shown["java"]
        assert word[0].upper() + word[1:] in shown["go"]
        assert word[0].upper() + word[1:] in shown["csharp"]


def test_how_to_import() -> None:
    """The resource says how a token is imported, with the form of its id."""
    assert re.search(
        rf"pulumi import {PACKAGE}VppToken lincoln [0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\n",
        importing(RESOURCE),
    )


def test_it_is_the_distributions() -> None:
    """Name, version and licence are those of the distribution; `tools/registry` checks the addresses."""
    project = tomllib.loads(PATH.with_name("pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {key: SCHEMA[key] for key in ("name", "license")} == {key: project[key] for key in ("name", "license")}
    assert SCHEMA["version"] == metadata.version("intune-vpp") == __version__
    assert {"category/cloud", "kind/native"} <= set(SCHEMA["keywords"])
    assert SCHEMA["language"]["python"]["packageName"] == "pulumi_intune_vpp"


def test_how_it_is_written() -> None:
    """The file is laid out as `json.dumps` does it, so that a change shows as the lines that it changes."""
    assert PATH.read_text(encoding="utf-8") == json.dumps(SCHEMA, indent=2, ensure_ascii=False) + "\n"


def test_the_plugin_serves_it() -> None:
    """What the plugin answers to GetSchema is this schema, whole."""
    assert json.loads(servicer.schema()) == SCHEMA


@pytest.mark.engine
@pytest.mark.timeout(120)
def test_pulumi_accepts_it() -> None:
    """`pulumi schema check` validates and binds the schema without a word."""
    command = [sys.executable, str(PATH.with_name("tools") / "engine"), "--ready", "--json"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, f"No engine: run `make engine` first. {found.stderr}"
    environment = {**os.environ, **json.loads(found.stdout.splitlines()[-1])["environment"]}
    checked = subprocess.run(
        ["pulumi", "schema", "check", str(PATH)],  # noqa: S607 - the PATH is the engine's
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
