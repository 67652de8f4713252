"""Files of keys: TOML that only its owner may read, made by `entropilot keys`.

    [agent]
    agent = "9f2c…"
    [instruments]
    furnace = "04be…"
    [operators]
    alice = "77d1…"

Each key is 64 hexadecimal digits. The agent's file holds all of them, and everybody else's holds one.
"""

from __future__ import annotations

import re
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from protocols.errors import SettingsError, StoreError
from protocols.link.credentials import RESERVED
from protocols.signing.key_ring import KEY_BYTES, KeyRing
from protocols.storage.private_files import SecretFile, write_secret
from protocols.wire.limits import MAX_SIGNATURES
from protocols.wire.messages import ID_PATTERN
from protocols.wire.topics import AGENT_CLIENT

KEYS_SUFFIX: Final = ".keys"
"""Ending of a file of keys."""

MAX_FILE_BYTES: Final = 1 << 20
"""Largest file of keys [byte]: a thousand keys need 100 kB."""

MAX_OPERATORS: Final = 1_000
"""Most operators of a lab whose keys one file holds."""

_TABLES: Final = ("agent", "instruments", "operators")
_KEY: Final = re.compile(rf"[0-9a-fA-F]{{{2 * KEY_BYTES}}}")
_NAME: Final = re.compile(ID_PATTERN)
_MAKE: Final = "make it with `entropilot keys FOLDER --instrument ID`"
_FILE: Final = SecretFile("file of keys", MAX_FILE_BYTES, expected="a file of keys", action=_MAKE)
_HEADING: Final = "# Keys of Entropilot: whoever can read this file can speak as those whose keys it holds.\n"


def new_key() -> bytes:
    """Return a key that nobody can guess."""
    return secrets.token_bytes(KEY_BYTES)


def read_keys(path: Path) -> KeyRing:
    """Read a file of keys.

    Raises:
        SettingsError: When there is none, others than its owner may read it, or it is something else.
    """
    return _ring(path, _content(path))


def write_keys(path: Path, ring: KeyRing) -> None:
    """Write a file of keys that only its owner may read, whole or not at all.

    Raises:
        StoreError: When it cannot be written.
    """
    own = {} if ring.agent is None else {AGENT_CLIENT: ring.agent}
    tables = zip(_TABLES, (own, ring.instruments, ring.operators), strict=True)
    text = _HEADING + "".join(_table(name, keys) for name, keys in tables if keys)
    try:
        write_secret(path, text.encode())
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror or type(error).__name__})",
            expected="a folder that exists, with space and the right to write",
            action="choose another folder or free some space",
        ) from None


def require_keys(ring: KeyRing, path: str, names: Iterable[str]) -> None:
    """Check that keys are there for all who are to be heard.

    Raises:
        SettingsError: When one lacks.
    """
    lacking = [name for name in names if name not in ring.names]
    if lacking:
        raise SettingsError(
            f"{path} has no key of {', '.join(map(repr, lacking[:8]))}",
            expected="a key for each instrument and operator that is to be heard",
            action="add it with `entropilot keys FOLDER --instrument ID`, and give each part its file",
        )


def _table(name: str, keys: Mapping[str, bytes]) -> str:
    return f"\n[{name}]\n" + "".join(f'{who} = "{key.hex()}"\n' for who, key in keys.items())


def _content(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_FILE.read(path).decode())
    except ValueError as error:  # of TOML and of UTF-8; neither quotes what it read
        raise _wrong(path, str(error)) from None


def _ring(path: Path, content: dict[str, Any]) -> KeyRing:
    if strange := [name for name in content if name not in _TABLES]:
        raise _wrong(path, f"it has {strange[0]!r}")
    agent, instruments, operators = (_keys(path, name, content.get(name, {})) for name in _TABLES)
    if agent.keys() - {AGENT_CLIENT}:
        raise _wrong(path, f"its table agent has {min(agent.keys() - {AGENT_CLIENT})!r}")
    for name, keys in (("instruments", instruments), ("operators", operators)):
        if clash := sorted(RESERVED & keys.keys()):
            raise _wrong(path, f"its table {name} has {clash[0]!r}, which is nobody's id")
    if both := sorted(instruments.keys() & operators.keys()):
        raise _wrong(path, f"{both[0]!r} is an instrument and an operator")
    if len(instruments) > MAX_SIGNATURES or len(operators) > MAX_OPERATORS:
        raise _wrong(path, f"it has {len(instruments)} instruments and {len(operators)} operators")
    if not (agent or instruments or operators):
        raise _wrong(path, "it holds no key")
    return KeyRing(agent.get(AGENT_CLIENT), instruments, operators)


def _keys(path: Path, table: str, found: object) -> dict[str, bytes]:
    if not isinstance(found, dict):
        raise _wrong(path, f"{table} is no table")
    keys = {}
    for name, key in found.items():
        if not _NAME.fullmatch(name):
            raise _wrong(path, f"{name[:80]!r} in its table {table} is no id")
        if not (isinstance(key, str) and _KEY.fullmatch(key)):
            raise _wrong(path, f"the key of {name!r} is none")  # and is not shown: it may be nearly one
        keys[name] = bytes.fromhex(key)
    return keys


def _wrong(path: Path, found: str) -> SettingsError:
    return SettingsError(
        f"{path} is no file of keys: {found}",
        expected=f"the tables agent, instruments and operators, of ids with {2 * KEY_BYTES} hexadecimal digits each, "
        f"at most {MAX_SIGNATURES} instruments and {MAX_OPERATORS:,} operators",
        action=_MAKE,
    )
