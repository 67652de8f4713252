"""A simulator whose evaluations run in real child processes ends in time, and answers for those that hang or die."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from protocols.wire.messages import CandidateFailure, FailureReason
from simulators.executors.children import ChildExecutor
from simulators.outbox import AttemptProgress, Outbox
from simulators.settings import SimulatorSettings
from tests.support import sample_messages as messages
from tests.support.lab import Lab

pytestmark = pytest.mark.system


def stored(lab: Lab, attempt_id: str) -> AttemptProgress | None:
    """Return how far an attempt is in the database of a simulator that does not run."""
    outbox = Outbox.open(lab.url)
    try:
        known = outbox.find(attempt_id)
        return None if known is None else known[0]
    finally:
        outbox.close()


async def test_a_simulator_ends_within_five_seconds_while_a_real_child_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    evaluator: dict[str, Any] = {"evaluator": "tests.support.evaluators:Misbehaving", "concurrency": 2}
    executor = ChildExecutor(SimulatorSettings(id=messages.SIMULATOR, **evaluator))
    lab = Lab(tmp_path, **evaluator)
    async with lab.agent():
        async with lab.simulator(executor):
            await lab.ask(messages.request("a-1", formula="hang"))
            await lab.ask(messages.request("a-2", formula="Al"))
            await lab.answer("a-2")
            began = time.monotonic()
        assert time.monotonic() - began < 5.0
    assert not any(child.is_running for child in executor._all)
    assert stored(lab, "a-1") is AttemptProgress.STARTED
    assert stored(lab, "a-2") is AttemptProgress.ANSWERED


async def test_an_evaluation_past_its_deadline_is_reported_and_the_next_one_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    evaluator: dict[str, Any] = {"evaluator": "tests.support.evaluators:Misbehaving", "concurrency": 1}
    lab = Lab(tmp_path, **evaluator)
    executor = ChildExecutor(SimulatorSettings(id=messages.SIMULATOR, **evaluator))
    async with lab.agent(), lab.simulator(executor):
        for name, formula in (("a-1", "hang"), ("a-2", "exit"), ("a-3", "nothing"), ("a-4", "Al")):
            await lab.ask(messages.request(name, formula=formula, deadline_s=0.3 if formula == "hang" else 30.0))
        answers = [await lab.answer(name) for name in ("a-1", "a-2", "a-3", "a-4")]
    reasons = [each.reason if isinstance(each, CandidateFailure) else None for each in answers]
    assert reasons == [FailureReason.DEADLINE_EXCEEDED, FailureReason.CRASHED, FailureReason.CALCULATION_FAILED, None]
