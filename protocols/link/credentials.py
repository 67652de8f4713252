"""Names and passwords that we make for the brokers that we start, and the file in which the parts of a lab find them.

A file is for its owner alone (mode 0600), and is refused otherwise: whoever can read it can speak for the lab, and
whoever can write it can lead the lab's parts to believe another password. Passwords are random, never typed by anybody.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from protocols.errors import SettingsError
from protocols.storage.private_files import OWNER_ONLY_FOLDER, SecretFile, write_secret
from protocols.wire.limits import MAX_ID_LENGTH
from protocols.wire.messages import ID_PATTERN
from protocols.wire.topics import ANY_SIMULATOR

ANYBODY: Final = "entropilot"
"""The account of a whole lab, for all its parts: made where nobody names parts."""

AGENT: Final = "agent"
"""The agent's account."""

OBSERVER: Final = "observer"
"""The account of who only listens."""

PASSWORD_BYTES: Final = 24
"""Randomness of a password [byte]: 192 bits are not guessed."""

MAX_FILE_BYTES: Final = 1024 * 1024
"""Largest file of credentials that is read [byte]: some ten thousand accounts."""

FORMAT: Final = 1
"""Version of the file."""

CREDENTIALS: Final = SecretFile(
    "credentials file",
    MAX_FILE_BYTES,
    expected="the file that `entropilot broker` wrote",
    action="start that broker, which writes it again, or correct broker.credentials_file",
)

_NAME: Final = re.compile(ID_PATTERN)


class Role(StrEnum):
    """What a part of a lab is to a broker's access list."""

    ALL = "all"
    """May say and hear everything."""
    AGENT = "agent"
    INSTRUMENT = "instrument"
    OPERATOR = "operator"
    OBSERVER = "observer"
    """Hears everything, and may say nothing."""


RESERVED: Final = frozenset({AGENT, OBSERVER, ANYBODY, ANY_SIMULATOR})
"""Names that no instrument and no operator can have."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of a broker: its name is the id of the part that it is for."""

    name: str
    role: Role
    password: str = field(repr=False)


def accounts_for(instruments: Iterable[str] = (), operators: Iterable[str] = ()) -> tuple[Account, ...]:
    """Make accounts with new passwords: for these, for their agent and for an observer; for nobody, one for all.

    Args:
        instruments: Ids of instruments.
        operators: Ids of operators.

    Raises:
        SettingsError: When an id cannot be one, or is an instrument's and an operator's.
    """
    lab, people = dict.fromkeys(instruments), dict.fromkeys(operators)
    require_ids(lab, people)
    parts = {AGENT: Role.AGENT, OBSERVER: Role.OBSERVER} if lab or people else {ANYBODY: Role.ALL}
    parts |= dict.fromkeys(lab, Role.INSTRUMENT) | dict.fromkeys(people, Role.OPERATOR)
    return tuple(Account(name, role, secrets.token_urlsafe(PASSWORD_BYTES)) for name, role in parts.items())


def require_ids(instruments: Collection[str], operators: Collection[str]) -> None:
    """Require that instruments and operators can be called so: they share one space of names.

    Raises:
        SettingsError: Otherwise.
    """
    for name in (*instruments, *operators):
        if not _NAME.fullmatch(name) or name in RESERVED:
            raise SettingsError(
                f"{name[:80]!r} can be no instrument's and no operator's id",
                expected=f"up to {MAX_ID_LENGTH} small letters, digits, - and _, and not "
                + " or ".join(sorted(RESERVED)),
                action="choose another id",
            )
    if both := [name for name in instruments if name in operators]:
        raise SettingsError(
            f"{both[0]!r} is an instrument and an operator",
            expected="ids that all differ: they share one name space",
            action="choose another id for one of them",
        )


def credentials_place(host: str, port: int) -> Path:
    """Return where the credentials of a broker on this machine are, unless told otherwise.

    It is a folder of the user's own, so that agent and instruments find it from wherever they are started.

    Raises:
        SettingsError: When the user has no such folder.
    """
    try:
        base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError:
        raise SettingsError(
            "This user has no home folder, in which a broker's credentials would be kept",
            expected="a folder of your own in HOME or XDG_STATE_HOME",
            action="set one of them, or name a file with --credentials",
        ) from None
    where = "local" if is_this_machine(host) else host.replace(":", "_")
    return Path(base) / "entropilot" / "brokers" / f"{where}-{port}.json"


def is_this_machine(host: str) -> bool:
    """Tell whether an address is one on which a broker of this machine listens for this machine."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def write_credentials(path: Path, accounts: Iterable[Account]) -> None:
    """Write accounts for the eyes of their owner alone, whole or not at all.

    Raises:
        SettingsError: When the folder or the file is not ours to write.
    """
    content = {
        "format": FORMAT,
        "accounts": [{"name": each.name, "role": each.role.value, "password": each.password} for each in accounts],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
        write_secret(path, json.dumps(content, indent=1).encode() + b"\n")
    except OSError as error:
        raise SettingsError(
            f"The broker's credentials cannot be written to {path} ({error.strerror or error})",
            expected="a folder of your own",
            action="name another file with --credentials, or a folder of yours in XDG_STATE_HOME",
        ) from None


def read_credentials(path: Path) -> tuple[Account, ...]:
    """Return the accounts of a file.

    Raises:
        SettingsError: When it is not there, others may read or write it, it is not ours, or it is no such file.
    """
    content = CREDENTIALS.read(path)
    try:
        return tuple(_account(each) for each in _accounts_in(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CREDENTIALS.unusable(path, "holds no credentials that this version can read") from None


def login_from_file(
    file: str | None, host: str, port: int, names: tuple[str, ...], *, username: str | None = None
) -> tuple[str, str] | None:
    """Return the name and password that a part takes; None where there is no file, and none was named.

    Args:
        file: The file; None for that of a broker on this machine, if it is there.
        host: The broker's address.
        port: The same.
        names: Accounts that it may take, the first that is there; then the one for all, and the only one of a file.
        username: The account that somebody named: it is taken, or none.

    Raises:
        SettingsError: When the file is not what it must be, or one that was named has no account for the part.
    """
    path = _place_of(file, host, port)
    if path is None:
        return None
    accounts = {each.name: each for each in read_credentials(path)}
    only = tuple(accounts) if len(accounts) == 1 else ()
    wanted = (*names, ANYBODY, *only) if username is None else (username,)
    account = next((accounts[name] for name in wanted if name in accounts), None)
    if account is not None:
        return account.name, account.password
    if file is None:
        return None
    part = username or " or ".join(names) or "a part without a name"
    raise SettingsError(
        f"{path} has no account for {part}, but for {', '.join(accounts)}",
        expected="an account whose name is the id of the part",
        action="start the broker with an --instrument or --operator for it, or name broker.username",
    )


def known_accounts(file: str | None, host: str, port: int) -> tuple[Account, ...]:
    """Return the accounts of a broker that are known here; none where there is no file, and none was named.

    Args:
        file: The file; None for that of a broker on this machine, if it is there.
        host: The broker's address.
        port: The same.

    Raises:
        SettingsError: When the file is not what it must be.
    """
    path = _place_of(file, host, port)
    return () if path is None else read_credentials(path)


def _place_of(file: str | None, host: str, port: int) -> Path | None:
    return _found_on_this_machine(host, port) if file is None else Path(file).expanduser()


def _found_on_this_machine(host: str, port: int) -> Path | None:
    try:
        path = credentials_place(host, port)
        return path if path.is_file() else None
    except (SettingsError, OSError):  # a home that is not there or not ours to look into holds none
        return None


def operators_in(file: str | None, host: str, port: int) -> tuple[str, ...]:
    """Return the operators that a file of credentials has accounts for; none where there is no file.

    Args:
        file: The file; None for that of a broker on this machine, if it is there.
        host: The broker's address.
        port: The same.

    Raises:
        SettingsError: When the file is not what it must be.
    """
    path = _found_on_this_machine(host, port) if file is None else Path(file).expanduser()
    return () if path is None else tuple(each.name for each in read_credentials(path) if each.role is Role.OPERATOR)


def _accounts_in(content: bytes) -> list[dict[str, str]]:
    said = json.loads(content)
    if said["format"] != FORMAT:
        raise ValueError
    accounts: list[dict[str, str]] = said["accounts"]
    return accounts


def _account(said: dict[str, str]) -> Account:
    name, password = said["name"], said["password"]
    if _NAME.fullmatch(name) is None or not isinstance(password, str) or not password:
        raise ValueError
    return Account(name, Role(said["role"]), password)
