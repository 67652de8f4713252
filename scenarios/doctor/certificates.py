"""From when to when a certificate is valid, read off its DER (RFC 5280, 4.1): no handshake tells it of ours. Pure."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

SEQUENCE: Final = 0x30
VERSION: Final = 0xA0
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
"""Tags of the parts of a certificate."""

CENTURY_TURNS_AT: Final = 50
"""Years of two digits from here on are of the twentieth century (RFC 5280, 4.1.2.5.1)."""

LONG_FORM: Final = 0x80
"""A length of this value and more says in how many bytes the length stands."""

RENEW_WITHIN: Final = timedelta(days=14)
"""A certificate that ends so soon is worth a warning: half of the time in which one of 90 days is usually renewed."""

BEGIN: Final = "-----BEGIN CERTIFICATE-----"
END: Final = "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when a certificate is valid."""

    begins: datetime
    ends: datetime


def validity_of_pem(text: str) -> Validity:
    """Return that of the first certificate of a text in PEM.

    Raises:
        ValueError: When there is none, or it is not built as one.
    """
    start, end = text.find(BEGIN), text.find(END)
    if start < 0 or end < start:
        message = "it holds no certificate"
        raise ValueError(message)
    return validity_of_der(ssl.PEM_cert_to_DER_cert(text[start : end + len(END)]))


def validity_of_der(certificate: bytes) -> Validity:
    """Return that of a certificate.

    Raises:
        ValueError: When it is not built as one.
    """
    try:
        _, signed = _parts(_parts(certificate)[0][1])[0]
        fields = _parts(signed)
        at = 3 + (fields[0][0] == VERSION)  # version (where it is not 1), serial number, signature, issuer, validity
        begins, ends = (_time(tag, value) for tag, value in _parts(fields[at][1])[:2])
    except (IndexError, UnicodeDecodeError) as error:
        message = "it is not built as a certificate"
        raise ValueError(message) from error
    return Validity(begins, ends)


def in_words(validity: Validity, now: datetime) -> str:
    """Return until when a certificate is valid, from today on."""
    days = (validity.ends - now) / timedelta(days=1)
    return f"valid until {validity.ends:%Y-%m-%d}, for {days:,.0f} days"


def _parts(content: bytes) -> list[tuple[int, bytes]]:
    """Return the parts of a DER value, as tag and value."""
    found, at = [], 0
    while at < len(content):
        tag, length, at = content[at], content[at + 1], at + 2
        if length >= LONG_FORM:
            width = length - LONG_FORM
            length, at = int.from_bytes(content[at : at + width], "big"), at + width
        if at + length > len(content):
            raise IndexError
        found.append((tag, content[at : at + length]))
        at += length
    return found


def _time(tag: int, value: bytes) -> datetime:
    text = value.decode("ascii")
    if tag == UTC_TIME:
        text = ("19" if int(text[:2]) >= CENTURY_TURNS_AT else "20") + text
    elif tag != GENERALIZED_TIME:
        raise IndexError
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
