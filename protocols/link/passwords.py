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

KEY_WAYS: Final = (
    "put the passphrase into a file that only you can read and name that in ENTROPILOT_BROKER__KEY_PASSWORD_FILE, or "
    "set ENTROPILOT_BROKER__KEY_PASSWORD, or keep it in the system's keyring and name that in "
    "ENTROPILOT_BROKER__KEY_KEYRING"
)
"""The same for the passphrase of a private key."""


GIVEN_BY: Final = {"password": WAYS, "key_password": KEY_WAYS}
"""Setting of a broker that is a secret -> the ways to give it."""

KEY_USER: Final = "key"
"""User under which a keyring holds the passphrase of a private key: it has none of its own."""


def passphrase_of(given: SecretStr | None, file: str | None, keyring: str | None) -> SecretStr | None:
    """Return the passphrase of a private key: what is given, else a file's, else a keyring's; None where there is none.

    Raises:
        SettingsError: When it cannot be had from the file or the keyring.
    """
    if given is not None:
        return given
    if file is not None:
        return password_of_file(file, "key_password_file")
    return None if keyring is None else password_of_keyring(keyring, KEY_USER)


def password_of_file(name: str, setting: str = "password_file") -> SecretStr:
    """Return the password in a file: its one line.

    Args:
        name: The file.
        setting: Of a broker, that names it.

    Raises:
        SettingsError: When the file cannot be read, is open to others, or holds no password.
    """
    path = Path(name)
    kept = SecretFile(
        "password file",
        MAX_FILE_BYTES,
        expected="a file that holds the password in its only line",
        action=f"correct broker.{setting}",
    )
    try:
        lines = kept.read(path).decode().splitlines()
    except UnicodeDecodeError:
        raise kept.unusable(path, "is not UTF-8 text") from None
    if len(lines) != 1 or not lines[0]:
        raise kept.unusable(path, "does not hold one line")
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
