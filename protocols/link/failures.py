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
from protocols.link.codes import (
    BEYOND_ITS_LIMITS,
    CLIENT_ID_NOT_VALID,
    REFUSED_FOR_GOOD,
    UNSPECIFIED,
    VERSION_NOT_SPOKEN,
    LinkError,
    LinkState,
    reason_text,
)
from protocols.link.tcp import NotReached
from protocols.link.tls import (
    PLAIN,
    is_about_our_certificate,
    is_too_old,
    no_tls,
    no_trust,
    reason_of,
    too_old,
    wants_certificate,
)
from protocols.link.transport import LinkDown

START_IT: Final = "start it (`entropilot broker` does), or correct --broker; `entropilot run` has its own"
"""What to do about a broker that is not there."""

WITHOUT_WEBSOCKET: Final = {"ws": "mqtt", "wss": "mqtts"}
"""Scheme of a link over WebSockets -> that of the same without."""

LOOK_AT_IT: Final = "see what listens at that port and whether it hangs, or correct --broker"
"""What to do about a server that is there and does not answer."""

UNANSWERED: Final = "it takes connections and does not answer {greeting}"
"""What is said of a server that is there and does not answer."""

SAID_NOTHING: Final = "it took our messages and said nothing"
"""How the end of a link is told on which a broker took messages and never a word came back."""

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
        state: Its name.
    """

    reason: str
    error: BrokerError | None = None
    must_repeat: bool = False
    advice: str = START_IT
    state: LinkState = LinkState.LOST

    @classmethod
    def known(cls, error: LinkError, *, must_repeat: bool = False) -> Failure:
        """Return that of an error that says all."""
        return cls(error.found, error, must_repeat, LOOK_AT_IT, error.state)


def of_opening(error: OSError, address: BrokerAddress, settings: BrokerSettings) -> Failure:
    """Judge what kept a socket from being opened, with TLS and WebSocket if they are asked for."""
    if isinstance(error, NotReached):
        return _not_reached(error.__cause__ or error, address)
    said = _said(error)
    if isinstance(error, ssl.SSLError) and (known := _of_greeting(error, address, settings)) is not None:
        return Failure.known(known)
    if isinstance(error, TimeoutError):
        return _unanswered(address)
    if address.scheme in PLAIN and not isinstance(error, WebsocketConnectionError):
        return Failure.known(no_tls(address, said), must_repeat=True)
    if address.scheme in WITHOUT_WEBSOCKET:
        return Failure.known(_no_websocket(address, said), must_repeat=True)
    return Failure(said, advice=LOOK_AT_IT)


def _of_greeting(error: ssl.SSLError, address: BrokerAddress, settings: BrokerSettings) -> LinkError | None:
    """Return the error of two sides that speak TLS and do not agree; None where one of them may not speak it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return no_trust(error, address, settings)
    if is_about_our_certificate(error):
        return wants_certificate(address, reason_of(error), shown=settings.cert_file)
    return too_old(address, reason_of(error)) if is_too_old(error) else None


def _unanswered(address: BrokerAddress) -> Failure:
    """Return why there is no link to a server that takes connections and answers neither TLS nor WebSockets."""
    is_tls = address.scheme in PLAIN
    reason = UNANSWERED.format(greeting="our greeting of TLS" if is_tls else "our wish for WebSockets")
    other = (PLAIN if is_tls else WITHOUT_WEBSOCKET).get(address.scheme)
    advice = LOOK_AT_IT + (f"; it may speak plainly: {other}://{address.place}" if other else "")
    return Failure(reason, advice=advice, state=LinkState.SILENT)


def of_refusal(code: int, address: BrokerAddress, client_id: str) -> LinkError | None:
    """Return the error of a CONNACK that trying again cannot change; None for any other.

    Args:
        code: Its code.
        address: Of the broker.
        client_id: Ours.
    """
    if code in BEYOND_ITS_LIMITS:
        return LinkError(
            LinkState.LIMITS_TOO_NARROW,
            f"The broker at {address} cannot serve a campaign: {reason_text(code)}",
            expected="one that confirms messages (QoS 1), keeps retained ones and takes packets as large as ours",
            action="let its settings allow it, or use another broker",
        )
    if code == CLIENT_ID_NOT_VALID:
        return LinkError(
            LinkState.LOGIN_REFUSED,
            f"The broker at {address} refuses our client id {client_id!r}: {reason_text(code)}",
            expected="a broker that takes it",
            action="let the broker's settings allow it (they may bind a user to one id), or use a shorter name",
        )
    if code in REFUSED_FOR_GOOD:
        return LinkError(
            LinkState.LOGIN_REFUSED,
            f"The broker at {address} refuses us: {reason_text(code)}",
            expected="a user name and password that it accepts",
            action="check broker.username and the password (ENTROPILOT_BROKER__PASSWORD, or broker.password_file)",
        )
    return None


def state_of(code: int) -> LinkState:
    """Return the state of a link that ended with a code that is no refusal for good; see `codes.code_of`."""
    if code in VERSION_NOT_SPOKEN:
        return LinkState.VERSION_NOT_SPOKEN
    return LinkState.LOST if code < 0 or code == UNSPECIFIED else LinkState.ENDED


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
            state=LinkState.NAME_UNKNOWN,
        )
    if isinstance(error, TimeoutError):
        return Failure(
            f"nothing answers at that address: {said}",
            advice="see whether that machine runs and whether a firewall stands between, or correct --broker",
            state=LinkState.NOT_REACHED,
        )
    return Failure(said, state=LinkState.NOT_REACHED)


def _no_websocket(address: BrokerAddress, said: str) -> LinkError:
    return LinkError(
        LinkState.WEBSOCKETS_MISSING,
        f"A server answers at {address}, and takes no WebSockets at {address.path} ({said})",
        expected="a broker that speaks MQTT over WebSockets at that path",
        action=f"correct the path in --broker, or try {WITHOUT_WEBSOCKET[address.scheme]}://{address.place}",
    )


def _said(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError):
        return reason_of(error)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
