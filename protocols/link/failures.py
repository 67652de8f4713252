"""Why a connection did not come about, in words, and whether trying again can help.

A broker that never took us may not be there yet, and is waited for as long as `first_connect_timeout_s` says. What no
waiting changes ends a session at once: a certificate that we do not trust, TLS on one side only. Once a broker has
taken us nothing of this ends a session any more: certificates are renewed, and brokers come back.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import Final

from paho.mqtt.client import WebsocketConnectionError

from protocols.errors import BrokerError
from protocols.link.broker_settings import BrokerAddress, BrokerSettings
from protocols.link.codes import BEYOND_ITS_LIMITS, CLIENT_ID_NOT_VALID, REFUSED_FOR_GOOD, reason_text
from protocols.link.tcp import NotReached
from protocols.link.tls import PLAIN, is_about_our_certificate, no_tls, no_trust, reason_of, wants_certificate
from protocols.link.transport import LinkDown

START_IT: Final = "start it (`entropilot broker` does), or correct --broker; `entropilot run` has its own"
"""What to do about a broker that is not there."""

WITHOUT_WEBSOCKET: Final = {"ws": "mqtt", "wss": "mqtts"}
"""Scheme of a link over WebSockets -> that of the same without."""

LOOK_AT_IT: Final = "see what listens at that port and whether it hangs, or correct --broker"
"""What to do about a server that is there and does not answer."""

SEE_WHETHER_IT_RUNS: Final = "see whether a broker runs there and answers, or correct --broker"
"""What to do where we left before we knew more."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a connection did not come about.

    Attributes:
        reason: In words, for the log.
        error: What to tell a person when no waiting can help; None where it may.
        must_repeat: Whether it may be a passing fault, so that it ends a session only when it comes twice in a row.
        advice: What to do about it when it lasts.
    """

    reason: str
    error: BrokerError | None = None
    must_repeat: bool = False
    advice: str = START_IT


def of_opening(error: OSError, address: BrokerAddress, settings: BrokerSettings) -> Failure:
    """Judge what kept a socket from being opened, with TLS and WebSocket if they are asked for."""
    if isinstance(error, NotReached):
        return _not_reached(error.__cause__ or error, address)
    said = _said(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        known = no_trust(error, address, settings.ca_file)
        return Failure(known.found, known)
    if isinstance(error, ssl.SSLError) and is_about_our_certificate(error):
        known = wants_certificate(address, said)
        return Failure(known.found, known)
    if address.scheme in PLAIN and not isinstance(error, WebsocketConnectionError):
        known = no_tls(address, said)
    elif address.scheme in WITHOUT_WEBSOCKET:
        known = _no_websocket(address, said)
    else:
        return Failure(said, advice=LOOK_AT_IT)
    return Failure(known.found, known, must_repeat=True, advice=LOOK_AT_IT)


def of_refusal(code: int, address: BrokerAddress, client_id: str) -> BrokerError | None:
    """Return the error of a CONNACK that trying again cannot change; None for any other.

    Args:
        code: Its code.
        address: Of the broker.
        client_id: Ours.
    """
    if code in BEYOND_ITS_LIMITS:
        return BrokerError(
            f"The broker at {address} cannot serve a campaign: {reason_text(code)}",
            expected="one that confirms messages (QoS 1), keeps retained ones and takes packets as large as ours",
            action="let its settings allow it, or use another broker",
        )
    if code == CLIENT_ID_NOT_VALID:
        return BrokerError(
            f"The broker at {address} refuses our client id {client_id!r}: {reason_text(code)}",
            expected="a broker that takes it",
            action="let the broker's settings allow it (they may bind a user to one id), or use a shorter name",
        )
    if code in REFUSED_FOR_GOOD:
        return BrokerError(
            f"The broker at {address} refuses us: {reason_text(code)}",
            expected="a user name and password that it accepts",
            action="check broker.username and the password (ENTROPILOT_BROKER__PASSWORD, or broker.password_file)",
        )
    return None


def no_broker_answers(address: BrokerAddress, reason: str, advice: str = START_IT) -> BrokerError:
    """Return the error of who was never connected.

    Args:
        address: Where it looked.
        reason: Why the last attempt failed; empty while the first one lasts.
        advice: What to do about that.
    """
    return BrokerError(
        f"No MQTT broker answers at {address}" + (f" ({reason})" if reason else ""),
        expected="a broker that is running and reachable",
        action=advice,
    )


def never_linked(address: BrokerAddress, last: LinkDown | None) -> BrokerError:
    """Return the error of a listener that was ended before it was connected.

    Args:
        address: Where it looked.
        last: What its link said last.
    """
    if last is None:
        return no_broker_answers(address, "", SEE_WHETHER_IT_RUNS)
    return no_broker_answers(address, last.reason, last.advice or SEE_WHETHER_IT_RUNS)


def _not_reached(error: BaseException, address: BrokerAddress) -> Failure:
    said = _said(error)
    if isinstance(error, socket.gaierror):
        return Failure(
            f"no address is known for the name {address.host!r}: {said}",
            advice="correct the name in --broker, or see to this machine's network",
        )
    if isinstance(error, TimeoutError):
        return Failure(
            f"nothing answers at that address: {said}",
            advice="see whether that machine runs and whether a firewall stands between, or correct --broker",
        )
    return Failure(said)


def _no_websocket(address: BrokerAddress, said: str) -> BrokerError:
    return BrokerError(
        f"A server answers at {address}, and takes no WebSockets at {address.path} ({said})",
        expected="a broker that speaks MQTT over WebSockets at that path",
        action=f"correct the path in --broker, or try {WITHOUT_WEBSOCKET[address.scheme]}://{address.host}:{address.port}",
    )


def _said(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError):
        return reason_of(error)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
