"""URLs of databases: taken apart, and shown or kept without what opens the door."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

POSTGRESQL: Final = "postgresql+psycopg"
"""SQLAlchemy's name of PostgreSQL with the driver that we use."""

SHORT_NAMES: Final = frozenset({"postgres", "postgresql"})
"""What others call the same: libpq's own schemes."""

SECRETS: Final = frozenset({"password", "sslpassword"})
"""Parameters of libpq that open a door; all others may be read by anybody."""

DatabaseUrl = URL | str
"""Where a database is: taken apart, or as a person wrote it."""

HIDDEN: Final = "***"
"""What stands for a password, as SQLAlchemy has it."""

_BEHIND_AUTHORITY: Final = re.compile("[/?#]")


def parsed_url(url: DatabaseUrl) -> URL | None:
    """Return a URL taken apart; None when it is none."""
    parsed = _parts(url)
    if parsed is None or parsed.drivername not in SHORT_NAMES:
        return parsed
    return parsed.set(drivername=POSTGRESQL)


def has_stray_at(url: DatabaseUrl) -> bool:
    """Tell whether an @ stands where none belongs: then a part of a password may be taken for a host or a name."""
    if isinstance(url, URL):
        return False  # made of its parts
    scheme, _, rest = url.partition("://")
    authority = _BEHIND_AUTHORITY.split(rest, maxsplit=1)[0]
    return scheme.partition("+")[0] != "sqlite" and ("@" in rest[len(authority) :] or authority.count("@") > 1)


def shown_url(url: DatabaseUrl) -> str:
    """Return a URL for people: without passwords, also where it is none; a file as its path is written."""
    parsed, text = _parts(url), str(url)
    if has_stray_at(url) or (parsed is None and ("@" in text or "password" in text)):
        return f"{text.partition(':')[0]}://{HIDDEN}"
    if parsed is None:
        return text
    if parsed.get_backend_name() == "sqlite" and not parsed.query:
        return f"sqlite:///{parsed.database}"
    hidden = {name: HIDDEN if name in SECRETS else value for name, value in parsed.query.items()}
    return parsed.set(query=hidden).render_as_string()


def without_secrets(url: URL) -> URL:
    """Return a URL that may be kept: whoever uses it brings the password."""
    kept = {name: value for name, value in url.query.items() if name not in SECRETS}
    bare = url.set(query=kept)
    return URL.create(bare.drivername, bare.username, None, bare.host, bare.port, bare.database, bare.query)


def password_in(url: DatabaseUrl) -> bool:
    """Tell whether a URL holds a password."""
    parsed = parsed_url(url)
    return parsed is not None and (parsed.password is not None or bool(SECRETS & parsed.query.keys()))


def _parts(url: DatabaseUrl) -> URL | None:
    with suppress(ArgumentError, ValueError):
        return make_url(url)
    return None
