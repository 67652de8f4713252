"""Several instruments in processes of their own: the fast do most, the work of a killed one is done, none is left."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from agent.campaign.events import CandidateAbandoned, InstrumentAnnounced, InstrumentAway, RequestDeferred
from tests.support.commands import until
from tests.system.cases.bench import CAMPAIGN, Case

pytestmark = pytest.mark.system

FAST_S: Final = 0.4
SLOW_S: Final = 10 * FAST_S
BUDGET: Final = 48
SLOWEST: Final = "b"
KILLED: Final = "c"


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with Case(tmp_path) as opened:
        yield opened


def test_four_instruments_of_which_one_is_slow_and_one_is_killed(case: Case) -> None:
    url = case.start_broker("embedded")
    reached = ("--broker", url, "--campaign", CAMPAIGN)
    parts = {}
    for name in "abcd":
        takes_s = SLOW_S if name == SLOWEST else FAST_S
        waits = ("--set", f"simulator.latency.mean_s={takes_s}", "--set", "simulator.concurrency=1")
        parts[name] = case.start("simulator", "lab.toml", *reached, *waits, "--id", name, "--memory", name)
    for part in parts.values():
        part.wait_for("link_up")
    asked = ("campaign.parallel=12", 'campaign.ordering="as_completed"', 'campaign.recipients=["a","b","c","d"]')
    settings = [word for each in asked for word in ("--set", each)]
    patient = ("--set", "campaign.request_timeout_s=60", "--set", "campaign.max_attempts=1")
    agent = case.start("agent", "lab.toml", *reached, *settings, *patient, "--budget", str(BUDGET), "--quiet")
    case.wait_for_journal(RequestDeferred, 1)
    until(lambda: case.observed() >= BUDGET // 3, "nothing is observed")
    parts[KILLED].kill()
    told = agent.finish()
    assert told.code == 0, told.err
    assert case.events(InstrumentAnnounced) == 4
    assert case.events(InstrumentAway) == 1
    assert case.events(RequestDeferred) > 0, "nobody is asked for more than it can hold"
    assert (case.observed(), case.events(CandidateAbandoned)) == (BUDGET, 0)
    assert case.number("SELECT count(*) FROM request WHERE outcome = ''") == 0, "none is left"
    by = Counter(dict(case.asked("SELECT source, count(*) FROM observation WHERE attempt_id IS NOT NULL GROUP BY 1")))
    assert by[SLOWEST] <= BUDGET / 8, "in turn it would do a quarter, and take ten times as long for it"
    assert min(by["a"], by["d"]) > BUDGET / 5
    for part in parts.values():
        part.end()
    attempts = {name: attempts_at(case, name) for name in parts}
    assert sum(map(len, attempts.values())) == len(set().union(*attempts.values())), "no attempt went to two"
    waiting = {"received", "started"}
    assert not any(waiting.intersection(each.values()) for name, each in attempts.items() if name != KILLED)
    for check in ("verify", "replay"):
        done = case.ended(check, CAMPAIGN)
        assert done.code == 0, done.out + done.err


def attempts_at(case: Case, name: str) -> dict[str, str]:
    """The attempts that an instrument's memory holds, with how far each has come."""
    (memory,) = case.folder.glob(f"**/{name}.db")
    with closing(sqlite3.connect(memory)) as connection:
        return dict(connection.execute("SELECT attempt_id, progress FROM attempt"))
