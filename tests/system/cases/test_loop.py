"""The loop, its commands and other people's brokers: what version 0.1.0 did wrong between an agent and its lab."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agent.campaign.events import CandidateAbandoned, LateResultKept, RequestExpired
from scenarios.broker.broker import LOOPBACK
from tests.support.processes import started
from tests.system.cases.bench import (
    BOUND_S,
    CAMPAIGN,
    CannotTell,
    Case,
    mosquitto,
    stranger,
    wait,
)

pytestmark = pytest.mark.system


def constant_latency(seconds: float) -> tuple[str, ...]:
    """Every evaluation takes so long."""
    return ("--set", 'simulator.latency.distribution="constant"', "--set", f"simulator.latency.mean_s={seconds}")


def patience(seconds: float) -> tuple[str, ...]:
    """A request expires after so long."""
    names = ("request_timeout_s", "evaluation_deadline_s")
    return tuple(each for name in names for each in ("--set", f"campaign.{name}={seconds}"))


def test_a_run_folder_whose_name_holds_a_percent_sign_is_that_folder(case: Case) -> None:
    done = case.ended(*case.campaign("--budget", "3", "--runs", "p%20q"))
    assert done.code == 0, done.err
    assert {path.relative_to(case.folder).parts[0] for path in case.folder.rglob("*.db")} == {"p%20q"}


def test_work_does_not_wait_for_an_instrument_that_was_never_there(case: Case) -> None:
    with mosquitto(case.folder) as port:
        url = ("--broker", f"mqtt://{LOOPBACK}:{port}", "--campaign", CAMPAIGN)
        lab = case.start("simulator", "lab.toml", *url, "--id", "a", "--memory", "m")
        wait(lambda: "link_up" in lab.said, f"the simulator does not connect: {lab.said}")
        two = ("--set", 'campaign.recipients=["a","b"]', "--set", 'campaign.ordering="as_completed"')
        done = case.ended("agent", "lab.toml", *url, "--budget", "6", "--quiet", *two, *patience(2))
    assert (done.code, case.observed(), case.events(CandidateAbandoned)) == (0, 6, 0), done.err
    assert case.number("SELECT count(*) FROM request WHERE recipient = 'b'") <= 2, "each costs a time-out"


def test_a_first_value_that_is_late_counts_or_the_run_names_the_time_out(case: Case) -> None:
    late = (*constant_latency(2.5), *patience(1), "--set", "campaign.max_attempts=1")
    done = case.ended("run", "lab.toml", "--campaign", CAMPAIGN, "--budget", "3", *late)
    if not case.events(RequestExpired) and case.observed() < 3:
        raise CannotTell("no request expired")
    assert case.observed() == 3 or "request_timeout" in done.out + done.err


def test_an_attempt_of_a_candidate_that_has_its_value_is_not_evaluated_any_more(case: Case) -> None:
    queue = (*constant_latency(1.2), "--set", "simulator.concurrency=1", *patience(2))
    case.ended(*case.campaign("--budget", "6", *queue))
    has_a_value = "json_extract(payload, '$.candidate_id') IN (SELECT candidate_id FROM observation)"
    assert case.events(LateResultKept, has_a_value) == 0
    assert case.observed() == 6


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii"])
def test_an_output_that_is_not_utf_8_does_not_decide_the_exit_code(case: Case, encoding: str) -> None:
    case.must(*case.campaign("--budget", "3"))
    done = case.ended("report", CAMPAIGN, env={"PYTHONIOENCODING": encoding})
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"mqtt://lab:s#cretword@{LOOPBACK}:1", id="s#cretword"),
        pytest.param(f"mqtt://lab:sl/cretword@{LOOPBACK}:1", id="sl/cretword"),
        pytest.param(f"mqtt://lab:p@cretword@{LOOPBACK}:1", id="p@cretword"),
        pytest.param("mqtt//lab:cretword@host", id="no colon"),
    ],
)
def test_a_broker_s_url_that_cannot_be_read_is_not_printed_with_its_password(case: Case, url: str) -> None:
    soon = {"ENTROPILOT_BROKER__FIRST_CONNECT_TIMEOUT_S": "1"}
    done = case.ended("record", "-o", "r.jsonl", "--duration", "1", "--broker", url, env=soon)
    if done.code == 0:
        raise CannotTell("the URL is taken")
    assert "cretword" not in done.out + done.err


def test_the_second_of_two_simulators_of_one_name_is_told_so(case: Case) -> None:
    with mosquitto(case.folder) as port:
        one = ("simulator", "lab.toml", "--broker", f"mqtt://{LOOPBACK}:{port}", "--campaign", CAMPAIGN, "--id", "x")
        first = case.start(*one, "--memory", "m1")
        wait(lambda: "link_up" in first.said, f"it does not connect: {first.said}")
        second = case.start(*one, "--memory", "m2")
        wait(lambda: "link_up" in second.said or second.process.poll() is not None, "it does not connect")
        until = time.monotonic() + 15
        while all(part.process.poll() is None for part in (first, second)) and time.monotonic() < until:
            time.sleep(0.2)
        assert sum(part.said.count("link_up") for part in (first, second)) <= 3, "they throw each other out"
        (loser,) = [part for part in (first, second) if part.process.poll() is not None]
        assert "Another instrument is called 'x'" in loser.said


def test_the_largest_packet_that_a_broker_takes_is_named(case: Case) -> None:
    with mosquitto(case.folder, "max_packet_size 400") as port:
        url = ("--broker", f"mqtt://{LOOPBACK}:{port}", "--campaign", CAMPAIGN)
        lab = case.start("simulator", "lab.toml", *url, "--memory", "m")
        agent = case.start("agent", "lab.toml", *url, "--budget", "3")

        def said() -> str:
            return "".join((lab.said, agent.said, *(path.read_text() for path in case.runs.glob("*/agent.jsonl"))))

        wait(lambda: said().count("link_down") >= 3 or agent.process.poll() is not None, "nothing happens")
    assert any(words in said().lower() for words in ("packet size", "packet_size", "larger than", "too large"))


def test_a_finished_campaign_leaves_no_session_on_a_shared_broker(case: Case) -> None:
    left: list[int] = []
    known = threading.Event()
    with mosquitto(case.folder) as port:
        url = ("--broker", f"mqtt://{LOOPBACK}:{port}", "--set", 'broker.version="3.1.1"')
        case.must(*case.campaign("--budget", "2", *url))
        with stranger(port) as client:

            def counted(_client: object, _given: object, message: object) -> None:
                left.append(int(message.payload))  # type: ignore[attr-defined]
                known.set()

            time.sleep(2.5)  # the broker counts once a second
            client.message_callback_add("$SYS/broker/clients/disconnected", counted)
            client.subscribe("$SYS/broker/clients/disconnected")
            if not known.wait(20):
                raise CannotTell("the broker does not count its sessions")
    assert left[0] == 0


@pytest.mark.parametrize("later_s", [0.1, 1.0])
def test_three_interrupts_in_a_row_end_a_run_without_a_traceback(case: Case, later_s: float) -> None:
    running = case.start(*case.campaign("--budget", "12", *constant_latency(1.0)))
    wait((case.run_folder / "campaign.db").exists, "there is no run")
    time.sleep(later_s)
    for _ in range(3):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.process.pid, signal.SIGINT)
        time.sleep(0.03)
    case.wait_for_end(running)
    assert "Traceback" not in running.said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_standard_output_is_named(case: Case) -> None:
    command = [sys.executable, "-m", "entropilot", "run", "lab.toml", "--budget", "3", "--campaign", CAMPAIGN]
    with (
        Path("/dev/full").open("wb") as full,
        started(command, cwd=case.folder, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE) as process,
    ):
        _, said = process.communicate(timeout=BOUND_S)
    assert b"--runs" not in said
