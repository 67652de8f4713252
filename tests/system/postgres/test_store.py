"""The store's contract on a server, and what only a server can do to it: go away while it answers."""

from __future__ import annotations

import pytest

from tests.support.databases.postgres_server import PostgresServer
from tests.unit.agent.store.test_store import StoreContract


class TestPostgres(StoreContract):
    """The same tables on a server."""

    @pytest.fixture
    def url(self, server: PostgresServer) -> str:
        return server.new_database()
