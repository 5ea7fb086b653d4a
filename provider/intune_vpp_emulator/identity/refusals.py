"""Why Microsoft Entra ID refuses a sign-in: its numbers, its sentences and their envelope.

The sentences are those that its users quote in public, most of them from 2023 to 2026.
"""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import Response, request

from intune_vpp_emulator.answers import json_answer

if TYPE_CHECKING:
    from datetime import datetime

_FEDERATION: Final = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
_CERTIFICATES: Final = "https://learn.microsoft.com/entra/identity-platform/certificate-credentials"
_DEPLOYMENTS: Final = "https://docs.microsoft.com/en-us/graph/deployments"
_GET_APPLICATION: Final = "https://docs.microsoft.com/en-us/graph/api/application-get?view=graph-rest-1.0&tabs=http"

_UNAUTHORIZED: Final = HTTPStatus.UNAUTHORIZED
_BAD_REQUEST: Final = HTTPStatus.BAD_REQUEST

SCRIPTED: Final = {
    7000222: (
        "invalid_client",
        _UNAUTHORIZED,
        """The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create new keys
        for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security:
        https://aka.ms/certCreds.""",
    ),
    7000218: (
        "invalid_client",
        _UNAUTHORIZED,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    ),
    7000112: ("unauthorized_client", _BAD_REQUEST, "Application '{client_id}'(intune-vpp) is disabled."),
    65001: (
        "invalid_grant",
        _BAD_REQUEST,
        """The user or administrator has not consented to use the application with ID '{client_id}' named 'intune-vpp'.
        Send an interactive authorization request for this user and resource.""",
    ),
    50034: (
        "invalid_grant",
        _BAD_REQUEST,
        """The user account {{EmailHidden}} does not exist in the {domain} directory. To sign into this application, the
        account must be added to the directory.""",
    ),
    53003: (
        "invalid_grant",
        _BAD_REQUEST,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    ),
    90033: (
        "temporarily_unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "A transient error has occurred. Please try again.",
    ),
}
"""Refusals that have no cause in the emulator, for `signInRefusal`: error, status and sentence by number."""


class SignInRefusal(Exception):
    """A sign-in that fails, with the number and the sentence of Microsoft Entra ID."""

    def __init__(self, error: str, number: int, sentence: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(sentence)
        self.error, self.number, self.sentence, self.status = error, number, sentence, status


def scripted(number: int, *, client_id: str, domain: str) -> SignInRefusal:
    """A refusal of `SCRIPTED`."""
    error, status, sentence = SCRIPTED[number]
    words = " ".join(sentence.split()).format(client_id=client_id, domain=domain)
    return SignInRefusal(error, number, words, status)


def invalid_client(number: int, sentence: str) -> SignInRefusal:
    """A refusal with `invalid_client` and status 401."""
    return SignInRefusal("invalid_client", number, sentence, HTTPStatus.UNAUTHORIZED)


def missing_field(name: str) -> SignInRefusal:
    """A form without one of its fields."""
    sentence = f"The request body must contain the following parameter: '{name}'."
    return SignInRefusal("invalid_request", 900144, sentence)


def unsupported_grant(grant: str) -> SignInRefusal:
    """Another grant than that of applications."""
    return SignInRefusal("unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'.")


def unknown_tenant(name: str) -> SignInRefusal:
    """No tenant of that name in this cloud."""
    sentence = (
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant."
    )
    return SignInRefusal("invalid_tenant", 90002, sentence)


def unknown_app(client_id: str, domain: str) -> SignInRefusal:
    """No such application in the tenant, or one without its consent."""
    sentence = (
        f"Application with identifier '{client_id}' was not found in the directory '{domain}'. "
        "This can happen if the application has not been installed by the administrator of the tenant or "
        "consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
    )
    return SignInRefusal("unauthorized_client", 700016, sentence)


def unknown_resource(audience: str, domain: str) -> SignInRefusal:
    """No such API in the tenant."""
    sentence = (
        f"The resource principal named {audience} was not found in the tenant named {domain}. This can happen if "
        "the application has not been installed by the administrator of the tenant or consented to by any user in "
        "the tenant. You might have sent your authentication request to the wrong tenant."
    )
    return SignInRefusal("invalid_resource", 500011, sentence)


def no_credential() -> SignInRefusal:
    """Neither a secret nor an assertion."""
    return invalid_client(
        7000216,
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
    )


def wrong_secret(client_id: str) -> SignInRefusal:
    """Another secret than that of the application."""
    return invalid_client(
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
        f"not the client secret ID, for a secret added to app '{client_id}'.",
    )


def malformed_assertion() -> SignInRefusal:
    """An assertion that is no JWT, or lacks a claim."""
    # a guess: malformed-assertion
    return invalid_client(50027, "JWT token is invalid or malformed.")


def assertion_of_another_app() -> SignInRefusal:
    """`iss` and `sub` are not both the client id."""
    return invalid_client(
        700021,
        "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at "
        f"{_CERTIFICATES} .",
    )


def assertion_for_another_audience() -> SignInRefusal:
    """`aud` is neither the token endpoint nor the issuer of the tenant."""
    return invalid_client(
        700023,
        f"Client assertion audience claim does not match Realm issuer. Review the documentation at {_CERTIFICATES} .",
    )


def assertion_outside_its_times(now: datetime, begins: datetime, ends: datetime) -> SignInRefusal:
    """An assertion that has expired or is not valid yet."""
    return invalid_client(
        700024,
        f"Client assertion is not within its valid time range. Current time: {_to_the_tick(now)}, assertion valid from "
        f"{_to_the_tick(begins)}, expiry time of assertion {_to_the_tick(ends)}. Review the documentation at "
        f"{_CERTIFICATES} .",
    )


def unregistered_certificate(client_id: str, thumbprint: str | None) -> SignInRefusal:
    """A certificate that the app registration lacks, or an assertion that names none."""
    used = "" if thumbprint is None else f"Thumbprint of key used by client: '{thumbprint}', "
    return invalid_client(
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        f"[Reason - The key was not found., {used}{_where_keys_are(client_id)}].",
    )


def unusable_certificate(
    client_id: str, reason: str, thumbprint: str, lifetime: tuple[datetime, datetime]
) -> SignInRefusal:
    """A registered certificate that has expired, or whose key has not made the signature."""
    begins, ends = (f"{one:%m/%d/%Y %H:%M:%S}" for one in lifetime)
    return invalid_client(
        700027,
        f"Client assertion contains an invalid signature. [Reason - {reason}, Thumbprint of key used by client: "
        f"'{thumbprint}', Found key 'Start={begins}, End={ends}', {_where_keys_are(client_id)}].",
    )


def no_federated_credential(number: int, claim: str, value: str) -> SignInRefusal:
    """An assertion whose issuer (700211), audience (700212) or subject (700213) no federated credential has."""
    return invalid_client(
        number,
        f"No matching federated identity record found for presented assertion {claim} '{value}'. Check your federated "
        f"identity credential Subject, Audience and Issuer against the presented assertion. {_FEDERATION}",
    )


def unknown_federated_key(key_id: str, issuer: str) -> SignInRefusal:
    """An assertion that is signed by a key which its issuer does not publish."""
    return invalid_client(
        7000272,
        f"The certificate with identifier {key_id} used to sign the federated credential could not be found in the "
        f"metadata of identity provider {issuer}. Please validate that your Identity Provider's metadata exposes the "
        "key used to sign the incoming token.",
    )


def wrong_federated_signature(key_id: str) -> SignInRefusal:
    """An assertion that the key which it names has not signed."""
    # a guess: federated-signature
    return invalid_client(
        50013,
        "Assertion failed signature validation. [Reason - The provided signature value did not match the expected "
        f"signature value., Thumbprint of key used by client: '{key_id}'].",
    )


def refused(refusal: SignInRefusal, now: datetime) -> Response:
    """The envelope of Entra's errors."""
    trace, moment = str(uuid.uuid4()), f"{now:%Y-%m-%d %H:%M:%SZ}"
    correlation = request.headers.get("client-request-id") or str(uuid.uuid4())
    description = (
        f"AADSTS{refusal.number}: {refusal.sentence} "
        f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {moment}"
    )
    document = {
        "error": refusal.error,
        "error_description": description,
        "error_codes": [refusal.number],
        "timestamp": moment,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"{request.url_root}error?code={refusal.number}",
    }
    return json_answer(document, refusal.status)


def _where_keys_are(client_id: str) -> str:
    return (
        f"Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id "
        f"'{client_id}'. Review the documentation at {_DEPLOYMENTS} to determine the corresponding service endpoint "
        f"and {_GET_APPLICATION} to build a query request URL, such as "
        f"'https://graph.microsoft.com/beta/applications/{client_id}'"
    )


def _to_the_tick(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S.%f}0Z"
