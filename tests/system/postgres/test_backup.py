"""A campaign on PostgreSQL is backed up while it works, and goes on from a file, or on another database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.support.commands import Workbench, until
from tests.support.databases.postgres_server import PostgresServer

pytestmark = pytest.mark.system

BUSY = ("--quiet", "--campaign", "c", "--set", "simulator.latency.mean_s=0.5")


def test_a_backup_of_a_server_goes_on_as_a_file_and_on_another_server(
    bench: Workbench, server: PostgresServer, database: str
) -> None:
    running = bench.start("run", "lab.toml", *BUSY, "--database", database)
    until(lambda: server.count(database, "ResultAccepted") >= 2, "there is no result")
    made = json.loads(bench.entropilot("backup", "c", "kept", "--json").out)
    assert made["from_server"]
    assert "database.json" not in {each["name"] for each in made["files"]}
    running.kill()
    other = server.new_database()
    for runs, place in (("as-a-file", ()), ("elsewhere", ("--database", other))):
        restored = bench.entropilot("restore", made["folder"], "--runs", runs, *place)
        assert restored.code == 0, restored.err
        done = bench.entropilot("run", "lab.toml", "--quiet", "--resume", "--campaign", "c", "--runs", runs)
        assert done.code == 0, done.err
        verified = bench.entropilot("verify", bench.folder / runs / "c")
        assert verified.code == 0, verified.out + verified.err
        replayed = bench.entropilot("replay", bench.folder / runs / "c", "--quiet")
        assert replayed.code == 0, replayed.err
    assert server.count(other, "ResultAccepted") == 12
    with closing(sqlite3.connect(bench.folder / "as-a-file" / "c" / "campaign.db")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM journal WHERE kind = 'ResultAccepted'").fetchone()
    assert count == 12
    again = bench.entropilot("restore", made["folder"], "--runs", "third", "--database", other)
    assert again.code == 5
    assert "holds a campaign already" in again.err
    assert list((bench.folder / "third").iterdir()) == []
