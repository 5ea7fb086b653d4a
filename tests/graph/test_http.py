"""The one HTTP client: what it trusts, and what it refuses to start with."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING

import pytest

from intune_vpp import __version__
from intune_vpp.core.errors import SettingsError
from intune_vpp.graph.http import open_http

if TYPE_CHECKING:
    from pathlib import Path


def test_without_a_bundle_the_public_authorities_are_trusted() -> None:
    """Certificates are checked against the public CAs, and JSON is asked for."""
    with open_http(None) as http:
        assert http.headers["Accept"] == "application/json"
        assert http.follow_redirects is False
        context = http._transport._pool._ssl_context  # type: ignore[attr-defined]

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] > 50


def test_it_names_itself() -> None:
    """Each request names the provider and its version, as Pulumi's registry requires."""
    with open_http(None) as http:
        assert http.headers["User-Agent"] == f"pulumi-intune-vpp/{__version__}"


@pytest.mark.parametrize(("configured", "limits"), [(60.0, (10.0, 60.0, 60.0, 60.0)), (3.0, (3.0, 3.0, 3.0, 3.0))])
def test_the_time_limits(configured: float, limits: tuple[float, ...]) -> None:
    """A host that does not answer is given up after 10 seconds, a step of a request after the configured time."""
    with open_http(None, timeout=configured) as http:
        assert (http.timeout.connect, http.timeout.read, http.timeout.write, http.timeout.pool) == limits


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"])
def test_a_bundle_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    """A CA bundle that is missing, empty or broken is a SettingsError that names the file and the key."""
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_bytes(content)

    with pytest.raises(SettingsError, match=r"ca\.pem cannot be read as PEM certificates\. Check caBundlePath"):
        open_http(str(bundle))


@pytest.mark.parametrize("path", [".", "a\x00b", "a" * 5000])
def test_a_bundle_that_cannot_be_a_file(path: str) -> None:
    """So are a folder and names that no file has."""
    with pytest.raises(SettingsError, match="cannot be read as PEM certificates"):
        open_http(path)


@pytest.mark.parametrize("proxy", ["socks5://user:tell-nobody@p", "ftp://p", "http://[::zz]", "http://p:port"])
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str) -> None:
    """A proxy of the environment that the client cannot use is a SettingsError, and its password is not reported."""
    monkeypatch.setenv(variable, proxy)

    with pytest.raises(SettingsError) as caught:
        open_http(None)

    assert str(caught.value) == (
        "The proxy in the environment cannot be used: only http:// and https:// proxies are supported. "
        "Check HTTPS_PROXY and ALL_PROXY, or add the host to NO_PROXY."
    )
    assert caught.value.__context__ is None


@pytest.mark.parametrize("name", ["msal", "msal.oauth2cli.oauth2", "httpx", "httpcore", "httpcore.http11", "msal.new"])
def test_libraries_that_see_secrets_log_nothing(
    name: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing that they log, however loud, reaches stderr or a handler, also where a logger below has its own level."""
    caplog.set_level(logging.DEBUG)
    open_http(None).close()
    logger = logging.getLogger(name)
    before = logger.level
    try:
        for level in (before, logging.DEBUG if "." in name else before):
            logger.setLevel(level)
            logger.critical("tell-nobody")
            logger.error("tell-nobody", exc_info=ValueError("tell-nobody"))
    finally:
        logger.setLevel(before)

    assert (caplog.records, *capfd.readouterr()) == ([], "", "")


def test_our_own_lines_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The silence is theirs alone."""
    caplog.set_level(logging.DEBUG)
    open_http(None).close()
    logging.getLogger("intune_vpp.graph.client").debug("GET")

    assert caplog.messages == ["GET"]
