"""Accounts of a broker are new for each start, unless a file is named in which they last."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.link.credentials import credentials_place, read_credentials
from scenarios.broker.kept_accounts import kept_accounts, part_file

WHERE = ("127.0.0.1", 1999)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return credentials_place(*WHERE)


def test_each_start_has_new_passwords_that_are_gone_with_it(place: Path) -> None:
    seen = []
    for _ in range(2):
        with kept_accounts(None, (), (), *WHERE) as (accounts, path):
            assert path == place
            assert read_credentials(place) == accounts
            seen.append(accounts)
        assert not place.exists()
    assert seen[0] != seen[1]


def test_each_part_has_a_file_of_its_own_to_be_handed_out(place: Path) -> None:
    with kept_accounts(None, ("furnace",), (), *WHERE) as (accounts, path):
        for each in accounts:
            assert read_credentials(part_file(path, each.name)) == (each,)
    assert list(place.parent.iterdir()) == []


def test_what_a_killed_broker_left_is_written_over(place: Path) -> None:
    with kept_accounts(None, (), (), *WHERE):
        left = place.read_bytes()
    place.write_bytes(left)
    with kept_accounts(None, (), (), *WHERE) as (accounts, _):
        assert read_credentials(place) == accounts


def test_in_a_file_that_is_named_passwords_last_and_parts_may_be_added(place: Path, tmp_path: Path) -> None:
    named = tmp_path / "lab.json"
    with kept_accounts(named, ("furnace",), (), *WHERE) as (first, path):
        assert path == named
    assert not place.exists()
    with kept_accounts(named, (), (), *WHERE) as (second, _):
        assert second == first  # no account for all is added to those that were asked for
    with kept_accounts(named, (), ("ann",), *WHERE) as (third, _):
        assert set(first) < set(third)
        assert {each.name for each in third} == {"agent", "observer", "furnace", "ann"}


def test_who_is_kept_as_an_operator_is_not_let_in_as_an_instrument(place: Path, tmp_path: Path) -> None:
    named = tmp_path / "lab.json"
    with kept_accounts(named, (), ("ann",), *WHERE) as (first, _):
        pass
    taken = pytest.raises(SettingsError, match="'ann' is an instrument and an operator")
    with taken, kept_accounts(named, ("ann",), (), *WHERE):
        pass
    assert read_credentials(named) == first


def test_a_named_file_that_holds_something_else_is_not_written_over(place: Path, tmp_path: Path) -> None:
    named = tmp_path / "thesis.txt"
    named.write_text("ten years of work")
    named.chmod(0o600)
    with pytest.raises(SettingsError, match="holds no credentials"), kept_accounts(named, (), (), *WHERE):
        pass
    assert named.read_text() == "ten years of work"
