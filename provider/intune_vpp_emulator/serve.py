"""A tenant behind real TLS on loopback, with a certificate authority of its own."""

from __future__ import annotations

import ssl
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import trustme

from .faults import Faults
from .identity.workload import PROVIDERS
from .sign_in_methods import SignIn, variables
from .tenants import serve_all
from .wire import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed.wsgi import WSGIApplication

    from .tenant import Tenant

_NAMES = ("127.0.0.1", "localhost")
_HTTPS = 443


@dataclass(frozen=True, slots=True)
class Service:
    """A tenant that listens: its address, and the environment that a client needs."""

    url: str
    ca_bundle_path: Path
    tenant: Tenant

    credentials: dict[str, str] = field(repr=False)
    """The variables of the method of sign-in."""
    others: tuple[Tenant, ...] = ()
    """Further tenants at this address."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables with the credentials and the addresses of this tenant; with others, also the ids of all."""
        ids = [one.directory.tenant_id for one in (self.tenant, *self.others)]
        return {
            **self.credentials,
            "INTUNE_VPP_GRAPH_ENDPOINT": self.url,
            "INTUNE_VPP_AUTHORITY_HOST": self.url,
            "INTUNE_VPP_CA_BUNDLE_PATH": str(self.ca_bundle_path),
            "INTUNE_VPP_EMULATOR_URL": self.url,
            **({"INTUNE_VPP_EMULATOR_TENANTS": ",".join(ids)} if self.others else {}),
        }

    def trusted(self) -> ssl.SSLContext:
        """TLS that trusts this service."""
        return ssl.create_default_context(cafile=self.ca_bundle_path)

    def assertion(self, provider: str = "kubernetes", **claims: Any) -> str:
        """A new federated assertion of github, azure-devops or kubernetes.

        `claims` are `subject` and `audience` (by default those that the application accepts) and `seconds` (600).
        """
        return PROVIDERS[provider].assertion(now=self.tenant.clock.now(), **claims)


@contextmanager
def serve(  # noqa: PLR0913 - options, each by its name
    tenant: Tenant,
    *others: Tenant,
    sign_in: str = SignIn.SECRET,
    port: int = 0,
    ca_bundle_path: Path | None = None,
    files_beside: Path | None = None,
    hosts: Iterable[str] = (),
    faults: Faults | None = None,
    around: Callable[[WSGIApplication], WSGIApplication] = lambda app: app,
) -> Iterator[Service]:
    """Serve on 127.0.0.1 while the block runs; port 0 takes a free one, `around` may wrap the application.

    `others` are at the same address: the path of a sign-in, the access token of a request to Graph and `?tenant=` of a
    control route choose, else it is `tenant`. The environment of the service is for the method `sign_in`, one of
    `SignIn`; a file that the method needs is written beside `files_beside`, and into a temporary folder without it.
    `hosts` are further names or addresses under which clients reach it: through a hosts file, a forwarded port, or
    the server itself as their proxy. `faults` are the scripted ones.
    """
    names = (*_NAMES, *hosts)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        bundle = ca_bundle_path or folder / "emulator-ca.pem"
        server = stack.enter_context(Server(port))
        roots = _roots(names, server.port)
        app = serve_all((tenant, *others), roots, faults or Faults())
        stack.enter_context(server.answering(around(app), _tls(bundle, names), roots))
        url = f"https://{_NAMES[0]}:{server.port}"
        beside = files_beside or folder / "emulator"
        credentials = stack.enter_context(variables(SignIn(sign_in), tenant, url, beside))
        yield Service(url=url, ca_bundle_path=bundle, tenant=tenant, credentials=credentials, others=others)


def _roots(names: Iterable[str], port: int) -> list[str]:
    """The addresses of a server. The further names count without the port too: a proxy or a forwarded port hides it."""
    with_port = [f"https://{name.lower()}:{port}" for name in names]
    without_port = [f"https://{name.lower()}" for name in names if name not in _NAMES or port == _HTTPS]
    return with_port + without_port


def _tls(bundle: Path, names: Iterable[str]) -> ssl.SSLContext:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    authority.cert_pem.write_to_path(bundle)
    return context
