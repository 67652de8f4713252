"""Evaluators and executors that behave, or misbehave, as a test needs.

The evaluators are named in settings as `tests.support.evaluators:Class`, so that a real child process makes them.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import Any, Final

from protocols.errors import SettingsError
from protocols.wire.messages import CandidateRequest, FailureReason, Quantity
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.oracle_table import NoAnswer

UNIT: Final = "eV/atom"


def energy(value: float) -> tuple[Quantity, ...]:
    """Return one energy."""
    return (Quantity(name="energy", value=value, unit=UNIT),)


class Constant:
    """Answers with the same value, and remembers what it was asked."""

    def __init__(self, value: float = -1.5) -> None:
        self.asked: list[str] = []
        self._value = value

    def evaluate(self, request: CandidateRequest) -> tuple[Quantity, ...]:
        """Return the value."""
        self.asked.append(request.attempt_id)
        return energy(self._value)


class Documented:
    """Answers, and says how it measured."""

    def evaluate(self, request: CandidateRequest) -> Measurement:
        """Return a value with remarks."""
        return Measurement(energy(-1.5), {"method": "by eye", "steps": 3})


class Failing:
    """Refuses everything for one reason."""

    def __init__(self, reason: str = FailureReason.UNSUPPORTED, detail: str = "no such element") -> None:
        self._failure = EvaluationFailed(FailureReason(reason), detail)

    def evaluate(self, request: CandidateRequest) -> tuple[Quantity, ...]:
        """Fail."""
        raise self._failure


class Silent:
    """Loses everything that it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def evaluate(self, request: CandidateRequest) -> tuple[Quantity, ...]:
        """Give no answer."""
        self.asked.append(request.attempt_id)
        raise NoAnswer(request.candidate_id)


class Misbehaving:
    """Does what the candidate's formula says, so that one child can be asked for several things."""

    def evaluate(  # noqa: C901 - a list of misdeeds
        self, request: CandidateRequest
    ) -> tuple[Quantity, ...] | Measurement:
        """Answer, crash, hang, lie, eat memory, print, or raise."""
        match request.formula:
            case "hang":
                while True:
                    pass
            case "sleep":
                time.sleep(3_600)
            case "exit":
                sys.stderr.write("the calculator gave up\n")
                sys.stderr.flush()
                os._exit(9)
            case "abort":
                os.abort()
            case "raise":
                message = "division of Gaul"
                raise ZeroDivisionError(message)
            case "system exit":
                sys.exit(4)
            case "memory":
                return energy(float(len(bytearray(8 << 30))))
            case "print":
                print("SCF cycle 1 converged " * 1_000)
                os.write(1, b"\x00" * 100)
            case "long detail":
                raise EvaluationFailed(FailureReason.CALCULATION_FAILED, "é" * 10_000)
            case "pid":
                return energy(float(os.getpid()))
            case misdeed if misdeed in LIES:
                return LIES[misdeed]
        return energy(-1.5)


def _unchecked(**fields: Any) -> Quantity:
    usual: dict[str, Any] = {"name": "energy", "value": 1.0, "unit": UNIT}
    return Quantity.model_construct(**(usual | fields))


LIES: Final[dict[str, Any]] = {
    "nothing": (),
    "none": None,
    "numbers": (1.0, 2.0),
    "nan": (_unchecked(value=float("nan")),),
    "infinity": (_unchecked(value=float("-inf")),),
    "text": (_unchecked(value="1.0"),),
    "huge": (_unchecked(value=1e151),),
    "nameless": (_unchecked(name=""),),
    "unserialisable": (_unchecked(value=object()),),
    "crowd": energy(1.0) * 33,
    "a remark that is no number": Measurement(energy(1.0), {"steps": float("nan")}),
    "a remark that is too long": Measurement(energy(1.0), {"energies": "x" * 201}),
    "too many remarks": Measurement(energy(1.0), {str(number): "x" for number in range(33)}),
}
"""What a careless evaluator returns for quantities."""


class HeldExecutor:
    """Holds every evaluation until the test releases it (`simulators.executors.executor.Executor`)."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.running: dict[str, asyncio.Future[None]] = {}
        self.most_at_once = 0
        self.closed = False

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        """Wait for the release."""
        self.asked.append(request.attempt_id)
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.running[request.attempt_id] = gate
        self.most_at_once = max(self.most_at_once, len(self.running))
        try:
            await gate
        finally:
            del self.running[request.attempt_id]
        return Measurement(energy(-1.5))

    def release(self, attempt_id: str) -> None:
        """Let one evaluation end."""
        self.running[attempt_id].set_result(None)

    async def close(self) -> None:
        """Remember it."""
        self.closed = True


class UnmakableExecutor:
    """Its evaluator cannot be made: no request would ever succeed."""

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        """Fail for good."""
        raise SettingsError("Evaluator 'a:B' cannot be made", action="check the name")

    async def close(self) -> None:
        """Nothing runs."""
