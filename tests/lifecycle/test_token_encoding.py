"""`tokenEncoding: auto` finds out in which encoding a tenant takes token files, and remembers it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from builders import NEXT_YEAR, NOW, apart, token_inputs, vpptoken
from intune_vpp.core import pulumi_state
from intune_vpp.core.errors import AdoptionRefused, FileRefused, GraphError, GraphUnavailable, SyncFailed, Throttled
from intune_vpp.core.token_encoding import Encoding
from intune_vpp.dynamic import stored as dynamic_door
from intune_vpp_emulator.apple import TokenEncoding
from intune_vpp_emulator.behavior import UnreadableFiles
from intune_vpp_emulator.refusals import IntuneRefusal, bad_request, intune_bad_request
from intune_vpp_emulator.tenant import Page, Tenant
from lifecycle.test_lost_answers import Cut
from run_in_process import LIST, PATCH, POST, SYNC, Run, stored
from tenant_in_process import new_tenant, uploaded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from intune_vpp.core.vpp_token import VppTokenState

SOON = NOW + timedelta(days=90)
UNREAD: Mapping[str, Any] = {
    "state": "invalid",
    "organizationName": None,
    "expirationDateTime": "0001-01-01T00:00:00Z",
    "locationName": None,
}


class Recorded(Tenant):
    """A tenant that takes these encodings, and records in which ones files arrive."""

    takes: tuple[Encoding, ...] = (Encoding.BASE64,)

    def __init__(self, **options: Any) -> None:
        super().__init__(token_encoding=TokenEncoding.VERBATIM, **options)
        self.arrived: list[Encoding] = []

    def create(self, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """Create a token from a file in one of the encodings."""
        return super().create(self._decoded(body), **options)

    def patch(self, token_id: str, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """Change a token; its file is in one of the encodings."""
        return super().patch(token_id, self._decoded(body), **options)

    def _decoded(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if "token" not in body:
            return body
        encoding, text = arriving(body["token"])
        self.arrived.append(encoding)
        return {**body, "token": text if encoding in self.takes else "unreadable"}


class Silent(Recorded):
    """A tenant that takes a file which it cannot read, and calls the token invalid; `shows` is what it then shows."""

    shows: Mapping[str, Any] = UNREAD
    after_sync = False
    """Whether it notices only in the next sync that it cannot read a file."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.unread = False

    def create(self, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """Create a token, also from a file that cannot be read."""
        text = self._text(body)
        made = Tenant.create(self, {**body, "token": text or vpptoken("Nowhere")}, **options)
        return self._shown(made["id"], readable=text is not None, **options)

    def patch(self, token_id: str, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """Change a token, also by a file that cannot be read."""
        if "token" not in body:
            return super().patch(token_id, body, **options)
        text = self._text(body)
        rest = {name: value for name, value in body.items() if name != "token"}
        Tenant.patch(self, token_id, {**rest, "token": text} if text else rest, **options)
        return self._shown(token_id, readable=text is not None, **options)

    def sync_licenses(self, token_id: str, **options: Any) -> dict[str, Any]:
        """Start a sync, which shows whether the file could be read."""
        answer = super().sync_licenses(token_id, **options)
        return self.edit_by_hand(token_id, {**self.shows, "lastSyncStatus": "failed"}) if self.unread else answer

    def _text(self, body: Mapping[str, Any]) -> str | None:
        encoding, text = arriving(body["token"])
        self.arrived.append(encoding)
        return text if encoding in self.takes else None

    def _shown(self, token_id: str, *, readable: bool, **options: Any) -> dict[str, Any]:
        self.unread = not readable
        if self.unread:
            self.edit_by_hand(token_id, {**self.shows, "state": "unknown" if self.after_sync else "invalid"})
        return self.get(token_id, **options)


def arriving(sent: str) -> tuple[Encoding, str]:
    """The encoding in which a file arrives, and its text."""
    decoded = base64.b64decode(sent)
    return (Encoding.VERBATIM, sent) if decoded.startswith(b"{") else (Encoding.BASE64, decoded.decode())


def tenant_that(kind: type[Recorded], *takes: Encoding, **options: Any) -> Recorded:
    """A tenant that takes these encodings."""
    tenant = new_tenant(kind, **options)
    assert isinstance(tenant, Recorded)
    tenant.takes = takes
    return tenant


def running(tenant: Tenant, encoding: str = "auto", **options: Any) -> Run:
    """A run with this setting."""
    return Run(tenant, settings={"tokenEncoding": encoding}, **options)


B, V = Encoding.BASE64, Encoding.VERBATIM
TENANTS = pytest.mark.parametrize(
    ("kind", "takes", "created", "renewed", "sent"),
    [
        (Recorded, (B,), [POST], [PATCH], [B]),
        (Recorded, (V,), [POST, POST], [PATCH, PATCH], [B, V]),
        (Recorded, (B, V), [POST], [PATCH], [B]),
        (Silent, (B,), [POST], [PATCH], [B]),
        (Silent, (V,), [POST, PATCH], [PATCH, PATCH], [B, V]),
    ],
)
INFO = "Intune takes token files verbatim, not in base64. The state remembers this for the next renewal."


@TENANTS
def test_a_create_finds_the_encoding(
    kind: type[Recorded],
    takes: tuple[Encoding, ...],
    created: list[tuple[str, str]],
    renewed: list[tuple[str, str]],
    sent: list[Encoding],
) -> None:
    """A tenant that takes base64 costs one POST; any other costs one more request, and gets one token."""
    del renewed
    tenant = tenant_that(kind, *takes)
    run = running(tenant)
    outcome = run.create(token_inputs(vpptoken()))
    assert run.requests == [LIST, *created, SYNC, LIST]
    assert tenant.arrived == sent
    assert [one.id for one in tenant.tokens] == [outcome.state.id]
    assert (outcome.failure, outcome.state.observed.state, outcome.state.token_encoding) == (None, "valid", sent[-1])
    assert run.reporter.said.count(("info", INFO)) == len(sent) - 1
    assert run.reporter.warnings == []


@TENANTS
def test_a_renewal_finds_the_encoding(
    kind: type[Recorded],
    takes: tuple[Encoding, ...],
    created: list[tuple[str, str]],
    renewed: list[tuple[str, str]],
    sent: list[Encoding],
) -> None:
    """A token that was uploaded by hand is renewed in place, in whichever encoding the tenant takes."""
    del created
    tenant = tenant_that(kind, *takes)
    token_id = by_hand(tenant)
    state = replace(running(tenant).assembly.tokens.find(token_id), token_file=None)
    tenant.arrived.clear()
    run = running(tenant)
    outcome = run.up(stored(state), token_inputs(vpptoken()))
    assert run.requests == [*renewed, SYNC, LIST]
    assert tenant.arrived == sent
    assert (outcome.failure, outcome.state.observed.state, outcome.state.token_encoding) == (None, "valid", sent[-1])
    assert outcome.state.id == token_id


def by_hand(tenant: Recorded) -> str:
    """The id of a token that was uploaded by hand."""
    made = tenant.create_by_hand(
        {"token": vpptoken(expires=SOON), "appleId": "vpp@contoso.example", "displayName": "Lincoln"}
    )
    return str(made["id"])


@pytest.mark.parametrize("kind", [Recorded, Silent])
def test_what_worked_is_used_by_the_next_renewal(kind: type[Recorded]) -> None:
    """The next run sends the encoding that the state remembers at once, and says nothing about it."""
    tenant = tenant_that(kind, V)
    state = running(tenant).create(token_inputs(vpptoken(expires=SOON))).state
    tenant.arrived.clear()
    run = running(tenant)
    outcome = run.up(state, token_inputs(vpptoken()))
    assert (run.requests[:2], tenant.arrived) == ([PATCH, SYNC], [V])
    assert (outcome.failure, outcome.state.token_encoding) == (None, V)
    assert ("info", INFO) not in run.reporter.said


def test_what_worked_is_used_by_the_other_tokens_of_a_run() -> None:
    """One token of a run finds out, and it is said once."""
    tenant = tenant_that(Recorded, V)
    run = running(tenant)
    for location in ("Lincoln", "York", "Monroe"):
        run.create(token_inputs(vpptoken(location), displayName=location))
    assert tenant.arrived == [B, V, V, V]
    assert run.reporter.infos.count(INFO) == 1


def test_a_remembered_encoding_is_not_the_last_word() -> None:
    """Where Graph refuses the encoding of the last renewal, the other one is sent."""
    tenant = tenant_that(Recorded, V)
    state = running(tenant).create(token_inputs(vpptoken(expires=SOON))).state
    tenant.takes = (B,)
    tenant.arrived.clear()
    outcome = running(tenant).up(state, token_inputs(vpptoken()))
    assert (tenant.arrived, outcome.failure, outcome.state.token_encoding) == ([V, B], None, B)


def test_a_bad_file_is_not_sent_again_once_the_encoding_is_known() -> None:
    """After one file was read, a refused one is bad: the other encoding, which might be taken silently, is not sent."""
    tenant = tenant_that(Recorded, B)
    run = running(tenant)
    run.create(token_inputs(vpptoken()))
    tenant.takes = ()
    with pytest.raises(FileRefused, match=r"is invalid\. .*Other files were accepted in base64\. If it is not about"):
        run.create(token_inputs(vpptoken("York"), displayName="York"))
    assert tenant.arrived == [B, B]


@pytest.mark.parametrize(("encoding", "sent"), [("verbatim", V), ("base64", B)])
def test_a_fixed_encoding_is_the_only_one(encoding: str, sent: Encoding) -> None:
    """With `verbatim` or `base64` the file is sent once, and a refusal names the setting."""
    tenant = tenant_that(Recorded)
    run = running(tenant, encoding)
    with pytest.raises(FileRefused) as caught:
        run.create(token_inputs(vpptoken()))
    assert str(caught.value).endswith(f"The file was sent {sent.words}. If it is good, set tokenEncoding to auto.")
    assert (caught.value.status, caught.value.code) == (400, "BadRequest")
    assert tenant.arrived == [sent]
    tenant.takes = (sent,)
    assert running(tenant, encoding).create(token_inputs(vpptoken())).state.token_encoding is sent


def test_a_fixed_encoding_beats_a_remembered_one() -> None:
    """The setting decides, whatever the state remembers."""
    tenant = tenant_that(Recorded, B, V)
    state = running(tenant, "verbatim").create(token_inputs(vpptoken(expires=SOON))).state
    tenant.arrived.clear()
    assert running(tenant, "base64").up(state, token_inputs(vpptoken())).state.token_encoding is B
    assert tenant.arrived == [B]


def test_a_file_that_is_refused_in_both_encodings() -> None:
    """Both refusals are reported, nothing was created, and the file can be used again."""
    tenant = tenant_that(Recorded)
    run = running(tenant)
    with pytest.raises(FileRefused) as caught:
        run.create(token_inputs(vpptoken()))
    sentence = str(caught.value)
    assert sentence.startswith("Sent in base64: Microsoft Graph refused (")
    assert "The VPP token is invalid. (request id" in sentence or "The VPP token is invalid. Sent" in sentence
    assert " Sent verbatim: Microsoft Graph refused (" in sentence
    assert (run.requests, tenant.tokens, tenant.arrived) == ([LIST, POST, POST], [], [B, V])


def losing_the_create(inner: httpx.BaseTransport) -> httpx.BaseTransport:
    """A connection that loses the answer to the first create."""
    return Cut(inner, "POST", "/vppTokens", acted=True)


def test_lost_answer_to_an_upload_that_cannot_be_read() -> None:
    """The token of a lost create is found where Intune shows nothing of its file; the other encoding goes to it."""
    tenant = tenant_that(Silent, V)
    run = running(tenant, around=losing_the_create)
    outcome = run.create(token_inputs(vpptoken()))
    assert (outcome.failure, [one.id for one in tenant.tokens]) == (None, [outcome.state.id])
    assert tenant.arrived == [B, V]


class Meanwhile(httpx.BaseTransport):
    """Loses the answer to the first upload, after the tenant has acted and something else has happened."""

    def __init__(self, inner: httpx.BaseTransport, happens: Callable[[httpx.Request], object]) -> None:
        self._inner = inner
        self._happens = happens
        self._lost = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or lose the answer."""
        answer = self._inner.handle_request(request)
        if self._lost or request.method != "POST" or not request.url.path.endswith("/vppTokens"):
            return answer
        self._lost = True
        answer.close()
        self._happens(request)
        raise httpx.ReadError("", request=request)


def test_lost_answer_while_another_resource_lists() -> None:
    """A listing of another resource that has the new token already, before its answer is lost, hides it from nobody."""
    tenant = tenant_that(Silent, V)
    other = running(tenant).create(token_inputs(vpptoken("York"), displayName="York")).state

    def listed(_: httpx.Request) -> None:
        tenant.clock.advance(61)
        run.refresh(other)
        run.refresh(other)

    run = running(tenant, around=lambda inner: Meanwhile(inner, listed))
    outcome = run.create(token_inputs(vpptoken()))

    assert (outcome.failure, [one.id for one in tenant.tokens]) == (None, [other.id, outcome.state.id])


@pytest.mark.parametrize("version", ["beta", "v1.0"])
def test_lost_answer_to_one_of_several_uploads_that_cannot_be_read(version: str) -> None:
    """If it cannot be told which new token a lost create has made, the file is not uploaded again."""
    tenant = tenant_that(Silent, V)
    labels = {} if version == "beta" else {"displayName": None, "dataSharingConsentGranted": None}

    def again(request: httpx.Request) -> None:
        if version == "beta":
            tenant.create(json.loads(request.content))

    run = Run(tenant, around=lambda inner: Meanwhile(inner, again), settings={"graphVersion": version})
    with pytest.raises(AdoptionRefused) as caught:
        run.create(token_inputs(vpptoken(), **labels))

    assert len(tenant.tokens) == (2 if version == "beta" else 1)
    assert all(one.id in str(caught.value) for one in tenant.tokens)
    assert "Nothing was created" not in str(caught.value)


def test_lost_answer_beside_an_upload_of_another_resource() -> None:
    """A new token that cannot be read is left alone if it has another display name."""
    tenant = tenant_that(Silent, V)

    def another(request: httpx.Request) -> None:
        tenant.create({**json.loads(request.content), "displayName": "York"})

    run = running(tenant, around=lambda inner: Meanwhile(inner, another))
    outcome = run.create(token_inputs(vpptoken()))

    assert (outcome.failure, [one.id for one in tenant.tokens][:1]) == (None, [outcome.state.id])
    assert [tenant.get(one.id)["state"] for one in tenant.tokens] == ["valid", "invalid"]


REFUSALS: dict[str, Callable[[], Exception]] = {
    "scope tags left out": lambda: IntuneRefusal(
        400, "ConditionNotMet", "Must define one or more tags allowed by the current role"
    ),
    "a scope tag": lambda: intune_bad_request("Added a tag which is not allowed by the current role: 0"),
    "an unknown scope tag": lambda: intune_bad_request("Invalid Role Scope Tag defined 77"),
    "a role": lambda: intune_bad_request("The role does not allow it."),
    "another member": lambda: bad_request("Cannot convert the value of 'countryOrRegion' to the expected type."),
    "an unknown member": lambda: bad_request("The property 'displayName' does not exist on type 'x'."),
    "a failure": lambda: IntuneRefusal(503, "ServiceUnavailable", "Try again."),
    "an internal error": lambda: IntuneRefusal(500, "InternalServerError", "The VPP token is invalid."),
    "throttling": lambda: IntuneRefusal(429, "TooManyRequests", "Too many requests."),
    "a conflict": lambda: IntuneRefusal(409, "Conflict", "The VPP token is invalid."),
    "too large": lambda: IntuneRefusal(413, "PayloadTooLarge", "The VPP token is invalid."),
}


class Refusing(Recorded):
    """A tenant that answers all uploads in one way."""

    refusal: Callable[[], Exception]

    def _decoded(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        super()._decoded(body)
        raise self.refusal()


@pytest.mark.parametrize("refusal", REFUSALS)
def test_no_other_answer_is_about_the_encoding(refusal: str) -> None:
    """A refusal of another member, a failure and a lost answer are no reason to send the file in the other encoding."""
    tenant = tenant_that(Refusing)
    assert isinstance(tenant, Refusing)
    tenant.refusal = REFUSALS[refusal]
    run = running(tenant)
    with pytest.raises(GraphError) as caught:
        run.create(token_inputs(vpptoken()))
    assert not isinstance(caught.value, FileRefused)
    assert "tokenEncoding" not in str(caught.value)
    repeated = isinstance(caught.value, GraphUnavailable | Throttled)
    assert (len(tenant.arrived) > 1, set(tenant.arrived)) == (repeated, {B})
    assert set(run.requests) == {LIST, POST}


class Answering(httpx.BaseTransport):
    """A transport that answers the first upload itself, or not at all."""

    def __init__(self, below: httpx.BaseTransport, answer: httpx.Response | None) -> None:
        self._below = below
        self._answer = answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer an upload; hand everything else on."""
        if request.method != "POST" or not request.url.path.endswith("/vppTokens"):
            return self._below.handle_request(request)
        if self._answer is None:
            raise httpx.ReadTimeout("", request=request)
        return self._answer


@pytest.mark.parametrize("answer", [None, httpx.Response(400, content=b"<html>Bad Request</html>")])
def test_an_answer_that_is_not_graphs_is_not_about_the_encoding(answer: httpx.Response | None) -> None:
    """Neither a lost answer nor the page of a proxy leads to a second upload."""
    run = running(tenant_that(Recorded, V), around=lambda below: Answering(below, answer))
    with pytest.raises(GraphError) as caught:
        run.create(token_inputs(vpptoken()))
    assert not isinstance(caught.value, FileRefused)


def test_a_renewal_that_is_refused_in_both_encodings_changes_nothing() -> None:
    """The token keeps the file that it has, and the next renewal starts from there."""
    tenant = tenant_that(Recorded, V)
    state = running(tenant).create(token_inputs(vpptoken(expires=SOON))).state
    tenant.takes = ()
    run = running(tenant)
    with pytest.raises(FileRefused, match=r"^Sent verbatim: .* Sent in base64: "):
        run.up(state, token_inputs(vpptoken()))
    assert run.requests == [PATCH, PATCH]
    assert tenant.get(state.id)["state"] == "valid"


def test_a_renewal_whose_file_cannot_be_read_is_corrected_on_the_same_id() -> None:
    """A tenant that keeps what it showed, and only calls the token invalid, gets the other encoding as well."""
    tenant = tenant_that(Silent, V)
    assert isinstance(tenant, Silent)
    tenant.shows = {"state": "invalid"}
    token_id = by_hand(tenant)
    state = stored(running(tenant).assembly.tokens.find(token_id))
    run = running(tenant)
    outcome = run.up(state, token_inputs(vpptoken(), claimTokenManagementFromExternalMdm=True))
    assert run.requests == [PATCH, PATCH, SYNC, LIST]
    assert [sorted(body) for body in run.bodies("PATCH")] == [["claimTokenManagementFromExternalMdm", "token"]] * 2
    assert (outcome.failure, outcome.state.observed.state) == (None, "valid")


@pytest.mark.parametrize("kind", ["create", "renew", "repair"])
def test_a_file_that_only_the_sync_shows_to_be_unreadable(kind: str) -> None:
    """Where the token becomes invalid in its sync, the file is sent in the other encoding, and synced again."""
    tenant = tenant_that(Silent, V)
    assert isinstance(tenant, Silent)
    tenant.after_sync = kind != "repair"
    tenant.shows = UNREAD if kind == "create" else {"state": "invalid"}
    if kind == "create":
        run = running(tenant)
        outcome = run.create(token_inputs(vpptoken()))
        sent = [LIST, POST]
    else:
        token_id = by_hand(tenant)
        if kind == "repair":
            tenant.edit_by_hand(token_id, {"state": "invalid"})
        state = stored(running(tenant).assembly.tokens.find(token_id))
        run = running(tenant)
        outcome = run.up(state, token_inputs(vpptoken()))
        sent = [PATCH]
    writes = [one for one in run.requests if one != LIST]
    assert writes == [*[one for one in sent if one != LIST], SYNC, PATCH, SYNC]
    assert (outcome.failure, outcome.state.observed.state, outcome.state.token_encoding) == (None, "valid", V)
    assert (outcome.state.sync_pending, len(tenant.tokens)) == (False, 1)


def test_a_listing_that_lags_behind_the_correction() -> None:
    """After the correction, a listing that still shows the token as invalid ends no wait."""

    class Lagging(Silent):
        def list_tokens(self, **options: Any) -> Page:
            page = super().list_tokens(**options)
            if self.clock.now() < NOW + timedelta(seconds=10):
                page.tokens[:] = [{**shown, **UNREAD, "lastSyncStatus": "none"} for shown in page.tokens]
            return page

    run = running(tenant_that(Lagging, V))
    outcome = run.create(token_inputs(vpptoken()))
    assert run.requests[:4] == [LIST, POST, PATCH, SYNC]
    assert (outcome.failure, outcome.state.observed.state) == (None, "valid")


def test_a_token_that_apple_refuses_keeps_its_file() -> None:
    """Where the other encoding is refused, the first one may have been right: the token is reported as invalid."""
    tenant = tenant_that(Silent, B)
    assert isinstance(tenant, Silent)

    def refuse(body: Mapping[str, Any]) -> str | None:
        encoding, _ = arriving(body["token"])
        tenant.arrived.append(encoding)
        if encoding is V:
            raise intune_bad_request("The VPP token is invalid.")
        return None

    tenant._text = refuse  # type: ignore[method-assign]
    run = running(tenant)
    outcome = run.create(token_inputs(vpptoken()))
    assert isinstance(outcome.failure, SyncFailed)
    assert outcome.state.token_file is not None
    assert outcome.state.token_encoding is None
    (warning,) = run.reporter.warnings
    assert warning.startswith("Intune calls Lincoln invalid after its token file was sent in base64. Sent verbatim: M")
    assert tenant.arrived == [B, V]


class Failing(Silent):
    """A tenant that cannot read a file, and then fails for longer than a request is repeated."""

    failures = 5

    def patch(self, token_id: str, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """Fail, or change the token."""
        if self.failures:
            self.failures -= 1
            raise IntuneRefusal(503, "ServiceUnavailable", "Try again.")
        return super().patch(token_id, body, **options)


@pytest.mark.parametrize("wait", [True, False])
def test_a_correction_that_fails_loses_nothing(wait: bool) -> None:  # noqa: FBT001 - a table
    """The created token is kept with the failure, and the next update sends the file again, to the same id."""
    tenant = tenant_that(Failing, V)
    inputs = token_inputs(vpptoken(), waitForSync=wait)
    run = running(tenant)
    outcome = run.create(inputs)
    assert run.requests == [LIST, POST, *[PATCH] * 5]
    assert isinstance(outcome.failure, GraphUnavailable)
    assert (outcome.state.token_file, outcome.state.sync_pending) == (None, True)
    assert [one.id for one in tenant.tokens] == [outcome.state.id]
    again = running(tenant)
    done = again.up(outcome.state, inputs)
    assert [one for one in again.requests if one == PATCH] == [PATCH, PATCH]
    assert (done.failure, done.state.id, done.state.observed.state) == (None, outcome.state.id, "valid")
    assert done.state.token_file is not None
    assert not running(tenant).preview(done.state, inputs)


def test_a_date_that_intune_rounds_is_the_files() -> None:
    """A token with the date of its file, rounded, was read: if it is invalid, the encoding is not the reason."""
    tenant = tenant_that(Silent)
    assert isinstance(tenant, Silent)
    tenant.shows = {"state": "invalid", "expirationDateTime": NEXT_YEAR.strftime("%Y-%m-%dT00:00:00Z")}
    running(tenant).create(token_inputs(vpptoken()))
    assert tenant.arrived == [B]


def test_an_adopted_token_remembers_nothing(tenant: Tenant) -> None:
    """Without an upload, nothing is known."""
    outcome = running(tenant).create({"adoptTokenId": uploaded(tenant)})
    assert outcome.state.token_encoding is None


DOORS: dict[str, Callable[[VppTokenState], VppTokenState]] = {
    "plugin": stored,
    "dynamic": lambda state: dynamic_door.state_from(state.id, dynamic_door.state_to(state)),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_refresh_keeps_what_is_remembered(door: str) -> None:
    """The encoding stays in the state of both doors, and is shown by no diff."""
    tenant = tenant_that(Recorded, V)
    inputs = token_inputs(vpptoken())
    state = DOORS[door](running(tenant).create(inputs).state)
    now = running(tenant).refresh(state)
    assert now is not None
    kept = DOORS[door](now)
    assert kept.token_encoding is V
    assert pulumi_state.state_to(kept)["__tokenEncoding"] == "verbatim"
    assert not running(tenant).preview(kept, inputs)


class RefusesOnce(Silent):
    """A tenant that refuses the next file for a reason that passes, in words that name no member."""

    refuses = False

    def patch(self, token_id: str, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """Change a token, unless this file is refused."""
        if "token" in body and self.refuses:
            self.refuses = False
            raise intune_bad_request("An error has occurred.")
        return super().patch(token_id, body, **options)


@pytest.mark.parametrize("after_sync", [False, True])
def test_a_refusal_that_passes_leaves_all_tokens_readable(*, after_sync: bool) -> None:
    """A file that was refused for another reason is sent in its own encoding again; other tokens are not touched."""
    tenant = tenant_that(RefusesOnce, B)
    assert isinstance(tenant, RefusesOnce)
    tenant.after_sync = after_sync
    names = ("Lincoln", "Roosevelt")
    states = [
        running(tenant).create(token_inputs(vpptoken(name, expires=SOON + apart(name)), displayName=name)).state
        for name in names
    ]
    tenant.arrived.clear()
    tenant.refuses = True
    run = running(tenant)
    renewed = [
        run.up(state, token_inputs(vpptoken(name), displayName=name)) for name, state in zip(names, states, strict=True)
    ]
    assert [(one.failure, one.state.observed.state, one.state.token_encoding) for one in renewed] == [
        (None, "valid", B)
    ] * 2
    assert tenant.arrived == [V, B, B]


def test_a_renewal_on_the_day_of_the_file_before() -> None:
    """The expiration of the file before is no proof that one of the same day was read: the other encoding follows."""
    tenant = new_tenant(token_encoding=TokenEncoding.VERBATIM, unreadable_files=UnreadableFiles.INVALID)
    token_id = uploaded(tenant)
    state = running(tenant).assembly.tokens.find(token_id)
    run = running(tenant)
    later = NEXT_YEAR + timedelta(hours=5, minutes=7, seconds=3)
    outcome = run.up(stored(state), token_inputs(vpptoken(expires=later)))
    assert run.requests[:3] == [PATCH, PATCH, SYNC]
    assert (outcome.failure, outcome.state.observed.state, outcome.state.token_encoding) == (None, "valid", V)


class SyncsAtCreate(Silent):
    """A tenant that starts a sync by itself when a token is created."""

    def create(self, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """Create a token whose sync runs."""
        made = super().create(body, **options)
        return self.edit_by_hand(made["id"], {"lastSyncStatus": "inProgress"})


def test_the_sync_of_an_unreadable_file_is_not_joined() -> None:
    """After a create that was corrected by a PATCH a sync is started: one that runs may be that of the first file."""
    run = running(tenant_that(SyncsAtCreate, V))
    run.create(token_inputs(vpptoken()))
    assert run.requests[:4] == [LIST, POST, PATCH, SYNC]


def test_an_interrupted_renewal_is_corrected_by_the_next_run() -> None:
    """A file that Intune could not read, as a later refresh shows, is sent again, and then in the other encoding."""
    tenant = tenant_that(Silent, V)
    assert isinstance(tenant, Silent)
    tenant.after_sync = True
    text = vpptoken()
    state = running(tenant).create(token_inputs(text, waitForSync=False)).state
    tenant.sync_licenses(state.id)
    tenant.clock.advance(5)
    refreshed = running(tenant).refresh(state)
    assert refreshed is not None
    assert refreshed.observed.state == "invalid"
    assert not running(tenant).drift(refreshed).renews
    tenant.arrived.clear()
    run = running(tenant)
    outcome = run.up(refreshed, token_inputs(text))
    assert run.reporter.infos[0] == (
        "Sends the token file of Lincoln again, because Intune could not read it; id and apps are kept."
    )
    assert tenant.arrived == [B, V]
    assert (outcome.failure, outcome.state.observed.state, outcome.state.token_encoding) == (None, "valid", V)
    assert not running(tenant).preview(outcome.state, token_inputs(text))
