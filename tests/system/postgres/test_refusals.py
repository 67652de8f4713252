"""What cannot be used on a server is refused: with what was found, what was expected, and what to do."""

from __future__ import annotations

import socket

import pytest

from scenarios.broker.broker import LOOPBACK
from scenarios.display.terminal import INTERRUPTED
from tests.support.commands import Finished, Workbench, free_port, until
from tests.support.databases.postgres_server import PostgresServer

pytestmark = pytest.mark.system

SHORT = ("--set", "campaign.database_timeout_s=1")
ENDLESS = """
ALTER TABLE journal RENAME TO kept;
CREATE VIEW journal AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
SELECT i::bigint AS sequence, kind, payload, recorded_at, digest FROM kept, n
"""


def run_on(bench: Workbench, database: str, *more: str, campaign: str = "c") -> Finished:
    return bench.entropilot("run", "lab.toml", "--quiet", "--campaign", campaign, "--database", database, *SHORT, *more)


def refused(done: Finished, *words: str) -> None:
    assert done.code == 5, done.err
    assert [word for word in words if word not in done.err] == [], done.err
    assert "a fault of Entropilot" not in done.err
    assert "Traceback" not in done.err


def test_one_database_holds_one_campaign(bench: Workbench, database: str) -> None:
    assert run_on(bench, database).code == 0
    refused(run_on(bench, database, campaign="d"), "holds another campaign, 'c'", "createdb d")
    refused(run_on(bench, database, "--resume", campaign="d"), "holds another campaign, 'c'")
    refused(run_on(bench, database), "holds a campaign already", "--resume")
    assert bench.entropilot("verify", "c").code == 0


def test_two_agents_at_once_are_one_too_many(bench: Workbench, server: PostgresServer, database: str) -> None:
    never = ("--set", "simulator.latency.mean_s=600")
    first = bench.start("run", "lab.toml", "--quiet", "--campaign", "c", "--database", database, *never)
    until(lambda: server.count(database, "RequestIssued") >= 1, "it asks for nothing")
    refused(run_on(bench, database, campaign="d"), "Another agent works on this database")
    refused(run_on(bench, database, "--resume", "--runs", "others"), "Another agent works on this database")
    assert first.end().code == INTERRUPTED
    assert bench.entropilot("verify", "c").code == 0


def test_a_database_that_was_emptied_is_no_new_campaign(
    bench: Workbench, server: PostgresServer, database: str
) -> None:
    assert run_on(bench, database).code == 0
    with server.asking(database.rpartition("/")[2]) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    refused(bench.entropilot("verify", "c"), "is empty")
    refused(bench.entropilot("run", "lab.toml", "--campaign", "c", "--resume"), "it was wiped")
    refused(run_on(bench, database), "it was wiped")
    other = server.new_database()
    refused(run_on(bench, other, "--resume", campaign="e"), "holds no campaign to resume")


def test_another_campaign_of_the_same_name_is_not_taken_for_it(bench: Workbench, server: PostgresServer) -> None:
    one, other = server.new_database(), server.new_database()
    assert run_on(bench, one).code == 0
    assert run_on(bench, other, "--runs", "others").code == 0
    refused(run_on(bench, other, "--resume"), "another campaign of the name 'c'")
    assert bench.entropilot("verify", "c").code == 0


def test_a_run_folder_has_one_database(bench: Workbench, database: str) -> None:
    assert bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "c").code == 0
    refused(run_on(bench, database, "--resume"), "has its database in campaign.db already")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://lab@{host}/nowhere", ("does not exist", "createdb")),
        ("postgresql://nobody@{host}/postgres", ("does not exist", "createuser")),
        ("postgresql://guest:wrong@{host}/postgres", ("password", "PGPASSWORD")),
        ("postgresql://guest@{host}/postgres", ("password", "PGPASSWORD")),
        ("postgresql://lab@{host}/postgres?sslmode=require", ("SSL", "sslmode")),
        ("postgresql://lab@{host}/postgres?nonsense=1", ("nonsense", "libpq")),
        ("postgresql://lab@nowhere.invalid/postgres", ("nowhere.invalid", "the host")),
        ("postgresql://lab@{free}/postgres", ("is away", "Connection refused", "waited for", "--resume")),
        ("postgresql://lab@{host}:1:2/x", ("no URL of a database", "postgresql+psycopg://user@host/name")),
        ("mysql://lab@{host}/x", ("no URL of a database",)),
    ],
)  # fmt: skip
def test_a_server_that_does_not_let_us_in_is_told(
    bench: Workbench, server: PostgresServer, url: str, words: tuple[str, ...]
) -> None:
    named = url.format(host=f"{LOOPBACK}:{server.port}", free=f"{LOOPBACK}:{free_port()}")
    done = run_on(bench, named)
    refused(done, *words)
    assert ("waited for" in done.err) == ("{free}" in url), "what waiting does not mend is told at once"


def test_a_server_that_takes_connections_and_stays_silent_is_away(bench: Workbench) -> None:
    with socket.create_server((LOOPBACK, 0)) as silent:
        url = f"postgresql://lab@{LOOPBACK}:{silent.getsockname()[1]}/x"
        refused(run_on(bench, url), "is away", "timeout expired", "waited for")
        assert bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "f").code == 0
        refused(bench.entropilot("verify", "f", "--database", url), "is away", "timeout expired")


def test_what_a_database_does_not_allow_is_told(bench: Workbench, server: PostgresServer) -> None:
    other = server.new_database().rpartition("/")[2]
    url = f"postgresql://guest:open%2Fse%40same@{LOOPBACK}:{server.port}/{other}"
    refused(run_on(bench, url), "permission denied for schema public", "grant CREATE")
    standby = server.new_database()
    with server.asking() as connection:
        connection.execute(f"ALTER DATABASE {standby.rpartition('/')[2]} SET default_transaction_read_only = on")
    refused(run_on(bench, standby), "read-only", "primary")


def test_tables_of_others_are_left_alone(bench: Workbench, server: PostgresServer, database: str) -> None:
    with server.asking(database.rpartition("/")[2]) as connection:
        connection.execute("CREATE TABLE inventory (n int)")
    refused(run_on(bench, database), "other tables (inventory)")
    assert bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "f").code == 0
    refused(bench.entropilot("verify", "f", "--database", database), "other tables (inventory)")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE journal SET payload = replace(payload, 'simulator', 'simulated')", "its digest does not fit"),
        ("DELETE FROM journal WHERE sequence = 5", "row 5 is missing"),
        ("UPDATE observation SET value = value + 1 WHERE attempt_id IS NOT NULL", "observation: the row"),
        ("DELETE FROM bias_family WHERE observation = 3", "bias_family: the row"),
        ("UPDATE schema_migration SET version = 99", "schema version 99"),
        (ENDLESS, "lacks the tables journal"),
    ],
    ids=["changed", "missing", "view of a value", "view of a metric", "later version", "endless view"],
)  # fmt: skip
def test_what_was_changed_on_the_server_is_named(
    bench: Workbench, server: PostgresServer, database: str, damage: str, words: str
) -> None:
    assert run_on(bench, database).code == 0
    with server.asking(database.rpartition("/")[2]) as connection:
        connection.execute(damage)
    refused(bench.entropilot("verify", "c"), words)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\x00", b'{"url": "mysql://x/y", "uid": "a"}', b"[" * 100_000])
def test_a_place_that_cannot_be_read_is_told_and_can_be_said(bench: Workbench, database: str, content: bytes) -> None:
    assert run_on(bench, database).code == 0
    (bench.runs / "c" / "database.json").write_bytes(content)
    for command in (("verify", "c"), ("why", "c", "0"), ("run", "lab.toml", "--campaign", "c", "--resume")):
        refused(bench.entropilot(*command), "database.json does not tell where the database is", "--database")
    assert bench.entropilot("verify", "c", "--database", database).code == 0
    assert run_on(bench, database, "--resume").code == 0
    assert bench.entropilot("verify", "c").code == 0
