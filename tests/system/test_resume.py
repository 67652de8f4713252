"""Killed anywhere and resumed, a campaign makes the same decisions as one that was left in peace."""

from __future__ import annotations

import contextlib
import json
import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.acquisition.built_in import BUILT_IN
from agent.campaign.events import DecisionMade, Event, PolicyExhausted, ResultAccepted, StartSetLoaded, StopRuleFired
from agent.campaign.stop_settings import REST_POLICY
from agent.pool.candidates import Pool
from agent.pool.tables import pool_from_table
from protocols.tables.table import read_table
from scenarios.replay.replay import replay
from scenarios.sources.recording_source import named_source
from scenarios.verify.run_check import RunFiles, require_sound, verify_run
from tests.endurance.endings import SIGTERM_S, seconds_to_end
from tests.support.forked.command import Forked, fork
from tests.support.stored_campaigns import assert_views_equal_fold, opened
from tests.support.table_run import BUDGET, START, table_scenario

pytestmark = pytest.mark.system

PATIENCE_S = 90.0
"""How long anything here may take on a loaded machine before the test says so."""

VARIANTS = [("etal", 1), ("etal", 4), ("gap_gain", 4), ("random", 1), ("random", 4)]


def ended_as(said: str) -> str:
    """Return what was said, but for the notes that come before a campaign asks for anything."""
    return "\n".join(line for line in said.splitlines() if line and not line.startswith("note: "))


class Runner:
    """Starts the campaign of one folder, watches it from outside, and ends it."""

    def __init__(self, folder: Path, **campaign: Any) -> None:
        self.folder = folder
        self.campaign = campaign
        self.process: Forked

    def start(self, *, resume: bool = False, file_limit: int = 0) -> Runner:
        command = [str(self.folder), "--campaign", json.dumps(self.campaign)]
        command += ["--resume"] * resume + (["--file-limit", str(file_limit)] if file_limit else [])
        out, err = self._said(1), self._said(2)
        self.process = fork(
            command, module="tests.support.table_run", folder=Path.cwd(), env=os.environ, out=out, err=err
        )
        return self

    def _said(self, number: int) -> Path:
        """The file that holds what it says on standard output (1) or error (2)."""
        return self.folder.with_name(f"{self.folder.name}.{number}")

    def finish(self) -> tuple[int, str]:
        """Wait for the end; return exit code and what was said."""
        code = self.process.wait(PATIENCE_S)
        return code, self._said(1).read_text() + self._said(2).read_text()

    def rows(self) -> int:
        """How many events the journal holds, read from outside."""
        with contextlib.suppress(sqlite3.OperationalError):  # not there yet
            connection = sqlite3.connect(f"file:{self.folder / 'campaign.db'}?mode=ro", uri=True)
            try:
                return int(connection.execute("SELECT count(*) FROM journal").fetchone()[0])
            finally:
                connection.close()
        return 0

    def wait_for_rows(self, more_than: int) -> None:
        self.wait_until(lambda: self.rows() > more_than or self.process.poll() is not None)

    def wait_until(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < deadline, "it takes too long"
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill it without warning; check that its children end too."""
        children = []
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait(PATIENCE_S)
        _, alive = psutil.wait_procs(children, timeout=5.0)
        assert alive == [], "orphans"


@pytest.fixture
def started() -> Iterator[Callable[..., Runner]]:
    """Makes runners, and ends what a failed test leaves."""
    runners: list[Runner] = []

    def make(folder: Path, **campaign: Any) -> Runner:
        runners.append(Runner(folder, **campaign))
        return runners[-1]

    yield make
    for runner in runners:
        if runner.process.poll() is None:
            runner.kill()


def pool_of(folder: Path) -> Pool:
    scenario = table_scenario(folder)
    assert scenario.pool.columns is not None
    return pool_from_table(read_table(Path(scenario.pool.path or ""), scenario.pool.columns))


def journal_of(folder: Path) -> list[Event]:
    """The journal, its chain verified and its views compared with it."""
    pool = pool_of(folder)
    store = opened(folder / "campaign.db", pool)
    try:
        assert_views_equal_fold(store, pool, unit="eV")
        return list(store.journal())
    finally:
        store.close()


def decisions_of(journal: list[Event]) -> list[tuple[str, ...]]:
    made = [event for event in journal if isinstance(event, DecisionMade)]
    assert [event.decision for event in made] == list(range(len(made)))
    return [event.candidate_ids for event in made]


def assert_nothing_lost_or_doubled(journal: list[Event]) -> None:
    observed = Counter(e.candidate_id for e in journal if isinstance(e, ResultAccepted))
    observed.update(which for e in journal if isinstance(e, StartSetLoaded) for which in e.candidate_ids)
    assert set(observed.values()) == {1}
    assert sum(observed.values()) == START + BUDGET


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], list[tuple[str, ...]]]:
    """The decisions of a campaign that was left in peace."""
    known: dict[tuple[str, int], list[tuple[str, ...]]] = {}

    def decisions(policy: str, parallel: int) -> list[tuple[str, ...]]:
        if (policy, parallel) not in known:
            folder = tmp_path_factory.mktemp("twin") / "run"
            code, said = Runner(folder, policy=policy, parallel=parallel).start().finish()
            assert (code, ended_as(said)) == (0, "the budget is spent"), said
            journal = journal_of(folder)
            assert_nothing_lost_or_doubled(journal)
            known[policy, parallel] = decisions_of(journal)
        return known[policy, parallel]

    return decisions


@pytest.mark.parametrize(("policy", "parallel"), VARIANTS)
def test_a_campaign_that_is_killed_again_and_again_decides_as_its_undisturbed_twin(
    policy: str,
    parallel: int,
    tmp_path: Path,
    started: Callable[..., Runner],
    undisturbed: Callable[[str, int], list[tuple[str, ...]]],
) -> None:
    moments = random.Random(f"{policy}{parallel}")
    runner = started(tmp_path / "run", policy=policy, parallel=parallel)
    for number in range(3):
        before = runner.rows()
        runner.start(resume=number > 0)
        runner.wait_for_rows(before + moments.randint(0, 16))
        time.sleep(moments.uniform(0.0, 0.05))
        assert runner.process.poll() is None, runner.finish()  # not over before it could be killed
        runner.kill()
    code, said = runner.start(resume=True).finish()
    assert (code, ended_as(said)) == (0, "the budget is spent"), said
    journal = journal_of(runner.folder)
    assert decisions_of(journal) == undisturbed(policy, parallel)
    assert_nothing_lost_or_doubled(journal)


def test_a_campaign_that_is_killed_in_its_first_moments_can_be_resumed(
    tmp_path: Path, started: Callable[..., Runner], undisturbed: Callable[[str, int], list[tuple[str, ...]]]
) -> None:
    runner = started(tmp_path / "run", policy="random", parallel=4).start()
    runner.wait_until((tmp_path / "run" / "campaign.db").exists)
    runner.kill()
    code, said = runner.start(resume=True).finish()
    assert code == 0, said
    assert decisions_of(journal_of(runner.folder)) == undisturbed("random", 4)


def test_a_policy_with_nothing_more_to_ask_for_ends_the_campaign_through_kills_and_is_not_asked_again(
    tmp_path: Path, started: Callable[..., Runner]
) -> None:
    content = {"policy": "tests.support.user_policies:ContentAfter", "policy_options": {"decisions": 9}}
    runner = started(tmp_path / "run", parallel=3, ordering="as_completed", latency_s=0.1, **content).start()
    runner.wait_for_rows(18)
    runner.kill()
    for _ in range(2):  # the second finds a campaign that is over
        code, said = runner.start(resume=True).finish()
        assert (code, ended_as(said)) == (0, "the policy has nothing more to ask for: 9 are enough"), said
        journal = journal_of(runner.folder)
        assert sum(isinstance(event, PolicyExhausted) for event in journal) == 1
        assert sum(isinstance(event, ResultAccepted) for event in journal) == len(decisions_of(journal)) == 9
    names = RunFiles("campaign.db", "recording.jsonl", "trajectory.csv", "summary.json")
    parts = verify_run(runner.folder, names)  # an agent by itself writes neither trajectory nor summary
    require_sound(tuple(part for part in parts if part.name not in {names.trajectory, names.summary}), "run")


@pytest.mark.parametrize(
    "then",
    [
        "stop",
        pytest.param(
            "coverage", marks=pytest.mark.skipif(REST_POLICY not in BUILT_IN, reason="there is no policy coverage yet")
        ),
    ],
)
def test_a_stop_rule_fires_at_the_same_decision_through_kills_and_in_a_replay(
    then: str, tmp_path: Path, started: Callable[..., Runner]
) -> None:
    rule = {"when_no_gain": then, "patience": 8, "gain_nat": 1.0}
    journals = []
    for name, kills in (("undisturbed", ()), ("killed", (20, 40, 52))):
        runner = started(tmp_path / name, policy="random", parallel=3, stop=rule, latency_s=0.1).start()
        for rows in kills:
            runner.wait_for_rows(rows)
            runner.kill()
            runner.start(resume=True)
        code, said = runner.finish()
        assert code == 0, said
        assert ("the stop rule when_no_gain: the mean gap is" in said) == (then == "stop")
        journals.append(journal_of(runner.folder))
        again = replay(named_source(str(runner.folder), tmp_path, None, lambda *_: None), lambda *_: None)
        assert again.outcome.is_identical, again.outcome.lost
        assert again.outcome.decisions == len(decisions_of(journals[-1]))
    (fired,), (other,) = ([e for e in journal if isinstance(e, StopRuleFired)] for journal in journals)
    assert fired == other
    assert fired.acquired == 8
    policies = [[e.policy for e in journal if isinstance(e, DecisionMade)] for journal in journals]
    rest = [REST_POLICY] * (BUDGET - 10) if then == REST_POLICY else []
    assert policies == [["random"] * 10 + rest] * 2  # of eight acquisitions and two more in flight
    assert decisions_of(journals[0]) == decisions_of(journals[1])
    assert [sum(isinstance(e, ResultAccepted) for e in each) for each in journals] == [len(policies[0])] * 2


@pytest.mark.parametrize("policy", ["etal", "random"])
def test_sigterm_ends_in_time_and_nothing_is_lost(
    policy: str,
    tmp_path: Path,
    started: Callable[..., Runner],
    undisturbed: Callable[[str, int], list[tuple[str, ...]]],
) -> None:
    runner = started(tmp_path / "run", policy=policy, parallel=4).start()
    runner.wait_for_rows(30)
    children = psutil.Process(runner.process.pid).children(recursive=True)
    assert seconds_to_end(runner.process) < SIGTERM_S
    code, said = runner.finish()
    assert (code, ended_as(said)) == (0, "it was interrupted; --resume resumes it"), said
    assert psutil.wait_procs(children, timeout=1.0)[1] == []
    answered = sum(isinstance(event, ResultAccepted) for event in journal_of(runner.folder))
    assert 0 < answered < BUDGET
    random = json.loads((runner.folder / "summary.json").read_text())["random"]
    assert random is None, "a campaign of weeks is not played again at random while somebody waits for the end"
    code, said = runner.start(resume=True).finish()
    assert (code, ended_as(said)) == (0, "the budget is spent"), said
    journal = journal_of(runner.folder)
    assert decisions_of(journal) == undisturbed(policy, 4)
    assert_nothing_lost_or_doubled(journal)


def test_sigterm_ends_in_time_while_the_policy_thinks(tmp_path: Path, started: Callable[..., Runner]) -> None:
    runner = started(tmp_path / "run", policy="tests.support.user_policies:Slow").start()
    runner.wait_for_rows(1)
    process = psutil.Process(runner.process.pid)
    log = runner.folder / "agent.jsonl"
    runner.wait_until(lambda: log.exists() and "link_up" in log.read_text() and bool(process.children(recursive=True)))
    time.sleep(0.3)  # until the child has the question; the policy then thinks for a minute
    children = process.children(recursive=True)
    assert seconds_to_end(runner.process) < SIGTERM_S
    code, said = runner.finish()
    assert (code, ended_as(said)) == (0, "it was interrupted; --resume resumes it"), said
    assert psutil.wait_procs(children, timeout=1.0)[1] == []


def test_a_second_agent_on_the_same_folder_is_refused_and_the_first_goes_on(
    tmp_path: Path, started: Callable[..., Runner]
) -> None:
    slow_lab = {"policy": "random", "parallel": 4, "latency_s": 0.3}  # the first is still at work when the second looks
    first = started(tmp_path / "run", **slow_lab).start()
    first.wait_for_rows(2)
    second = started(tmp_path / "run", **slow_lab).start(resume=True)
    code, said = second.finish()
    assert code == 5
    assert f"Another agent (process {first.process.pid}) works on" in said
    assert "Traceback" not in said
    assert first.finish()[0] == 0
    assert_nothing_lost_or_doubled(journal_of(first.folder))


def test_a_disk_that_fills_up_ends_it_clearly_and_it_goes_on_when_there_is_room(
    tmp_path: Path, started: Callable[..., Runner], undisturbed: Callable[[str, int], list[tuple[str, ...]]]
) -> None:
    pytest.importorskip("resource", reason="the limit of a file's size is set as on Unix")
    runner = started(tmp_path / "run", policy="random", parallel=4).start(file_limit=400_000)
    code, said = runner.finish()
    assert code == 5, said
    assert "run again with --resume; nothing that was committed is lost" in said
    assert "Traceback" not in said
    assert runner.rows() > 2
    code, said = runner.start(resume=True).finish()
    assert (code, ended_as(said)) == (0, "the budget is spent"), said
    journal = journal_of(runner.folder)
    assert decisions_of(journal) == undisturbed("random", 4)
    assert_nothing_lost_or_doubled(journal)
