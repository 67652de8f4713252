"""Names and passwords that we make for the brokers that we start, and the file in which the parts of a lab find them.

A file is for its owner alone (mode 0600), and is refused otherwise: whoever can read it can speak for the lab, and
whoever can write it can lead the lab's parts to believe another password. Passwords are random, never typed by anybody.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from protocols.errors import SettingsError
from protocols.wire.limits import MAX_ID_LENGTH

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

OWNER_ONLY: Final = 0o600
"""Mode of the file."""

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
"""What nobody but the owner may do with it."""

_NAME: Final = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{MAX_ID_LENGTH - 1}}}")


class Role(StrEnum):
    """What a part of a lab is to a broker's access list."""

    ALL = "all"
    """May say and hear everything."""
    AGENT = "agent"
    INSTRUMENT = "instrument"
    OPERATOR = "operator"
    OBSERVER = "observer"
    """Hears everything, and may say nothing."""


FIXED: Final = {ANYBODY: Role.ALL, AGENT: Role.AGENT, OBSERVER: Role.OBSERVER}
"""Names that stand for one role and for no instrument or operator."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of a broker: its name is the id of the part that it is for."""

    name: str
    role: Role
    password: str = field(repr=False)


def accounts_for(parts: Iterable[str]) -> tuple[Account, ...]:
    """Make accounts with new passwords.

    Args:
        parts: `agent`, `observer`, `entropilot`, `instrument:ID` or `operator:ID`; none for one account for all.

    Raises:
        SettingsError: When one is none of these, or two have one name.
    """
    made: dict[str, Account] = {}
    for part in parts or (ANYBODY,):
        role, name = _role_and_name(part)
        if name in made:
            raise SettingsError(
                f"Two parts are called {name!r}",
                expected="ids of instruments and operators that differ: they are user names of the broker",
                action="give one of them another id",
            )
        made[name] = Account(name, role, secrets.token_urlsafe(PASSWORD_BYTES))
    return tuple(made.values())


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
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _owned_alone(temporary) as file:
            file.write(json.dumps(content, indent=1).encode() + b"\n")
        temporary.replace(path)
    except OSError as error:
        raise SettingsError(
            f"The broker's credentials cannot be written to {path} ({error.strerror or error})",
            expected="a folder of your own",
            action="name another file with --credentials, or a folder of yours in XDG_STATE_HOME",
        ) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def read_credentials(path: Path) -> tuple[Account, ...]:
    """Return the accounts of a file.

    Raises:
        SettingsError: When it is not there, others may read or write it, it is not ours, or it is no such file.
    """
    try:
        with path.open("rb") as file:
            _require_private(path, os.fstat(file.fileno()))
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SettingsError(
            f"The credentials file {path} cannot be read ({error.strerror or error})",
            expected="the file that `entropilot broker` wrote",
            action="start that broker first, or correct broker.credentials_file",
        ) from None
    try:
        return tuple(_account(each) for each in _accounts_in(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SettingsError(
            f"{path} holds no credentials that this version can read",
            expected="the file that `entropilot broker` wrote",
            action="start the broker again, which writes it again, or correct broker.credentials_file",
        ) from None


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
    path = _found_on_this_machine(host, port) if file is None else Path(file).expanduser()
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
        action="start the broker with a --part for it, or name broker.username",
    )


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


def _role_and_name(part: str) -> tuple[Role, str]:
    kind, colon, name = part.partition(":")
    if not colon and kind in FIXED:
        return FIXED[kind], kind
    if kind in {Role.INSTRUMENT, Role.OPERATOR} and _NAME.fullmatch(name) and name not in FIXED and name != "any":
        return Role(kind), name
    raise SettingsError(
        f"{part!r} is no part of a lab",
        expected=f"{AGENT}, {OBSERVER}, {ANYBODY}, instrument:ID or operator:ID, where an ID has small letters, "
        f"digits, - and _, and is none of {', '.join(FIXED)}, any",
        action="correct --part",
    )


@contextlib.contextmanager
def _owned_alone(path: Path) -> Iterator[Any]:
    """Open a new file that nobody else can read at any moment."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), OWNER_ONLY)
    with os.fdopen(number, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _require_private(path: Path, status: os.stat_result) -> None:
    """Require that a file is its reader's own and closed to others.

    Raises:
        SettingsError: Otherwise.
    """
    if not hasattr(os, "geteuid"):  # pragma: no cover - Windows has no such modes
        return
    if status.st_uid not in {os.geteuid(), 0}:
        found, action = f"{path} belongs to another user", "have the broker started by yourself, or copy its file"
    elif status.st_mode & OTHERS:
        found, action = f"{path} can be read or written by others", f"chmod 600 {path}"
    else:
        return
    raise SettingsError(found, expected="credentials that are yours alone (mode 0600)", action=action)


def _accounts_in(content: bytes) -> list[dict[str, str]]:
    if len(content) > MAX_FILE_BYTES:
        raise ValueError
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
