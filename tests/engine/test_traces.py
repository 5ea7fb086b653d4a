"""`--otel-traces`: the engine's file has a span for each request, and nothing secret."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from harness import Tenant, token_file
from project import traces

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project

WRONG_SECRET = "hunter2-hunter2-hunter2"
_ALLOWED = {
    "http.request.method",
    "http.request.resend_count",
    "http.response.status_code",
    "azure.service.request.id",
    "server.address",
    "url.path",
    "error.type",
}
_CREDENTIALS = re.compile(
    r"eyJ[A-Za-z0-9_-]{8,}|Bearer |client_secret=|client_assertion=|authorization:", re.IGNORECASE
)


def spans_in(file: Path) -> list[dict[str, Any]]:
    """All spans of a file, each with its service."""
    found = []
    for line in file.read_text().splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            service = _plain(resource["resource"]["attributes"]).get("service.name")
            spans = [one for scope in resource["scopeSpans"] for one in scope["spans"]]
            found += [{**one, "service": service, "attributes": _plain(one.get("attributes", []))} for one in spans]
    return found


def _plain(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["key"]: next(iter(one["value"].values())) for one in attributes}


def requests_in(spans: list[dict[str, Any]]) -> Counter[tuple[str, str, int]]:
    """Method, path and status of each span of ours."""
    kept = [one["attributes"] for one in spans if one["service"] == "intune-vpp"]
    return Counter((one["http.request.method"], one["url.path"], int(one["http.response.status_code"])) for one in kept)


def test_a_span_for_each_request(each_door: Project, tenant: Tenant, tmp_path: Path) -> None:
    """Created, refreshed, renewed, refused and destroyed: each request is one span below the call that sent it."""
    project = each_door
    project.declare(token=str(token_file(tmp_path)), display_name="Lincoln")
    for number, step in enumerate([project.up, project.refresh, project.up, project.destroy, project.up]):
        if number == 2:
            project.declare(token=str(token_file(tmp_path, "second", days=350)))
        wrong = {"ARM_CLIENT_SECRET": WRONG_SECRET} if number == 4 else {}
        file = tmp_path / f"traces-{number}.json"
        tenant.log()
        done = step("--otel-traces", f"file://{file}", **wrong)
        assert done.ok is not bool(wrong), done.text
        requests = Counter((one["method"], one["path"], one["status"]) for one in tenant.log())
        spans = spans_in(file)

        sent = {key: count for key, count in requests.items() if not key[1].startswith("/_emulator")}
        assert sent
        assert requests_in(spans) == sent
        require_tidy(spans)
        require_no_secret(file, tenant, tmp_path)


def require_tidy(spans: list[dict[str, Any]]) -> None:
    """Our spans have no other attributes than a request may show, and are children of the engine's calls."""
    by_id = {one["spanId"]: one for one in spans}
    for ours in [one for one in spans if one["service"] == "intune-vpp"]:
        assert set(ours["attributes"]) <= _ALLOWED
        assert ours["attributes"]["azure.service.request.id"]
        parent = by_id[ours["parentSpanId"]]
        assert re.fullmatch(r"pulumirpc\.ResourceProvider/(Create|Read|Update|Delete)", parent["name"])
        assert parent["traceId"] == ours["traceId"]


def require_no_secret(file: Path, tenant: Tenant, folder: Path) -> None:
    """No secret is in a file of traces."""
    text = file.read_text()
    assert [one for one in (tenant.environment["ARM_CLIENT_SECRET"], WRONG_SECRET) if one in text] == []
    assert _CREDENTIALS.findall(text) == []
    assert str(file) not in traces(folder)
