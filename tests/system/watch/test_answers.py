"""Why, what if from here and the whole check, worked out beside whoever asks: the answers are those of the commands."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol, TypeVar

import psutil
import pytest

from agent.campaign.events import DecisionMade
from agent.store.read_only import reading_journal
from scenarios.watch.reading.answers.comparison import compare_runs
from scenarios.watch.reading.answers.worker import Worker
from scenarios.watch.reading.find import open_run
from scenarios.watch.reading.run_source import RunSource
from scenarios.watch.state.answers import AnswerStatus
from tests.support.commands import Workbench
from tests.support.samples.folders import contents

pytestmark = pytest.mark.system

BUDGET = 7
PATIENCE_S = 120.0
"""An answer that takes longer hangs."""


class Answer(Protocol):
    """Whatever the worker answers."""

    @property
    def status(self) -> AnswerStatus: ...


Answered = TypeVar("Answered", bound=Answer)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A finished run, and another one of the same lab by chance."""
    with Workbench(tmp_path_factory.mktemp("watched")) as bench:
        for name, policy in (("lab", "etal"), ("chance", "random")):
            ended = bench.entropilot(
                "run", "lab.toml", "--quiet", "--campaign", name, "--policy", policy, "--budget", str(BUDGET)
            )
            assert (ended.code, ended.err) == (0, "")
        yield bench


@pytest.fixture
def source(bench: Workbench) -> Iterator[RunSource]:
    opened = open_run(bench.runs / "lab")
    yield opened
    opened.close()


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        yield worker


def answered(ask: Callable[[], Answered]) -> Answered:
    """Ask until there is an answer, as a page does."""
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask()).status == "computing":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer


def results_after(source: RunSource, decision: int) -> int:
    """How many results came behind a decision: its own, of those after it, and of what was in flight."""
    row = source.decision(decision).sequence
    return len(source.journal(after=row, kind="ResultAccepted", limit=100).rows)


def test_why_is_answered_as_the_command_answers_and_the_card_says_the_same(
    bench: Workbench, source: RunSource, worker: Worker
) -> None:
    before = contents(bench.runs / "lab")
    for decision in range(0, BUDGET, 3):
        told = json.loads(bench.entropilot("why", "lab", str(decision), "--json", "--no-figure").out)
        answer = answered(partial(worker.why, source.asked(), decision))
        assert answer.document == told
        assert answer.same_today is True
        assert any("etal" in line for line in answer.words)
        card, then = source.decision(decision), told["then"]
        assert (card.known_then, card.in_flight_then) == (then["known"], len(then["in_flight"]))
        assert [each.measured for each in card.candidates] == [each["outcome"]["value"] for each in told["chosen"]]
        assert (card.margin, card.reason, card.sequence) == (told["margin"], told["reason"], told["row"])
        assert worker.why(source.asked(), decision) == answer, "it is kept"
    assert contents(bench.runs / "lab") == before


def test_the_same_policy_from_any_decision_on_decides_the_same(source: RunSource, worker: Worker) -> None:
    for decision in (0, 4):
        answer = answered(partial(worker.what_if, source.asked(), "etal", decision))
        assert (answer.error, answer.first_difference, answer.unknown) == ("", None, 0)
        measured = results_after(source, decision)
        assert answer.measured == measured
        observations = range(BUDGET - measured, BUDGET + 1)
        assert answer.trajectory["observation"] == tuple(map(float, observations))
        gaps = [source.moment(observation).metrics["mean_gap"] for observation in observations]
        assert answer.trajectory["mean_gap"] == tuple(gaps)


def test_another_policy_is_told_where_it_parts_and_what_nobody_knows(
    bench: Workbench, source: RunSource, worker: Worker
) -> None:
    answer = answered(lambda: worker.what_if(source.asked(), "random", 2))
    assert answer.first_difference is not None
    assert answer.first_difference >= 2
    assert (answer.measured or 0) + (answer.unknown or 0) == results_after(source, 2)
    wrong = answered(lambda: worker.what_if(source.asked(), "wishful", 2))
    assert wrong.status == "failed"
    assert "wishful" in wrong.error
    with reading_journal(bench.runs / "lab" / "campaign.db") as (store, _):
        assert sum(isinstance(event, DecisionMade) for event in store.journal()) == BUDGET


def test_the_whole_check_says_what_verify_says_and_what_cannot_be_answered_is_told(
    source: RunSource, worker: Worker
) -> None:
    answer = answered(lambda: worker.verify(source.asked()))
    assert (answer.is_sound, answer.problems, answer.error) == (True, (), "")
    assert any(part.startswith("journal: ") for part in answer.parts)
    unknown = answered(lambda: worker.why(source.asked(), 999))
    assert unknown.status == "failed"
    assert "Decision 999 was never made" in unknown.error


def test_an_answer_that_takes_too_long_is_given_up_and_others_come_after_it(source: RunSource) -> None:
    with Worker(deadline_s=0.000_1) as hasty:
        assert "not answered within 0.0001 s" in answered(lambda: hasty.why(source.asked(), 1)).error
        assert "not answered within" in answered(lambda: hasty.verify(source.asked())).error
    assert hasty.why(source.asked(), 2).status == "failed", "a closed worker says so"


def test_one_question_waits_and_a_process_that_is_killed_is_started_again(source: RunSource, worker: Worker) -> None:
    run = source.asked()
    assert [worker.why(run, number).status for number in range(4)] == ["computing"] * 4
    assert len(worker._asked) == 2, "the one that is worked out, and one behind it"
    answered(partial(worker.why, run, 0))
    (child,) = (each for each in psutil.Process().children() if "answers.child" in " ".join(each.cmdline()))
    child.kill()
    assert [answered(partial(worker.why, run, number)).status for number in range(4)] == ["ready"] * 4


def test_two_runs_are_compared_where_their_decisions_part(bench: Workbench, source: RunSource) -> None:
    other = open_run(bench.runs / "chance")
    found = compare_runs(source, other)
    assert (found.left, found.right, found.same) == ("lab", "chance", False)
    assert found.first_difference == found.compared
    assert "policy: etal on the left, random on the right" in found.words
    assert found.observation == BUDGET
    assert found.metrics["mean_gap"].left == source.moment(BUDGET).metrics["mean_gap"]
    same = compare_runs(source, source)
    assert (same.same, same.compared, same.first_difference, same.words) == (True, BUDGET, None, ())
    other.close()
