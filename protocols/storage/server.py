"""PostgreSQL: how a session with a server is set up, who may write, and what its errors mean.

A server can go away and come back, which a file cannot. So every wait has an end, on both sides: a session that we lost
gives its lock back, and a server that is silent is taken for one that is away.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Self

from sqlalchemy import URL, Connection, Engine, event

from protocols.errors import DatabaseAway, StoreError

SERVER_LOCK: Final = 0x656E74726F70 << 8
"""Number of the advisory lock on a server: "entrop" in ASCII, so that nobody else's means the same."""

TAKE_LOCK: Final = f"SELECT pg_try_advisory_lock({SERVER_LOCK} # hashtext(coalesce(current_schema(), '')))"
"""A lock for each schema of a database: one of its own can hold a campaign as a database of its own does."""

CONNECT_TIMEOUT_S: Final = 3
"""How long a server may take to take a connection: less than SIGTERM leaves (5 s), for nothing ends it sooner."""

ANSWER_TIMEOUT_S: Final = 30.0
"""How long a server may be silent in a transaction: a commit takes milliseconds, on a loaded one a second."""

LOCK_TIMEOUT: Final = "20s"
"""How long somebody else may keep one of our tables locked (`VACUUM FULL`, `pg_dump`): less than the silence above."""

LOCK_PATIENCE_S: Final = 3.0
"""How long the lock is waited for: the server notices within milliseconds that a killed agent's session has ended."""

LOCK_POLL_S: Final = 0.1

ALIVE: Final = {
    "keepalives_idle": 10,  # [s]; then a probe
    "keepalives_interval": 5,  # [s]
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # [ms] that what was sent may stay unanswered
}
"""How a connection whose other end has vanished is noticed within half a minute: parameters of libpq."""

SESSION: Final = (
    ("lock_timeout", LOCK_TIMEOUT),
    ("tcp_keepalives_idle", "10"),  # as above, on the side of the server: it gives our lock back
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
)
"""Settings of our session on the server."""

FOR_A_PERSON: Final = {
    "permission denied": "let the database's owner grant CREATE on its schema to this user, or use one of its own",
    "password": "correct the password: in ~/.pgpass, or in PGPASSWORD",
    'role "': "create the role, such as with `createuser`, or correct the user in --database",
    'database "': "create it, such as with `createdb`, or correct --database",
    "no pg_hba.conf entry": "let the server's pg_hba.conf admit this user from here, or correct --database",
    "not known": "correct the host in --database",
    "resolve host": "correct the host in --database",
    "connection option": "correct the parameters after the ? in --database: those of libpq",
    "read-only": "name the primary in --database: this server is a standby, or takes no writes",
    "ssl": "correct sslmode and sslrootcert in --database, or let the server speak TLS",
    "certificate": "correct sslmode and sslrootcert in --database, or the server's certificate",
    "lock timeout": "end who keeps our tables locked, then run again with --resume",
    "no space left": "free space on the server's disk, then run again with --resume; what was committed is kept",
}
"""Sign in an error of the server, in small letters -> what to do. The first that is there counts."""

NOT_BY_WAITING: Final = (
    "does not exist",
    "password",
    "authentication failed",
    "pg_hba.conf",
    "not permitted to log in",
    "not known",
    "connection option",
    "support ssl",
    "certificate",
    "permission denied",
    "invalid",
)
"""Signs, in small letters, of what no waiting helps against. Servers speak many languages: whatever else it is, it is
told at once, and waited for."""


ENDS_THE_SESSION: Final = frozenset({"FATAL", "PANIC"})
"""How grave an error is with which a server ends a session; the connection is closed some time after it was said.

Source: https://www.postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-SEVERITY-LEVELS
"""

LIBPQ_GUESS: Final = re.compile("Is the server running|This probably means")
"""How libpq begins to say its error again, in other words."""


def connect_arguments(url: URL) -> dict[str, Any]:
    """Return what the driver is told beside the URL; what that says itself stays.

    What the driver would say on standard error of a lost connection, it raises as well.
    """
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    ours = {"connect_timeout": CONNECT_TIMEOUT_S, "fallback_application_name": "entropilot", **ALIVE}
    return {name: value for name, value in ours.items() if name not in url.query}


def prepare_session(connection: Any, _record: object) -> None:
    """Set a new connection up; a commit is on the server's disk before it is answered, whatever the server's default.

    Source: https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-SYNCHRONOUS-COMMIT
    """
    with connection.cursor() as cursor:
        for name, value in SESSION:
            cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
    connection.commit()


def server_error(error: Exception, shown: str, *, lost: bool) -> StoreError:
    """Return an error of a server as one that a person can act on.

    Args:
        error: The driver's.
        shown: Which database, without a password.
        lost: Whether it cost us the connection.
    """
    reason = " ".join(LIBPQ_GUESS.split(str(error), maxsplit=1)[0].split())
    small = reason.lower()
    is_operational = any(each.__name__ == "OperationalError" for each in type(error).__mro__)  # DB-API's, any driver's
    connecting = is_operational and getattr(error, "sqlstate", None) is None
    severity = getattr(getattr(error, "diag", None), "severity_nonlocalized", None)  # of an answer: not of connecting
    if lost or severity in ENDS_THE_SESSION or (connecting and not any(sign in small for sign in NOT_BY_WAITING)):
        return DatabaseAway(
            f"The server of the database {shown} is away: {reason}",
            expected="a PostgreSQL server that answers",
            action="start it or correct --database; a campaign goes on with --resume, and what was committed is kept",
        )
    action = next((advice for sign, advice in FOR_A_PERSON.items() if sign in small), "run again with --resume")
    return StoreError(f"The database {shown} failed: {reason}", action=action)


@dataclass(frozen=True, slots=True)
class Session:
    """A session on a server, so that it is known again there when we have lost it."""

    process_id: int
    began: str

    @classmethod
    def of(cls, connection: Connection) -> Self | None:
        """Return the session of a connection; None of a file's."""
        if connection.dialect.name != "postgresql":
            return None
        row = connection.exec_driver_sql(
            "SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        ).one()
        return cls(*row)


def hold_server_lock(connection: Connection, lost: Session | None = None) -> None:
    """Take the one-writer lock of a database on a server, for as long as the connection lasts.

    A file is guarded by `protocols.storage.run_lock` beside it; a server's database can be reached from any machine.

    Args:
        connection: In a transaction.
        lost: Our session before this one. Where the server does not know yet that it has ended, it is ended: so its
            last transaction is decided, one way or the other, before we look.

    Raises:
        DatabaseAway: When our own former session does not end.
        StoreError: When another agent holds it.
    """
    if connection.dialect.name != "postgresql":
        return
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while not connection.exec_driver_sql(TAKE_LOCK).scalar_one():
        ours = lost is not None and _end(connection, lost)
        if time.monotonic() > deadline and ours:
            raise DatabaseAway(
                "The server of the database is away: it does not end our former session",
                expected="a PostgreSQL server that ends a session which has lost its client",
                action="restart the server, then run again with --resume",
            )
        if time.monotonic() > deadline:
            raise StoreError(
                "Another agent works on this database",
                expected="one agent per database",
                action="wait for it or end it (one whose machine is gone is let go within half a minute), or give this "
                "campaign a database of its own",
            )
        time.sleep(LOCK_POLL_S)


def _end(connection: Connection, lost: Session) -> bool:
    """End a session of ours that is still there; return whether it was."""
    asked = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND backend_start::text = %s"
    return bool(connection.exec_driver_sql(asked, (lost.process_id, lost.began)).all())


@contextmanager
def answered_in_time(connection: Connection, limit_s: float | None = None) -> Iterator[None]:
    """Cut a connection to a server that is silent for too long in the block: what waits there gets an error then.

    Args:
        connection: To a server; a file is never silent.
        limit_s: How long the block may take [s]; by default what a transaction may.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    with _cut_after(limit_s or ANSWER_TIMEOUT_S, [connection.connection.driver_connection]):
        yield


@contextmanager
def opened_in_time(engine: Engine) -> Iterator[None]:
    """Cut a connection that an engine makes in the block when its server takes it, and is silent then.

    Args:
        engine: To a server, with no connection yet.
    """
    made: list[Any] = []
    event.listen(engine, "connect", lambda connection, _record: made.append(connection), insert=True)
    with _cut_after(ANSWER_TIMEOUT_S, made):
        yield


@contextmanager
def _cut_after(limit_s: float, driver_connections: list[Any]) -> Iterator[None]:
    timer = threading.Timer(limit_s, _cut, (driver_connections,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(driver_connections: list[Any]) -> None:
    """Close both directions of connections; the driver, which waits in another thread, closes the rest."""
    for each in driver_connections:
        with suppress(Exception):  # it has ended by itself meanwhile
            descriptor = os.dup(each.fileno())
            with socket.socket(fileno=descriptor) as wire:
                wire.shutdown(socket.SHUT_RDWR)
