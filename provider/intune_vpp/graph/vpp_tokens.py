"""`/deviceAppManagement/vppTokens`. No other module knows its paths, or puts a token file into a request."""

from __future__ import annotations

import base64
import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from intune_vpp.core import graph_json
from intune_vpp.core.check import needs_beta
from intune_vpp.core.errors import GraphError, GraphUnreachable, NotFound, SettingsError
from intune_vpp.core.token_encoding import Encoding
from intune_vpp.core.vpp_token import Listing
from intune_vpp.graph.client import unexpected
from intune_vpp.graph.request import Request, RequestKind

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator, Mapping

    from intune_vpp.core.stoken import SToken
    from intune_vpp.core.vpp_token import AppLicenses, VppToken
    from intune_vpp.graph.client import GraphClient
    from intune_vpp.graph.tenants import Tenant

_TOKENS = "/deviceAppManagement/vppTokens"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphVppTokens:
    """The vppTokens of the tenant that `client` signs in to; implements `core.ports.VppTokens`.

    `beta` says whether `client` has the beta root, which some methods need. All methods raise GraphError (see
    `GraphClient`).
    """

    client: GraphClient
    tenant: Tenant
    beta: bool = True

    def tenant_id(self) -> str:
        """Return the GUID of the tenant. Raises SignInRefused and RequestNotSent."""
        return self.tenant.guid()

    def list(self) -> Listing:
        """Return all tokens. Skips an item that is not an object with an id: the listing is then not complete."""
        found = [
            graph_json.token_from(item) if isinstance(item, dict) else None
            for item in self.client.pages(_TOKENS, Request(RequestKind.LIST_TOKENS))
        ]
        tokens = tuple(token for token in found if token and token.id)
        skipped = len(found) - len(tokens)
        if skipped:
            _log.debug("Skipped %s entries of the listing that are not tokens.", skipped)
        return Listing(tokens, complete=not skipped)

    def get(self, token_id: str) -> VppToken:
        """Read one token. Raises GraphUnreachable if the answer is not that token."""
        request = Request(RequestKind.READ_TOKEN, token_id)
        token = graph_json.token_from(self.client.get(_path(token_id), request))
        if not _is(token, token_id):
            raise unexpected(request, "not this token")
        return token

    def create(
        self, members: Mapping[str, object], stoken: SToken, *, encoding: Encoding = Encoding.VERBATIM
    ) -> VppToken:
        """Create a token. Raises GraphUnreachable if the answer has no id: the token may exist then."""
        body = {"@odata.type": graph_json.ODATA_TYPE, **members, "token": self._text(stoken, encoding)}
        created = graph_json.token_from(self.client.post(_TOKENS, Request(RequestKind.CREATE_TOKEN), body))
        if not created.id:
            raise GraphUnreachable(
                "Microsoft Graph created a token but returned no id. Run it again to find the token."
            )
        return created

    def update(
        self,
        token_id: str,
        members: Mapping[str, object],
        stoken: SToken | None,
        *,
        encoding: Encoding = Encoding.VERBATIM,
    ) -> VppToken:
        """Change members, and the token file unless it is None."""
        body = {**members, "token": self._text(stoken, encoding)} if stoken else members
        kind = RequestKind.RENEW_TOKEN if stoken else RequestKind.UPDATE_TOKEN
        return self._entity(self.client.patch(_path(token_id), Request(kind, token_id), body), token_id)

    def delete(self, token_id: str) -> None:
        """Delete a token, and with it its apps and their assignments."""
        self.client.delete(_path(token_id), Request(RequestKind.DELETE_TOKEN, token_id))

    def sync_licenses(self, token_id: str) -> VppToken:
        """Start a licence sync, and return the token at its start."""
        request = Request(RequestKind.SYNC_LICENSES, token_id)
        return self._entity(self._call_action("syncLicenses", request), token_id)

    def revoke_licenses(self, token_id: str, *, notify_managed_devices: bool, revoke_untracked_licenses: bool) -> None:
        """Start a revocation of all licences. Raises SettingsError on v1.0."""
        self._require_beta("revokeLicenses")
        body = {"notifyManagedDevices": notify_managed_devices, "revokeUntrackedLicenses": revoke_untracked_licenses}
        self._call_action("revokeLicenses", Request(RequestKind.REVOKE_LICENSES, token_id), body)

    def sync_license_counts(self) -> None:
        """Start a count of the licences of all tokens. Raises SettingsError on v1.0."""
        self._require_beta("syncLicenseCounts")
        with _collection_action("syncLicenseCounts"):
            self.client.post(f"{_TOKENS}/syncLicenseCounts", Request(RequestKind.SYNC_LICENSE_COUNTS))

    def licenses_for_app(self, bundle_id: str) -> builtins.list[AppLicenses]:
        """Return the licences for an app, an entry for each token that has some. Raises SettingsError on v1.0."""
        self._require_beta("getLicensesForApp")
        # In OData, a quotation mark in a string literal is doubled.
        named = quote(bundle_id.replace("'", "''"), safe="")
        path = f"{_TOKENS}/getLicensesForApp(bundleId='{named}')"
        with _collection_action("getLicensesForApp"):
            items = self.client.pages(path, Request(RequestKind.READ_LICENSES))
            return [graph_json.licenses_from(item) for item in items if isinstance(item, dict)]

    def token_id_of_app(self, mobile_app_id: str) -> str | None:
        """Return the id of the token that an app comes from, None if the app names none."""
        path = f"/deviceAppManagement/mobileApps/{_segment(mobile_app_id)}"
        app = self.client.get(path, Request(RequestKind.READ_APP, mobile_app_id))
        return graph_json.id_from(app, "vppTokenId") or None

    def _call_action(
        self, action: str, request: Request, body: Mapping[str, object] | None = None
    ) -> Mapping[str, object]:
        """POST an action on the token that is the request's subject, and return the answer.

        A 404 may be about the token or about the action, so the token is then read. Raises NotFound if it is not found,
        and GraphError if it is, because then Graph lacks the action.
        """
        token_id = request.subject
        try:
            return self.client.post(f"{_path(token_id)}/{action}", request, body)
        except NotFound as refusal:
            if not refusal.from_graph:
                raise
            try:
                self.get(token_id)
            except NotFound:
                raise
            except GraphError as error:
                what = (
                    f"Microsoft Graph returned 404 for {action}. Nothing was done. Token {token_id} could not be read"
                )
                raise GraphError(f"{what} either. {error}", status=refusal.status, code=refusal.code) from None
            raise _unknown_action(action, refusal) from None

    def _require_beta(self, what: str) -> None:
        if not self.beta:
            raise SettingsError(needs_beta(what))

    def _entity(self, answer: Mapping[str, object], token_id: str) -> VppToken:
        """Return the entity in the answer to a write; if it has none, read the token."""
        token = graph_json.token_from(answer)
        return token if _is(token, token_id) else self.get(token_id)

    def _text(self, stoken: SToken, encoding: Encoding) -> str:
        for secret in stoken.secrets:
            self.client.secrets.add(secret)
        return stoken.text if encoding is Encoding.VERBATIM else base64.b64encode(stoken.text.encode()).decode()


@contextmanager
def _collection_action(action: str) -> Iterator[None]:
    """Turn Graph's 404 into the error that it lacks the action: an action on the collection has no entity."""
    try:
        yield
    except NotFound as refusal:
        raise (_unknown_action(action, refusal) if refusal.from_graph else refusal) from None


def _unknown_action(action: str, refusal: NotFound) -> GraphError:
    what = f"Microsoft Graph does not offer {action} at this endpoint ({refusal.status}). Nothing was done."
    what = f"{what} Check graphVersion and environment."
    return GraphError(what, status=refusal.status, code=refusal.code, request_id=refusal.request_id)


def _is(token: VppToken, token_id: str) -> bool:
    """Whether an answer is the requested token: otherwise an empty or another id would replace it in the state."""
    return token.id.casefold() == token_id.casefold()


def _path(token_id: str) -> str:
    return f"{_TOKENS}/{_segment(token_id)}"


def _segment(entity_id: str) -> str:
    """Return an id as a segment of a path.

    Raises NotFound without a status, before any request, for an id that is too long or that would address the
    collection or its parent ("", ".", "..").
    """
    if not entity_id.strip(".") or len(entity_id) > graph_json.LONGEST_ID:
        shown = entity_id[: graph_json.LONGEST_ID]
        raise NotFound(f'"{shown}" cannot be an id in Microsoft Graph. Nothing was sent.')
    return quote(entity_id, safe="")
