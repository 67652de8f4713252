"""One evaluation from request to answer: the lab's time, the executor, its errors, and what is to be reported."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from protocols.wire.messages import CandidateFailure, CandidateRequest, CandidateResult, FailureReason
from simulators.evaluator import EvaluationFailed
from simulators.executors.executor import Executor
from simulators.instrument.calibration import FIRST, Moment
from simulators.instrument.latency import Latency
from simulators.messages import Messages
from simulators.oracle_table import NoAnswer
from simulators.registry import make_instrument
from simulators.settings import ASE, SimulatorSettings


@dataclass(frozen=True, slots=True)
class EvaluationDone:
    """An evaluation ended; `message` is None when nothing is to be reported."""

    attempt_id: str
    message: CandidateResult | CandidateFailure | None


class Evaluation:
    """How one simulator evaluates.

    Args:
        settings: Its latency, and what it errs by.
        executor: Where evaluations run.
        messages: Writes the answers.
        counts: Called with how evaluations end.
        on_event: Called with a short name and fields, for the log.
    """

    def __init__(
        self,
        settings: SimulatorSettings,
        executor: Executor,
        messages: Messages,
        *,
        counts: Counter[str],
        on_event: Callable[..., None],
    ) -> None:
        self._evaluator = settings.evaluator
        self._executor = executor
        self._messages = messages
        self._counts = counts
        self._on_event = on_event
        self._latency = Latency(settings.latency)
        self._instrument = make_instrument(settings)

    async def evaluate(self, request: CandidateRequest, moment: Moment = FIRST) -> EvaluationDone:
        """Evaluate a candidate and write the answer, or none where the lab gives none.

        Args:
            request: What is asked for.
            moment: When in the life of the instrument.
        """
        return EvaluationDone(request.attempt_id, await self._answer(request, moment))

    async def close(self) -> None:
        """End every evaluation that runs."""
        await self._executor.close()

    async def _answer(self, request: CandidateRequest, moment: Moment) -> CandidateResult | CandidateFailure | None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await asyncio.sleep(self._latency.seconds(request.attempt_id))
            _require_method(self._evaluator, request)
            measured = self._instrument.measure(await self._executor.evaluate(request), request, moment)
            result = self._messages.result(request, measured, loop.time() - began)
        except EvaluationFailed as failure:
            self._counts[f"failed: {failure.reason.value}"] += 1
            self._on_event(
                "evaluation_failed",
                attempt=request.attempt_id,
                candidate=request.candidate_id,
                **({"source_id": request.source_id} if request.source_id else {}),
                reason=failure.reason.value,
            )
            return self._messages.failure(request, failure.reason, failure.detail)
        except NoAnswer:
            self._counts["silent"] += 1
            return None
        self._counts["evaluated"] += 1
        return result


def _require_method(evaluator: str, request: CandidateRequest) -> None:
    """Refuse a method that the lab does not have; a table plays whatever its values come from."""
    if evaluator == ASE and request.fidelity is not None:
        raise EvaluationFailed(
            FailureReason.UNSUPPORTED,
            f"asked for the method {request.fidelity!r}; this simulator has one only, its calculator",
        )
