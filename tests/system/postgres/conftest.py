"""What the tests of PostgreSQL share: the server of this process, an empty database on it, a small lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Workbench
from tests.support.databases.postgres_server import PostgresServer, postgres_server


@pytest.fixture(scope="session")
def server() -> PostgresServer:
    return postgres_server()


@pytest.fixture
def database(server: PostgresServer) -> str:
    return server.new_database()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as made:
        yield made
