"""An instrument's drift is counted by its memory, so that a restart changes nothing of it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import StoreError
from protocols.wire.messages import CandidateFailure, CandidateResult
from simulators.executors.in_place import InPlaceExecutor
from simulators.outbox import Outbox
from tests.support import sample_messages as messages
from tests.support.evaluators import Constant, HeldExecutor
from tests.support.lab import Lab, until


async def values_of(lab: Lab, attempts: Sequence[str]) -> list[tuple[float, float]]:
    """Return value and number of each attempt of a candidate of its own, asked for one after the other."""
    found = []
    for attempt_id in attempts:
        await lab.ask(messages.request(attempt_id, candidate_id=f"of-{attempt_id}"))
        answer = await lab.answer(attempt_id)
        assert isinstance(answer, CandidateResult)
        found.append((answer.quantities[0].value, float(answer.remarks["measurement_counted"])))
    return found


AGING: dict[str, Any] = {
    "drift": {"rate": 0.25},
    "noise": {"standard_deviation": 0.5},
    "jumps": {"at": [5], "offset": 10.0},
    "calibration": {"every": 6},
}


async def test_an_instrument_that_is_started_again_drifts_on_and_errs_as_if_it_had_not_been(tmp_path: Path) -> None:
    attempts = [f"a-{number}" for number in range(8)]
    (tmp_path / "through").mkdir()
    through = Lab(tmp_path / "through", **AGING)
    async with through.agent(), through.simulator(InPlaceExecutor(Constant(1.0))):
        expected = await values_of(through, attempts)
    assert [number for _, number in expected] == list(range(1, 9))
    again = Lab(tmp_path, **AGING)
    found = []
    async with again.agent():
        for life in (attempts[:3], attempts[3:5], attempts[5:]):
            async with again.simulator(InPlaceExecutor(Constant(1.0))):
                found += await values_of(again, life)
    assert found == expected


async def test_what_a_crash_interrupts_keeps_its_number_and_ages_the_instrument(tmp_path: Path) -> None:
    lab = Lab(tmp_path, concurrency=1, **AGING)
    async with lab.agent():
        held = HeldExecutor()
        async with lab.simulator_that_crashes(held) as service:
            await lab.ask(messages.request("a-1"))
            await lab.ask(messages.request("b-1", candidate_id="al-2"))
            await until(lambda: len(held.asked) == 1 and len(service.waiting) == 1)
        async with lab.simulator(InPlaceExecutor(Constant(1.0))):
            interrupted, measured = await lab.answer("a-1"), await lab.answer("b-1")
    assert isinstance(interrupted, CandidateFailure)
    assert isinstance(measured, CandidateResult)
    assert measured.remarks["measurement_counted"] == 2


async def test_a_count_of_measurements_that_something_else_changed_stops_the_simulator(tmp_path: Path) -> None:
    lab = Lab(tmp_path, **AGING)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant(1.0))):
        await values_of(lab, ["a-1"])
    with contextlib.closing(sqlite3.connect(tmp_path / "sim-1.db")) as memory, memory:
        memory.execute("UPDATE instrument SET measurements = 7")
    with pytest.raises(StoreError, match="count of measurements"):
        Outbox.open(lab.url)


async def test_an_instrument_that_does_not_age_keeps_no_count(tmp_path: Path) -> None:
    lab = Lab(tmp_path, noise={"standard_deviation": 0.5})
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant(1.0))):
        await lab.ask(messages.request("a-1"))
        answer = await lab.answer("a-1")
    assert isinstance(answer, CandidateResult)
    assert answer.remarks == {}
    with contextlib.closing(sqlite3.connect(tmp_path / "sim-1.db")) as memory:
        assert memory.execute("SELECT count(*) FROM instrument").fetchone() == (0,)
