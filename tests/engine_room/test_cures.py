"""What each door says about an error that carries a cure."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import provider_pb2

from intune_vpp.core.errors import Cure, DeletionRefused, IntuneVppError, StateError, WaitInterrupted
from intune_vpp.dynamic.spelling import errors_in_python, in_python
from intune_vpp.engine import cures
from intune_vpp.plugin.grpc_errors import PartialFailure, grpc_handler

WORDS = {
    Cure.GIVE_FILE: "Run pulumi up with the program that names the file.",
    Cure.LIST_TOKENS: "Token ids are GUIDs; getVppTokens lists them.",
    Cure.UNPROTECT: "Set deletionProtection to false, run pulumi up, then delete it. "
    "If the resource is pending deletion, remove it with pulumi state delete; the token stays in Intune.",
    Cure.DELETE_WITHOUT_REVOKING: "To delete it anyway, set revokeLicensesOnDelete to false, run pulumi up, "
    "then delete it.",
    Cure.WAIT_AGAIN: "Run pulumi again to continue waiting.",
    Cure.RESUME: "The next pulumi up continues from there.",
    Cure.CORRECT_STATE: "Correct or remove that member with `pulumi state edit`.",
    Cure.ADD_TO_STATE: "Add it with `pulumi state edit`.",
}


class Aborted(Exception):
    """What a servicer's context raises to end a call."""


class Context:
    """A servicer's context that keeps the message of an abort."""

    def __init__(self) -> None:
        self.message = ""

    def invocation_metadata(self) -> tuple[()]:
        """Return no metadata."""
        return ()

    def set_trailing_metadata(self, _metadata: Any) -> None:
        """Take the status."""

    def abort(self, _code: Any, message: str) -> NoReturn:
        """End the call."""
        self.message = message
        raise Aborted


class Servicer:
    """A servicer whose only call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    @grpc_handler
    def call(self, _request: Any, _context: Any) -> empty_pb2.Empty:
        """Fail."""
        raise self._error


def said_by_plugin(error: Exception) -> str:
    """The message with which the plugin ends a call that raises this error."""
    context: Any = Context()
    with pytest.raises(Aborted):
        Servicer(error).call(provider_pb2.DeleteRequest(), context)
    return str(context.message)


def said_by_dynamic(error: IntuneVppError) -> str:
    """The message of what the dynamic provider raises for this error."""
    with pytest.raises(type(error)) as caught, errors_in_python():
        raise error
    return str(caught.value)


@pytest.mark.parametrize("cure", Cure)
def test_both_doors_word_a_cure(cure: Cure) -> None:
    """After what happened each door says what to do in Pulumi, the dynamic one with the names of arguments."""
    error = DeletionRefused("Lincoln was not deleted.", cure=cure)

    assert str(error) == "Lincoln was not deleted."
    assert cures.sentence(error) == said_by_plugin(error) == f"Lincoln was not deleted. {WORDS[cure]}"
    assert said_by_dynamic(error) == f"Lincoln was not deleted. {in_python(WORDS[cure])}"


def test_an_error_without_a_cure_is_its_message() -> None:
    """Nothing follows a message that says all there is to say."""
    error = DeletionRefused("Lincoln was not deleted.")

    assert cures.sentence(error) == said_by_plugin(error) == said_by_dynamic(error) == "Lincoln was not deleted."


def test_the_dynamic_door_keeps_the_names_of_the_state() -> None:
    """An error about the state speaks of its members as the state spells them, and its cure follows."""
    error = StateError("The state of this resource has no displayName.", cure=Cure.ADD_TO_STATE)

    assert said_by_dynamic(error) == f"The state of this resource has no displayName. {WORDS[Cure.ADD_TO_STATE]}"


def test_an_error_that_several_calls_share_is_worded_once_for_each() -> None:
    """Two calls that wait for the same answer may raise the same error: neither changes it for the other."""
    shared = WaitInterrupted("Interrupted.", asked=True, cure=Cure.RESUME)
    with pytest.raises(WaitInterrupted) as outer, errors_in_python(), errors_in_python():
        raise shared

    assert said_by_dynamic(shared) == str(outer.value) == f"Interrupted. {WORDS[Cure.RESUME]}"
    assert (str(shared), shared.cure) == ("Interrupted.", Cure.RESUME)
    assert outer.value.asked


def test_a_partial_failure_is_reported_as_it_was_worded() -> None:
    """The reason of a partial failure, which the engine stores, is the worded sentence."""
    why = cures.sentence(WaitInterrupted("Interrupted.", cure=Cure.RESUME))
    failure = PartialFailure("id", outputs=struct_pb2.Struct(), inputs=struct_pb2.Struct(), why=why)

    assert said_by_plugin(failure) == f"Interrupted. {WORDS[Cure.RESUME]}"
