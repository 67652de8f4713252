"""Where evaluations run: in killable child processes with a deadline, or in place for a table that cannot hang."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Annotated, Any, Final, Protocol

from pydantic import Field, TypeAdapter, ValidationError

from protocols.concurrency.child import Child, ChildDied, serve
from protocols.errors import EntropilotError, SettingsError
from protocols.settings.user_code import CodeSource
from protocols.wire.codec import decode_payload, encode
from protocols.wire.limits import MAX_PROVENANCE, MAX_QUANTITIES
from protocols.wire.messages import (
    CandidateRequest,
    Conditions,
    FailureReason,
    Name,
    Quantity,
    RawFiles,
    Remark,
    Remarks,
    Replicates,
    cut,
)
from simulators.evaluator import EvaluationFailed, Evaluator, Measurement
from simulators.oracle_table import NoAnswer
from simulators.registry import make_evaluator
from simulators.settings import TABLE, SimulatorSettings

_QUANTITIES: Final = TypeAdapter(Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=MAX_QUANTITIES)])
"""What a result may carry."""

_PROVENANCE: Final = TypeAdapter(Annotated[dict[Name, Remark], Field(max_length=MAX_PROVENANCE)])
"""What it may carry of how it was measured."""

_BESIDE: Final[dict[str, TypeAdapter[Any]]] = {
    "replicates": TypeAdapter(Replicates),
    "conditions": TypeAdapter(Conditions),
    "remarks": TypeAdapter(Remarks),
    "files": TypeAdapter(RawFiles),
}
"""What else it may carry, by the name of its field."""

START_TIMEOUT_S: Final = 120.0
"""How long a child may take to import its calculator and make its references, on a loaded machine."""


class Executor(Protocol):
    """Runs one evaluation at a time per slot."""

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        """Return what was measured.

        Raises:
            EvaluationFailed: With the reason to report.
            NoAnswer: When nothing is to be reported.
        """
        ...

    async def close(self) -> None:
        """End what it runs."""
        ...


class InPlaceExecutor:
    """Evaluates in this process: for look-ups of microseconds."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        """Return the measurement at once."""
        return Measurement.of(self._evaluator.evaluate(request))

    async def close(self) -> None:
        """Nothing runs."""


class ChildExecutor:
    """Evaluates in child processes, one for each slot, each killed at the deadline of its request.

    Args:
        settings: The simulator's; the children make the evaluator of them.
    """

    def __init__(self, settings: SimulatorSettings) -> None:
        self._opening = _opening(settings)
        self._idle = [Child("simulators.executor") for _ in range(settings.concurrency)]
        self._all = tuple(self._idle)
        self._free = asyncio.Semaphore(settings.concurrency)

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        """Evaluate in a free child; see `Executor`.

        Raises:
            SettingsError: When the child cannot make its evaluator: no request would ever succeed.
        """
        async with self._free:
            child = self._idle.pop()
            try:
                return await self._ask(child, request)
            finally:
                self._idle.append(child)

    async def close(self) -> None:
        """Kill the children."""
        for child in self._all:
            await child.stop()

    async def _ask(self, child: Child, request: CandidateRequest) -> Measurement:
        try:
            if not child.is_running:
                await child.start()
                complaint = await child.ask(self._opening, timeout_s=START_TIMEOUT_S)
                if complaint:
                    raise SettingsError(complaint.decode())
            reply = await child.ask(encode(request), timeout_s=request.deadline_s)
        except TimeoutError:
            detail = f"not finished after {request.deadline_s:g} s; the evaluating process was stopped"
            raise EvaluationFailed(FailureReason.DEADLINE_EXCEEDED, detail) from None
        except ChildDied as error:
            raise EvaluationFailed(FailureReason.CRASHED, cut(f"the evaluating process: {error.reason}")) from None
        return _read_reply(reply, request)


def make_executor(settings: SimulatorSettings) -> Executor:
    """Return the executor that suits the evaluator; a table is read here in any case, so that a wrong one is told now.

    Raises:
        TableError: When the oracle's table cannot be used.
    """
    if settings.evaluator != TABLE:
        return ChildExecutor(settings)
    oracle = make_evaluator(settings)
    return ChildExecutor(settings) if settings.calculates_misses else InPlaceExecutor(oracle)


def _opening(settings: SimulatorSettings) -> bytes:
    """Return the first frame: the settings, and where the evaluator's class may come from, which is none of them."""
    code = {"folder": settings.code.folder, "named_by": settings.code.named_by}
    return json.dumps({"settings": settings.model_dump(mode="json"), "code": code}).encode()


def _read_opening(frame: bytes) -> SimulatorSettings:
    content = json.loads(frame)
    settings = SimulatorSettings.model_validate(content["settings"])
    return settings.with_code(CodeSource(**content["code"]))


def _read_reply(reply: bytes, request: CandidateRequest) -> Measurement:
    content = json.loads(reply)
    if content.get("silent"):
        raise NoAnswer(request.candidate_id)
    if "reason" in content:
        raise EvaluationFailed(FailureReason(content["reason"]), content["detail"])
    quantities: tuple[Quantity, ...] = _usable(_QUANTITIES, content["quantities"], "quantity")
    beside = {name: _usable(carried, content[name], name) for name, carried in _BESIDE.items()}
    return Measurement(quantities, _usable(_PROVENANCE, content["provenance"], "provenance"), **beside)


def _usable(carried: TypeAdapter[Any], told: object, what: str) -> Any:
    try:
        return carried.validate_python(told)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise EvaluationFailed(
            FailureReason.CALCULATION_FAILED, cut(f"the evaluator returned no usable {what}: {where}: {first['msg']}")
        ) from None


def _answer(evaluator: Evaluator, frame: bytes) -> dict[str, object]:
    """Evaluate one request; runs in the child."""
    request = decode_payload(frame)
    try:
        if not isinstance(request, CandidateRequest):
            raise EvaluationFailed(FailureReason.INVALID_REQUEST, f"a {request.type} is no request")  # noqa: TRY301
        measured = Measurement.of(evaluator.evaluate(request))
        return {
            "quantities": [each.model_dump() for each in measured.quantities],
            "provenance": dict(measured.provenance),
            "replicates": list(measured.replicates),
            "conditions": [each.model_dump() for each in measured.conditions],
            "remarks": dict(measured.remarks),
            "files": [each.model_dump() for each in measured.files],
        }
    except EvaluationFailed as failure:
        return {"reason": failure.reason.value, "detail": cut(failure.detail)}
    except NoAnswer:
        return {"silent": True}
    except Exception as error:  # noqa: BLE001 - a calculator may raise anything; it is reported, not lost
        return {"reason": FailureReason.CRASHED.value, "detail": cut(f"{type(error).__name__}: {error}")}


def _limit_memory(megabytes: int | None) -> None:
    if megabytes is not None and sys.platform != "win32":
        import resource

        limit = megabytes * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _main() -> None:
    """Serve evaluations; runs in the child. The first frame holds the settings, its answer a complaint or nothing."""
    evaluator: Evaluator | None = None

    def answer(frame: bytes) -> bytes:
        nonlocal evaluator
        if evaluator is None:
            try:
                settings = _read_opening(frame)
                _limit_memory(settings.memory_limit_mb)
                evaluator = make_evaluator(settings)
            except EntropilotError as error:
                return str(error).encode()
            return b""
        return json.dumps(_answer(evaluator, frame)).encode()

    serve(answer)


if __name__ == "__main__":
    _main()
