"""TLS as sessions speak it: files of ours, the handshake, the chain, dates and names, and what the broker asks for."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from protocols.errors import SettingsError
from protocols.link.broker_settings import BrokerAddress, BrokerSettings
from protocols.link.failures import of_opening
from protocols.link.tls import (
    ENCRYPTED,
    PLAIN,
    refuses_our_certificate,
    speaks_tls,
    tls_context,
    wants_certificate,
    wants_tls,
)
from scenarios.doctor.certificates import RENEW_WITHIN, Validity, in_words, validity_of_der, validity_of_pem
from scenarios.doctor.checks import Check, failed, of_error, passed, warned
from scenarios.doctor.network import is_of_this_machine

HANDSHAKE_TIMEOUT_S: Final = 5.0
"""How long TCP and TLS may take together [s]."""

OTHERS_MAY_READ: Final = 0o044
"""Rights of a file that let a group, or everybody, read it."""


def look_at_our_files(settings: BrokerSettings, now: datetime | None = None) -> list[Check]:
    """Look whether the files of TLS that the settings name are of use.

    Args:
        settings: Of the broker.
        now: The time; by default of now.
    """
    try:
        tls_context(settings)
    except SettingsError as error:
        return [of_error("our_files", error)]
    if settings.cert_file is None:
        return []
    try:
        validity = validity_of_pem(Path(settings.cert_file).read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        return [warned("our_certificate", f"its dates cannot be read: {said}", "", subject=settings.cert_file)]
    checks = [judge_our_dates(settings.cert_file, validity, now or datetime.now(UTC))]
    key = settings.key_file or settings.cert_file
    if os.name == "posix" and Path(key).stat().st_mode & OTHERS_MAY_READ:
        found = "others on this machine can read this private key"
        checks.append(warned("our_certificate", found, f"chmod 600 {key}", subject=key))
    return checks


def judge_our_dates(file: str, validity: Validity, now: datetime) -> Check:
    """Return whether a certificate of ours is valid, and for how long."""
    words = in_words(validity, now)
    if now > validity.ends:
        return failed("our_certificate", f"expired on {validity.ends:%Y-%m-%d}", "put a new one there", subject=file)
    if now < validity.begins:
        found = f"is not valid before {validity.begins:%Y-%m-%d}"
        return failed("our_certificate", found, "correct this machine's clock if it is wrong, or wait", subject=file)
    if validity.ends - now < RENEW_WITHIN:
        return warned("our_certificate", words, "renew it: a new file is read at the next connection", subject=file)
    return passed("our_certificate", words, subject=file)


def look_at_tls(settings: BrokerSettings, address: BrokerAddress, now: datetime | None = None) -> list[Check]:
    """Speak TLS to the broker as a session would; what is wrong is told as a session tells it."""
    place = address.place
    try:
        with (
            socket.create_connection((address.host, address.port), timeout=HANDSHAKE_TIMEOUT_S) as link,
            tls_context(settings).wrap_socket(link, server_hostname=address.host) as greeted,
        ):
            version, cipher = greeted.version(), (greeted.cipher() or ("",))[0]
            shown = greeted.getpeercert(binary_form=True) or b""
    except (OSError, ValueError) as error:
        failure = of_opening(error if isinstance(error, OSError) else OSError(str(error)), address, settings)
        if failure.error is not None:
            return [of_error("tls", failure.error, subject=place)]
        return [failed("tls", failure.reason, failure.advice, subject=place)]
    checks = [passed("tls", f"{version}, {cipher}", subject=place)]
    checks.append(judge_its_dates(place, validity_of_der(shown), now or datetime.now(UTC)))
    if why := refuses_our_certificate(address, settings):
        checks.append(of_error("client_certificate", wants_certificate(address, why, shown=settings.cert_file)))
    elif settings.cert_file is not None:
        checks.append(passed("client_certificate", "the broker does not refuse the one that we show"))
    return checks


def judge_its_dates(place: str, validity: Validity, now: datetime) -> Check:
    """Return for how long the broker's certificate is valid, which a handshake has found to be so."""
    words = f"of a trusted authority, for this name, {in_words(validity, now)}"
    if validity.ends - now < RENEW_WITHIN:
        return warned("certificate", words, "let it be renewed at the broker", subject=place)
    return passed("certificate", words, subject=place)


def look_at_plain(address: BrokerAddress, addresses: Sequence[str], *, names_itself: bool) -> list[Check]:
    """Look at a link without TLS.

    Args:
        address: Of the broker.
        addresses: Those of its name.
        names_itself: Whether a password is sent.
    """
    if speaks_tls(address):
        return [of_error("tls", wants_tls(address), subject=address.place)]
    if is_of_this_machine(address, addresses):
        return [passed("tls", "none, and nothing leaves this machine", subject=address.place)]
    secret = " and the password" if names_itself else ""
    return [
        warned(
            "tls",
            f"none: everybody on the way can read and change all messages{secret}",
            f"let the broker speak TLS, and write {ENCRYPTED[address.scheme]}:// in --broker",
            subject=address.place,
        )
    ]


def is_encrypted(address: BrokerAddress) -> bool:
    """Tell whether an address asks for TLS."""
    return address.scheme in PLAIN
