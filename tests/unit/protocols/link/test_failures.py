"""What kept a connection from coming about is told in its own words, with its own remedy."""

from __future__ import annotations

import socket
import ssl

import pytest
from paho.mqtt.client import WebsocketConnectionError

from protocols.link.broker_settings import BrokerSettings
from protocols.link.failures import (
    LOOK_AT_IT,
    SEE_WHETHER_IT_RUNS,
    START_IT,
    Failure,
    never_linked,
    no_broker_answers,
    of_opening,
    of_refusal,
)
from protocols.link.tcp import NotReached
from protocols.link.transport import LinkDown


def judged(error: OSError, scheme: str = "mqtt") -> Failure:
    settings = BrokerSettings(url=f"{scheme}://lab:1884")
    return of_opening(error, settings.address(), settings)


def not_reached(cause: OSError) -> NotReached:
    error = NotReached()
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("cause", "reason", "advice"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused", START_IT),
        (
            socket.gaierror(-2, "Name or service not known"),
            "no address is known for the name 'lab'",
            "correct the name",
        ),
        (TimeoutError("timed out"), "nothing answers at that address", "firewall"),
        (OSError(113, "No route to host"), "No route to host", START_IT),
    ],
)
@pytest.mark.parametrize("scheme", ["mqtt", "mqtts", "ws", "wss"])
def test_a_server_that_was_not_reached_may_yet_come_and_says_nothing_of_tls(
    scheme: str, cause: OSError, reason: str, advice: str
) -> None:
    failure = judged(not_reached(cause), scheme)
    assert failure.error is None
    assert reason in failure.reason
    assert advice in failure.advice
    assert "TLS" not in failure.reason


@pytest.mark.parametrize("scheme", ["mqtts", "wss"])
@pytest.mark.parametrize(
    "error", [ConnectionResetError(104, "reset"), TimeoutError("handshake"), ssl.SSLEOFError("eof")]
)
def test_a_server_that_does_not_greet_over_tls_must_do_so_twice_to_end_a_session(scheme: str, error: OSError) -> None:
    failure = judged(error, scheme)
    assert failure.must_repeat
    assert failure.error is not None
    assert "no TLS is spoken there" in failure.error.found
    assert f"try {scheme[:-1]}://lab:1884" in failure.error.action


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (10, "has expired"), (9, "is not valid yet"), (18, "it vouches for itself"), (20, "is not known here"),
        (62, "is not for the name 'lab'"), (64, "is not for the name 'lab'"), (23, "was revoked"),
    ],
)  # fmt: skip
def test_a_certificate_that_is_not_trusted_ends_a_session_at_once_and_says_why(code: int, words: str) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "as OpenSSL says it"
    failure = judged(error, "mqtts")
    assert not failure.must_repeat
    assert failure.error is not None
    assert words in failure.error.found
    assert "as OpenSSL says it" in failure.error.found


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_server_that_takes_no_websockets_is_told_with_the_other_scheme(scheme: str) -> None:
    failure = judged(WebsocketConnectionError("WebSocket handshake error"), scheme)
    assert failure.error is not None
    assert "takes no WebSockets at /mqtt" in failure.error.found
    assert f"try {'mqtt' if scheme == 'ws' else 'mqtts'}://lab:1884" in failure.error.action


def test_whatever_else_happens_to_a_plain_link_may_pass() -> None:
    assert judged(OSError(5, "Input/output error")).error is None


@pytest.mark.parametrize(
    ("code", "words"), [(134, "bad user name or password"), (133, "refuses our client id 'c'"), (155, "QoS")]
)
def test_a_refusal_that_trying_again_cannot_change_has_its_own_error(code: int, words: str) -> None:
    error = of_refusal(code, BrokerSettings(url="mqtt://lab").address(), "c")
    assert error is not None
    assert words in error.found


@pytest.mark.parametrize("code", [-1, 0, 128, 136, 137, 139, 142])
def test_what_may_pass_is_no_refusal(code: int) -> None:
    assert of_refusal(code, BrokerSettings(url="mqtt://lab").address(), "c") is None


def test_nobody_there_is_told_with_the_reason_and_what_to_do() -> None:
    error = no_broker_answers(BrokerSettings(url="mqtt://lab").address(), "Connection refused")
    assert error.found == "No MQTT broker answers at mqtt://lab:1883 (Connection refused)"
    assert error.action == START_IT


@pytest.mark.parametrize(
    ("last", "reason", "advice"),
    [
        (None, "mqtt://lab:1883", SEE_WHETHER_IT_RUNS),
        (LinkDown("cut"), "(cut)", SEE_WHETHER_IT_RUNS),
        (LinkDown("it says nothing", LOOK_AT_IT), "(it says nothing)", LOOK_AT_IT),
    ],
)
def test_who_leaves_before_it_was_connected_hears_what_its_link_said_last(
    last: LinkDown | None, reason: str, advice: str
) -> None:
    error = never_linked(BrokerSettings(url="mqtt://lab").address(), last)
    assert error.found.endswith(reason)
    assert error.action == advice
