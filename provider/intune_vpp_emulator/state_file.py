"""A tenant kept in a file between runs, without the texts of `.vpptoken` files, which the tenant does not keep."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .apple import ContentToken
from .clock import moment
from .directory import AppRegistration, Directory
from .identity.workload import FederatedCredential
from .licenses import Imported
from .revocation import Revocation
from .vpp_token import VppToken

if TYPE_CHECKING:
    from datetime import datetime

    from .tenant import Tenant


class UnusableStateError(ValueError):
    """The file is not a state file of the emulator."""


def keep(tenant: Tenant, path: Path) -> None:
    """Write the tenant to `path` now and with each change."""

    def save() -> None:
        write_private(path, json.dumps(_written(tenant), indent=1))

    tenant.on_change = save
    save()


def restore(tenant: Tenant, path: Path) -> None:
    """Restore the tenant from `path`, where the file exists; raises UnusableStateError."""
    if not path.exists():
        return
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        tenant.directory = _directory(document["directory"])
        tenant.clock.advance(document["clockAheadSeconds"])
        tenant.tokens = [_token(one) for one in document["vppTokens"]]
    except (KeyError, TypeError, ValueError, AttributeError) as reason:
        raise UnusableStateError(f"{path} is not a state file of this emulator.") from reason


def write_private(path: Path, content: str | bytes) -> None:
    """Write to `path` by a rename, readable by its owner only."""
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _written(tenant: Tenant) -> dict[str, Any]:
    return {
        "directory": asdict(tenant.directory),
        "clockAheadSeconds": tenant.clock.ahead.total_seconds(),
        "vppTokens": [_dated(asdict(one)) for one in tenant.tokens],
    }


def _dated(document: dict[str, Any]) -> dict[str, Any]:
    return {
        **document,
        "file": {**document["file"], "expires": document["file"]["expires"].isoformat()},
        "lag_ends": _text(document["lag_ends"]),
        "sync_ends": _text(document["sync_ends"]),
        "imported": document["imported"] and {**document["imported"], "at": _text(document["imported"]["at"])},
        "revocations": [
            {**one, "started": _text(one["started"]), "ends": _text(one["ends"])} for one in document["revocations"]
        ],
    }


def _text(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment(text)


def _directory(document: dict[str, Any]) -> Directory:
    apps = {name: _app(value) for name, value in document.items() if isinstance(value, dict)}
    return Directory(tenant_id=document["tenant_id"], domain=document["domain"], **apps)


def _app(document: dict[str, Any]) -> AppRegistration:
    federated = tuple(FederatedCredential(**one) for one in document["federated"])
    return AppRegistration(**{**document, "roles": tuple(document["roles"]), "federated": federated})


def _token(document: dict[str, Any]) -> VppToken:
    file = ContentToken(**{**document["file"], "expires": moment(document["file"]["expires"])})
    moments = {"lag_ends": _moment(document["lag_ends"]), "sync_ends": _moment(document["sync_ends"])}
    imported, revocations = _imported(document.get("imported")), _revocations(document.get("revocations", []))
    return VppToken(**{**document, **moments, "file": file, "imported": imported, "revocations": revocations})


def _imported(document: dict[str, Any] | None) -> Imported | None:
    if document is None:
        return None
    fresh = Imported.fresh(tuple(document["place"]), moment(document["at"]))
    return replace(fresh, **{name: document[name] for name in ("used", "counted") if name in document})


def _revocations(documents: list[dict[str, Any]]) -> tuple[Revocation, ...]:
    return tuple(
        Revocation(started=moment(one["started"]), ends=moment(one["ends"]), result=one["result"]) for one in documents
    )
