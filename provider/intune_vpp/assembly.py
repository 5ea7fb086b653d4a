"""Builds the parts of the provider from the settings; the only module that wires them.

The parts that talk to Graph are built for the first request, so that a preview loads neither httpx nor msal.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import cached_property, partial
from typing import TYPE_CHECKING

from intune_vpp.clock import SystemClock
from intune_vpp.core.check import Policy
from intune_vpp.core.sent_request import ignore
from intune_vpp.graph.credentials.select import choose
from intune_vpp.lifecycle.listing import TokenListing
from intune_vpp.lifecycle.operations import LicenseCountSyncs, OperationLifecycle
from intune_vpp.lifecycle.ownership import Ownership
from intune_vpp.lifecycle.preview import Preview
from intune_vpp.lifecycle.queries import Queries
from intune_vpp.lifecycle.revocation import LicenseRevocations
from intune_vpp.lifecycle.search import TokenSearch
from intune_vpp.lifecycle.sync import LicenseSyncs
from intune_vpp.lifecycle.token_files import TokenFileCache
from intune_vpp.lifecycle.tokens import TokenLifecycle
from intune_vpp.lifecycle.uploads import Uploads
from intune_vpp.lifecycle.waiting import Waiting
from intune_vpp.settings import GraphVersion, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from intune_vpp.core.operations import Operation
    from intune_vpp.core.ports import Clock, Reporter, VppTokens
    from intune_vpp.core.sent_request import Record


class Assembly:
    """The parts of one configured provider process.

    `preview` needs no request. `connect` returns the tokens of the tenant; it is called once, for the first request.
    `record` is called for each attempt of a request.
    """

    def __init__(
        self,
        settings: Settings,
        reporter: Reporter,
        *,
        clock: Clock | None = None,
        connect: Callable[[Settings, Clock, Reporter], VppTokens] | None = None,
        record: Record = ignore,
    ) -> None:
        self._settings = settings
        self.reporter = reporter
        self._clock = clock or SystemClock()
        self._connect = connect or partial(connect_to_graph, record=record)
        self._files = TokenFileCache()
        self._ownership = Ownership()
        # `cached_property` does not lock since Python 3.12, and concurrent calls must share one connection.
        self._connecting = threading.Lock()
        beta = settings.graph_version is GraphVersion.BETA
        policy = self._policy = Policy(beta=beta, expiry_warning_days=settings.expiry_warning_days)
        # Not a cached property like the others: calls run concurrently, and must share what was checked.
        self.preview = Preview(
            files=self._files, ownership=self._ownership, reporter=self.reporter, clock=self._clock, policy=policy
        )

    @property
    def queries(self) -> Queries:
        """The queries of the functions. Raises SettingsError if credentials are missing."""
        with self._connecting:
            return Queries(self._graph, self._policy)

    def operation(self, operation: Operation) -> OperationLifecycle:
        """Return the lifecycle of an operation. Raises SettingsError if credentials are missing."""
        with self._connecting:
            return self._operations[operation.name]

    @property
    def tokens(self) -> TokenLifecycle:
        """The lifecycle of tokens. Raises SettingsError if credentials are missing."""
        with self._connecting:
            return self._tokens

    @cached_property
    def _graph(self) -> VppTokens:
        return self._connect(self._settings, self._clock, self.reporter)

    @cached_property
    def _listing(self) -> TokenListing:
        return TokenListing(self._graph, self._clock)

    @cached_property
    def _operation_parts(self) -> tuple[VppTokens, TokenListing, Waiting, Ownership, Reporter, Clock]:
        waiting = Waiting(self._listing, self._clock)
        return self._graph, self._listing, waiting, self._ownership, self.reporter, self._clock

    @cached_property
    def _syncs(self) -> LicenseSyncs:
        return LicenseSyncs(*self._operation_parts)

    @cached_property
    def _revocations(self) -> LicenseRevocations:
        return LicenseRevocations(*self._operation_parts)

    @cached_property
    def _operations(self) -> dict[str, OperationLifecycle]:
        counts = LicenseCountSyncs(*self._operation_parts)
        made: tuple[OperationLifecycle, ...] = (self._syncs, self._revocations, counts)
        return {one.operation.name: one for one in made}

    @cached_property
    def _tokens(self) -> TokenLifecycle:
        return TokenLifecycle(
            tokens=self._graph,
            uploads=Uploads(self._graph, self.reporter, self._settings.token_encoding.encodings),
            listing=self._listing,
            search=TokenSearch(self._listing, self._ownership, self.reporter, self._clock),
            syncs=self._syncs,
            revocations=self._revocations,
            files=self._files,
            ownership=self._ownership,
            reporter=self.reporter,
            clock=self._clock,
        )


def connect_to_graph(
    settings: Settings, clock: Clock, reporter: Reporter, *, http: httpx.Client | None = None, record: Record = ignore
) -> VppTokens:
    """Connect to the configured tenant. Raises SettingsError if credentials are missing."""
    method = choose(settings.values)
    # Imported here, because they take a quarter of a second, and a preview does not need them.
    from intune_vpp.graph.client import GraphClient  # noqa: PLC0415
    from intune_vpp.graph.credentials.method import Connection  # noqa: PLC0415
    from intune_vpp.graph.http import open_http  # noqa: PLC0415
    from intune_vpp.graph.pacing import Pacing  # noqa: PLC0415
    from intune_vpp.graph.redaction import KnownSecrets  # noqa: PLC0415
    from intune_vpp.graph.sender import Sender  # noqa: PLC0415
    from intune_vpp.graph.tenants import ConfiguredTenant, TenantOfAccessToken  # noqa: PLC0415
    from intune_vpp.graph.vpp_tokens import GraphVppTokens  # noqa: PLC0415

    secrets = KnownSecrets()
    sender = Sender(clock, reporter, secrets, record=record, timeout=settings.request_timeout)
    given, connect = http, partial(open_http, settings.ca_bundle_path, timeout=settings.request_timeout)
    with ThreadPoolExecutor(1) as beside:
        # OpenSSL reads the CAs without Python's lock: meanwhile this thread imports msal. Each takes 50 ms or more.
        opening = beside.submit(lambda: given or connect())
        method.load()
    http = opening.result()
    connection = Connection(
        values=settings.values,
        cloud=settings.cloud,
        http=http,
        sender=sender,
        open_direct=lambda: nullcontext(given) if given else connect(proxies=False),
        secrets=secrets,
    )
    configured = (
        ConfiguredTenant(connection.tenant, settings.authority_host, http, sender) if connection.tenant else None
    )
    credential = method.credential(connection, configured)
    return GraphVppTokens(
        client=GraphClient(
            http,
            root=f"{settings.graph_endpoint}/{settings.graph_version}",
            credential=credential,
            secrets=secrets,
            sender=sender,
            pacing=Pacing(clock, sender.report_wait),
        ),
        tenant=configured or TenantOfAccessToken(credential),
        beta=settings.graph_version is GraphVersion.BETA,
    )
