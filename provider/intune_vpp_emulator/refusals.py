"""How Graph says no: its gateway in plain words, Intune with a document in a string."""

from __future__ import annotations

from http import HTTPStatus

_CODES = {404: "ResourceNotFound"}  # Intune's own word, which is not HTTP's


class Refusal(Exception):
    """A request that is answered with an error: the status, Graph's code and a sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence


class GatewayRefusal(Refusal):
    """Refused by Graph before Intune saw it: `message` is the sentence."""


class IntuneRefusal(Refusal):
    """Refused by Intune: `message` is a JSON document in a string."""


def bad_request(sentence: str) -> GatewayRefusal:
    """The gateway's 400."""
    return GatewayRefusal(400, "BadRequest", sentence)


def intune_bad_request(sentence: str) -> IntuneRefusal:
    """Intune's 400."""
    return IntuneRefusal(400, "BadRequest", sentence)


def not_found(kind: str, its_id: str) -> IntuneRefusal:
    """Intune's 404."""
    # a guess: missing-token
    return IntuneRefusal(404, "ResourceNotFound", f"The {kind} {its_id} was not found.")


def scripted(status: int) -> IntuneRefusal:
    """Intune's error of that status, with the code that fits and no cause."""
    # a guess: scripted-code
    return IntuneRefusal(status, _CODES.get(status) or _name(status), "An error has occurred")


def _name(status: int) -> str:
    try:
        return "".join(letter for letter in HTTPStatus(status).phrase if letter.isalpha())
    except ValueError:
        return "UnknownError"
