"""Sends the requests of recordings to an emulated tenant, and compares its answers with those that were recorded.

Recordings have placeholders for names, ids and files: what is compared are the status, the code of an error, the
members in their order, the kinds of their values and the form of dates.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from builders import vpptoken
from emulator.client import NOW, a_tenant, graph
from intune_vpp_emulator.apple import TokenEncoding
from intune_vpp_emulator.members import MEMBERS, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from captures import Capture
    from intune_vpp_emulator.tenant import Tenant

_FILE: Final = re.compile(r"\[token file (\d+)(, expired)?, (verbatim|base64)\]")
_OMITTED: Final = "[…]"
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT")
_NEVER: Final = "0001-"


def replay(captures: Sequence[Capture], tenant: Tenant | None = None) -> list[str]:
    """The differences between recorded answers and those of a tenant, which first gets the tokens of the first list."""
    replaying = _Replay(tenant or a_tenant())
    return [f"{one.name}: {found}" for one in captures if one.replayable for found in replaying.differences(one)]


class _Replay:
    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._client = graph(tenant)
        self._ids: dict[str, str] = {}
        self._files: dict[str, str] = {}
        self._prepared = False

    def differences(self, capture: Capture) -> Iterator[str]:
        """Send the request of a capture, and compare the answers."""
        if _OMITTED in capture.path:
            return
        if not self._prepared and _is_list(capture):
            self._prepare(capture.answer["value"])
        content = None if capture.sent is None else json.dumps(self._body(capture.sent)).encode()
        headers = {"Content-Type": "application/json"} if content else {}
        if content and capture.headers_sent.get("Content-Encoding") == "gzip":
            content, headers = gzip.compress(content), {**headers, "Content-Encoding": "gzip"}
        answer = self._client.request(capture.method, self._own(capture.path), content=content, headers=headers)
        ours = answer.json() if answer.content else None
        if answer.status_code != capture.status:
            yield f"the tenant answered {capture.status}, the emulator {answer.status_code}"
            return
        self._learn(capture.answer, ours)
        yield from different(capture.answer, ours)

    def _prepare(self, listed: Sequence[Mapping[str, Any]]) -> None:
        self._prepared, encoding = True, self._tenant.token_encoding
        self._tenant.token_encoding = TokenEncoding.EITHER
        for number, entity in enumerate(listed):
            location = entity.get("locationName") or f"Location {number}"
            text = vpptoken(location, organization=entity["organizationName"], expires=NOW + timedelta(days=90))
            known = {name: value for name, value in entity.items() if name in MEMBERS and value is not None}
            settable = {name: value for name, value in known.items() if not MEMBERS[name].read_only}
            made = self._tenant.create_by_hand({**settable, "token": text})
            shown = {name: value for name, value in known.items() if MEMBERS[name].read_only and name != "id"}
            if shown.get("state") == State.DUPLICATE_LOCATION_ID:
                del shown["state"]  # follows from the locations
            self._tenant.edit_by_hand(made["id"], shown)
            self._ids[entity["id"]] = made["id"]
        self._tenant.token_encoding = encoding

    def _learn(self, recorded: Any, ours: Any) -> None:
        """Keep the id of a token that both have created."""
        if isinstance(recorded, dict) and isinstance(ours, dict) and "id" in recorded and "id" in ours:
            self._ids.setdefault(recorded["id"], ours["id"])

    def _own(self, path: str) -> str:
        for recorded, own in self._ids.items():
            path = path.replace(recorded, own).replace(recorded.upper(), own.upper())
        return path

    def _body(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._text(value) if name == "token" else value for name, value in sent.items()}

    def _text(self, recorded: object) -> object:
        found = _FILE.fullmatch(recorded) if isinstance(recorded, str) else None
        if found is None:
            return recorded
        number, expired, encoding = found.groups()
        if number not in self._files:
            days = -1 if expired else 100 + int(number)
            self._files[number] = vpptoken(f"File {number}", expires=NOW + timedelta(days=days))
        text = self._files[number]
        return base64.b64encode(text.encode()).decode() if encoding == "base64" else text


def _is_list(capture: Capture) -> bool:
    return (
        capture.method == "GET" and isinstance(capture.answer, dict) and isinstance(capture.answer.get("value"), list)
    )


def different(recorded: Any, ours: Any, where: str = "answer") -> Iterator[str]:
    """The differences between two answers, apart from texts that a recording does not have. Null equals anything."""
    if recorded is None or ours is None:
        return
    if type(recorded) is not type(ours):
        yield f"{where} is {type(recorded).__name__}, in the emulator {type(ours).__name__}"
    elif isinstance(recorded, dict):
        if list(recorded) != list(ours):
            yield f"{where} has {', '.join(recorded)}, in the emulator {', '.join(ours)}"
        for name in recorded.keys() & ours.keys():
            yield from different(recorded[name], ours[name], f"{where}.{name}")
    elif isinstance(recorded, list):
        if recorded and ours:
            yield from different(recorded[0], ours[0], f"{where}[0]")
    elif isinstance(recorded, str):
        yield from _different_text(recorded, ours, where)


def _different_text(recorded: str, ours: str, where: str) -> Iterator[str]:
    if where.endswith(".code") and recorded != ours:
        yield f"{where} is {recorded}, in the emulator {ours}"
    if where.endswith(".message") and recorded.startswith("{"):
        yield from different(json.loads(recorded), json.loads(ours) if ours.startswith("{") else ours, where)
    is_date = _DATE.match(recorded) and _DATE.match(ours) and _NEVER not in (recorded[:5], ours[:5])
    if is_date and re.sub(r"\d", "0", recorded) != re.sub(r"\d", "0", ours):
        yield f"{where} is written {recorded}, in the emulator {ours}"
