"""Dates of a certificate are read off its DER, and what is none is refused."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from scenarios.doctor.certificates import (
    REVOCATIONS,
    Validity,
    in_words,
    validities_of_pem,
    validity_of_der,
    validity_of_list,
)


def value(tag: int, content: bytes) -> bytes:
    """A DER value."""
    size = len(content)
    length = bytes([size]) if size < 0x80 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def certificate(begins: bytes, ends: bytes, *, version: bool = True, padding: int = 300) -> bytes:
    """A certificate with all that stands before its dates."""
    before = (value(0xA0, b"\x02\x01\x02") if version else b"") + value(0x02, b"\x01") + value(0x30, b"")
    signed = before + value(0x30, b"\x00" * padding) + value(0x30, begins + ends) + value(0x30, b"")
    return value(0x30, value(0x30, signed) + value(0x30, b"") + value(0x03, b"\x00"))


def revocations(*times: bytes, version: bool = True) -> bytes:
    """A list of revoked certificates."""
    before = (value(0x02, b"\x01") if version else b"") + value(0x30, b"") + value(0x30, b"\x00" * 300)
    signed = before + b"".join(times) + value(0x30, b"")
    return value(0x30, value(0x30, signed) + value(0x30, b"") + value(0x03, b"\x00"))


def pem(der: bytes, kind: str = "CERTIFICATE") -> str:
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(der).decode()}-----END {kind}-----\n"


UTC_2021 = value(0x17, b"210102030405Z")
GENERAL_2099 = value(0x18, b"20990101000000Z")
KNOWN = Validity(datetime(2021, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("version", [True, False])
@pytest.mark.parametrize("padding", [1, 300])
def test_the_dates_of_a_certificate_are_found_behind_whatever_stands_before_them(version: bool, padding: int) -> None:
    der = certificate(UTC_2021, GENERAL_2099, version=version, padding=padding)
    assert validity_of_der(der) == KNOWN


def test_all_certificates_of_a_text_are_read_in_their_order_and_nothing_else() -> None:
    first, second = certificate(UTC_2021, GENERAL_2099), certificate(GENERAL_2099, GENERAL_2099)
    text = f"text before\n{pem(first)}{pem(b'key', 'PRIVATE KEY')}{pem(second)}"
    assert validities_of_pem(text) == [KNOWN, Validity(KNOWN.ends, KNOWN.ends)]


@pytest.mark.parametrize("version", [True, False])
def test_the_dates_of_a_list_of_revoked_certificates_are_found_and_it_may_have_no_end(version: bool) -> None:
    der = revocations(UTC_2021, GENERAL_2099, version=version)
    assert [validity_of_list(der)] == validities_of_pem(pem(der, REVOCATIONS), REVOCATIONS) == [KNOWN]
    endless = validity_of_list(revocations(UTC_2021, version=version))
    assert (endless.begins, endless.ends.year) == (KNOWN.begins, 9999)


def test_years_of_two_digits_turn_in_1950() -> None:
    der = certificate(value(0x17, b"500101000000Z"), value(0x17, b"491231235959Z"))
    assert (validity_of_der(der).begins.year, validity_of_der(der).ends.year) == (1950, 2049)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x30", b"\x30\x05\x01", value(0x30, b""), certificate(UTC_2021, value(0x02, b"\x01")),
     certificate(value(0x17, b"\xff\xfe"), UTC_2021), certificate(value(0x17, b"99"), UTC_2021)],
)  # fmt: skip
def test_what_is_no_certificate_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        validity_of_der(content)
    with pytest.raises(ValueError, match=r".+"):
        validity_of_list(content)


@pytest.mark.parametrize(
    "text", ["", "-----END CERTIFICATE----- -----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----"]
)
def test_a_text_without_a_certificate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="holds no CERTIFICATE"):
        validities_of_pem(text)


def test_until_when_it_is_valid_is_said_from_today_on() -> None:
    assert in_words(KNOWN, datetime(2098, 12, 22, tzinfo=UTC)) == "valid until 2099-01-01, for 10 days"
