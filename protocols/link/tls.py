"""TLS: what we trust and show, and in words what keeps two sides from agreeing on it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from protocols.errors import BrokerError, SettingsError
from protocols.link.broker_settings import BrokerAddress, BrokerSettings

Made = TypeVar("Made")

ENCRYPTED: Final = {"mqtt": "mqtts", "ws": "wss"}
"""Scheme of a plain link -> that of the same over TLS."""

PLAIN: Final = {encrypted: plain for plain, encrypted in ENCRYPTED.items()}
"""The other way round."""

GREETING_TIMEOUT_S: Final = 2.0
"""How long a server may take to answer a greeting of TLS that we send only to see whether it speaks it [s]."""

SELF_SIGNED: Final = 18
"""OpenSSL's number (X509_V_ERR_…) of a certificate that vouches for itself."""

NOT_YET_VALID: Final = 9
EXPIRED: Final = 10
REVOKED: Final = 23
WRONG_NAME: Final = 62
WRONG_ADDRESS: Final = 64
"""OpenSSL's numbers of the other faults that have a remedy of their own."""


def tls_context(settings: BrokerSettings) -> ssl.SSLContext:
    """Return what we trust, and the certificate that we show.

    Raises:
        SettingsError: When a file is not there, cannot be read, or holds something else; it names file and setting.
    """
    if settings.ca_file is None:
        context = ssl.create_default_context()
    else:
        context = _with_file(
            "ca_file", settings.ca_file, "certificates of authorities, in PEM",
            lambda: ssl.create_default_context(cafile=settings.ca_file),
        )  # fmt: skip
    if settings.cert_file is not None:
        for name, file in (("cert_file", settings.cert_file), ("key_file", settings.key_file)):
            if file is not None:
                _with_file(name, file, "a file in PEM", Path(file).read_bytes)
        what = "a certificate and its private key without a passphrase, in PEM"
        pair = (settings.cert_file, settings.key_file, _no_passphrase)
        _with_file("cert_file", settings.cert_file, what, lambda: context.load_cert_chain(*pair))
    elif settings.key_file is not None:
        raise SettingsError("broker.key_file is set, and broker.cert_file is not", action="set both, or none")
    return context


def no_trust(error: ssl.SSLCertVerificationError, address: BrokerAddress, ca_file: str | None) -> BrokerError:
    """Return the error of a broker whose certificate we do not take; each fault has a remedy of its own."""
    code = error.verify_code
    clock = "correct this machine's clock if it is wrong"
    if code == EXPIRED:
        what, expected, action = "has expired", "one that is valid today", f"renew it at the broker, or {clock}"
    elif code == NOT_YET_VALID:
        what, expected, action = "is not valid yet", "one that is valid today", f"{clock}, or wait"
    elif code in {WRONG_NAME, WRONG_ADDRESS}:
        what = f"is not for the name {address.host!r}"
        expected = "one that names the host as --broker does"
        action = "write in --broker a name that stands in the certificate, or let it be made for this one"
    elif code == REVOKED:
        what, expected, action = "was revoked", "one that its authority stands by", "renew it at the broker"
    else:
        is_own = code == SELF_SIGNED
        what = "is not trusted: " + ("it vouches for itself" if is_own else "who vouches for it is not known here")
        expected = "a certificate of an authority that this machine trusts, or that broker.ca_file holds"
        action = (
            "set broker.ca_file to the PEM file of "
            + ("that certificate" if is_own else "the authority that made it")
            + (f"; {ca_file} is not it" if ca_file else "")
        )
    return BrokerError(
        f"A broker answers at {address}, and its certificate {what} ({error.verify_message})",
        expected=expected,
        action=action,
    )


def no_tls(address: BrokerAddress, reason: str) -> BrokerError:
    """Return the error of a server that does not answer a greeting of TLS with one."""
    plain = PLAIN[address.scheme]
    return BrokerError(
        f"A server answers at {address}, and no TLS is spoken there ({reason})",
        expected="a broker that speaks TLS",
        action=f"try {plain}://{address.host}:{address.port}, or the port where the broker speaks TLS (often 8883)",
    )


def wants_tls(address: BrokerAddress) -> BrokerError:
    """Return the error of a server that speaks TLS where we spoke plainly."""
    return BrokerError(
        f"A server answers at {address}, and TLS is spoken there",
        expected="a link that begins with TLS",
        action=f"try {ENCRYPTED[address.scheme]}://{address.host}:{address.port}",
    )


def wants_certificate(address: BrokerAddress, reason: str) -> BrokerError:
    """Return the error of a broker that asks who we are by a certificate."""
    return BrokerError(
        f"The broker at {address} asks for a certificate of ours, and takes none that we showed ({reason})",
        expected="a certificate of an authority that the broker trusts",
        action="set broker.cert_file and broker.key_file to it",
    )


def reason_of(error: ssl.SSLError) -> str:
    """Return OpenSSL's word for what went wrong; only its own errors have one."""
    return str(getattr(error, "reason", None) or error)


def is_about_our_certificate(error: ssl.SSLError) -> bool:
    """Tell whether a server ended TLS over the certificate that we showed, or did not show."""
    alerts = ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "UNKNOWN_CA", "CERTIFICATE_EXPIRED", "HANDSHAKE_FAILURE")
    return "ALERT" in (reason := reason_of(error)) and any(alert in reason for alert in alerts)


def speaks_tls(address: BrokerAddress) -> bool:
    """Tell whether a server answers a greeting of TLS; whom it is does not matter here. It blocks for seconds."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent over it, and nothing believed
    try:
        with (
            socket.create_connection((address.host, address.port), timeout=GREETING_TIMEOUT_S) as link,
            context.wrap_socket(link, server_hostname=address.host),
        ):
            return True
    except ssl.SSLError as error:
        return "ALERT" in reason_of(error)  # it speaks it, and refuses how we do
    except (OSError, ValueError):
        return False


def refuses_our_certificate(address: BrokerAddress, settings: BrokerSettings) -> str:
    """Tell why a server ends TLS over our certificate; nothing where it does not. It blocks for seconds.

    TLS 1.3 says so only after the greetings, where the client that we use takes it for a link that was lost.
    """
    try:
        with (
            socket.create_connection((address.host, address.port), timeout=GREETING_TIMEOUT_S) as link,
            tls_context(settings).wrap_socket(link, server_hostname=address.host) as greeted,
        ):
            greeted.recv(1)
    except ssl.SSLError as error:
        return reason_of(error) if is_about_our_certificate(error) else ""
    except (OSError, ValueError):
        return ""
    return ""


def _with_file(setting: str, name: str, what: str, load: Callable[[], Made]) -> Made:
    """Return what is made of a file, or say which setting names a file that is of no use."""
    try:
        return load()
    except ssl.SSLError as error:
        found = f"{name} holds no such thing ({reason_of(error)})"
    except (OSError, ValueError) as error:
        found = f"{name} cannot be read ({getattr(error, 'strerror', None) or error})"
    raise SettingsError(f"broker.{setting}: {found}", expected=what, action=f"correct broker.{setting}")


def _no_passphrase() -> str:
    """Refuse a key that asks for a passphrase: OpenSSL would ask at the terminal."""
    message = "it asks for a passphrase"
    raise ValueError(message)
