"""From when to when certificates and lists of revoked ones are valid, read off their DER (RFC 5280). Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

INTEGER: Final = 0x02
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

RENEW_LIST_WITHIN: Final = timedelta(hours=12)
"""The same of a list of revoked certificates, of which there is a new one every day or week."""

CERTIFICATE: Final = "CERTIFICATE"
REVOCATIONS: Final = "X509 CRL"
"""What stands in the first and last line of a certificate, and of a list of revoked ones, in PEM."""


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when a certificate is valid."""

    begins: datetime
    ends: datetime


def validities_of_pem(text: str, kind: str = CERTIFICATE) -> list[Validity]:
    """Return those of all certificates, or lists of revoked ones, of a text in PEM, in their order.

    Raises:
        ValueError: When there is none, or one is not built as one.
    """
    begin, end = re.escape(f"-----BEGIN {kind}-----"), re.escape(f"-----END {kind}-----")
    read = validity_of_der if kind == CERTIFICATE else validity_of_list
    found = [read(base64.b64decode(body)) for body in re.findall(f"{begin}(.*?){end}", text, re.DOTALL)]
    if not found:
        message = f"it holds no {kind}"
        raise ValueError(message)
    return found


def validity_of_der(certificate: bytes) -> Validity:
    """Return that of a certificate.

    Raises:
        ValueError: When it is not built as one.
    """
    fields = _signed(certificate)
    with _built_as("certificate"):
        at = 3 + (fields[0][0] == VERSION)  # version (where it is not 1), serial number, signature, issuer, validity
        begins, ends = (_time(tag, value) for tag, value in _parts(fields[at][1])[:2])
        return Validity(begins, ends)


def validity_of_list(revocations: bytes) -> Validity:
    """Return that of a list of revoked certificates (RFC 5280, 5.1); one without an end is valid for ever.

    Raises:
        ValueError: When it is not built as one.
    """
    fields = _signed(revocations)
    with _built_as("list of revoked certificates"):
        at = 2 + (fields[0][0] == INTEGER)  # version (where it is not 1), signature, issuer, this update, next update
        times = [_time(tag, value) for tag, value in fields[at : at + 2] if tag in {UTC_TIME, GENERALIZED_TIME}]
        return Validity(times[0], times[1] if len(times) > 1 else datetime.max.replace(tzinfo=UTC))


def in_words(validity: Validity, now: datetime) -> str:
    """Return until when a certificate is valid, from today on."""
    days = (validity.ends - now) / timedelta(days=1)
    return f"valid until {validity.ends:%Y-%m-%d}, for {days:,.0f} days"


def _signed(content: bytes) -> list[tuple[int, bytes]]:
    """Return the fields of what an authority has signed."""
    with _built_as("certificate"):
        return _parts(_parts(_parts(content)[0][1])[0][1])


@contextmanager
def _built_as(what: str) -> Iterator[None]:
    try:
        yield
    except (IndexError, UnicodeDecodeError) as error:
        message = f"it is not built as a {what}"
        raise ValueError(message) from error


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
