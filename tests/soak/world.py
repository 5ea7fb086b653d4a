"""A tenant, the network to it, a program with its files, and the provider processes that serve it."""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import httpx

from builders import NOW, TENANT, sealed_in, token_inputs
from intune_vpp import settings
from intune_vpp.assembly import Assembly, connect_to_graph
from intune_vpp.graph import sender
from intune_vpp_emulator.app import create_app
from intune_vpp_emulator.apple import make_token
from intune_vpp_emulator.directory import Directory
from soak.engine import Engine
from soak.faults import Connection, RandomFaults
from soak.tenant import Consistency, SoakTenant
from tenant_in_process import RecordingReporter, TenantTime, configuration, new_tenant, silence_libraries

if TYPE_CHECKING:
    from collections.abc import Callable


LOCATIONS = ("Lincoln", "Denver", "Boston", "Austin", "Boise", "Salem", "Dover", "Helena")
_ORGANIZATION = "Contoso"
_EXCERPT = 40


class LogRecords(logging.Handler):
    """Keeps the text of all records of the provider's loggers."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record, with its traceback."""
        self.texts.append(f"{self.format(record)} {record.args}")


@dataclass
class Location:
    """A location at Apple with the files that it has issued, and the resource of the program that is for it."""

    name: str
    inputs: dict[str, Any] = field(default_factory=dict)
    """The resource, as the program has it."""
    wanted: bool = False
    """Whether the program has it."""
    newest: str = ""
    """The file that a person uploaded in the portal, newer than the program's; empty: none."""
    expires: datetime = NOW
    """When the newest file expires."""
    claimed: bool = False
    """Whether another MDM has claimed the location since it was last claimed back."""


class World:
    """Everything in an episode of the soak. `around` wraps the network, `engine` makes the calls of the engine."""

    def __init__(
        self,
        seed: str,
        *,
        around: Callable[[httpx.BaseTransport], httpx.BaseTransport] = lambda transport: transport,
        engine: Engine | None = None,
    ) -> None:
        self.draws = Random(seed)  # noqa: S311 - draws that can be repeated
        sender.JITTER.seed(seed)
        self.tenant = new_tenant(
            SoakTenant, directory=replace(Directory.fresh(), tenant_id=TENANT), sync_restarts=True, page_size=3
        )
        self.tenant.draws, self.tenant.created = self.draws, {}
        self.faults = RandomFaults(self.draws, self.tenant.clock)
        self.time = TenantTime(self.tenant.clock)
        app = create_app(self.tenant, faults=self.faults)
        self.connection = Connection(httpx.WSGITransport(app=app), self.tenant.clock, self.faults)
        silence_libraries()
        self._http = httpx.Client(transport=around(self.connection), trust_env=False)
        self._settings = settings.read(configuration(self.tenant), {})
        self.engine = engine or Engine()
        self.consistency = Consistency()
        self.locations = {name: Location(name) for name in LOCATIONS}
        self.by_hand: set[str] = set()
        """The ids of the tokens that a person has created in the portal."""
        self.secrets = _excerpts(self.tenant.directory.app.client_secret)
        self.reporter = RecordingReporter()
        self.provider = self.start_process()

    @property
    def now(self) -> datetime:
        """The tenant's time."""
        return self.tenant.clock.now()

    def start_process(self) -> Assembly:
        """A new process of the provider in place of the one before."""
        self.reporter = RecordingReporter()
        self.provider = Assembly(
            self._settings, self.reporter, clock=self.time, connect=partial(connect_to_graph, http=self._http)
        )
        return self.provider

    def new_file(self, location: Location) -> str:
        """Download a file from Apple: it expires later than all others of its location."""
        lives = timedelta(days=self.draws.randint(60, 400), seconds=self.draws.randrange(86_400))
        location.expires = max(self.now + lives, location.expires + timedelta(days=1))
        text = make_token(_ORGANIZATION, location.name, location.expires)
        self.secrets |= _excerpts(text) | _excerpts(sealed_in(text))
        return text

    def all_secrets(self) -> set[str]:
        """Parts of all secrets, which no output may contain."""
        # The signatures: the first part of access tokens is the same for all.
        return self.secrets | {token[-_EXCERPT:] for token in self.connection.access_tokens}

    def program(self, location: Location, **members: Any) -> dict[str, Any]:
        """The inputs of a new resource."""
        name = location.name
        return token_inputs(self.new_file(location), displayName=name, deletionProtection=False, **members)


def _excerpts(secret: str) -> set[str]:
    """Parts of a secret, as it is and as it is sent."""
    sent = base64.b64encode(secret.encode()).decode()
    return {secret[:_EXCERPT], secret[-_EXCERPT:], sent[:_EXCERPT], sent[-_EXCERPT:]}
