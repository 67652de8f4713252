"""Where a broker's password is kept when it is neither in the URL nor in the environment: a file, or a keyring."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import SecretStr

from protocols.errors import SettingsError
from protocols.extras import load
from protocols.storage.private_files import SecretFile

MAX_FILE_BYTES: Final = 4_096
"""Largest password file [byte]: a password is a line; what is larger is another file."""

WAYS: Final = (
    "put it into a file that only you can read and name that in ENTROPILOT_BROKER__PASSWORD_FILE, or set "
    "ENTROPILOT_BROKER__PASSWORD, or keep it in the system's keyring and name that in ENTROPILOT_BROKER__KEYRING"
)
"""The three ways to give a password, for errors."""

PASSWORD: Final = SecretFile(
    "password file",
    MAX_FILE_BYTES,
    expected="a file that holds the password in its only line",
    action="correct broker.password_file",
)


def password_of_file(name: str) -> SecretStr:
    """Return the password in a file: its one line.

    Raises:
        SettingsError: When the file cannot be read, is open to others, or holds no password.
    """
    path = Path(name)
    try:
        lines = PASSWORD.read(path).decode().splitlines()
    except UnicodeDecodeError:
        raise PASSWORD.unusable(path, "is not UTF-8 text") from None
    if len(lines) != 1 or not lines[0]:
        raise PASSWORD.unusable(path, "does not hold one line")
    return SecretStr(lines[0])


def password_of_keyring(service: str, username: str | None) -> SecretStr:
    """Return the password that the system's keyring holds for a user.

    Raises:
        SettingsError: When there is no keyring, it is locked, or it holds none.
        ExtraMissingError: When the package that asks it is not installed.
    """
    keyring = load("keyring")
    user = username or ""
    put_there = f"`keyring set {service} {user or 'USER'}` puts it there"
    if not user:
        raise SettingsError(
            f"broker.keyring is {service!r}, and broker.username is not set",
            expected="the user whose password it is",
            action=f"set broker.username; {put_there}",
        )
    try:
        found = keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001 - each system's keyring has errors of its own
        raise SettingsError(
            f"The system's keyring does not tell the password of {user!r} in {service!r} "
            f"({type(error).__name__}: {error})",
            expected="a keyring that is there and open",
            action="open it, or use broker.password_file",
        ) from None
    if not found:
        raise SettingsError(
            f"The system's keyring holds no password of {user!r} in {service!r}", expected="one", action=put_there
        )
    return SecretStr(str(found))
