"""Dates of certificates are judged by how soon they end; a link in the clear by how far it goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from protocols.link.broker_settings import BrokerSettings
from scenarios.doctor import encryption
from scenarios.doctor.certificates import RENEW_WITHIN, Validity
from scenarios.doctor.checks import Verdict
from scenarios.doctor.encryption import is_encrypted, judge_its_dates, judge_our_dates, look_at_our_files, look_at_plain

NOW = datetime(2026, 11, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def validity(begins: timedelta, ends: timedelta) -> Validity:
    return Validity(NOW + begins, NOW + ends)


@pytest.mark.parametrize(
    ("dates", "verdict"),
    [
        (validity(-DAY, 90 * DAY), Verdict.PASS),
        (validity(-DAY, RENEW_WITHIN - DAY), Verdict.WARN),
        (validity(-9 * DAY, -DAY), Verdict.FAIL),
        (validity(DAY, 90 * DAY), Verdict.FAIL),
    ],
)
def test_a_certificate_of_ours_is_judged_by_its_dates(dates: Validity, verdict: Verdict) -> None:
    check = judge_our_dates("our_certificate", "ours.pem", dates, NOW)
    assert (check.verdict, check.subject) == (verdict, "ours.pem")


def test_a_list_of_revoked_certificates_is_renewed_often_and_dates_that_cannot_be_read_are_a_warning() -> None:
    tomorrow = validity(-DAY, DAY)
    assert judge_our_dates("revocations", "crl.pem", tomorrow, NOW).verdict is Verdict.PASS
    assert judge_our_dates("authority", "ca.pem", tomorrow, NOW).verdict is Verdict.WARN
    assert judge_our_dates("authority", "ca.pem", None, NOW).verdict is Verdict.WARN


def test_a_certificate_of_the_broker_that_ends_soon_is_a_warning() -> None:
    assert judge_its_dates("lab:8883", validity(-DAY, 90 * DAY), NOW).verdict is Verdict.PASS
    assert judge_its_dates("lab:8883", validity(-DAY, DAY), NOW).verdict is Verdict.WARN


def test_files_that_are_not_named_are_not_looked_at_and_one_of_no_use_fails(tmp_path: Path) -> None:
    assert look_at_our_files(BrokerSettings(url="mqtts://lab")) == []
    (check,) = look_at_our_files(BrokerSettings(url="mqtts://lab", ca_file=str(tmp_path / "nowhere")))
    assert (check.name, check.verdict, "nowhere" in check.found) == ("our_files", Verdict.FAIL, True)


@pytest.mark.parametrize(
    ("addresses", "names_itself", "verdict", "words"),
    [
        (("127.0.0.1",), True, Verdict.PASS, "nothing leaves this machine"),
        (("10.0.0.7",), False, Verdict.WARN, "all messages"),
        (("10.0.0.7",), True, Verdict.WARN, "and the password"),
    ],
)
def test_a_link_in_the_clear_is_a_warning_where_it_leaves_this_machine(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...], names_itself: bool, verdict: Verdict, words: str
) -> None:
    monkeypatch.setattr(encryption, "speaks_tls", lambda _address: False)
    (check,) = look_at_plain(BrokerSettings(url="mqtt://lab").address(), addresses, names_itself=names_itself)
    assert (check.verdict, words in check.found) == (verdict, True)


def test_a_server_that_speaks_tls_to_who_does_not_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption, "speaks_tls", lambda _address: True)
    (check,) = look_at_plain(BrokerSettings(url="mqtt://lab").address(), ("127.0.0.1",), names_itself=False)
    assert (check.verdict, "try mqtts://lab:1883" in check.action) == (Verdict.FAIL, True)


@pytest.mark.parametrize(("scheme", "with_tls"), [("mqtt", False), ("ws", False), ("mqtts", True), ("wss", True)])
def test_which_schemes_ask_for_tls(scheme: str, with_tls: bool) -> None:
    assert is_encrypted(BrokerSettings(url=f"{scheme}://lab").address()) is with_tls
