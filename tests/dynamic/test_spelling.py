"""Sentences for people who write Python: inputs by the names of their arguments."""

from __future__ import annotations

import inspect

import pytest

from intune_vpp.core.errors import IntuneVppError, SyncFailed
from intune_vpp.core.vpp_token import VPP_TOKEN
from intune_vpp.dynamic import VppToken
from intune_vpp.dynamic.spelling import PythonReporter, errors_in_python, in_python
from tenant_in_process import RecordingReporter


@pytest.mark.parametrize("name", [prop.name for prop in VPP_TOKEN.inputs])
def test_each_input_is_spelled_as_an_argument(name: str) -> None:
    """Whatever input a sentence names, it is an argument of the resource afterwards, or what the state says of it."""
    said = in_python(f"Set {name} to false.")
    argument = said.removeprefix("Set ").removesuffix(" to false.")
    assert argument in {*inspect.signature(VppToken).parameters, "token_file"}


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("changes displayName, roleScopeTagIds of Lincoln", "changes display_name, role_scope_tag_ids of Lincoln"),
        ('organizationName says "Fabrikam".', 'organization_name says "Fabrikam".'),
        ("Check adoptTokenId, or leave it out.", "Check adopt_token_id, or leave it out."),
        ("or correct expectedLocationName.", "or correct expected_location_name."),
        ("The token file is older.", "The token file is older."),
        ("Token 7 is for the location", "Token 7 is for the location"),
        ("Lincoln is assignedToExternalMDM in Intune", "Lincoln is assignedToExternalMDM in Intune"),
        ("displayNames, mydisplayName, displayName_2", "displayNames, mydisplayName, displayName_2"),
        (
            "set intune-vpp:graphVersion (INTUNE_VPP_GRAPH_VERSION)",
            "set intune-vpp:graphVersion (INTUNE_VPP_GRAPH_VERSION)",
        ),
        ("intune-vpp:waitForSync is not a configuration key", "intune-vpp:waitForSync is not a configuration key"),
        ("", ""),
    ],
)
def test_nothing_else_is_spelled_otherwise(sentence: str, said: str) -> None:
    """Inputs alone are respelled, as whole words: no state, no longer word, no key of the configuration."""
    assert in_python(sentence) == said
    assert in_python(said) == said


def test_what_graph_alone_shows_keeps_its_name() -> None:
    """An output that is no input is nobody's argument."""
    for prop in VPP_TOKEN.properties:
        if prop.sent is None:
            assert in_python(prop.name) == prop.name


def test_errors_that_pass_speak_of_arguments() -> None:
    """An error of ours keeps its class and its traceback, and names arguments."""
    with pytest.raises(SyncFailed) as caught, errors_in_python():
        raise SyncFailed("Set waitForSync to false.")
    assert str(caught.value) == "Set wait_for_sync to false."
    assert isinstance(caught.value, IntuneVppError)


def test_other_errors_pass_as_they_are() -> None:
    """What is not ours is not touched, and where nothing is raised nothing happens."""
    error = ValueError("waitForSync")
    with pytest.raises(ValueError, match=r"^waitForSync$") as caught, errors_in_python():
        raise error
    assert caught.value is error
    with errors_in_python():
        pass


def test_the_reporter_speaks_of_arguments() -> None:
    """Infos and warnings name arguments, and keep their severity."""
    heard = RecordingReporter()
    reporter = PythonReporter(heard)
    reporter.info("Changes displayName")
    reporter.warn("Intune shows organizationName")
    assert heard.said == [
        ("info", "Changes display_name"),
        ("warning", "Intune shows organization_name"),
    ]
