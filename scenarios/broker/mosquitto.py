"""Mosquitto: where it is, and the configuration, access list and passwords that we give it."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from protocols.errors import BrokerError, SettingsError
from protocols.link.credentials import Account
from protocols.mapping.mapping import LabMapping
from protocols.storage.private_files import OWNER_ONLY_FOLDER, write_secret
from protocols.wire.limits import MAX_PAYLOAD_BYTES
from scenarios.broker.access import rules_of
from scenarios.broker.lab_access import lab_rules_of

LOOPBACK: Final = "127.0.0.1"

CONFIG: Final = "mosquitto.conf"
ACCESS_LIST: Final = "access.acl"
PASSWORDS: Final = "passwords"
LOG: Final = "mosquitto.log"

MOSQUITTO_FOLDERS: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where packages put Mosquitto outside of an ordinary user's PATH."""

MAX_QUEUED: Final = 10_000
"""Messages that wait for one client; what comes on top is dropped, and whoever sent it repeats it until the receipt."""

MAX_QUEUED_BYTES: Final = 64 * 1024 * 1024
"""The same in bytes: two thousand requests of the usual largest cells."""

HASH_ROUNDS: Final = 1000
"""Rounds of PBKDF2 for a password of 192 random bits: that is not guessed, however quick a guess is."""

SALT_BYTES: Final = 12
"""Of a password's hash, as `mosquitto_passwd` has it."""

HASH_BYTES: Final = 64
"""The same."""


def find_mosquitto() -> str:
    """Return the path of Mosquitto.

    Raises:
        BrokerError: When it is not installed.
    """
    path = os.pathsep.join([os.environ.get("PATH", ""), *MOSQUITTO_FOLDERS])
    program = shutil.which("mosquitto", path=path)
    if program is None:
        raise BrokerError(
            "Mosquitto is not installed on this machine",
            expected="the program `mosquitto`",
            action="install it (apt install mosquitto, or brew install mosquitto), or use --broker embedded",
        )
    return program


def mosquitto_config(folder: Path, port: int, host: str = LOOPBACK) -> str:
    """Return a configuration that survives a crash of the broker as well as Mosquitto can, and lets in who is named.

    `autosave_on_changes` with an interval of 1 writes the whole database after every change: the default writes it
    every 30 minutes, and a killed broker then forgets what it had confirmed.
    """
    lines = [
        f"listener {port} {host}",
        "allow_anonymous false",
        f"password_file {folder}/{PASSWORDS}",
        f"acl_file {folder}/{ACCESS_LIST}",
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_on_changes true",
        "autosave_interval 1",
        f"max_queued_messages {MAX_QUEUED}",  # the default drops beyond 1,000, after it confirmed them
        f"max_queued_bytes {MAX_QUEUED_BYTES}",  # the default is no bound: a client that reads nothing fills the memory
        f"message_size_limit {16 * MAX_PAYLOAD_BYTES}",  # larger ones are refused; those above ours are quarantined
        "set_tcp_nodelay true",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        lines.append("user root")  # else it changes to a user that cannot write into the run folder
    return "\n".join(lines) + "\n"


def access_list(accounts: Iterable[Account], lab: LabMapping | None = None) -> str:
    """Return what each account may say and hear, as Mosquitto reads it; what is not named is denied.

    Args:
        accounts: Who is let in.
        lab: Of a lab with messages of its own, whose topics they need as well.
    """
    lines = ["# Written by entropilot: what each part may say (write) and hear (read); all else is denied."]
    for each in accounts:
        lines += ["", f"# {each.role.value}", f"user {each.name}"]
        of_lab = () if lab is None else lab_rules_of(lab, each.role, each.name)
        rules = (*rules_of(each.role, each.name), *of_lab)
        lines += [f"topic {action.value} {topics}" for action, topics in rules]
    return "\n".join(lines) + "\n"


def password_file(accounts: Iterable[Account]) -> str:
    """Return the hashes of passwords, as `mosquitto_passwd` of version 2 writes them: PBKDF2 of SHA-512."""
    return "".join(f"{each.name}:{_hashed(each.password)}\n" for each in accounts)


def write_mosquitto_files(
    folder: Path, accounts: Iterable[Account], *, port: int, host: str = LOOPBACK, lab: LabMapping | None = None
) -> Path:
    """Write configuration, access list and passwords; return the configuration's path.

    Raises:
        SettingsError: When the folder is not ours to write.
    """
    accounts = tuple(accounts)
    whole = folder.resolve()
    contents = {
        CONFIG: mosquitto_config(whole, port, host),
        ACCESS_LIST: access_list(accounts, lab),
        PASSWORDS: password_file(accounts),
    }
    try:
        whole.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
        _require_own(folder, whole.stat())
        for name, content in contents.items():
            write_secret(whole / name, content.encode())
    except OSError as error:
        raise SettingsError(
            f"Mosquitto's files cannot be written to {folder} ({error.strerror or error})",
            expected="a folder of your own",
            action="name another one with --folder",
        ) from None
    return whole / CONFIG


def _require_own(folder: Path, status: os.stat_result) -> None:
    """Require that nobody else can put another file in the place of ours.

    Raises:
        SettingsError: When somebody can.
    """
    if not hasattr(os, "geteuid"):  # Windows has no such modes
        return
    foreign = os.geteuid() not in {0, status.st_uid}
    if foreign or status.st_mode & stat.S_IWOTH:
        raise SettingsError(
            f"{folder} {'belongs to another user' if foreign else 'can be written by everybody'}",
            expected="a folder of your own: whoever can put a file there decides who is let in",
            action="name another one with --folder",
        )


def _hashed(password: str) -> str:
    salt = secrets.token_bytes(SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, HASH_ROUNDS, HASH_BYTES)
    return f"$7${HASH_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
