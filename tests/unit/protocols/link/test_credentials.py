"""Credentials are random, for their owner's eyes alone, and found by the parts that they are for."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.link.broker_settings import BrokerSettings
from protocols.link.credentials import (
    ANYBODY,
    Account,
    Role,
    accounts_for,
    credentials_place,
    known_accounts,
    login_from_file,
    operators_in,
    read_credentials,
    write_credentials,
)

PARTS = ("furnace",), ("ann",)
posix = pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def test_each_part_gets_a_name_a_role_and_a_password_of_its_own() -> None:
    accounts = accounts_for(*PARTS)
    assert [(each.name, each.role) for each in accounts] == [
        ("agent", Role.AGENT),
        ("observer", Role.OBSERVER),
        ("furnace", Role.INSTRUMENT),
        ("ann", Role.OPERATOR),
    ]
    (all_of_them,), (again,) = accounts_for(), accounts_for()
    assert (all_of_them.name, all_of_them.role) == (ANYBODY, Role.ALL)
    passwords = {each.password for each in (*accounts, all_of_them, again)}
    assert len(passwords) == 6
    assert min(map(len, passwords)) >= 32
    assert all_of_them.password not in repr(all_of_them)


@pytest.mark.parametrize("name", ["", "Ä", "agent", "any", "entropilot", "observer", "a/b", "x y", "x\n", "x" * 65])
def test_what_can_be_no_id_is_refused_with_what_can(name: str) -> None:
    for instruments, operators in (([name], ()), ((), [name])):
        with pytest.raises(SettingsError, match="can be no instrument's and no operator's id") as caught:
            accounts_for(instruments, operators)
        assert "agent or any or entropilot or observer" in caught.value.expected


def test_instruments_and_operators_share_one_space_of_names() -> None:
    with pytest.raises(SettingsError, match="'ann' is an instrument and an operator"):
        accounts_for(["ann"], ["ann"])


def test_who_is_named_twice_has_one_account() -> None:
    assert [each.name for each in accounts_for(["oven", "oven"])] == ["agent", "observer", "oven"]


@posix
def test_a_file_is_for_its_owner_alone_from_its_first_moment_and_so_is_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lab.json"
    old = os.umask(0)
    try:
        write_credentials(path, accounts_for(*PARTS))
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    path.chmod(0o666)
    write_credentials(path, accounts_for())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_written_is_read(tmp_path: Path) -> None:
    accounts = accounts_for(*PARTS)
    write_credentials(tmp_path / "lab.json", accounts)
    assert read_credentials(tmp_path / "lab.json") == accounts


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000),
        *(b'{"format": 2, "accounts": []}', b'{"format": 1}', b'{"format": 1, "accounts": [1]}'),
        b'{"format": 1, "accounts": [{"name": "x", "role": "king", "password": "p"}]}',
        b'{"format": 1, "accounts": [{"name": "../x", "role": "all", "password": "p"}]}',
        b'{"format": 1, "accounts": [{"name": "x", "role": "all", "password": ""}]}',
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lab.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="holds no credentials"):
        read_credentials(path)


@posix
def test_a_file_that_others_may_touch_is_refused(tmp_path: Path) -> None:
    write_credentials(tmp_path / "lab.json", accounts_for())
    (tmp_path / "lab.json").chmod(0o640)
    with pytest.raises(SettingsError, match=r"The credentials file .* by others"):
        read_credentials(tmp_path / "lab.json")


def test_a_file_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        read_credentials(tmp_path / "none.json")
    assert "broker.credentials_file" in caught.value.action


def test_a_folder_that_is_not_ours_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written") as caught:
        write_credentials(tmp_path / "file" / "lab.json", accounts_for())
    assert "--credentials" in caught.value.action


def test_addresses_of_this_machine_have_one_place_and_others_their_own(home: Path) -> None:
    local = {credentials_place(host, 1883) for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "127.0.0.7", "::")}
    assert local == {home / "state" / "entropilot" / "brokers" / "local-1883.json"}
    assert credentials_place("lab.example", 1883).name == "lab.example-1883.json"
    assert credentials_place("fe80::1", 1884).name == "fe80__1-1884.json"


def test_a_part_takes_its_own_account_then_that_for_all_then_the_only_one(home: Path) -> None:
    path = home / "lab.json"
    furnace, agent = Account("furnace", Role.INSTRUMENT, "f"), Account("agent", Role.AGENT, "a")
    anybody = Account(ANYBODY, Role.ALL, "e")

    def taken(*accounts: Account) -> tuple[str, str] | None:
        write_credentials(path, accounts)
        return login_from_file(str(path), "lab", 1883, ("agent",))

    assert taken(furnace, anybody, agent) == ("agent", "a")
    assert taken(furnace, anybody) == (ANYBODY, "e")
    assert taken(furnace) == ("furnace", "f")
    with pytest.raises(SettingsError, match="no account for agent, but for furnace, oven") as caught:
        taken(furnace, Account("oven", Role.INSTRUMENT, "o"))
    assert "--instrument" in caught.value.action


def test_a_broker_of_this_machine_is_found_and_none_is_no_error(home: Path) -> None:
    broker = BrokerSettings(url="mqtt://localhost:1999").as_part("agent")
    assert (broker.address().username, broker.address().password) == (None, None)
    write_credentials(credentials_place("127.0.0.1", 1999), [Account("agent", Role.AGENT, "first")])
    found = broker.address()
    assert (found.username, found.password and found.password.get_secret_value()) == ("agent", "first")
    write_credentials(credentials_place("127.0.0.1", 1999), [Account("agent", Role.AGENT, "second")])
    again = broker.address().password
    assert again is not None
    assert again.get_secret_value() == "second"  # the broker was started again
    assert BrokerSettings(url="mqtt://localhost:1999").address().password is None  # a part of nobody's


def test_all_accounts_of_a_broker_are_known_where_its_file_is_and_none_where_there_is_none(home: Path) -> None:
    made = (Account("agent", Role.AGENT, "a"), Account("furnace", Role.INSTRUMENT, "f"))
    assert known_accounts(None, "localhost", 1883) == ()
    write_credentials(credentials_place("localhost", 1883), made)
    assert known_accounts(None, "127.0.0.1", 1883) == made
    assert known_accounts(None, "lab", 1883) == ()
    with pytest.raises(SettingsError, match="cannot be read"):
        known_accounts(str(home / "nowhere.json"), "lab", 1883)


def test_a_user_without_a_home_is_told_and_has_no_credentials_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(SettingsError, match="no home folder"):
        credentials_place("127.0.0.1", 1999)
    assert BrokerSettings(url="mqtt://localhost:1999").as_part("agent").address().password is None


def test_what_a_person_says_comes_before_what_a_file_says(home: Path) -> None:
    write_credentials(credentials_place("127.0.0.1", 1999), [Account("agent", Role.AGENT, "file")])
    said = BrokerSettings(url="mqtt://me:mine@localhost:1999").as_part("agent").address()
    assert (said.username, said.password and said.password.get_secret_value()) == ("me", "mine")
    named = BrokerSettings(url="mqtt://other@localhost:1999").as_part("agent").address()
    assert named.username == "other"
    kept = BrokerSettings(
        url="mqtt://elsewhere:1999", credentials_file=str(credentials_place("127.0.0.1", 1999))
    ).address()
    assert (kept.username, kept.password and kept.password.get_secret_value()) == ("agent", "file")


def test_a_password_of_a_file_is_in_no_text_of_the_settings(home: Path) -> None:
    path = home / "lab.json"
    write_credentials(path, [Account("agent", Role.AGENT, "hunter2")])
    broker = BrokerSettings(url="mqtt://lab", credentials_file=str(path)).as_part("agent")
    assert "hunter2" not in repr(broker) + repr(broker.address()) + json.dumps(broker.model_dump(mode="json"))


def test_the_operators_of_a_file_are_told_and_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "lab.json"
    write_credentials(path, accounts_for(["furnace"], ["ann", "bob"]))
    assert operators_in(str(path), "lab", 1883) == ("ann", "bob")
    assert operators_in(None, "lab.example", 1883) == ()
