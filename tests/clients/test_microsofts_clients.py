"""Microsoft's own clients, unmodified, against the emulated tenant: sign-in, and the life of a token."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clients import programs
from intune_vpp_emulator.apple import make_token
from intune_vpp_emulator.behavior import Gzip
from intune_vpp_emulator.serve import serve
from intune_vpp_emulator.tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from intune_vpp_emulator.serve import Service

NAMES = ["Alder", "Beech", "Cedar", "Dogwood", "Elm"]

pytestmark = pytest.mark.timeout(900)  # the first run downloads and builds


@pytest.fixture
def service() -> Iterator[Service]:
    """A tenant with small pages, whose syncs have ended when they are asked for."""
    with serve(Tenant(page_size=3, sync_seconds=0)) as service:
        yield service


def told(service: Service) -> str:
    """What a client is told: the address, who it is, and the bodies of five creates."""
    who, ends = service.tenant.directory, datetime.now(UTC) + timedelta(days=300)
    bodies = [
        {
            "@odata.type": "#microsoft.graph.vppToken",
            "token": make_token("Contoso", name, ends),
            "appleId": "vpp@contoso.example",
            "displayName": name,
            "dataSharingConsentGranted": True,
        }
        for name in NAMES
    ]
    credentials = {"clientId": who.app.client_id, "clientSecret": who.app.client_secret}
    return json.dumps({"url": service.url, "tenantId": who.tenant_id, **credentials, "bodies": bodies})


def answers(service: Service, command: list[str]) -> Any:
    """What a client was answered."""
    return json.loads(programs.answers_of(command, service.ca_bundle_path, told(service)))


def test_the_client_for_node(service: Service) -> None:
    """The Graph client for JavaScript, signed in by MSAL, does all that one does with tokens."""
    assert answers(service, programs.javascript()) == {
        "made": NAMES,
        "read": "Alder",
        "changed": "Changed",
        "filtered": [1, 1],
        "synced": "completed",
        "paged": ["Elm", "Dogwood", "Changed", "Cedar", "Beech"],
        "apps": True,
        "v1": 3,
        "refusal": {"status": 404, "code": "ResourceNotFound"},
    }
    assert service.tenant.tokens == []


@pytest.mark.parametrize("gzip", [Gzip.ACCEPTED, Gzip.UNSUPPORTED])
def test_the_middleware_for_go(gzip: Gzip) -> None:
    """Kiota's middleware for Go, which sends gzip, or again without it after a 415, does the same with azidentity."""
    encodings: list[str] = []

    def around(app: WSGIApplication) -> WSGIApplication:
        def wrapped(environment: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            encodings.append(environment.get("HTTP_CONTENT_ENCODING", ""))
            return app(environment, start)

        return wrapped

    with serve(Tenant(page_size=3, sync_seconds=0, gzip=gzip), around=around) as service:
        assert answers(service, programs.go()) == {
            "statuses": [201] * 5 + [204] * 5,
            "read": "Alder",
            "changed": "Changed",
            "synced": "completed",
            "paged": ["Elm", "Dogwood", "Changed", "Cedar", "Beech"],
            "refusal": [404, "ResourceNotFound"],
        }
        assert "gzip" in encodings
        assert service.tenant.tokens == []
