"""Each stage stands on the one before; whatever is wrong is found and not raised."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from protocols.link.broker_settings import BrokerSettings
from protocols.link.credentials import Role
from scenarios.doctor.checks import Check, Verdict
from scenarios.doctor.doctor import Examination, as_user, examine
from scenarios.doctor.needs import Part


def names(broker: BrokerSettings, folder: Path) -> list[tuple[str, Verdict]]:
    told: list[Check] = []
    checks = examine(Examination(broker, Part(Role.AGENT, "agent"), "lab", folder), told.append)
    assert tuple(told) == checks
    return [(each.name, each.verdict) for each in checks if each.name not in {"packages", "clock"}]


MACHINE = ["python", "open_files", "disk", "file_system", "commits"]


def test_a_broker_that_a_run_starts_is_not_looked_for(tmp_path: Path) -> None:
    assert [name for name, _ in names(BrokerSettings(), tmp_path)] == [*MACHINE, "broker"]


def test_it_ends_where_nobody_answers(tmp_path: Path) -> None:
    found = names(BrokerSettings(url="mqtt://127.0.0.1:1"), tmp_path)
    assert found[-2:] == [("name", Verdict.PASS), ("tcp", Verdict.FAIL)]


def test_a_password_that_cannot_be_had_is_found_before_anybody_is_asked(tmp_path: Path) -> None:
    found = names(BrokerSettings(url="mqtt://me@127.0.0.1:1", password_file=str(tmp_path / "nowhere")), tmp_path)
    assert found[-1] == ("password", Verdict.FAIL)


def test_the_same_broker_is_reached_as_another_user_whatever_its_url_says() -> None:
    settings = BrokerSettings(url="wss://me:mine@[::1]:9443/lab", ca_file="ca.pem")
    other = as_user(settings, "you", SecretStr("yours"))
    assert other.url == "wss://[::1]:9443/lab"
    address = other.address()
    assert (address.username, address.password, other.ca_file) == ("you", SecretStr("yours"), "ca.pem")
