"""Where a broker's password may be kept, and what is said when it cannot be had; it is never said itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import SettingsError
from protocols.extras import ExtraMissingError
from protocols.link import passwords
from protocols.link.broker_settings import BrokerSettings
from protocols.link.passwords import MAX_FILE_BYTES, password_of_file, password_of_keyring

SECRET = "open sesame"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("content", [SECRET, f"{SECRET}\n", f"{SECRET}\r\n"])
def test_a_password_is_the_only_line_of_its_file(file: Path, content: str) -> None:
    file.write_bytes(content.encode())
    assert password_of_file(str(file)).get_secret_value() == SECRET


@pytest.mark.skipif(os.name != "posix", reason="who may read a file is told as on Unix")
def test_a_file_that_others_can_read_or_change_is_refused(file: Path) -> None:
    file.chmod(0o640)
    with pytest.raises(SettingsError, match=r"The password file .* by others"):
        password_of_file(str(file))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "one line"),
        (b"\n", "one line"),
        (f"{SECRET}\nanother\n".encode(), "one line"),
        (b"x" * (MAX_FILE_BYTES + 1), "larger than"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_file_of_something_else_is_refused_without_its_content(file: Path, content: bytes, why: str) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=why) as caught:
        password_of_file(str(file))
    assert SECRET not in str(caught.value)
    assert "broker.password_file" in caught.value.action


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path if kind == "folder" else tmp_path / "nowhere"
    with pytest.raises(SettingsError, match=path.name):
        password_of_file(str(path))


def test_a_password_that_is_set_goes_before_a_file_and_that_of_the_url_before_both(file: Path) -> None:
    def told(**fields: Any) -> str | None:
        password = BrokerSettings(password_file=str(file), **fields).address().password
        return None if password is None else password.get_secret_value()

    assert told(url="mqtt://lab@host") == SECRET
    assert told(url="mqtt://lab@host", password="set") == "set"
    assert told(url="mqtt://lab:of%20the%20url@host", password="set") == "of the url"
    assert BrokerSettings(url="mqtt://lab@host").address().password is None


class _Keyring:
    """The package `keyring` with one entry, or broken."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def get_password(self, service: str, user: str) -> str | None:
        if self._error is not None:
            raise self._error
        return SECRET if (service, user) == ("lab", "me") else None


def test_the_systems_keyring_is_asked_for_the_users_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "load", lambda _module: _Keyring())
    address = BrokerSettings(url="mqtt://me@host", keyring="lab").address()
    assert address.password is not None
    assert address.password.get_secret_value() == SECRET


@pytest.mark.parametrize(
    ("user", "error", "found"),
    [
        ("you", None, "holds no password of 'you' in 'lab'"),
        (None, None, "broker.username is not set"),
        ("me", RuntimeError("locked"), "does not tell the password of 'me' in 'lab' .*locked"),
    ],
)
def test_a_keyring_that_does_not_tell_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, user: str | None, error: Exception | None, found: str
) -> None:
    monkeypatch.setattr(passwords, "load", lambda _module: _Keyring(error))
    with pytest.raises(SettingsError, match=found) as caught:
        password_of_keyring("lab", user)
    assert caught.value.action


def test_a_real_keyring_keeps_and_tells_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = pytest.importorskip("keyring", reason="the extra `keyring` is not installed")
    from keyring.backend import KeyringBackend

    class InMemory(KeyringBackend):
        priority = 1
        kept: dict[tuple[str, str], str] = {}  # noqa: RUF012 - one for the test

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            del self.kept[service, username]

    monkeypatch.setattr(keyring, "get_keyring", InMemory)
    monkeypatch.setattr("keyring.core._keyring_backend", InMemory())  # type: ignore[no-untyped-call]
    keyring.set_password("lab", "me", SECRET)
    assert password_of_keyring("lab", "me").get_secret_value() == SECRET


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("protocols.extras.is_installed", lambda _package: False)
    with pytest.raises(ExtraMissingError, match=r"entropilot\[keyring\]"):
        password_of_keyring("lab", "me")
