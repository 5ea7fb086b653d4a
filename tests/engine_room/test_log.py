"""The engine's log, over a real channel."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from engine_room.engine import listening
from intune_vpp.engine.log import DebugLines, EngineLog


def test_each_severity() -> None:
    """Each severity reaches the engine as itself."""
    with listening() as engine:
        reporter = EngineLog(engine.address)
        reporter.info("Renews Lincoln in place (expires 2026-11-30 → 2027-11-28)")
        reporter.warn("expires soon")
        reporter.debug("GET /x: 200")

        assert engine.wait_for("DEBUG") == ["GET /x: 200"]
        assert [line for line in engine.log if line[0] != "DEBUG"] == [
            ("INFO", "Renews Lincoln in place (expires 2026-11-30 → 2027-11-28)"),
            ("WARNING", "expires soon"),
        ]


def test_a_sentence_is_said_once() -> None:
    """The same sentence is said once in a process, from many threads and in whatever severity; debug lines always."""
    with listening() as engine:
        reporter = EngineLog(engine.address)
        threads = [threading.Thread(target=reporter.warn, args=("once",)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        reporter.info("once")
        reporter.info("other")

        assert engine.log == [("WARNING", "once"), ("INFO", "other")]


def test_two_logs_are_two_processes() -> None:
    """What one has said the other says again."""
    with listening() as engine:
        for _ in range(2):
            EngineLog(engine.address).warn("once")

        assert engine.logged("WARNING") == ["once", "once"]


def test_what_cannot_be_printed_is_said_all_the_same() -> None:
    """Half a surrogate pair, as JSON can carry it, becomes U+FFFD: an error here would lose a new token."""
    with listening() as engine:
        reporter = EngineLog(engine.address)
        reporter.warn("Lincoln \ud83d expires")
        reporter.debug("\ud83d")

        assert engine.logged("WARNING") == ["Lincoln \ufffd expires"]
        assert engine.wait_for("DEBUG") == ["\ufffd"]


FORGED = "Lincoln\x1b[2J\x07 \u202eevil\r\n::error::forged\u2028##vso[task.complete result=Failed]"
SHOWN = "Lincoln\ufffd[2J\ufffd \ufffdevil ::error::forged # #vso[task.complete result=Failed]"


def test_what_is_said_is_one_printable_line(caplog: pytest.LogCaptureFixture) -> None:
    """Neither an escape nor a line of its own gets out of a name, in any severity, with an engine and without."""
    caplog.set_level(logging.INFO, logger="intune_vpp")
    with listening() as engine:
        reporter = EngineLog(engine.address)
        for number, say in enumerate((reporter.info, reporter.warn, reporter.debug)):
            say(f"{number}: {FORGED}")
        EngineLog("").warn(f"::3: {FORGED}")

        engine.wait_for("DEBUG")
        assert sorted(line for _, line in engine.log) == [f"{number}: {SHOWN}" for number in range(3)]
        assert caplog.messages == [f": :3: {SHOWN}"]


def test_an_engine_that_is_gone_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """With nobody at the other end the sentence goes to Python's logging, and the caller notices nothing."""
    caplog.set_level(logging.INFO, logger="intune_vpp")
    with listening() as engine:
        reporter = EngineLog(engine.address)
        reporter.info("while it listens")

    reporter.warn("after it hung up")
    reporter.debug("nobody reads this")

    assert [(record.name, record.message) for record in caplog.records] == [
        ("intune_vpp.engine.log", "after it hung up")
    ]


@pytest.mark.parametrize("address", ["", "-m", "tests/host", "somewhere", ":1", "127.0.0.1", "http://127.0.0.1:1/"])
def test_without_an_address_pythons_logging_hears_it(address: str, caplog: pytest.LogCaptureFixture) -> None:
    """Where the last argument of the process is no address nothing is connected to."""
    caplog.set_level(logging.DEBUG, logger="intune_vpp")
    reporter = EngineLog(address)

    reporter.warn("message")
    reporter.warn("message")
    reporter.debug("not reported")

    assert caplog.messages == ["message"]


def test_addresses_of_all_kinds() -> None:
    """IPv4, IPv6 and names are addresses."""
    for address in ("127.0.0.1:1", "[::1]:65535", "localhost:50051"):
        assert EngineLog(address)._opened() is not None


def test_no_debug_line_is_lost() -> None:
    """Debug lines are not waited for, and still all arrive; none is kept when it has."""
    with listening() as engine:
        reporter = EngineLog(engine.address)
        for number in range(200):
            reporter.debug(f"line {number}")

        assert set(engine.wait_for("DEBUG", count=200)) == {f"line {number}" for number in range(200)}
        # gRPC tells of the end of a call on a thread of its own, later than the engine has the line.
        end = time.monotonic() + 20
        while reporter._under_way and time.monotonic() < end:
            time.sleep(0.01)
        assert reporter._under_way == set()


def test_debug_lines_carry_a_loggers_lines() -> None:
    """Each line of a logger goes to the engine with the logger's name, formatted, at debug level."""
    logger = logging.getLogger("tests.host.carried")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    with listening() as engine:
        reporter = EngineLog(engine.address)
        logger.addHandler(DebugLines(reporter))
        logger.debug("%s %s: %s", "GET", "/x", 200)
        logger.handlers.clear()

        assert engine.wait_for("DEBUG") == ["tests.host.carried: GET /x: 200"]


def test_an_engine_that_is_gone_makes_no_loop(caplog: pytest.LogCaptureFixture) -> None:
    """Where the package's own lines go to the engine, telling of its absence does not call for telling again."""
    caplog.set_level(logging.DEBUG, logger="intune_vpp")
    logger = logging.getLogger("intune_vpp")
    with listening() as engine:
        reporter = EngineLog(engine.address)
    handler = DebugLines(reporter)
    logger.addHandler(handler)

    reporter.warn("nobody listens")
    logger.removeHandler(handler)

    assert caplog.messages == ["nobody listens"]
