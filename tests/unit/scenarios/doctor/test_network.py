"""A name, and who answers at its addresses, are judged as a session meets them."""

from __future__ import annotations

import socket

import pytest

from protocols.link.broker_settings import BrokerSettings
from scenarios.doctor.checks import Verdict
from scenarios.doctor.network import Knock, is_of_this_machine, judge_knocks, knock, look_up

LAB = BrokerSettings(url="mqtt://lab:1883").address()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_an_address_needs_no_name_server(host: str) -> None:
    check, addresses = look_up(BrokerSettings(url=f"mqtt://{host}").address())
    assert (check.verdict, addresses) == (Verdict.PASS, (host.strip("[]"),))


def test_a_name_that_nobody_knows_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_asked: object, **_options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    check, addresses = look_up(LAB)
    assert (check.verdict, check.subject, addresses) == (Verdict.FAIL, "lab", ())
    assert "Name or service not known" in check.found


def test_who_takes_connections_and_who_does_not_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        taken, refused = knock(["127.0.0.1", "127.0.0.2"], port)
    assert (taken.fault, bool(refused.fault)) == ("", True)


def test_a_broker_that_answers_at_one_of_its_addresses_is_a_warning_and_at_none_it_fails() -> None:
    good, bad = Knock("10.0.0.7", seconds=0.01), Knock("fd00::7", "nothing answers")
    assert judge_knocks(LAB, [good]).verdict is Verdict.PASS
    assert judge_knocks(LAB, [good, bad]).verdict is Verdict.WARN
    check = judge_knocks(LAB, [bad])
    assert (check.verdict, check.found) == (Verdict.FAIL, "fd00::7: nothing answers")


@pytest.mark.parametrize(
    ("host", "addresses", "is_here"),
    [
        ("localhost", ("127.0.0.1",), True),
        ("lab", ("127.0.1.1",), True),
        ("lab", ("127.0.0.1", "10.0.0.7"), False),
        ("lab", ("fe80::1%eth0",), False),
    ],
)
def test_what_leaves_this_machine_is_known(host: str, addresses: tuple[str, ...], is_here: bool) -> None:
    assert is_of_this_machine(BrokerSettings(url=f"mqtt://{host}").address(), addresses) is is_here
