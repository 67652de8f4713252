"""The lab of the simulation: what every candidate is worth, and how its evaluation misbehaves.

Everything follows from the candidate's id, the seed and the number of the attempt, so that an undisturbed run of the
same seed ends with the same dataset. A candidate that misbehaves does so in its first attempts and then gives its
value, or it is one that no lab can evaluate.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from protocols.wire.messages import CandidateRequest, CandidateResult, FailureReason, Quantity, RawFile
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.oracle_table import NoAnswer
from tests.simulation.world import Life
from tests.support.campaigns import PROPERTY, UNIT, value_of

MISDEEDS: Final = ("fails", "hangs", "says nothing", "wrong unit", "out of range", "no property", "kills its lab")
"""What a candidate does in its first attempts."""

MOST_MISDEEDS: Final = 2
"""Attempts of one candidate that misbehave."""


@dataclass(frozen=True, slots=True)
class Lab:
    """How candidates behave.

    Attributes:
        seed: Of everything below.
        mean_s: Mean time of an evaluation [s].
        hopeless: Share of the candidates that no lab can evaluate.
        odd: Share of the candidates that misbehave at first.
        is_rich: Whether it says more than a value.
    """

    seed: int
    mean_s: float
    hopeless: float
    odd: float
    is_rich: bool = False

    def is_hopeless(self, candidate_id: str) -> bool:
        """Tell whether a candidate can never be evaluated."""
        return self._share("hopeless", candidate_id) < self.hopeless

    def misdeed(self, request: CandidateRequest) -> str:
        """Return what goes wrong with this attempt, or nothing."""
        which = request.candidate_id
        if self._share("odd", which) >= self.odd:
            return ""
        times = 1 + int(self._share("times", which) * MOST_MISDEEDS)
        return MISDEEDS[int(self._share("misdeed", which) * len(MISDEEDS))] if request.attempt <= times else ""

    def seconds(self, attempt_id: str) -> float:
        """Return how long an evaluation takes [s]."""
        return self.mean_s * (0.2 + 1.6 * self._share("seconds", attempt_id))

    def answered(self, result: CandidateResult) -> CandidateResult:
        """Return the result that the lab sends of an evaluation in which nothing goes wrong."""
        if not self.is_rich:
            return result
        told = self.told(result.candidate_id, result.quantities[0])
        return result.model_copy(update={"quantities": told.quantities, "replicates": told.replicates})

    def told(self, candidate_id: str, measured: Quantity) -> Measurement:
        """Return a measurement with all that may come with it."""
        share = self._share("rich", candidate_id)
        known = measured.model_copy(update={"standard_deviation": share}) if share < 0.5 else measured
        digest = hashlib.sha256(candidate_id.encode()).hexdigest()
        return Measurement(
            (known, Quantity(name="volume", value=10.0 + share, unit="Å^3")),
            {"method": "simulated"},
            replicates=(measured.value - share, measured.value + share) if share > 0.3 else (),
            conditions=(Quantity(name="temperature", value=300.0 + share, unit="K"),),
            remarks={"seen by": "nobody"},
            files=(RawFile(name="raw.csv", uri=f"file:///{candidate_id}.csv", sha256=digest, size_bytes=9),),
        )

    def _share(self, *names: str) -> float:
        text = "/".join((str(self.seed), *names))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


class SimExecutor:
    """Evaluates in virtual time; implements `simulators.executors.executor.Executor`.

    Args:
        lab: How candidates behave.
        life: The process that evaluates.
        spared: Whether a candidate that kills its lab fails instead: in the calm after the faults.
    """

    def __init__(self, lab: Lab, life: Life, spared: Callable[[], bool]) -> None:
        self._lab = lab
        self._life = life
        self._spared = spared

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        """Return a measurement, or misbehave."""
        self._life.point("evaluate", "the begin of an evaluation")
        lab, misdeed = self._lab, self._lab.misdeed(request)
        took = lab.seconds(request.attempt_id)
        if misdeed == "hangs" or took > request.deadline_s:
            await asyncio.sleep(request.deadline_s)
            raise EvaluationFailed(FailureReason.DEADLINE_EXCEEDED, "not finished in time")
        await asyncio.sleep(took)
        self._life.point("evaluate", "the end of an evaluation")
        if lab.is_hopeless(request.candidate_id):
            raise EvaluationFailed(FailureReason.UNSUPPORTED, "no such element")
        if misdeed == "kills its lab" and not self._spared():
            self._life.kill("an evaluation that kills its lab")
            self._life.require()
        if misdeed in {"fails", "kills its lab"}:
            raise EvaluationFailed(FailureReason.CALCULATION_FAILED, "it did not converge")
        if misdeed == "says nothing":
            raise NoAnswer(request.candidate_id)
        measured = _quantity(misdeed, value_of(request.candidate_id))
        return lab.told(request.candidate_id, measured) if lab.is_rich else Measurement((measured,))

    async def close(self) -> None:
        """Nothing runs."""


def _quantity(misdeed: str, value: float) -> Quantity:
    name = "another_property" if misdeed == "no property" else PROPERTY
    unit = "kJ/mol" if misdeed == "wrong unit" else UNIT
    return Quantity(name=name, value=1e6 if misdeed == "out of range" else value, unit=unit)
