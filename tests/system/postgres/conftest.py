"""What the tests of PostgreSQL share: the server of this process, an empty database on it, what cuts it off, a lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Workbench
from tests.support.databases.cutting_proxy import CuttingProxy, cutting_proxy
from tests.support.databases.postgres_server import PostgresServer, postgres_server


@pytest.fixture(scope="session")
def server() -> PostgresServer:
    return postgres_server()


@pytest.fixture
def database(server: PostgresServer) -> str:
    return server.new_database()


@pytest.fixture
def proxy(server: PostgresServer) -> Iterator[CuttingProxy]:
    with cutting_proxy(server.port) as made:
        yield made


@pytest.fixture
def through(server: PostgresServer, database: str, proxy: CuttingProxy) -> str:
    """The database's URL through the proxy."""
    return database.replace(f":{server.port}/", f":{proxy.port}/")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as made:
        yield made
