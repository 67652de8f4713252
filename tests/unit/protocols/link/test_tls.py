"""Files of TLS that are of no use are named with their setting; what OpenSSL says of ours is told from the rest."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.link.broker_settings import BrokerSettings
from protocols.link.tls import is_about_our_certificate, reason_of, tls_context


def settings(**files: Path | str) -> BrokerSettings:
    return BrokerSettings(url="mqtts://lab", **{name: str(file) for name, file in files.items()})


@pytest.mark.parametrize("setting", ["ca_file", "crl_file", "cert_file"])
@pytest.mark.parametrize("content", [None, b"", b"\x00\xff", b"-----BEGIN CERTIFICATE-----\nnothing\n"])
def test_a_file_of_no_use_is_named_with_its_setting(tmp_path: Path, setting: str, content: bytes | None) -> None:
    file = tmp_path / "given.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=rf"broker\.{setting}: .*given\.pem") as caught:
        tls_context(settings(**{setting: file}))
    assert caught.value.action == f"correct broker.{setting}"


def test_a_key_without_a_certificate_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"broker\.cert_file is not"):
        tls_context(settings(key_file="key.pem"))


def test_without_files_this_machines_authorities_are_trusted_and_names_are_checked() -> None:
    context = tls_context(settings())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize(
    ("reason", "about_ours"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", True),
        ("SSLV3_ALERT_BAD_CERTIFICATE", True),
        ("TLSV1_ALERT_UNKNOWN_CA", True),
        ("WRONG_VERSION_NUMBER", False),
        ("TLSV1_ALERT_PROTOCOL_VERSION", False),
        (None, False),
    ],
)
def test_an_alert_over_our_certificate_is_told_from_other_faults(reason: str | None, about_ours: bool) -> None:
    error = ssl.SSLError(1, "what it says")
    if reason is not None:
        error.reason = reason
    assert is_about_our_certificate(error) is about_ours
    assert reason_of(error) == (reason or str(error))
