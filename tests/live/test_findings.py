"""Each possible finding of each probe, made by a tenant that behaves so: no probe is a constant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest

from intune_vpp.core.token_encoding import Encoding
from intune_vpp_emulator.members import Version
from intune_vpp_emulator.refusals import IntuneRefusal
from intune_vpp_emulator.tenant import Graph, Tenant
from live import creating, story
from live.kit import Kit
from live.probe import NOT_PROBED, Reach
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from live.probe import Finding, Session

PROBES: Final = {probe.name: probe for probe in story.PROBES}
LIST: Final = "/beta/deviceAppManagement/vppTokens"
ONE: Final = f"{LIST}/*"
DUPLICATE: Final = "duplicateLocationId"


class Claims(Tenant):
    """A tenant in which the claim alone takes a location from another MDM."""

    def patch(self, token_id: str, body: Mapping[str, Any], *, version: Version = Version.BETA) -> Graph:
        """Change it."""
        super().patch(token_id, body, version=version)
        return self.edit_by_hand(token_id, {"state": "valid"})


class Resets(Tenant):
    """A tenant in which a PATCH on v1.0 resets the display name."""

    def patch(self, token_id: str, body: Mapping[str, Any], *, version: Version = Version.BETA) -> Graph:
        """Change it."""
        more = {"displayName": None} if version is Version.V1 else {}
        super().patch(token_id, body, version=version)
        return super().patch(token_id, more)


class OneWay(Tenant):
    """A tenant that takes only the first change of a member."""

    changed = False

    def patch(self, token_id: str, body: Mapping[str, Any], *, version: Version = Version.BETA) -> Graph:
        """Change it, or nothing."""
        allowed, self.changed = {} if self.changed else body, True
        return super().patch(token_id, allowed, version=version)


class Impatient(Tenant):
    """A tenant that refuses a sync while one runs, and within five minutes after one."""

    status = 409

    def sync_licenses(self, token_id: str, *, version: Version = Version.BETA) -> Graph:
        """Start one, or refuse."""
        shown = self.get(token_id)
        ended = shown["lastSyncStatus"] != "none" and f"{self.clock.now():%H:%M}" < "12:05"
        if shown["lastSyncStatus"] == "inProgress" or ended:
            raise IntuneRefusal(self.status, "Refused", "A sync is in progress.")
        return super().sync_licenses(token_id, version=version)


class Throttles(Impatient):
    """The same, with the status of throttling."""

    status = 429


def patched(status: int) -> dict[str, Any]:
    """A rule that answers each PATCH; an answer of 200 changes nothing."""
    return answered("PATCH", "/*/deviceAppManagement/vppTokens/*", status)


def answered(method: str, path: str, status: int, body: object = None) -> dict[str, Any]:
    """A rule that answers for the tenant."""
    return {"method": method, "path": path, "status": status, "body": body, "times": 99}


def listed(**members: Any) -> list[dict[str, Any]]:
    """A rule that lists one token with these members."""
    return [answered("GET", LIST, 200, {"value": [{"id": str(uuid4()), **members}]})]


def taken() -> list[dict[str, Any]]:
    """A rule that takes each create."""
    return [answered("POST", LIST, 201, {"id": str(uuid4()), "state": "valid"})]


@dataclass
class Case:
    """One finding: the tenant with its behavior, the rules from the time at which the probe is asked, the arguments."""

    probe: str
    outcome: str
    kind: type[Tenant] = Tenant
    behavior: dict[str, Any] = field(default_factory=dict)
    rules: list[dict[str, Any]] = field(default_factory=list)
    given: Callable[[Kit], tuple[str, ...]] = lambda _: ()
    before: Callable[[Kit, str], object] = lambda _kit, _token_id: None

    def __str__(self) -> str:
        """The name of the test."""
        return f"{self.probe}: {self.outcome}"


def files(**days: float) -> Callable[[Kit], tuple[str, ...]]:
    """Arguments with files of Springfield that expire so many days from now."""
    return lambda kit: tuple(
        word for name, value in days.items() for word in (f"--{name.replace('_', '-')}", kit.file(days=value))
    )


def hang(kit: Kit, token_id: str) -> None:
    """Let the sync of the token hang for two hours."""
    kit.faults.add([{"sync": "hang"}])
    kit.tenant.sync_licenses(token_id)
    kit.tenant.clock.advance(7200)


def hide(kit: Kit, token_id: str) -> None:
    """Bind the application to a scope tag that the token lacks."""
    del token_id
    kit.tenant.allowed_scope_tags = frozenset("1")


def outside(kit: Kit) -> tuple[str, ...]:
    """The argument that names a token."""
    return ("--outside-token-id", kit.tenant.tokens[0].id)


def claimed(kit: Kit, token_id: str) -> None:
    """Let another MDM have claimed the location."""
    kit.tenant.edit_by_hand(token_id, {"state": "assignedToExternalMDM"})


def claiming(kit: Kit) -> tuple[str, ...]:
    """The arguments that allow to take it back."""
    return ("--claim", "--token-file", kit.file("Lincoln"))


def double(kit: Kit, token_id: str) -> None:
    """Upload another token of the location."""
    del token_id
    kit.upload("Lincoln")


def gone(kit: Kit, token_id: str) -> None:
    """Delete the token behind the kit's back."""
    kit.tenant.delete_by_hand(token_id)


def later(kit: Kit, token_id: str) -> None:
    """Let a minute pass."""
    del token_id
    kit.tenant.clock.advance(60)


def second(kit: Kit, token_id: str) -> None:
    """Upload another token."""
    del token_id
    kit.upload("Denver")


def other_file(kit: Kit) -> tuple[str, ...]:
    """A file of another location."""
    return ("--other-location-file", kit.file("Dover"))


def claimed_file(kit: Kit) -> tuple[str, ...]:
    """A file of a location that another MDM manages."""
    return ("--claimed-file", kit.file("Elsewhere"))


_MEMBERS = [name.removeprefix("patch-") for name in PROBES if name.startswith("patch-")]
CASES: Final = [
    Case("list-members", "same"),
    Case("list-members", "fewer", behavior={"list_blanks": "roleScopeTagIds"}),
    Case("page-size", "one page"),
    Case("page-size", "several pages", behavior={"page_size": 1}, before=second),
    Case("missing-token", "404"),
    Case("missing-token", "400", rules=[answered("GET", ONE, 400)]),
    Case("missing-token", "another", rules=[answered("GET", ONE, 410)]),
    Case("id-case", "ignored"),
    Case("id-case", "counts", rules=[answered("GET", ONE, 404)]),
    Case("query-options", "taken"),
    Case("query-options", "ignored", rules=listed(displayName="iPads")),
    Case("query-options", "refused", rules=[answered("GET", LIST, 400)]),
    Case("shown-members", "shown"),
    Case("shown-members", "absent", rules=[answered("GET", ONE, 200, {"countryOrRegion": "US"})]),
    Case("hidden-secret", "null"),
    Case("hidden-secret", "a text", rules=listed(token="ey")),
    Case("never-synced", "first year"),
    Case("never-synced", "null", rules=listed(lastSyncStatus="none", lastSyncDateTime=None)),
    Case("never-synced", "a date", rules=listed(lastSyncStatus="none", lastSyncDateTime="2026-11-01T12:00:00Z")),
    Case("duplicate-in-v1", "unknown", before=double),
    Case("duplicate-in-v1", "same word", before=double, rules=[answered("GET", "/v1.0/*", 200, {"state": DUPLICATE})]),
    Case("duplicate-in-v1", "another", before=double, rules=[answered("GET", "/v1.0/*", 200, {"state": "valid"})]),
    Case("scope-tags", "not bound", given=outside),
    Case("scope-tags", "bound", given=outside, before=hide),
    Case("scope-tags", "in part", given=outside, rules=[answered("GET", ONE, 404)]),
    Case("password-change", "later", given=files(earlier_file=100, token_file=200)),
    Case("password-change", "same", given=files(earlier_file=100, token_file=100)),
    Case("password-change", "earlier", given=files(earlier_file=200, token_file=100)),
    Case("app-permission", "readable"),
    Case("app-permission", "not permitted", rules=[answered("GET", "/beta/deviceAppManagement/mobileApps", 403)]),
    Case("app-permission", "refused", rules=[answered("GET", "/beta/deviceAppManagement/mobileApps", 400)]),
    Case("create-encoding", "both"),
    Case("create-encoding", "base64", behavior={"token_encoding": "base64"}),
    Case("create-encoding", "verbatim", behavior={"token_encoding": "verbatim", "unreadable_files": "invalid"}),
    Case("create-encoding", "neither", rules=[answered("POST", LIST, 400)]),
    Case("consent", "refused"),
    Case("consent", "taken", rules=taken()),
    Case("garbage-file", "refused"),
    Case("garbage-file", "taken", behavior={"unreadable_files": "invalid"}),
    Case("expired-file", "refused", given=files(expired_file=-1)),
    Case("expired-file", "taken", given=files(expired_file=-1), rules=taken()),
    Case("claimed-file", "taken", given=claimed_file),
    Case("claimed-file", "refused", given=claimed_file, rules=[answered("POST", LIST, 400)]),
    Case("create-visible", "at once"),
    Case("create-visible", "later", behavior={"get_lag_seconds": 10}),
    Case("create-echo", "as sent"),
    Case("create-echo", "changed", rules=[answered("GET", ONE, 200, {"locationName": "Springfield"})]),
    Case("hanging-sync", "restarts", behavior={"sync_restarts": True}, before=hang),
    Case("hanging-sync", "hangs", before=hang),
    Case("hanging-sync", "refused", before=hang, rules=[answered("POST", f"{ONE}/syncLicenses", 409)]),
    Case("claim", "with the file", given=claiming, before=claimed),
    Case("claim", "alone", kind=Claims, given=claiming, before=claimed),
    Case("claim", "not", given=claiming, before=claimed, rules=[patched(200)]),
    Case("renewal-lag", "at once", behavior={"renewal_lag_seconds": 0}, given=files(renewal_file=300)),
    Case("renewal-lag", "later", given=files(renewal_file=300)),
    Case("renewal-lag", "not seen", behavior={"renewal_lag_seconds": 99999}, given=files(renewal_file=300)),
    Case("renewal-lag", "refused", given=files(renewal_file=300), rules=[patched(400)]),
    Case("renewal-encoding", "both"),
    Case("renewal-encoding", "base64", behavior={"token_encoding": "base64"}),
    Case("renewal-encoding", "verbatim", behavior={"token_encoding": "verbatim"}),
    Case("renewal-encoding", "neither", rules=[patched(400)]),
    Case("expiration", "exact"),
    Case("expiration", "rounded or moved", behavior={"expiration_shift_seconds": 5}),
    Case("gzip", "accepted"),
    Case("gzip", "ignored", rules=[patched(200)]),
    Case("gzip", "415", behavior={"gzip": "415"}),
    Case("gzip", "refused", behavior={"gzip": "400"}),
    Case("v1-patch", "kept"),
    Case("v1-patch", "reset", kind=Resets),
    Case("v1-patch", "refused", rules=[patched(400)]),
    Case("sync-while-running", "accepted"),
    Case("sync-while-running", "refused", kind=Impatient),
    Case("sync-while-running", "throttled", kind=Throttles),
    Case("sync-date", "end"),
    Case("sync-date", "start", behavior={"sync_date": "start"}),
    Case("sync-date", "never", rules=[{"sync": "failed"}]),
    Case("sync-interval", "accepted"),
    Case("sync-interval", "refused", kind=Impatient),
    Case("sync-interval", "throttled", kind=Throttles),
    Case("other-location", "moves", given=other_file),
    Case("other-location", "refused", given=other_file, rules=[patched(400)]),
    Case("other-location", "keeps", given=other_file, rules=[patched(200)]),
    Case("get-after-delete", "gone at once"),
    Case("get-after-delete", "still shown", behavior={"get_lag_seconds": 10}, before=later),
    Case("delete-missing", "404", before=gone),
    Case("delete-missing", "success"),
    Case("delete-missing", "another", rules=[answered("DELETE", ONE, 400)]),
    *(Case(f"patch-{name}", "changed") for name in _MEMBERS),
    *(Case(f"patch-{name}", "kept", rules=[patched(200)]) for name in _MEMBERS),
    *(Case(f"patch-{name}", "refused", rules=[patched(400)]) for name in _MEMBERS),
    *(Case(f"patch-{name}", "one way", kind=OneWay) for name in _MEMBERS),
]


def asked(case: Case, folder: Path) -> tuple[Finding, Kit]:
    """The finding of a case."""
    kit = Kit(folder, new_tenant(case.kind, sync_seconds=60))
    probe, named = PROBES[case.probe], kit.upload("Lincoln")
    creates = probe.reach is Reach.CREATES or case.probe in CREATED
    arguments = (*_mode(kit, creates=creates, named=named), *case.given(kit))
    with kit.session(*arguments) as session:
        kit.tenant.behave(case.behavior)
        _prepare(session, case, needs_token=creates and probe not in creating.BEFORE)
        case.before(kit, session.subject or named)
        kit.faults.add(case.rules)
        return probe.run(session), kit


CREATED: Final = {"renewal-encoding", "renewal-lag", "expiration"}
"""The probes of files, which these tests ask on a token of the kit."""


def _mode(kit: Kit, *, creates: bool, named: str) -> tuple[str, ...]:
    if creates:
        return ("--write", "--create", "--apple-id", "spare@contoso.example", "--token-file", kit.file(days=200))
    return ("--write", "--token-id", named)


def _prepare(session: Session, case: Case, *, needs_token: bool) -> None:
    if case.probe == "renewal-encoding":
        session.encoding = list(Encoding)[case.outcome == "verbatim"]
    if needs_token:
        creating.create_subject(session)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_finding(case: Case, tmp_path: Path) -> None:
    """A tenant that behaves so leads to this finding."""
    finding, _ = asked(case, tmp_path)
    assert finding.outcome == case.outcome, finding.detail


def test_each_possible_finding_has_a_case() -> None:
    """Each finding that a probe says to be possible is made by a tenant above, and there is no other."""
    possible = {(probe.name, outcome) for probe in story.PROBES for outcome in probe.outcomes}
    assert {(case.probe, case.outcome) for case in CASES} == possible
    assert NOT_PROBED not in {outcome for _, outcome in possible}
    assert len(story.PROBES) == len(PROBES)
