"""Mosquitto's files: nobody without a name is let in, nothing is granted that is not said, and others read none."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.link.credentials import accounts_for
from scenarios.broker.mosquitto import (
    ACCESS_LIST,
    CONFIG,
    PASSWORDS,
    access_list,
    mosquitto_config,
    password_file,
    write_mosquitto_files,
)

PARTS = accounts_for(["furnace"])


def test_our_mosquitto_keeps_what_it_confirms_and_lets_in_who_is_named(tmp_path: Path) -> None:
    lines = mosquitto_config(tmp_path, 1999).splitlines()
    assert "listener 1999 127.0.0.1" in lines
    assert "listener 1999 0.0.0.0" in mosquitto_config(tmp_path, 1999, "0.0.0.0").splitlines()
    assert {"max_queued_messages 10000", "max_queued_bytes 67108864"} <= set(lines)
    assert {"persistence true", "autosave_on_changes true", "autosave_interval 1"} <= set(lines)
    assert {
        "allow_anonymous false",
        f"password_file {tmp_path}/{PASSWORDS}",
        f"acl_file {tmp_path}/{ACCESS_LIST}",
    } <= set(lines)


def test_the_access_list_names_each_user_before_its_rights() -> None:
    first, *users = access_list(PARTS).split("\nuser ")
    assert "topic" not in first  # before any user it would hold for who has no name
    assert [each.splitlines()[0] for each in users] == ["agent", "observer", "furnace"]
    assert "topic write entropilot/v1/+/result/furnace" in users[2].splitlines()
    assert "agent" not in users[2]


def test_passwords_are_hashed_as_mosquitto_checks_them() -> None:
    for line, account in zip(password_file(PARTS).splitlines(), PARTS, strict=True):
        assert account.password not in line
        name, hashed = line.split(":")
        _, kind, rounds, salt, digest = hashed.split("$")
        again = hashlib.pbkdf2_hmac("sha512", account.password.encode(), base64.b64decode(salt), int(rounds), 64)
        assert (name, kind, base64.b64decode(digest)) == (account.name, "7", again)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_files_are_for_their_owner_alone_whatever_lay_there_before(tmp_path: Path) -> None:
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("not ours to write")
    (folder / PASSWORDS).symlink_to(elsewhere)
    (folder / ACCESS_LIST).write_text("old")
    (folder / ACCESS_LIST).chmod(0o666)
    assert write_mosquitto_files(folder, PARTS, port=1999) == folder / CONFIG
    for name in (CONFIG, ACCESS_LIST, PASSWORDS):
        assert stat.S_IMODE((folder / name).lstat().st_mode) == 0o600
    assert elsewhere.read_text() == "not ours to write"


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_a_folder_in_which_others_could_put_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(SettingsError, match="can be written by everybody"):
        write_mosquitto_files(tmp_path, PARTS, port=1999)
    tmp_path.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(SettingsError, match="belongs to another user"):
        write_mosquitto_files(tmp_path, PARTS, port=1999)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said_with_the_flag(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written") as caught:
        write_mosquitto_files(tmp_path / "file", PARTS, port=1999)
    assert "--folder" in caught.value.action
