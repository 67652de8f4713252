"""What travels between a simulator and the process that evaluates: the opening, and the reply to a request.

The opening says the settings; its answer says whose values the process gives, or why it can give none. Both are JSON,
as are replies, so that what a calculator made of its own process is data to us, and is checked as such.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final

from pydantic import Field, Json, TypeAdapter, ValidationError

from protocols.errors import SettingsError
from protocols.settings.user_code import CodeSource
from protocols.wire.limits import MAX_PROVENANCE, MAX_QUANTITIES
from protocols.wire.messages import (
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
from protocols.wire.structure import CrystalStructure
from simulators.calculators.own import AllowedCalculator
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.executors.executor import Identity
from simulators.oracle_table import NoAnswer
from simulators.settings import SimulatorSettings

_QUANTITIES: Final = TypeAdapter(Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=MAX_QUANTITIES)])
"""What a result may carry."""

_PROVENANCE: Final = TypeAdapter(Annotated[dict[Name, Remark], Field(max_length=MAX_PROVENANCE)])
"""What it may carry of how it was measured."""

_BESIDE: Final[dict[str, TypeAdapter[Any]]] = {
    "replicates": TypeAdapter(Replicates),
    "conditions": TypeAdapter(Conditions),
    "remarks": TypeAdapter(Remarks),
    "files": TypeAdapter(RawFiles),
    "structure": TypeAdapter(Json[CrystalStructure] | None),
}
"""What else it may carry, by the name of its field."""


def opening_frame(settings: SimulatorSettings) -> bytes:
    """Return the first frame: the settings, and what is none of them: whence code may come, and what is allowed."""
    allowed = settings.allowed_calculator
    content = {
        "settings": settings.model_dump(mode="json"),
        "code": asdict(settings.code),
        "allowed_calculator": None if allowed is None else asdict(allowed),
    }
    return json.dumps(content).encode()


def read_opening(frame: bytes) -> SimulatorSettings:
    """Return the settings that the first frame holds."""
    content = json.loads(frame)
    settings = SimulatorSettings.model_validate(content["settings"])
    told = content["allowed_calculator"]
    allowed = None if told is None else AllowedCalculator(told["name"], CodeSource(**told["source"]))
    return settings.with_code(CodeSource(**content["code"])).with_allowed_calculator(allowed)


def opening_reply(identity: Identity | None) -> bytes:
    """Return the answer to an opening: the evaluator is there, and this names it."""
    return json.dumps({"identity": None if identity is None else dict(identity)}).encode()


def complaint_reply(complaint: str) -> bytes:
    """Return the answer to an opening whose evaluator cannot be made."""
    return json.dumps({"complaint": complaint}).encode()


def read_opening_reply(reply: bytes) -> Identity | None:
    """Return what names the evaluator of a process that was opened.

    Raises:
        SettingsError: When it cannot make its evaluator: no request would ever succeed.
    """
    content = json.loads(reply)
    if "complaint" in content:
        raise SettingsError(content["complaint"])
    identity: Identity | None = content["identity"]
    return identity


def measurement_content(measured: Measurement) -> dict[str, object]:
    """Return a measurement as JSON has it."""
    return {
        "quantities": [each.model_dump() for each in measured.quantities],
        "provenance": dict(measured.provenance),
        "replicates": list(measured.replicates),
        "conditions": [each.model_dump() for each in measured.conditions],
        "remarks": dict(measured.remarks),
        "files": [each.model_dump() for each in measured.files],
        "structure": None if measured.structure is None else measured.structure.model_dump_json(),
    }


def failure_content(failure: EvaluationFailed) -> dict[str, object]:
    """Return a failure as JSON has it."""
    return {"reason": failure.reason.value, "detail": cut(failure.detail)}


def read_reply(reply: bytes, candidate_id: str) -> Measurement:
    """Return what a reply says was measured.

    Raises:
        EvaluationFailed: When nothing was, or what was cannot be used.
        NoAnswer: When nothing is to be reported.
    """
    content = json.loads(reply)
    if content.get("silent"):
        raise NoAnswer(candidate_id)
    return measurement_of(content)


def measurement_of(content: Mapping[str, Any]) -> Measurement:
    """Return the measurement that JSON holds.

    Raises:
        EvaluationFailed: When it holds a failure, or no measurement.
    """
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
