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
from scenarios.doctor.certificates import (
    CERTIFICATE,
    RENEW_LIST_WITHIN,
    RENEW_WITHIN,
    REVOCATIONS,
    Validity,
    in_words,
    validities_of_pem,
    validity_of_der,
)
from scenarios.doctor.checks import Check, failed, of_error, passed, warned
from scenarios.doctor.network import is_of_this_machine

HANDSHAKE_TIMEOUT_S: Final = 5.0
"""How long TCP and TLS may take together [s]."""

RENEW: Final = {
    "authority": "put the authority's new certificate there",
    "revocations": "put the authority's new list there",
    "our_certificate": "put a new certificate there",
}
"""Check of a file of ours -> what renews it."""

OTHERS_MAY_READ: Final = 0o044
"""Rights of a file that let a group, or everybody, read it."""


def look_at_our_files(settings: BrokerSettings, now: datetime | None = None) -> list[Check]:
    """Look whether the files of TLS that the settings name are of use, and for how long.

    Args:
        settings: Of the broker.
        now: The time; by default of now.
    """
    try:
        tls_context(settings)
    except SettingsError as error:
        return [of_error("our_files", error)]
    today = now or datetime.now(UTC)
    checks = [
        judge_our_dates(name, file, _validity(file, kind, last=name == "authority"), today)
        for name, file, kind in (
            ("authority", settings.ca_file, CERTIFICATE),
            ("revocations", settings.crl_file, REVOCATIONS),
            ("our_certificate", settings.cert_file, CERTIFICATE),
        )
        if file is not None
    ]
    key = settings.key_file or settings.cert_file
    if key is not None and os.name == "posix" and Path(key).stat().st_mode & OTHERS_MAY_READ:
        found = "others on this machine can read this private key"
        checks.append(warned("our_certificate", found, f"chmod 600 {key}", subject=key))
    return checks


def judge_our_dates(name: str, file: str, validity: Validity | None, now: datetime) -> Check:
    """Return whether what a file holds is valid, and for how long.

    Args:
        name: Of the check.
        file: The file.
        validity: Of what it holds; None where it cannot be read.
        now: The time.
    """
    renew = RENEW[name]
    if validity is None:
        return warned(name, "its dates cannot be read", f"see whether it is in PEM; {renew}", subject=file)
    if now > validity.ends:
        return failed(name, f"expired on {validity.ends:%Y-%m-%d}", renew, subject=file)
    if now < validity.begins:
        found = f"is not valid before {validity.begins:%Y-%m-%d}"
        return failed(name, found, "correct this machine's clock if it is wrong, or wait", subject=file)
    words = in_words(validity, now)
    if validity.ends - now < (RENEW_LIST_WITHIN if name == "revocations" else RENEW_WITHIN):
        return warned(name, words, f"{renew}: it is read at the next connection", subject=file)
    return passed(name, words, subject=file)


def _validity(file: str, kind: str, *, last: bool) -> Validity | None:
    """Return a validity in a file, None where there is none to be read.

    Args:
        file: In PEM.
        kind: Of what it holds.
        last: Of several the last one to end, as of authorities, of which one is enough; else the first, as of a chain.
    """
    try:
        found = validities_of_pem(Path(file).read_text(encoding="utf-8", errors="replace"), kind)
    except (OSError, ValueError):
        return None
    return (max if last else min)(found, key=lambda each: each.ends)


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
