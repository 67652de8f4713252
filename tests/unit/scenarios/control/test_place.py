"""Who operates is the user of the system, unless keys or accounts are there of one operator alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.link.credentials import accounts_for, write_credentials
from protocols.signing.key_file import write_keys
from protocols.signing.key_ring import KeyRing
from scenarios.control.place import KEYS_VARIABLE, operator_named, place_on_broker

URL = "mqtt://127.0.0.1:1"


@pytest.mark.parametrize(
    ("user", "known", "named"),
    [
        ("alice", (), "alice"),
        ("Alice Smith", (), "alice-smith"),
        ("DOMAIN\\bob", (), "domain-bob"),
        ("山田", (), "operator"),
        ("agent", (), "operator"),
        ("root", ("ann",), "ann"),
        ("bob", ("ann", "bob"), "bob"),
        ("root", ("ann", "bob"), "root"),
    ],
)
def test_the_users_name_becomes_an_id(user: str, known: tuple[str, ...], named: str) -> None:
    assert operator_named(None, known, user) == named


@pytest.mark.parametrize("asked", ["agent", "any", "Ann", "a/b", ""])
def test_what_can_be_no_id_is_refused(asked: str) -> None:
    with pytest.raises(SettingsError, match="no operator's id"):
        operator_named(asked, ())


def test_an_operator_signs_with_its_own_key_alone(tmp_path: Path) -> None:
    keys = tmp_path / "lab.keys"
    write_keys(keys, KeyRing(b"a" * 32, {"furnace": b"f" * 32}, {"ann": b"n" * 32, "bob": b"b" * 32}))
    place = place_on_broker(URL, "lab", scenario=None, operator="ann", keys=keys, environ={})
    assert (place.operator, place.signing.ring.names) == ("ann", {"ann"})
    by_environment = place_on_broker(
        URL, "lab", scenario=None, operator="bob", keys=None, environ={KEYS_VARIABLE: str(keys)}
    )
    assert by_environment.signing.ring.names == {"bob"}
    with pytest.raises(SettingsError, match="no key of operator 'eve'"):
        place_on_broker(URL, "lab", scenario=None, operator="eve", keys=keys, environ={})


def test_a_file_with_an_instruments_key_lets_nobody_operate(tmp_path: Path) -> None:
    keys = tmp_path / "furnace.keys"
    write_keys(keys, KeyRing(None, {"furnace": b"f" * 32}, {}))
    with pytest.raises(SettingsError, match="no key of operator"):
        place_on_broker(URL, "lab", scenario=None, operator="ann", keys=keys, environ={})


def test_the_account_of_the_operator_is_taken_out_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "lab.json"
    write_credentials(path, accounts_for((), ["ann"]))
    environ = {"ENTROPILOT_BROKER__CREDENTIALS_FILE": str(path)}
    place = place_on_broker(URL, "lab", scenario=None, operator=None, keys=None, environ=environ)
    assert (place.operator, place.broker.address().username) == ("ann", "ann")


def test_the_campaign_is_that_of_the_scenario_unless_it_is_named() -> None:
    place = place_on_broker(URL, None, scenario="oracle_table", operator="ann", keys=None, environ={})
    assert place.campaign == "oracle_table"
    assert place.scenario is not None
    with pytest.raises(SettingsError, match="No campaign is named"):
        place_on_broker(URL, None, scenario=None, operator="ann", keys=None, environ={})
    with pytest.raises(SettingsError, match="cannot be the name"):
        place_on_broker(URL, "My Lab", scenario=None, operator="ann", keys=None, environ={})
