"""Where the database of a run is, when it is not the run folder's own file: a small file of the folder says it.

Whoever means the run finds its database by it. It holds no password: libpq looks for that in `~/.pgpass` and
`PGPASSWORD`, as it does for everybody.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import URL, Connection

from agent.run_files import DATABASE_PLACE
from protocols.errors import StoreError
from protocols.storage.atomic_file import atomic_write
from protocols.storage.database import require_database_url
from protocols.storage.server_url import DatabaseUrl, without_secrets

MAX_URL_LENGTH: Final = 4096
"""Longest URL that is kept [character]: a path of the longest, with some parameters."""

MAX_FILE_BYTES: Final = 2 * MAX_URL_LENGTH
"""More is none of ours [byte]."""


class DatabasePlace(BaseModel):
    """Where a database is, and whose it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(max_length=MAX_URL_LENGTH)
    """Without a password; a file's path is absolute."""
    uid: str = Field(max_length=64)
    """The random part of its campaign's attempt ids, so that another campaign is not taken for it."""

    @classmethod
    def of(cls, connection: Connection, url: DatabaseUrl, uid: str) -> Self:
        """Return the place of an opened database; what the environment says of it today is written down too.

        Args:
            connection: To it.
            url: As it was given.
            uid: Of its campaign.
        """
        parsed = without_secrets(require_database_url(url))
        if parsed.get_backend_name() == "sqlite":
            whole = parsed.set(database=os.path.abspath(str(parsed.database)))  # noqa: PTH100 - links stay as they are
        else:
            whole = _completed(parsed, connection.connection.driver_connection)
        return cls(url=whole.render_as_string(hide_password=False), uid=uid)


def read_place(folder: Path) -> DatabasePlace | None:
    """Return where the database of a run is; None when it is the folder's own file.

    Raises:
        StoreError: When the file that says it is none of ours.
    """
    path = folder / DATABASE_PLACE
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            place = DatabasePlace.model_validate_json(file.read(MAX_FILE_BYTES))
        require_database_url(place.url)
    except (OSError, ValidationError, StoreError) as error:
        reason = error.found if isinstance(error, StoreError) else type(error).__name__
        raise StoreError(
            f"{path} does not tell where the database is ({reason})",
            expected='{"url": "postgresql+psycopg://user@host/name", "uid": "…"}, as the agent writes it',
            action="name the database with --database, or restore the file from a copy",
        ) from None
    return place


def write_place(folder: Path, place: DatabasePlace) -> None:
    """Write down where the database of a run is.

    Raises:
        StoreError: When the folder cannot be written.
    """
    with suppress(StoreError):  # one that cannot be read is written again
        if read_place(folder) == place:
            return
    with atomic_write(folder / DATABASE_PLACE) as file:
        file.write(place.model_dump_json(indent=2).encode() + b"\n")


def elsewhere(folder: Path, given: DatabaseUrl | None) -> DatabaseUrl | None:
    """Return the URL of a run's database; None when it is the folder's own file.

    Args:
        folder: The run folder.
        given: What a person says (`--database`), who has the last word.

    Raises:
        StoreError: When the folder does not tell.
    """
    if given is not None:
        return given
    place = read_place(folder)
    return None if place is None else place.url


def _completed(url: URL, driver_connection: Any) -> URL:
    """Add what the driver took from the environment or a service: a later command may not have it."""
    found = driver_connection.info
    told = url.set(username=url.username or found.user, database=url.database or found.dbname)
    if url.host or "host" in url.query or "service" in url.query:
        return told
    if found.host.startswith("/"):  # the folder of a socket
        return told.update_query_dict({"host": found.host, "port": str(found.port)})
    return told.set(host=found.host, port=found.port)
