"""No secret in any answer, status or log line; where one could stand, the engine is not invited to print it."""

from __future__ import annotations

import base64
import logging
import time
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from builders import Record, fresh_vpptoken, sealed_in
from core.test_secrets import pieces
from plugin.door import DIFF, SIGNATURE, Door, asset, inputs, partial_failure, plain, secret, struct
from tenant_in_process import UNAVAILABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugin.conftest import Open
    from plugin.door import Listener
    from tenant_in_process import RefusesSyncs

SECRET_OF_CONFIGURATION = "hunter2-hunter2-hunter2"


def glimpses(seen: list[str], *secrets: str) -> list[str]:
    """The pieces of secrets that can be seen."""
    everything = "\n".join(seen)
    return [piece for one in secrets for piece in pieces(one) if piece in everything]


def test_a_life_shows_no_secret(
    start: Open, tenant: RefusesSyncs, engine: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    """From the first Check to the deletion, with failures on the way: neither file, nor what Apple sealed, nor ours."""
    caplog.set_level(logging.DEBUG)
    first, second, broken = (
        fresh_vpptoken(days=5.5),
        fresh_vpptoken(days=300),
        fresh_vpptoken(days=200)[:-9] + "!",
    )
    doors = [start()]
    tenant.refusal = UNAVAILABLE
    with pytest.raises(grpc.RpcError):
        doors[0].made(inputs(secret(first), waitForSync=True))
    tenant.refusal = None
    doors += [start(clientSecret=secret(tenant.directory.app.client_secret)) for _ in range(3)]
    kept = doors[1].made(inputs(secret(asset(text=first)), deletionProtection=False))
    doors[1].read(kept)
    doors[1].planned(kept, inputs(second))
    kept = doors[2].updated(kept, inputs(asset(text=second), deletionProtection=False))
    for refused in (broken, secret(first), asset(text=broken)):
        _, failures = doors[2].checked(inputs(refused), kept.inputs)
        assert [prop for prop, _ in failures] == [""]
    doors[2].call("parseTokenFile", token=secret(second))
    doors[2].refused("parseTokenFile", token=broken)
    doors[2].call("getVppTokens")
    tenant.clock.advance(400 * 86400)
    with pytest.raises(grpc.RpcError):
        doors[3].made(inputs(fresh_vpptoken(location="York", days=100), displayName="York"))
    doors[3].imported(kept.id)
    doors[2].delete(kept)

    engine.wait_for("DEBUG", count=10)
    answers = [answer for door in doors for answer in door.answers]
    seen = [*answers, *(line for _, line in engine.log), *caplog.messages]
    assert len(seen) > 40
    files = [one for file in (first, second, broken) for one in (file, base64.b64encode(file.encode()).decode())]
    assert glimpses(seen, *files, sealed_in(first), sealed_in(second)) == []
    assert glimpses(seen, tenant.directory.app.client_secret, "Bearer eyJhbGci") == []


def test_the_search_finds_what_it_is_to_find() -> None:
    """A piece of a file in an answer would be noticed."""
    file = fresh_vpptoken()

    assert glimpses(["x", f"reported: {file[40:60]}"], file)


def test_a_bad_configuration_shows_no_secret(unconfigured: Door, engine: Listener) -> None:
    """A refused configuration names no property, and its secret stands in no sentence."""
    news: dict[str, Any] = {"clientSecret": secret(SECRET_OF_CONFIGURATION), "graphVersion": SECRET_OF_CONFIGURATION}
    answer = unconfigured.ask("CheckConfig", provider_pb2.CheckRequest(news=struct(news)))
    with pytest.raises(grpc.RpcError) as caught:
        unconfigured.configure(**news)

    assert [one.property for one in answer.failures] == [""]
    shown = [one.reason for one in answer.failures] + [caught.value.details() or "", *unconfigured.answers[1:]]
    assert glimpses([*shown, *(line for _, line in engine.log)], SECRET_OF_CONFIGURATION) == []


def test_a_refused_sign_in_shows_no_secret(start: Open, engine: Listener) -> None:
    """A secret that Entra does not take is not reported."""
    provider = start(clientSecret=SECRET_OF_CONFIGURATION)
    with pytest.raises(grpc.RpcError) as caught:
        provider.made(inputs(fresh_vpptoken()))

    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    provider.ask("Cancel", empty_pb2.Empty())
    seen = [*provider.answers, *(line for _, line in engine.log)]
    assert glimpses(seen, SECRET_OF_CONFIGURATION) == []


def test_the_state_holds_the_fingerprint(start: Open) -> None:
    """Inputs and outputs hold the fingerprint in the place of the file, marked as no secret; so does an import."""
    kept = start().made(inputs(secret(fresh_vpptoken())))
    read = start().imported(kept.id)
    for properties in (kept.inputs, kept.outputs):
        assert properties["token"].startswith("sha256:")
        assert properties["tokenFile"]["fingerprint"] == properties["token"]
    assert "token" not in plain(read.inputs)
    assert plain(read.properties)["token"] == "renewed elsewhere"


def test_a_marked_location_shows_nowhere(provider: Door, engine: Listener) -> None:
    """The expected location is the one that is observed: both are secret, and debug lines hide what is marked."""
    asked = inputs(fresh_vpptoken(), expectedLocationName=secret("Lincoln"), displayName="High school")
    kept = provider.made(asked)
    for shown in (kept.outputs, plain(provider.read(kept).properties)):
        assert shown["locationName"] == shown["expectedLocationName"] == secret("Lincoln")
    assert provider.diff(kept, provider.good(asked, kept.inputs)).changes == DIFF.DIFF_NONE

    token_id = kept.id
    door = provider.about("LicenseSync")
    synced = door.made({"vppTokenId": secret(token_id)})
    assert synced.outputs["vppTokenId"] == secret(token_id)

    def requests() -> list[str]:
        return [line for urn, severity, line in engine.about if urn == door.urn and severity == "DEBUG"]

    # Nobody waits for a debug line to arrive.
    end = time.monotonic() + 20
    while not any("/vppTokens/[secret]/syncLicenses: 200 (" in line for line in requests()):
        assert time.monotonic() < end, requests()
        time.sleep(0.01)
    assert [line for line in requests() if token_id in line] == []


def test_what_is_marked_later_is_marked_by_a_refresh(provider: Door) -> None:
    """The engine marks inputs and outputs of one name by itself; what else shows them a refresh marks."""
    kept = provider.made(inputs(fresh_vpptoken(), expectedLocationName="Lincoln", displayName="High school"))
    marked = {**kept.inputs, "expectedLocationName": secret("Lincoln"), "displayName": secret("High school")}
    found = provider.read(Record(kept.id, marked, kept.outputs))
    names = {"expectedLocationName", "locationName", "displayName"}
    assert marked_names(plain(found.properties)) == names


def marked_names(properties: Mapping[str, Any]) -> set[str]:
    """The members that are marked secret."""
    return {name for name, value in properties.items() if isinstance(value, dict) and SIGNATURE in value}


def test_what_a_program_marks_stays_marked(provider: Door, tenant: RefusesSyncs, engine: Listener) -> None:
    """An input marked secret, or that holds something marked, is secret in all that is kept, and in no sentence."""
    asked = inputs(secret(fresh_vpptoken()), displayName=secret("Lincoln"), roleScopeTagIds=["0", secret("1")])
    kept = provider.made(asked)
    found = provider.read(kept)
    for shown in (kept.inputs, plain(found.inputs)):
        assert marked_names(shown) == {"displayName", "roleScopeTagIds"}
        assert (shown["displayName"], shown["roleScopeTagIds"]) == (secret("Lincoln"), secret(["0", "1"]))
    for shown in (kept.outputs, plain(found.properties)):
        assert marked_names(shown) == {"displayName", "roleScopeTagIds"}
    assert provider.diff(kept, provider.good(asked, kept.inputs)).changes == DIFF.DIFF_NONE
    changed = provider.updated(kept, {**asked, "displayName": secret("Monroe"), "roleScopeTagIds": ["0"]})
    assert marked_names(changed.inputs) == {"displayName"}

    tenant.refusal = UNAVAILABLE
    with pytest.raises(grpc.RpcError) as caught:
        provider.made(inputs(fresh_vpptoken(location="York"), displayName=secret("Leeds"), waitForSync=True))
    failed = partial_failure(caught.value)
    assert marked_names(plain(failed.inputs)) == {"displayName"}
    assert marked_names(plain(failed.properties)) == {"displayName", "__inputs"}
    sentences = [*failed.reasons, *(sentence for _, _, sentence in engine.about)]
    assert [one for one in sentences if "Leeds" in one or "Monroe" in one or "Lincoln" in one] == []
    assert any("[secret]" in one for one in sentences)


def test_a_marked_name_is_hidden_as_sentences_show_it(provider: Door, engine: Listener) -> None:
    """A secret that cannot be printed as it is stands in no sentence as it can be printed either, refusals included."""
    provider.made(inputs(fresh_vpptoken(days=5.5, location="York"), displayName=secret("York  \u200b  School")))
    provider.made(inputs(fresh_vpptoken(days=5.5, location="Bath"), displayName=secret(" \u200bBath  School\n")))
    _, failures = provider.checked(inputs(fresh_vpptoken(), organizationName=secret("Fabrikam")))
    reason = provider.refused("getVppToken", displayName=secret("Leeds\nUniversity"))

    sentences = [reason, *(sentence for _, sentence in failures), *(sentence for _, _, sentence in engine.about)]
    hidden = ("York \ufffd School", "Bath School", "Fabrikam", "Leeds University", "Leeds\nUniversity")
    assert [(one, name) for one in sentences for name in hidden if name in one] == []
    assert sum("[secret]" in one for one in sentences) >= 3
