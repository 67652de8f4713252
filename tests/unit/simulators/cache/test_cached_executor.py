"""Nothing is computed twice, and nothing is kept that might go otherwise next time."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from protocols.wire.messages import CandidateRequest, FailureReason
from simulators.cache import cached_executor
from simulators.cache.cached_executor import CACHED, CachedExecutor
from simulators.cache.store import KeptResult, ResultCache
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.executors.executor import Identity
from tests.support.evaluators import energy
from tests.support.sample_messages import ALUMINIUM, request

MEASURED = Measurement(energy(-1.5), {"method": "by eye"}, replicates=(-1.4, -1.6), remarks={"weather": "fine"})


class Inner:
    """Evaluates after a while, and counts."""

    def __init__(self, outcome: Measurement | EvaluationFailed = MEASURED, version: str | None = "1") -> None:
        self.outcome = outcome
        self.version = version
        self.evaluated = 0
        self.closed = False

    async def evaluate(self, asked: CandidateRequest) -> Measurement:
        self.evaluated += 1
        await asyncio.sleep(0.02)
        if isinstance(self.outcome, EvaluationFailed):
            raise self.outcome
        return self.outcome

    async def identity(self) -> Identity | None:
        return None if self.version is None else {"evaluator": "test", "version": self.version}

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def cache(tmp_path: Path) -> ResultCache:
    return ResultCache.open(tmp_path / "results.db", 1 << 20)


def around(inner: Inner, cache: ResultCache, told: Counter[str] | None = None) -> CachedExecutor:
    def note(name: str, **_fields: Any) -> None:
        if told is not None:
            told[name] += 1

    return CachedExecutor(inner, cache, note)


async def test_another_simulator_looks_up_what_one_has_computed_and_says_so(cache: ResultCache) -> None:
    first, second = Inner(), Inner()
    assert await around(first, cache).evaluate(request()) == MEASURED
    found = await around(second, cache).evaluate(request("another", campaign="another"))
    assert (first.evaluated, second.evaluated) == (1, 0)
    assert dict(found.provenance).pop(CACHED)
    assert found.quantities == MEASURED.quantities
    assert (found.replicates, found.remarks) == (MEASURED.replicates, MEASURED.remarks)


async def test_another_version_computes_again(cache: ResultCache) -> None:
    await around(Inner(), cache).evaluate(request())
    newer = Inner(version="2")
    assert CACHED not in (await around(newer, cache).evaluate(request())).provenance
    assert newer.evaluated == 1


async def test_what_two_slots_are_asked_at_the_same_time_is_computed_once(cache: ResultCache) -> None:
    inner = Inner()
    executor = around(inner, cache)
    found = await asyncio.gather(*(executor.evaluate(request(f"a-{number}")) for number in range(4)))
    assert inner.evaluated == 1
    assert {each.quantities for each in found} == {MEASURED.quantities}


@pytest.mark.parametrize("reason", FailureReason)
async def test_only_a_failure_that_another_attempt_cannot_fix_is_kept(
    cache: ResultCache, reason: FailureReason
) -> None:
    inner = Inner(EvaluationFailed(reason, "no such element"))
    executor = around(inner, cache)
    details = []
    for number in range(2):
        with pytest.raises(EvaluationFailed) as caught:
            await executor.evaluate(request(f"a-{number}"))
        assert caught.value.reason is reason
        details.append(caught.value.detail)
    is_permanent = reason in {FailureReason.INVALID_REQUEST, FailureReason.UNSUPPORTED, FailureReason.UNKNOWN_CANDIDATE}
    assert inner.evaluated == (1 if is_permanent else 2)
    assert details[0] == "no such element"
    assert ("from the cache" in details[1]) is is_permanent


async def test_whoever_waited_for_one_that_crashed_computes_itself(cache: ResultCache) -> None:
    inner = Inner(EvaluationFailed(FailureReason.CRASHED, "died"))
    executor = around(inner, cache)
    failed = await asyncio.gather(*(executor.evaluate(request(f"a-{n}")) for n in range(2)), return_exceptions=True)
    assert inner.evaluated == 2
    assert all(isinstance(each, EvaluationFailed) for each in failed)


@pytest.mark.parametrize("version", [None, "1"])
async def test_an_evaluator_without_a_name_and_a_request_without_content_are_not_kept(
    cache: ResultCache, version: str | None
) -> None:
    inner = Inner(version=version)
    executor, structure = around(inner, cache), None if version else ALUMINIUM
    for number in range(2):
        await executor.evaluate(request(f"a-{number}", structure=structure))
    assert inner.evaluated == 2


async def test_a_file_that_does_not_answer_costs_a_bound_time_and_no_result(
    cache: ResultCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cached_executor, "CALL_TIMEOUT_S", 0.05)
    answer = threading.Event()

    def hang(_key: str) -> KeptResult | None:
        answer.wait(60)
        return None

    monkeypatch.setattr(cache, "find", hang)
    told: Counter[str] = Counter()
    try:
        assert await around(Inner(), cache, told).evaluate(request()) == MEASURED
    finally:
        answer.set()
    assert told["cache_not_used"] >= 1


async def test_closing_closes_what_evaluates(cache: ResultCache) -> None:
    inner = Inner()
    await around(inner, cache).close()
    assert inner.closed
