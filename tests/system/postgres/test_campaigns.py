"""A campaign whose journal is on PostgreSQL, by every command that takes a run: the folder knows where it is."""

from __future__ import annotations

import json
import shutil
import signal

import pytest

from scenarios.broker.broker import LOOPBACK
from tests.support.commands import Workbench, until
from tests.support.databases.postgres_server import PASSWORD, PostgresServer

pytestmark = pytest.mark.system

SLOW = ("--set", "simulator.latency.mean_s=2")
"""Answered so slowly that a campaign is at work when it is looked at; resumed without it, it ends at once."""


def run_of(bench: Workbench, database: str, *more: str, campaign: str = "c") -> None:
    done = bench.entropilot("run", "lab.toml", "--quiet", "--campaign", campaign, "--database", database, *more)
    assert done.code == 0, done.err


def test_every_command_that_takes_a_run_finds_its_journal_by_the_folder(bench: Workbench, database: str) -> None:
    run_of(bench, database)
    assert not (bench.runs / "c" / "campaign.db").exists()
    said = {
        name: bench.entropilot(*words)
        for name, words in {
            "verify": ("verify", "c"),
            "why": ("why", "c", "2"),
            "report": ("report", "c"),
            "report as JSON": ("report", "c", "--json"),
            "list": ("list", "--json"),
            "replay": ("replay", "c", "--quiet"),
            "what-if": ("what-if", "c", "--policy", "round_robin", "--quiet"),
            "diff": ("diff", "c", "c", "--json"),
            "pack": ("pack", "c", "--quiet", "-o", "c.pack"),
            "export": ("export", "c", "--json"),
            "resume": ("run", "lab.toml", "--campaign", "c", "--resume"),
        }.items()
    }
    assert {name: done.code for name, done in said.items()} == dict.fromkeys(said, 0), said
    assert "journal" in said["verify"].out
    assert "decision 2" in said["why"].out
    assert "database.json" in said["report"].out
    assert json.loads(said["report as JSON"].out)["spent"] == 12
    exported = json.loads(said["export"].out)
    assert exported["tables"]["dataset"] == 12 + 24
    assert "c" in [each["name"] for each in json.loads(said["list"].out)["recordings"]]
    assert json.loads(said["diff"].out)["same"]
    assert "was over already" in said["resume"].err


def test_a_campaign_is_the_same_on_either_database(bench: Workbench, database: str) -> None:
    run_of(bench, database, "--set", "campaign.parallel=1")
    file = bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "f", "--set", "campaign.parallel=1")
    assert file.code == 0, file.err
    done = bench.entropilot("diff", "c", "f", "--json")
    assert (done.code, json.loads(done.out)["same"]) == (0, True)


def test_a_campaign_that_was_killed_is_resumed_by_its_name_alone(
    bench: Workbench, server: PostgresServer, database: str
) -> None:
    running = bench.start("run", "lab.toml", "--quiet", "--campaign", "c", "--database", database, *SLOW)
    until(lambda: server.count(database, "ResultAccepted") >= 2, "there is no result")
    running.process.send_signal(signal.SIGSTOP)  # at work, and in no hurry
    report = bench.entropilot("report", "c", "--json")
    assert (report.code, json.loads(report.out)["stopped_because"]) == (0, ""), report.err
    unfinished = [bench.entropilot(*words) for words in (("verify", "c"), ("why", "c", "0", "--no-figure"))]
    running.kill()
    report = bench.entropilot("report", "c", "--json")
    assert "it was interrupted" in json.loads(report.out)["stopped_because"], report.err
    assert json.loads(report.out)["spent"] >= 2
    unfinished += [bench.entropilot(*words) for words in (("verify", "c"), ("why", "c", "last", "--no-figure"))]
    assert [done.code for done in unfinished] == [0] * 4, [done.err for done in unfinished]
    done = bench.entropilot("run", "lab.toml", "--quiet", "--resume", "--campaign", "c")
    assert done.code == 0, done.err
    assert server.count(database, "ResultAccepted") == 12
    assert [bench.entropilot(*words).code for words in (("verify", "c"), ("replay", "c", "--quiet"))] == [0, 0]


def test_an_agent_alone_is_resumed_on_a_server(bench: Workbench, server: PostgresServer, database: str) -> None:
    url = bench.start_broker("embedded")
    bench.start("simulator", "lab.toml", "--broker", url, "--set", "simulator.latency.mean_s=1")
    agent = ("agent", "lab.toml", "--broker", url, "--quiet")
    first = bench.start(*agent, "--database", database)
    until(lambda: server.count(database, "ResultAccepted") >= 2, "there is no result")
    first.kill()
    done = bench.entropilot(*agent, "--resume")
    assert done.code == 0, done.err
    assert server.count(database, "ResultAccepted") == 12


def test_a_run_that_kills_itself_is_resumed_on_a_server(
    bench: Workbench, server: PostgresServer, database: str
) -> None:
    run_of(bench, database, "--set", "crashes.at=[2, 6]")
    assert server.count(database, "ResultAccepted") == 12
    assert bench.entropilot("verify", "c").code == 0


def test_nothing_of_a_run_holds_the_password(bench: Workbench, server: PostgresServer) -> None:
    name = server.new_database("guest").rpartition("/")[2]
    url = f"postgresql://guest:open%2Fse%40same@{LOOPBACK}:{server.port}/{name}"
    run_of(bench, url)
    files = [path for path in bench.runs.rglob("*") if path.is_file()]
    assert [path for path in files if b"same" in path.read_bytes()] == []
    place = json.loads((bench.runs / "c" / "database.json").read_text())
    assert place["url"] == f"postgresql+psycopg://guest@{LOOPBACK}:{server.port}/{name}"
    refused = bench.entropilot("verify", "c")
    assert refused.code == 5
    assert "~/.pgpass, or in PGPASSWORD" in refused.err
    passwords = bench.folder / "pgpass"
    passwords.write_text(f"{LOOPBACK}:{server.port}:*:guest:{PASSWORD}\n")
    passwords.chmod(0o600)
    for env in ({"PGPASSWORD": PASSWORD}, {"PGPASSFILE": str(passwords)}):
        verified = bench.entropilot("verify", "c", env=env)
        assert verified.code == 0, verified.err
        resumed = bench.entropilot("run", "lab.toml", "--campaign", "c", "--resume", "--quiet", env=env)
        assert resumed.code == 0, resumed.err


@pytest.mark.parametrize("url", ["postgresql://guest:{}@{}/x", "postgresql+psycopg://{2}/x?user=guest&password={0}"])
def test_a_password_is_never_echoed(bench: Workbench, server: PostgresServer, url: str) -> None:
    host = f"{LOOPBACK}:{server.port}"
    done = bench.entropilot("run", "lab.toml", "--debug", "--database", url.format("pa@ss/w#ord?", host, host))
    assert done.code == 5
    assert [part for part in ("pa@", "ss/w", "ord?") if part in done.err + done.out] == []


def test_a_password_on_the_command_line_is_taken_with_a_note(bench: Workbench, server: PostgresServer) -> None:
    name = server.new_database("guest").rpartition("/")[2]
    url = f"postgresql://guest:open%2Fse%40same@{LOOPBACK}:{server.port}/{name}"
    done = bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "c", "--database", url)
    assert done.code == 0
    assert "others can see the password" in done.err


def test_what_the_environment_says_of_the_server_is_remembered(bench: Workbench, server: PostgresServer) -> None:
    name = server.new_database().rpartition("/")[2]
    env = {"PGHOST": str(server.socket_folder), "PGPORT": str(server.port), "PGUSER": "lab", "PGDATABASE": name}
    done = bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "c", "--database", "postgresql://", env=env)
    assert done.code == 0, done.err
    assert bench.entropilot("verify", "c").code == 0


def test_a_database_that_has_moved_is_named_once(bench: Workbench, server: PostgresServer, database: str) -> None:
    run_of(bench, database)
    old, new = (each.rpartition("/")[2] for each in (database, server.new_database()))
    with server.asking() as connection:
        connection.execute(f"DROP DATABASE {new}")
        connection.execute(f"ALTER DATABASE {old} RENAME TO {new}")
    lost = bench.entropilot("verify", "c")
    assert lost.code == 5
    assert "does not exist" in lost.err
    moved = server.url(new)
    for words in (("verify", "c"), ("why", "c", "0", "--no-figure"), ("report", "c"), ("diff", "c", "c", "--quiet")):
        further = ("--other-database", moved) if words[0] == "diff" else ()
        done = bench.entropilot(*words, "--database", moved, *further)
        assert done.code == 0, done.err
    assert bench.entropilot("verify", "c").code == 5, "who only reads changes nothing"
    done = bench.entropilot("run", "lab.toml", "--campaign", "c", "--resume", "--quiet", "--database", moved)
    assert done.code == 0, done.err
    assert bench.entropilot("verify", "c").code == 0


def test_a_run_folder_that_was_lost_is_made_again_from_the_database(
    bench: Workbench, server: PostgresServer, database: str
) -> None:
    running = bench.start("run", "lab.toml", "--quiet", "--campaign", "c", "--database", database, *SLOW)
    until(lambda: server.count(database, "ResultAccepted") >= 2, "there is no result")
    running.kill()
    shutil.rmtree(bench.runs / "c")
    done = bench.entropilot("run", "lab.toml", "--quiet", "--resume", "--campaign", "c", "--database", database)
    assert done.code == 0, done.err
    assert bench.entropilot("verify", "c").code == 0


def test_a_file_elsewhere_is_remembered_and_has_one_writer(bench: Workbench) -> None:
    elsewhere = "sqlite:///elsewhere.db"
    slow = bench.start("run", "lab.toml", "--quiet", "--campaign", "c", "--database", elsewhere, *SLOW)
    until((bench.runs / "c" / "database.json").exists, "it does not begin")
    second = bench.entropilot("run", "lab.toml", "--campaign", "d", "--database", elsewhere)
    assert (second.code, "Another agent" in second.err) == (5, True)
    slow.kill()
    done = bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "c", "--resume")
    assert done.code == 0, done.err
    assert bench.entropilot("verify", "c").code == 0
