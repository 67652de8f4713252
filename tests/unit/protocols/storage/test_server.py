"""What a server's errors mean: what waiting helps against, and what a person must do."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import make_url

from protocols.errors import DatabaseAway
from protocols.storage.server import connect_arguments, server_error

WHERE = "postgresql://lab@host/name"


class OperationalError(Exception):
    """Named like the driver's, which is known by its name alone; without a state it is of connecting."""

    sqlstate: str | None = None
    diag: SimpleNamespace | None = None


def refused(found: str) -> OperationalError:
    return OperationalError(f'connection failed: connection to server at "10.0.0.1", port 5432 failed: {found}')


@pytest.mark.parametrize(
    "found",
    [
        "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",
        "timeout expired",
        "FATAL:  the database system is starting up",
        "FATAL:  das Datenbanksystem startet",
        "FATAL:  sorry, too many clients already",
        "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally",
        "could not receive data from server: No route to host",
    ],
)
def test_a_server_that_may_come_back_is_away(found: str) -> None:
    error = server_error(refused(found), WHERE, lost=False)
    assert isinstance(error, DatabaseAway)
    assert "Is the server" not in error.found
    assert "This probably" not in error.found


@pytest.mark.parametrize(
    ("found", "advice"),
    [
        ('FATAL:  password authentication failed for user "lab"', "~/.pgpass"),
        ('FATAL:  database "nowhere" does not exist', "createdb"),
        ('FATAL:  role "nobody" does not exist', "createuser"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.2"', "pg_hba.conf"),
        ("server does not support SSL, but SSL was required", "sslmode"),
        ('root certificate file "/x/root.crt" does not exist', "sslrootcert"),
    ],
)
def test_what_waiting_does_not_mend_is_told_with_what_to_do(found: str, advice: str) -> None:
    error = server_error(refused(found), WHERE, lost=False)
    assert not isinstance(error, DatabaseAway)
    assert advice in error.action


def test_whatever_cost_the_connection_is_a_server_that_is_away() -> None:
    assert isinstance(server_error(Exception("terminating connection"), WHERE, lost=True), DatabaseAway)
    assert not isinstance(server_error(Exception("duplicate key"), WHERE, lost=False), DatabaseAway)


@pytest.mark.parametrize(("severity", "is_away"), [("FATAL", True), ("PANIC", True), ("ERROR", False), (None, False)])
def test_an_answer_that_ends_the_session_is_of_a_server_that_is_away(severity: str | None, is_away: bool) -> None:
    """The connection is not closed yet when the driver tells it."""
    error = OperationalError("terminating connection due to unexpected postmaster exit")
    error.sqlstate = "57P01"
    error.diag = SimpleNamespace(severity_nonlocalized=severity)
    assert isinstance(server_error(error, WHERE, lost=False), DatabaseAway) == is_away


def test_what_a_url_says_of_the_connection_stays() -> None:
    arguments = connect_arguments(make_url(f"{WHERE}?connect_timeout=60&application_name=x"))
    assert "connect_timeout" not in arguments
    assert arguments["keepalives_idle"] > 0
