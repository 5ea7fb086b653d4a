"""The resource classes of operations in a program: arguments, attributes, and the run that fails with a revocation."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from dynamic.programs import input_sent, run, values
from intune_vpp.core import revocation
from intune_vpp.core.operations import LICENSE_COUNT_SYNC, LICENSE_REVOCATION, LICENSE_SYNC, OPERATIONS
from intune_vpp.core.resource_type import Kind
from intune_vpp.dynamic import LicenseCountSync, LicenseRevocation, LicenseSync

if TYPE_CHECKING:
    from intune_vpp.core.operations import Operation

TOKEN_ID = "22222222-2222-4222-8222-222222222222"
CLASSES: list[tuple[type[Any], Operation]] = [
    (LicenseSync, LICENSE_SYNC),
    (LicenseRevocation, LICENSE_REVOCATION),
    (LicenseCountSync, LICENSE_COUNT_SYNC),
]
TYPES = {Kind.STRINGS: "Sequence[str]", Kind.BOOL: "bool", Kind.COUNT: "int", Kind.JSON: "Any"}
ARGUMENTS: dict[str, Any] = {
    "vpp_token_id": TOKEN_ID,
    "triggers": ["nightly", {"build": 7}],
    "wait_for_sync": False,
    "notify_managed_devices": True,
    "revoke_untracked_licenses": False,
}
DONE = {
    "tenantId": "11111111-1111-4111-8111-111111111111",
    "requestedDateTime": "2026-11-01T12:00:00Z",
    "actionName": "revokeLicenses",
    "actionState": "done",
    "startDateTime": "2026-11-01T12:00:01Z",
    "lastUpdatedDateTime": "2026-11-01T12:00:02Z",
    "totalLicensesCount": 43,
    "failedLicensesCount": 0,
    "actionFailureReason": "none",
}


def arguments(operation: Operation) -> dict[str, Any]:
    """All arguments of an operation."""
    return {prop.attribute: ARGUMENTS[prop.attribute] for prop in operation.inputs}


def test_there_is_one_for_each_action() -> None:
    """No operation lacks its class."""
    assert [operation for _, operation in CLASSES] == list(OPERATIONS)


@pytest.mark.parametrize(("kind", "operation"), CLASSES)
def test_each_argument_arrives_under_graphs_name(kind: type[Any], operation: Operation) -> None:
    """Arguments in snake_case are inputs in camelCase, false ones too; None is the same as leaving it out."""
    given = arguments(operation)
    sent = input_sent(lambda: kind("one", **given))
    assert sent == {prop.name: ARGUMENTS[prop.attribute] for prop in operation.inputs}
    required = {prop.attribute: given[prop.attribute] for prop in operation.inputs if prop.required}
    nothing = dict.fromkeys(given)
    assert input_sent(lambda: kind("one", **{**nothing, **required})) == input_sent(lambda: kind("one", **required))
    assert len(input_sent(lambda: kind("one", **required))) == len(required)


def test_outputs_as_arguments() -> None:
    """A token's id may be an output, triggers may hold some."""

    def program() -> LicenseSync:
        return LicenseSync(
            "one",
            vpp_token_id=pulumi.Output.from_input(TOKEN_ID),
            triggers=[pulumi.Output.from_input(1), {"a": pulumi.Output.from_input("b")}],
        )

    assert input_sent(program) == {"vppTokenId": TOKEN_ID, "triggers": [1, {"a": "b"}]}


@pytest.mark.parametrize(("kind", "operation"), CLASSES)
def test_each_output_is_readable_by_its_attribute(kind: type[Any], operation: Operation) -> None:
    """Every property of the table is an attribute in snake_case."""
    outputs: dict[str, Any] = {prop.name: f"value of {prop.name}" for prop in operation.properties if not prop.sent}
    outputs |= {name: DONE[name] for name in DONE if name in outputs and name.startswith(("action", "total", "failed"))}

    def program() -> dict[str, pulumi.Output[Any]]:
        made = kind("one", **arguments(operation))
        return {prop.attribute: getattr(made, prop.attribute) for prop in operation.properties}

    expected = {**arguments(operation), **{p.attribute: outputs[p.name] for p in operation.properties if not p.sent}}
    found = values(program, outputs=outputs)
    assert found == expected
    assert {name for name, one in found.items() if isinstance(one, float)} == set()


@pytest.mark.parametrize(("kind", "operation"), CLASSES)
def test_the_attributes_are_the_tables(kind: type[Any], operation: Operation) -> None:
    """Each property is an annotated attribute of its type, described; an input that can be left out may be absent."""
    annotations = inspect.get_annotations(kind)
    types = {name: text.removeprefix("Output[").removesuffix("]") for name, text in annotations.items()}
    assert {name: text.removesuffix(" | None") for name, text in types.items()} == {
        prop.attribute: TYPES.get(prop.kind, "str") for prop in operation.properties
    }
    assert all(types[prop.attribute].endswith(" | None") for prop in operation.inputs if not prop.required)
    source = inspect.getsource(kind)
    assert [name for name in annotations if f'    {name}: {annotations[name]}\n    """' not in source] == []


@pytest.mark.parametrize(("kind", "operation"), CLASSES)
def test_the_arguments_are_the_tables(kind: type[Any], operation: Operation) -> None:
    """Each input is a keyword argument of its type, left out by default unless it is needed, and described."""
    parameters = dict(list(inspect.signature(kind.__init__).parameters.items())[2:])
    assert parameters.pop("opts").annotation == "pulumi.ResourceOptions | None"
    assert {one.kind for one in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}
    assert {name: (one.annotation, one.default) for name, one in parameters.items()} == {
        prop.attribute: (
            (f"Input[{TYPES.get(prop.kind, 'str')}]", inspect.Parameter.empty)
            if prop.required
            else (f"Input[{TYPES.get(prop.kind, 'str')}] | None", None)
        )
        for prop in operation.inputs
    }
    assert [name for name in parameters if f"            {name}: " not in (kind.__init__.__doc__ or "")] == []


@pytest.mark.parametrize(("kind", "operation"), CLASSES)
@pytest.mark.parametrize("options", [{"id": "x"}, {"import_": "x"}])
def test_options_that_cannot_work(kind: type[Any], operation: Operation, options: dict[str, Any]) -> None:
    """An operation cannot be looked up or imported: the sentence says what can be done."""
    message = (
        rf"^A {operation.name} is an operation: it can be neither imported nor looked up\. "
        r"Declare one in the program to run it\.$"
    )
    with pytest.raises(pulumi.RunError, match=message):
        kind("one", **arguments(operation), opts=pulumi.ResourceOptions(**options))


@pytest.mark.parametrize(("kind", "operation"), CLASSES)
def test_other_options_pass(kind: type[Any], operation: Operation) -> None:
    """Pulumi's other options are nobody's business here."""
    made = run(
        lambda: kind("one", **arguments(operation), opts=pulumi.ResourceOptions(protect=True)), outputs=DONE
    ).made
    assert len(made) == 1


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        (
            {"actionState": "failed", "failedLicensesCount": 43, "actionFailureReason": "expiredVppToken"},
            r"The licences of the token of .one. could not be revoked \(43 of 43\): the token has expired \(.+\)",
        ),
        (
            {"actionState": "failed", "actionFailureReason": "someDayReason"},
            r"could not be revoked: Intune gives the reason someDayReason\.",
        ),
        ({"actionState": "canceled"}, r"The revocation of the licences of the token of .one. was cancelled"),
        ({"actionState": "notSupported"}, r"Intune does not support revoking the licences of the token of .one."),
    ],
)
def test_a_failed_revocation_fails_the_run(ends: dict[str, Any], message: str) -> None:
    """The provider can only warn without losing the id, so the program fails, with the reason and the cure."""
    with pytest.raises(pulumi.RunError, match=f"{message}.* {re.escape(revocation.REPLACE_IT)}$"):
        run(lambda: LicenseRevocation("one", vpp_token_id=TOKEN_ID), outputs={**DONE, **ends})


@pytest.mark.parametrize(
    "ends",
    [
        {},
        {"actionState": "failed", "failedLicensesCount": 3, "actionFailureReason": "appleFailure"},
        {"actionState": "done", "failedLicensesCount": 3},
    ],
)
def test_other_ends_fail_nothing(ends: dict[str, Any]) -> None:
    """One that was done, or left only some licences, is no failure of the program."""
    assert len(run(lambda: LicenseRevocation("one", vpp_token_id=TOKEN_ID), outputs={**DONE, **ends}).made) == 1


@pytest.mark.parametrize("state", ["active", "someDayState", None])
def test_one_that_was_not_seen_to_end_fails_the_run(state: str | None) -> None:
    """What follows in a pipeline must not take it for done; a preview, before an update goes on waiting, may pass."""
    outputs = {**DONE, "actionState": state, "startDateTime": None if state is None else DONE["startDateTime"]}

    def program() -> LicenseRevocation:
        return LicenseRevocation("one", vpp_token_id=TOKEN_ID)

    with pytest.raises(
        pulumi.RunError, match=r'of the token of "one" has not been confirmed\. Run pulumi again to continue'
    ):
        run(program, outputs=outputs)
    assert len(run(program, outputs=outputs, preview=True).made) == 1


@pytest.mark.parametrize("preview", [True, False])
def test_two_of_one_token_are_refused(preview: bool) -> None:  # noqa: FBT001 - a parameter
    """The second would revoke once more: the program fails, in preview too; another run of it starts anew."""

    def program(other: str) -> None:
        LicenseRevocation("one", vpp_token_id=TOKEN_ID)
        LicenseRevocation("two", vpp_token_id=pulumi.Output.from_input(other))

    with pytest.raises(pulumi.RunError, match=r'^"(one|two)" and "(two|one)" revoke the licences of the same token\.'):
        run(lambda: program(TOKEN_ID.upper()), outputs=DONE, preview=preview)
    for _ in range(2):
        assert len(run(lambda: program("33333333-2222-4222-8222-222222222222"), outputs=DONE).made) == 2


@pytest.mark.parametrize("odd", [None, 7, ["a"]])
def test_an_id_that_is_no_text_is_for_check_to_refuse(odd: Any) -> None:
    """The program neither claims it nor fails over it."""
    made = run(lambda: LicenseRevocation("one", vpp_token_id=pulumi.Output.from_input(odd)), outputs=DONE).made
    assert made[0].inputs.get("vppTokenId") == odd


def test_keys_of_triggers_are_nobodys_to_spell() -> None:
    """They arrive as they are, and come back so."""
    triggers = {"build_id": 1, "buildId": 2, "Camel Case": {"vpp": 3}}
    sent = input_sent(lambda: LicenseSync("one", vpp_token_id=TOKEN_ID, triggers=triggers))
    assert sent["triggers"] == triggers

    def program() -> dict[str, pulumi.Output[Any]]:
        return {"triggers": LicenseCountSync("one", triggers=triggers).triggers}

    assert values(program, outputs={})["triggers"] == triggers


@pytest.mark.parametrize(("kind", "operation"), CLASSES)
def test_names_there_and_back(kind: type[Any], operation: Operation) -> None:
    """Each name becomes the other one's and comes back; the engine's own names are left alone."""
    for prop in operation.properties:
        assert kind.translate_input_property(None, prop.attribute) == prop.name
        assert kind.translate_output_property(None, prop.name) == prop.attribute
    assert kind.translate_input_property(None, "__provider") == "__provider"
