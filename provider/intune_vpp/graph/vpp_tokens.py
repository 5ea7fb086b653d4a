"""`/deviceAppManagement/vppTokens`: the only place that knows its paths, and where a secret is put into a request."""

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
from intune_vpp.core.vpp_token import Listing
from intune_vpp.graph.errors import READING_APP, UPLOADING

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
    """The vppTokens of the tenant that `client` is signed in to; implements `core.ports.VppTokens`."""

    client: GraphClient
    tenant: Tenant
    base64_once_more: bool = False
    beta: bool = True

    def tenant_id(self) -> str:
        """The GUID of the tenant."""
        return self.tenant.guid()

    def list(self) -> Listing:
        """All tokens, over all pages. What is no object, or has no id, is skipped."""
        found = [
            graph_json.token_from(item) if isinstance(item, dict) else None
            for item in self.client.pages(_TOKENS, doing="listing the tokens")
        ]
        tokens = tuple(token for token in found if token and token.id)
        skipped = len(found) - len(tokens)
        if skipped:
            _log.debug("Entries of the listing that are no tokens, skipped: %s", skipped)
        return Listing(tokens, complete=not skipped)

    def get(self, token_id: str) -> VppToken:
        """One token."""
        doing = f"reading token {token_id}"
        token = graph_json.token_from(self.client.get(_path(token_id), doing=doing))
        if not _is(token, token_id):
            raise GraphUnreachable(f"Microsoft Graph returned something that is not this token ({doing}).")
        return token

    def create(self, members: Mapping[str, object], stoken: SToken) -> VppToken:
        """Upload a token file."""
        body = {"@odata.type": graph_json.ODATA_TYPE, **members, "token": self._text(stoken)}
        created = graph_json.token_from(self.client.post(_TOKENS, body, doing=f"{UPLOADING} to create a token"))
        if not created.id:
            raise GraphUnreachable(
                "Microsoft Graph created a token but returned no id. Run it again to find the token."
            )
        return created

    def update(self, token_id: str, members: Mapping[str, object], stoken: SToken | None) -> VppToken:
        """Change members, and the token file where it is given."""
        body = {**members, "token": self._text(stoken)} if stoken else members
        doing = f"{UPLOADING} to token {token_id}" if stoken else f"updating token {token_id}"
        answer = self.client.patch(_path(token_id), body, doing=doing)
        return self._entity(answer, token_id)

    def delete(self, token_id: str) -> None:
        """Delete a token."""
        self.client.delete(_path(token_id), doing=f"deleting token {token_id}")

    def sync_licenses(self, token_id: str) -> VppToken:
        """Start a licence sync."""
        answer = self._act(token_id, "syncLicenses", doing=f"syncing token {token_id}")
        return self._entity(answer, token_id)

    def revoke_licenses(self, token_id: str, *, notify_managed_devices: bool, revoke_untracked_licenses: bool) -> None:
        """Start a revocation of all licences."""
        self._require_beta("revokeLicenses")
        body = {"notifyManagedDevices": notify_managed_devices, "revokeUntrackedLicenses": revoke_untracked_licenses}
        self._act(token_id, "revokeLicenses", body, doing=f"revoking the licences of token {token_id}")

    def sync_license_counts(self) -> None:
        """Start a count of the licences of all tokens."""
        self._require_beta("syncLicenseCounts")
        with _known("syncLicenseCounts"):
            self.client.post(f"{_TOKENS}/syncLicenseCounts", doing="counting licences")

    def licenses_for_app(self, bundle_id: str) -> builtins.list[AppLicenses]:
        """The licences for an app, by token."""
        self._require_beta("getLicensesForApp")
        # OData doubles a quotation mark within a text.
        named = quote(bundle_id.replace("'", "''"), safe="")
        path = f"{_TOKENS}/getLicensesForApp(bundleId='{named}')"
        with _known("getLicensesForApp"):
            items = self.client.pages(path, doing="reading licence counts")
            return [graph_json.licenses_from(item) for item in items if isinstance(item, dict)]

    def token_id_of_app(self, mobile_app_id: str) -> str | None:
        """The id of the token that an app comes from."""
        path = f"/deviceAppManagement/mobileApps/{_segment(mobile_app_id)}"
        return graph_json.id_from(self.client.get(path, doing=f"{READING_APP} {mobile_app_id}"), "vppTokenId") or None

    def _act(
        self, token_id: str, action: str, body: Mapping[str, object] | None = None, *, doing: str
    ) -> Mapping[str, object]:
        """The answer of an action on a token; after a 404, whether the token is not found or the action unknown."""
        try:
            return self.client.post(f"{_path(token_id)}/{action}", body, doing=doing)
        except NotFound as refusal:
            if not refusal.from_graph:
                raise
            try:
                self.get(token_id)
            except NotFound:
                raise
            except GraphError as error:
                what = (
                    f"Microsoft Graph returned 404 for {action}: nothing was done. Token {token_id} could not be read"
                )
                raise GraphError(f"{what} either. {error}", status=refusal.status) from None
            raise _not_known(action, refusal) from None

    def _require_beta(self, what: str) -> None:
        if not self.beta:
            raise SettingsError(needs_beta(what))

    def _entity(self, answer: Mapping[str, object], token_id: str) -> VppToken:
        """The entity in an answer. A write may be answered without one: then it is read."""
        token = graph_json.token_from(answer)
        return token if _is(token, token_id) else self.get(token_id)

    def _text(self, stoken: SToken) -> str:
        for secret in stoken.secrets:
            self.client.secrets.add(secret)
        return base64.b64encode(stoken.text.encode()).decode() if self.base64_once_more else stoken.text


@contextmanager
def _known(action: str) -> Iterator[None]:
    """A 404 for an action of the collection is about the action itself."""
    try:
        yield
    except NotFound as refusal:
        raise (_not_known(action, refusal) if refusal.from_graph else refusal) from None


def _not_known(action: str, refusal: NotFound) -> GraphError:
    what = f"Microsoft Graph does not know {action} ({refusal.status}): nothing was done."
    return GraphError(what, status=refusal.status, code=refusal.code, request_id=refusal.request_id)


def _is(token: VppToken, token_id: str) -> bool:
    """Whether an answer is about the token that was asked for: an empty or another id would replace it in the state."""
    return token.id.casefold() == token_id.casefold()


def _path(token_id: str) -> str:
    return f"{_TOKENS}/{_segment(token_id)}"


def _segment(entity_id: str) -> str:
    """An id as part of a path. Raises NotFound, unsent, for one that would name the collection, or what is above it.

    That error has no status, and proves nothing of a token.
    """
    if not entity_id.strip(".") or len(entity_id) > graph_json.LONGEST_ID:
        raise NotFound(f'Microsoft Graph has nothing with the id "{entity_id[: graph_json.LONGEST_ID]}".')
    return quote(entity_id, safe="")
