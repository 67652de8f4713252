"""The token of a start of the server, and the file that keeps one over several."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Final

from protocols.errors import SettingsError
from protocols.storage.private_files import SecretFile, write_secret

TOKEN_BYTES: Final = 32
"""Random bytes of a token: nobody guesses 256 bits."""

MIN_TOKEN_LENGTH: Final = 32
"""Shortest token of a file [character]: what a person makes up is guessed."""

_LAWFUL: Final = re.compile(r"[A-Za-z0-9_.~+/-]+=*")
"""What the Authorization header may carry after Bearer (RFC 6750)."""

_FILE: Final = SecretFile(
    "token file",
    4_096,
    f"one line of at least {MIN_TOKEN_LENGTH} letters and digits",
    "let the file be missing: it is then made",
)


def fresh_token() -> str:
    """Return a token that nobody knows."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def kept_token(path: Path) -> str:
    """Return the token of a file, which is made where it is missing, for its owner alone.

    Raises:
        SettingsError: When the file is not its reader's alone, or holds no token.
        StoreError: When it cannot be written.
    """
    if not path.exists():
        write_secret(path, f"{fresh_token()}\n".encode())
    try:
        token = _FILE.read(path).decode("ascii").strip()
    except UnicodeDecodeError:
        token = ""
    if len(token) < MIN_TOKEN_LENGTH or _LAWFUL.fullmatch(token) is None:
        raise SettingsError(
            f"{path} holds no token",
            expected=f"one line of at least {MIN_TOKEN_LENGTH} letters, digits, - and _",
            action="remove it, and it is made",
        )
    return token
