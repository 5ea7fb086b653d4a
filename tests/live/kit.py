"""What the tests of the kit share: runs of it against an emulated tenant in the process of the test."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx

from builders import APPLE_ID, NOW, vpptoken
from captures import load
from intune_vpp import settings
from intune_vpp_emulator.app import create_app
from intune_vpp_emulator.faults import Faults
from intune_vpp_emulator.request_log import RequestLog
from live.__main__ import Terminal, World, _parser, _session, main
from tenant_in_process import TenantTime, environment, new_tenant, silence_libraries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from captures import Capture
    from intune_vpp_emulator.tenant import Tenant
    from live.probe import Session


@dataclass
class Kit:
    """A tenant, and runs of the kit against it."""

    folder: Path
    tenant: Tenant = field(default_factory=lambda: new_tenant(sync_seconds=60))
    faults: Faults = field(default_factory=Faults)
    log: RequestLog = field(default_factory=RequestLog)

    def run(self, *arguments: str) -> int:
        """Run it with these arguments; its exit status."""
        silence_libraries()
        app = create_app(self.tenant, faults=self.faults, log=self.log)
        with httpx.Client(transport=httpx.WSGITransport(app=app)) as http:
            world = World(environment(self.tenant), TenantTime(self.tenant.clock), http)
            return main([*arguments, "--report", str(self.report)], world)

    @contextmanager
    def session(self, *arguments: str) -> Iterator[Session]:
        """What the probes get of a run with these arguments."""
        silence_libraries()
        app = create_app(self.tenant, faults=self.faults, log=self.log)
        with httpx.Client(transport=httpx.WSGITransport(app=app)) as http:
            world = World(environment(self.tenant), TenantTime(self.tenant.clock), http)
            options = _parser().parse_args(arguments)
            configured = settings.read({}, world.environment)
            yield _session(options, configured, world, self.report, Terminal())[0]

    def write(self, token_id: str, *arguments: str) -> int:
        """Run it on a token."""
        return self.run("--write", "--token-id", token_id, *arguments)

    def create(self, location: str = "Springfield", *arguments: str) -> int:
        """Run it on a token of its own."""
        given = ("--token-file", self.file(location), "--apple-id", "spare@contoso.example")
        return self.run("--write", "--create", *given, *arguments)

    def file(self, location: str = "Springfield", *, organization: str = "Contoso", days: float = 200) -> str:
        """The path of a token file that expires so many days after NOW."""
        path = self.folder / f"{location}-{days}.vpptoken"
        text = vpptoken(location, organization=organization, expires=NOW + timedelta(days=days))
        path.write_text(text, encoding="utf-8")
        return str(path)

    def upload(self, location: str, **members: Any) -> str:
        """The id of a token that a person has uploaded."""
        named = {"appleId": APPLE_ID, "displayName": f"iPads of {location}", "countryOrRegion": "us", **members}
        return str(self.tenant.create_by_hand({"token": vpptoken(location), **named})["id"])

    @property
    def report(self) -> Path:
        """The folder of the report."""
        return self.folder / "report"

    @property
    def note(self) -> Path:
        """The note on what to clean up."""
        return self.report / "CLEAN-UP.txt"

    def lines(self) -> list[dict[str, Any]]:
        """The findings, as the report has them."""
        text = (self.report / "findings.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def findings(self) -> dict[str, str]:
        """The findings by probe."""
        return {one["probe"]: one["finding"] for one in self.lines()}

    def details(self) -> dict[str, str]:
        """Their details."""
        return {one["probe"]: one["detail"] for one in self.lines()}

    def recordings(self) -> list[Capture]:
        """The recordings in their order."""
        return load(self.report / "recordings")

    def written(self) -> str:
        """The whole text of the report and its recordings."""
        return "\n".join(path.read_text(encoding="utf-8") for path in sorted(self.report.rglob("*.*")))

    def requests(self) -> list[tuple[str, str]]:
        """Method and path of each request to Graph."""
        found = [(str(one["method"]), str(one["path"])) for one in self.log.entries()]
        return [one for one in found if one[1].startswith(("/beta", "/v1.0"))]

    def writes(self) -> list[tuple[str, str]]:
        """Those that are no GET."""
        return [one for one in self.requests() if one[0] != "GET"]

    def stored(self, *, without: str = "") -> dict[str, str]:
        """Each token of the tenant as it is stored, but one."""
        return {one.id: repr(one) + json.dumps(dict(one.members)) for one in self.tenant.tokens if one.id != without}
