"""A connection that outlasts its server: lost in a transaction, it is made again before the next one.

A file's connection is never lost; for it all of this costs a comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable

from agent.store.patience import Patience
from protocols.errors import DatabaseAway
from protocols.storage.database import opening, transaction
from protocols.storage.server import Session, answered_in_time, hold_server_lock
from protocols.storage.server_url import DatabaseUrl

Result = TypeVar("Result")


class SteadyConnection:
    """The one connection of a store.

    Args:
        connection: Open, with the one-writer lock where its user writes.
        url: Of the database.
        patience: How long a server that is away is waited for.
        on_return: Called with the next connection, in its first transaction, before anything else is done with it.
    """

    def __init__(
        self, connection: Connection, url: DatabaseUrl, patience: Patience, on_return: Callable[[Connection], None]
    ) -> None:
        self.connection = connection
        self.url = url
        self.patience = patience
        self._on_return = on_return
        self._session = Session.of(connection)
        self._is_lost = False

    def close(self) -> None:
        """Release the connection."""
        self.connection.close()
        self.connection.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run one transaction.

        Raises:
            DatabaseAway: When the server was lost; whether it has kept the transaction is not known then.
            StoreError: When the database refuses; nothing of the transaction is kept.
        """
        try:
            with answered_in_time(self.connection), transaction(self.connection, self.url):
                yield
        except DatabaseAway:
            self._is_lost = True
            raise

    def all(self, question: Executable) -> Sequence[Any]:
        """Return all rows that answer a question; wait for a server that is away."""

        def answer() -> Sequence[Any]:
            with self.transaction():
                return self.connection.execute(question).all()

        return self.steadily(answer)

    def steadily(self, work: Callable[[], Result]) -> Result:
        """Do something, again from its beginning where the server is lost meanwhile.

        Raises:
            DatabaseAway: When the server does not come back in time.
        """

        def attempt() -> Result:
            self.require()
            return work()

        return self.patience.wait_for(attempt)

    def require(self) -> None:
        """Connect again where the connection was lost.

        Raises:
            DatabaseAway: When the server is still away.
            StoreError: When another agent has taken the database, or has written to it.
        """
        if not self._is_lost:
            return
        with suppress(Exception):  # nobody is at the other end
            self.connection.invalidate()
        self.close()
        with opening(self.url) as connection, answered_in_time(connection), connection.begin():
            hold_server_lock(connection, lost=self._session)
            session = Session.of(connection)
            self._on_return(connection)
        self.connection, self._session, self._is_lost = connection, session, False
