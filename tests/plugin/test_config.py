"""The process and the provider resource: what the engine asks before any token."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from builders import Record, fresh_vpptoken
from intune_vpp.engine.unknowns import SENTINELS
from plugin.door import DIFF, TYPE, URN, Door, inputs, output, plain, secret, struct

if TYPE_CHECKING:
    from engine_room.engine import Engine
    from plugin.conftest import Open
    from tenant_in_process import RefusesSyncs

SCHEMA = Path(__file__).parents[2] / "schema.json"


def check_config(door: Door, **news: object) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """CheckConfig: the answer, and failures as property and reason."""
    answer = door.ask("CheckConfig", provider_pb2.CheckRequest(news=struct(news)))
    return plain(answer.inputs), [(one.property, one.reason) for one in answer.failures]


def test_handshake_and_configure_agree(unconfigured: Door) -> None:
    """Secrets are accepted and previews supported, in both answers; a feature of one is a feature of the other."""
    shaken = unconfigured.ask("Handshake", provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    configured = unconfigured.configure()

    assert [field.name for field, _ in shaken.ListFields()] == ["accept_secrets"]
    assert [field.name for field, _ in configured.ListFields()] == ["acceptSecrets", "supportsPreview"]


def test_plugin_info(unconfigured: Door) -> None:
    """The version is the distribution's."""
    assert unconfigured.ask("GetPluginInfo", empty_pb2.Empty()).version == metadata.version("intune-vpp")


def test_schema(unconfigured: Door) -> None:
    """The schema is the file that ships, byte for byte."""
    assert unconfigured.ask("GetSchema", provider_pb2.GetSchemaRequest()).schema == SCHEMA.read_text(encoding="utf-8")


def test_mappings(unconfigured: Door) -> None:
    """No other tool's resources are translated, and asking for it is no error."""
    assert list(unconfigured.ask("GetMappings", provider_pb2.GetMappingsRequest(key="terraform")).providers) == []
    assert unconfigured.ask("GetMapping", provider_pb2.GetMappingRequest(key="terraform")).data == b""


def test_a_good_configuration(unconfigured: Door) -> None:
    """It comes back as it was given and nothing is added: what is answered is stored."""
    given = {
        "tenantId": "contoso.example",
        "clientSecret": secret("hidden"),
        "expiryWarningDays": 45,
        "graphVersion": "v1.0",
        "version": "0.1.0",
        "pluginDownloadURL": "github://x",
        "__internal": {"x": 1},
    }

    assert check_config(unconfigured, **given) == (given, [])
    assert check_config(unconfigured) == ({}, [])


@pytest.mark.parametrize("sentinel", sorted(SENTINELS))
def test_unknown_configuration(unconfigured: Door, sentinel: str) -> None:
    """What is not known yet is nothing to complain about, whatever the key's type."""
    given = {"graphVersion": sentinel, "expiryWarningDays": secret(sentinel), "graphEndpoint": output()}

    assert check_config(unconfigured, **given) == (given, [])


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"tenant": "x"}, "intune-vpp:tenant is not a configuration key"),
        ({"graphVersion": "v2"}, "intune-vpp:graphVersion must be one of"),
        ({"graphEndpoint": "http://graph.example"}, "must be an https:// URL"),
        ({"expiryWarningDays": "soon"}, "must be a whole number of days"),
        ({"expiryWarningDays": 0.5}, "must be a whole number of days"),
        ({"environment": "moon", "clientSecret": "hunter2-hunter2"}, "must be one of: public"),
    ],
)
def test_a_bad_configuration(unconfigured: Door, given: dict[str, Any], reason: str) -> None:
    """The one reason names the key in its sentence and no property, and a secret nowhere; Configure says the same."""
    answered, ((prop, message),) = check_config(unconfigured, **given)

    assert (answered, prop) == (given, "")
    assert reason in message
    assert "hunter2" not in message
    with pytest.raises(grpc.RpcError) as caught:
        unconfigured.configure(**given)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.FAILED_PRECONDITION, message)


@pytest.mark.parametrize(
    ("olds", "news", "changes"),
    [
        ({}, {}, DIFF.DIFF_NONE),
        ({"tenantId": "a"}, {"tenantId": "a"}, DIFF.DIFF_NONE),
        ({"clientSecret": secret("a")}, {"clientSecret": "a"}, DIFF.DIFF_NONE),
        ({"tenantId": "a"}, {"tenantId": "b"}, DIFF.DIFF_SOME),
        ({"tenantId": "a"}, {}, DIFF.DIFF_SOME),
        ({"clientSecret": "a"}, {"clientSecret": secret("b")}, DIFF.DIFF_SOME),
        ({"tenantId": "a"}, {"tenantId": min(SENTINELS)}, DIFF.DIFF_SOME),
        ({"tenantId": "a"}, {"tenantId": output()}, DIFF.DIFF_SOME),
    ],
)
@pytest.mark.parametrize("where", ["olds", "old_inputs"])
def test_diff_of_the_configuration(
    unconfigured: Door, olds: dict[str, Any], news: dict[str, Any], changes: int, where: str
) -> None:
    """A change is a change and never a replacement: not of another tenant, and not of what is not known yet."""
    request = provider_pb2.DiffRequest(news=struct(news))
    getattr(request, where).CopyFrom(struct(olds))
    answer = unconfigured.ask("DiffConfig", request)

    assert (answer.changes, list(answer.replaces), answer.deleteBeforeReplace) == (changes, [], False)


def test_calls_before_configure(unconfigured: Door) -> None:
    """Whatever comes too early is answered with one sentence."""
    sentence, nobody = "The engine has not configured this provider.", Record("x", {}, {})

    requests = {
        "Check": provider_pb2.CheckRequest(urn=URN, news=struct(inputs(fresh_vpptoken()))),
        "Diff": provider_pb2.DiffRequest(urn=URN, id="x"),
        "Create": provider_pb2.CreateRequest(urn=URN),
        "Read": provider_pb2.ReadRequest(urn=URN, id="x"),
        "Update": provider_pb2.UpdateRequest(urn=URN, id="x"),
        "Delete": provider_pb2.DeleteRequest(urn=URN, id="x"),
        "Invoke": provider_pb2.InvokeRequest(tok="intune-vpp:index:getVppTokens"),
        "List": provider_pb2.ListRequest(token=TYPE),
    }
    for method, request in requests.items():
        with pytest.raises(grpc.RpcError) as caught:
            unconfigured.ask(method, request)
        assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.FAILED_PRECONDITION, sentence)
    assert unconfigured.ask("Cancel", empty_pb2.Empty()) == empty_pb2.Empty()
    with pytest.raises(grpc.RpcError):
        unconfigured.read(nobody)


def test_a_preview_needs_no_credentials(
    start: Open, monkeypatch: pytest.MonkeyPatch, tenant: RefusesSyncs, engine: Engine
) -> None:
    """Check, Diff and Create in preview work without any; an update fails before anything is sent, and says how."""
    kept = start().made(inputs(fresh_vpptoken()))
    for name in ("ARM_TENANT_ID", "ARM_CLIENT_ID", "ARM_CLIENT_SECRET"):
        monkeypatch.delenv(name)
    provider = start()
    checked = provider.good(inputs(fresh_vpptoken(location="York")))
    assert provider.planned(kept, inputs(None)).changes == DIFF.DIFF_NONE
    provider.ask("Create", provider_pb2.CreateRequest(urn=URN, properties=struct(checked), preview=True))
    with pytest.raises(grpc.RpcError) as caught:
        provider.ask("Create", provider_pb2.CreateRequest(urn=URN, properties=struct(checked)))

    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "ARM_CLIENT_SECRET" in (caught.value.details() or "")
    assert (len(tenant.tokens), engine.logged("ERROR")) == (1, [])


def test_configuration_beats_the_environment(start: Open, tenant: RefusesSyncs) -> None:
    """Credentials of the provider resource are the ones that sign in; days may come as number or text."""
    visitor = tenant.directory.visitor
    with pytest.raises(grpc.RpcError) as caught:
        start(clientId=visitor.client_id, clientSecret=secret(visitor.client_secret)).made(inputs(fresh_vpptoken()))
    assert "admin consent" in (caught.value.details() or "")

    start(expiryWarningDays=400, version="0.1.0").made(inputs(fresh_vpptoken()))
    start(expiryWarningDays="400").made(inputs(fresh_vpptoken(location="York"), displayName="York"))
