"""A server that is away is waited for, at the start and later, and told; one that stays away ends the run by name."""

from __future__ import annotations

import signal

import pytest

from protocols.wire.topics import PREFIX
from scenarios.display.terminal import INTERRUPTED
from tests.support.commands import Part, Workbench, until
from tests.support.databases.cutting_proxy import Cut, CuttingProxy
from tests.support.databases.postgres_server import PostgresServer

pytestmark = pytest.mark.system

SLOW = ("--set", "simulator.latency.mean_s=2")


def started(bench: Workbench, database: str, *more: str) -> Part:
    return bench.start("run", "lab.toml", "--quiet", "--campaign", "c", "--database", database, *SLOW, *more)


def begun(bench: Workbench, server: PostgresServer, database: str, *more: str) -> Part:
    run = started(bench, database, *more)
    until(lambda: server.count(database, "ResultAccepted") >= 2, "there is no result")
    return run


def sound(bench: Workbench, server: PostgresServer, database: str) -> None:
    assert server.count(database, "ResultAccepted") == 12
    for command in (("verify", "c"), ("replay", "c", "--quiet")):
        done = bench.entropilot(*command)
        assert done.code == 0, done.err


def test_a_run_begins_when_its_server_does(bench: Workbench, server: PostgresServer, database: str) -> None:
    server.stop()
    try:
        run = started(bench, database)
        run.wait_for("it is waited for, up to 120 s")
    finally:
        server.start()
    assert run.finish().code == 0, run.said
    assert "The database is there again" in run.said
    sound(bench, server, database)


def test_who_waits_for_a_server_at_the_start_can_be_interrupted(
    bench: Workbench, server: PostgresServer, database: str
) -> None:
    server.stop()
    try:
        run = started(bench, database)
        run.wait_for("it is waited for")
        run.process.send_signal(signal.SIGINT)
        done = run.finish()
    finally:
        server.start()
    assert (done.code, "Traceback" in done.err) == (INTERRUPTED, False), done.err
    assert bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "c", "--database", database).code == 0


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_run_outlives_a_restart_of_its_server(
    bench: Workbench, server: PostgresServer, database: str, mode: str
) -> None:
    run = begun(bench, server, database)
    server.stop(mode)
    try:
        run.wait_for("is away")
    finally:
        server.start()
    assert run.finish().code == 0, run.said
    log = (bench.runs / "c" / "agent.jsonl").read_text()
    assert "database_away" in log
    assert "database_back" in log
    sound(bench, server, database)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_outlives_the_servers_process_that_serves_it(
    bench: Workbench, server: PostgresServer, database: str, number: signal.Signals
) -> None:
    run = begun(bench, server, database)
    assert server.kill_session(database, number)
    done = run.finish()
    assert (done.code, "error ignored" in done.err) == (0, False), done.err
    assert "database_away" in (bench.runs / "c" / "agent.jsonl").read_text()
    sound(bench, server, database)


def test_a_server_that_stays_away_ends_the_run_with_its_name_and_resume_goes_on(
    bench: Workbench, server: PostgresServer, database: str
) -> None:
    run = begun(bench, server, database, "--set", "campaign.database_timeout_s=1")
    server.stop()
    try:
        done = run.finish()
        assert done.code == 5
        assert "campaign.database_timeout_s" in done.err
        assert "--resume" in done.err
        again = bench.entropilot("verify", "c")
        assert (again.code, "is away" in again.err) == (5, True)
    finally:
        server.start()
    resumed = bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "c", "--resume")
    assert resumed.code == 0, resumed.err
    sound(bench, server, database)


def test_a_run_that_waits_ends_when_it_is_asked_to(bench: Workbench, server: PostgresServer, database: str) -> None:
    run = begun(bench, server, database)
    server.stop()
    try:
        run.wait_for("is away")
        done = run.end()
        assert done.code == 5
        assert "the run was to end" in done.err
    finally:
        server.start()
    resumed = bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "c", "--resume")
    assert resumed.code == 0, resumed.err
    sound(bench, server, database)


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
def test_a_run_whose_last_mark_got_no_answer_is_resumed_whether_it_was_kept_or_not(
    bench: Workbench, server: PostgresServer, through: str, proxy: CuttingProxy, cut: Cut
) -> None:
    """The mark of where the recording ends is a commit of its own, the last one of every process."""
    database = through.replace(f":{proxy.port}/", f":{server.port}/")
    ends = "SELECT row FROM recording_mark WHERE before = sequence ORDER BY row"
    run = started(bench, through, "--set", "simulator.latency.mean_s=600")
    until(lambda: server.count(database, "RequestIssued") == 4, "it does not ask")
    until(lambda: server.rows(database, "SELECT count(*) FROM outbox") == [(0,)], "its requests are not confirmed")
    told = f'"{PREFIX}/c/campaign"'
    until(lambda: told in (bench.runs / "c" / "recording.jsonl").read_text(), "it does not say where it stands")
    before = server.rows(database, ends)  # of what changed nothing, such as what an instrument can do
    proxy.armed = cut
    done = run.end()
    assert (proxy.last, done.code) == (cut, 5), done.err
    assert "the run was to end" in done.err
    kept = server.rows(database, ends)
    assert len(kept) - len(before) == (cut is Cut.AFTER)
    resumed = bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "c", "--resume")
    assert resumed.code == 0, resumed.err
    known = server.rows(database, ends)  # under load also of transactions that only counted repetitions
    assert (known[: len(kept)], len(known) > len(kept)) == (kept, True)
    sound(bench, server, database)
