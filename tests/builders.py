"""Values for tests, made from the few words that matter to each."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from intune_vpp.core import stoken, times
from intune_vpp.core.vpp_token import TokenFile, VppToken, VppTokenArgs, VppTokenState
from intune_vpp_emulator.apple import make_token

if TYPE_CHECKING:
    from intune_vpp.core.stoken import SToken

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
NEXT_YEAR = NOW + timedelta(days=365)
TENANT = "11111111-1111-4111-8111-111111111111"
TOKEN_ID = "22222222-2222-4222-8222-222222222222"
APPLE_ID = "vpp@contoso.example"


def apart(location: str) -> timedelta:
    """How much later than Lincoln's file that of a location expires: Apple's files expire in different seconds too."""
    return timedelta(seconds=0 if location == "Lincoln" else 1 + zlib.crc32(location.encode()) % 3600)


def day(days: float) -> datetime:
    """So many days from now by the machine's clock, which the doors have."""
    return datetime.now(UTC) + timedelta(days=days)


def vpptoken(location: str = "Lincoln", *, organization: str = "Contoso", expires: datetime | None = None) -> str:
    """The text of a new file that an emulated tenant takes, which expires at NEXT_YEAR; no two are the same."""
    return make_token(organization, location, expires or NEXT_YEAR + apart(location))


def fresh_vpptoken(location: str = "Lincoln", *, organization: str = "Contoso", days: float = 300) -> str:
    """The same, for a provider with the machine's clock: it expires so many days from now."""
    return vpptoken(location, organization=organization, expires=day(days) + apart(location))


def sealed_in(text: str) -> str:
    """The secret inside the text of a file."""
    inner = json.loads(base64.b64decode(text))["token"]
    assert isinstance(inner, str)
    return inner


def token_inputs(token: object = None, **members: Any) -> dict[str, Any]:
    """The inputs of a token as a program gives them; a member that is None is left out."""
    basis = {
        "token": token,
        "appleId": APPLE_ID,
        "vppTokenAccountType": "business",
        "dataSharingConsentGranted": True,
        "displayName": "Lincoln",
    }
    return {name: value for name, value in {**basis, **members}.items() if value is not None}


@dataclass
class Record:
    """What the engine keeps of a resource."""

    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


def file_text(
    *, organization: str = "Contoso", expires: datetime = NEXT_YEAR, inner: str = "sealed-by-apple", **members: Any
) -> str:
    """The text of a `.vpptoken` file, spelled as Apple does."""
    content = {"token": inner, "expDate": expires.strftime("%Y-%m-%dT%H:%M:%S%z"), "orgName": organization, **members}
    return base64.b64encode(json.dumps(content, indent=4).encode()).decode()


def file(*, organization: str = "Contoso", expires: datetime = NEXT_YEAR, inner: str = "sealed-by-apple") -> SToken:
    """A token file, read."""
    return stoken.parse(file_text(organization=organization, expires=expires, inner=inner).encode())


def described(read: SToken) -> TokenFile:
    """What the state keeps of a token file."""
    return TokenFile(read.fingerprint, read.expiration_date_time, read.organization_name)


def args(read: SToken | None = None, **inputs: Any) -> VppTokenArgs:
    """The inputs of a token that can be created on beta; with `read` as its file."""
    basis = VppTokenArgs(
        apple_id=APPLE_ID, vpp_token_account_type="business", data_sharing_consent_granted=True, display_name="Lincoln"
    )
    if read is not None:
        basis = replace(basis, token=read.fingerprint, token_file=described(read))
    return replace(basis, **inputs)


def observed(read: SToken | None = None, **members: Any) -> VppToken:
    """The token that those inputs make, as Graph reports it after a sync."""
    file_at_hand = read or file()
    basis = VppToken(
        id=TOKEN_ID,
        apple_id=APPLE_ID,
        vpp_token_account_type="business",
        data_sharing_consent_granted=True,
        display_name="Lincoln",
        organization_name=file_at_hand.organization_name,
        expiration_date_time=file_at_hand.expiration_date_time,
        state="valid",
        last_sync_status="completed",
        last_sync_date_time=times.text(NOW - timedelta(hours=1)),
        location_name="Lincoln",
    )
    return replace(basis, **members)


def state(read: SToken | None = None, *, asked: VppTokenArgs | None = None, **kept: Any) -> VppTokenState:
    """The state after those inputs were applied, with `read` as the file applied last."""
    file_at_hand = read or file()
    basis = VppTokenState(
        observed=observed(file_at_hand),
        tenant_id=TENANT,
        inputs=asked or args(file_at_hand),
        observed_at=times.text(NOW),
        token_file=described(file_at_hand),
        shown_expiration=file_at_hand.expiration_date_time,
    )
    return replace(basis, **kept)
