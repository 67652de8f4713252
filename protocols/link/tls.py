"""TLS: what we trust and show, and in words what keeps two sides from agreeing on it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from protocols.errors import SettingsError
from protocols.link.broker_settings import BrokerAddress, BrokerSettings
from protocols.link.codes import LinkError, LinkState
from protocols.link.passwords import KEY_WAYS, passphrase_of

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

LIST_FAULTS: Final = {
    3: "there is none of the authority that made the broker's",
    8: "its signature is wrong",
    11: "it is not valid yet",
    12: "it has expired",
}
"""OpenSSL's numbers of faults of a list of revoked certificates, and what they say of it."""

OURS: Final = {
    "CERTIFICATE_EXPIRED": (LinkState.OUR_CERTIFICATE_EXPIRED, "takes ours for expired"),
    "CERTIFICATE_REVOKED": (LinkState.OUR_CERTIFICATE_REVOKED, "says that ours was revoked"),
}
"""Alert of TLS about our certificate -> its state, and what the broker does."""

ABOUT_OURS: Final = (
    "CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "UNSUPPORTED_CERTIFICATE", "CERTIFICATE_UNKNOWN", "UNKNOWN_CA",
    "ACCESS_DENIED", "DECRYPT_ERROR", "HANDSHAKE_FAILURE", *OURS,
)  # fmt: skip
"""Alerts of TLS by which a server says that our certificate, or its lack, is what it does not take."""

TOO_OLD: Final = ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE", "VERSION_TOO_LOW")
"""OpenSSL's words for two sides that have no version of TLS in common: ours begin with 1.2."""


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
    if settings.crl_file is not None:
        crl_file = settings.crl_file
        _with_file(
            "crl_file", crl_file, "lists of revoked certificates, in PEM",
            lambda: context.load_verify_locations(cafile=crl_file),
        )  # fmt: skip
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    if settings.cert_file is not None:
        _show_certificate(context, settings)
    elif settings.key_file is not None:
        raise SettingsError("broker.key_file is set, and broker.cert_file is not", action="set both, or none")
    return context


def _show_certificate(context: ssl.SSLContext, settings: BrokerSettings) -> None:
    """Let the broker see a certificate of ours.

    Raises:
        SettingsError: When it, its key or the key's passphrase is of no use.
    """
    assert settings.cert_file is not None  # noqa: S101 - for the type checker
    for name, file in (("cert_file", settings.cert_file), ("key_file", settings.key_file)):
        if file is not None:
            _with_file(name, file, "a file in PEM", Path(file).read_bytes)
    setting, holder = (
        ("cert_file", settings.cert_file) if settings.key_file is None else ("key_file", settings.key_file)
    )
    passphrase = passphrase_of(settings.key_password, settings.key_password_file, settings.key_keyring)
    was_asked = False

    def told() -> str:
        nonlocal was_asked
        was_asked = True
        return "" if passphrase is None else passphrase.get_secret_value()

    try:
        context.load_cert_chain(settings.cert_file, settings.key_file, told)
    except (ssl.SSLError, OSError, ValueError) as error:
        if was_asked:
            raise _wrong_passphrase(setting, holder, is_given=passphrase is not None) from None
        said = reason_of(error) if isinstance(error, ssl.SSLError) else error.__class__.__name__
        raise SettingsError(
            f"broker.cert_file: {settings.cert_file} "
            + ("and its key do not belong together" if "MISMATCH" in said else f"holds no such thing ({said})")
            + ("" if settings.key_file is None else f"; broker.key_file is {settings.key_file}"),
            expected="a certificate and its private key, in PEM",
            action="correct broker.cert_file",
        ) from None


def _wrong_passphrase(setting: str, file: str, *, is_given: bool) -> SettingsError:
    """Return the error of a key that is locked, or of a passphrase that does not open it."""
    return SettingsError(
        f"broker.{setting}: {file} "
        + (
            "does not open with the passphrase that is given"
            if is_given
            else "asks for a passphrase, and none is given"
        ),
        expected="a private key that needs none, or its passphrase",
        action=KEY_WAYS,
    )


def no_trust(error: ssl.SSLCertVerificationError, address: BrokerAddress, settings: BrokerSettings) -> LinkError:
    """Return the error of a broker whose certificate we do not take; each fault has a remedy of its own."""
    code = error.verify_code
    if code in LIST_FAULTS:
        return LinkError(
            LinkState.REVOCATIONS_UNKNOWN,
            f"Whether the certificate of the broker at {address} was revoked cannot be told from the list in "
            f"broker.crl_file: {LIST_FAULTS[code]} ({error.verify_message})",
            expected="the list of today, of the authority that made the certificate",
            action=f"put the authority's new list into {settings.crl_file}",
        )
    state, what, expected, action = _fault_of_trust(code, address, settings.ca_file)
    return LinkError(
        state,
        f"A broker answers at {address}, and its certificate {what} ({error.verify_message})",
        expected=expected,
        action=action,
    )


def _fault_of_trust(code: int, address: BrokerAddress, ca_file: str | None) -> tuple[LinkState, str, str, str]:
    """Return the state of a certificate that we do not take, what is wrong, what was expected and what to do."""
    clock, today = "correct this machine's clock if it is wrong", "one that is valid today"
    if code == EXPIRED:
        return LinkState.CERTIFICATE_EXPIRED, "has expired", today, f"renew it at the broker, or {clock}"
    if code == NOT_YET_VALID:
        return LinkState.CERTIFICATE_NOT_YET_VALID, "is not valid yet", today, f"{clock}, or wait"
    if code in {WRONG_NAME, WRONG_ADDRESS}:
        return (
            LinkState.CERTIFICATE_OF_ANOTHER_NAME,
            f"is not for the name {address.host!r}",
            "one that names the host as --broker does",
            "write in --broker a name that stands in the certificate, or let it be made for this one",
        )
    if code == REVOKED:
        trusted = "one that its authority stands by"
        return LinkState.CERTIFICATE_REVOKED, "was revoked", trusted, "renew it at the broker"
    is_own = code == SELF_SIGNED
    whose = "that certificate" if is_own else "the authority that made it"
    return (
        LinkState.CERTIFICATE_NOT_TRUSTED,
        "is not trusted: " + ("it vouches for itself" if is_own else "who vouches for it is not known here"),
        "a certificate of an authority that this machine trusts, or that broker.ca_file holds",
        f"set broker.ca_file to the PEM file of {whose}" + (f"; {ca_file} is not it" if ca_file else ""),
    )


def no_tls(address: BrokerAddress, reason: str) -> LinkError:
    """Return the error of a server that does not answer a greeting of TLS with one."""
    plain = PLAIN[address.scheme]
    return LinkError(
        LinkState.TLS_MISSING,
        f"A server answers at {address}, and no TLS is spoken there ({reason})",
        expected="a broker that speaks TLS",
        action=f"try {plain}://{address.place}, or the port where the broker speaks TLS (often 8883)",
    )


def too_old(address: BrokerAddress, reason: str) -> LinkError:
    """Return the error of a server with which we have no version of TLS in common."""
    return LinkError(
        LinkState.TLS_TOO_OLD,
        f"A server answers at {address}, and speaks no TLS that is safe today ({reason})",
        expected="TLS 1.2 or 1.3",
        action="let the broker speak TLS 1.2 or later (Mosquitto: tls_version)",
    )


def wants_tls(address: BrokerAddress) -> LinkError:
    """Return the error of a server that speaks TLS where we spoke plainly."""
    return LinkError(
        LinkState.TLS_EXPECTED,
        f"A server answers at {address}, and TLS is spoken there",
        expected="a link that begins with TLS",
        action=f"try {ENCRYPTED[address.scheme]}://{address.place}",
    )


def wants_certificate(address: BrokerAddress, reason: str, *, shown: str | None) -> LinkError:
    """Return the error of a broker that asks who we are by a certificate.

    Args:
        address: Of the broker.
        reason: What it says, by OpenSSL's word.
        shown: The file of the certificate that we showed; None for none.
    """
    expected = "a certificate of an authority that the broker trusts"
    for alert, (state, what) in OURS.items():
        if alert in reason and shown is not None:
            return LinkError(
                state,
                f"The broker at {address} asks for a certificate, and {what} ({reason})",
                expected=expected,
                action=f"put a new one into {shown}, the file of broker.cert_file",
            )
    return LinkError(
        LinkState.OUR_CERTIFICATE_WANTED,
        f"The broker at {address} asks for a certificate of ours, and takes "
        + (f"none without one ({reason})" if shown is None else f"not the one in {shown} ({reason})"),
        expected=expected,
        action="set broker.cert_file and broker.key_file to it",
    )


def reason_of(error: ssl.SSLError) -> str:
    """Return OpenSSL's word for what went wrong; only its own errors have one."""
    return str(getattr(error, "reason", None) or error)


def is_about_our_certificate(error: ssl.SSLError) -> bool:
    """Tell whether a server ended TLS over the certificate that we showed, or did not show."""
    return "ALERT" in (reason := reason_of(error)) and any(alert in reason for alert in ABOUT_OURS)


def is_too_old(error: ssl.SSLError) -> bool:
    """Tell whether the two sides have no version of TLS in common."""
    return any(word in reason_of(error) for word in TOO_OLD)


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
    except (OSError, ValueError):  # it waits for our first word, or is not there
        pass
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
