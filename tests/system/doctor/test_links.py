"""The doctor names what is wrong with the way to a broker, at the stage where it is wrong, and goes no further."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scenarios.broker.broker import LOOPBACK
from tests.endurance.stage import require_mosquitto
from tests.support.commands import Workbench
from tests.support.tls.authority import EXPIRED, Authority
from tests.system.connections.stage import (
    Files,
    Place,
    encrypted,
    greets_and_says_nothing,
    says_nothing,
    shows,
    speaks_old_tls,
)
from tests.system.doctor.stage import PASSWORD, Told, as_user, examined, lets_in

pytestmark = [
    pytest.mark.system,
    pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning"),  # that is its point
]

SETTINGS_ERROR = 2


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    (tmp_path / "bench").mkdir()
    with Workbench(tmp_path / "bench") as opened:
        yield opened


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    require_mosquitto()
    with Place(tmp_path) as made:
        yield made


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def looked_at(bench: Workbench, place: Place, scheme: str = "mqtt", **settings: Any) -> Told:
    env = {f"ENTROPILOT_BROKER__{name.upper()}": str(value) for name, value in settings.items()}
    return examined(bench, "--broker", f"{scheme}://{LOOPBACK}:{place.port}", env=env)


def failed(told: Told, name: str, words: str) -> None:
    """The check fails, nothing else does, and it is the last."""
    assert told.fails == [name]
    assert words in told.checks[-1]["found"]


@pytest.mark.parametrize("scheme", ["mqtts", "wss"])
def test_mutual_tls_is_looked_at_from_the_files_to_the_rights(
    bench: Workbench, place: Place, authority: Authority, scheme: str
) -> None:
    asks = (f"cafile {authority.certificate}", "require_certificate true", "use_identity_as_username true")
    place.mosquitto(*encrypted(scheme, authority.issue("lab")), *asks)
    certificate, key = authority.issue("agent")
    told = looked_at(bench, place, scheme, ca_file=authority.certificate, cert_file=certificate, key_file=key)
    assert told.fails == []
    for name in ("our_certificate", "name", "tcp", "tls", "certificate", "client_certificate", "credentials", "limits"):
        assert told.verdicts(name) == {"pass"}, name
    assert told.verdicts("say") == told.verdicts("hear") == {"pass"}
    assert "TLSv1.3" in told.one("tls")["found"]
    assert "valid until 2099" in told.one("certificate")["found"]
    nothing = looked_at(bench, place, scheme, ca_file=authority.certificate)
    assert nothing.fails[0] == "client_certificate"
    assert "none without one" in nothing.one("client_certificate")["found"]


@pytest.mark.parametrize(
    ("options", "words"),
    [({"valid": EXPIRED}, "has expired"), ({"address": "127.0.0.9"}, f"is not for the name '{LOOPBACK}'")],
)
def test_a_certificate_that_is_wrong(
    bench: Workbench, place: Place, authority: Authority, options: dict[str, Any], words: str
) -> None:
    place.mosquitto(*shows(authority.issue("lab", **options)))
    failed(looked_at(bench, place, "mqtts", ca_file=authority.certificate), "tls", words)


def test_an_authority_that_is_not_known_and_a_certificate_that_was_revoked(
    bench: Workbench, place: Place, authority: Authority
) -> None:
    files = authority.issue("lab")
    place.mosquitto(*shows(files))
    failed(looked_at(bench, place, "mqtts"), "tls", "who vouches for it is not known here")
    authority.revoke(files[0])
    listed = authority.revocations()
    failed(looked_at(bench, place, "mqtts", ca_file=authority.certificate, crl_file=listed), "tls", "was revoked")


def test_a_certificate_of_ours_that_has_expired_or_is_not_there(
    bench: Workbench, place: Place, authority: Authority, tmp_path: Path
) -> None:
    place.mosquitto(*shows(authority.issue("lab")))
    old, key = authority.issue("old", valid=EXPIRED)
    told = looked_at(bench, place, "mqtts", ca_file=authority.certificate, cert_file=old, key_file=key)
    assert told.fails == ["our_certificate"]
    assert "expired on 2021-01-01" in told.one("our_certificate")["found"]
    failed(looked_at(bench, place, "mqtts", cert_file=tmp_path / "nowhere.pem"), "our_files", "nowhere.pem")


@pytest.mark.parametrize(
    ("scheme", "answer", "told"),
    [
        ("mqtt", lambda _files: says_nothing, ("mqtt_version", "does not answer our greeting of MQTT 5")),
        ("ws", lambda _files: says_nothing, ("websocket", "does not answer our wish for WebSockets")),
        ("mqtts", lambda _files: says_nothing, ("tls", "does not answer our greeting of TLS")),
        ("mqtts", greets_and_says_nothing, ("mqtt_version", "does not answer our greeting of MQTT 5")),
        ("mqtts", speaks_old_tls, ("tls", "no TLS that is safe today")),
    ],
)
def test_a_server_that_never_answers_or_speaks_too_old_a_tls(  # noqa: PLR0917 - fixtures and examples
    bench: Workbench,
    place: Place,
    authority: Authority,
    scheme: str,
    answer: Callable[[Files], Callable[[socket.socket], None]],
    told: tuple[str, str],
) -> None:
    place.server(answer(authority.issue("lab")))
    failed(looked_at(bench, place, scheme, ca_file=authority.certificate), *told)


def test_tls_on_one_side_only(bench: Workbench, place: Place, authority: Authority) -> None:
    place.mosquitto()
    failed(looked_at(bench, place, "mqtts"), "tls", "no TLS is spoken there")
    failed(looked_at(bench, place, "ws"), "websocket", "takes no WebSockets at /mqtt")
    place.mosquitto(*shows(authority.issue("lab")))
    failed(looked_at(bench, place, "mqtt"), "tls", "TLS is spoken there")


def test_nobody_there_and_a_name_that_nobody_knows(bench: Workbench, place: Place) -> None:
    failed(looked_at(bench, place), "tcp", "Connection refused")
    told = examined(bench, "--broker", "mqtt://nobody.invalid:1883")
    failed(told, "name", "no address is known")


def test_a_wrong_password_is_told_with_the_brokers_code(bench: Workbench, place: Place, tmp_path: Path) -> None:
    place.mosquitto(*lets_in(tmp_path, {"agent": ("readwrite #",)}))
    wrong = as_user("agent") | {"ENTROPILOT_BROKER__PASSWORD": "another"}
    told = examined(bench, "--broker", f"mqtt://{LOOPBACK}:{place.port}", env=wrong)
    failed(told, "credentials", "code 135")
    assert told.one("mqtt_version")["verdict"] == "pass"
    for given in (("--broker", f"mqtt://agent:{PASSWORD}@{LOOPBACK}:1"), ("--set", f"broker.password={PASSWORD}")):
        refused = bench.entropilot("doctor", *given)
        assert refused.code == SETTINGS_ERROR
        assert PASSWORD not in refused.out + refused.err


def test_an_older_mqtt_is_a_warning(bench: Workbench) -> None:
    told = examined(bench, "--broker", bench.start_broker("embedded"))
    assert told.fails == []
    assert told.one("mqtt_version")["verdict"] == "warn"
    assert "MQTT 3.1.1, and not 5" in told.one("mqtt_version")["found"]
    assert told.verdicts("say") == told.verdicts("hear") == {"pass"}


def test_a_broker_that_takes_too_little_is_told_with_its_limits(bench: Workbench, place: Place) -> None:
    place.mosquitto("max_packet_size 2000", "retain_available false")
    told = looked_at(bench, place)
    assert "limits" in told.fails
    assert any("2,000 bytes" in each["found"] for each in told.of("limits"))


def test_a_scenario_whose_run_brings_its_own_broker_needs_none(bench: Workbench) -> None:
    told = examined(bench, "lab.toml")
    assert told.fails == []
    assert "a run starts its own" in told.checks[-1]["found"]
    assert {each["name"] for each in told.checks} >= {
        "python",
        "packages",
        "disk",
        "file_system",
        "commits",
        "scenario",
    }


def test_a_folder_that_cannot_be_written_is_told(bench: Workbench) -> None:
    told = examined(bench, "lab.toml", "--runs", "/proc/runs")
    assert told.fails == ["disk"]


def test_a_part_or_a_scenario_that_there_is_not_is_refused(bench: Workbench) -> None:
    for given in (("--instrument", "A B"), ("nosuch.toml",), ("--broker", "tcp://lab:1883")):
        ended = bench.entropilot("doctor", *given)
        assert ended.code == SETTINGS_ERROR, ended.err
    assert "write mqtt://lab:1883" in ended.err
