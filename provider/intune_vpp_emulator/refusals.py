"""How Graph says no: its gateway in plain words, Intune with a document in a string."""

from __future__ import annotations


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


def not_found(token_id: str) -> IntuneRefusal:
    """Intune's 404."""
    # a guess: missing-token
    return IntuneRefusal(404, "ResourceNotFound", f"The VPP token {token_id} was not found.")
