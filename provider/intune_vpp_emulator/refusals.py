"""Graph's errors: those of its gateway have a plain message, those of Intune a JSON document in a string."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_CODES = {404: "ResourceNotFound"}  # Intune's own, which is not HTTP's phrase


class Refusal(Exception):
    """A request that is answered with an error: the status, Graph's code, a sentence, and further headers."""

    def __init__(self, status: int, code: str, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.headers = headers or {}
        self.status = status
        self.code = code
        self.sentence = sentence


class GatewayRefusal(Refusal):
    """Refused by Graph's gateway: `message` is the sentence."""


class IntuneRefusal(Refusal):
    """Refused by Intune: `message` is a JSON document in a string."""


def bad_request(sentence: str) -> GatewayRefusal:
    """The gateway's 400."""
    return GatewayRefusal(400, "BadRequest", sentence)


def not_implemented(what: str) -> GatewayRefusal:
    """A request that Graph may take and this emulator does not."""
    return GatewayRefusal(501, "NotImplemented", f"The emulator does not implement {what}.")


def intune_bad_request(sentence: str) -> IntuneRefusal:
    """Intune's 400."""
    return IntuneRefusal(400, "BadRequest", sentence)


def not_found(kind: str, its_id: str) -> IntuneRefusal:
    """Intune's 404."""
    # a guess: missing-token
    return IntuneRefusal(404, "ResourceNotFound", f"The {kind} {its_id} was not found.")


def scripted(status: int) -> IntuneRefusal:
    """Intune's error of that status, with its code and no cause."""
    # a guess: scripted-code
    return IntuneRefusal(status, _CODES.get(status) or _name(status), "An error has occurred")


def _name(status: int) -> str:
    try:
        return "".join(letter for letter in HTTPStatus(status).phrase if letter.isalpha())
    except ValueError:
        return "UnknownError"
