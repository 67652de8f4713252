"""Who may speak, what is believed, and what `verify` proves: attacks that version 0.1.0 did not withstand."""

from __future__ import annotations

import contextlib
import csv
import os
import sqlite3
import time
from contextlib import closing

import paho.mqtt.client as paho
import psutil
import pytest

from agent.campaign.events import ResultAccepted
from protocols.wire.codec import decode
from protocols.wire.messages import CandidateRequest, CandidateResult, Control, ControlAction, Quantity
from scenarios.broker.broker import LOOPBACK
from tests.support.databases.postgres_server import postgres_server
from tests.system.cases.bench import (
    CAMPAIGN,
    OURS,
    TOPICS,
    CannotTell,
    Case,
    envelope,
    mosquitto,
    say,
    say_and_wait,
    stranger,
    wait,
)
from tests.system.cases.falsify import falsify
from tests.system.cases.tables import prepared, usual_rows

pytestmark = pytest.mark.system

FORGED = 7.77
"""A value in the lab's range that no row of its table has."""

SLOW = ("--set", "simulator.latency.mean_s=0.5")


def with_forged_value(result: CandidateResult) -> CandidateResult:
    """The same result with another value."""
    quantities = tuple(each.model_copy(update={"value": FORGED}) for each in result.quantities)
    return result.model_copy(update={"quantities": quantities, **envelope()})


def forge(client: paho.Client, topic: str, payload: bytes) -> None:
    """Answer a request before the instrument can."""
    request = decode(topic, payload) if "/request/" in topic else None
    if isinstance(request, CandidateRequest):
        say(
            client,
            CandidateResult(
                **envelope(),
                attempt_id=request.attempt_id,
                candidate_id=request.candidate_id,
                simulator=topic.rsplit("/", 1)[1],
                quantities=(Quantity(name=request.properties[0], value=FORGED, unit="eV"),),
                duration_s=0.1,
            ),
        )


def contradict(client: paho.Client, topic: str, payload: bytes) -> None:
    """Repeat a result with another value."""
    result = decode(topic, payload) if "/result/" in topic else None
    if isinstance(result, CandidateResult) and result.quantities[0].value != FORGED:
        say(client, with_forged_value(result))


def test_a_stranger_s_value_does_not_enter_the_dataset_or_verify_tells(case: Case) -> None:
    with mosquitto(case.folder) as port, stranger(port, forge):
        case.must(*case.campaign("--budget", "4", "--broker", f"mqtt://{LOOPBACK}:{port}", *SLOW))
    if not case.observed():
        raise CannotTell("nothing was observed")
    verified = case.ended("verify", CAMPAIGN)
    assert OURS not in verified.err
    assert verified.code != 0 or case.observed(f"value = {FORGED}") == 0


def test_a_retained_stop_does_not_end_a_later_campaign(case: Case) -> None:
    with mosquitto(case.folder) as port:
        with stranger(port) as client:
            say_and_wait(client, Control(**envelope(), action=ControlAction.STOP, reason="an old one"), retain=True)
        done = case.ended(*case.campaign("--budget", "8", "--broker", f"mqtt://{LOOPBACK}:{port}", *SLOW))
    assert (done.code, case.observed()) == (0, 8)


def test_a_value_that_was_changed_in_the_journal_is_found_by_the_recording(case: Case) -> None:
    never_even = ("--set", "campaign.stop.tolerance_nat=0.001")  # what was found of the gaps would tell it too
    case.must(*case.campaign("--budget", "4", *never_even))
    falsify(case.run_folder)
    for name in ("trajectory.csv", "summary.json", "bias.png"):
        (case.run_folder / name).unlink()
    case.must(*case.campaign("--budget", "4", "--resume", *never_even))  # it writes them again
    verified = case.ended("verify", CAMPAIGN)
    assert verified.code != 0
    assert OURS not in verified.err


@pytest.mark.parametrize("command", [("verify", CAMPAIGN), ("why", CAMPAIGN, "0")], ids=["verify", "why"])
def test_a_foreign_database_that_never_ends_is_refused(case: Case, command: tuple[str, ...]) -> None:
    case.must(*case.campaign("--budget", "2"))
    began = time.monotonic()
    case.must(*command)
    usual_s = time.monotonic() - began
    with closing(sqlite3.connect(case.run_folder / "campaign.db")) as database, database:
        database.execute("ALTER TABLE journal RENAME TO kept")
        database.execute(
            "CREATE VIEW journal AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT i AS sequence, kind, payload, recorded_at, digest FROM kept, n"
        )
    part = case.start(*command)
    deadline = time.monotonic() + 3 * usual_s + 2
    while part.process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert part.process.poll() not in {None, 0}, "it does not end, or calls it sound"
    assert OURS not in part.said


def test_a_spreadsheet_finds_no_formula_in_the_files_of_a_run(case: Case) -> None:
    rows = usual_rows()
    for place, row in enumerate(rows):
        row["family"] = ('=HYPERLINK("http://example.org")', "+cmd|x", "@SUM(1)")[place % 3]
    prepared(case, rows)
    case.must("run", "s.toml", "--quiet", "--campaign", CAMPAIGN)
    with (case.run_folder / "trajectory.csv").open(newline="", encoding="utf-8") as file:
        cells = {cell for row in csv.reader(file) for cell in row}
    if not any("SUM" in cell for cell in cells):
        raise CannotTell("trajectory.csv does not name the families")
    assert [cell for cell in cells if cell[:1] in tuple("=+@")] == []


def test_a_file_of_the_current_folder_is_not_carried_out(case: Case) -> None:
    was_run = case.folder / "was_run"
    for name in ("random.py", "struct.py", "agent.py", "simulators/__init__.py"):
        (case.folder / name).parent.mkdir(exist_ok=True)
        (case.folder / name).write_text(f"open({str(was_run)!r}, 'w').close()\nraise SystemExit({name!r})\n")
    done = case.ended(*case.campaign("--budget", "2", "--policy", "uncertainty"), fresh=True)
    assert not was_run.exists()
    assert (done.code, case.observed()) == (0, 2), done.err


def test_a_campaign_on_postgresql_is_resumed_as_the_product_says(case: Case) -> None:
    postgres = postgres_server().new_database()
    slow = ("--budget", "12", "--database", postgres, "--set", "simulator.latency.mean_s=1")
    running = case.start("run", "lab.toml", "--campaign", CAMPAIGN, *slow)
    recording = case.run_folder / "recording.jsonl"
    wait(lambda: recording.exists() and "candidate_result" in recording.read_text(), "there is no result")
    running.end()
    done = case.ended("run", "lab.toml", "--quiet", "--campaign", CAMPAIGN, *slow, "--resume")
    assert done.code == 0, done.err


def test_what_a_run_writes_stays_bounded_when_a_client_publishes_garbage(case: Case) -> None:
    garbage = os.urandom(30_000).hex()
    with mosquitto(case.folder) as port:
        url = ("--broker", f"mqtt://{LOOPBACK}:{port}")
        running = case.start(*case.campaign("--budget", "12", *url, "--set", "simulator.latency.mean_s=3"))
        recording = case.run_folder / "recording.jsonl"
        case.wait_for_journal(ResultAccepted, 1)  # by then it listens
        with stranger(port) as client:
            for _ in range(60):
                client.publish(f"{TOPICS}/result/simulator-1", garbage, qos=1).wait_for_publish(60)
        case.wait_for_end(running)
    assert case.observed() == 12
    assert recording.stat().st_size < 10 * len(garbage)


@pytest.mark.skipif(not hasattr(psutil.Process, "net_connections"), reason="this psutil cannot tell open ports")
def test_a_stranger_is_not_let_in_by_the_embedded_broker(case: Case) -> None:
    running = case.start(*case.campaign("--budget", "12", "--set", "simulator.latency.mean_s=2"))
    case.wait_for_journal(ResultAccepted, 1)
    process = psutil.Process(running.process.pid)
    ports = [
        each.laddr.port
        for one in (process, *process.children(recursive=True))
        for each in one.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
    ]
    if not ports:
        raise CannotTell("nothing listens")
    heard: list[str] = []
    for port in ports:
        with contextlib.suppress(CannotTell, OSError), stranger(port, lambda _client, topic, _: heard.append(topic)):
            deadline = time.monotonic() + 10
            while not heard and time.monotonic() < deadline:
                time.sleep(0.1)
    assert heard == []


def test_a_second_value_that_contradicts_the_first_is_told(case: Case) -> None:
    one_by_one = ("--set", "campaign.parallel=1")  # so that the second value of a result comes before the end
    with mosquitto(case.folder) as port, stranger(port, contradict):
        case.must(*case.campaign("--budget", "4", "--broker", f"mqtt://{LOOPBACK}:{port}", *SLOW, *one_by_one))
    if str(FORGED) not in (case.run_folder / "recording.jsonl").read_text():
        raise CannotTell("no second value was heard")
    assert case.observed(f"value = {FORGED}") == 0
    assert case.number(f"SELECT count(*) FROM journal WHERE payload LIKE '%{FORGED}%'") > 0


def test_a_policy_whose_process_is_killed_is_asked_again(case: Case) -> None:
    running = case.start(*case.campaign("--budget", "8", "--policy", "etal", *SLOW))
    case.wait_for_journal(ResultAccepted, 1)
    children = psutil.Process(running.process.pid).children(recursive=True)
    policies = [each for each in children if "policy_runner" in " ".join(each.cmdline())]
    if len(policies) != 1:
        raise CannotTell(f"the policy's process is not found among {children}")
    policies[0].kill()
    case.wait_for_end(running)
    assert running.finish().code == 0, running.said
